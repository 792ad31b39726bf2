"""Forgetting, correcting, and taking either back.

Nothing is destroyed at once. A forgotten session is marked `deleted_at` and its recording moves to the trash;
a stretch cut out of a session is a row in `forgotten`, which hides that stretch from every count, also from a
later recount. Both count as if they had never been recorded: not as recorded time, not as a gap. An event
belongs to the instant of its peak, so it goes with the stretch that holds its peak, and a reminder with the
instant it was due at. `undo` removes the mark, and the roll-up is counted again from base tables that never
changed: the numbers are the same to the last one. What was forgotten is destroyed by `retention.purge` after
`retention.UNDO_DAYS`, or earlier where that is asked for.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tracker.errors import ConfigError, NothingFound
from tracker.store import reminders, sessions
from tracker.store.records import Operation, leg_name
from tracker.store.rollup import refresh


def note(
    connection: sqlite3.Connection, kind: str, summary: str, before: Mapping[str, Any], now: datetime
) -> Operation:
    """Write an operation into the journal, with what is needed to take it back."""
    done = connection.execute(
        "INSERT INTO operations (done_at, kind, summary, before) VALUES (?, ?, ?, ?)",
        (now.isoformat(), kind, summary, json.dumps(before)),
    )
    return Operation(int(done.lastrowid or 0), kind, summary, now, before)


def forget_sessions(connection: sqlite3.Connection, ids: Sequence[int], now: datetime) -> Operation:
    """Forget whole sessions.

    Raises:
        NothingFound: there is no such session.
        ConfigError: one of them is still being recorded.
    """
    times = []
    for session_id in ids:
        _closed(connection, session_id)
        times.append((sessions.extent_of(connection, session_id), leg_name(sessions.leg_of(connection, session_id))))
        _mark_deleted(connection, session_id, now)
    named = ", ".join(str(session_id) for session_id in ids)
    operation = note(connection, "deletion", f"forgot session {named}", {"sessions": list(ids)}, now)
    for extent, leg in times:
        reminders.forget(connection, extent, leg, operation.id, now.isoformat())
    return operation


def _closed(connection: sqlite3.Connection, session_id: int) -> None:
    found = sessions.listed(connection, where="s.id = ?", values=(session_id,))
    if not found:
        raise NothingFound(f"there is no session {session_id}: `soleus sessions` lists those that exist.")
    if found[0].ended_at is None:
        raise ConfigError(f"session {session_id} is still being recorded: stop it, then forget it.")


def _mark_deleted(connection: sqlite3.Connection, session_id: int, now: datetime) -> None:
    extent = sessions.extent_of(connection, session_id)
    leg = leg_name(sessions.leg_of(connection, session_id))
    connection.execute("UPDATE sessions SET deleted_at = ? WHERE id = ?", (now.isoformat(), session_id))
    refresh(connection, leg, extent)


def forget_range(connection: sqlite3.Connection, start: datetime, end: datetime, now: datetime) -> Operation:
    """Forget start..end in every session: what lies wholly inside goes, others lose exactly that stretch.

    Raises:
        ConfigError: the range is empty.
        NothingFound: nothing was recorded in the range.
    """
    low, high = sessions.instant_us(start), sessions.instant_us(end)
    if low >= high:
        raise ConfigError(f"the range to forget ends ({end.isoformat()}) before it starts.")
    touched = connection.execute(
        "SELECT id, leg, first_utc_us, last_utc_us, started_utc_us, ended_at FROM sessions "
        "WHERE deleted_at IS NULL AND last_utc_us > ? AND first_utc_us < ?",
        (low, high),
    ).fetchall()
    if not touched:
        raise NothingFound(f"nothing was recorded between {start.isoformat()} and {end.isoformat()}.")
    whole = [row[0] for row in touched if low <= row[2] and row[3] <= high and row[5] is not None]
    cut = [row for row in touched if row[0] not in whole]
    summary = f"forgot {start.isoformat()} to {end.isoformat()}"
    before = {"sessions": whole, "cut": [row[0] for row in cut]}
    operation = note(connection, "deletion", summary, before, now)
    reminders.forget(connection, (low, high), None, operation.id, now.isoformat())
    for session_id in whole:
        _mark_deleted(connection, session_id, now)
    for session_id, leg, first, last, started, _ in cut:
        start_s, end_s = (max(low, first) - started) / 1e6, (min(high, last) - started) / 1e6
        connection.execute(
            "INSERT INTO forgotten (session_id, operation_id, start_s, end_s, forgotten_at) VALUES (?, ?, ?, ?, ?)",
            (session_id, operation.id, start_s, end_s, now.isoformat()),
        )
        refresh(connection, leg, (low, high))
    return operation


def correct(
    connection: sqlite3.Connection,
    session_id: int,
    leg: str | None,
    started_at: datetime | None,
    now: datetime,
) -> Operation:
    """Give a session its right leg or its right start.

    Raises:
        NothingFound: there is no such session.
        ConfigError: it is still being recorded, or nothing is to be corrected.
    """
    if leg is None and started_at is None:
        raise ConfigError("say which leg or which start the session should have.")
    _closed(connection, session_id)
    row = connection.execute(
        "SELECT leg, started_at, ended_at, zone FROM sessions WHERE id = ?", (session_id,)
    ).fetchone()
    old_start, old_end = datetime.fromisoformat(row[1]), datetime.fromisoformat(row[2])
    new_start = started_at or old_start
    # In UTC: adding to a time of a zone would move the hands, and miss a change of the clocks.
    new_end = (new_start.astimezone(UTC) + (old_end - old_start)).astimezone(new_start.tzinfo)
    sessions.reassign(connection, session_id, leg or row[0], new_start, new_end)
    if started_at is None:
        connection.execute("UPDATE sessions SET zone = ? WHERE id = ?", (row[3], session_id))
    before = dict(zip(("leg", "started_at", "ended_at", "zone"), row, strict=True)) | {"session": session_id}
    return note(connection, "correction", f"corrected session {session_id}", before, now)


def last_operation(connection: sqlite3.Connection) -> Operation | None:
    """What `undo` would take back, None where there is nothing."""
    row = connection.execute(
        "SELECT id, kind, summary, done_at, before FROM operations WHERE undone_at IS NULL ORDER BY id DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    return Operation(row[0], row[1], row[2], datetime.fromisoformat(row[3]), json.loads(row[4]))


def undo(connection: sqlite3.Connection, now: datetime) -> Operation:
    """Take back the last import, correction or deletion.

    Raises:
        NothingFound: there is nothing to take back.
    """
    operation = last_operation(connection)
    if operation is None:
        raise NothingFound("there is nothing to undo.")
    before = operation.before
    match operation.kind:
        case "import":
            for session_id in before["sessions"]:
                _mark_deleted(connection, session_id, now)
        case "correction":
            _uncorrect(connection, before)
        case "deletion":
            _bring_back(connection, operation)
    connection.execute("UPDATE operations SET undone_at = ? WHERE id = ?", (now.isoformat(), operation.id))
    return operation


def _uncorrect(connection: sqlite3.Connection, before: Mapping[str, Any]) -> None:
    start, end = (datetime.fromisoformat(before[name]) for name in ("started_at", "ended_at"))
    sessions.reassign(connection, before["session"], before["leg"], start, end)
    connection.execute("UPDATE sessions SET zone = ? WHERE id = ?", (before["zone"], before["session"]))


def _bring_back(connection: sqlite3.Connection, operation: Operation) -> None:
    before = operation.before
    connection.executemany(
        "UPDATE sessions SET deleted_at = NULL WHERE id = ?", [(kept,) for kept in before["sessions"]]
    )
    connection.execute("DELETE FROM forgotten WHERE operation_id = ?", (operation.id,))
    reminders.bring_back(connection, operation.id)
    for session_id in (*before["sessions"], *before.get("cut", ())):
        leg = leg_name(sessions.leg_of(connection, session_id))
        refresh(connection, leg, sessions.extent_of(connection, session_id))
