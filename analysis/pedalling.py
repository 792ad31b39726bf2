"""Find pedal strokes: the shank goes up and down with the crank, evenly as nothing else does.

A pedal goes round in a circle, and the ankle with it. The hip stays and the knee goes up and down almost as far as the
ankle, so that a sensor anywhere on the shank rises and falls by 1.6 to 2 cranks (0.23 to 0.36 m) once a turn. Knee
and ankle do so at different times: the shank leans farthest between the bottom and the top of the stroke, so that
tilt and height go round in a loop, while a heel raise or a leg raised from the hip goes to and fro on a line. And
there is no foot strike: height and turn are one sine each, while walking, running and stairs have a stance and a
swing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.courses import moving_average, off_average
from analysis.features import Traces
from analysis.frames import BEFORE, CENTRE, FRAME, BoolArray
from analysis.grid import GRID_HZ
from analysis.peaks import IntArray, around, first_of
from analysis.rules import Rules, first_that_holds
from analysis.samples import FloatArray

FAR = 3 * GRID_HZ
"""Strokes this far beside the frame's centre are looked at, too: they say what those within are among."""

TURN = 2 * GRID_HZ
"""How far a stroke reaches to either side at most (samples): 30 turns a minute."""

LEAST_M = 0.05
"""A rise or fall by less is no turn of a crank, not even beside a baseline that sags."""

BASELINE = 41
"""Samples of the moving average that is taken off the height: 1.6 s, the slowest turn; a start is soon forgotten."""

CLIMB_BACK = 0.3
"""The top is where the shank is highest before it sinks by this share of its rise."""

SUMS_LEAD = 1.0
"""Samples by which height runs ahead: of its two running sums each shows the end of a sample at its middle."""

FIRM, SOFT, LONE = "round_and_round", "round_beside", "lone_turn"
"""Rules that accept: a whole even turn in company, and a start or an end beside one; and that refuses: a turn alone."""


@dataclass(frozen=True, slots=True, eq=False)
class StrokeCandidates:
    """Lowest points of the shank. All arrays (n,), in order of frame and sample.

    Attributes:
        frame: index of the frame.
        onset, peak, end: samples within the frame: highest, lowest, highest again.
        own: it lies in the frame's centre (or just beside).
        fall_m, rise_m: of the sensor, before and after.
        tilt_rad: the shank turns to and fro by so much meanwhile. NaN where it is not measured, as what follows.
        loop: area of the loop that tilt and height make, as a share of the ellipse about it.
        lift_purity, turn_purity: share of the vertical and of the turning speed that is one sine.
        sized: there is a gyroscope.
    """

    frame: IntArray
    onset: FloatArray
    peak: FloatArray
    end: FloatArray
    own: BoolArray
    fall_m: FloatArray
    rise_m: FloatArray
    tilt_rad: FloatArray
    loop: FloatArray
    lift_purity: FloatArray
    turn_purity: FloatArray
    sized: BoolArray

    @property
    def depth_m(self) -> FloatArray:
        """Mean of the way down and the way up."""
        return 0.5 * (self.fall_m + self.rise_m)

    @property
    def turn_s(self) -> FloatArray:
        """Time of the whole turn."""
        return (self.end - self.onset) / GRID_HZ


