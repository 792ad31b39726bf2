"""Rows onto the disk as CSV or Parquet, and parts of different width joined into one file."""

from __future__ import annotations

import gzip
import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

import numpy as np

from analysis.samples import FloatArray
from tracker.samplefile.arrow_numbers import arrow_column, copy_numbers

# Level 4 takes half the time of the usual 9 and gives 3 % more bytes on sensor text.
_GZIP_LEVEL = 4
_ROWS_AT_ONCE = 100_000


class Part(Protocol):
    """A file that takes rows of one set of columns."""

    def write(self, t_s: FloatArray, values: FloatArray) -> None:
        """Adds rows: t_s (n,) seconds, values (n, columns), NaN for an empty cell."""
        ...

    def close(self) -> None:
        """Makes what was written durable."""
        ...


class CsvPart:
    """Text with one header row; numbers in the shortest form that reads back to the same bits."""

    def __init__(self, path: Path, names: Sequence[str], *, compressed: bool) -> None:
        self._raw = _private_file(path)
        self._out = _compressing(self._raw) if compressed else self._raw
        self._out.write(",".join(["t_s", *names]).encode() + b"\n")

    def write(self, t_s: FloatArray, values: FloatArray) -> None:
        """Adds rows, see `Part`."""
        text = csv_text()
        for first in range(0, t_s.size, _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            self._out.write(text([t_s[rows], *values[rows].T]))

    def write_lines(self, lines: bytes) -> None:
        """Adds lines that are text already."""
        self._out.write(lines)

    def close(self) -> None:
        """Makes what was written durable."""
        if self._out is not self._raw:
            self._out.close()
        _close_durably(self._raw)


class ParquetPart:
    """A Parquet file of float64 columns, null for an empty cell."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self._raw = _private_file(path)
        self._schema = pa.schema([(name, pa.float64()) for name in ["t_s", *names]])
        self._out = parquet.ParquetWriter(self._raw, self._schema, compression="zstd")

    def write(self, t_s: FloatArray, values: FloatArray) -> None:
        """Adds rows, see `Part`."""
        import pyarrow as pa

        for first in range(0, t_s.size, _ROWS_AT_ONCE):
            rows = slice(first, first + _ROWS_AT_ONCE)
            columns = [arrow_column(column) for column in (t_s[rows], *values[rows].T)]
            self._out.write_table(pa.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Makes what was written durable."""
        self._out.close()
        _close_durably(self._raw)


def join_csv(parts: Sequence[Path], names: Sequence[str], into: Path, *, compressed: bool) -> None:
    """Copies parts, oldest and narrowest first, below one header; cells a part does not know are empty."""
    whole = CsvPart(into, names, compressed=compressed)
    try:
        for part in parts:
            with gzip.open(part) if compressed else part.open("rb") as text:
                missing = b"," * (len(names) - text.readline().count(b","))
                while lines := list(islice(cast(Iterator[bytes], text), _ROWS_AT_ONCE)):
                    whole.write_lines(b"".join(line[:-1] + missing + b"\n" for line in lines))
    finally:
        whole.close()


def join_parquet(parts: Sequence[Path], names: Sequence[str], into: Path) -> None:
    """Copies parts, oldest and narrowest first, into one file; cells a part does not know are null."""
    from pyarrow import parquet

    whole = ParquetPart(into, names)
    try:
        for part in parts:
            with parquet.ParquetFile(str(part)) as file:
                for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
                    rows = np.full((batch.num_rows, 1 + len(names)), np.nan, order="F")
                    for at, column in enumerate(batch.columns):
                        copy_numbers([column], rows[:, at])
                    whole.write(rows[:, 0], rows[:, 1:])
    finally:
        whole.close()


@cache
def csv_text() -> Callable[[Sequence[FloatArray]], bytes]:
    """The faster writer of CSV lines that is installed."""
    return text_with_repr if importlib.util.find_spec("pyarrow") is None else text_with_pyarrow


def text_with_repr(columns: Sequence[FloatArray]) -> bytes:
    """CSV lines of equally long columns, NaN as an empty cell."""
    cells = [[repr(x) if x == x else "" for x in column.tolist()] for column in columns]
    return "".join(",".join(row) + "\n" for row in zip(*cells, strict=True)).encode()


def text_with_pyarrow(columns: Sequence[FloatArray]) -> bytes:
    """CSV lines of equally long columns, NaN as an empty cell."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    arrays = [arrow_column(column) for column in columns]
    table = pa.Table.from_arrays(arrays, names=[str(index) for index in range(len(columns))])
    out = pa.BufferOutputStream()
    arrow_csv.write_csv(table, out, arrow_csv.WriteOptions(include_header=False, quoting_style="none"))
    return bytes(out.getvalue())


def _private_file(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _compressing(raw: BinaryIO) -> Any:
    # No file name and no time inside: the same samples give the same bytes.
    return gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=_GZIP_LEVEL, mtime=0)


def _close_durably(raw: BinaryIO) -> None:
    raw.flush()
    os.fsync(raw.fileno())
    raw.close()
