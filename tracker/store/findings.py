"""Writing what the pipeline found in a session; the same findings again change nothing."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from analysis.events import Algorithm, Contraction, StateSpan
from tracker.store.intervals import Interval, cut_at_multiples, subtract
from tracker.store.records import Batch
from tracker.store.rollup import QUARTER_US, utc_us

FOUND_IN = ("events", "states", "gaps", "bounces", "rejections")
"""Tables that hold what one run of the pipeline found in a session."""

_INSERT_EVENT = f"INSERT OR IGNORE INTO events VALUES ({', '.join('?' * 13)})"


def write(connection: sqlite3.Connection, session_id: int, started_us: int, batch: Batch) -> Interval:
    """Store one batch of findings; a row that is there already stays as it is.

    Returns:
        The UTC microseconds that the batch says something about.
    """
    algorithm_id = algorithm_row(connection, batch.algorithm)
    found = batch.findings
    rows = event_rows(session_id, started_us, found.contractions, algorithm_id)
    connection.executemany(_INSERT_EVENT, rows)
    _write_states(connection, session_id, found.spans)
    connection.executemany(
        "INSERT OR IGNORE INTO gaps VALUES (?, ?, ?)",
        ((session_id, gap.start_s, gap.end_s) for gap in found.gaps if gap.start_s < gap.end_s),
    )
    connection.executemany(
        "INSERT OR IGNORE INTO bounces VALUES (?, ?, ?, ?)",
        ((session_id, start / 1e6, end / 1e6, share) for start, end, share in _bounce_shares(batch)),
    )
    refused = Counter(
        (_quarter_s(batch, started_us, rejection.peak_s), rejection.rule) for rejection in found.rejections
    )
    connection.executemany(
        "INSERT OR IGNORE INTO rejections VALUES (?, ?, ?, ?)",
        ((session_id, start_s, rule, count) for (start_s, rule), count in refused.items()),
    )
    connection.execute("UPDATE sessions SET algorithm_id = ? WHERE id = ?", (algorithm_id, session_id))
    low_s, high_s = _reach(batch)
    return utc_us(started_us, low_s), utc_us(started_us, high_s)


def _quarter_s(batch: Batch, started_us: int, peak_s: float) -> float:
    """Session second at which the quarter-hour of a candidate begins, within the batch; no two batches share one."""
    quarter_us = utc_us(started_us, peak_s) // QUARTER_US * QUARTER_US
    start_s = (quarter_us - started_us) / 1e6
    return start_s if batch.from_s < start_s < batch.until_s else batch.from_s


def event_rows(
    session_id: int, started_us: int, contractions: Sequence[Contraction], algorithm_id: int
) -> Iterator[tuple[object, ...]]:
    """Rows of the table `events`, in its order of columns."""
    texts: dict[tuple[tuple[str, str | float], ...], str] = {}
    for found in contractions:
        yield (
            session_id,
            started_us + round(found.peak_s * 1e6),
            found.kind.value,
            started_us + round(found.onset_s * 1e6),
            started_us + round(found.end_s * 1e6),
            found.onset_s,
            found.peak_s,
            found.end_s,
            found.confidence,
            found.rule,
            found.strength,
            _attributes(found.attributes, texts) if found.attributes else None,
            algorithm_id,
        )


def _attributes(attributes: Mapping[str, str | float], texts: dict[tuple[tuple[str, str | float], ...], str]) -> str:
    # Most contractions of a batch share their attributes (gait = walk), and JSON is the dearest part of a
    # row.
    key = tuple(attributes.items())
    text = texts.get(key)
    if text is None:
        text = json.dumps(dict(attributes), allow_nan=False)
        if len(texts) < 1000:
            texts[key] = text
    return text


def _write_states(connection: sqlite3.Connection, session_id: int, spans: Sequence[StateSpan]) -> None:
    """Append labels; a label that goes on from the one before lengthens it instead of making a row."""
    rows: list[tuple[int, float, float, str, bool]] = []
    for span in spans:
        if span.start_s >= span.end_s:
            continue
        before = rows[-1] if rows else _state_at(connection, session_id, span.start_s)
        if before and before[3:] == (str(span.state), span.vehicle) and before[1] <= span.start_s <= before[2]:
            row = (*before[:2], max(before[2], span.end_s), *before[3:])
            rows[-1:] = [row]
        else:
            rows.append((session_id, span.start_s, span.end_s, str(span.state), span.vehicle))
    connection.executemany(
        "INSERT INTO states VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET end_s = MAX(end_s, excluded.end_s) WHERE state = excluded.state",
        rows,
    )


def _state_at(
    connection: sqlite3.Connection, session_id: int, at_s: float
) -> tuple[int, float, float, str, bool] | None:
    row = connection.execute(
        "SELECT start_s, end_s, state, vehicle FROM states WHERE session_id = ? AND start_s <= ? "
        "ORDER BY start_s DESC LIMIT 1",
        (session_id, at_s),
    ).fetchone()
    return None if row is None else (session_id, row[0], row[1], row[2], bool(row[3]))


def _bounce_shares(batch: Batch) -> Iterator[tuple[int, int, int]]:
    """(start, end, bouncing) in microseconds, spread evenly over what the batch recorded, exact in sum."""
    bounce_us = round(batch.findings.bounce_s * 1e6)
    gaps = [(round(gap.start_s * 1e6), round(gap.end_s * 1e6)) for gap in batch.findings.gaps]
    recorded = subtract([(round(batch.from_s * 1e6), round(batch.until_s * 1e6))], sorted(gaps))
    whole = sum(end - start for start, end in recorded)
    if not bounce_us or not whole:
        return
    seen = 0
    for piece in recorded:
        for start, end in cut_at_multiples(*piece, 900_000_000):
            done = bounce_us * seen // whole
            seen += end - start
            yield start, end, bounce_us * seen // whole - done


def _reach(batch: Batch) -> tuple[float, float]:
    found = batch.findings
    edges = [batch.from_s, batch.until_s]
    for spans in (found.spans, found.gaps):
        edges += [edge for span in spans for edge in (span.start_s, span.end_s)]
    if found.contractions:
        edges += [min(event.onset_s for event in found.contractions)]
        edges += [max(event.end_s for event in found.contractions)]
    return min(edges), max(edges)


def algorithm_row(connection: sqlite3.Connection, algorithm: Algorithm) -> int:
    """Key of an algorithm's row, made where it is not there yet."""
    values = (algorithm.name, algorithm.version, algorithm.params_sha256)
    connection.execute("INSERT OR IGNORE INTO algorithms (name, version, params_sha256) VALUES (?, ?, ?)", values)
    row = connection.execute(
        "SELECT id FROM algorithms WHERE name = ? AND version = ? AND params_sha256 = ?", values
    ).fetchone()
    return int(row[0])


def erase(connection: sqlite3.Connection, session_id: int) -> None:
    """Remove everything that the pipeline found in a session."""
    for table in FOUND_IN:
        connection.execute(f"DELETE FROM {table} WHERE session_id = ?", (session_id,))


def shift(connection: sqlite3.Connection, session_id: int, by_us: int) -> None:
    """Move the UTC times of a session's events after a correction of its start."""
    # Through a temporary table: an update of the key in place could meet a row that is not moved yet.
    connection.execute("CREATE TEMP TABLE shifted AS SELECT * FROM main.events WHERE session_id = ?", (session_id,))
    connection.execute("DELETE FROM events WHERE session_id = ?", (session_id,))
    connection.execute(
        "UPDATE temp.shifted SET peak_utc_us = peak_utc_us + :by, onset_utc_us = onset_utc_us + :by, "
        "end_utc_us = end_utc_us + :by",
        {"by": by_us},
    )
    connection.execute("INSERT INTO events SELECT * FROM temp.shifted")
    connection.execute("DROP TABLE temp.shifted")
