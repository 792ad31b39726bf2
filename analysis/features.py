"""Orientation-free traces of a frame: how the shank turns, lifts and shifts.

No axis, side or direction of the sensor is assumed. Up is the mean specific force of the frame; the sagittal
axis is the one the gyroscope turns about most; which way is plantar flexion follows from the lift of the heel.
The gyroscope's axes are never compared with the accelerometer's, so a mirrored board makes no difference.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.frames import BEFORE, CENTRE, FRAME, BoolArray
from analysis.grid import GRID_HZ
from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray

BASELINE = 101
"""Samples of the moving average that is taken off as baseline (4 s): slower than any heel raise counted."""

LIFT_PER_TILT_M = 0.6
"""Lift of the heel per tilt of the shank in the middle of what the closed chain gives (0.4 to 1.0 m)."""

LEVERS_M = np.linspace(-2.4, 2.4, 49)
"""Lever arms tried by `chain_fit`."""

ABOVE = (LEVERS_M > 0.11) & (LEVERS_M < 1.01)
BELOW = LEVERS_M < -0.29
"""Where the centre can be. The closed chain gives 0.2 to 0.8 m above a sensor between ankle and mid-shank when
seated; the leg that leans over the ball of the foot 0.4 m below and more."""


def _weight() -> FloatArray:
    """Weight of each sample in what a frame says about its centre: a raised cosine of 10 s."""
    distance = np.abs(np.arange(FRAME) + 0.5 - (BEFORE + CENTRE / 2)) / GRID_HZ
    return np.where(distance < 5.0, 0.5 + 0.5 * np.cos(np.pi * distance / 5.0), 0.0)


WEIGHT = _weight()


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """Traces of f frames, each (f, FRAME), without their slow baseline.

    Attributes:
        turn_rad_s: rate of turn about the sagittal axis, plantar flexion positive.
        tilt_rad: its integral.
        lift_mps: vertical velocity of the sensor, up positive.
        height_m: its integral.
        plain_tilt_rad: integral of the turn with nothing taken off but its mean over the frame.
        off_axis: (f,) share of the turning that is about other axes, 0 = a pure hinge.
        fit: how the horizontal force agrees with a hinge above or below the sensor.
        shock_mps2: change of the specific force from sample to sample.
    """

    turn_rad_s: FloatArray
    tilt_rad: FloatArray
    lift_mps: FloatArray
    height_m: FloatArray
    plain_tilt_rad: FloatArray
    swing_rad_s: FloatArray
    off_axis: FloatArray
    fit: ChainFit
    shock_mps2: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class ChainFit:
    """Which horizontal lever explains the fore-aft force best; see `chain_fit`.

    Attributes:
        lever_m: (f,) centre of turn above (+) or below (-) the sensor.
        evidence: (f,) log-likelihood that it is above rather than below.
        misfit: (f,) horizontal power that the best lever leaves unexplained, as a share of all of it or, where
            gravity and inertia cancel, of gravity's part alone.
    """

    lever_m: FloatArray
    evidence: FloatArray
    misfit: FloatArray


def moving_average(x: FloatArray, width: int) -> FloatArray:
    """Centred moving average over the last axis; the ends hold their value. Odd width in samples."""
    half = width // 2
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(half + 1, half)], mode="edge")
    total = np.cumsum(padded, axis=-1)
    return (total[..., width:] - total[..., :-width]) / width


def _off_baseline(x: FloatArray) -> FloatArray:
    return x - moving_average(x, BASELINE)


def _integral(x: FloatArray) -> FloatArray:
    return np.cumsum(x, axis=-1) / GRID_HZ


def traces(acc_mps2: FloatArray, gyr_rad_s: FloatArray, has_gyr: BoolArray) -> Traces:
    """All traces of f frames.

    Without a gyroscope the turn is guessed from the lift, as the closed chain joins them; only the shape of the
    horizontal force then tells which way the hinge lies.

    Args:
        acc_mps2: (f, 3, FRAME) specific force.
        gyr_rad_s: (f, 3, FRAME) angular rate.
        has_gyr: (f,) whether there is an angular rate at all.
    """
    up = (acc_mps2 * WEIGHT).sum(axis=2)
    up /= np.sqrt((up * up).sum(axis=1))[:, None]
    force = _off_baseline(_off_baseline(acc_mps2))
    vertical = _along(force, up)
    lift = _off_baseline(_integral(_off_baseline(_along(acc_mps2, up))))
    turning = _off_baseline(gyr_rad_s)
    axis, off_axis = principal_axis(turning)
    plain_turn = _along(gyr_rad_s, axis)
    turn = _off_baseline(_along(turning, axis))
    sign = np.where((turn * lift * WEIGHT).sum(axis=1) < 0.0, -1.0, 1.0)
    plain_turn = (plain_turn - plain_turn.mean(axis=1)[:, None]) * sign[:, None]
    turn = np.where(has_gyr[:, None], turn * sign[:, None], lift / LIFT_PER_TILT_M)
    across = force - up[:, :, None] * vertical[:, None, :]
    return Traces(
        turn_rad_s=turn,
        tilt_rad=_off_baseline(_integral(turn)),
        lift_mps=lift,
        height_m=_off_baseline(_integral(lift)),
        plain_tilt_rad=_integral(np.where(has_gyr[:, None], plain_turn, turn)),
        swing_rad_s=moving_average(moving_average(turn, 7), 7),
        off_axis=off_axis,
        fit=chain_fit(across, turn, vertical, has_gyr),
        shock_mps2=np.abs(np.diff(vertical, axis=1, prepend=vertical[:, :1])),
    )


def _along(vectors: FloatArray, direction: FloatArray) -> FloatArray:
    """Component (f, n) of vectors (f, 3, n) along one direction (f, 3) a frame."""
    out: FloatArray = (
        vectors[:, 0] * direction[:, 0, None]
        + vectors[:, 1] * direction[:, 1, None]
        + vectors[:, 2] * direction[:, 2, None]
    )
    return out


def principal_axis(turning: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Axis (f, 3) that (f, 3, n) turns about most, and the share of the turning that is about others."""
    weighted = turning * WEIGHT
    moment = np.empty((turning.shape[0], 3, 3))
    for i in range(3):
        for j in range(i, 3):
            moment[:, i, j] = moment[:, j, i] = (weighted[:, i] * turning[:, j]).sum(axis=1)
    values, vectors = np.linalg.eigh(moment)
    total = values.sum(axis=1)
    return vectors[:, :, 2], 1.0 - values[:, 2] / np.where(total > 0.0, total, 1.0)


