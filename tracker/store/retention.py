"""How long raw recordings are kept, and what the disk will hold; counts are kept for ever."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tracker.errors import StoreError
from tracker.home import Home
from tracker.store import reminders
from tracker.store.connection import transaction
from tracker.store.records import leg_name
from tracker.store.rollup import refresh
from tracker.store.sessions import extent_of, instant_us, leg_of

UNDO_DAYS = 7.0
"""Days for which a deletion can be taken back. Chosen: a week to notice, and forgotten data is soon gone."""

_SIDE_FILES = ("", "-wal", "-shm", "-journal")

Trim = Callable[[Path, Sequence[tuple[float, float]]], None]
"""Removes stretches, in session seconds, from a recording file."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the disk holds and will hold once recordings come and go at their present rate.

    Attributes:
        recordings_bytes: of all recordings there are, trash included.
        database_bytes: of the database.
        bytes_per_day: of recordings a day on which something was recorded; None before the first.
        keep_days: how long a recording is kept.
        expected_bytes: recordings after `keep_days` of such days; None before the first.
        free_bytes: free on the disk.
    """

    recordings_bytes: int
    database_bytes: int
    bytes_per_day: float | None
    keep_days: float
    expected_bytes: float | None
    free_bytes: int

    def to_json(self) -> dict[str, float | int | None]:
        """The fields under their names."""
        return asdict(self)


def forecast(connection: sqlite3.Connection, home: Home, keep_days: float) -> Forecast:
    """Disk use now, and at the present rate."""
    from shutil import disk_usage  # brings the compressors with it, which reading a day does not need

    sizes: dict[str, int] = {}
    for recording, started_at in connection.execute(
        "SELECT recording, started_at FROM sessions WHERE recording IS NOT NULL AND deleted_at IS NULL"
    ):
        day = started_at[:10]
        sizes[day] = sizes.get(day, 0) + _bytes(home.root / recording)
    per_day = sum(sizes.values()) / len(sizes) if sizes else None
    return Forecast(
        recordings_bytes=sum(map(_folder_bytes, (home.recordings, home.trash))),
        database_bytes=_bytes(home.database),
        bytes_per_day=per_day,
        keep_days=keep_days,
        expected_bytes=None if per_day is None else per_day * keep_days,
        free_bytes=disk_usage(home.root).free if home.root.exists() else 0,
    )


def _bytes(path: Path) -> int:
    return sum(file.stat().st_size for file in _with_side_files(path) if file.exists())


def _folder_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) if folder.exists() else 0


def _with_side_files(path: Path) -> Iterator[Path]:
    yield from (path.with_name(path.name + suffix) for suffix in _SIDE_FILES)


def trashed(home: Home, session_id: int, recording: str) -> Path:
    """Where the recording of a forgotten session waits; the id keeps two of one name apart."""
    return home.trash / f"{session_id}-{Path(recording).name}"


def settle(connection: sqlite3.Connection, home: Home) -> None:
    """Bring the recordings of forgotten sessions into the trash, and all others out of it.

    Safe to run again after an end at any instant: each step looks at what is there.
    """
    in_use = {row[0] for row in connection.execute("SELECT recording FROM sessions WHERE deleted_at IS NULL")}
    rows = connection.execute("SELECT id, recording, deleted_at IS NOT NULL FROM sessions WHERE recording IS NOT NULL")
    waiting = {file.name for file in home.trash.iterdir()} if home.trash.exists() else set()
    for session_id, recording, deleted in rows.fetchall():
        kept, trash = home.root / recording, trashed(home, session_id, recording)
        if deleted and recording not in in_use:
            _move(kept, trash)
        elif not deleted and any(file.name in waiting for file in _with_side_files(trash)):
            _move(trash, kept)


def _move(source: Path, target: Path) -> None:
    pairs = zip(_with_side_files(source), _with_side_files(target), strict=True)
    moving = [(one, other) for one, other in pairs if one.exists() and not other.exists()]
    for one, other in moving:
        try:
            other.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            one.replace(other)
        except OSError as error:
            raise StoreError(f"{one} cannot be moved to {other} ({error.strerror}): mend its permissions.") from error


def _remove(path: Path) -> None:
    for file in _with_side_files(path):
        file.unlink(missing_ok=True)


def prune(connection: sqlite3.Connection, home: Home, keep_days: float, now: datetime) -> list[int]:
    """Delete the recordings of sessions that ended, and came into the store, more than `keep_days` ago; never a count.

    Returns:
        Sessions that have no recording any more.
    """
    limit_us = instant_us(now - timedelta(days=keep_days))
    rows = connection.execute(
        "SELECT id, recording FROM sessions WHERE recording IS NOT NULL AND deleted_at IS NULL "
        "AND ended_at IS NOT NULL AND MAX(last_utc_us, COALESCE(stored_utc_us, last_utc_us)) < ?",
        (limit_us,),
    ).fetchall()
    for session_id, recording in rows:
        _remove(home.root / recording)
        with transaction(connection):
            connection.execute("UPDATE sessions SET recording = NULL WHERE id = ?", (session_id,))
    return [row[0] for row in rows]


def purge(
    connection: sqlite3.Connection,
    home: Home,
    now: datetime,
    *,
    undo_days: float = UNDO_DAYS,
    trim: Trim | None = None,
) -> list[int]:
    """Destroy what was forgotten more than `undo_days` ago, recordings first; it cannot be taken back.

    Args:
        connection: to a database in which no transaction is open.
        home: where the recordings are.
        now: aware.
        undo_days: 0 destroys all that is forgotten at once.
        trim: cuts the forgotten stretches out of a recording that is kept otherwise; without it such a
            stretch waits for a purge that has it.

    Returns:
        Sessions that are gone.
    """
    limit = now - timedelta(days=undo_days)
    connection.execute("PRAGMA secure_delete = ON")
    gone = []
    for session_id, recording, deleted_at in connection.execute(
        "SELECT id, recording, deleted_at FROM sessions WHERE deleted_at IS NOT NULL"
    ).fetchall():
        if datetime.fromisoformat(deleted_at) > limit:
            continue
        if recording:
            _remove(trashed(home, session_id, recording))
        with transaction(connection):
            connection.execute("DELETE FROM sessions WHERE id = ?", (session_id,))
        gone.append(session_id)
    if trim:
        _purge_stretches(connection, home, now, limit, trim)
    with transaction(connection):
        reminders.purge(connection, limit.isoformat())
    _close_journal(connection, now, limit)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return gone


def _purge_stretches(connection: sqlite3.Connection, home: Home, now: datetime, limit: datetime, trim: Trim) -> None:
    rows = connection.execute(
        "SELECT f.session_id, f.operation_id, f.start_s, f.end_s, f.forgotten_at, s.recording "
        "FROM forgotten f JOIN sessions s ON s.id = f.session_id "
        "WHERE f.purged_at IS NULL AND s.deleted_at IS NULL AND s.ended_at IS NOT NULL"
    ).fetchall()
    for session_id, operation_id, start_s, end_s, forgotten_at, recording in rows:
        if datetime.fromisoformat(forgotten_at) > limit:
            continue
        if recording and (home.root / recording).exists():
            trim(home.root / recording, [(start_s, end_s)])
        with transaction(connection):
            _cut_out(connection, session_id, start_s, end_s)
            connection.execute(
                "UPDATE forgotten SET purged_at = ? WHERE session_id = ? AND operation_id = ?",
                (now.isoformat(), session_id, operation_id),
            )
            refresh(connection, leg_name(leg_of(connection, session_id)), extent_of(connection, session_id))


def _cut_out(connection: sqlite3.Connection, session_id: int, start_s: float, end_s: float) -> None:
    """Delete the events and labels of a stretch; a label that reaches out of it keeps what is outside."""
    place = {"id": session_id, "start": start_s, "end": end_s}
    for statement in (
        "DELETE FROM events WHERE session_id = :id AND peak_s >= :start AND peak_s < :end",
        "INSERT OR IGNORE INTO states SELECT session_id, :end, end_s, state, vehicle FROM states "
        "WHERE session_id = :id AND start_s < :end AND end_s > :end",
        "DELETE FROM states WHERE session_id = :id AND start_s >= :start AND start_s < :end",
        "UPDATE states SET end_s = :start WHERE session_id = :id AND start_s < :start AND end_s > :start",
        "DELETE FROM gaps WHERE session_id = :id AND start_s >= :start AND end_s <= :end",
    ):
        connection.execute(statement, place)


def _close_journal(connection: sqlite3.Connection, now: datetime, limit: datetime) -> None:
    old = [
        (operation_id,)
        for operation_id, done_at, undone_at in connection.execute(
            "SELECT id, done_at, undone_at FROM operations"
        ).fetchall()
        if datetime.fromisoformat(undone_at or done_at) <= limit
    ]
    with transaction(connection):
        connection.executemany("DELETE FROM operations WHERE id = ?", old)
