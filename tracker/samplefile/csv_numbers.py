"""Numbers of a stretch of CSV text: a fast reading that vouches for itself, and one that finds faults."""

from __future__ import annotations

import csv
import importlib.util
import io
import re
from collections.abc import Callable
from functools import cache

import numpy as np

from analysis.samples import FloatArray
from tracker.samplefile.arrow_numbers import copy_numbers
from tracker.samplefile.columns import Pick, Selection
from tracker.samplefile.origin import FileRows, Origin
from tracker.samplefile.text_blocks import TextBlock

FastReading = Callable[[bytes, Selection], FloatArray | None]
"""Text and columns to (rows, 1 + picks) in file units, t_s first; None where it cannot vouch for them."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_LETTERS = bytes(set(range(ord("a"), ord("z") + 1)) | set(range(ord("A"), ord("Z") + 1))).translate(None, b"eE")
_WORDS_READ_AS_NUMBERS = (b"nan", b"inf", b"true", b"false")
_NO_STRUCTURE = bytes(set(range(256)) - set(b',\n"\0'))
_SHOWN_CHARACTERS = 30


def rows_of(block: TextBlock, selection: Selection, origin: Origin, fast: FastReading | None = None) -> FileRows:
    """Rows of whole lines, in file order; empty lines are no rows.

    Raises:
        RecordingError: a cell is not a number, or a row has too few or too many cells.
    """
    table = (fast or fast_reading())(block.body, selection)
    if table is not None:
        return FileRows(table[:, 0], table[:, 1:], block.first_line + np.arange(len(table), dtype=np.int64))
    return _exact_rows(block, selection, origin)


@cache
def fast_reading() -> FastReading:
    """The faster reader that is installed: pyarrow at half the time of pandas."""
    return read_with_pandas if importlib.util.find_spec("pyarrow") is None else read_with_pyarrow


def read_with_pyarrow(body: bytes, selection: Selection) -> FloatArray | None:
    """Exact to the last bit; refuses rows of the wrong length and numbers that are words by itself."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(index) for index in range(selection.width)]
    used = [str(pick.index) for pick in (selection.time, *selection.picks)]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(column_names=names),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(used, pa.float64()), include_columns=used, null_values=[""]
            ),
        )
    except pa.ArrowInvalid:
        return None
    if table.num_rows != body.count(b"\n"):
        return None
    numbers = np.empty((table.num_rows, len(used)), order="F")
    for at, column in enumerate(table.columns):
        copy_numbers(column.chunks, numbers[:, at])
        if int(np.isfinite(numbers[:, at]).sum()) + column.null_count != table.num_rows:
            return None
    return numbers


def read_with_pandas(body: bytes, selection: Selection) -> FloatArray | None:
    """Exact to the last bit; what pandas lets pass (short and long rows, words) is looked for beforehand."""
    import pandas as pd

    rows = body.count(b"\n")
    if body.translate(None, _NO_STRUCTURE) != (b"," * (selection.width - 1) + b"\n") * rows:
        return None
    if len(body.translate(None, _LETTERS)) < len(body):
        lower = body.lower()
        if any(word in lower for word in _WORDS_READ_AS_NUMBERS):
            return None
    used = [pick.index for pick in (selection.time, *selection.picks)]
    # From pandas 3 on the one way of reading is exact, and naming it is deprecated.
    exact = {} if int(pd.__version__.split(".")[0]) >= 3 else {"float_precision": "round_trip"}
    try:
        table = pd.read_csv(  # type: ignore[call-overload]
            io.BytesIO(body), header=None, names=range(selection.width), usecols=used, index_col=False,
            dtype=dict.fromkeys(used, np.float64), keep_default_na=False, na_values=[""],
            skip_blank_lines=False, **exact,
        )  # fmt: skip
    except ValueError:
        return None
    numbers = np.empty((rows, len(used)), order="F")
    for at, index in enumerate(used):
        numbers[:, at] = table[index].to_numpy()
    return numbers


def _exact_rows(block: TextBlock, selection: Selection, origin: Origin) -> FileRows:
    picks = (selection.time, *selection.picks)
    table: list[list[float]] = []
    lines: list[int] = []
    for at, text in enumerate(block.body.decode("utf-8").split("\n")):
        if not text.strip():
            continue
        line = block.first_line + at
        cells = _cells(text, selection.width, line, origin)
        table.append([_number(cells[pick.index], pick, line, origin) for pick in picks])
        lines.append(line)
    numbers = np.array(table, dtype=np.float64, order="F").reshape(len(lines), len(picks))
    return FileRows(numbers[:, 0], numbers[:, 1:], np.array(lines, dtype=np.int64))


def _cells(text: str, width: int, line: int, origin: Origin) -> list[str]:
    cells = text.split(",")
    if '"' in text:
        try:
            cells = next(csv.reader([text.strip("\r")], strict=True, skipinitialspace=True))
        except csv.Error as fault:
            raise origin.error("a quoted cell does not end on its line", line) from fault
    if len(cells) != width:
        raise origin.error(f"the row has {len(cells)} cells where the header has {width}", line)
    return cells


def _number(cell: str, pick: Pick, line: int, origin: Origin) -> float:
    text = cell.strip()
    if not text:
        return np.nan
    if _NUMBER.fullmatch(text):
        return float(text)
    shown = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
    raise origin.error(f"{shown!r} is not a number (no sample is an empty cell)", line, pick.source)
