"""A sample file or a recording of the user becomes a kept recording, findings and a stored session.

Whatever ends the process, the database is whole: the recording is written under a temporary name, renamed
when complete, and the session with all its findings is one transaction after that. What a killed import
leaves behind is removed when the next one starts.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from analysis.events import Kind, Leg
from analysis.samples import SampleBlock
from drivers.errors import NO_RECORDING, RecordingError
from drivers.packets import PacketBatch
from drivers.recording import (
    Anchor,
    ContentDigest,
    Recording,
    RecordingHeader,
    RecordingWriter,
    open_recording,
)
from drivers.rows import RowChunk
from tracker.content import content_key, file_key, unix_us
from tracker.counting import Counting
from tracker.errors import ConfigError
from tracker.facts import ONLY_EMG, Facts, why_uncountable
from tracker.home import Home
from tracker.samplefile import ReadOptions, SampleFile, read_sample_file
from tracker.store import Batch, NewSession, Store, Totals
from tracker.store.civil import later
from tracker.store.connection import Presence
from tracker.store.faults import told, usable

UNFINISHED = ".import-"
FINISHED = "import-"
ENDING = ".sqlite"
LONGEST_S = 1e8
"""Three years: no session lasts longer, and no second counted from 1970 is that small."""

_SAMPLE_ENDINGS = (".csv", ".csv.gz", ".parquet")
_ROWS_A_FLUSH = 240_000

Progress = Callable[[float], None]
Input = SampleFile | Recording


@dataclass(frozen=True, slots=True)
class Told:
    """What the wearer says about a file.

    Attributes:
        start: aware instant of session second 0; None where the file knows it itself.
        leg: None where nobody said which.
        options: prefix and units of a sample file.
    """

    start: datetime | None = None
    leg: Leg | None = None
    options: ReadOptions = field(default_factory=ReadOptions)


@dataclass(frozen=True, slots=True)
class Imported:
    """The session that holds a file.

    Attributes:
        session_id: its id.
        created: False where the same content was there before, and nothing was changed.
        started_at: instant of session second 0.
        leg: the leg it is stored for.
        duration_s: from the first sample to the last.
        counts: contractions by kind, None where it cannot be counted.
        why_uncountable: for people; None where it was counted, or was there before.
    """

    session_id: int
    created: bool
    started_at: datetime
    leg: Leg | None
    duration_s: float
    counts: Mapping[Kind, int] | None
    why_uncountable: str | None = None


def is_sample_file(path: Path) -> bool:
    """Whether a file is read as rows of samples, by its name."""
    return path.name.lower().endswith(_SAMPLE_ENDINGS)


def open_input(path: Path, options: ReadOptions | None = None, progress: Progress | None = None) -> Input:
    """Opens a sample file or a recording, whichever it is.

    Raises:
        RecordingError: it is neither, or cannot be read.
    """
    if is_sample_file(path):
        return read_sample_file(path, options, progress)
    if path.is_dir():
        raise RecordingError("this is a folder, not a file", path)
    if not path.exists():
        raise RecordingError("there is no such file", path)
    try:
        return open_recording(path)
    except RecordingError as error:
        if error.reason != NO_RECORDING:
            raise
        raise RecordingError(f"{NO_RECORDING}, and a sample file ends in .csv, .csv.gz or .parquet", path) from error


@contextmanager
def input_groups(source: Input) -> Iterator[Iterator[tuple[SampleBlock, ...]]]:
    """Samples of an input, in groups of blocks that cover the same stretch of time."""
    if isinstance(source, SampleFile):
        yield (chunk.blocks() for chunk in source.chunks())
        return
    with source:
        yield source.blocks()


class Intake:
    """Imports into one store. While it is open, no other process takes its unfinished files for leftovers."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._home = store.home

    def __enter__(self) -> Self:
        self._presence = Presence(self._home.root / "import.lock")
        if self._presence.alone():
            sweep(self._home, self._store)
        self._presence.share()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._presence.close()

    def take(self, path: Path, said: Told, progress: Progress | None = None) -> Imported:
        """Store one file as a session; the same content, prefix, leg and start again changes nothing.

        Raises:
            RecordingError: something in the file is wrong; nothing is stored.
            ConfigError: no start was given, and the file does not know its own.
            StoreError: the disk or the database cannot take it.
        """
        by_bytes = file_key(path, said.options, said.leg, said.start)
        if by_bytes and (held := self._store.holds_file(by_bytes)) is not None:
            return self._held(held)
        source = open_input(path, said.options, progress)
        draft = self._home.recordings / f"{UNFINISHED}{uuid.uuid4().hex}{ENDING}"
        with usable(draft):  # what is wrong with the file itself, its reader tells
            try:
                with told(draft):
                    if isinstance(source, SampleFile):
                        taken = _write_rows(source, draft, said)
                    else:
                        with source:
                            taken = _write_copy(source, draft, said)
                return self._keep(path, draft, taken, said, by_bytes)
            finally:
                _remove(draft)

    def _held(self, session_id: int) -> Imported:
        session = self._store.session(session_id)
        return Imported(session_id, False, session.started_at, session.leg, session.duration_s, session.counts)

    def _keep(self, path: Path, draft: Path, taken: _Taken, said: Told, by_bytes: str | None) -> Imported:
        _refuse_other_times(path, taken.facts)
        key = content_key(taken.digest, said.options.prefix, taken.leg, taken.started_at)
        facts = taken.facts
        held = self._store.holds(key)
        if held is not None:
            return self._held(held)
        kept = draft.replace(self._home.recordings / f"{FINISHED}{key}{ENDING}")
        _sync_folder(kept.parent)
        new = NewSession(
            started_at=taken.started_at,
            leg=taken.leg,
            source=path.name,
            recording=kept,
            content_key=key,
            rank=0 if "imu" in facts.modalities else 1,
            first_s=facts.first_s,
            file_key=by_bytes,
        )
        stored = self._store.add(
            new, batch_of(facts), ended_at=later(taken.started_at, facts.last_s), totals=taken.totals
        )
        return Imported(
            stored.session_id,
            stored.created,
            taken.started_at,
            taken.leg,
            facts.duration_s,
            facts.counts,
            why_uncountable(facts) or (ONLY_EMG if facts.only_emg else None),
        )


