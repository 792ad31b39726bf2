"""Times between samples, gathered in bounded memory: nominal rate and gaps of a stream of any length."""

from __future__ import annotations

import numpy as np

from analysis.samples import FloatArray

GAP_PERIODS = 3.5
"""Longer than this many nominal periods without a sample is a gap: three samples lost in a row."""

# One bin in a thousandth of the interval, from a microsecond to eleven days: 0.5 MB a stream.
_SHORTEST_S = 1e-6
_LONGEST_S = 1e6
_BIN = np.log(1.001)
_BINS = int(np.log(_LONGEST_S / _SHORTEST_S) / _BIN) + 2
_SIGNIFICANT = 6


class Intervals:
    """Histogram of the intervals of one stream, over any cutting into pieces."""

    def __init__(self) -> None:
        self._count = np.zeros(_BINS, np.int64)
        self._sum_s = np.zeros(_BINS)
        self._last_s: float | None = None
        self.samples = 0

    def add(self, t_s: FloatArray) -> None:
        """Instants (n,) in seconds, strictly increasing within and over calls."""
        if not t_s.size:
            return
        joined = t_s if self._last_s is None else np.concatenate([[self._last_s], t_s])
        step_s = np.diff(joined)
        place = np.log(np.clip(step_s, _SHORTEST_S, _LONGEST_S) / _SHORTEST_S) / _BIN
        bins = place.astype(np.int64)
        self._count += np.bincount(bins, minlength=_BINS)
        self._sum_s += np.bincount(bins, weights=step_s, minlength=_BINS)
        self._last_s = float(t_s[-1])
        self.samples += t_s.size

    def rate_hz(self) -> float | None:
        """Nominal rate: intervals from half to one and a half medians, averaged; None below two samples.

        The average undoes what rounding of t_s to milliseconds does to a bare median (148 Hz would
        read 143); the window leaves out lost samples.
        """
        total = int(self._count.sum())
        if not total:
            return None
        middle = int(np.searchsorted(np.cumsum(self._count), (total + 1) // 2))
        median_s = self._sum_s[middle] / self._count[middle]
        reach = int(np.log(1.5) / _BIN), int(np.log(2.0) / _BIN)
        near = slice(max(middle - reach[1], 0), middle + reach[0] + 1)
        mean_s = self._sum_s[near].sum() / self._count[near].sum()
        return float(f"{1.0 / (mean_s or median_s):.{_SIGNIFICANT}g}")

    def gaps(self) -> tuple[int, float]:
        """Number of gaps, and their seconds from the last sample before to the first after."""
        rate_hz = self.rate_hz()
        if rate_hz is None:
            return 0, 0.0
        first = int(np.log(GAP_PERIODS / rate_hz / _SHORTEST_S) / _BIN) + 1
        return int(self._count[first:].sum()), float(self._sum_s[first:].sum())
