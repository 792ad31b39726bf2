"""Candidates, from heel courses and swings drawn in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.features import Traces
from analysis.frames import BEFORE, CENTRE, FRAME
from analysis.grid import GRID_HZ
from analysis.peaks import centre_peaks
from analysis.raises import RaiseCandidates, heel_course, raise_candidates
from analysis.rules import RULES
from analysis.swings import SwingCandidates, is_bouncing, swing_candidates

TIME_S = (np.arange(FRAME) - BEFORE) / GRID_HZ  # 0 where the frame's centre begins
UP = np.array([0.0, 0.0, 1.0])


def drawn(
    height_m: np.ndarray, tilt_rad: np.ndarray, swing_rad_s: np.ndarray | None = None, shock: np.ndarray | None = None
) -> Traces:
    still = np.zeros((1, FRAME))
    turn = np.gradient(tilt_rad) * GRID_HZ
    return Traces(
        turn_rad_s=turn[None],
        tilt_rad=tilt_rad[None],
        lift_mps=np.gradient(height_m)[None] * GRID_HZ,
        height_m=height_m[None],
        swing_rad_s=still if swing_rad_s is None else swing_rad_s[None],
        forward=np.ones(1) if swing_rad_s is None else np.where((swing_rad_s**3).sum() < 0.0, -1.0, 1.0)[None],
        heel_first=np.zeros(1),
        off_axis=np.zeros(1),
        shock_mps2=still if shock is None else shock[None],
        plain_turn_rad_s=turn[None],
        vertical_mps2=still,
        quick_mps2=np.zeros((1, 3, FRAME)),
        force_mps2=np.tile(UP[None, :, None] * 9.81, (1, 1, FRAME)),
        up=UP[None],
        has_gyr=np.ones(1, dtype=bool),
    )


def bump(at_s: float, width_s: float) -> np.ndarray:
    """A raised cosine of height 1, from at - width/2 to at + width/2."""
    x = (TIME_S - at_s) / width_s
    return np.where(np.abs(x) < 0.5, 0.5 + 0.5 * np.cos(2 * np.pi * x), 0.0)


def raises(*at_s: float, width_s: float = 1.2, lift_m: float = 0.05, tilt_rad: float = 0.08) -> RaiseCandidates:
    course = np.sum([bump(at, width_s) for at in at_s], axis=0)
    return raise_candidates(drawn(lift_m * course, tilt_rad * course), RULES.clear_of_steps_s)


def at_peak(c: RaiseCandidates | SwingCandidates) -> np.ndarray:
    return (c.peak - BEFORE) / GRID_HZ


def test_one_raise_is_one_candidate() -> None:
    """A raise that peaks at 1 s: onset before peak before end, symmetrical, with its own lift and tilt."""
    found = raises(1.0)
    assert at_peak(found) == pytest.approx([1.0], abs=0.03)
    assert found.onset[0] < found.peak[0] < found.end[0]
    assert found.peak[0] - found.onset[0] == pytest.approx(found.end[0] - found.peak[0], abs=1.0)
    assert found.lift_m[0] == pytest.approx(0.05, rel=0.02)
    assert found.tilt_rad[0] == pytest.approx(0.08, rel=0.02)
    assert found.evenness[0] > 0.98
    assert found.coherence[0] > 0.99


def test_a_candidate_belongs_to_one_centre() -> None:
    """A peak before or after the frame's own two seconds is left to its neighbours."""
    assert len(raises(-1.0).peak) == 0
    assert len(raises(3.0).peak) == 0
    assert len(raises(-1.0, 1.0, 3.0).peak) == 1


def test_onset_is_a_tenth_of_the_way_up() -> None:
    """Of a raised cosine 1.2 s wide, a tenth of the height is reached 0.477 s from the top.

    0.1 = (1 + cos 2 pi x) / 2 gives x = acos(-0.8) / (2 pi) = 0.3976, times 1.2 s; smoothing widens it a little.
    """
    found = raises(1.0)
    assert (found.peak[0] - found.onset[0]) / GRID_HZ == pytest.approx(0.477, abs=0.06)


def test_rhythm_is_the_time_between_tops() -> None:
    """Raises every 0.7 s have that period, and five stand within 1.5 s of the middle one; one alone has none."""
    found = raises(-0.4, 0.3, 1.0, 1.7, 2.4, width_s=0.7)
    middle = int(np.argmin(np.abs(at_peak(found) - 1.0)))
    assert found.period_s[middle] == pytest.approx(0.7, abs=0.03)
    assert found.tops[middle] == 5
    assert np.isinf(raises(1.0).period_s[0])


