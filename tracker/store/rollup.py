"""The roll-up by UTC quarter-hour, always recomputed from the base tables for the time that changed.

Nothing is ever added to or taken from a count: a changed stretch of a leg is counted again, in the
transaction that changes it. Whatever the order of imports, corrections and deletions, the roll-up is what a
recount would give.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence

from analysis.events import Kind, State
from tracker.store.intervals import Interval, clip, cut_at_multiples, intersect, subtract, union
from tracker.store.ownership import Coverage, Stretch, owners, unseen

QUARTER_US = 900_000_000
"""A quarter-hour. Every civil time in use since 1972 is a whole number of quarter-hours from UTC."""

REACH_US = 300_000_000
"""A contraction interrupts stillness at most this far before and after its peak, so that a change is local.
Chosen: five minutes, more than any single contraction is held."""

KINDS = tuple(str(kind) for kind in Kind)
COLUMNS = (*KINDS, "recorded_us", "countable_us", "worn_us", "unknown_us", "gap_us", "bounce_us")
STILL = ("still_first_us", "still_longest_us", "still_last_us")

_CHUNK_US = 96 * QUARTER_US

_COUNTS = f"""
SELECT t.start_utc_us / {QUARTER_US}, {", ".join(f"SUM(e.kind = '{kind}')" for kind in KINDS)}
FROM stretches t CROSS JOIN events e
WHERE t.leg = ? AND t.start_utc_us >= ? AND t.start_utc_us < ?
  AND e.session_id = t.session_id AND e.peak_utc_us >= t.start_utc_us AND e.peak_utc_us < t.end_utc_us
GROUP BY t.start_utc_us
"""

_MOVEMENTS = f"""
SELECT MAX(e.onset_utc_us, e.peak_utc_us - {REACH_US}), MIN(e.end_utc_us, e.peak_utc_us + {REACH_US})
FROM stretches t CROSS JOIN events e
WHERE t.leg = ? AND t.start_utc_us >= ? AND t.start_utc_us < ?
  AND e.session_id = t.session_id AND e.peak_utc_us >= t.start_utc_us AND e.peak_utc_us < t.end_utc_us
