"""The simulated leg that lies: what of the foot's movement reaches a strap on the calf."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.events import Kind, State
from analysis.leg.body import Body
from analysis.leg.lying import Pumps, Rest, ankle_pumps, leg_slides, lying_still, recoil, turns_over
from analysis.leg.path import join
from analysis.leg.sensor import Strap, felt

BODY, HZ = Body(1.75), 200.0
STRAP = Strap(0.3, np.eye(3), np.ones(3))


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_the_truth_of_a_pump_is_where_the_foot_is_down() -> None:
    """One event a cycle, in order; the heel that rolls is highest at each peak and lowest in dorsiflexion."""
    path = ankle_pumps(BODY, Rest(heel_m=0.01, breath_rad=0.0), Pumps(6, 20.0, irregularity=0.0), HZ, rng())
    assert [event.kind for event in path.truth] == [Kind.ANKLE_PUMP] * 6
    assert {span.state for span in path.spans} == {State.LYING}
    up = path.ankle_m[:, 2]
    for event in path.truth:
        assert event.onset_s < event.peak_s < event.end_s
        assert up[round(event.peak_s * HZ)] == pytest.approx(0.01, abs=1e-4)
        assert up[round(event.peak_s * HZ) : round(event.end_s * HZ)].min() == pytest.approx(-0.004, abs=1e-4)


def test_a_heel_that_rolls_leaves_its_hinge_where_it_is() -> None:
    """The ankle rises and the shank tilts about the hinge, which stays within a tenth of a millimetre."""
    rest = Rest(heel_m=0.008, hinge_m=0.4, breath_rad=0.0, bulge_rad=(0.0, 0.0, 0.0))
    path = ankle_pumps(BODY, rest, Pumps(3, 20.0), HZ, rng())
    hinge_up = path.ankle_m[:, 2] + rest.hinge_m * np.cos(path.angles_rad[:, 1])
    assert np.ptp(hinge_up) < 1e-4


def test_a_level_shank_feels_gravity_across() -> None:
    """One who lies on the back: gravity presses on the shin's side, not along the bone."""
    force, _ = felt(lying_still(HZ, 2.0, Rest(breath_rad=0.0), rng()), BODY, STRAP)
    assert force[50] == pytest.approx([9.80665, 0.0, 0.0], abs=1e-6)


def test_a_strap_that_tilts_on_muscle_turns_gravity_and_gyroscope() -> None:
    """The strap's own turn is felt by both, though the bone does not move."""
    rest = Rest(heel_m=0.0, breath_rad=0.0, bulge_rad=(0.0, 0.02, 0.0))
    path = ankle_pumps(BODY, rest, Pumps(1, 12.0, irregularity=0.0), HZ, rng())
    force, rates = felt(path, BODY, STRAP)
    at = round(path.truth[0].peak_s * HZ)
    assert np.ptp(path.angles_rad, axis=0).max() == 0.0
    assert abs(force[at, 2]) == pytest.approx(9.80665 * np.sin(0.02), abs=0.01)
    turned = np.cumsum(rates[:, 1])[at] / HZ
    assert turned == pytest.approx(0.02, abs=1e-3)


def test_paths_with_and_without_a_strap_that_tilts_join() -> None:
    """Where a path says nothing of the strap it sits as it was put on."""
    rest = Rest()
    path = join([lying_still(HZ, 1.0, rest, rng()), ankle_pumps(BODY, rest, Pumps(2, 30.0), HZ, rng())])
    assert path.strap_rad is not None
    assert path.strap_rad.shape == path.angles_rad.shape


@pytest.mark.parametrize("wide", [False, True])
def test_anybody_lies_anyhow(*, wide: bool) -> None:
    """Sizes stay what was assumed: a rise below 15 mm, a strap that tilts by less than 3 degrees."""
    for seed in range(50):
        rest = Rest.anyhow(np.random.default_rng(seed), wide=wide)
        assert abs(rest.heel_m) < 0.015
        assert abs(rest.bulge_rad[1]) < 0.05
        assert -0.8 < rest.pitch_rad + np.pi / 2 < 0.8


def test_other_movements_hold_no_pump() -> None:
    """Turning over, sliding and the other leg's exercise have no truth event and one span of lying."""
    rest = Rest()
    for path in (turns_over(HZ, 2, rng(), rest), leg_slides(BODY, HZ, 3, rng(), rest), recoil(HZ, 20.0, rng(), rest)):
        assert path.truth == ()
        assert [span.state for span in path.spans] == [State.LYING]
