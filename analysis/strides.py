"""How far and how high a stride takes the ankle: what tells level walking, stairs and shuffling apart.

Foot and shank do the same again a stride later, so over one whole stride velocity and tilt come back to what they
were. That closes the integration: the mean of the force, turned back with the shank, is gravity, whatever the
sensor's offset; and what is left, integrated twice, is the way from stance to stance. Only the sagittal plane is
looked at. The gyroscope's sense against the accelerometer is not known; of the two the one is taken that leaves the
foot at rest in mid-stance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.features import Traces, along, principal_axis
from analysis.frames import FRAME
from analysis.grid import GRID_HZ
from analysis.peaks import IntArray, around
from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray

POINTS = 33
"""Points that a stride is sampled at."""

SHARES = np.linspace(-0.6, 0.4, POINTS, dtype=np.float32)
"""A stride goes from mid-stance to mid-stance: shares of it before and after mid-swing."""

EVENLY = np.linspace(0.0, 1.0, POINTS, dtype=np.float32)

STANDING = 4
"""Points at either end in which the foot stands."""

GRAVITY_WEIGHT = 20.0
"""Of an error of gravity beside one of standing still. Chosen on the simulated and the real walks for tuning."""

NEAR = np.flatnonzero(np.abs(SHARES) < 0.15)
"""Points about mid-swing."""

BESIDE = (-1.0, 1.0)
"""The stride before and the one after."""

LEVEL_M = 0.1
"""A stride that climbs no more is level, whatever its neighbours say: they are not asked (`Rules.level_climb_m`)."""

LONGEST_S = 2.2
"""A longer stride is not measured: it is two, with a stop between."""

ROUGH = 12
"""Samples to either side of mid-swing whose force tells how rough the gait is: half a second."""


@dataclass(frozen=True, slots=True, eq=False)
class Strides:
    """What strides did. All arrays (n,), NaN where it cannot be told.

    Attributes:
        climb_m: height gained from stance to stance, as far as the stride before or after agrees, if it is no level
            one.
        way_m: distance from stance to stance, short of the truth by what the shank turns over the foot meanwhile.
        clearance_m: how far the sensor rises above the higher of the two.
        rough_mps2: how much the size of the force differs from gravity (rms).
    """

    climb_m: FloatArray
    way_m: FloatArray
    clearance_m: FloatArray
    rough_mps2: FloatArray


def measure(traces: Traces, frame: IntArray, peak: IntArray, stride_s: FloatArray) -> Strides:
    """Measure the stride around each mid-swing.

    Args:
        traces: of f frames.
        frame: (n,) frame of each.
        peak: (n,) sample of its mid-swing.
        stride_s: (n,) its duration.
    """
    frames, at_frame = np.unique(frame, return_inverse=True)
    force, up, turn = traces.force_mps2[frames], traces.up[frames], traces.turn_rad_s[frames]
    swing = traces.swing_rad_s[frames]
    upward = along(force, up)
    across = force - up[:, :, None] * upward[:, None, :]
    across -= across.mean(axis=2, keepdims=True)
    onward = along(across, principal_axis(across)[0])
    size = np.sqrt((force * force).sum(axis=1)) - STANDARD_GRAVITY_MPS2
    known = (stride_s < LONGEST_S) & traces.has_gyr[frame]
    period = np.where(known, stride_s, 1.0).astype(force.dtype)

    def travel(some: IntArray, beside: float) -> tuple[FloatArray, FloatArray, FloatArray]:
        place = _Place.of(at_frame[some], _stride(peak[some], period[some], beside))
        return _travel(place.values(upward), place.values(onward), place.values(turn), period[some])

    def fastest(beside: float) -> FloatArray:
        place = _Place.of(at_frame, _stride(peak, period, beside)[:, NEAR])
        return np.abs(place.values(swing)).max(axis=1)

    own, way, clearance = travel(np.arange(peak.size), 0.0)
    least = 0.4 * fastest(0.0)
    moved = [fastest(beside) > least for beside in BESIDE]
    climbs = [np.where(there, own, np.nan) for there in moved]
    steep = np.flatnonzero(known & (np.abs(own) > LEVEL_M))
    if steep.size:
        for climb, there, beside in zip(climbs, moved, BESIDE, strict=True):
            climb[steep] = np.where(there[steep], travel(steep, beside)[0], np.nan)
    near = around(size, at_frame, peak, ROUGH, ROUGH)
    rough = np.sqrt((near * near).mean(axis=1))
    climb, way, clearance = (np.where(known, x, np.nan) for x in (_agreed(own, *climbs), way, clearance))
    return Strides(climb, way, clearance, rough)


def _stride(peak: IntArray, period_s: FloatArray, beside: float) -> FloatArray:
    """Samples (n, POINTS) of the stride about each mid-swing, or of the one so many strides later."""
    at: FloatArray = GRID_HZ * period_s[:, None] * (SHARES + beside)
    return at + peak[:, None]


def _agreed(own: FloatArray, before: FloatArray, after: FloatArray) -> FloatArray:
    """What a stride climbed as far as a neighbour agrees; NaN where it has none.

    The first and the last stride of a bout begin or end standing and fit badly: one alone proves nothing.
    """
    nearer = np.abs(before - own) <= np.abs(after - own)
    other = np.where(np.isnan(after) | nearer, before, after)
    less = np.where(np.abs(other) < np.abs(own), other, own)
    return np.where(np.isnan(other), np.nan, np.where(other * own > 0.0, less, 0.0))


def _travel(
    upward: FloatArray, onward: FloatArray, turn_rad_s: FloatArray, stride_s: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Climb, way and clearance (n,) of strides whose force and turn (n, POINTS) are known."""
    step_s = stride_s[:, None] / (POINTS - 1)
    tilt = _closed(turn_rad_s, step_s)
    cos, sin = np.cos(tilt), np.sin(tilt)
    one = _world(upward * cos + onward * sin, onward * cos - upward * sin)
    other = _world(upward * cos - onward * sin, onward * cos + upward * sin)
    nearer = _unlikely(*one) <= _unlikely(*other)
    rising, going = (np.where(nearer[:, None], a, b) for a, b in ((one[0], other[0]), (one[1], other[1])))
    height, way = (_integral(_closed(x, step_s), step_s) for x in (rising, going))
    climb = height[:, -1]
    return climb, np.abs(way[:, -1]), height.max(axis=1) - np.maximum(0.0, climb)


