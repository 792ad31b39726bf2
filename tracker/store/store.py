"""The store: one door to the database and the recordings beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from pathlib import Path
from types import TracebackType
from typing import Self

from analysis.events import Kind, Leg, StateSpan
from tracker.errors import NothingFound
from tracker.home import Home
from tracker.remind.decisions import Answer
from tracker.remind.state import Reminder
from tracker.store import days, forget, health, reminders, retention, rollup, sessions
from tracker.store.civil import day_edges, day_of
from tracker.store.connection import snapshot, transaction
from tracker.store.faults import told, usable
from tracker.store.opening import open_for_reading, open_for_writing
from tracker.store.records import (
    Batch,
    CountedEvent,
    DayChange,
    NewSession,
    Operation,
    Rejected,
    Sensor,
    SessionRecord,
    Totals,
    leg_name,
)


@dataclass(frozen=True, slots=True)
class Stored:
    """The session that holds some content, and whether this call made it."""

    session_id: int
    created: bool


class Store:
    """Sessions, days and their history in one home. A context manager; use it from one thread.

    Every method that changes something is one transaction, safe against any end of the process at any
    instant, and waits up to `connection.BUSY_S` for its turn behind another process.

    Args:
        home: the data folder.
        clock: gives the present, aware.
        read_only: change nothing, and create nothing where nothing is there yet.

    Raises:
        StoreError: from any method, where the database cannot be used; one sentence with the path and the
            fix.
    """

    def __init__(self, home: Home, *, clock: Callable[[], datetime], read_only: bool = False) -> None:
        self.home = home
        self._clock = clock
        opened = open_for_reading if read_only else open_for_writing
        self._connection, self._presence = opened(home, clock())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; the last to do so leaves one tidy file."""
        with told(self.home.database):
            self._connection.close()
        if self._presence:
            self._presence.close()

    def wait_at_most(self, seconds: float) -> None:
        """Wait for other processes no longer than this from now on: a recorder has packets to take meanwhile."""
        with told(self.home.database):
            self._connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with told(self.home.database), transaction(self._connection) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with told(self.home.database), snapshot(self._connection) as connection:
            yield connection

    # Sensors

    def keep_sensor(self, sensor: Sensor) -> None:
        """Remember a sensor under its nickname, or what has changed about it."""
        with self._writing() as connection:
            sessions.keep_sensor(connection, sensor)

    def remove_sensor(self, nick: str) -> None:
        """Forget a pairing; the sessions of the sensor stay."""
        with self._writing() as connection:
            if not connection.execute("DELETE FROM sensors WHERE nick = ?", (nick,)).rowcount:
                raise NothingFound(f"no sensor is called {nick}: `soleus sensors` lists them.")

    def sensors(self) -> list[Sensor]:
        """The sensors that are remembered, by nickname."""
        with self._reading() as connection:
            return sessions.sensors(connection)

    # Sessions

    def add(self, new: NewSession, batch: Batch, *, ended_at: datetime, totals: Totals | None = None) -> Stored:
        """Store a whole recording with its findings at once; the same content key again changes nothing."""
        with self._writing() as connection:
            held = sessions.with_content(connection, new.content_key)
            if held is not None:
                return Stored(held, created=False)
            session_id = sessions.begin(connection, self.home, new, "import", self._clock())
            sessions.append(connection, session_id, batch, totals)
            sessions.close(connection, session_id, ended_at)
            summary = f"imported {new.source or 'a recording'} as session {session_id}"
            forget.note(connection, "import", summary, {"sessions": [session_id]}, self._clock())
        return Stored(session_id, created=True)

    def holds(self, content_key: str) -> int | None:
        """The session with this content key, None where it is not stored: ask before counting a file."""
        with self._reading() as connection:
            return sessions.with_content(connection, content_key)

    def holds_file(self, file_key: str) -> int | None:
        """The session of a file with these very bytes, None where they must be read to know."""
        with self._reading() as connection:
            return sessions.with_file(connection, file_key)

    def named_recordings(self) -> set[str]:
        """Recordings that some session names, as the database does: also those of forgotten sessions."""
        with self._reading() as connection:
            return sessions.named_recordings(connection)

    def begin(self, new: NewSession) -> int:
        """Begin a live session; it is listed, without an end, from now on."""
        with self._writing() as connection:
            return sessions.begin(connection, self.home, new, "record", self._clock())

    def append(self, session_id: int, batch: Batch, totals: Totals | None = None) -> None:
        """Store the next findings of a live session; the same batch again changes nothing."""
        with self._writing() as connection:
            sessions.append(connection, session_id, batch, totals)

    def finish(self, session_id: int, ended_at: datetime, totals: Totals | None = None) -> None:
        """Close a live session, or one that a killed process left open."""
        with self._writing() as connection:
            if totals:
                sessions.count_rows(connection, session_id, totals)
            sessions.close(connection, session_id, ended_at)

    def sessions(self, *, since: datetime | None = None, limit: int | None = None) -> list[SessionRecord]:
        """Sessions that exist, the latest first; `since`: those with samples at or after it."""
        low = sessions.instant_us(since) if since else -(2**62)
        with self._reading() as connection:
            return sessions.listed(
                connection, where="last_utc_us >= ?", values=(low,), limit=-1 if limit is None else limit
            )

    def session(self, session_id: int) -> SessionRecord:
        """One session.

        Raises:
            NothingFound: there is no such session.
        """
        with self._reading() as connection:
            found = sessions.listed(connection, where="s.id = ?", values=(session_id,))
        if not found:
            raise NothingFound(f"there is no session {session_id}: `soleus sessions` lists those that exist.")
        return found[0]

    def open_sessions(self) -> list[SessionRecord]:
        """Sessions without an end: being recorded, or left by a process that was killed."""
        with self._reading() as connection:
            return sessions.listed(connection, where="ended_at IS NULL")

    def recount(self, session_id: int, batch: Batch, zone: tzinfo, start_hour: int = 0) -> list[DayChange]:
        """Put a newer count of a whole session in the place of the old one.

        Returns:
            The days of that leg whose counts differ, as they were and as they are.
        """
        with self._writing() as connection:
            leg = leg_name(sessions.leg_of(connection, session_id))
            low, high = sessions.extent_of(connection, session_id)
            first, last = (day_of(sessions.when(edge), zone, start_hour) for edge in (low, high))
            edges = day_edges(first, (last - first).days + 1, zone, start_hour)
            before = days.leg_days(connection, edges)
            sessions.replace(connection, session_id, batch)
            after = days.leg_days(connection, edges)
        return days.changes(first, leg, before, after)

    # Days

    def day(self, day: date, zone: tzinfo, start_hour: int = 0) -> days.DaySummary:
        """One civil day with its hours."""
        with self._reading() as connection:
            return days.read_day(connection, day, zone, start_hour)

    def days(self, first: date, count: int, zone: tzinfo, start_hour: int = 0) -> list[days.DaySummary]:
        """Consecutive civil days without their hours: a week, a month, ten years."""
        with self._reading() as connection:
            return days.read_days(connection, first, count, zone, start_hour)

    def events(self, day: date, zone: tzinfo, start_hour: int = 0) -> list[CountedEvent]:
        """The contractions of a civil day, in order of their peaks."""
        edges = day_edges(day, 1, zone, start_hour)
        with self._reading() as connection:
            return list(days.counted_events(connection, edges[0], edges[1], zone))

    def rejections(self, day: date, zone: tzinfo, start_hour: int = 0) -> list[Rejected]:
        """How many candidates each rule refused on a civil day, by leg, the most first."""
        edges = day_edges(day, 1, zone, start_hour)
        with self._reading() as connection:
            return days.rejections(connection, edges[0], edges[1])

    # Corrections

    def forget(self, ids: Sequence[int]) -> Operation:
        """Forget whole sessions; `undo` brings them back for `retention.UNDO_DAYS`."""
        with self._writing() as connection:
            done = forget.forget_sessions(connection, ids, self._clock())
        self._settle()
        return done

    def forget_range(self, start: datetime, end: datetime) -> Operation:
        """Forget a stretch of time in every session; one that reaches out of it loses only that stretch."""
        with self._writing() as connection:
            done = forget.forget_range(connection, start, end, self._clock())
        self._settle()
        return done

    def correct(self, session_id: int, *, leg: Leg | None = None, started_at: datetime | None = None) -> Operation:
        """Give a session its right leg or its right start."""
        with self._writing() as connection:
            named = leg_name(leg) if leg else None
            return forget.correct(connection, session_id, named, started_at, self._clock())

    def undo(self) -> Operation:
        """Take back the last import, correction or deletion."""
        with self._writing() as connection:
            undone = forget.undo(connection, self._clock())
        self._settle()
        return undone

    def last_operation(self) -> Operation | None:
        """What `undo` would take back."""
        with self._reading() as connection:
            return forget.last_operation(connection)

    def _settle(self) -> None:
        with usable(self.home.root), told(self.home.database):
            retention.settle(self._connection, self.home)

    # Reminders

    def reminders(
        self, *, since: datetime | None = None, until: datetime | None = None, limit: int = -1
    ) -> list[Reminder]:
        """Reminders that were due in a stretch of time, the latest first."""
        edges = [2**62 * sign if at is None else sessions.instant_us(at) for at, sign in ((since, -1), (until, 1))]
        with self._reading() as connection:
            return reminders.listed(connection, edges[0], edges[1], limit)

    def reminder_state(self) -> tuple[str | None, int]:
        """What the engine remembered last, as it wrote it, and an id that no reminder has."""
        with self._reading() as connection:
            return reminders.state(connection), reminders.next_id(connection)

    def keep_reminders(self, state: str, changed: Iterable[Reminder], zone: str, taken: Sequence[int] = ()) -> None:
        """The engine's state, the reminders that changed with it and the answers that it took, all or nothing."""
        with self._writing() as connection:
            reminders.keep(connection, changed, zone)
            reminders.keep_state(connection, state, sessions.instant_us(self._clock()))
            reminders.take(connection, taken)

    def queue_answer(self, answer: Answer) -> None:
        """Leave an answer for the engine, which takes it with its next observation."""
        with self._writing() as connection:
            reminders.queue(connection, answer, sessions.instant_us(self._clock()))

    def queued_answers(self) -> list[tuple[int, datetime, Answer]]:
        """Key, instant and answer of those that wait, in order."""
        with self._reading() as connection:
            return [(key, sessions.when(us), answer) for key, us, answer in reminders.queued(connection)]

    def recent_movement(
        self, session_id: int, since: datetime
    ) -> tuple[list[tuple[Kind, float]], float | None, list[StateSpan]]:
        """Contractions (kind and peak), the last peak ever, and labels of a session since an instant; UTC seconds."""
        with self._reading() as connection:
            return reminders.recent_movement(connection, session_id, sessions.instant_us(since))

    # Keeping

    def prune(self, keep_days: float) -> list[int]:
        """Delete recordings older, and here for longer, than `keep_days`; counts stay. Returns their sessions."""
        with usable(self.home.root), told(self.home.database):
            return retention.prune(self._connection, self.home, keep_days, self._clock())

    def purge(self, *, undo_days: float = retention.UNDO_DAYS, trim: retention.Trim | None = None) -> list[int]:
        """Destroy what was forgotten more than `undo_days` ago. Returns the sessions that are gone."""
        with usable(self.home.root), told(self.home.database):
            return retention.purge(self._connection, self.home, self._clock(), undo_days=undo_days, trim=trim)

    def forecast(self, keep_days: float) -> retention.Forecast:
        """Disk use now, and once recordings come and go at the present rate."""
        with usable(self.home.root), self._reading() as connection:
            return retention.forecast(connection, self.home, keep_days)

    def backup(self, target: Path) -> Path:
        """Write the whole data folder into one file; `tracker.store.backup.restore` brings it back."""
        from tracker.store.backup import backup  # zip files are slow to import, and a day needs none

        return backup(self.home, target, self._clock())

    # Health

    def check(self, *, full: bool = False) -> list[str]:
        """Faults of the database; empty: none. `full` also recounts the roll-up from the base tables."""
        with told(self.home.database):
            if not full:
                return health.quick_check(self._connection)
            faults = health.full_check(self._connection)
            if not faults and (rows := self._rollup_differences()):
                faults = [f"{rows} quarter-hours of the roll-up differ from a recount of the events"]
            return faults

    def _rollup_differences(self) -> int:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            return rollup.differences(connection)
        finally:
            connection.execute("ROLLBACK")

    def rebuild(self) -> None:
        """Count the whole roll-up again from the base tables."""
        with self._writing() as connection:
            rollup.refresh_all(connection)