"""


def refresh(connection: sqlite3.Connection, leg: str, changed: Interval) -> None:
    """Recount one leg where something changed. Call inside the transaction of the change.

    Args:
        connection: with the base tables as they are to be.
        leg: left, right or unknown.
        changed: UTC microseconds.
    """
    low = (changed[0] - REACH_US) // QUARTER_US * QUARTER_US
    high = -(-(changed[1] + REACH_US) // QUARTER_US) * QUARTER_US
    days = cut_at_multiples(low, high, _CHUNK_US)
    gaps: list[list[Interval]] = []
    # Stretches first and everywhere: the count of one day looks a little way into its neighbours.
    for day in days:
        coverages = list(coverages_in(connection, leg, day))
        _replace_stretches(connection, leg, day, owners(coverages))
        gaps.append(unseen(coverages))
    for day, unseen_pieces in zip(days, gaps, strict=True):
        _replace_quarters(connection, leg, day, unseen_pieces)


def coverages_in(connection: sqlite3.Connection, leg: str, window: Interval) -> Iterator[Coverage]:
    """What each existing session of the leg saw within the window."""
    sessions = connection.execute(
        "SELECT id, countable, rank, started_utc_us, uid, first_utc_us, last_utc_us FROM sessions "
        "WHERE leg = ? AND deleted_at IS NULL AND last_utc_us > ? AND first_utc_us < ?",
        (leg, *window),
    ).fetchall()
    for session_id, countable, rank, started_us, uid, first_us, last_us in sessions:

        def pieces(
            table: str, without: State | None = None, session_id: int = session_id, started_us: int = started_us
        ) -> list[Interval]:
            return _pieces(connection, table, session_id, started_us, window, without)

        extent = subtract(clip([(first_us, last_us)], *window), pieces("forgotten"))
        recorded = subtract(extent, pieces("gaps"))
        worn = intersect(recorded, pieces("states", State.NOT_WORN)) if countable else []
        yield Coverage(session_id, (not countable, rank, started_us, uid), extent, recorded, worn)


def _pieces(
    connection: sqlite3.Connection,
    table: str,
    session_id: int,
    started_us: int,
    window: Interval,
    without: State | None = None,
) -> list[Interval]:
    """Stretches of one table, joined; of `states` those with another label than `without`."""
    others = f"AND state <> '{without}'" if without else ""
    low_s, high_s = ((edge - started_us) / 1e6 for edge in window)
    rows = connection.execute(
        f"SELECT start_s, end_s FROM {table} WHERE session_id = ? AND end_s > ? AND start_s < ? {others}",
        (session_id, low_s - 1.0, high_s + 1.0),
    )
    return clip(union((utc_us(started_us, start), utc_us(started_us, end)) for start, end in rows), *window)


def utc_us(started_us: int, session_s: float) -> int:
    """Session seconds as UTC microseconds."""
    return started_us + round(session_s * 1e6)


def _replace_stretches(
    connection: sqlite3.Connection, leg: str, window: Interval, stretches: Sequence[Stretch]
) -> None:
    connection.execute("DELETE FROM stretches WHERE leg = ? AND start_utc_us >= ? AND start_utc_us < ?", (leg, *window))
    # Cut at quarter-hours: a row counts into one quarter-hour, and the table does not depend on past windows.
    connection.executemany(
        "INSERT INTO stretches VALUES (?, ?, ?, ?, ?)",
        (
            (leg, start, end, stretch.session_id, stretch.worn)
            for stretch in stretches
            for start, end in cut_at_multiples(stretch.start_us, stretch.end_us, QUARTER_US)
        ),
    )


def _replace_quarters(connection: sqlite3.Connection, leg: str, window: Interval, gaps: Sequence[Interval]) -> None:
    stretches = [
        Stretch(start, end, session_id, bool(worn))
        for start, end, session_id, worn in connection.execute(
            "SELECT start_utc_us, end_utc_us, session_id, worn FROM stretches "
            "WHERE leg = ? AND start_utc_us >= ? AND start_utc_us < ?",
            (leg, *window),
        )
    ]
    quarters: dict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(_COUNTS, (leg, *window)):
        _add(quarters[row[0]], zip(KINDS, row[1:], strict=True))
    for stretch in stretches:
        took = stretch.end_us - stretch.start_us
        _add(
            quarters[stretch.start_us // QUARTER_US],
            (("recorded_us", took), ("worn_us", took * stretch.worn)),
        )
    for gap in gaps:
        for start, end in cut_at_multiples(*gap, QUARTER_US):
            _add(quarters[start // QUARTER_US], (("gap_us", end - start),))
    for quarter, bounce_us in _bounces(connection, stretches):
        _add(quarters[quarter], (("bounce_us", bounce_us),))
    for quarter, name, amount in _countable(connection, window, stretches):
        _add(quarters[quarter], ((name, amount),))
    _still(connection, leg, window, stretches, quarters)
    _write(connection, leg, window, quarters)


def _add(totals: dict[str, int], amounts: Iterator[tuple[str, int]] | Sequence[tuple[str, int]]) -> None:
    for name, amount in amounts:
        totals[name] = totals.get(name, 0) + amount


def _countable(
    connection: sqlite3.Connection, window: Interval, stretches: Sequence[Stretch]
) -> Iterator[tuple[int, str, int]]:
    """(quarter, column, microseconds): time from sessions that can be counted, and time whose state is unknown.

    Unknown is what has that label, what has none (yet), and all that cannot be counted.
    """
    counted_from: dict[int, list[Interval]] = defaultdict(list)
    for stretch in stretches:
        counted_from[stretch.session_id].append((stretch.start_us, stretch.end_us))
    for session_id, pieces in counted_from.items():
        countable, started_us = connection.execute(
            "SELECT countable, started_utc_us FROM sessions WHERE id = ?", (session_id,)
        ).fetchone()
        known: list[Interval] = []
        if countable:
            known = _pieces(connection, "states", session_id, started_us, window, State.UNKNOWN)
            yield from ((start // QUARTER_US, "countable_us", end - start) for start, end in pieces)
        for start, end in subtract(pieces, known):
            yield start // QUARTER_US, "unknown_us", end - start


def _bounces(connection: sqlite3.Connection, stretches: Sequence[Stretch]) -> Iterator[tuple[int, int]]:
    """(quarter, microseconds of bouncing) of the time counted from each session.

    A row says how much bouncing lay in a stretch, not where: it is spread evenly, in shares that add up
    exactly.
    """
    for stretch in stretches:
        rows = connection.execute(
            "SELECT s.started_utc_us, b.start_s, b.end_s, b.bounce_us "
            "FROM sessions s JOIN bounces b ON b.session_id = s.id "
            "WHERE s.id = ? AND b.start_s < (? - s.started_utc_us) / 1e6 + 1 "
            "AND b.end_s > (? - s.started_utc_us) / 1e6 - 1",
            (stretch.session_id, stretch.end_us, stretch.start_us),
        )
        for started_us, start_s, end_s, bounce_us in rows:
            start, end = utc_us(started_us, start_s), utc_us(started_us, end_s)
            for low, high in clip([(start, end)], stretch.start_us, stretch.end_us):
                shares = [bounce_us * (edge - start) // (end - start) for edge in (low, high)]
                yield stretch.start_us // QUARTER_US, shares[1] - shares[0]


def _still(
    connection: sqlite3.Connection,
    leg: str,
    window: Interval,
    stretches: Sequence[Stretch],
    quarters: dict[int, dict[str, int]],
) -> None:
    """Note, for each quarter-hour, the still time at its start, its end, and the longest inside."""
    movements = sorted(connection.execute(_MOVEMENTS, (leg, window[0] - QUARTER_US, window[1] + QUARTER_US)).fetchall())
    worn: dict[int, list[Interval]] = defaultdict(list)
    for stretch in stretches:
        if stretch.worn:
            worn[stretch.start_us // QUARTER_US].append((stretch.start_us, stretch.end_us))
    for quarter, pieces in worn.items():
        start, end = quarter * QUARTER_US, (quarter + 1) * QUARTER_US
        first = longest = last = 0
        for piece in union(pieces):
            near = slice(bisect_left(movements, (piece[0] - 2 * REACH_US,)), bisect_left(movements, (piece[1],)))
            piece_first, piece_longest, piece_last = _quiet(piece, movements[near])
            longest = max(longest, piece_longest)
            first = piece_first if piece[0] == start else first
            last = piece_last if piece[1] == end else last
        quarters[quarter].update(zip(STILL, (first, longest, last), strict=True))


def _quiet(piece: Interval, movements: Sequence[Interval]) -> tuple[int, int, int]:
    """Microseconds without movement at the start of the piece, the longest within, and at its end."""
    at, end = piece
    first = -1
    longest = 0
    for onset, done in movements:
        if done <= at:
            continue
        if onset > at:
            longest = max(longest, onset - at)
        if first < 0:
            first = max(onset - at, 0)
        at = done
    quiet = max(end - at, 0)
    return (quiet if first < 0 else first), max(longest, quiet), quiet


def _write(connection: sqlite3.Connection, leg: str, window: Interval, quarters: dict[int, dict[str, int]]) -> None:
    connection.execute(
        "DELETE FROM quarter_hours WHERE leg = ? AND start_utc_s >= ? AND start_utc_s < ?",
        (leg, window[0] // 1_000_000, window[1] // 1_000_000),
    )
    names = (*COLUMNS, *STILL)
    connection.executemany(
        f"INSERT INTO quarter_hours (leg, start_utc_s, {', '.join(names)}) VALUES (?, ?{', ?' * len(names)})",
        (
            (leg, quarter * QUARTER_US // 1_000_000, *(totals.get(name, 0) for name in names))
            for quarter, totals in sorted(quarters.items())
        ),
    )


def refresh_all(connection: sqlite3.Connection) -> None:
    """Recount everything from the base tables. Call inside a transaction."""
    for table in ("stretches", "quarter_hours"):
        connection.execute(f"DELETE FROM {table}")
    for leg, *extent in connection.execute(
        "SELECT leg, first_utc_us, last_utc_us FROM sessions WHERE deleted_at IS NULL"
    ).fetchall():
        refresh(connection, leg, (extent[0], extent[1]))


def differences(connection: sqlite3.Connection) -> int:
    """Rows of the roll-up that a recount from the base tables would change; 0 where all is well.

    Call inside a transaction, and roll that back.
    """
    connection.execute("CREATE TEMP TABLE rolled_up AS SELECT * FROM main.quarter_hours")
    refresh_all(connection)
    lost, found = (
        connection.execute(f"SELECT COUNT(*) FROM (SELECT * FROM {one} EXCEPT SELECT * FROM {other})")
        for one, other in (("temp.rolled_up", "main.quarter_hours"), ("main.quarter_hours", "temp.rolled_up"))
    )
    return int(lost.fetchone()[0] + found.fetchone()[0])