def stroke_candidates(traces: Traces, has_gyr: BoolArray, rules: Rules) -> StrokeCandidates:
    """Every low point of the shank in and near the frame's centre that is deep enough.

    What no turn of a crank is as high, as low or as long as is not measured further.
    """
    near = slice(BEFORE - FAR, BEFORE + CENTRE + FAR)
    deep = np.flatnonzero(np.ptp(traces.height_m[:, near], axis=1) > LEAST_M)
    height = off_average(_smooth(traces.height_m[deep]), BASELINE)
    row, low = _low_points(height)
    window = around(height, row, low, TURN, TURN)
    before, fall = _top(window[:, TURN::-1])
    after, rise = _top(window[:, TURN:])
    keep = np.minimum(fall, rise) > LEAST_M
    row, low, before, after = (x[keep] for x in (row, low, before, after))
    fall, rise = fall[keep], rise[keep]
    depth = 0.5 * (fall + rise)
    likely = (depth > rules.least_part_turn_m) & (np.maximum(fall, rise) < rules.most_turn_m)
    likely &= before + after < rules.longest_part_turn_s * GRID_HZ
    tilt_rad, loop, lift_purity, turn_purity = (np.full(row.size, np.nan) for _ in range(4))
    some = np.flatnonzero(likely)
    if some.size:
        shape = _shape(traces, deep, height, row[some], low[some], before[some], after[some])
        tilt_rad[some], area, lift_purity[some], turn_purity[some] = shape
        loop[some] = area / np.maximum(0.25 * np.pi * tilt_rad[some] * np.maximum(fall, rise)[some], 1e-9)
    frame = deep[row]
    return StrokeCandidates(
        frame=frame,
        onset=(low - before).astype(np.float64),
        peak=low + _vertex(height, row, low) + SUMS_LEAD,
        end=(low + after).astype(np.float64),
        own=(low >= BEFORE - 1) & (low <= BEFORE + CENTRE),
        fall_m=fall,
        rise_m=rise,
        tilt_rad=tilt_rad,
        loop=loop,
        lift_purity=lift_purity,
        turn_purity=turn_purity,
        sized=has_gyr[frame],
    )


