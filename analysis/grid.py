"""Bring every sensor clock onto one even grid, stretch by stretch between gaps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from analysis.events import Gap
from analysis.interpolation import Place
from analysis.samples import FloatArray, Modality, SampleBlock

GRID_HZ = 25
"""Movements of a calf end below 10 Hz; 25 Hz keeps them and is the slowest sensor that can be counted with."""

CELL_S = 2
"""Every stretch of a session is cut at multiples of it from the session's first instant, wherever the stretch begins:
so what a gap does to the instants, and to the decisions of borderline movements, ends with the gap."""

GAP_S = 0.1
"""A longer pause between two samples is reported as a gap, if it is also more than 2.5 sample periods."""

BREAK_S = 0.35
"""Shorter gaps are bridged by a straight line; across a longer one nothing is assumed and analysis starts anew.

Chosen on tuning people with bursts of loss: a longer line invents raises, 5 an hour at 0.5 s and 10 at 0.8 s."""

GYR_BRIDGE_S = 0.5
"""Likewise for a gyroscope whose packets alone were lost; across a longer gap it is not seen."""

LAG_S = 10.0
"""A modality this far behind another has stopped; the grid goes on without it."""

ROUNDING = 1e-7
"""What the difference of two clock readings, months after the session's zero, may be short of a whole step."""

STRIDE = 8
"""Steps taken at once when pauses are looked for: at 100 Hz less than a gap."""

WAIT_FOR_GYR_S = 4.0
"""How long the first instants wait for a gyroscope to show itself (packets of two streams alternate)."""


@dataclass(frozen=True, slots=True, eq=False)
class GridPiece:
    """Consecutive grid instants of one unbroken stretch.

    Attributes:
        start_s: session time of instant 0, the edge of the cell that the stretch begins in.
        first: index of the piece's first instant; in the first of a stretch 0 up to a cell's length.
        acc_mps2: (3, n) specific force, sensor axes, of single precision.
        gyr_rad_s: (3, n) angular rate, NaN where there is none.
        begins: the stretch begins with this piece.
        ends: the stretch ends with this piece.
    """

    start_s: float
    first: int
    acc_mps2: FloatArray
    gyr_rad_s: FloatArray
    begins: bool
    ends: bool


