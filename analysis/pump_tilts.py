"""How a lying leg tilts: small tilts about one axis, and whether they repeat, so that they may be ankle pumps.

A strap on the calf does not see the foot. It sees the shank rock by a degree or so as the heel rolls on the bed,
and the strap tilt on the muscle that grows thick under it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from analysis.frames import FRAME_S
from analysis.grid import GRID_HZ
from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray

BIN = 5
"""Samples averaged (0.2 s): a foot is not pumped faster than 70 times a minute."""

BINS_HZ = GRID_HZ / BIN
BINS = round(FRAME_S * BINS_HZ)
LAGS = range(4, 33)
"""Periods looked for, in bins: 0.8 to 6.4 s."""

WINDOWS = ((0, BINS), (0, 45), (BINS - 45, BINS))
"""Bins in which a set is looked for: all of the frame, and each of its ends, for a set that begins or ends."""

NEAR_BEST = 0.15
"""A pause of uneven length makes two periods more alike than one by about so much."""

SLOWER = 0.6
"""Of the rate of a set: what is slower than that is how the leg lies, and drifts."""


@dataclass(frozen=True, slots=True, eq=False)
class Tilts:
    """How the shank tilts in f frames, by gravity, so that a gyroscope is not needed.

    Attributes:
        course_rad: (f, BINS) tilt about the axis it tilts about most, without offset and slope; its sign means nothing.
        axis: (f, 3) direction of the force that the tilt lets in, sensor axes.
        straight: (f,) share of the tilt that is about that one axis.
        lift_m: (f,) rise of the sensor for each radian of tilt.
        likeness: (f, windows) correlation of the course with itself one period later.
        period_s: (f, windows) that period.
        rough_mps2: (f,) rms of the force about its means over a bin.
    """

    course_rad: FloatArray
    axis: FloatArray
    straight: FloatArray
    lift_m: FloatArray
    likeness: FloatArray
    period_s: FloatArray
    rough_mps2: FloatArray

    @property
    def lag(self) -> FloatArray:
        """(f,) period of each course, in bins, where it is most like itself."""
        return np.asarray(self.period_s[np.arange(self.best.size), self.best] * BINS_HZ)

    @property
    def best(self) -> npt.NDArray[np.intp]:
        """(f,) the window in which each course is most like itself."""
        return self.likeness.argmax(axis=1)


def tilts(acc_mps2: FloatArray) -> Tilts:
    """Tilt and its repeats in each frame (f, 3, FRAME)."""
    fine = acc_mps2.reshape(acc_mps2.shape[0], 3, -1, BIN)
    force = fine.mean(axis=3)
    rough = ((fine - force[..., None]) ** 2).sum(axis=1).mean(axis=(1, 2))
    up = force.mean(axis=2)
    up /= np.sqrt((up * up).sum(axis=1))[:, None]
    vertical = np.einsum("fij,fi->fj", force, up)
    across = off_line(force - up[:, :, None] * vertical[:, None, :])
    _, axis = main_axis(across)
    likeness, lag = _best(np.einsum("fij,fi->fj", across, axis))
    straight, axis = main_axis(steadied(across, np.take_along_axis(lag, likeness.argmax(axis=1)[:, None], axis=1)))
    course = np.einsum("fij,fi->fj", across, axis) / STANDARD_GRAVITY_MPS2
    likeness, lag = _best(course)
    return Tilts(
        course_rad=course,
        axis=axis,
        straight=straight,
        lift_m=_lift_per_tilt_m(course, off_line(vertical)),
        likeness=likeness,
        period_s=lag / BINS_HZ,
        rough_mps2=np.sqrt(rough),
    )


def main_axis(across: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share (f,) of the power of (f, 3, n) that lies on its main axis, and that axis (f, 3)."""
    values, vectors = np.linalg.eigh(np.einsum("fij,fkj->fik", across, across))
    return values[:, 2] / np.maximum(values.sum(axis=1), 1e-18), vectors[:, :, 2]