def test_a_held_raise_peaks_in_the_middle_of_its_top() -> None:
    """Held from 0.5 to 1.7 s the peak is at 1.1 s, wherever the course has its last millimetre."""
    held = np.interp(TIME_S, [0.0, 0.5, 1.7, 2.2], [0.0, 1.0, 1.0, 0.0]) + 0.01 * np.interp(TIME_S, [0.5, 0.7], [0, 1])
    held *= (TIME_S > 0.0) & (TIME_S < 2.2)
    found = raise_candidates(drawn(0.05 * held, 0.08 * held), RULES.clear_of_steps_s)
    largest = int(np.argmax(found.lift_m))
    assert at_peak(found)[largest] == pytest.approx(1.1, abs=0.12)


def test_lift_without_tilt_is_not_coherent() -> None:
    """A sensor that is lifted while it turns at another pace lifts and turns without each other."""
    lift, turn = bump(1.0, 1.2), np.sin(2 * np.pi * 1.7 * TIME_S)
    found = raise_candidates(drawn(0.05 * lift, 0.01 * turn), RULES.clear_of_steps_s)
    assert found.coherence[int(np.argmax(found.lift_m))] < 0.5


def test_a_step_up_is_one_way() -> None:
    """A rise of 5 cm that comes back by 2 cm is uneven."""
    up = np.interp(TIME_S, [0.5, 1.0, 1.5], [0.0, 0.05, 0.03])
    found = raise_candidates(drawn(up, 1.6 * up), RULES.clear_of_steps_s)
    assert found.evenness[int(np.argmax(found.lift_m))] < 0.5


def test_a_swing_nearby_is_seen() -> None:
    """A raise half a second after the shank swung as fast as in gait knows it."""
    course, swing = bump(1.5, 1.0), 3.0 * bump(0.9, 0.3)
    found = raise_candidates(drawn(0.05 * course, 0.08 * course, swing), RULES.clear_of_steps_s)
    assert 0.3 < found.near_swing_s[0] < 0.7
    assert raises(1.0).near_swing_s[0] >= 4.0


@pytest.mark.parametrize("sense", [1.0, -1.0])
def test_swings_are_found_whichever_way_the_axis_points(sense: float) -> None:
    """Forward is the way the shank turns fastest; slower backward turns between are no swings."""
    swing = sense * (4.0 * sum(bump(at, 0.5) for at in (-0.5, 0.6, 1.7, 2.8)) - 1.2 * bump(1.15, 0.5))
    shock = np.where(np.abs(TIME_S - 1.0) < 0.03, 5.0, 0.0)
    found = swing_candidates(drawn(np.zeros(FRAME), np.zeros(FRAME), swing, shock))
    assert at_peak(found) == pytest.approx([0.6, 1.7], abs=0.03)
    np.testing.assert_allclose(found.rate_rad_s, 4.0, rtol=0.02)
    np.testing.assert_allclose(found.companion_s, 1.1, atol=0.05)
    np.testing.assert_allclose(found.angle_rad, 4.0 * 0.25, rtol=0.05)  # a raised cosine fills half its box
    np.testing.assert_allclose(found.strike_mps2, [5.0, 0.0])


def test_a_lonely_swing_has_no_companion() -> None:
    """One kick is not a gait."""
    found = swing_candidates(drawn(np.zeros(FRAME), np.zeros(FRAME), 4.0 * bump(1.0, 0.5)))
    assert found.companion_s[0] > 4.0


def test_peaks_lie_in_or_just_beside_the_centre() -> None:
    """Every peak in the centre is seen, at most four samples beyond it, none further off."""
    x = np.zeros((1, FRAME))
    at = [BEFORE - 20, BEFORE - 3, BEFORE + 1, BEFORE + CENTRE - 1, BEFORE + CENTRE + 2, BEFORE + CENTRE + 20]
    x[0, at] = 1.0
    frame, sample = centre_peaks(x)
    assert sample.tolist() == at[1:-1]
    assert set(frame.tolist()) == {0}


def test_the_heel_course_joins_lift_and_tilt() -> None:
    """When both rise together, tilt counts as the lift that goes with it: the course is twice the height."""
    course = bump(1.0, 1.6)
    drawing = drawn(0.05 * course, 0.1 * course)
    assert heel_course(drawing, drawing.tilt_rad)[0].max() == pytest.approx(2 * 0.05, rel=0.03)


@pytest.mark.parametrize(("frequency_hz", "bouncing"), [(0.7, False), (1.5, False), (4.0, True), (8.0, True)])
def test_bouncing_is_quick_and_without_a_swing(frequency_hz: float, *, bouncing: bool) -> None:
    """Up and down four and eight times a second bounces, as often as a heel can be raised does not, a swing never."""
    height = 0.01 * np.sin(2 * np.pi * frequency_hz * TIME_S)
    drawing = drawn(height, height)
    assert is_bouncing(drawing, 2.2, 0.0012).tolist() == [bouncing]
    walking = drawn(height, height, 4.0 * bump(1.0, 0.5))
    assert is_bouncing(walking, 2.2, 0.0012).tolist() == [False]
