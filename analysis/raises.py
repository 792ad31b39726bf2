"""Find what could be a heel raise: peaks of the heel's course, by tilt and lift together."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from analysis.courses import correlation, moving_average
from analysis.features import Traces, look_closer
from analysis.grid import GRID_HZ
from analysis.hinge import ChainFit
from analysis.holds import holds
from analysis.peaks import REACH, IntArray, around, between, centre_peaks, crossing, first_of
from analysis.samples import FloatArray

GAIT_RAD_S = 1.7
"""Smoothed rate of turn that a heel raise never reaches."""

LOWEST_M = 0.002
"""A rise of the heel's course by less than this, within 2 s, is not looked at."""

HOLD_EVENNESS, HOLD_COHERENCE = 0.35, 0.55
"""What the turns at both ends of a hold, and turn and lift, have in common at least."""

MARGIN = 5
"""Samples beside a raise that count towards its coherence."""


@dataclass(frozen=True, slots=True, eq=False)
class RaiseCandidates:
    """Peaks of the heel's height. All arrays (n,), in order of frame and sample.

    What lies near a swing of gait is part of it: of that, nothing below `near_swing_s` is measured, and is NaN.

    Attributes:
        frame: index of the frame.
        onset, peak, end: samples within the frame, with fractions.
        near_swing_s: time to the nearest swing of gait.
        lift_m: rise of the sensor, mean of the way up and the way down.
        tilt_rad: turn of the shank that goes with it, in the same sense as the lift when positive.
        plain_tilt_rad: the same without a baseline taken off: a rebound of the baseline has none of it.
        coherence: correlation of lifting and turning speed between onset and end.
        evenness: the smaller of rise and fall as a share of the larger.
        plain_evenness: likewise of the tilt with nothing taken off: a lean to another posture has none.
        size_m: the smaller of rise and fall of the heel's course.
        share: greatest speed of the heel between onset and end as a share of that within 4 s.
        period_s: median time between the tops around this one; infinite where it stands alone.
        tops: how many tops of similar size lie within 1.5 s, this one included.
        up_s: how long before the middle of a hold it began to rise; 0 where nothing was held.
        turn_rad_s: greatest rate of turn between onset and end.
        off_axis: of its frame, see `features.Traces`.
        lever_m, evidence, level_evidence, misfit, slow_misfit: likewise, see `hinge.ChainFit`.
    """

    frame: IntArray
    onset: FloatArray
    peak: FloatArray
    end: FloatArray
    near_swing_s: FloatArray
    lift_m: FloatArray
    tilt_rad: FloatArray
    plain_tilt_rad: FloatArray
    coherence: FloatArray
    evenness: FloatArray
    plain_evenness: FloatArray
    size_m: FloatArray
    share: FloatArray
    period_s: FloatArray
    tops: FloatArray
    up_s: FloatArray
    turn_rad_s: FloatArray
    off_axis: FloatArray
    lever_m: FloatArray
    evidence: FloatArray
    level_evidence: FloatArray
    misfit: FloatArray
    slow_misfit: FloatArray


MEASURED = tuple(f.name for f in fields(RaiseCandidates) if f.name not in ("frame", "near_swing_s"))
"""What `_measured` measures."""


def raise_candidates(traces: Traces, clear_of_steps_s: float) -> RaiseCandidates:
    """Every peak of the heel's course, however small; judging is left to the classifier.

    Args:
        traces: of f frames.
        clear_of_steps_s: what is nearer to a swing of gait is not measured.
    """
    course = heel_course(traces, traces.tilt_rad)
    frame, peak = centre_peaks(course)
    keep = course[frame, peak] - np.minimum.reduce([course[frame, peak - d] for d in (10, 25, 50)]) > LOWEST_M
    frame, peak = frame[keep], peak[keep]
    near_swing_s = _near_swing_s(traces, frame, peak)
    told = {name: np.full(frame.size, np.nan) for name in MEASURED}
    told |= {name: peak.astype(np.float64) for name in ("onset", "peak", "end")}
    clear = np.flatnonzero(near_swing_s >= clear_of_steps_s)
    if clear.size:
        for name, values in _measured(traces, course, frame[clear], peak[clear]).items():
            told[name][clear] = values
    return RaiseCandidates(frame=frame, near_swing_s=near_swing_s, **told)


