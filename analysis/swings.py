"""Find what could be a step: forward swings of the shank. And frames in which the leg bounces and does not swing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.courses import off_average
from analysis.features import SLOWEST_RAD_S, Traces
from analysis.frames import BEFORE, CENTRE, BoolArray
from analysis.grid import GRID_HZ
from analysis.peaks import REACH, IntArray, around, between, centre_peaks, crossing, first_of
from analysis.raises import GAIT_RAD_S
from analysis.samples import FloatArray
from analysis.strides import Strides, measure

MEASURED_RAD_S = 0.5
"""The stride of a slower swing is not measured."""

NEAREST, FAR = 10, 10 * REACH
"""Another swing is at least so far away; and where there is none, it is this far (samples)."""


@dataclass(frozen=True, slots=True, eq=False)
class SwingCandidates:
    """Forward swings of the shank. All arrays (n,).

    Attributes:
        frame: index of the frame.
        onset, peak, end: samples within the frame: swing begins, is fastest, ends.
        rate_rad_s: greatest smoothed rate.
        angle_rad: angle swept.
        share: the rate as a share of the fastest swing within 2.5 s.
        companion_s: time to the nearest other swing at least 0.4 as fast.
        skew: of the turning within 4 s: 0 for a pendulum; gait swings forward faster than it leans back.
        heel_first: of its frame, see `features.way_forward`: 0 for a pendulum.
        strike_mps2: greatest shock from mid-swing to 0.6 s later.
        climb_m, way_m, clearance_m, rough_mps2: of its stride, see `strides.Strides`; NaN where it is too slow a swing.
    """

    frame: IntArray
    onset: FloatArray
    peak: FloatArray
    end: FloatArray
    rate_rad_s: FloatArray
    angle_rad: FloatArray
    share: FloatArray
    companion_s: FloatArray
    skew: FloatArray
    heel_first: FloatArray
    strike_mps2: FloatArray
    climb_m: FloatArray
    way_m: FloatArray
    clearance_m: FloatArray
    rough_mps2: FloatArray


def swing_candidates(traces: Traces) -> SwingCandidates:
    """Every forward swing; forward is the way the shank turns fastest, as in every gait."""
    swing = traces.swing_rad_s * traces.forward[:, None]
    frame, peak = centre_peaks(swing)
    rate = swing[frame, peak]
    keep = (rate > SLOWEST_RAD_S) & (rate >= around(swing, frame, peak, 8, 8).max(axis=1, initial=-np.inf))
    frame, peak, rate = frame[keep], peak[keep], rate[keep]
    window = around(swing, frame, peak, REACH, REACH)
    onset = crossing(window[:, REACH::-1], 0.1 * rate)
    end = crossing(window[:, REACH:], 0.1 * rate)
    inside = between(window.shape[1], REACH - onset, REACH + end)
    square = window * window
    near = window[:, REACH - 62 : REACH + 63].max(axis=1, initial=0.0)
    strike = around(traces.shock_mps2, frame, peak, 0, 15).max(axis=1, initial=0.0)
    companion_s = _companion_s(window, rate)
    stride = _strides(traces, frame, peak, rate, companion_s)
    return SwingCandidates(
        frame=frame,
        onset=peak - onset,
        peak=peak + _vertex(window),
        end=peak + end,
        rate_rad_s=rate,
        angle_rad=(window * inside).sum(axis=1) / GRID_HZ,
        share=rate / np.maximum(near, 1e-12),
        companion_s=companion_s,
        skew=(square * window).mean(axis=1) / np.maximum(square.mean(axis=1), 1e-12) ** 1.5,
        heel_first=traces.heel_first[frame],
        strike_mps2=strike,
        climb_m=stride.climb_m,
        way_m=stride.way_m,
        clearance_m=stride.clearance_m,
        rough_mps2=stride.rough_mps2,
    )


def _strides(traces: Traces, frame: IntArray, peak: IntArray, rate: FloatArray, stride_s: FloatArray) -> Strides:
    """The strides of swings that are fast enough for a step."""
    fast = np.flatnonzero(rate > MEASURED_RAD_S)
    made = [np.full(rate.size, np.nan) for _ in range(4)]
    if fast.size:
        found = measure(traces, frame[fast], peak[fast], stride_s[fast])
        for all_of, own in zip(made, (found.climb_m, found.way_m, found.clearance_m, found.rough_mps2), strict=True):
            all_of[fast] = own
    return Strides(*made)


def _companion_s(window: FloatArray, rate: FloatArray) -> FloatArray:
    """Time to the nearest other forward swing that is at least 0.4 as fast, in s."""
    inner = window[:, 1:-1]
    tops = (inner > window[:, :-2]) & (inner >= window[:, 2:]) & (inner > 0.4 * rate[:, None])
    before, after = tops[:, REACH - 1 - NEAREST :: -1], tops[:, REACH - 1 + NEAREST :]
    return (NEAREST + np.minimum(first_of(before, FAR - NEAREST), first_of(after, FAR - NEAREST))) / GRID_HZ


def _vertex(window: FloatArray) -> FloatArray:
    """Offset of the true maximum from the sample at REACH, by a parabola through three samples."""
    before, top, after = window[:, REACH - 1], window[:, REACH], window[:, REACH + 1]
    bend = before - 2.0 * top + after
    return np.where(bend < 0.0, 0.5 * (before - after) / np.where(bend < 0.0, bend, 1.0), 0.0)


def is_bouncing(traces: Traces, least_hz: float, least_m: float) -> BoolArray:
    """Frames whose centre bounces: the sensor goes up and down quickly, and the shank does not swing as in gait.

    Upward strokes are counted over 4 s; one counts that is at least 0.4 as fast as the fastest.
    """
    near = slice(BEFORE - GRID_HZ, BEFORE + CENTRE + GRID_HZ)
    lift = traces.lift_mps[:, near]
    inner = lift[:, 1:-1]
    tops = (inner > lift[:, :-2]) & (inner >= lift[:, 2:]) & (inner > 0.4 * lift.max(axis=1, initial=0.0)[:, None])
    quick = tops.sum(axis=1) * GRID_HZ / lift.shape[1] >= least_hz
    centre = slice(BEFORE, BEFORE + CENTRE)
    quickly = off_average(traces.height_m, 11)[:, centre]
    strong = np.sqrt((quickly * quickly).mean(axis=1)) > least_m
    swing = np.abs(traces.swing_rad_s[:, centre]).max(axis=1, initial=0.0)
    return quick & strong & (swing < GAIT_RAD_S / 2)
