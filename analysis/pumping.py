"""Find the ankle pumps of a leg that lies among its tilts, and which way the foot goes.

One tilt means nothing; what is believed is a set: three or more in a row, alike in size, shape and distance, while the
leg does nothing else. Which end of the tilt is plantar flexion is told by the way the leg lay before: the foot goes
down farther than it comes up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from math import log

import numpy as np

from analysis.frames import BEFORE_S, CENTRE_S
from analysis.pump_tilts import BINS, BINS_HZ, off_line, steadied
from analysis.samples import FloatArray

AROUND = 0.8
"""Of a period: so much before and after a top is compared with the next one."""

SAME_LIE_RAD = 0.15
"""A leg that lies differently by more tells nothing about how it lay before."""


@dataclass(frozen=True, slots=True)
class Pump:
    """One cycle in a set; times in seconds from the start of its frame, `alike` its likeness to those beside it."""

    onset_s: float
    peak_s: float
    end_s: float
    tilt_rad: float
    alike: float


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
    a, b = (off_line(course[k - before : k + after + 1]) for k in (one, other))
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
