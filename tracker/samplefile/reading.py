"""A sample file as canonical rows: text or Parquet in, `RowChunk`s and a quality report out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray, Modality
from drivers.rows import ACC_COLUMNS, GYR_COLUMNS, RowChunk
from tracker.samplefile.columns import ReadOptions, Selection, select
from tracker.samplefile.csv_numbers import rows_of
from tracker.samplefile.intervals import Intervals
from tracker.samplefile.order import TimeOrder
from tracker.samplefile.origin import FileRows, Origin, join_rows, no_rows
from tracker.samplefile.parquet_rows import parquet_names, parquet_rows
from tracker.samplefile.report import ModalityReport, SampleFileReport
from tracker.samplefile.text_blocks import TextBlock, header_cells, text_blocks

ENDINGS = (".csv", ".csv.gz", ".parquet")
Progress = Callable[[float], None]
"""Told the fraction of the file that has been read, 0 to 1."""

RATE_ROWS = 2_000
"""The nominal rate that chunks carry is taken from this many rows, so that the cutting never changes it."""


def read_sample_file(
    path: Path | str, options: ReadOptions | None = None, progress: Progress | None = None
) -> SampleFile:
    """Opens a sample file and checks its header; the rows are read by `SampleFile.chunks`.

    Args:
        path: `.csv`, `.csv.gz` or `.parquet`.
        options: prefix and units that the header does not say.
        progress: told the fraction of the file read so far, 0 to 1.

    Raises:
        RecordingError: the file cannot be read, or its columns cannot be used.
    """
    path = Path(path)
    options = options or ReadOptions()
    name = path.name.lower()
    with Origin(path).faults():
        if not name.endswith(ENDINGS) and not path.is_dir():
            raise Origin(path).error(f"the name must end in {', '.join(ENDINGS)}")
    if name.endswith(".parquet"):
        origin = Origin(path, counts_lines=False)
        return SampleFile(origin, select(parquet_names(origin), options, origin), options, progress, 0)
    origin = Origin(path)
    header, line = header_cells(origin)
    return SampleFile(origin, select(header, options, origin), options, progress, line)


class SampleFile:
    """One sensor's rows of a sample file, in bounded memory.

    Attributes:
        path: the file.
        columns: canonical names of the columns of every chunk.
        selection: which columns of the file they are.
    """

    def __init__(
        self, origin: Origin, selection: Selection, options: ReadOptions,
        progress: Progress | None, header_line: int,
    ) -> None:  # fmt: skip
        self.path = origin.path
        self.selection = selection
        self.columns = tuple(pick.canonical for pick in selection.picks)
        self._origin = origin
        self._options = options
        self._progress = progress
        self._header_line = header_line
        self._forget()

    def _forget(self) -> None:
        self._order = TimeOrder(self._origin, self.selection)
        self._sensors = {name: Intervals() for name in _sensors_in(self.columns)}
        self._span_s: tuple[float, float] | None = None
        self._rows = self._data_rows = self._empty_rows = self._torn_triples = 0

    def chunks(self) -> Iterator[RowChunk]:
        """All rows, t_s strictly increasing; may be called again to read the file again.

        Raises:
            RecordingError: a fault somewhere in the file; chunks given before it are worth nothing.
        """
        self._forget()
        waiting: FileRows | None = no_rows(len(self.columns))
        rate_hz: float | None = None
        for rows in self._instants():
            if waiting is not None:
                rows = join_rows(waiting, rows)
                if len(rows) < RATE_ROWS:
                    waiting = rows
                    continue
                waiting, rate_hz = None, self._nominal_rate_hz(rows)
            yield self._chunk(rows, rate_hz)
        if waiting is not None and len(waiting):
            yield self._chunk(waiting, self._nominal_rate_hz(waiting))
        if not self._rows:
            empty = "has a header and no rows" if not self._data_rows else "has no samples in its columns"
            raise self._origin.error(f"the file {empty}")

    @property
    def report(self) -> SampleFileReport:
        """What was found so far; final once all chunks were taken."""
        first_s, last_s = self._span_s or (None, None)
        found = [_modality_report(name, seen) for name, seen in self._sensors.items() if seen.samples]
        return SampleFileReport(
            rows=self._rows,
            first_s=first_s,
            last_s=last_s,
            repeats_dropped=self._order.repeats,
            late_rows=self._order.late,
            joined_rows=self._order.joined,
            empty_rows=self._empty_rows,
            torn_triples=self._torn_triples,
            ignored_columns=self.selection.ignored,
            modalities=tuple(sorted(found, key=lambda sensor: -(sensor.rate_hz or 0.0))),
        )

    def _chunk(self, rows: FileRows, rate_hz: float | None) -> RowChunk:
        self._rows += len(rows)
        first_s = float(rows.t_s[0]) if self._span_s is None else self._span_s[0]
        self._span_s = (first_s, float(rows.t_s[-1]))
        for name, intervals in self._sensors.items():
            intervals.add(_instants_of(name, rows, self.columns))
        return RowChunk(rows.t_s, self.columns, rows.values, rate_hz)

    def _nominal_rate_hz(self, rows: FileRows) -> float | None:
        rates = []
        for name in self._sensors:
            intervals = Intervals()
            intervals.add(_instants_of(name, rows.take(slice(0, RATE_ROWS)), self.columns))
            rates.append(intervals.rate_hz() or 0.0)
        return max(rates) or None

    def _instants(self) -> Iterator[FileRows]:
        """Rows in order, one an instant, without torn triples."""
        for rows in self._file_rows():
            self._data_rows += len(rows)
            yield from self._whole_triples(self._order.feed(self._converted(rows)))
        yield from self._whole_triples(self._order.finish())

    def _file_rows(self) -> Iterator[FileRows]:
        for rows, read in self._text_rows() if self._origin.counts_lines else self._parquet_rows():
            yield rows
            if self._progress is not None:
                self._progress(read)

    def _parquet_rows(self) -> Iterator[tuple[FileRows, float]]:
        return parquet_rows(self._origin, self.selection, self._options.batch_rows)

    def _text_rows(self) -> Iterator[tuple[FileRows, float]]:
        for block in text_blocks(self._origin, self._options.block_bytes):
            body = _after_line(block, self._header_line)
            if body.body:
                yield rows_of(body, self.selection, self._origin), body.read

    def _converted(self, rows: FileRows) -> FileRows:
        """Canonical units; rows without any sample left out."""
        for at, pick in enumerate(self.selection.picks):
            if pick.factor != 1.0:
                rows.values[:, at] *= pick.factor
        self._refuse_infinite(rows)
        without_time = np.isnan(rows.t_s)
        if not without_time.any() and not np.isnan(rows.values).any():
            return rows
        without_sample = _empty(rows.values)
        bad = np.flatnonzero(without_time & ~without_sample)
        if bad.size:
            raise self._origin.error("the cell is empty", int(rows.line[bad[0]]), self.selection.time.source)
        self._empty_rows += int((without_sample & ~without_time).sum())
        return rows.take(~without_sample)

    def _refuse_infinite(self, rows: FileRows) -> None:
        columns = ((self.selection.time, rows.t_s), *zip(self.selection.picks, rows.values.T, strict=True))
        for pick, numbers in columns:
            bad = np.flatnonzero(np.isinf(numbers))
            if bad.size:
                raise self._origin.error("the number is too large", int(rows.line[bad[0]]), pick.source)

    def _whole_triples(self, rows: FileRows) -> Iterator[FileRows]:
        if np.isnan(rows.values).any():
            for names in (ACC_COLUMNS, GYR_COLUMNS):
                if names[0] in self.columns:
                    at = [self.columns.index(name) for name in names]
                    absent = np.isnan(rows.values[:, at])
                    torn = absent.any(axis=1) & ~absent.all(axis=1)
                    self._torn_triples += int(torn.sum())
                    rows.values[torn, at[0] : at[-1] + 1] = np.nan
            rows = rows.take(~_empty(rows.values))
        if len(rows):
            yield rows


def _sensors_in(columns: tuple[str, ...]) -> tuple[Modality, ...]:
    return tuple(dict.fromkeys(_modality_of(name) for name in columns))


def _modality_of(column: str) -> Modality:
    return Modality(column.split("_")[0])


def _instants_of(modality: Modality, rows: FileRows, columns: tuple[str, ...]) -> FloatArray:
    at = [index for index, name in enumerate(columns) if _modality_of(name) is modality]
    seen = ~_empty(rows.values[:, at])
    return rows.t_s if seen.all() else rows.t_s[seen]


def _empty(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Which rows have no sample at all."""
    return np.asarray(np.isnan(values).all(axis=1))


def _modality_report(modality: Modality, intervals: Intervals) -> ModalityReport:
    gap_count, gap_s = intervals.gaps()
    return ModalityReport(modality, intervals.samples, intervals.rate_hz(), gap_count, gap_s)


def _after_line(block: TextBlock, line: int) -> TextBlock:
    """The block's lines after a given line of the file."""
    body, first = block.body, block.first_line
    while body and first <= line:
        _, _, body = body.partition(b"\n")
        first += 1
    return TextBlock(body, first, block.read)
