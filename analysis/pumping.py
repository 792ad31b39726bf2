"""Find ankle pumps of a leg that lies: small, even tilts that repeat.

A strap on the calf does not see the foot. It sees the shank rock by a degree or so as the heel rolls on the bed,
and the strap tilt on the muscle that grows thick under it. One such tilt means nothing; what is believed is a set:
three or more in a row, alike in size, shape and distance, while the leg does nothing else. Which end of the tilt is
plantar flexion is told by the way the leg lay before: the foot goes down farther than it comes up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import pairwise
from math import log

import numpy as np
import numpy.typing as npt

from analysis.frames import BEFORE_S, CENTRE_S, FRAME_S
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

AROUND = 0.8
"""Of a period: so much before and after a top is compared with the next one."""

NEAR_BEST = 0.15
"""A pause of uneven length makes two periods more alike than one by about so much."""

SLOWER = 0.6
"""Of the rate of a set: what is slower than that is how the leg lies, and drifts."""

SAME_LIE_RAD = 0.15
"""A leg that lies differently by more tells nothing about how it lay before."""


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


@dataclass(frozen=True, slots=True)
class Pump:
    """One cycle in a set; times in seconds from the start of its frame, `alike` its likeness to those beside it."""

    onset_s: float
    peak_s: float
    end_s: float
    tilt_rad: float
    alike: float


def tilts(acc_mps2: FloatArray) -> Tilts:
    """Tilt and its repeats in each frame (f, 3, FRAME)."""
    fine = acc_mps2.reshape(acc_mps2.shape[0], 3, -1, BIN)
    force = fine.mean(axis=3)
    rough = ((fine - force[..., None]) ** 2).sum(axis=1).mean(axis=(1, 2))
    up = force.mean(axis=2)
    up /= np.sqrt((up * up).sum(axis=1))[:, None]
    vertical = np.einsum("fij,fi->fj", force, up)
    across = _off_line(force - up[:, :, None] * vertical[:, None, :])
    _, axis = main_axis(across)
    likeness, lag = _best(np.einsum("fij,fi->fj", across, axis))
    straight, axis = main_axis(steadied(across, np.take_along_axis(lag, likeness.argmax(axis=1)[:, None], axis=1)))
    course = np.einsum("fij,fi->fj", across, axis) / STANDARD_GRAVITY_MPS2
    likeness, lag = _best(course)
    return Tilts(
        course_rad=course,
        axis=axis,
        straight=straight,
        lift_m=_lift_per_tilt_m(course, _off_line(vertical)),
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


def _off_line(x: FloatArray) -> FloatArray:
    """Without the mean and the slope over the last axis."""
    t = np.arange(x.shape[-1]) - 0.5 * (x.shape[-1] - 1)
    centred = x - x.mean(axis=-1, keepdims=True)
    return np.asarray(centred - ((centred @ t) / (t @ t))[..., None] * t)


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
    lags = [lag for lag in LAGS if 2 * lag < width]
    likeness = np.full((n, len(lags)), -1.0)
    waves = _waves(width)
    size = (course[:, None, :] * waves).sum(axis=2)
    steady, taken = course.copy(), 0
    for k in reversed(range(len(lags))):
        slower = int(_slower(width, np.float64(lags[k])))
        for wave in range(taken, slower):
            steady -= size[:, wave, None] * waves[wave]
        taken = slower
        early, late = steady[:, : width - lags[k]], steady[:, lags[k] :]
        power = np.sqrt((early * early).sum(axis=1) * (late * late).sum(axis=1))
        likeness[:, k] = (early * late).sum(axis=1) / np.maximum(power, 1e-18)
    inner = likeness[:, 1:-1]
    is_top = (inner > likeness[:, :-2]) & (inner >= likeness[:, 2:])
    peak = np.where(is_top, inner, -1.0)
    # A multiple of the period is as good as the period: the shortest that comes near the best.
    first = (peak >= np.maximum(peak.max(axis=1), 0.0)[:, None] - NEAR_BEST).argmax(axis=1)
    return peak[np.arange(n), first], np.array(lags)[first + 1].astype(np.float64)


def steadied(courses: FloatArray, lag: FloatArray) -> FloatArray:
    """Courses (f, c, n) without what is slower than a set with the lag (f, 1) of each frame, in bins."""
    width = courses.shape[2]
    waves = _waves(width)
    size = (courses[:, :, None, :] * waves).sum(axis=3)
    size *= (np.arange(len(waves)) < _slower(width, lag))[:, None, :]
    return np.asarray(courses - (size[..., None] * waves).sum(axis=2))


@lru_cache
def _waves(width: int) -> FloatArray:
    """Cosines (k, width) of k half waves each, of unit power, the first flat."""
    at = (np.arange(width) + 0.5) / width
    k = np.arange(int(_slower(width, np.float64(LAGS[0]))))[:, None]
    return np.asarray(np.cos(np.pi * k * at) * np.sqrt(np.where(k == 0, 1.0, 2.0) / width))


def _slower(width: int, lag: FloatArray | np.float64) -> FloatArray:
    """How many of the waves are slower than a set with that lag, or with each of them."""
    return np.ceil(SLOWER * 2.0 * width / lag)


def pumps_of(
    course_rad: FloatArray,
    window: tuple[int, int],
    period_s: float,
    least_alike: float,
    least_run: float,
) -> list[Pump]:
    """Pumps of one frame whose top lies in its centre.

    Args:
        course_rad: (BINS,) tilt, plantar flexion positive.
        window: bins in which the course repeats.
        period_s: of the set.
        least_alike: correlation of two pumps that follow one another.
        least_run: so many alike in a row are believed.
    """
    plain = _smooth(course_rad)
    smooth = _smooth(steadied(course_rad[None, None], np.array([[period_s * BINS_HZ]]))[0, 0])
    first, last = window
    tops = [k for k in range(1, BINS - 1) if smooth[k - 1] < smooth[k] >= smooth[k + 1]]
    low, high = np.quantile(smooth[first:last], (0.05, 0.95))
    tops = _highest(smooth, [k for k in tops if smooth[k] > low + 0.5 * (high - low)], 0.55 * period_s * BINS_HZ)
    # What is taken off for being slow rings where a movement begins: a top of that kind is not in the plain course.
    links = [_alike(plain, one, other, period_s * BINS_HZ) for one, other in pairwise(tops)]
    found = []
    for at, k in enumerate(tops):
        before, after = _run(links[:at][::-1], least_alike), _run(links[at:], least_alike)
        peak_s = _middle_of_top(smooth, k, low)
        if before + after + 1 < least_run or not BEFORE_S <= peak_s < BEFORE_S + CENTRE_S:
            continue
        near = [abs(other - k) / BINS_HZ for other in tops[max(0, at - 1) : at + 2] if other != k]
        half_s = 0.5 * min([period_s, *near])
        alike = float(np.mean(links[at - before : at + after]))
        found.append(Pump(peak_s - half_s, peak_s, peak_s + half_s, float(smooth[k] - low), alike))
    return found


def _smooth(course: FloatArray) -> FloatArray:
    return np.convolve(np.pad(course, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")


def _highest(course: FloatArray, tops: list[int], apart: float) -> list[int]:
    """Of tops nearer to one another than that only the highest."""
    kept: list[int] = []
    for k in sorted(tops, key=lambda k: -course[k]):
        if all(abs(k - other) >= apart for other in kept):
            kept.append(k)
    return sorted(kept)


def _run(links: list[float], least: float) -> int:
    """How many links hold until the first that does not."""
    return next((n for n, link in enumerate(links) if link < least), len(links))


def _alike(course: FloatArray, one: int, other: int, period: float) -> float:
    """Correlation of what lies around two tops; -1 where they are not about a period apart, or not of one size."""
    before = int(min(AROUND * period, one, other))
    after = int(min(AROUND * period, course.size - 1 - one, course.size - 1 - other))
    if not 0.6 < (other - one) / period < 1.5 or before + after < 0.9 * period:
        return -1.0
    return max(_correlation(course, one, other + shift, before, after) for shift in (-1, 0, 1))


def _correlation(course: FloatArray, one: int, other: int, before: int, after: int) -> float:
    """Of the course around two places, each without its own slope."""
    if other - before < 0 or other + after >= course.size:
        return -1.0
    a, b = (_off_line(course[k - before : k + after + 1]) for k in (one, other))
    power_a, power_b = float(a @ a), float(b @ b)
    if not 0.25 < power_a / max(power_b, 1e-18) < 4.0:
        return -1.0
    return float(a @ b) / float(np.sqrt(power_a * power_b))


def _middle_of_top(course: FloatArray, top: int, low: float) -> float:
    """Middle of the time near the top, in seconds from the frame's start: a foot that is held down stays there."""
    level = course[top] - 0.25 * (course[top] - low)
    left = right = top
    while left > 0 and course[left - 1] >= level:
        left -= 1
    while right < course.size - 1 and course[right + 1] >= level:
        right += 1
    weight = course[left : right + 1] - level + 1e-9
    middle = float((np.arange(left, right + 1) * weight).sum() / weight.sum())
    return (middle + 0.5) / BINS_HZ