class _Stream:
    """Samples of one modality that wait for the grid: thinned to about the grid's rate, gaps marked.

    Nodes are channel by channel, (3, m), and in single precision, as everything behind the grid is: its step is a
    hundredth of what a sensor of 16 bits resolves. Samples come as they are sent, (n, 3).
    """

    def __init__(self) -> None:
        self.t_s: FloatArray = np.zeros(0)
        self.values: FloatArray = np.zeros((3, 0), dtype=np.float32)
        self.last_s = -np.inf
        self._raw_t: FloatArray = np.zeros(0)
        self._raw: FloatArray = np.zeros((0, 3))
        self._step = 0  # samples averaged into one node; 0 = not known yet
        self._period_s = 0.0
        self._zero_s: float | None = None  # first sample of the first run
        self._used_s = -np.inf  # last sample that is in a node, or was left out

    def take(self, block: SampleBlock) -> None:
        t_s, values = block.t_s, block.values
        if t_s[0] <= self.last_s:
            later = t_s > self.last_s
            t_s, values = t_s[later], values[later]
        if t_s.size == 0:
            return
        if self._raw_t.size:
            t_s, values = np.concatenate([self._raw_t, t_s]), np.concatenate([self._raw, values])
        self._raw_t, self._raw = t_s, values
        self.last_s = float(t_s[-1])
        self.thin()

    def thin(self, *, last: bool = False) -> None:
        """Average runs of `step` samples into nodes. Runs start anew after every break, in step with the first one."""
        if self._step == 0 and not self._learn_rate(last=last):
            return
        breaks = _pauses(self._raw_t, BREAK_S) + 1
        edges = [0, *breaks.tolist(), self._raw_t.size]
        nodes_t, nodes, used = [self.t_s], [self.values], 0
        for start, end in pairwise(edges):
            first = min(start + self._left_out(start), end)
            whole = first + (end - first) // self._step * self._step
            nodes_t.append(_mean_of_runs(self._raw_t[first:whole, None], self._step)[0])
            nodes.append(_mean_of_runs(self._raw[first:whole].astype(np.float32), self._step))
            used = start if first == whole else whole
            used = end if end < self._raw_t.size or last else used
            self._used_s = float(self._raw_t[used - 1]) if used else self._used_s
        self.t_s, self.values = np.concatenate(nodes_t), np.concatenate(nodes, axis=1)
        self._raw_t, self._raw = self._raw_t[used:], self._raw[used:]

    def _left_out(self, start: int) -> int:
        """How many samples to leave out after a break, so that the runs keep step with those before it."""
        if start == self._raw_t.size or self._raw_t[start] - self._used_s <= BREAK_S:
            return 0
        start_s = float(self._raw_t[start])
        if self._zero_s is None:
            self._zero_s = start_s
        return -round((start_s - self._zero_s) / self._period_s) % self._step

    def _learn_rate(self, *, last: bool) -> bool:
        """Decide the thinning from the first second of samples only, however they were cut into blocks."""
        first_second = self._raw_t[self._raw_t < self._raw_t[0] + 1.0] if self._raw_t.size else self._raw_t
        if not last and first_second.size == self._raw_t.size:
            return False
        self._period_s = float(np.median(np.diff(first_second))) if first_second.size > 1 else 1.0 / GRID_HZ
        self._step = max(1, int(1.0 / (self._period_s * GRID_HZ) + 0.25))
        return True

    def drop_before(self, t_s: float) -> None:
        """Forget nodes that no later instant can need (one before t_s is kept)."""
        keep = max(0, int(np.searchsorted(self.t_s, t_s, side="right")) - 1)
        self.t_s, self.values = self.t_s[keep:], self.values[:, keep:]


def _pauses(t_s: FloatArray, longer_s: float) -> npt.NDArray[np.intp]:
    """Samples after which the next is later than that."""
    if t_s.size == 0:
        return np.zeros(0, dtype=np.intp)
    some = t_s[::STRIDE]  # time only goes on: where so many steps take no longer, none of them does
    if max((some[1:] - some[:-1]).max(initial=0.0), t_s[-1] - some[-1]) <= longer_s:
        return np.zeros(0, dtype=np.intp)
    return np.flatnonzero(t_s[1:] - t_s[:-1] > longer_s)


