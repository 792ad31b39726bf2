"""Cut the grid into overlapping frames that are analysed each by itself.

Every decision about one instant looks at one fixed frame around it, so any cutting of the input gives the same
decisions, and many frames can be analysed in one sweep. A frame hands out only the events of its centre.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import as_strided

from analysis.grid import CELL_S, GRID_HZ, GridPiece
from analysis.samples import FloatArray

BEFORE_S, CENTRE_S, AFTER_S = 6, CELL_S, 6
FRAME_S = BEFORE_S + CENTRE_S + AFTER_S
BEFORE, CENTRE, AFTER = BEFORE_S * GRID_HZ, CENTRE_S * GRID_HZ, AFTER_S * GRID_HZ
FRAME = BEFORE + CENTRE + AFTER
CELLS = FRAME // CENTRE
OWN_CELL = BEFORE // CENTRE
MEAN_OF, HALF_MEAN = 10, 5
"""Samples averaged to tell slow movement from noise (0.4 s); they are added up by halves."""

ROUGHNESS = 6.0
"""A second difference has 6 times the variance of a sample."""

MEAN_OVER = GRID_HZ
"""Samples at either end of a stretch whose mean stands for what lies beyond it."""

ACC, GYR, SIZE = range(3)
"""Quantities that are held: specific force, rate of turn, and how large the force is."""

AXES = (slice(0, 3), slice(3, 6), slice(6, 7))
"""Channels of each."""

AXES_OF = np.array([[axes.stop - axes.start] for axes in AXES])
"""How many."""

CHANNELS = 7

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What cells of 2 s, or frames made of them, look like: n of them, by means over 0.4 s mostly.

    Attributes:
        table: (CHANNELS + 3 * 3, n) what the properties show.
    """

    table: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Mean of the samples, (CHANNELS, n)."""
        return self.table[:CHANNELS]

    @property
    def square(self) -> FloatArray:
        """Mean square of the means of each quantity, (3, n), its axes summed."""
        return self.table[CHANNELS:-6]

    @property
    def change(self) -> FloatArray:
        """Mean square of the change from one mean to the next within a cell, (3, n), mean of its axes."""
        return self.table[-6:-3]

    @property
    def noise(self) -> FloatArray:
        """Variance of a sample that its neighbours do not explain, likewise."""
        return self.table[-3:]

    @staticmethod
    def of(samples: FloatArray) -> Look:
        """The cells of samples (CHANNELS, c * CENTRE)."""
        first, second, third, fourth, fifth = (samples[:, k::HALF_MEAN] for k in range(HALF_MEAN))
        outer = first + third
        halves = outer + second
        halves += fourth
        halves += fifth
        rough = outer
        rough -= 2.0 * second
        rough *= rough
        # A thousandth of gravity is looked for beside all of it: single precision ends here.
        means = (halves[:, ::2] + halves[:, 1::2]).astype(np.float64)
        means *= 1.0 / MEAN_OF
        change = np.zeros_like(means)
        np.subtract(means[:, 1:], means[:, :-1], out=change[:, :-1])
        n = CENTRE // MEAN_OF
        table = np.empty((CHANNELS + 3 * len(AXES), means.shape[1] // n))
        table[:CHANNELS] = sums_of(means, n, n) / n
        table[CHANNELS:-6] = sums_of(_of_quantities(means * means), n, n) / n
        table[-6:-3] = sums_of(_of_quantities(change * change), n, n - 1) / ((n - 1) * AXES_OF)
        table[-3:] = sums_of(_of_quantities(rough), 2 * n, 2 * n) / (2 * n * ROUGHNESS * AXES_OF)
        return Look(table)

    def over(self, first: int, last: int) -> Look:
        """Of the frames: the mean of their cells first to last (excluded)."""
        return Look(over_frame(self.table, first, last))


def _of_quantities(of_channel: FloatArray) -> FloatArray:
    """Channels (CHANNELS, n) summed over the axes of each quantity, (3, n)."""
    total = np.empty((len(AXES), of_channel.shape[1]), dtype=of_channel.dtype)
    for row, axes in zip(total, AXES, strict=True):
        np.add.reduce(of_channel[axes], axis=0, out=row)
    return total


def sums_of(x: FloatArray, every: int, of: int) -> FloatArray:
    """Sums (..., n) of the first `of` of every so many of (..., n * every)."""
    total = x[..., ::every].copy()
    for k in range(1, of):
        total += x[..., k::every]
    return total


def over_frame(of_cell: FloatArray, first: int, last: int) -> FloatArray:
    """Mean over a frame's cells first to last (excluded), for every frame; cells (..., c) in, frames (..., f) out."""
    count = of_cell.shape[-1] - CELLS + 1
    total = of_cell[..., first : first + count].copy()
    for k in range(first + 1, last):
        total += of_cell[..., k : k + count]
    total /= last - first
    return total


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Frames of one stretch in time order.

    Attributes:
        start_s: (f,) session time of each frame's centre, its sample BEFORE.
        samples: (CHANNELS, n) that they are cut from, in single precision, each CENTRE later than the one before.
        whole, near, own: how they look over all 14 s, over the middle 6 s and over the 2 s of their centre.
        has_gyr: (f,) the gyroscope was seen for at least half of the frame.
        unseen_s: (f,) how much of the centre lies before the stretch; more than 0 only in the first.
        seen_s: (f,) how much of it lies within the stretch; less than CENTRE_S only in the first and the last.
        begins: the first frame is the first of its stretch.
        ends: the last frame is the last of its stretch.
    """

    start_s: FloatArray
    samples: FloatArray
    whole: Look
    near: Look
    own: Look
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

    @property
    def own_force_mps2(self) -> FloatArray:
        """Mean specific force (f, 3) of each centre."""
        return self.own.mean[AXES[ACC]].T

    @property
    def acc_mps2(self) -> FloatArray:
        """Specific force (f, 3, FRAME), sensor axes; a view."""
        return self._windows(ACC)

    @property
    def gyr_rad_s(self) -> FloatArray:
        """Angular rate (f, 3, FRAME), likewise; the last value is held where there is none."""
        return self._windows(GYR)

    def _windows(self, quantity: int) -> FloatArray:
        channels = self.samples[AXES[quantity]]
        channel, sample = channels.strides
        shape, strides = (len(self), channels.shape[0], FRAME), (CENTRE * sample, channel, sample)
        return as_strided(channels, shape, strides, writeable=False)

    def spread(self, quantity: int) -> FloatArray:
        """How far 0.4 s means in the middle 6 s of a frame stray from the frame's mean (rms, the axes summed)."""
        mean, near = self.whole.mean[AXES[quantity]], self.near.mean[AXES[quantity]]
        square = self.near.square[quantity] + (mean * (mean - 2.0 * near)).sum(axis=0)
        return np.sqrt(np.maximum(square, 0.0))

    def __len__(self) -> int:
        return self.start_s.size


