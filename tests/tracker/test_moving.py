"""A sensor on the other leg since a stated time: its sessions since then are corrected, older ones are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.events import Algorithm, Findings, Leg
from tracker.errors import ConfigError, NothingFound
from tracker.home import Home
from tracker.moving import move
from tracker.store import Batch, NewSession, Sensor, Store

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def recorded(store: Store, nick: str, hour: int, *, closed: bool = True) -> int:
    began = NOON + timedelta(hours=hour)
    session_id = store.begin(NewSession(began, Leg.LEFT, sensor=nick, uid=f"{nick} {hour}"))
    store.append(session_id, Batch(Findings(), 0.0, 600.0, Algorithm("heel", "1.0", "0" * 64)))
    if closed:
        store.finish(session_id, began + timedelta(seconds=600))
    return session_id


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two sensors on the left leg."""
    made = Store(Home(tmp_path).create(), clock=lambda: NOON + timedelta(days=1))
    for nick in ("calf", "other"):
        made.keep_sensor(Sensor(nick, "Polar", "00:11", "polar-pmd", Leg.LEFT, "above the ankle"))
    return made


def legs(store: Store) -> dict[int, Leg | None]:
    return {session.id: session.leg for session in store.sessions()}


def test_sessions_since_then_are_corrected(store: Store) -> None:
    """The session that begins at the stated time is in, an older one and another sensor's are not."""
    with store:
        old, first, second = (recorded(store, "calf", hour) for hour in (0, 2, 4))
        other = recorded(store, "other", 3)
        assert move(store, "calf", Leg.RIGHT, since=NOON + timedelta(hours=2)) == [first, second]
        assert legs(store) == {old: Leg.LEFT, first: Leg.RIGHT, second: Leg.RIGHT, other: Leg.LEFT}
        assert {sensor.nick: sensor.leg for sensor in store.sensors()} == {"calf": Leg.RIGHT, "other": Leg.LEFT}
        assert move(store, "calf", Leg.RIGHT, since=NOON) == [old]
        store.undo()
        assert legs(store)[old] is Leg.LEFT


def test_without_a_time_the_past_stays(store: Store) -> None:
    """Only recordings to come are on the other leg; the place is kept unless a new one is given."""
    with store:
        old = recorded(store, "calf", 0)
        assert move(store, "calf", Leg.RIGHT) == []
        assert legs(store) == {old: Leg.LEFT}
        assert store.sensors()[0].place == "above the ankle"


def test_a_running_session_stops_it_all(store: Store) -> None:
    """Where one of them is still recorded, nothing is changed; so it is with an unknown sensor."""
    with store:
        recorded(store, "calf", 0)
        recorded(store, "calf", 2, closed=False)
        with pytest.raises(ConfigError, match="still being recorded"):
            move(store, "calf", Leg.RIGHT, since=NOON)
        assert set(legs(store).values()) == {Leg.LEFT}
        assert store.sensors()[0].leg is Leg.LEFT
        with pytest.raises(NothingFound, match="no sensor is called nobody"):
            move(store, "nobody", Leg.RIGHT)
