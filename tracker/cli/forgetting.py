"""What forgetting would take: whole sessions, parts of others, their contractions and their recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tracker.cli.figures import size, span
from tracker.cli.output import counted
from tracker.errors import ConfigError, NothingFound
from tracker.store import SessionRecord, Store
from tracker.store.civil import day_of


@dataclass(frozen=True, slots=True)
class Loss:
    """What would go.

    Attributes:
        sessions: those that would go whole.
        parts: those that would lose a stretch, with its first and last instant.
        events: contractions that would not count any more.
        recording_bytes: of the recordings of whole sessions, plus the shares of the others by time.
    """

    sessions: tuple[SessionRecord, ...]
    parts: tuple[tuple[SessionRecord, datetime, datetime], ...]
    events: int
    recording_bytes: int

    @property
    def seconds(self) -> float:
        """Recorded time that would go, as long as it is on the clock."""
        whole = sum(session.duration_s for session in self.sessions)
        return whole + sum(_seconds(start, end) for _, start, end in self.parts)

    def sentence(self) -> str:
        """`session 3 (left leg, 2026-03-01 08:00): 1:02 h, 1,204 contractions and 3.1 MB of recording`."""
        named = [_named(session) for session in self.sessions]
        named += [
            f"{start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S} of session {session.id}"
            for session, start, end in self.parts
        ]
        if len(named) > 3:
            kinds = ((len(self.sessions), "session"), (len(self.parts), "part"))
            named = [counted(number, noun) for number, noun in kinds if number]
        raw = f"{'about ' if self.parts else ''}{size(self.recording_bytes)} of recording"
        return (
            f"{', '.join(named)}: {span(self.seconds)}, {counted(self.events, 'contraction')} "
            f"and {raw if self.recording_bytes else 'no recording'}"
        )

    def to_json(self) -> dict[str, Any]:
        """What would go, in numbers."""
        return {
            "sessions": [session.id for session in self.sessions],
            "parts": [
                {"session": session.id, "start": start.isoformat(), "end": end.isoformat()}
                for session, start, end in self.parts
            ],
            "duration_s": round(self.seconds, 6),
            "events": self.events,
            "recording_bytes": self.recording_bytes,
        }


def _named(session: SessionRecord) -> str:
    leg = f"{session.leg} leg, " if session.leg else ""
    return f"session {session.id} ({leg}{session.started_at:%Y-%m-%d %H:%M})"


def loss_of_sessions(store: Store, ids: Sequence[int]) -> Loss:
    """What forgetting these sessions would take.

    Raises:
        NothingFound: there is no such session.
    """
    found = tuple(store.session(session_id) for session_id in dict.fromkeys(ids))
    events = sum(sum((session.counts or {}).values()) for session in found)
    return Loss(found, (), events, sum(_bytes(store, session) for session in found))


def loss_of_range(store: Store, start: datetime, end: datetime) -> Loss:
    """What forgetting start..end would take, by the rule of the store: what lies wholly inside goes whole.

    Raises:
        ConfigError: the range is empty.
        NothingFound: nothing was recorded in it.
    """
    if _seconds(start, end) <= 0:
        raise ConfigError(f"--to ({end.isoformat()}) is not after --from ({start.isoformat()}): exchange them.")
    whole, parts = [], []
    for session in store.sessions(since=start):
        first, last = _edges(session)
        if _seconds(first, end) <= 0 or _seconds(start, last) <= 0:
            continue
        low, high = max(start, first, key=datetime.timestamp), min(end, last, key=datetime.timestamp)
        if (low, high) == (first, last) and session.ended_at is not None:
            whole.append(session)
        else:
            parts.append((session, low, high))
    if not whole and not parts:
        raise NothingFound(f"nothing was recorded between {start.isoformat()} and {end.isoformat()}.")
    events = sum(sum((session.counts or {}).values()) for session in whole)
    events += sum(_events_between(store, *part) for part in parts)
    held = sum(_bytes(store, session) for session in whole)
    for session, low, high in parts:
        held += round(_bytes(store, session) * _seconds(low, high) / max(session.duration_s, 1e-6))
    return Loss(tuple(whole), tuple(parts), events, held)


def _seconds(start: datetime, end: datetime) -> float:
    """From one instant to another. Two times of one zone would subtract as their hands do."""
    return end.timestamp() - start.timestamp()


def _edges(session: SessionRecord) -> tuple[datetime, datetime]:
    # In UTC: adding to a time of a zone would move the hands, and miss a change of the clocks.
    zero = session.started_at.timestamp()
    zone = session.started_at.tzinfo
    first, last = (datetime.fromtimestamp(zero + edge, zone) for edge in (session.first_s, session.last_s))
    return first, last


def _events_between(store: Store, session: SessionRecord, start: datetime, end: datetime) -> int:
    zone = session.started_at.tzinfo
    if zone is None:
        raise ValueError("a session begins at an aware time")
    day, last = (day_of(edge, zone) for edge in (start, end))
    found = 0
    while day <= last:
        events = store.events(day, zone)
        found += sum(
            event.session_id == session.id and _seconds(start, event.peak) >= 0 < _seconds(event.peak, end)
            for event in events
        )
        day += timedelta(days=1)
    return found


def _bytes(store: Store, session: SessionRecord) -> int:
    path = None if session.recording is None else store.home.root / session.recording
    return path.stat().st_size if path is not None and path.exists() else 0