class Framer:
    """Grid pieces in, complete frames out. Beyond a stretch lies the mean of its first or last seconds."""

    def __init__(self) -> None:
        self._new_stretch()

    def _new_stretch(self) -> None:
        self._held: FloatArray = np.zeros((CHANNELS, 0), dtype=np.float32)
        self._missing = np.zeros(0, dtype=bool)
        self._start_s = 0.0
        self._early = 0  # samples of the first centre that lie before the stretch
        self._begun = False  # what lies before the stretch is filled in
        self._done = 0  # frames of this stretch that were handed out

    def feed(self, piece: GridPiece) -> Frames | None:
        """Frames that this piece completes, None when there are none."""
        if piece.begins:
            self._new_stretch()
            self._start_s, self._early = piece.start_s, piece.first
        gyr = piece.gyr_rad_s
        missing = np.isnan(gyr[0])
        if missing.any():
            gyr = self._still_turning(gyr, missing)
        self._append(piece.acc_mps2, gyr, missing)
        held = self._held.shape[1]
        if not self._begun and held and (held >= BEFORE or piece.ends):
            self._begin()
        return self._cut(piece) if self._begun else None

    def _begin(self) -> None:
        """Put before the stretch what its first second is like on the whole, and what it turns like over six."""
        n, seen = BEFORE + self._early, self._held.shape[1]
        held = np.empty((CHANNELS, n + seen), dtype=np.float32)
        _fill(held[:, :n], *_means(self._held[:, :MEAN_OVER], self._held[:, :BEFORE]))
        held[:, n:] = self._held
        self._held = held
        self._missing = np.concatenate([np.repeat(self._missing[:1], n), self._missing])
        self._begun = True

    def preview(self) -> Frames | None:
        """The frames there would be if the stretch ended now; nothing is consumed."""
        twin, nothing = copy(self), np.zeros((3, 0))
        if not self._begun and self._held.shape[1] >= MEAN_OVER:
            twin._begin()
        if not twin._begun or twin._held.shape[1] <= BEFORE:
            return None
        return twin._cut(GridPiece(self._start_s, -1, nothing, nothing, begins=False, ends=True))

    def _append(self, acc_mps2: FloatArray, gyr_rad_s: FloatArray, missing: BoolArray) -> None:
        """Hold more samples: as many as there are flags; one alone is repeated."""
        before = self._held.shape[1]
        held = np.empty((CHANNELS, before + missing.size), dtype=np.float32)
        held[:, :before] = self._held
        _fill(held[:, before:], acc_mps2, gyr_rad_s)
        self._held = held
        self._missing = np.concatenate([self._missing, missing])

    def _still_turning(self, gyr: FloatArray, missing: BoolArray) -> FloatArray:
        """Missing rates replaced by the last one seen (zero before the first)."""
        last = self._held[AXES[GYR], -1:] if self._held.size else np.zeros((3, 1))
        table = np.concatenate([last, gyr], axis=1)
        seen_at = np.where(missing, 0, np.arange(1, gyr.shape[1] + 1))
        return table[:, np.maximum.accumulate(seen_at)]

    def _cut(self, piece: GridPiece) -> Frames | None:
        held = self._held.shape[1]
        count = max(0, (held - FRAME) // CENTRE + 1)
        real = held - BEFORE  # samples of the stretch from the next centre on
        if piece.ends:
            count = -(-real // CENTRE)
            short = max(0, (count - 1) * CENTRE + FRAME - held)
            # What lies beyond is not known. One late sample of a moving leg would throw it for seconds on end, and
            # even the turn of its last second would; over six seconds a leg turns back, and the offset is left.
            beyond = _means(self._held[:, -MEAN_OVER:], self._held[:, -BEFORE:])
            self._append(*beyond, np.repeat(self._missing[-1:], short))
        if count <= 0:
            return None
        first, used = self._done, count * CENTRE
        whole = self._held[:, : used - CENTRE + FRAME]
        look = Look.of(whole)
        starts = np.arange(count) * CENTRE
        unseen_s = np.zeros(count)
        unseen_s[0] = self._early / GRID_HZ if first == 0 else 0.0
        frames = Frames(
            start_s=(piece.start_s + (first + np.arange(count)) * CENTRE_S).astype(np.float64),
            samples=whole,
            whole=look.over(0, CELLS),
            near=look.over(OWN_CELL - 1, OWN_CELL + 2),
            own=look.over(OWN_CELL, OWN_CELL + 1),
            has_gyr=_mostly_there(self._missing, starts),
            unseen_s=unseen_s,
            seen_s=np.minimum(CENTRE, real - starts) / GRID_HZ - unseen_s,
            begins=first == 0,
            ends=piece.ends,
        )
        self._held, self._missing = self._held[:, used:], self._missing[used:]
        self._done += count
        return frames


def _mostly_there(missing: BoolArray, starts: npt.NDArray[np.int64]) -> BoolArray:
    """Which frames that start there have more than half of their samples."""
    if not missing.any():
        return np.ones(starts.size, dtype=bool)
    count = np.concatenate([[0], np.cumsum(missing)])
    return (count[starts + FRAME] - count[starts]) * 2 < FRAME


def _fill(held: FloatArray, acc_mps2: FloatArray, gyr_rad_s: FloatArray) -> None:
    """Put both into (CHANNELS, n), and how large the force is."""
    held[AXES[ACC]], held[AXES[GYR]] = acc_mps2, gyr_rad_s
    x, y, z, *_, size = held
    np.sqrt(x * x + y * y + z * z, out=size)


def _means(second: FloatArray, six_seconds: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Force and turn (3, 1) that stand for samples that there are none of."""
    acc, gyr = (x.mean(axis=1, keepdims=True) for x in (second[AXES[ACC]], six_seconds[AXES[GYR]]))
    return acc, gyr