def _best(course: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Likeness and lag (f, windows) of each course in each window."""
    found = [_best_lag(course[:, first:last]) for first, last in WINDOWS]
    return np.stack([likeness for likeness, _ in found], axis=1), np.stack([lag for _, lag in found], axis=1)


def off_line(x: FloatArray) -> FloatArray:
    """Without the mean and the slope over the last axis."""
    t = (np.arange(x.shape[-1]) - 0.5 * (x.shape[-1] - 1)).astype(x.dtype)
    centred = x - x.mean(axis=-1, keepdims=True)
    return np.asarray(centred - ((centred * t).sum(axis=-1) / (t @ t))[..., None] * t)


def _lift_per_tilt_m(course_rad: FloatArray, vertical_mps2: FloatArray) -> FloatArray:
    """How far the sensor rises with the tilt: the vertical acceleration against the tilt's own."""
    bend = (course_rad[:, 2:] - 2.0 * course_rad[:, 1:-1] + course_rad[:, :-2]) * BINS_HZ**2
    middle = vertical_mps2[:, 1:-1]
    return np.abs((bend * middle).sum(axis=1)) / np.maximum((bend * bend).sum(axis=1), 1e-12)


def _best_lag(course: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Highest peak of each course's correlation with itself, and the lag (in bins) at which it lies.

    At each lag the course is compared without what is slower, so that a leg that drifts hides no set. Two periods fit
    into the window at least, so that three pumps are compared.
    """
    n, width = course.shape
    waves, lags, (slower, kind) = _waves(width).astype(course.dtype), _lags(width), _slower_waves(width)
    size = np.einsum("fn,kn->fk", course, waves)
    steady = course[:, None] - np.cumsum(size[:, :, None] * waves, axis=1)[:, slower - 1]
    power = np.cumsum(steady * steady, axis=2)
    early, late = power[:, kind, width - 1 - lags], power[:, kind, -1] - power[:, kind, lags - 1]
    likeness = np.empty((n, lags.size), dtype=course.dtype)
    for k, (lag, of_kind) in enumerate(zip(lags.tolist(), kind.tolist(), strict=True)):
        one = steady[:, of_kind]
        likeness[:, k] = np.einsum("fn,fn->f", one[:, : width - lag], one[:, lag:])
    likeness /= np.maximum(np.sqrt(early * np.maximum(late, 0.0)), 1e-18)
    inner = likeness[:, 1:-1]
    is_top = (inner > likeness[:, :-2]) & (inner >= likeness[:, 2:])
    peak = np.where(is_top, inner, -1.0)
    # A multiple of the period is as good as the period: the shortest that comes near the best.
    first = (peak >= np.maximum(peak.max(axis=1), 0.0)[:, None] - NEAR_BEST).argmax(axis=1)
    return peak[np.arange(n), first], lags[first + 1].astype(np.float64)


def steadied(courses: FloatArray, lag: FloatArray) -> FloatArray:
    """Courses (f, c, n) without what is slower than a set with the lag (f, 1) of each frame, in bins."""
    width = courses.shape[2]
    waves = _waves(width)
    size = np.einsum("fcn,kn->fck", courses, waves)
    size *= (np.arange(len(waves)) < _slower(width, lag))[:, None, :]
    return np.asarray(courses - np.einsum("fck,kn->fcn", size, waves))


@lru_cache
def _lags(width: int) -> npt.NDArray[np.int64]:
    """Lags that are looked for in so many bins: two periods fit in at least."""
    return np.array([lag for lag in LAGS if 2 * lag < width])


@lru_cache
def _slower_waves(width: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How many waves are taken off, each number once, and which of these numbers each lag takes."""
    slower, kind = np.unique(_slower(width, _lags(width).astype(np.float64)).astype(int), return_inverse=True)
    return slower, kind


@lru_cache
def _waves(width: int) -> FloatArray:
    """Cosines (k, width) of k half waves each, of unit power, the first flat."""
    at = (np.arange(width) + 0.5) / width
    k = np.arange(int(_slower(width, np.float64(LAGS[0]))))[:, None]
    return np.asarray(np.cos(np.pi * k * at) * np.sqrt(np.where(k == 0, 1.0, 2.0) / width))


def _slower(width: int, lag: FloatArray | np.float64) -> FloatArray:
    """How many of the waves are slower than a set with that lag, or with each of them."""
    return np.ceil(SLOWER * 2.0 * width / lag)
