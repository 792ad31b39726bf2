"""Where the shank turns: above the sensor (seated), below it (standing) or level with it (lying)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.courses import ALL_WEIGHT, WEIGHT, WEIGHTY, integral, moving_average
from analysis.frames import BoolArray, sums_of
from analysis.grid import GRID_HZ
from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray

SMOOTH, SMOOTHER = 5, 3
"""`chain_fit` compares means over so many samples, too, and those smoothed by two averages over so many means.

The wider takes the rhythm of fast raises away, whose inertia is as large as gravity seven times over, and leaves what
gravity alone explains: that the leg leans on the whole while they last, and what their unevenness adds."""

PART = slice(WEIGHTY.start - 2 * SMOOTH, WEIGHTY.stop + 2 * SMOOTH)
"""Samples that have weight, and those that their smoothed means reach."""

WEIGHT_OF_MEANS = WEIGHT[PART].reshape(-1, SMOOTH).mean(axis=1)

LEVERS_M = np.linspace(-2.4, 2.4, 49)
"""Lever arms tried by `chain_fit`."""

ABOVE = (LEVERS_M > 0.09) & (LEVERS_M < 1.01)
BELOW = LEVERS_M < -0.29
"""Where the centre can be. The closed chain gives 0.1 to 0.8 m above a sensor between ankle and mid-shank when
seated; the leg that leans over the ball of the foot 0.4 m below and more."""


@dataclass(frozen=True, slots=True, eq=False)
class ChainFit:
    """Which horizontal lever explains the fore-aft force best; see `chain_fit`.

    Attributes:
        lever_m: (f,) centre of turn above (+) or below (-) the sensor.
        evidence: (f,) log-likelihood that it is above rather than below.
        level_evidence: (f,) that it lies neither above nor below but level with the sensor, as in a lying leg
            that is raised from the hip.
        misfit: (f,) horizontal power that the best lever leaves unexplained, as a share of all of it or, where
            gravity and inertia cancel, of gravity's part alone.
        slow_misfit: (f,) likewise of the smoothest courses, in which a vehicle hardly shakes; 1 without a gyroscope.
    """

    lever_m: FloatArray
    evidence: FloatArray
    level_evidence: FloatArray
    misfit: FloatArray
    slow_misfit: FloatArray


def chain_fit(across_mps2: FloatArray, turn_rad_s: FloatArray, vertical_mps2: FloatArray, sized: BoolArray) -> ChainFit:
    """Is the shank's horizontal centre of turn above or below the sensor?

    A shank that tilts by p(t) about a point at height c above the sensor feels, along one horizontal direction
    of its own axes, the force g p + c p'' (gravity let in by the tilt, and the sensor's own acceleration). In a
    seated heel raise the knee goes straight up while the ankle goes forward: the centre lies near the knee,
    c > 0. In a standing raise the whole leg goes forward and leans forward: c < 0. Neither the direction, nor
    the sign of p, nor the handedness of the gyroscope matters: p and c p'' change sign together. The fit is made
    as measured and smoothed: in a quick move inertia hides gravity, whose sign is what is asked for. Where the size
    of p is measured, the smoothest fit alone tells above from below.

    Args:
        across_mps2: (f, 3, n) horizontal part of the specific force, baseline taken off.
        turn_rad_s: (f, n) rate of turn p', likewise.
        vertical_mps2: (f, n) vertical acceleration; it adds to gravity while the shank is tilted.
        sized: (f,) the size of p is measured, not only its course.
    """
    tilt = integral(turn_rad_s)
    tilt = tilt[:, PART] - ((tilt * WEIGHT).sum(axis=1) / ALL_WEIGHT)[:, None]
    courses = np.empty((tilt.shape[0], 5, tilt.shape[1]), dtype=tilt.dtype)
    courses[:, FORCE] = across_mps2[:, :, PART]
    np.multiply(STANDARD_GRAVITY_MPS2 + vertical_mps2[:, PART], tilt, out=courses[:, GRAVITY])
    courses[:, INERTIA] = _rate(turn_rad_s)[:, PART]
    quick = _lever_fit(courses, sized, WEIGHT[PART])
    means = sums_of(courses, SMOOTH, SMOOTH) / SMOOTH
    both = _lever_fit(np.concatenate([means, _smooth(means)]), np.concatenate([sized, sized]), WEIGHT_OF_MEANS)
    n = sized.size  # of the means first, and then of the smoothed ones
    return ChainFit(
        quick.lever_m,
        np.where(sized, both.evidence[n:], quick.evidence + both.evidence[:n]),
        np.minimum(quick.level_evidence, both.level_evidence[:n]),
        quick.misfit,
        np.where(sized, both.misfit[n:], 1.0),
    )


FORCE, GRAVITY, INERTIA = slice(0, 3), 3, 4
"""Courses that are fitted, in this order: the horizontal force (3 axes), and the two that should explain it."""


def _lever_fit(courses: FloatArray, sized: BoolArray, weight: FloatArray) -> ChainFit:
    """Try every lever: how much of the horizontal force does gravity + lever * inertia leave unexplained?"""
    product = np.einsum("fin,fjn->fij", courses * weight, courses).astype(np.float64)
    power = product[:, 0, 0] + product[:, 1, 1] + product[:, 2, 2]
    with_g, with_i = product[:, FORCE, GRAVITY], product[:, FORCE, INERTIA]
    # What gravity + lever * inertia has in common with the force, and its own power, are parabolas of the lever.
    square = _parabolas((with_g * with_g).sum(axis=1), (with_g * with_i).sum(axis=1), (with_i * with_i).sum(axis=1))
    model = _parabolas(product[:, GRAVITY, GRAVITY], product[:, GRAVITY, INERTIA], product[:, INERTIA, INERTIA])
    square = np.maximum(square, 0.0)
    explained = np.where(sized[:, None], 2.0 * np.sqrt(square) - model, square / np.maximum(model, 1e-12))
    left = power[:, None] - explained
    best = left.argmin(axis=1)
    above, below = left[:, ABOVE].min(axis=1), left[:, BELOW].min(axis=1)
    level = left[:, ~ABOVE & ~BELOW].min(axis=1)
    least = np.maximum(left[np.arange(best.size), best], 1e-9)
    misfit = least / np.maximum(np.maximum(power, product[:, GRAVITY, GRAVITY]), 1e-9)
    return ChainFit(
        LEVERS_M[best],
        (below - above) / least,
        (np.minimum(above, below) - level) / least,
        misfit,
        misfit,
    )


def _parabolas(one: FloatArray, two: FloatArray, three: FloatArray) -> FloatArray:
    """At every lever c the parabola `one + 2 c two + c^2 three`, (f, levers)."""
    return one[:, None] + two[:, None] * (2.0 * LEVERS_M) + three[:, None] * (LEVERS_M * LEVERS_M)


def _rate(x: FloatArray) -> FloatArray:
    """Change of x (f, n) in a second, from the sample before to the one after."""
    rate = np.empty_like(x)
    np.subtract(x[:, 2:], x[:, :-2], out=rate[:, 1:-1])
    rate[:, 0], rate[:, -1] = 2.0 * (x[:, 1] - x[:, 0]), 2.0 * (x[:, -1] - x[:, -2])
    rate *= 0.5 * GRID_HZ
    return rate


def _smooth(means: FloatArray) -> FloatArray:
    return moving_average(moving_average(means, SMOOTHER), SMOOTHER)
