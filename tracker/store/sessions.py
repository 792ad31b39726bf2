"""Sessions: begun, grown batch by batch, closed, listed, counted again."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from analysis.events import Algorithm, Gap, Kind, Leg
from tracker.errors import NothingFound
from tracker.home import Home
from tracker.store import findings
from tracker.store.intervals import Interval
from tracker.store.records import Batch, NewSession, Sensor, SessionRecord, Totals, leg_name, leg_named
from tracker.store.rollup import refresh, utc_us

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOTALS = ("samples", "packets", "packet_errors", "duplicates", "reconnects")


def instant_us(moment: datetime) -> int:
    """An aware datetime as UTC microseconds since 1970, exactly.

    Raises:
        ValueError: the datetime names no offset.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} needs a zone or an offset")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def when(us: int) -> datetime:
    """UTC microseconds since 1970 as an aware datetime."""
    return _EPOCH + timedelta(microseconds=us)


def begin(connection: sqlite3.Connection, home: Home, new: NewSession, origin: str, now: datetime) -> int:
    """A row for a session that has no findings yet.

    Returns:
        Its id.
    """
    row = _time_columns(new.started_at, new.first_s, new.first_s) | {
        "uid": new.uid or new.content_key or uuid.uuid4().hex,
        "origin": origin,
        "sensor": new.sensor,
        "source": new.source,
        "leg": leg_name(new.leg),
        "rank": new.rank,
        "first_s": new.first_s,
        "last_s": new.first_s,
        "recording": home.relative(new.recording) if new.recording else None,
        "content_key": new.content_key,
        "file_key": new.file_key,
        "stored_utc_us": instant_us(now),
    }
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    done = connection.execute(f"INSERT INTO sessions ({names}) VALUES ({marks})", tuple(row.values()))
    return int(done.lastrowid or 0)


def _time_columns(started_at: datetime, first_s: float, last_s: float) -> dict[str, object]:
    started_us = instant_us(started_at)
    offset = started_at.utcoffset() or timedelta()
    return {
        "started_at": started_at.isoformat(),
        "zone": getattr(started_at.tzinfo, "key", None) or str(started_at.tzinfo),
        "utc_offset_s": round(offset.total_seconds()),
        "started_utc_us": started_us,
        "first_utc_us": utc_us(started_us, first_s),
        "last_utc_us": utc_us(started_us, last_s),
    }


def append(connection: sqlite3.Connection, session_id: int, batch: Batch, totals: Totals | None) -> None:
    """Store one batch and count the time it touches again, in the transaction that is open.

    Raises:
        NothingFound: there is no such session.
    """
    leg, started_us, first_s, last_s, was_countable = _row(
        connection, session_id, "leg", "started_utc_us", "first_s", "last_s", "countable"
    )
    changed = findings.write(connection, session_id, started_us, batch)
    countable = _countable(batch, bool(was_countable))
    grown = (min(first_s, batch.from_s), max(last_s, batch.until_s))
    connection.execute(
        "UPDATE sessions SET first_s = ?, last_s = ?, first_utc_us = ?, last_utc_us = ?, countable = ? WHERE id = ?",
        (*grown, *(utc_us(started_us, edge) for edge in grown), countable, session_id),
    )
    if totals:
        count_rows(connection, session_id, totals)
    # What countable is, is so from the first sample on.
    edge_us = utc_us(started_us, last_s if countable == was_countable else first_s)
    refresh(connection, leg, (min(changed[0], edge_us), max(changed[1], edge_us)))


def _countable(batch: Batch, so_far: bool) -> bool:
    if batch.countable is not None:
        return batch.countable
    return so_far or bool(batch.findings.spans or batch.findings.contractions)


def count_rows(connection: sqlite3.Connection, session_id: int, totals: Totals) -> None:
    """Note what the recording amounts to so far."""
    connection.execute(
        f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in _TOTALS)} WHERE id = ?",
        (*(getattr(totals, name) for name in _TOTALS), session_id),
    )


def close(connection: sqlite3.Connection, session_id: int, ended_at: datetime) -> None:
    """Note the end of a session."""
    instant_us(ended_at)
    _row(connection, session_id, "id")
    connection.execute("UPDATE sessions SET ended_at = ? WHERE id = ?", (ended_at.isoformat(), session_id))


def replace(connection: sqlite3.Connection, session_id: int, batch: Batch) -> None:
    """Put a new count of a whole session in the place of the old one."""
    changed = extent_of(connection, session_id)
    findings.erase(connection, session_id)
    append(connection, session_id, batch, None)
    refresh(connection, _row(connection, session_id, "leg")[0], changed)


def extent_of(connection: sqlite3.Connection, session_id: int) -> Interval:
    """First to last sample, UTC microseconds."""
    first, last = _row(connection, session_id, "first_utc_us", "last_utc_us")
    return first, last


def reassign(
    connection: sqlite3.Connection, session_id: int, leg: str, started_at: datetime, ended_at: datetime | None
) -> None:
    """Give a session another leg or another start; both legs and both times are counted again."""
    old_leg, old_us, first_s, last_s = _row(connection, session_id, "leg", "started_utc_us", "first_s", "last_s")
    before = extent_of(connection, session_id)
    columns = _time_columns(started_at, first_s, last_s) | {
        "leg": leg,
        "ended_at": ended_at.isoformat() if ended_at else None,
    }
    connection.execute(
        f"UPDATE sessions SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",
        (*columns.values(), session_id),
    )
    if shift_us := instant_us(started_at) - old_us:
        findings.shift(connection, session_id, shift_us)
    refresh(connection, old_leg, before)
    refresh(connection, leg, extent_of(connection, session_id))


