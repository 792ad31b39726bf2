"""Orientation-free traces of a frame: how the shank turns, lifts and shifts.

No axis, side or direction of the sensor is assumed. Up is the mean specific force of the frame; the sagittal
axis is the one the gyroscope turns about most; which way is plantar flexion follows from the lift of the heel.
The gyroscope's axes are never compared with the accelerometer's, so a mirrored board makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.courses import ALL_WEIGHT, WEIGHT, WEIGHTY, integral, moving_average, off_average
from analysis.frames import BEFORE, CENTRE, BoolArray
from analysis.hinge import ChainFit, chain_fit
from analysis.peaks import IntArray
from analysis.samples import FloatArray

BASELINE = 101
"""Samples of the moving average that is taken off as baseline (4 s): slower than any heel raise counted."""

GAIT_FORCE_MPS2 = 2.2
"""Horizontal force (rms over 6 s) that walking exceeds and heel raises hardly do."""

SWING_PER_FORCE = 0.8
"""Smoothed swing that goes with a smoothed horizontal force in walking: about 2 rad/s at 2.5 m/s2."""

SLOWEST_RAD_S = 0.3
"""A swing slower than this is not looked at."""

BESIDE = (5, 12)
"""Just before and just after a turn: 0.2 to 0.5 s (samples). The heel goes up 0.25 to 0.35 s before mid-swing."""

LIFT_PER_TILT_M = 0.6
"""Lift of the heel per tilt of the shank in the middle of what the closed chain gives (0.4 to 1.0 m)."""


@dataclass(frozen=True, slots=True, eq=False)
class Traces:
    """Traces of f frames, each (f, FRAME), without their slow baseline.

    Attributes:
        turn_rad_s: rate of turn about the sagittal axis, plantar flexion positive.
        tilt_rad: its integral.
        lift_mps: vertical velocity of the sensor, up positive.
        height_m: its integral.
        swing_rad_s: the turn smoothed as steps want it.
        forward: (f,) sign of the swing in which the leg goes forward, see `way_forward`.
        heel_first: (f,) how much more the shank turns just before its fast turns than just after, -1 to 1.
        off_axis: (f,) share of the turning that is about other axes, 0 = a pure hinge.
        shock_mps2: change of the specific force from sample to sample.
        plain_turn_rad_s: the turn about the sagittal axis with nothing taken off.
        vertical_mps2: vertical part of the force.
        quick_mps2: (f, 3, FRAME) specific force with its baseline taken off once; the others have it taken off twice.
        force_mps2: (f, 3, FRAME) specific force as it was measured.
        up: (f, 3) which way is up in it, on the whole.
        has_gyr: (f,) the turn was measured, not guessed.
    """

    turn_rad_s: FloatArray
    tilt_rad: FloatArray
    lift_mps: FloatArray
    height_m: FloatArray
    swing_rad_s: FloatArray
    forward: FloatArray
    heel_first: FloatArray
    off_axis: FloatArray
    shock_mps2: FloatArray
    plain_turn_rad_s: FloatArray
    vertical_mps2: FloatArray
    quick_mps2: FloatArray
    force_mps2: FloatArray
    up: FloatArray
    has_gyr: BoolArray


def _off_baseline(x: FloatArray) -> FloatArray:
    return off_average(x, BASELINE)


def traces(acc_mps2: FloatArray, gyr_rad_s: FloatArray, has_gyr: BoolArray) -> Traces:
    """All traces of f frames.

    Without a gyroscope the turn is guessed from the lift, as the closed chain joins them; only the shape of the
    horizontal force then tells which way the hinge lies.

    Args:
        acc_mps2: (f, 3, FRAME) specific force.
        gyr_rad_s: (f, 3, FRAME) angular rate.
        has_gyr: (f,) whether there is an angular rate at all.
    """
    up = (acc_mps2[:, :, WEIGHTY] * WEIGHT[WEIGHTY]).sum(axis=2)
    up /= np.sqrt((up * up).sum(axis=1))[:, None]
    quick = _off_baseline(acc_mps2)
    rise = along(quick, up)
    vertical = _off_baseline(rise)
    lift = _off_baseline(integral(_either(has_gyr, lambda: rise, lambda: _off_baseline(_size(acc_mps2)))))
    turning = _off_baseline(gyr_rad_s)
    axis, off_axis = principal_axis(turning)
    turn = _off_baseline(along(turning, axis))
    sign = np.where((turn * lift * WEIGHT).sum(axis=1) < 0.0, np.float32(-1.0), np.float32(1.0))[:, None]
    turn = _either(has_gyr, lambda: turn * sign, lambda: lift / LIFT_PER_TILT_M)
    swing = _either(has_gyr, lambda: turn, lambda: _swing_by_force(_horizontal(quick, vertical, up)))
    smooth = moving_average(moving_average(swing, 7), 7)
    forward, heel_first = np.ones_like(swing[:, 0]), np.zeros(len(swing))
    swings = np.flatnonzero(np.abs(smooth).max(axis=1, initial=0.0) > SLOWEST_RAD_S)
    if swings.size:
        forward[swings], heel_first[swings] = way_forward(swing[swings], smooth[swings])
    tilt, height = off_average(integral(np.stack([turn, lift])), BASELINE)
    return Traces(
        turn_rad_s=turn,
        tilt_rad=tilt,
        lift_mps=lift,
        height_m=height,
        swing_rad_s=smooth,
        forward=forward,
        heel_first=heel_first,
        off_axis=np.where(has_gyr, off_axis, 0.0),
        shock_mps2=_shock(vertical),
        plain_turn_rad_s=_either(has_gyr, lambda: along(gyr_rad_s, axis) * sign, lambda: turn),
        vertical_mps2=vertical,
        quick_mps2=quick,
        force_mps2=acc_mps2,
        up=up,
        has_gyr=has_gyr,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Closer:
    """What only raises are asked about, of the frames in which there are any.

    Attributes:
        plain_tilt_rad: (k, FRAME) integral of the turn with nothing taken off but the gyroscope's offset, its median.
        fit: how the horizontal force agrees with a hinge above or below the sensor.
    """

    plain_tilt_rad: FloatArray
    fit: ChainFit


def look_closer(traces: Traces, frames: IntArray) -> Closer:
    """Look closer at some frames (k,)."""
    turn, plain_turn, vertical = (x[frames] for x in (traces.turn_rad_s, traces.plain_turn_rad_s, traces.vertical_mps2))
    has_gyr = traces.has_gyr[frames]
    plain_turn = _either(has_gyr, lambda: plain_turn - _median(plain_turn)[:, None], lambda: plain_turn)
    across = _horizontal(traces.quick_mps2[frames], vertical, traces.up[frames])
    return Closer(integral(plain_turn), chain_fit(across, turn, vertical, has_gyr))


def _horizontal(quick_mps2: FloatArray, vertical_mps2: FloatArray, up: FloatArray) -> FloatArray:
    """The horizontal part (f, 3, FRAME) of the force, its baseline taken off twice."""
    across = _off_baseline(quick_mps2)
    across -= up[:, :, None] * vertical_mps2[:, None, :]
    return across


def _either(has_gyr: BoolArray, with_it: Callable[[], FloatArray], without: Callable[[], FloatArray]) -> FloatArray:
    """The one (f, n) for frames with a gyroscope, the other for those without; what no frame needs is not made."""
    if has_gyr.all():
        return with_it()
    return np.where(has_gyr[:, None], with_it(), without()) if has_gyr.any() else without()


def _size(acc_mps2: FloatArray) -> FloatArray:
    """What lifts where no gyroscope tells tilt from lift: the size of the force.

    A leg that only leans leaves it as it is, but not the part along the mean direction.
    """
    x, y, z = acc_mps2[:, 0], acc_mps2[:, 1], acc_mps2[:, 2]
    return np.sqrt(x * x + y * y + z * z)


def _median(x: FloatArray) -> FloatArray:
    """Of each row (f, FRAME): numpy sorts single precision quicker than it looks for the middle."""
    middle = x.shape[1] // 2
    return np.sort(x, axis=1)[:, middle - 1 : middle + 1].mean(axis=1)


def _shock(vertical_mps2: FloatArray) -> FloatArray:
    """Size of the change from one sample to the next."""
    change = np.zeros_like(vertical_mps2)
    np.subtract(vertical_mps2[:, 1:], vertical_mps2[:, :-1], out=change[:, 1:])
    return np.abs(change, out=change)


def _swing_by_force(across_mps2: FloatArray) -> FloatArray:
    """A swing of gait without a gyroscope: the leg leans to and fro once a stride, and is thrown forward hard."""
    near = slice(BEFORE - CENTRE, BEFORE + 2 * CENTRE)
    thrown = np.sqrt((across_mps2[:, :, near] ** 2).sum(axis=1).mean(axis=1)) > GAIT_FORCE_MPS2
    axis, _ = principal_axis(across_mps2)
    return along(across_mps2, axis) * (SWING_PER_FORCE * thrown[:, None].astype(across_mps2.dtype))


def way_forward(swing_rad_s: FloatArray, smooth_rad_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Which way the leg swings forward, and how much its turns are heel first.

    In level gait the shank turns fastest in the forward swing. On the way upstairs it turns as fast when the heel
    goes up; but that comes just before the forward swing, and after it the foot stands. Both are asked. A pendulum
    turns alike before and after.

    Args:
        swing_rad_s: (f, n) rate of turn.
        smooth_rad_s: (f, n) the same, smoothed.

    Returns:
        Sign (f,) of the forward turn, and for turns of that sign heel_first (f,).
    """
    fast = moving_average(swing_rad_s, 3)
    square = fast * fast * WEIGHT
    skew = (square * fast).sum(axis=1) / np.maximum(square.sum(axis=1), 1e-12) ** 1.5 * np.sqrt(ALL_WEIGHT)
    near, far = BESIDE
    square = smooth_rad_s * smooth_rad_s
    running = np.concatenate([np.zeros_like(square[:, :1]), np.cumsum(square, axis=1)], axis=1)
    span = running[:, far - near + 1 :] - running[:, : near - far - 1]  # span[k]: samples k to k + far - near
    before, after = span[:, : -near - far], span[:, near + far :]
    inner = (square * smooth_rad_s)[:, far:-far] * WEIGHT[far:-far]
    size = (np.abs(inner) * (before + after)).sum(axis=1)
    heel_first = (inner * (before - after)).sum(axis=1) / np.maximum(size, 1e-12)
    forward = np.where(skew + heel_first < 0.0, -1.0, 1.0)
    return forward, heel_first * forward


def along(vectors: FloatArray, direction: FloatArray) -> FloatArray:
    """Component (f, n) of vectors (f, 3, n) along one direction (f, 3) a frame."""
    out: FloatArray = (
        vectors[:, 0] * direction[:, 0, None]
        + vectors[:, 1] * direction[:, 1, None]
        + vectors[:, 2] * direction[:, 2, None]
    )
    return out


def principal_axis(turning: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Axis (f, 3) that (f, 3, n) turns about most, and the share of the turning that is about others."""
    turning = turning[:, :, WEIGHTY]
    moment = np.einsum("fin,fjn->fij", turning * WEIGHT[WEIGHTY], turning)
    values, vectors = np.linalg.eigh(moment.astype(np.float64))
    total = values.sum(axis=1)
    return vectors[:, :, 2].astype(turning.dtype), 1.0 - values[:, 2] / np.where(total > 0.0, total, 1.0)
