"""Writes a recording: append, flush, close; every flush survives a kill and a power cut."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from drivers.packets import PacketBatch, RawPacket
from drivers.recording.format import (
    APPLICATION_ID,
    FORMAT_VERSION,
    ROWS_A_CHUNK,
    SCHEMA,
    Anchor,
    RecordingHeader,
)
from drivers.recording.row_codec import packed
from drivers.rows import RowChunk


class RecordingWriter:
    """Appends to a new recording. Nothing is on the disk before `flush`, everything after it."""

    def __init__(self, path: Path, header: RecordingHeader) -> None:
        """Creates the file, mode 0600, and its header, durably.

        Raises:
            FileExistsError: there is something at that path; nothing is ever overwritten.
        """
        self.path = path
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        # SQLite gives the -wal and -shm files the mode of the file itself.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(
            f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT_VERSION};"
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; BEGIN;" + SCHEMA
        )
        for key, value in header.as_dict().items():
            self._db.execute("INSERT INTO header VALUES (?,?)", (key, json.dumps(value)))
        self._db.execute("COMMIT")  # tables and header at once: a file has both, or neither
        self._known: dict[str, int] = {}
        self._packets: list[RawPacket] = []
        self._batches: list[PacketBatch] = []
        self._statements: list[tuple[str, tuple[object, ...]]] = []
        self._chunks: list[RowChunk] = []
        self._columns: tuple[str, ...] | None = None

    def append(self, packet: RawPacket) -> None:
        """The next packet."""
        self._packets.append(packet)

    def append_many(self, packets: Sequence[RawPacket]) -> None:
        """The next packets."""
        self._gather()
        self._batches.append(PacketBatch.of(packets))

    def append_rows(self, chunk: RowChunk) -> None:
        """The next rows of a sample file; full chunks of `ROWS_A_CHUNK` are written at once.

        Raises:
            ValueError: its columns are not those of the rows before.
        """
        if self._columns is None:
            self._columns = chunk.columns
            for name in chunk.columns:
                self._later("INSERT INTO row_columns(name) VALUES (?)", name)
        if chunk.columns != self._columns:
            raise ValueError(f"rows of {', '.join(self._columns)} cannot go on with other columns")
        self._chunks.append(chunk)
        if sum(part.t_s.size for part in self._chunks) >= ROWS_A_CHUNK:
            self._store_rows(ROWS_A_CHUNK)

    def wrote(self, clock_ns: int, characteristic: str, payload: bytes) -> None:
        """Something that was written to the device."""
        self._later(
            "INSERT INTO wrote(clock_ns, characteristic, payload) VALUES (?,?,?)",
            clock_ns, characteristic, payload,
        )  # fmt: skip

    def anchor(self, anchor: Anchor) -> None:
        """The arrivals' clock against the wall clock: at the start, then about hourly and on any change."""
        self._later(
            "INSERT INTO anchors(clock_ns, wall_ns, zone, utc_offset_s) VALUES (?,?,?,?)",
            anchor.clock_ns, anchor.wall_ns, anchor.zone, anchor.utc_offset_s,
        )  # fmt: skip

    def describe(self, header: RecordingHeader) -> None:
        """Replaces the header, for what is learnt only while connected (firmware, model)."""
        for key, value in header.as_dict().items():
            self._later("INSERT OR REPLACE INTO header VALUES (?,?)", key, json.dumps(value))

    def flush(self) -> None:
        """One transaction with everything appended; it survives a kill and a power cut once this returns."""
        self._gather()
        if not (self._batches or self._statements or self._chunks):
            return
        # Python's own transaction handling is off; a failure leaves everything to be flushed again.
        self._db.execute("BEGIN")
        try:
            for statement, values in self._statements:
                self._db.execute(statement, values)
            self._db.executemany(
                "INSERT INTO packets(count, arrival_ns, characteristic, size, payload) VALUES (?,?,?,?,?)",
                [self._packet_row(part) for batch in self._batches for part in _rows_of(batch)],
            )
            for part in _cut_rows(self._chunks, 1):
                self._db.execute("INSERT INTO rows(count, rate_hz, data) VALUES (?,?,?)", _row_row(part))
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            self._known = dict(self._db.execute("SELECT name, id FROM characteristics"))
            raise
        self._batches, self._statements, self._chunks = [], [], []

    def close(self) -> None:
        """Flushes, and folds the log into the one file; closed it is also where the disk refuses that."""
        try:
            self.flush()
            self._fold()
        finally:
            self._db.close()

    def _fold(self) -> None:
        with suppress(sqlite3.OperationalError):  # somebody is reading: the log stays beside the file, as good
            self._db.execute("PRAGMA journal_mode=DELETE")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _later(self, statement: str, *values: object) -> None:
        self._statements.append((statement, values))

    def _gather(self) -> None:
        if self._packets:
            self._batches.append(PacketBatch.of(self._packets))
            self._packets = []

    def _store_rows(self, rows: int) -> None:
        for part in _cut_rows(self._chunks, rows):
            if part.t_s.size < rows:
                self._chunks = [part]
                return
            self._later("INSERT INTO rows(count, rate_hz, data) VALUES (?,?,?)", *_row_row(part))
        self._chunks = []

    def _packet_row(self, batch: PacketBatch) -> tuple[int, bytes, bytes, bytes, bytes]:
        ids = np.array([self._characteristic(name) for name in batch.names], np.uint16)
        return (
            len(batch),
            batch.arrival_ns.astype("<i8").tobytes(),
            ids[batch.which].astype("<u2").tobytes(),
            np.diff(batch.ends).astype("<u4").tobytes(),
            batch.data,
        )

    def _characteristic(self, name: str) -> int:
        if name not in self._known:
            made = self._db.execute("INSERT INTO characteristics(name) VALUES (?)", (name,)).lastrowid
            self._known[name] = int(made or 0)
        return self._known[name]


_PACKETS_A_ROW = 20_000


def _rows_of(batch: PacketBatch) -> list[PacketBatch]:
    """Parts that one row holds; a long capture is not one blob."""
    starts = range(0, len(batch), _PACKETS_A_ROW)
    return [batch.between(first, min(first + _PACKETS_A_ROW, len(batch))) for first in starts]


def _cut_rows(chunks: Sequence[RowChunk], rows: int) -> list[RowChunk]:
    """The chunks joined, then cut into pieces of `rows` rows and a rest; 1 = one piece of any length."""
    if not chunks:
        return []
    t_s = np.concatenate([chunk.t_s for chunk in chunks])
    values = np.concatenate([chunk.values for chunk in chunks])
    size = rows if rows > 1 else max(t_s.size, 1)
    return [
        RowChunk(t_s[at : at + size], chunks[0].columns, values[at : at + size], chunks[0].rate_hz)
        for at in range(0, t_s.size, size)
    ]


def _row_row(chunk: RowChunk) -> tuple[int, float | None, bytes]:
    columns = [chunk.t_s, *np.ascontiguousarray(chunk.values.T)]
    return chunk.t_s.size, chunk.rate_hz, packed(columns)
