"""Reads a recording, in its SQLite form (also one left by a killed writer) or its text form."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import quote

import numpy as np

from analysis.samples import Modality, SampleBlock
from drivers import registry
from drivers.capture_lines import GZIP_MAGIC, capture_file, read_capture
from drivers.clocks.device import DUPLICATE
from drivers.decoder import Decoder, HostZero
from drivers.errors import NO_RECORDING, NothingRecordedError, PacketError, RecordingError
from drivers.packets import PacketBatch, RawPacket
from drivers.recording.block_groups import BlockGroups
from drivers.recording.digest import content_digest
from drivers.recording.format import (
    APPLICATION_ID,
    FORMAT_VERSION,
    SQLITE_MAGIC,
    Anchor,
    RecordingHeader,
    Write,
)
from drivers.recording.row_codec import unpacked
from drivers.rows import RowChunk

GROUP_S, GROUP_BYTES = 1200, 3_000_000
"""So much is read at once: long enough that a step of the analysis costs little beside what it looks at, and of streams
of muscle, which are a hundred times as dense, no more than memory should hold."""

_ROWS_A_FETCH = 64


@dataclass(slots=True)
class Quality:
    """What decoding met; filled while `Recording.blocks` is read.

    Attributes:
        packets: notifications read.
        samples: samples decoded, by modality.
        refused: refused notifications by reason, duplicates not among them.
        duplicates: notifications that came twice.
        first_arrival_ns: host clock of the first packet.
        last_arrival_ns: host clock of the last packet.
        zero_arrival_ns: host clock at t_s = 0; the first packet's arrival where the driver cannot tell.
    """

    packets: int = 0
    samples: Counter[Modality] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    first_arrival_ns: int | None = None
    last_arrival_ns: int | None = None
    zero_arrival_ns: int | None = None

    @property
    def packet_errors(self) -> int:
        """All refused notifications, duplicates not among them."""
        return self.refused.total()

    def note_batch(self, batch: PacketBatch) -> None:
        """Counts packets on their way to the decoder."""
        if len(batch):
            self.packets += len(batch)
            if self.first_arrival_ns is None:
                self.first_arrival_ns = int(batch.arrival_ns[0])
            self.last_arrival_ns = int(batch.arrival_ns[-1])

    def note_decoded(self, blocks: list[SampleBlock], errors: list[PacketError]) -> None:
        """Counts what came of them."""
        for block in blocks:
            self.samples[block.modality] += len(block)
        for error in errors:
            if error.reason == DUPLICATE:
                self.duplicates += 1
            else:
                self.refused[error.reason] += 1

    def note_zero(self, decoder: Decoder) -> None:
        """Takes the decoder's zero once it has one."""
        known = decoder.zero_arrival_ns if isinstance(decoder, HostZero) else None
        self.zero_arrival_ns = known if known is not None else self.first_arrival_ns


class _Source(Protocol):
    """One of the forms a recording comes in."""

    header: RecordingHeader
    anchors: tuple[Anchor, ...]
    writes: tuple[Write, ...]

    def batches(self) -> Iterator[PacketBatch]: ...
    def rows(self) -> Iterator[RowChunk]: ...
    def close(self) -> None: ...