def with_file(connection: sqlite3.Connection, file_key: str) -> int | None:
    """The session that this very file was imported as, None where it is not known by its bytes."""
    row = connection.execute(
        "SELECT id FROM sessions WHERE file_key = ? AND deleted_at IS NULL", (file_key,)
    ).fetchone()
    return None if row is None else int(row[0])


def named_recordings(connection: sqlite3.Connection) -> set[str]:
    """Recordings that some session names, also a forgotten one that `undo` may bring back."""
    return {row[0] for row in connection.execute("SELECT recording FROM sessions WHERE recording IS NOT NULL")}


def with_content(connection: sqlite3.Connection, content_key: str | None) -> int | None:
    """The session that holds this content, None where it is not stored."""
    row = connection.execute(
        "SELECT id FROM sessions WHERE content_key = ? AND deleted_at IS NULL", (content_key,)
    ).fetchone()
    return None if row is None else int(row[0])


def _row(connection: sqlite3.Connection, session_id: int, *columns: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(
        f"SELECT {', '.join(columns)} FROM sessions WHERE id = ? AND deleted_at IS NULL", (session_id,)
    ).fetchone()
    if row is None:
        raise NothingFound(f"there is no session {session_id}: `soleus sessions` lists those that exist.")
    return row


def listed(
    connection: sqlite3.Connection, *, where: str = "TRUE", values: Sequence[object] = (), limit: int = -1
) -> list[SessionRecord]:
    """Sessions that exist, the latest first, each with its gaps and its own counts."""
    rows = connection.execute(
        "SELECT s.id, uid, origin, sensor, source, leg, started_at, zone, ended_at, first_s, last_s, "
        "recording, content_key, a.name, a.version, a.params_sha256, countable, "
        f"{', '.join(_TOTALS)} FROM sessions s LEFT JOIN algorithms a ON a.id = s.algorithm_id "
        f"WHERE deleted_at IS NULL AND {where} ORDER BY started_utc_us DESC, s.id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    return [_record(connection, row) for row in rows]


def _record(connection: sqlite3.Connection, row: Sequence[Any]) -> SessionRecord:
    return SessionRecord(
        id=row[0],
        uid=row[1],
        origin=row[2],
        sensor=row[3],
        source=row[4],
        leg=leg_named(row[5]),
        started_at=datetime.fromisoformat(row[6]),
        zone=row[7],
        ended_at=datetime.fromisoformat(row[8]) if row[8] else None,
        first_s=row[9],
        last_s=row[10],
        recording=row[11],
        content_key=row[12],
        algorithm=Algorithm(*row[13:16]) if row[13] else None,
        totals=Totals(*row[17:]),
        gaps=_gaps(connection, "gaps", row[0]),
        counts=own_counts(connection, row[0]) if row[16] else None,
        forgotten=_gaps(connection, "forgotten", row[0]),
    )


def _gaps(connection: sqlite3.Connection, table: str, session_id: int) -> tuple[Gap, ...]:
    rows = connection.execute(
        f"SELECT start_s, end_s FROM {table} WHERE session_id = ? ORDER BY start_s", (session_id,)
    )
    return tuple(Gap(*row) for row in rows)


def own_counts(connection: sqlite3.Connection, session_id: int) -> dict[Kind, int]:
    """Contractions of a session outside its forgotten stretches, also where another session hides them."""
    rows = connection.execute(
        "SELECT kind, COUNT(*) FROM events e WHERE session_id = ? AND NOT EXISTS ("
        "SELECT 1 FROM forgotten f WHERE f.session_id = e.session_id "
        "AND e.peak_s >= f.start_s AND e.peak_s < f.end_s) GROUP BY kind",
        (session_id,),
    )
    counted = dict(rows.fetchall())
    return {kind: counted.get(str(kind), 0) for kind in Kind}


def keep_sensor(connection: sqlite3.Connection, sensor: Sensor) -> None:
    """Remember a sensor under its nickname, or what has changed about it."""
    connection.execute(
        "INSERT OR REPLACE INTO sensors (nick, name, address, driver, leg, place, battery_percent, firmware, "
        "last_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            sensor.nick,
            sensor.name,
            sensor.address,
            sensor.driver,
            leg_name(sensor.leg),
            sensor.place,
            sensor.battery_percent,
            sensor.firmware,
            sensor.last_seen_at.isoformat() if sensor.last_seen_at else None,
        ),
    )


def sensors(connection: sqlite3.Connection) -> list[Sensor]:
    """The sensors that are remembered, by nickname."""
    rows = connection.execute(
        "SELECT nick, name, address, driver, leg, place, battery_percent, firmware, last_seen_at "
        "FROM sensors ORDER BY nick"
    )
    return [
        Sensor(
            nick=nick,
            name=name,
            address=address,
            driver=driver,
            leg=leg_named(leg),
            place=place,
            battery_percent=battery,
            firmware=firmware,
            last_seen_at=datetime.fromisoformat(seen) if seen else None,
        )
        for nick, name, address, driver, leg, place, battery, firmware, seen in rows
    ]


def leg_of(connection: sqlite3.Connection, session_id: int) -> Leg | None:
    """The leg a session is of."""
    return leg_named(_row(connection, session_id, "leg")[0])