@dataclass(frozen=True, slots=True)
class _Taken:
    """A file that has been read, written and counted."""

    facts: Facts
    digest: str
    started_at: datetime
    leg: Leg | None
    totals: Totals


def _write_rows(file: SampleFile, draft: Path, said: Told) -> _Taken:
    if said.start is None:
        raise ConfigError(
            f"{file.path} does not say when it began: add --start with the time of its t_s = 0, "
            "such as --start 2026-05-01T14:30:00."
        )
    digest, counting = ContentDigest(), Counting()
    with RecordingWriter(draft, _header(file, said)) as writer:
        writer.anchor(_anchor(said.start))
        waiting = 0
        for chunk in file.chunks():
            writer.append_rows(chunk)
            digest.add_rows(chunk)
            counting.feed(*chunk.blocks())
            waiting += chunk.t_s.size
            if waiting >= _ROWS_A_FLUSH:
                writer.flush()
                waiting = 0
    counting.finish()
    facts = counting.facts
    return _Taken(facts, digest.hexdigest(), said.start, said.leg, Totals(samples=facts.samples))


def _header(file: SampleFile, said: Told) -> RecordingHeader:
    given = {"acc_unit": said.options.acc_unit, "gyr_unit": said.options.gyr_unit}
    units = {name: str(unit) for name, unit in (given | {"emg_unit": said.options.emg_unit}).items() if unit}
    notes = {"file": file.path.name, "prefix": said.options.prefix, **units}
    return RecordingHeader(driver="", source="import", leg=said.leg, notes=notes)