def _measured(traces: Traces, course: FloatArray, frame: IntArray, peak: IntArray) -> dict[str, FloatArray]:
    """What `RaiseCandidates` say of each peak, by name."""
    frames, row = np.unique(frame, return_inverse=True)
    closer = look_closer(traces, frames)
    tilt, fit = closer.plain_tilt_rad, closer.fit
    window = around(course, frame, peak, REACH, REACH)
    top = window[:, REACH]
    left, left_fall = _valley(window[:, REACH::-1])
    right, right_fall = _valley(window[:, REACH:])
    size = np.minimum(left_fall, right_fall)
    onset = crossing(window[:, REACH::-1], top - 0.9 * left_fall)
    end = crossing(window[:, REACH:], top - 0.9 * right_fall)
    inside = between(window.shape[1], REACH - onset - MARGIN, REACH + end + MARGIN)
    strictly = between(window.shape[1], REACH - onset, REACH + end)
    speed = np.abs(window[:, 1:] - window[:, :-1])
    turn = around(traces.turn_rad_s, frame, peak, REACH, REACH) * inside
    lift = around(traces.lift_mps, frame, peak, REACH, REACH) * inside
    plain = around(_course(traces.height_m[frames], _arm_m(traces)[frames], tilt), row, peak, REACH, REACH)
    hold = holds((traces.lift_mps[frames], traces.turn_rad_s[frames], tilt), row, peak)
    held = hold.held & (hold.tilt_evenness > HOLD_EVENNESS) & (hold.coherence > HOLD_COHERENCE)
    period_s, tops = _rhythm(window, size)
    lift_m = _rise(traces.height_m, frame, peak, left, right)
    tilt_rad, plain_tilt_rad = _rise(traces.tilt_rad, frame, peak, left, right), _rise(tilt, row, peak, left, right)
    evenness = size / np.maximum(np.maximum(left_fall, right_fall), 1e-12)
    plain_evenness = _evenness(tilt, row, peak, left, right)
    fastest = np.maximum(speed.max(axis=1, initial=0.0), 1e-12)
    return {
        "onset": peak + np.where(held, hold.onset, -onset),
        "peak": peak + np.where(held, hold.middle, _plateau(plain, left, right)),
        "end": peak + np.where(held, hold.end, end),
        "lift_m": np.where(held, hold.lift_m, lift_m),
        "tilt_rad": np.where(held, hold.tilt_rad, tilt_rad),
        "plain_tilt_rad": np.where(held, hold.tilt_rad, plain_tilt_rad),
        "coherence": np.where(held, hold.coherence, correlation(turn, lift)),
        "evenness": np.where(held, hold.evenness, evenness),
        "plain_evenness": np.where(held, hold.tilt_evenness, plain_evenness),
        "size_m": size,
        "share": (speed * strictly[:, 1:]).max(axis=1, initial=0.0) / fastest,
        "period_s": period_s,
        "tops": tops,
        "up_s": np.where(held, (hold.middle - hold.onset) / GRID_HZ, 0.0),
        "turn_rad_s": np.abs(turn).max(axis=1, initial=0.0),
        "off_axis": traces.off_axis[frame],
        **{one.name: getattr(fit, one.name)[row] for one in fields(ChainFit)},
    }


def heel_course(traces: Traces, tilt_rad: FloatArray) -> FloatArray:
    """Height of the heel's rise: lift and tilt, each in metres, the tilt scaled by how the two go together."""
    return _course(traces.height_m, _arm_m(traces), tilt_rad)


def _course(height_m: FloatArray, arm_m: FloatArray, tilt_rad: FloatArray) -> FloatArray:
    return moving_average(moving_average(height_m + arm_m * tilt_rad, 5), 5)


def _arm_m(traces: Traces) -> FloatArray:
    """Lift that goes with a radian of tilt, (f, 1)."""
    power = (traces.turn_rad_s * traces.turn_rad_s).mean(axis=1)
    arm = (traces.turn_rad_s * traces.lift_mps).mean(axis=1) / np.maximum(power, 1e-9)
    return np.clip(arm, 0.0, 2.0)[:, None]