def _mean_of_runs(values: FloatArray, step: int) -> FloatArray:
    """Means (k, n) of runs of `step` samples (n * step, k)."""
    k = values.shape[1]
    if step == 1:
        return np.ascontiguousarray(values.T)
    flat = values.reshape(-1)
    pairs = flat[:-k] + flat[k:]  # of every sample and the next: half of these are used, and all are made at once
    total = np.empty((k, len(values) // step), dtype=values.dtype)
    for channel, row in enumerate(total):
        row[:] = pairs[channel :: step * k]
        for at in range(2, step - 1, 2):
            row += pairs[channel + at * k :: step * k]
        if step % 2:
            row += flat[channel + (step - 1) * k :: step * k]
    total /= step
    return total


class Grid:
    """Samples in, pieces of an even grid out. Any cutting of the input gives the same instants and values."""

    def __init__(self) -> None:
        self._acc, self._gyr = _Stream(), _Stream()
        self._has_gyr = False
        self._origin_s: float | None = None  # first instant of the session
        self._start_s: float | None = None
        self._first = self._next = 0
        self.first_s: float | None = None
        self.last_s = -np.inf

    def feed(self, blocks: tuple[SampleBlock, ...]) -> tuple[list[GridPiece], list[Gap]]:
        """Take blocks that belong together (about the same stretch of time), give what is ready."""
        gaps: list[Gap] = []
        for block in blocks:
            if block.modality is Modality.ACC and len(block):
                gaps += self._gaps_of(block)
                self._acc.take(block)
            elif block.modality is Modality.GYR and len(block):
                self._has_gyr = True
                self._gyr.take(block)
        return self._ready(last=False), gaps

    def finish(self) -> list[GridPiece]:
        """What is left when no further sample will come."""
        self._acc.thin(last=True)
        self._gyr.thin(last=True)
        return self._ready(last=True)

    def _gaps_of(self, block: SampleBlock) -> list[Gap]:
        t_s = block.t_s
        if self.first_s is None:
            self.first_s = float(t_s[0])
        before_s, first_s = self.last_s, float(t_s[0])
        self.last_s = float(t_s[-1])
        gaps = [Gap(before_s, first_s)] if GAP_S < first_s - before_s < np.inf else []
        return gaps + [Gap(float(t_s[i]), float(t_s[i + 1])) for i in _pauses(t_s, GAP_S).tolist()]

    def _ready(self, *, last: bool) -> list[GridPiece]:
        pieces = []
        while (piece := self._piece(last=last)) is not None:
            pieces.append(piece)
        return pieces

    def _piece(self, *, last: bool) -> GridPiece | None:
        t_s = self._acc.t_s
        if t_s.size == 0:
            return None
        if self._start_s is None:
            self._begin(float(t_s[0]))
        broken = _pauses(t_s, BREAK_S)
        end = int(broken[0]) + 1 if broken.size else t_s.size
        ends = bool(broken.size) or last
        until_s = float(t_s[end - 1])
        if not self._has_gyr and not last and self._acc.last_s - (self.first_s or 0.0) < WAIT_FOR_GYR_S:
            return None
        if self._has_gyr and not last:
            behind = max(self._gyr.t_s[-1] if self._gyr.t_s.size else -np.inf, self._acc.last_s - LAG_S)
            if behind < until_s:
                until_s, ends = float(behind), False
        start_s = self._start_s or 0.0
        stop = int(np.floor((until_s - start_s) * GRID_HZ + ROUNDING)) + 1
        count = max(0, stop - self._next)
        if count == 0 and not ends:
            return None
        at_s = start_s + (self._next + np.arange(count)) / GRID_HZ
        acc, gyr = self._on_grid(end, at_s)
        piece = GridPiece(start_s, self._next, acc, gyr, self._next == self._first, ends)
        self._advance(count, end, ends=ends)
        return piece

    def _begin(self, first_s: float) -> None:
        """A stretch begins at the first instant at or after its first node."""
        if self._origin_s is None:
            self._origin_s = first_s
        cells = np.floor((first_s - self._origin_s) / CELL_S + ROUNDING)
        self._start_s = self._origin_s + float(cells) * CELL_S
        self._first = max(0, int(np.ceil((first_s - self._start_s) * GRID_HZ - ROUNDING)))
        self._next = self._first

    def _advance(self, count: int, end: int, *, ends: bool) -> None:
        self._next += count
        if ends:
            self._acc.t_s, self._acc.values = self._acc.t_s[end:], self._acc.values[:, end:]
            self._start_s = None
            return
        at_s = (self._start_s or 0.0) + self._next / GRID_HZ
        self._acc.drop_before(at_s)
        self._gyr.drop_before(at_s)

    def _on_grid(self, end: int, at_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Both modalities at the instants; a gyroscope that was not seen there is NaN."""
        t_s, gyr = self._acc.t_s[:end], self._gyr
        place = Place.of(t_s, at_s)
        acc = place.values(self._acc.values[:, :end])
        if gyr.t_s.size == 0 or at_s.size == 0:
            return acc, np.full((3, at_s.size), np.nan, dtype=np.float32)
        if gyr.t_s.size == t_s.size and (gyr.t_s == t_s).all():
            return acc, place.values(gyr.values)  # one clock for both: no break within, for acc has none
        place = Place.of(gyr.t_s, at_s)
        values = place.values(gyr.values)
        unseen = (place.bridged_s > GYR_BRIDGE_S) | (at_s < gyr.t_s[0] - 1e-6) | (at_s > gyr.t_s[-1] + 1e-6)
        values[:, unseen] = np.nan
        return acc, values
