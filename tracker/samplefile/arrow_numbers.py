"""Arrow columns from and to numpy numbers, without the way over pandas that pyarrow takes by itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.samples import FloatArray


def copy_numbers(chunks: list[Any], into: FloatArray) -> None:
    """Fills (n,) numbers from consecutive float64 arrays, null as NaN.

    `to_numpy` imports pandas on its first call: 50 MB and 0.3 s.
    """
    first = 0
    for chunk in chunks:
        here = into[first : first + len(chunk)]
        first += len(chunk)
        if not len(chunk):
            continue
        at = slice(chunk.offset, chunk.offset + len(chunk))
        valid, numbers = chunk.buffers()
        here[:] = np.frombuffer(numbers, np.float64)[at]
        if chunk.null_count:
            bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
            here[bits[at] == 0] = np.nan


def arrow_column(numbers: FloatArray) -> Any:
    """A float64 array of (n,) numbers, NaN as null. `pyarrow.array` would import pandas."""
    import pyarrow as pa

    empty = np.isnan(numbers)
    valid = pa.py_buffer(np.packbits(~empty, bitorder="little")) if empty.any() else None
    return pa.Array.from_buffers(
        pa.float64(), numbers.size, [valid, pa.py_buffer(np.ascontiguousarray(numbers, np.float64))]
    )
