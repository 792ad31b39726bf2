"""Cut an EMG stream into unbroken stretches of evenly spaced rows; short gaps are bridged, long ones end a stretch."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.samples import FloatArray, SampleBlock

EVEN = 1.5
"""A step of more than so many periods misses samples."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Consecutive rows of one stretch.

    Attributes:
        t_s: (n,) session seconds.
        values: (n, channels) as they came; where a short gap was bridged, a straight line.
        begins: these are the first rows of their stretch.
        ends: these are the last.
    """

    t_s: FloatArray
    values: FloatArray
    begins: bool
    ends: bool


class Stretches:
    """Blocks of one EMG stream in, rows of its stretches out. The rate is learned from the first second."""

    def __init__(self, rules: EmgRules = EMG_RULES) -> None:
        self._rules = rules
        self._waiting: list[tuple[FloatArray, FloatArray]] = []
        self._last: tuple[float, FloatArray] | None = None
        self._open = False
        self.rate_hz: float | None = None

    def feed(self, block: SampleBlock) -> list[Rows]:
        """Rows that are ready. Samples that are not later than those before are passed over."""
        before_s = self._waiting[-1][0][-1] if self._waiting else self._last[0] if self._last else -np.inf
        later = block.t_s > before_s
        if not later.any():
            return []
        taken = (block.t_s, block.values) if later.all() else (block.t_s[later], block.values[later])
        self._waiting.append(taken)
        if self.rate_hz is None and taken[0][-1] - self._waiting[0][0][0] < 1.0:
            return []
        return self._release()

    def finish(self) -> list[Rows]:
        """The end of the open stretch."""
        rows = self._release() if self._waiting else []
        if not self._open or self._last is None:
            return rows
        self._open = False
        nothing = np.zeros(0), np.zeros((0, self._last[1].size))
        return [*rows, Rows(*nothing, begins=False, ends=True)]

    def _release(self) -> list[Rows]:
        t_s = np.concatenate([t for t, _ in self._waiting])
        values = np.concatenate([v for _, v in self._waiting])
        self._waiting = []
        if self.rate_hz is None:
            self.rate_hz = rate_of(t_s)
        if self._last is not None:
            t_s, values = np.append(self._last[0], t_s), np.concatenate([self._last[1][None], values])
        steps = np.diff(t_s)
        breaks = (np.flatnonzero(steps > self._break_s) + 1).tolist()
        rows = self._cut(t_s, values, steps, breaks)
        self._last = float(t_s[-1]), values[-1]
        return rows

    @property
    def _break_s(self) -> float:
        """A step longer than this ends a stretch."""
        return max(self._rules.bridge_s, 2.5 / (self.rate_hz or 1.0))

    def _cut(self, t_s: FloatArray, values: FloatArray, steps: FloatArray, breaks: list[int]) -> list[Rows]:
        rows = []
        edges = [0, *breaks, t_s.size]
        for number, (first, last) in enumerate(pairwise(edges)):
            repeated = int(number == 0 and self._last is not None)
            begins = number > 0 or not self._open
            even_t, even = self._bridged(t_s[first:last], values[first:last], steps[first : last - 1])
            rows.append(Rows(even_t[repeated:], even[repeated:], begins, last != t_s.size))
        self._open = True
        return rows

    def _bridged(self, t_s: FloatArray, values: FloatArray, steps: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Rows with the missing ones of short gaps on a straight line."""
        rate_hz = self.rate_hz or 1.0
        holes = np.flatnonzero(steps > EVEN / rate_hz)
        if holes.size == 0:
            return t_s, values
        missing = np.rint(steps[holes] * rate_hz).astype(np.int64) - 1
        before = np.repeat(holes, missing)
        number = np.arange(before.size) - np.repeat(np.cumsum(missing) - missing, missing) + 1
        share = number / np.repeat(missing + 1, missing)
        new_t = t_s[before] + share * steps[before]
        new = values[before] + share[:, None] * (values[before + 1] - values[before])
        return np.insert(t_s, before + 1, new_t), np.insert(values, before + 1, new, axis=0)


def rate_of(t_s: FloatArray) -> float | None:
    """Samples a second by the first second of times (n,), gaps left out; None below two samples."""
    steps = np.diff(t_s[t_s < t_s[0] + 1.0])
    if steps.size == 0:
        return None if t_s.size < 2 else float(1.0 / (t_s[1] - t_s[0]))
    usual = steps[steps <= 2.5 * np.median(steps)]
    return float(usual.size / usual.sum())
