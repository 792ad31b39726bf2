"""Rows of a Parquet file, batch by batch."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from analysis.samples import FloatArray
from tracker.samplefile.arrow_numbers import copy_numbers
from tracker.samplefile.columns import Pick, Selection
from tracker.samplefile.origin import FileRows, Origin

HOW_TO_ADD = "Parquet needs one more package: pip install 'soleus-tracker[parquet]'"


def parquet_names(origin: Origin) -> list[str]:
    """Column names as the file writes them.

    Raises:
        RecordingError: pyarrow is not installed, or the file is not Parquet.
    """
    with _opened(origin) as file:
        return [str(name) for name in file.schema_arrow.names]


def parquet_rows(origin: Origin, selection: Selection, batch_rows: int) -> Iterator[tuple[FileRows, float]]:
    """Rows in file units, in file order, null as NaN; and the fraction of the file read with them.

    Places are 1-based rows.

    Raises:
        RecordingError: the file is damaged, a column is not numeric, or a number is NaN.
    """
    picks = (selection.time, *selection.picks)
    with _opened(origin) as file:
        _refuse_text(file.schema_arrow, picks, origin)
        total = max(int(file.metadata.num_rows), 1)
        first = 1
        columns = [file.schema_arrow.names[pick.index] for pick in picks]
        for batch in file.iter_batches(batch_size=batch_rows, columns=columns):
            table = _numbers(batch, columns, picks, first, origin)
            line = first + np.arange(len(table), dtype=np.int64)
            first += len(table)
            yield FileRows(table[:, 0], table[:, 1:], line), (first - 1) / total


def require_pyarrow(origin: Origin) -> None:
    """Says how to add pyarrow where it is missing.

    Raises:
        RecordingError: pyarrow is not installed.
    """
    if importlib.util.find_spec("pyarrow") is None:
        raise origin.error(HOW_TO_ADD)


@contextmanager
def _opened(origin: Origin) -> Iterator[Any]:
    with origin.faults(), origin.path.open("rb"):
        pass
    require_pyarrow(origin)
    import pyarrow as pa
    from pyarrow import parquet

    damaged = origin.error("this is not a Parquet file, or it is damaged")
    try:
        # Pages are read as they are needed: one row group may hold the whole day (570 MB otherwise).
        with parquet.ParquetFile(str(origin.path), pre_buffer=False, buffer_size=1_000_000) as file:
            yield file
    except pa.ArrowException as fault:
        raise damaged from fault
    except OSError as fault:
        # pyarrow tells damage as an OSError too, one without a number of the system.
        if fault.errno is None:
            raise damaged from fault
        with origin.faults():
            raise


def _refuse_text(schema: Any, picks: tuple[Pick, ...], origin: Origin) -> None:
    from pyarrow import types

    for pick in picks:
        kind = schema.field(pick.index).type
        if not (types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind) or types.is_null(kind)):
            raise origin.error(f"numbers are needed, the file holds {kind}", column=pick.source)


def _numbers(batch: Any, columns: list[str], picks: tuple[Pick, ...], first: int, origin: Origin) -> FloatArray:
    import pyarrow as pa

    table = np.empty((batch.num_rows, len(picks)), order="F")
    for at, (name, pick) in enumerate(zip(columns, picks, strict=True)):
        column = batch.column(name)
        copy_numbers([column.cast(pa.float64(), safe=False)], table[:, at])
        if int(np.isnan(table[:, at]).sum()) != column.null_count:
            empty = np.array(column.is_null().to_pylist())
            bad = int(np.flatnonzero(np.isnan(table[:, at]) & ~empty)[0])
            raise origin.error("NaN is not a number (no sample is null)", first + bad, pick.source)
    return table