def chain_fit(
    across_mps2: FloatArray, turn_rad_s: FloatArray, vertical_mps2: FloatArray, sized: BoolArray
) -> ChainFit:
    """Is the shank's horizontal centre of turn above or below the sensor?

    A shank that tilts by p(t) about a point at height c above the sensor feels, along one horizontal direction
    of its own axes, the force g p + c p'' (gravity let in by the tilt, and the sensor's own acceleration). In a
    seated heel raise the knee goes straight up while the ankle goes forward: the centre lies near the knee,
    c > 0. In a standing raise the whole leg goes forward and leans forward: c < 0. Neither the direction, nor
    the sign of p, nor the handedness of the gyroscope matters: p and c p'' change sign together.

    Args:
        across_mps2: (f, 3, n) horizontal part of the specific force, baseline taken off.
        turn_rad_s: (f, n) rate of turn p', likewise.
        vertical_mps2: (f, n) vertical acceleration; it adds to gravity while the shank is tilted.
        sized: (f,) the size of p is measured, not only its course.
    """
    tilt = _integral(turn_rad_s)
    tilt -= ((tilt * WEIGHT).sum(axis=1) / WEIGHT.sum())[:, None]
    gravity = (STANDARD_GRAVITY_MPS2 + vertical_mps2) * tilt
    inertia = np.gradient(turn_rad_s, axis=1) * GRID_HZ
    weighted_g, weighted_i = gravity * WEIGHT, inertia * WEIGHT
    power = (across_mps2 * across_mps2 * WEIGHT).sum(axis=(1, 2))
    with_g = (across_mps2 * weighted_g[:, None, :]).sum(axis=2)
    with_i = (across_mps2 * weighted_i[:, None, :]).sum(axis=2)
    gg, gi, ii = ((weighted_g * gravity).sum(axis=1), (weighted_g * inertia).sum(axis=1),
                  (weighted_i * inertia).sum(axis=1))  # fmt: skip
    c = LEVERS_M[None, :]
    match = with_g[:, :, None] + c[:, None, :] * with_i[:, :, None]
    square = (match * match).sum(axis=1)
    model = gg[:, None] + 2.0 * c * gi[:, None] + c * c * ii[:, None]
    explained = np.where(sized[:, None], 2.0 * np.sqrt(square) - model, square / np.maximum(model, 1e-12))
    left = power[:, None] - explained
    best = left.argmin(axis=1)
    above, below = left[:, ABOVE].min(axis=1), left[:, BELOW].min(axis=1)
    least = np.maximum(left[np.arange(best.size), best], 1e-9)
    return ChainFit(LEVERS_M[best], (below - above) / least, least / np.maximum(np.maximum(power, gg), 1e-9))
