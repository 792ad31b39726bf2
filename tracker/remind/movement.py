"""What the engine is told of a leg: from a session that is being recorded, or from the store."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from analysis.events import Contraction, Findings, Kind, Leg, State, StateSpan
from tracker.remind.decisions import Doing, LegSeen
from tracker.remind.ledger import MEMORY_S, WINDOW_S
from tracker.store import SessionRecord, Store

PUMPS = frozenset({Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE, Kind.ANKLE_PUMP, Kind.PEDAL})
"""Kinds that pay debt one by one. Steps do so by the time that is walked: twenty of them are no break."""

MOVING_STATES = frozenset({State.WALKING, State.RUNNING, State.CYCLING})

FRESH_S = 60.0
"""A label that ends longer ago than this says nothing of the present. Labels are up to half a minute late."""

SILENT_S = 15.0
"""Without samples for longer than this, a leg is in a gap."""


class LegWatch:
    """Follows one leg through the findings of its live session; forgets what is older than ten minutes."""

    def __init__(self, leg: Leg | None) -> None:
        self.leg = leg
        self._peaks: list[float] = []
        self._walks: list[tuple[float, float]] = []
        self._last_s: float | None = None

    def take(self, found: Findings, started_at: datetime) -> None:
        """What `LiveSession.beat` gave, and the instant of its session second 0."""
        zero_s = started_at.timestamp()
        self._note(found.contractions, zero_s)
        self._walks += [
            (zero_s + span.start_s, zero_s + span.end_s) for span in found.spans if span.state in MOVING_STATES
        ]

    def _note(self, contractions: Iterable[Contraction], zero_s: float) -> None:
        for event in contractions:
            # To the microsecond, as the store has it: so the same peak is the same number from either.
            peak = round(zero_s + event.peak_s, 6)
            self._last_s = peak if self._last_s is None else max(self._last_s, peak)
            if event.kind in PUMPS:
                insort(self._peaks, peak)

    def seen(
        self, now: datetime, *, silent_s: float | None, started_at: datetime | None, present: StateSpan | None,
        active: bool | None = None,
    ) -> LegSeen:  # fmt: skip
        """The leg at an instant.

        Args:
            now: aware.
            silent_s: seconds since the session's last sample; None before any.
            started_at: instant of its session second 0; None while that is not known.
            present: what `LiveSession.present` gave.
            active: whether a contraction is over but not final (`tally.likely`).
        """
        now_s = now.timestamp()
        self._forget(now_s)
        doing, walks = Doing.GAP, list(self._walks)
        if silent_s is not None and silent_s <= SILENT_S:
            doing = Doing.UNKNOWN
            if present is not None and started_at is not None:
                start_s, end_s = (started_at.timestamp() + edge for edge in (present.start_s, present.end_s))
                doing = doing_of(present.state, now_s - end_s)
                if doing is Doing.WALKING:
                    walks.append((start_s, end_s))
        return LegSeen(self.leg, doing, tuple(self._peaks), walked(walks, now_s), active, self._last_s)

    def _forget(self, now_s: float) -> None:
        self._peaks = [peak for peak in self._peaks if peak > now_s - MEMORY_S]
        self._walks = [walk for walk in self._walks if walk[1] > now_s - WINDOW_S]


def doing_of(state: State, ago_s: float) -> Doing:
    """What a label that ended so many seconds ago says of the present."""
    if ago_s > FRESH_S or state is State.UNKNOWN:
        return Doing.UNKNOWN
    if state is State.NOT_WORN:
        return Doing.NOT_WORN
    return Doing.WALKING if state in MOVING_STATES else Doing.STILL


def walked(walks: Iterable[tuple[float, float]], now_s: float) -> float:
    """Seconds of the last five minutes that lie in walks; overlaps count once."""
    seconds, at = 0.0, now_s - WINDOW_S
    for start_s, end_s in sorted(walks):
        start_s, end_s = max(start_s, at), min(end_s, now_s)
        if start_s < end_s:
            seconds, at = seconds + end_s - start_s, end_s
    return seconds


def legs_in_store(store: Store, now: datetime) -> tuple[LegSeen, ...]:
    """What the database knows of each leg that is being recorded; final labels only, so a still leg is unknown.

    For a program that is not the recorder. The engine, inside of it, uses `LegWatch`.
    """
    return tuple(_in_store(store, session, now) for session in _newest(store.open_sessions()))


def _newest(sessions: Sequence[SessionRecord]) -> list[SessionRecord]:
    """One session a leg, that with the latest samples."""
    by_leg: dict[Leg | None, SessionRecord] = {}
    for session in sessions:
        known = by_leg.get(session.leg)
        if known is None or _last_sample(session) > _last_sample(known):
            by_leg[session.leg] = session
    return list(by_leg.values())


def _last_sample(session: SessionRecord) -> datetime:
    return session.started_at + timedelta(seconds=session.last_s)


def _in_store(store: Store, session: SessionRecord, now: datetime) -> LegSeen:
    now_s = now.timestamp()
    peaks, last_s, spans = store.recent_movement(session.id, now - timedelta(seconds=MEMORY_S))
    silent_s = now_s - _last_sample(session).timestamp()
    doing = Doing.GAP
    if silent_s <= FRESH_S:  # findings are stored every few seconds, the last sample with them
        doing = doing_of(spans[-1].state, now_s - spans[-1].end_s) if spans else Doing.UNKNOWN
    walks = [(span.start_s, span.end_s) for span in spans if span.state in MOVING_STATES]
    pumps = tuple(peak for kind, peak in peaks if kind in PUMPS)
    return LegSeen(session.leg, doing, pumps, walked(walks, now_s), None, last_s)
