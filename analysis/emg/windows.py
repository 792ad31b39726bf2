"""Fixed windows and cells, in samples: every statistic of EMG is taken over them, so that cutting is no matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.samples import FloatArray

CELLS = 64
"""Cells of a window; fewer where a window has fewer samples."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Lengths at one rate.

    Attributes:
        rate_hz: samples a second.
        window: samples of a window, a power of two near one second (0.7 to 1.4 s).
        cell: samples of a cell, 11 to 22 ms at 200 Hz and more.
    """

    rate_hz: float
    window: int
    cell: int

    @staticmethod
    def at(rate_hz: float) -> Shape:
        """Lengths for a rate."""
        window = 1 << max(3, round(float(np.log2(rate_hz))))
        return Shape(rate_hz, window, max(1, window // CELLS))

    @property
    def cells(self) -> int:
        """Cells of a window."""
        return self.window // self.cell

    @property
    def cell_hz(self) -> float:
        """Cells a second."""
        return self.rate_hz / self.cell

    @property
    def window_s(self) -> float:
        """Seconds of a window."""
        return self.window / self.rate_hz

    def cells_in(self, duration_s: float, least: int = 1) -> int:
        """Whole cells nearest to a duration."""
        return max(least, round(duration_s * self.cell_hz))


def cell_sums(samples: FloatArray, cell: int) -> FloatArray:
    """Sums over consecutive cells of samples (n,), added in one fixed order: (n / cell,)."""
    if cell == 1:
        return samples.copy()
    return np.add.reduce(samples.reshape(-1, cell), axis=1)


def trailing_least(values: FloatArray, before: int, after: int) -> FloatArray:
    """Least of values (w, ...) from `before` windows earlier to `after` later; the ends have fewer."""
    padded = np.concatenate([
        np.full((before, *values.shape[1:]), np.inf),
        values,
        np.full((after, *values.shape[1:]), np.inf),
    ])  # fmt: skip
    least = values.copy()
    for shift in range(before + after + 1):
        np.minimum(least, padded[shift : shift + values.shape[0]], out=least)
    return least


def smoothed(cells: FloatArray, width: int) -> FloatArray:
    """Centred mean of `width` (odd) cells over the last axis; cells (..., n + width - 1) in, (..., n) out."""
    n = cells.shape[-1] - width + 1
    total = cells[..., :n].copy()
    for shift in range(1, width):
        total += cells[..., shift : shift + n]
    total /= width
    return total
