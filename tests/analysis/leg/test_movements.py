"""What a leg does, against what a heel raise is."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.events import Contraction, Kind, State
from analysis.leg.body import Body, Chair
from analysis.leg.movements import Raises, bounce, not_worn, seated_pushups, sit_down, stand_up, standing_raises
from analysis.leg.path import Path

RATE_HZ = 200.0
EVEN = Raises(6, 30.0, np.radians(30.0), irregularity=0.0)


def rng() -> np.random.Generator:
    return np.random.default_rng(10_001)


def standing(raises: Raises) -> Path:
    return standing_raises(Body(2.0), raises, RATE_HZ, rng(), lean_share=0.1, rest_pitch_rad=0.0)


def pushups(raises: Raises) -> Path:
    return seated_pushups(Body(2.0), Chair(), raises, RATE_HZ, rng())


def times(path: Path) -> np.ndarray:
    return np.array([[e.onset_s, e.peak_s, e.end_s] for e in path.truth])


def test_truth_keeps_the_cadence() -> None:
    """At 30 a minute a raise begins every 2 s; it rises for 0.38 of that, holds for 0.06, falls for 0.32."""
    expected = 0.5 + 2.0 * np.arange(6)[:, None] + 2.0 * np.array([0.0, 0.38 + 0.03, 0.38 + 0.06 + 0.32])
    np.testing.assert_allclose(times(pushups(EVEN)), expected, atol=1e-12)


@pytest.mark.parametrize(("make", "kind"), [(pushups, Kind.SOLEUS_PUSHUP), (standing, Kind.HEEL_RAISE)])
def test_the_heel_is_highest_at_the_true_peak(make: object, kind: Kind) -> None:
    """The ankle is within 1 % of its highest at each peak of truth, and down at each onset and end."""
    path = make(EVEN)  # type: ignore[operator]
    assert {e.kind for e in path.truth} == {kind}
    up = path.ankle_m[:, 2] - path.ankle_m[0, 2]
    at = np.round(times(path) * RATE_HZ).astype(int)
    assert up[at[:, 1]] == pytest.approx(np.full(6, up.max()), rel=0.01)
    assert np.abs(up[at[:, [0, 2]]]).max() < 0.01 * up.max()


def test_height_of_a_standing_raise() -> None:
    """27 deg of the ankle with a tenth of the foot's pitch followed: foot 30 deg, ankle 64.55 mm up.

    By hand for a two-metre body: 150 sin 30 - 78 (1 - cos 30) = 75.0 - 10.45 mm.
    """
    path = standing(Raises(3, 20.0, np.radians(27.0), irregularity=0.0))
    rise = path.ankle_m[:, 2].max() - path.ankle_m[0, 2]
    assert rise == pytest.approx(0.06455, rel=0.01)
    assert np.degrees(np.ptp(path.angles_rad[:, 1])) == pytest.approx(3.0, rel=0.02)


def test_shank_tilts_back_seated_and_forward_standing() -> None:
    """At the top the pitch has fallen in a push-up and grown in a standing raise."""
    for path, sign in ((pushups(EVEN), -1.0), (standing(EVEN), 1.0)):
        top = round(path.truth[2].peak_s * RATE_HZ)
        assert sign * (path.angles_rad[top, 1] - path.angles_rad[0, 1]) > np.radians(1.0)


def test_irregular_raises_keep_their_order_and_number() -> None:
    """However uneven, raises do not overlap and are as many as asked for."""
    at = times(pushups(Raises(40, 70.0, np.radians(25.0), irregularity=0.12)))
    assert at.shape == (40, 3)
    assert (np.diff(at.ravel()) > 0.0).all()


def test_acceleration_of_a_raise_is_physical() -> None:
    """Minimum jerk over time T to height h accelerates by at most 10/sqrt(3) h / T^2; tremor adds its own.

    Here h = 64.55 mm, T = 0.32 * 2 s in the fall: 0.91 m/s2 (and 0.05 m/s2 for a tremor of 0.6 % at 8 Hz
    would be 64.55 mm * 0.006 * (50.3 /s)^2 = 0.98 m/s2). Nothing exceeds the sum by more than a tenth.
    """
    path = standing(Raises(3, 30.0, np.radians(27.0), irregularity=0.0))
    acceleration = np.diff(path.ankle_m[:, 2], 2) * RATE_HZ**2
    assert 0.8 < np.abs(acceleration).max() < 1.1 * (0.91 + 0.98)


@pytest.mark.parametrize("frequency_hz", [4.0, 6.0, 8.0])
def test_a_bounce_has_its_frequency_and_no_truth(frequency_hz: float) -> None:
    """A bouncing leg crosses its mean twice a cycle, and contracts nothing that counts."""
    path = bounce(Body(), Chair(), RATE_HZ, 20.0, frequency_hz, np.radians(8.0), rng())
    middle = path.ankle_m[400:-400, 2]
    crossings = np.count_nonzero(np.diff(np.signbit(middle - middle.mean())))
    assert crossings / 2 / (middle.size / RATE_HZ) == pytest.approx(frequency_hz, rel=0.05)
    assert path.truth == ()
    assert {s.state for s in path.spans} == {State.SEATED}


def test_a_table_does_not_move() -> None:
    """A sensor that is not worn neither moves nor turns."""
    path = not_worn(RATE_HZ, 5.0, 1.0)
    assert np.ptp(path.ankle_m) == 0.0
    assert np.ptp(path.angles_rad, axis=0).max() == 0.0
    assert {s.state for s in path.spans} == {State.NOT_WORN}


def test_standing_up_leads_from_pose_to_pose() -> None:
    """Sit to stand begins seated, leans forward on the way, ends standing; sitting down is the reverse."""
    up = stand_up(RATE_HZ, 0.3, 0.05, rng())
    down = sit_down(RATE_HZ, 0.05, 0.3, rng())
    assert up.angles_rad[[0, -1], 1] == pytest.approx([0.3, 0.05], abs=0.01)
    assert down.angles_rad[[0, -1], 1] == pytest.approx([0.05, 0.3], abs=0.01)
    assert up.angles_rad[:, 1].max() > 0.31
    assert up.truth == down.truth == ()


def test_one_seed_one_movement() -> None:
    """The same seed gives the same leg, to the bit."""
    first: tuple[Contraction, ...] = pushups(EVEN).truth
    assert first == pushups(EVEN).truth
    np.testing.assert_array_equal(pushups(EVEN).ankle_m, pushups(EVEN).ankle_m)
