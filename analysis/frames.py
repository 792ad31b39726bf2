"""Cut the grid into overlapping frames that are analysed each by itself.

Every decision about one instant looks at one fixed frame around it, so any cutting of the input gives the same
decisions, and many frames can be analysed in one sweep. A frame hands out only the events of its centre.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.grid import CELL_S, GRID_HZ, GridPiece
from analysis.samples import FloatArray

BEFORE_S, CENTRE_S, AFTER_S = 6, CELL_S, 6
FRAME_S = BEFORE_S + CENTRE_S + AFTER_S
BEFORE, CENTRE, AFTER = BEFORE_S * GRID_HZ, CENTRE_S * GRID_HZ, AFTER_S * GRID_HZ
FRAME = BEFORE + CENTRE + AFTER
CELLS = FRAME // CENTRE
OWN_CELL = BEFORE // CENTRE
MEAN_OF = 10
"""Samples averaged to tell slow movement from noise (0.4 s)."""


ROUGHNESS = 18.0
"""A second difference has 6 times the variance of a sample, and there are 3 axes."""

MEAN_OVER = GRID_HZ
"""Samples at either end of a stretch whose mean stands for what lies beyond it."""

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What the cells of 2 s that make up the frames look like, each by itself.

    Attributes:
        means: (c, 5, 3) means over 0.4 s.
        size_means: (c, 5) means over 0.4 s of the vector's length.
        noise: (c,) variance of a sample that its neighbours do not explain, mean of the three axes.
    """

    means: FloatArray
    size_means: FloatArray
    noise: FloatArray

    @staticmethod
    def of(samples: FloatArray) -> Cells:
        """Describe samples (c * CENTRE, 3)."""
        x, y, z = samples.T
        by_five = samples.reshape(-1, 5, 3)
        rough = by_five[:, 0] - 2.0 * by_five[:, 1] + by_five[:, 2]
        square = rough[:, 0] ** 2 + rough[:, 1] ** 2 + rough[:, 2] ** 2
        return Cells(
            _means_of_10(samples).reshape(-1, CENTRE // MEAN_OF, 3),
            _means_of_10(np.sqrt(x * x + y * y + z * z)[:, None]).reshape(-1, CENTRE // MEAN_OF),
            _means_of_10(square[:, None])[:, 0] / ROUGHNESS,
        )


def over_frame(of_cell: FloatArray, first: int = 0, last: int = CELLS) -> FloatArray:
    """Mean over a frame's cells first to last (excluded), for every frame; cells in, frames out."""
    count = of_cell.shape[0] - CELLS + 1
    total = of_cell[first : first + count].copy()
    for k in range(first + 1, last):
        total += of_cell[k : k + count]
    return total / (last - first)


def spread_of(means: FloatArray) -> FloatArray:
    """How far 0.4 s means (cells, 5, channels) in the middle 6 s of a frame stray from the frame's mean (rms)."""
    mean = over_frame(means.mean(axis=1))
    square = (means * means).mean(axis=1)
    near, near_square = (over_frame(x, OWN_CELL - 1, OWN_CELL + 2) for x in (means.mean(axis=1), square))
    return np.sqrt(np.maximum((near_square - 2.0 * near * mean + mean * mean).sum(axis=1), 0.0))


def _means_of_10(samples: FloatArray) -> FloatArray:
    return np.einsum("nij->nj", samples.reshape(-1, MEAN_OF, samples.shape[1])) / MEAN_OF


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Frames of one stretch in time order.

    Attributes:
        start_s: (f,) session time of each frame's centre, its sample BEFORE.
        acc_mps2: (f, 3, FRAME) specific force, sensor axes; a view into one shared buffer.
        gyr_rad_s: (f, 3, FRAME) angular rate, likewise; the last value is held where there is none.
        acc_cells, gyr_cells: the same without overlap; frame k holds cells k to k + 6.
        has_gyr: (f,) the gyroscope was seen for at least half of the frame.
        unseen_s: (f,) how much of the centre lies before the stretch; more than 0 only in the first.
        seen_s: (f,) how much of it lies within the stretch; less than CENTRE_S only in the first and the last.
        begins: the first frame is the first of its stretch.
        ends: the last frame is the last of its stretch.
    """

    start_s: FloatArray
    acc_mps2: FloatArray
    gyr_rad_s: FloatArray
    acc_cells: Cells
    gyr_cells: Cells
    has_gyr: BoolArray
    unseen_s: FloatArray
    seen_s: FloatArray
    begins: bool
    ends: bool

    @property
    def from_s(self) -> FloatArray:
        """Session time (f,) from which on each centre was seen."""
        return self.start_s + self.unseen_s

    @property
    def until_s(self) -> FloatArray:
        """Session time (f,) until which each centre was seen."""
        return self.start_s + self.unseen_s + self.seen_s

    def __len__(self) -> int:
        return self.start_s.size


class Framer:
    """Grid pieces in, complete frames out. Beyond a stretch lies the mean of its first or last seconds."""

    def __init__(self) -> None:
        self._new_stretch()

    def _new_stretch(self) -> None:
        self._acc = np.zeros((0, 3))
        self._gyr = np.zeros((0, 3))
        self._missing = np.zeros(0, dtype=np.int64)
        self._start_s = 0.0
        self._early = 0  # samples of the first centre that lie before the stretch
        self._begun = False  # what lies before the stretch is filled in
        self._done = 0  # frames of this stretch that were handed out

    def feed(self, piece: GridPiece) -> Frames | None:
        """Frames that this piece completes, None when there are none."""
        if piece.begins:
            self._new_stretch()
            self._start_s, self._early = piece.start_s, piece.first
        acc, gyr = piece.acc_mps2, piece.gyr_rad_s
        missing = np.isnan(gyr[:, 0])
        if missing.any():
            gyr = self._held(gyr, missing)
        self._append(acc, gyr, missing)
        if not self._begun and self._acc.size and (self._acc.shape[0] >= BEFORE or piece.ends):
            self._begin()
        return self._cut(piece) if self._begun else None

    def _begin(self) -> None:
        """Put before the stretch what its first second is like on the whole, and what it turns like over six."""
        acc, gyr = (x[:n].mean(axis=0, keepdims=True) for x, n in ((self._acc, MEAN_OVER), (self._gyr, BEFORE)))
        self._acc, self._gyr = (
            np.concatenate([np.repeat(mean, BEFORE + self._early, axis=0), x])
            for mean, x in ((acc, self._acc), (gyr, self._gyr))
        )
        self._missing = np.concatenate([np.repeat(self._missing[:1], BEFORE + self._early), self._missing])
        self._begun = True

    def preview(self) -> Frames | None:
        """The frames there would be if the stretch ended now; nothing is consumed."""
        twin, nothing = copy(self), np.zeros((0, 3))
        if not self._begun and self._acc.shape[0] >= MEAN_OVER:
            twin._begin()
        if not twin._begun or twin._acc.shape[0] <= BEFORE:
            return None
        return twin._cut(GridPiece(self._start_s, -1, nothing, nothing, begins=False, ends=True))

    def _append(self, acc: FloatArray, gyr: FloatArray, missing: np.ndarray) -> None:
        self._acc = np.concatenate([self._acc, acc])
        self._gyr = np.concatenate([self._gyr, gyr])
        self._missing = np.concatenate([self._missing, missing.astype(np.int64)])

    def _held(self, gyr: FloatArray, missing: BoolArray) -> FloatArray:
        """Missing rates replaced by the last one seen (zero before the first)."""
        last = self._gyr[-1] if self._gyr.size else np.zeros(3)
        table = np.concatenate([last[None], gyr])
        seen_at = np.where(missing, 0, np.arange(1, gyr.shape[0] + 1))
        return table[np.maximum.accumulate(seen_at)]

    def _cut(self, piece: GridPiece) -> Frames | None:
        held = self._acc.shape[0]
        count = max(0, (held - FRAME) // CENTRE + 1)
        real = held - BEFORE  # samples of the stretch from the next centre on
        if piece.ends:
            count = -(-real // CENTRE)
            short = max(0, (count - 1) * CENTRE + FRAME - held)
            # What lies beyond is not known. One late sample of a moving leg would throw it for seconds on end, and
            # even the turn of its last second would; over six seconds a leg turns back, and the offset is left.
            acc, gyr = (x[-n:].mean(axis=0, keepdims=True) for x, n in ((self._acc, MEAN_OVER), (self._gyr, BEFORE)))
            acc, gyr = np.repeat(acc, short, axis=0), np.repeat(gyr, short, axis=0)
            self._append(acc, gyr, np.repeat(self._missing[-1:], short))
        if count <= 0:
            return None
        first, used = self._done, count * CENTRE
        unseen = np.concatenate([[0], np.cumsum(self._missing)])
        starts = np.arange(count) * CENTRE
        unseen_s = np.zeros(count)
        unseen_s[0] = self._early / GRID_HZ if first == 0 else 0.0
        frames = Frames(
            start_s=(piece.start_s + (first + np.arange(count)) * CENTRE_S).astype(np.float64),
            acc_mps2=_windows(self._acc, count),
            gyr_rad_s=_windows(self._gyr, count),
            acc_cells=Cells.of(self._acc[: (count - 1) * CENTRE + FRAME]),
            gyr_cells=Cells.of(self._gyr[: (count - 1) * CENTRE + FRAME]),
            has_gyr=(unseen[starts + FRAME] - unseen[starts]) * 2 < FRAME,
            unseen_s=unseen_s,
            seen_s=np.minimum(CENTRE, real - starts) / GRID_HZ - unseen_s,
            begins=first == 0,
            ends=piece.ends,
        )
        self._acc, self._gyr, self._missing = self._acc[used:], self._gyr[used:], self._missing[used:]
        self._done += count
        return frames


def _windows(values: FloatArray, count: int) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(values, FRAME, axis=0)[: count * CENTRE : CENTRE]