class Recording:
    """A recording opened for reading; `open_recording` makes one."""

    def __init__(self, path: Path, source: _Source) -> None:
        self.path = path
        self.quality = Quality()
        self._source = source

    @property
    def header(self) -> RecordingHeader:
        """Driver, device, settings, wearer."""
        return self._source.header

    @property
    def anchors(self) -> tuple[Anchor, ...]:
        """The arrivals' clock against the wall clock, in order."""
        return self._source.anchors

    @property
    def writes(self) -> tuple[Write, ...]:
        """What was written to the device, in order."""
        return self._source.writes

    def batches(self) -> Iterator[PacketBatch]:
        """Packets in order, many at once."""
        return self._source.batches()

    def packets(self) -> Iterator[RawPacket]:
        """Packets in order, one by one."""
        for batch in self.batches():
            yield from batch

    def rows(self) -> Iterator[RowChunk]:
        """Rows of an imported sample file, in chunks; none where the recording holds packets."""
        return self._source.rows()

    def digest(self) -> str:
        """Stable id of the content; header, anchors and writes do not count."""
        return content_digest(self.batches(), self.rows())

    def blocks(self) -> Iterator[tuple[SampleBlock, ...]]:
        """Samples, in groups whose blocks cover the same stretch of twenty minutes at most.

        Starts `quality` anew and fills it.

        Raises:
            RecordingError: the file is damaged, or its driver is not installed.
        """
        self.quality = Quality()
        for chunk in self.rows():
            blocks = chunk.blocks()
            self.quality.note_decoded(list(blocks), [])
            if blocks:
                yield blocks
        yield from self._decoded()

    def _decoded(self) -> Iterator[tuple[SampleBlock, ...]]:
        groups = BlockGroups()
        decoder: Decoder | None = None
        for batch in _long(self.batches()):
            decoder = decoder or self._decoder()
            self.quality.note_batch(batch)
            blocks, errors = decoder.feed_many(batch)
            self.quality.note_decoded(blocks, errors)
            self.quality.note_zero(decoder)
            if group := groups.add(blocks):
                yield group
        if decoder is None:
            return
        blocks = decoder.finish()
        self.quality.note_decoded(blocks, [])
        self.quality.note_zero(decoder)
        for group in (groups.add(blocks), groups.rest()):
            if group:
                yield group

    def _decoder(self) -> Decoder:
        try:
            return registry.driver(self.header.driver).decoder(self.header.settings)
        except registry.UnknownDriverError as error:
            raise RecordingError(str(error), self.path) from error

    def close(self) -> None:
        """Lets go of the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _long(batches: Iterator[PacketBatch]) -> Iterator[PacketBatch]:
    """Batches joined, or cut, so that each holds the packets of twenty minutes, or three megabytes of them."""
    for _, pieces in groupby(_pieces(batches), key=lambda piece: (piece[0], piece[1].names)):
        yield PacketBatch.join([batch for _, batch in pieces])


def _pieces(batches: Iterator[PacketBatch]) -> Iterator[tuple[tuple[int, int], PacketBatch]]:
    """Parts of batches with the twenty minutes and megabytes they belong to; arrivals that go back do not count."""
    start_ns = latest_ns = None
    size = 0
    for batch in batches:
        if start_ns is None or latest_ns is None:
            start_ns = latest_ns = batch.arrival_ns[0]
        latest = np.maximum(np.maximum.accumulate(batch.arrival_ns), latest_ns)
        latest_ns = latest[-1]
        turn, part = (latest - start_ns) // (GROUP_S * 1_000_000_000), (size + batch.ends[:-1]) // GROUP_BYTES
        size += len(batch.data)
        for first, last in pairwise([0, *(np.flatnonzero(np.diff(turn) | np.diff(part)) + 1).tolist(), len(batch)]):
            yield (int(turn[first]), int(part[first])), batch.between(first, last)


def open_recording(path: Path) -> Recording:
    """Opens a recording of either form, read-only.

    Raises:
        RecordingError: it is not one, is damaged, or comes from a newer version.
    """
    try:
        with path.open("rb") as opened:
            start = opened.read(len(SQLITE_MAGIC))
    except OSError as error:
        raise RecordingError(f"cannot be read ({error.strerror or error})", path) from error
    if not start:
        raise NothingRecordedError("is empty, not a recording", path)
    if start == SQLITE_MAGIC:
        return Recording(path, _SqliteSource(path))
    if start.startswith(GZIP_MAGIC) or start.lstrip().startswith(b"{"):
        return Recording(path, _TextSource(path))
    raise RecordingError(NO_RECORDING, path)


class _TextSource:
    """JSON lines: the header, then packets. They are read anew for each pass."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with capture_file(path) as lines:
            capture = read_capture(lines, path)
        if capture.recording is None:
            raise RecordingError('is not a recording: its first line has no "recording"', path, 1)
        known = capture.recording
        try:
            self.header = RecordingHeader.from_dict({"settings": capture.settings, **known})
            self.anchors = tuple(Anchor(**anchor) for anchor in known.get("anchors", ()))
            self.writes = tuple(
                Write(write["clock_ns"], write["characteristic"], bytes.fromhex(write["hex"]))
                for write in known.get("writes", ())
            )
        except (ValueError, TypeError, KeyError) as error:
            raise RecordingError(f"header that cannot be read ({error})", path, 1) from error

    def batches(self) -> Iterator[PacketBatch]:
        with capture_file(self._path) as lines:
            yield from read_capture(lines, self._path).batches

    def rows(self) -> Iterator[RowChunk]:
        return iter(())

    def close(self) -> None:
        pass


