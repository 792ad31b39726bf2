"""Raises that are held: the heel goes up, stays there, and comes down; what lies between is found by its two edges.

A baseline makes a long hold sag, so that its two ends look like two raises. Their edges do not sag: lifting and
lowering are two pulses of vertical speed, of the same size, and quicker than any baseline.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.courses import correlation, moving_average
from analysis.frames import BoolArray
from analysis.grid import GRID_HZ
from analysis.peaks import IntArray, around, first_of
from analysis.samples import FloatArray

REACH = 112
"""How far from a peak its edges are looked for (samples): 4.5 s."""

LEAST_HOLD = 20
"""A top that lasts longer lies between two edges (0.8 s)."""

CLEAR = 0.5
"""An edge is at least this share of the fastest in reach, and of the size of its partner."""

TURNS = 0.4
"""With an edge the shank turns at this share of the fastest that it turns that way in reach, or more."""

STAYS = 0.3
"""Share of its tilt that the shank keeps between the edges: between two raises it loses all of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Holds:
    """What lies between the edges on both sides of each peak. All arrays (n,).

    Attributes:
        held: the heel stayed up between them.
        onset, middle, end: samples from the peak: lifting begins, the hold's middle, lowering ends.
        lift_m: rise of the sensor, mean of both edges.
        tilt_rad: turn of the shank that goes with it, nothing taken off.
        evenness: the smaller edge as a share of the larger.
        tilt_evenness: likewise of the turn; negative if the two do not undo each other.
        coherence: correlation of lifting and turning speed over both edges.
    """

    held: BoolArray
    onset: IntArray
    middle: FloatArray
    end: IntArray
    lift_m: FloatArray
    tilt_rad: FloatArray
    evenness: FloatArray
    tilt_evenness: FloatArray
    coherence: FloatArray


def holds(courses: tuple[FloatArray, FloatArray, FloatArray], frame: IntArray, peak: IntArray) -> Holds:
    """Look for the nearest edge up before, and the nearest edge down after, each peak of the heel's course.

    Args:
        courses: lift_mps, turn_rad_s and plain_tilt_rad, see `features.Traces`, (f, FRAME) each.
        frame: (n,) frame of each peak.
        peak: (n,) its sample.
    """
    lift_mps, turn_rad_s, plain_tilt_rad = courses
    slow_lift, slow_turn = moving_average(np.stack([lift_mps, turn_rad_s]), 5)
    lift, turn, tilt, slow_turn = (
        around(x, frame, peak, REACH, REACH) for x in (slow_lift, turn_rad_s, plain_tilt_rad, slow_turn)
    )
    up = _edge(lift[:, REACH + EDGE :: -1], slow_turn[:, REACH + EDGE :: -1])
    down = _edge(-lift[:, REACH - EDGE :], -slow_turn[:, REACH - EDGE :])
    rising = _flipped(up, REACH + EDGE)
    falling = _Edge(*(x + REACH - EDGE for x in (down.first, down.calm, down.last)))
    columns = np.arange(2 * REACH + 1)[None, :]
    in_up = (columns >= rising.first[:, None]) & (columns <= rising.last[:, None])
    in_down = (columns >= falling.first[:, None]) & (columns <= falling.last[:, None])
    risen, fallen = ((lift * part).sum(axis=1) / GRID_HZ for part in (in_up, in_down))
    rows = np.arange(peak.size)
    turned_up = tilt[rows, rising.last] - tilt[rows, rising.first]
    turned_down = tilt[rows, falling.first] - tilt[rows, falling.last]
    both = in_up | in_down
    start, stop = rising.calm, falling.calm
    between = (columns >= start[:, None]) & (columns <= stop[:, None])
    low = (tilt[rows, rising.first] + tilt[rows, falling.last]) / 2.0
    lowest = np.where(between, tilt, np.inf).min(axis=1, initial=np.inf)
    stays = lowest - low > STAYS * (turned_up + turned_down) / 2.0
    even = _share(risen, -fallen)
    return Holds(
        held=(stop - start >= LEAST_HOLD) & (even > CLEAR) & stays,
        onset=rising.first - REACH,
        middle=(start + stop) / 2.0 - REACH,
        end=falling.last - REACH,
        lift_m=(risen - fallen) / 2.0,
        tilt_rad=(turned_up + turned_down) / 2.0,
        evenness=even,
        tilt_evenness=_share(turned_up, turned_down),
        coherence=correlation(turn * both, lift * both),
    )


EDGE = 8
"""An edge may reach beyond its peak by so much (samples)."""


@dataclass(frozen=True, slots=True, eq=False)
class _Edge:
    """One pulse of vertical speed (n,): its ends, and where it calms down to the top."""

    first: IntArray
    calm: IntArray
    last: IntArray


def _edge(away: FloatArray, turn: FloatArray) -> _Edge:
    """The first clear pulse, looking away from the peak; `calm` is its side nearer to the peak.

    The shank turns with it: what the baseline takes off a lift looks like lowering, but turns nothing.
    """
    rows, n = np.arange(away.shape[0]), away.shape[1]
    fastest = away.max(axis=1, initial=0.0)
    inner = away[:, 1:-1]
    tops = (inner > away[:, :-2]) & (inner >= away[:, 2:]) & (inner >= CLEAR * fastest[:, None])
    tops &= turn[:, 1:-1] >= TURNS * turn.max(axis=1, initial=0.0)[:, None]
    top = first_of(tops, n - 3) + 1
    speed = away[rows, top]
    columns = np.arange(n)[None, :]
    over = away > 0.1 * speed[:, None]
    before = ~over & (columns < top[:, None])
    after = ~over & (columns > top[:, None])
    first = n - first_of(before[:, ::-1], n)
    last = first_of(after, n) - 1
    slow = (away < 0.2 * speed[:, None]) & (columns < top[:, None])
    calm = n - 1 - first_of(slow[:, ::-1], n - 1)
    return _Edge(first, calm, last)


def _flipped(edge: _Edge, origin: int) -> _Edge:
    """The same, of a course that was looked at backwards from sample `origin`."""
    return _Edge(origin - edge.last, origin - edge.calm, origin - edge.first)


def _share(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.minimum(a, b) / np.maximum(np.maximum(a, b), 1e-9)
