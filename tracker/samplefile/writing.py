"""Decoded samples of one session as a sample file, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.errors import RecordingError
from tracker.samplefile.merging import RowMerger, column_names
from tracker.samplefile.origin import Origin
from tracker.samplefile.parquet_rows import require_pyarrow
from tracker.samplefile.parts import CsvPart, ParquetPart, Part, join_csv, join_parquet
from tracker.samplefile.reading import ENDINGS


@dataclass(frozen=True, slots=True)
class SamplesWritten:
    """What an export wrote.

    Attributes:
        rows: rows below the header.
        columns: names in the header, t_s first.
        left_out: modalities of the session that have no canonical column.
    """

    rows: int
    columns: tuple[str, ...]
    left_out: tuple[Modality, ...]


def write_samples(path: Path | str, blocks: Iterable[tuple[SampleBlock, ...]]) -> SamplesWritten:
    """Writes decoded samples at their raw rate and in the sensor's axes; nothing resampled or invented.

    The file appears under its name only when it is whole, readable by its owner alone. Samples of one
    instant share a row; a channel without a sample there has an empty cell.

    Args:
        path: `.csv`, `.csv.gz` or `.parquet`; replaced if it exists.
        blocks: groups of blocks that cover about the same stretch of time. A group may begin up to
            `HOLD_S` before the end of the one before it.

    Raises:
        RecordingError: the file cannot be written there, or there are no samples.
        ValueError: a block comes later than `HOLD_S` behind the others.
    """
    path = Path(path)
    if not path.name.lower().endswith(ENDINGS):
        raise RecordingError(f"the name must end in {', '.join(ENDINGS)}", path)
    if path.suffix.lower() == ".parquet":
        require_pyarrow(Origin(path))
    try:
        if path.is_dir():
            raise RecordingError("this is a folder, not a file to write", path)
        # A folder of our own beside the target (mode 0700): same file system, so that the rename is one step.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            file = _GrowingFile(Path(folder), path)
            return file.write_all(blocks)
    except OSError as fault:
        raise RecordingError(f"the file cannot be written ({fault.strerror or fault})", path) from fault


class _GrowingFile:
    """A file whose columns may become more while it is written: one part for each width."""

    def __init__(self, folder: Path, target: Path) -> None:
        self._folder = folder
        self._target = target
        self._merger = RowMerger()
        self._parts: list[Path] = []
        self._names: list[str] = []
        self._open: Part | None = None
        self._rows = 0

    def write_all(self, blocks: Iterable[tuple[SampleBlock, ...]]) -> SamplesWritten:
        try:
            for group in blocks:
                self._write(*self._merger.feed(group))
            self._write(*self._merger.finish())
        finally:
            if self._open is not None:
                self._open.close()
        if not self._rows:
            raise RecordingError("there are no samples to write", self._target)
        names = column_names(self._merger.channels)
        os.replace(self._whole(names), self._target)  # noqa: PTH105
        return SamplesWritten(self._rows, ("t_s", *names), tuple(sorted(self._merger.left_out)))

    def _write(self, t_s: FloatArray, values: FloatArray) -> None:
        if not t_s.size:
            return
        part = self._open
        if part is None or len(self._names) != len(self._merger.channels):
            part = self._next_part()
        part.write(t_s, values)
        self._rows += t_s.size

    def _next_part(self) -> Part:
        if self._open is not None:
            self._open.close()
            self._open = None
        self._names = column_names(self._merger.channels)
        self._parts.append(self._folder / f"part{len(self._parts)}{self._ending}")
        self._open = self._new_part(self._parts[-1], self._names)
        return self._open

    def _new_part(self, path: Path, names: Sequence[str]) -> Part:
        if self._ending == ".parquet":
            return ParquetPart(path, names)
        return CsvPart(path, names, compressed=self._ending == ".gz")

    def _whole(self, names: list[str]) -> Path:
        if len(self._parts) == 1 and names == self._names:
            return self._parts[0]
        whole = self._folder / f"whole{self._ending}"
        if self._ending == ".parquet":
            join_parquet(self._parts, names, whole)
        else:
            join_csv(self._parts, names, whole, compressed=self._ending == ".gz")
        return whole

    @property
    def _ending(self) -> str:
        return self._target.suffix.lower()