class _SqliteSource:
    """The SQLite form, opened read-only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._sound():
            self._db = _opened(path)
        try:
            with self._sound():
                if not self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    raise NothingRecordedError("holds nothing", path)
            self._check_kind()
            with self._sound():
                stored = {key: json.loads(value) for key, value in self._db.execute("SELECT * FROM header")}
                self.header = RecordingHeader.from_dict(stored)
                self.anchors = tuple(
                    Anchor(*row)
                    for row in self._db.execute("SELECT clock_ns, wall_ns, zone, utc_offset_s FROM anchors ORDER BY id")
                )
                self.writes = tuple(
                    Write(*row)
                    for row in self._db.execute("SELECT clock_ns, characteristic, payload FROM wrote ORDER BY id")
                )
        except RecordingError:
            self._db.close()
            raise

    def batches(self) -> Iterator[PacketBatch]:
        for row in self._select("SELECT count, arrival_ns, characteristic, size, payload FROM packets"):
            with self._sound():
                batch = self._batch(*row)
            yield batch

    def rows(self) -> Iterator[RowChunk]:
        with self._sound():
            columns = tuple(name for (name,) in self._db.execute("SELECT name FROM row_columns ORDER BY id"))
        for count, rate_hz, data in self._select("SELECT count, rate_hz, data FROM rows"):
            with self._sound():
                values = unpacked(data, count, len(columns) + 1)
            yield RowChunk(values[0], columns, np.ascontiguousarray(values[1:].T), rate_hz)

    def close(self) -> None:
        self._db.close()

    def _check_kind(self) -> None:
        with self._sound():
            kind = self._db.execute("PRAGMA application_id").fetchone()[0]
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if kind != APPLICATION_ID:
            raise RecordingError("is a database, but not a recording", self._path)
        if version > FORMAT_VERSION:
            raise RecordingError(
                f"comes from a newer soleus (recording version {version}, this one reads {FORMAT_VERSION})",
                self._path,
            )

    def _select(self, statement: str) -> Iterator[tuple[Any, ...]]:
        with self._sound():
            cursor = self._db.execute(statement + " ORDER BY id")
            found = cursor.fetchmany(_ROWS_A_FETCH)
        while found:
            yield from found
            with self._sound():
                found = cursor.fetchmany(_ROWS_A_FETCH)

    def _names(self) -> tuple[str, ...]:
        known = dict(self._db.execute("SELECT id, name FROM characteristics"))
        return tuple(known.get(i, "") for i in range(1, max(known, default=0) + 1))

    def _batch(self, count: int, arrival: bytes, which: bytes, size: bytes, payload: bytes) -> PacketBatch:
        arrival_ns = np.frombuffer(arrival, "<i8").astype(np.int64)
        kinds = np.frombuffer(which, "<u2").astype(np.int32) - 1
        ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(np.frombuffer(size, "<u4"), dtype=np.int64)])
        names = self._names()
        if (
            not arrival_ns.size == kinds.size == ends.size - 1 == count > 0
            or int(ends[-1]) != len(payload)
            or not 0 <= int(kinds.min()) <= int(kinds.max()) < len(names)
        ):
            raise ValueError("damaged packets")
        return PacketBatch(arrival_ns, names, kinds, ends, payload)

    @contextmanager
    def _sound(self) -> Iterator[None]:
        """Whatever a damaged file makes SQLite or us say becomes one sentence."""
        try:
            yield
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise RecordingError(f"is damaged or cut short ({error})", self._path) from error


def _opened(path: Path) -> sqlite3.Connection:
    name = f"file:{quote(str(path.absolute()))}?mode=ro"
    db = sqlite3.connect(name, uri=True, isolation_level=None, check_same_thread=False)
    try:
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # A write-ahead log needs a file beside it; in a folder that cannot be written there may be none.
        log = path.with_name(path.name + "-wal")
        db.close()
        if log.exists() and log.stat().st_size:
            raise
        db = sqlite3.connect(name + "&immutable=1", uri=True, isolation_level=None, check_same_thread=False)
    return db