def _anchor(start: datetime) -> Anchor:
    """Second 0 of rows is instant 0 of their recording's clock."""
    wall_ns = unix_us(start) * 1000
    offset = start.utcoffset() or timedelta()
    return Anchor(0, wall_ns, getattr(start.tzinfo, "key", None) or "", round(offset.total_seconds()))


def _write_copy(recording: Recording, draft: Path, said: Told) -> _Taken:
    digest, counting = ContentDigest(), Counting()
    with RecordingWriter(draft, recording.header) as writer:
        for anchor in recording.anchors:
            writer.anchor(anchor)
        for write in recording.writes:
            writer.wrote(write.clock_ns, write.characteristic, write.payload)
        for part in _content(recording):
            if isinstance(part, RowChunk):
                writer.append_rows(part)
                digest.add_rows(part)
            else:
                writer.append_many(part)
                digest.add_packets(part)
            writer.flush()
    for group in recording.blocks():
        counting.feed(*group)
    counting.finish()
    if not counting.facts.streams:
        raise RecordingError("no samples could be decoded from it", recording.path)
    quality = recording.quality
    totals = Totals(
        samples=counting.facts.samples,
        packets=quality.packets,
        packet_errors=quality.packet_errors,
        duplicates=quality.duplicates,
    )
    leg = said.leg or leg_of(recording.header)
    return _Taken(counting.facts, digest.hexdigest(), said.start or own_start(recording), leg, totals)


def _content(recording: Recording) -> Iterator[RowChunk | PacketBatch]:
    yield from recording.rows()
    yield from recording.batches()


def leg_of(header: RecordingHeader) -> Leg | None:
    """The leg that a recording names."""
    return Leg(header.leg) if header.leg in tuple(Leg) else None


def own_start(recording: Recording) -> datetime:
    """When a recording's second 0 was, by its own anchors; its blocks must have been read.

    Raises:
        ConfigError: it has none.
    """
    zero_ns = recording.quality.zero_arrival_ns or 0
    before = [anchor for anchor in recording.anchors if anchor.clock_ns <= zero_ns]
    anchor = before[-1] if before else next(iter(recording.anchors), None)
    if anchor is None:
        raise ConfigError(
            f"{recording.path} does not say when it began: add --start, such as --start 2026-05-01T14:30:00."
        )
    wall_us = (anchor.wall_ns + zero_ns - anchor.clock_ns) // 1000
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_us)).astimezone(_zone_of(anchor))


def _zone_of(anchor: Anchor) -> tzinfo:
    with suppress(ValueError, KeyError, OSError):
        return ZoneInfo(anchor.zone)
    return timezone(timedelta(seconds=anchor.utc_offset_s))


def batch_of(facts: Facts) -> Batch:
    """A whole session's findings as the store takes them."""
    countable = facts.counts is not None
    return Batch(facts.findings, facts.first_s, facts.last_s, facts.algorithm, countable)


def sweep(home: Home, store: Store) -> list[Path]:
    """Remove what killed imports left in the recordings folder. Only while no import is under way.

    Returns:
        The files removed.
    """
    left = list(home.recordings.glob(f"{UNFINISHED}*"))
    named = store.named_recordings()
    left += [path for path in home.recordings.glob(f"{FINISHED}*{ENDING}") if home.relative(path) not in named]
    for path in left:
        with suppress(OSError):
            path.unlink()
    return left


def _remove(draft: Path) -> None:
    for path in draft.parent.glob(f"{draft.name}*"):
        path.unlink(missing_ok=True)


def _refuse_other_times(path: Path, facts: Facts) -> None:
    """Seconds since 1970, or milliseconds, are no seconds from the start."""
    furthest_s = max(abs(facts.first_s), abs(facts.last_s))
    if furthest_s > LONGEST_S:
        raise RecordingError(f"t_s reaches {furthest_s:.3g}: it must be seconds from the start of the recording", path)


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system can."""
    if os.name == "posix":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
