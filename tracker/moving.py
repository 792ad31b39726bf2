"""A sensor goes to the other leg: from now on, or from a stated time, with what it has recorded since."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from analysis.events import Leg
from tracker.errors import ConfigError, NothingFound
from tracker.store import SessionRecord, Store


def move(store: Store, nick: str, leg: Leg, *, since: datetime | None = None, place: str | None = None) -> list[int]:
    """Say that a sensor is on this leg; its sessions that began at or after `since` are corrected.

    Returns:
        The sessions that had another leg, in order of time.

    Raises:
        NothingFound: no sensor is called so.
        ConfigError: one of those sessions is still being recorded; nothing is changed then.
    """
    known = next((sensor for sensor in store.sensors() if sensor.nick == nick), None)
    if known is None:
        raise NothingFound(f"no sensor is called {nick}: `soleus sensors` lists them")
    wrong = [] if since is None else _wrong(store, nick, leg, since)
    if running := [session.id for session in wrong if session.ended_at is None]:
        raise ConfigError(f"session {running[0]} of {nick} is still being recorded: stop it first")
    for session in wrong:
        store.correct(session.id, leg=leg)
    store.keep_sensor(replace(known, leg=leg, place=place or known.place))
    return [session.id for session in wrong]


def _wrong(store: Store, nick: str, leg: Leg, since: datetime) -> list[SessionRecord]:
    found = [
        session
        for session in store.sessions(since=since)
        if session.sensor == nick and session.started_at >= since and session.leg != leg
    ]
    return sorted(found, key=lambda session: session.started_at)
