"""Raises that are held, from edges drawn in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.courses import integral
from analysis.features import Traces
from analysis.frames import BEFORE, CENTRE, FRAME
from analysis.grid import GRID_HZ
from analysis.holds import Holds, holds
from analysis.leg.path import minimum_jerk
from analysis.raises import raise_candidates
from analysis.rules import RULES

TIME_S = (np.arange(FRAME) - BEFORE) / GRID_HZ
UP = np.array([0.0, 0.0, 1.0])


def drawn(height_m: np.ndarray, tilt_rad: np.ndarray) -> Traces:
    """Traces without a baseline taken off, of one frame."""
    still = np.zeros((1, FRAME))
    lift, turn = (np.gradient(x)[None] * GRID_HZ for x in (height_m, tilt_rad))
    return Traces(
        turn, tilt_rad[None], lift, height_m[None], still, np.ones(1), np.zeros(1), np.zeros(1), still,
        turn, still, np.zeros((1, 3, FRAME)), np.tile(UP[None, :, None] * 9.81, (1, 1, FRAME)),
        UP[None], np.ones(1, dtype=bool),
    )  # fmt: skip


def course(*raises: tuple[float, float], size: float = 1.0) -> np.ndarray:
    """Raises that begin to lift at one time and to sink at another, each way in 1.2 s."""
    return size * np.sum([minimum_jerk((TIME_S - a) / 1.2) - minimum_jerk((TIME_S - b) / 1.2) for a, b in raises], 0)


def at(traces: Traces, time_s: float) -> Holds:
    courses = traces.lift_mps, traces.turn_rad_s, integral(traces.turn_rad_s)
    return holds(courses, np.zeros(1, dtype=np.int64), np.array([BEFORE + round(time_s * GRID_HZ)]))


@pytest.mark.parametrize("seen_from_s", [0.2, 1.0, 2.6])
def test_a_hold_lies_between_its_edges(seen_from_s: float) -> None:
    """Lifted from -1.2 to 0 s, lowered from 2.8 to 4 s: its middle is at 1.4 s, seen from either end or between."""
    one = course((-1.2, 2.8))
    found = at(drawn(0.05 * one, 0.08 * one), seen_from_s)
    assert found.held.tolist() == [True]
    assert (found.middle[0] / GRID_HZ + seen_from_s) == pytest.approx(1.4, abs=0.06)
    assert found.lift_m[0] == pytest.approx(0.05, rel=0.1)
    assert found.tilt_rad[0] == pytest.approx(0.08, rel=0.1)
    assert found.evenness[0] > 0.9
    assert found.tilt_evenness[0] > 0.9
    assert found.coherence[0] > 0.95


def test_two_raises_are_no_hold() -> None:
    """Between two raises the shank leans back: what lies there is not held, however small the raise between."""
    two = course((-2.4, -1.1), (2.6, 3.9))
    assert at(drawn(0.05 * two, 0.08 * two), 0.5).held.tolist() == [False]


def test_a_quick_raise_is_no_hold() -> None:
    """A heel that goes up and comes down at once was not held."""
    one = course((0.0, 1.3))
    assert at(drawn(0.05 * one, 0.08 * one), 1.2).held.tolist() == [False]


def test_a_step_up_is_no_hold() -> None:
    """A sensor that goes up and stays there has one edge."""
    up = minimum_jerk(TIME_S / 1.2)
    assert at(drawn(0.05 * up, 0.08 * up), 1.2).held.tolist() == [False]


def test_a_hold_is_one_candidate_with_its_own_middle() -> None:
    """The candidate at the hold's end is given the hold's middle, onset and end."""
    one = course((-1.2, 2.8))
    found = raise_candidates(
        drawn(0.05 * one + 0.002 * np.exp(-(((TIME_S - 0.3) / 0.4) ** 2)), 0.08 * one), RULES.clear_of_steps_s
    )
    assert len(found.peak) > 0
    for peak, onset, end in zip(found.peak, found.onset, found.end, strict=True):
        assert (peak - BEFORE) / GRID_HZ == pytest.approx(1.4, abs=0.1)
        assert (onset - BEFORE) / GRID_HZ == pytest.approx(-1.1, abs=0.25)
        assert (end - BEFORE) / GRID_HZ == pytest.approx(3.9, abs=0.25)
    assert found.peak.max() < BEFORE + 2 * CENTRE