def _valley(away: FloatArray) -> tuple[IntArray, FloatArray]:
    """Where the heel is down again, looking away from its peak, and the fall until there.

    The valley is the lowest point before the course climbs back by half of what it fell, or above its peak;
    ripple on the way, less deep than 0.3 of the deepest fall in reach, does not count.

    Args:
        away: (n, reach+1), column 0 is the peak.
    """
    lowest = np.minimum.accumulate(away, axis=1)
    fall = away[:, :1] - lowest
    back_up = (away - lowest >= 0.5 * fall) & (fall > 0.3 * fall[:, -1:]) | (away > away[:, :1])
    until = first_of(back_up, away.shape[1] - 1)
    rows = np.arange(until.size)
    at = (away <= lowest[rows, until][:, None]).argmax(axis=1)
    return at, fall[rows, at]


def _plateau(window: FloatArray, left: IntArray, right: IntArray) -> FloatArray:
    """Offset from the peak's sample to the middle of the time at the top.

    The top begins where the speed, after its fastest rise, falls below a fifth of it, and ends where the speed
    last stays below a fifth of the fastest fall: a held top may sag or waver. The slope from valley to valley is
    taken off, since the baseline bends under a first and a last raise.
    """
    rows = np.arange(left.size)
    slope = (window[rows, REACH + right] - window[rows, REACH - left]) / np.maximum(left + right, 1)
    speed = np.diff(window, axis=1) - slope[:, None]  # speed[k] is between samples k and k + 1
    offset = np.arange(-REACH, REACH)[None, :]
    rising = speed * ((offset >= -left[:, None]) & (offset < 0))
    falling = -speed * ((offset < right[:, None]) & (offset >= 0))
    fastest_up, fastest_down = rising.argmax(axis=1), falling.argmax(axis=1)
    slow_up = (rising < 0.2 * rising[rows, fastest_up][:, None]) & (offset + REACH > fastest_up[:, None])
    slow_down = (falling < 0.2 * falling[rows, fastest_down][:, None]) & (offset + REACH < fastest_down[:, None])
    start = slow_up.argmax(axis=1)
    end = 2 * REACH - slow_down[:, ::-1].argmax(axis=1)
    return (start + end) / 2.0 - REACH


def _rise(x: FloatArray, frame: IntArray, peak: IntArray, left: IntArray, right: IntArray) -> FloatArray:
    return x[frame, peak] - 0.5 * (x[frame, peak - left] + x[frame, peak + right])


def _evenness(x: FloatArray, frame: IntArray, peak: IntArray, left: IntArray, right: IntArray) -> FloatArray:
    """The smaller of rise and fall between valleys and peak as a share of the larger; negative if one is reversed."""
    rise, fall = x[frame, peak] - x[frame, peak - left], x[frame, peak] - x[frame, peak + right]
    return np.minimum(rise, fall) / np.maximum(np.maximum(rise, fall), 1e-9)


def _rhythm(window: FloatArray, size: FloatArray) -> tuple[FloatArray, IntArray]:
    """Mean time between the tops within 1.5 s of the candidate that stand about as high, and how many there are."""
    near = window[:, REACH - 38 : REACH + 39]
    inner = near[:, 1:-1]
    tops = (inner > near[:, :-2]) & (inner >= near[:, 2:]) & (inner > (window[:, REACH] - 0.6 * size)[:, None])
    count = tops.sum(axis=1)
    first, last = tops.argmax(axis=1), tops.shape[1] - 1 - tops[:, ::-1].argmax(axis=1)
    period = (last - first) / np.maximum(count - 1, 1) / GRID_HZ
    return np.where(count > 1, period, np.inf), count


def _near_swing_s(traces: Traces, frame: IntArray, peak: IntArray) -> FloatArray:
    """Time to the nearest instant at which the shank turns as fast as only gait does."""
    fast = around(np.abs(traces.swing_rad_s) > GAIT_RAD_S, frame, peak, REACH, REACH)
    before, after = (first_of(x, 10 * REACH) for x in (fast[:, REACH::-1], fast[:, REACH:]))
    return np.minimum(before, after) / GRID_HZ