class Side(Enum):
    """What tells which way plantar flexion is."""

    TOLD = "it goes clearly farther to one side of the way it lay before"
    DWELT = "how it lay is not known; it dwells clearly nearer to one end"
    GUESSED = "how it lay is not known; it dwells about in the middle"
    EVEN = "it goes about as far to either side of the way it lay before"


CLEARLY = log(1.4)
"""Logarithm of how many times farther it goes to one side."""


def plantar_is_up(course_rad: FloatArray, rest_rad: float | None) -> tuple[bool, Side]:
    """Which way plantar flexion is, and what tells it: from where it rests, the foot goes down farther than up.

    Args:
        course_rad: (n,) tilt of a set.
        rest_rad: tilt at which the leg lay before, None where it is not known; then the way it dwells at is rest.
    """
    low, high = np.quantile(course_rad, (0.04, 0.96))
    dwelt = _farther_up(low, float(np.median(course_rad)), high)
    if rest_rad is None:
        return dwelt >= 0.0, Side.DWELT if abs(dwelt) > CLEARLY else Side.GUESSED
    told = _farther_up(low, rest_rad, high)
    if abs(told) > CLEARLY:
        return told > 0.0, Side.TOLD
    return told + dwelt >= 0.0, Side.EVEN


def _farther_up(low: float, rest: float, high: float) -> float:
    """Logarithm of how many times farther it goes up than down; a rest beyond either end counts as that end."""
    return log(max(high - rest, 1e-9) / max(rest - low, 1e-9))