def _world(upward: FloatArray, onward: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Vertical and horizontal acceleration (n, POINTS), and the size of gravity (n,).

    Up is where the mean of a whole stride points.
    """
    up, on = _mean(upward), _mean(onward)
    gravity = np.hypot(up, on)
    up, on = (up / gravity)[:, None], (on / gravity)[:, None]
    return upward * up + onward * on - gravity[:, None], onward * up - upward * on, gravity


def _unlikely(rising: FloatArray, going: FloatArray, gravity: FloatArray) -> FloatArray:
    """How badly (n,) a stride fits: the foot moves where it stands, at both ends, or gravity is not what it is."""
    square = rising * rising + going * going
    moving = (square[:, :STANDING].mean(axis=1) + square[:, -STANDING:].mean(axis=1)) / 2.0
    return moving + GRAVITY_WEIGHT * (gravity - STANDARD_GRAVITY_MPS2) ** 2


def _mean(x: FloatArray) -> FloatArray:
    """Mean over the stride, its two ends counted half."""
    mean: FloatArray = (x[:, 1:] + x[:, :-1]).mean(axis=1) / 2.0
    return mean


def _integral(x: FloatArray, step_s: FloatArray) -> FloatArray:
    out = np.zeros_like(x)
    out[:, 1:] = np.cumsum((x[:, 1:] + x[:, :-1]) * (0.5 * step_s), axis=1)
    return out


def _closed(x: FloatArray, step_s: FloatArray) -> FloatArray:
    """Integral that ends where it began: what is left at the end is drift, and is taken off evenly."""
    out = _integral(x, step_s)
    return out - out[:, -1:] * EVENLY


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Places between samples (n, k) in some of the frames, so that several traces share the search."""

    row: IntArray
    low: IntArray
    share: FloatArray

    @staticmethod
    def of(frame: IntArray, at: FloatArray) -> _Place:
        low = np.clip(at.astype(np.int64), 0, FRAME - 2)
        return _Place(frame[:, None], low, np.clip(at - low, 0.0, 1.0).astype(np.float32))

    def values(self, x: FloatArray) -> FloatArray:
        """Traces (f, FRAME) there, by straight lines."""
        before = x[self.row, self.low]
        return before + (x[self.row, self.low + 1] - before) * self.share