def _shape(
    traces: Traces,
    deep: IntArray,
    height: FloatArray,
    row: IntArray,
    low: IntArray,
    before: IntArray,
    after: IntArray,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """How far turns tilt the shank, the area of their loop, and the purity of their lift and turn; (n,) each."""
    frame = deep[row]
    lift, tilt = (around(x, frame, low, TURN, TURN) for x in (traces.lift_mps, traces.tilt_rad))
    turn = around(_smooth(traces.turn_rad_s[deep]), row, low, TURN, TURN)
    offset = np.arange(-TURN, TURN + 1)[None, :]
    inside = (offset >= -before[:, None]) & (offset < after[:, None])
    cycle = 2.0 * np.pi / (before + after)
    phase = ((offset + before[:, None]) * cycle[:, None]).astype(lift.dtype)
    waves = np.cos(phase) * inside, np.sin(phase) * inside
    highest, lowest = (np.where(inside, sign * tilt, -np.inf).max(axis=1, initial=-np.inf) for sign in (1.0, -1.0))
    loop = (around(height, row, low, TURN, TURN) * turn * inside).sum(axis=1)
    return highest + lowest, np.abs(loop) / GRID_HZ, _purity(lift, inside, waves), _purity(turn, inside, waves)


def stroke_rules(c: StrokeCandidates, r: Rules) -> np.ndarray:
    """Name of the rule that decides each candidate: `FIRM` and `SOFT` accept, "no_turn" is not worth a word."""
    depth, steep = c.depth_m, np.maximum(c.fall_m, c.rise_m)
    whole = (depth > r.least_turn_m) & (steep < r.most_turn_m) & (c.turn_s < r.longest_turn_s)
    tilts = ~c.sized | ((c.tilt_rad > r.least_turn_tilt_rad) & (c.tilt_rad < r.most_turn_tilt_rad))
    round_ = (c.lift_purity > r.pure_turn) & (c.turn_purity > r.pure_turn) & (c.loop > r.least_loop)
    even = np.where(c.sized, round_, c.lift_purity > r.pure_turn_by_force)
    lone = whole & tilts & even
    firm = _in_company(c, lone, r.stroke_reach_s)
    part = (depth > r.least_part_turn_m) & (steep < r.most_turn_m) & (c.turn_s < r.longest_part_turn_s) & tilts
    part &= c.lift_purity > r.part_turn
    beside = part & _beside(c, firm, r)
    return first_that_holds([firm, beside, lone], [FIRM, SOFT, LONE], "no_turn")


def riding(c: StrokeCandidates, rule: np.ndarray, frames: int) -> BoolArray:
    """Where in its frame (frames, FRAME) the leg goes round: from one turn before a stroke to one turn after.

    A turn alone is no stroke for sure, and no step or raise either.
    """
    edges = np.zeros((frames, FRAME + 1), dtype=np.int64)
    for i in np.flatnonzero(rule != "no_turn").tolist():
        turn = c.end[i] - c.onset[i]
        edges[c.frame[i], max(0, int(c.peak[i] - turn))] += 1
        edges[c.frame[i], min(FRAME, int(c.peak[i] + turn) + 1)] -= 1
    return np.cumsum(edges, axis=1)[:, :FRAME] > 0


def _in_company(c: StrokeCandidates, round_: BoolArray, reach_s: float) -> BoolArray:
    """Round turns of which the next before or after is round, too: one alone may be a kick."""
    pairs = _follows(c, reach_s) & round_[1:] & round_[:-1]
    company = np.zeros(round_.size, dtype=bool)
    company[1:] |= pairs
    company[:-1] |= pairs
    return company


def _beside(c: StrokeCandidates, firm: BoolArray, r: Rules) -> BoolArray:
    """The next candidate before or after is near, a sure stroke, and tilts the shank about as far."""
    as_far = c.tilt_rad[1:] / np.maximum(c.tilt_rad[:-1], 1e-9)
    near = np.zeros(firm.size, dtype=bool)
    near[1:] |= _follows(c, r.stroke_reach_s) & firm[:-1] & (as_far > r.part_turn_tilt)
    near[:-1] |= _follows(c, r.stroke_reach_s) & firm[1:] & (as_far * r.part_turn_tilt < 1.0)
    return near


def _follows(c: StrokeCandidates, reach_s: float) -> BoolArray:
    """Candidate k + 1 follows k in the same frame within reach, (n - 1,)."""
    return (c.frame[1:] == c.frame[:-1]) & (c.peak[1:] - c.peak[:-1] < reach_s * GRID_HZ)


def _smooth(x: FloatArray) -> FloatArray:
    """Without what the road shakes in, which a pedal's turn is far slower than."""
    return moving_average(moving_average(x, 5), 5)


def _low_points(height: FloatArray) -> tuple[IntArray, IntArray]:
    first, last = BEFORE - FAR, BEFORE + CENTRE + FAR
    middle = height[:, first:last]
    low = (middle < height[:, first - 1 : last - 1]) & (middle <= height[:, first + 1 : last + 1])
    row, sample = np.nonzero(low & (middle < 0.0))
    return row, sample + first


def _top(away: FloatArray) -> tuple[IntArray, FloatArray]:
    """Where the shank is highest, looking away from its lowest point (column 0), and how much higher that is."""
    highest = np.maximum.accumulate(away, axis=1)
    rise = highest - away[:, :1]
    down = (highest - away > CLIMB_BACK * rise) & (rise > 0.0)
    rows = np.arange(away.shape[0])
    top = highest[rows, first_of(down, away.shape[1] - 1)]
    at = (away >= top[:, None]).argmax(axis=1)
    return at, rise[rows, at]


def _purity(x: FloatArray, inside: BoolArray, waves: tuple[FloatArray, FloatArray]) -> FloatArray:
    """Share of the power of x (n, w) over one turn that is one sine of the turn's own length."""
    count = np.maximum(inside.sum(axis=1), 1)
    own = x * inside
    varied = own - inside * (own.sum(axis=1) / count.astype(x.dtype))[:, None]
    power = (varied * varied).sum(axis=1)
    with_cos, with_sin = ((varied * wave).sum(axis=1) for wave in waves)
    return 2.0 * (with_cos**2 + with_sin**2) / np.maximum(count * power, 1e-12)


def _vertex(height: FloatArray, row: IntArray, low: IntArray) -> FloatArray:
    """Offset of the true lowest point from the sample `low`, by a parabola through three samples."""
    before, at, after = (height[row, low + k] for k in (-1, 0, 1))
    bend = before - 2.0 * at + after
    return np.where(bend > 0.0, 0.5 * (before - after) / np.where(bend > 0.0, bend, 1.0), 0.0)
