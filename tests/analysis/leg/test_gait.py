"""Level walking of the simulated leg, against what walking is."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.events import Kind, State
from analysis.leg.gait import Gait, walk
from analysis.leg.path import Path

RATE_HZ = 200.0


@pytest.fixture(scope="module")
def walked() -> Path:
    return walk(Gait(speed_mps=1.2, stride_s=1.1), 30, RATE_HZ, np.random.default_rng(10_100))


def test_one_event_a_stride(walked: Path) -> None:
    """Thirty strides are thirty steps of the sensor's leg, each with toe-off before mid-swing before contact."""
    assert len(walked.truth) == 30
    assert {e.kind for e in walked.truth} == {Kind.STEP}
    at = np.array([[e.onset_s, e.peak_s, e.end_s] for e in walked.truth])
    assert (np.diff(at.ravel()) > 0.0).all()
    assert {s.state for s in walked.spans} == {State.WALKING}


def test_strides_last_as_long_as_asked(walked: Path) -> None:
    """From contact to contact it takes 1.1 s on average, within three standard errors of 2.5 % a stride."""
    contacts = np.array([e.end_s for e in walked.truth])
    assert np.diff(contacts).mean() == pytest.approx(1.1, rel=3 * 0.025 / np.sqrt(29))


def test_mid_swing_is_where_the_shank_swings_forward_fastest(walked: Path) -> None:
    """At each true peak the shank's pitch falls faster than 40 ms to either side, by 2.5 to 8 rad/s.

    Source: mid-swing 150 to 450 deg/s, FACTS, section 4.
    """
    rate = np.gradient(walked.angles_rad[:, 1]) * RATE_HZ
    for event in walked.truth:
        at = round(event.peak_s * RATE_HZ)
        assert rate[at] < min(rate[at - 8], rate[at + 8])
        assert 2.5 < -rate[at] < 8.0


def test_the_foot_stands_in_mid_stance(walked: Path) -> None:
    """Between a contact and the next toe-off the foot stands still for a while: the ankle goes less than 2 cm."""
    for before, after in zip(walked.truth[5:-5], walked.truth[6:-4], strict=True):
        stance_s = after.onset_s - before.end_s
        first, last = (round((before.end_s + share * stance_s) * RATE_HZ) for share in (0.1, 0.5))
        assert np.ptp(walked.ankle_m[first:last, 0]) < 0.02
        assert np.ptp(walked.ankle_m[first:last, 2]) < 0.01


def test_a_stride_goes_as_far_as_speed_says(walked: Path) -> None:
    """1.2 m/s for 1.1 s is 1.32 m a stride."""
    at = [round(e.end_s * RATE_HZ) for e in walked.truth]
    way = walked.ankle_m[at[25], 0] - walked.ankle_m[at[5], 0]
    assert way / 20 == pytest.approx(1.32, rel=0.03)


def test_feet_strike_at_contact() -> None:
    """Nothing shakes before a contact; after it the mean shock is about 0.63 of its size.

    A decaying oscillation exp(-t/0.035) sin(2 pi 14 t) has its first maximum after 14 ms, 0.63 high.
    """
    path = walk(Gait(strike_mps2=4.0), 200, RATE_HZ, np.random.default_rng(10_101))
    shock = []
    for event in path.truth:
        at = round(event.end_s * RATE_HZ)
        assert np.abs(path.shake_mps2[at - 20 : at - 1]).max() < 0.01
        shock.append(path.shake_mps2[at : at + 20, 2].max())
    assert np.mean(shock) == pytest.approx(0.63 * 4.0, rel=0.1)


def test_walking_starts_and_ends_standing(walked: Path) -> None:
    """First and last pose are the standing one, at rest."""
    assert walked.angles_rad[[0, -1], 1] == pytest.approx([0.03, 0.03], abs=0.005)
    speed = np.gradient(walked.ankle_m, axis=0) * RATE_HZ
    assert np.abs(speed[[0, -1]]).max() < 0.02


def test_the_whole_walk_is_smooth(walked: Path) -> None:
    """Beside the foot strikes the ankle never accelerates by more than 10 g, nor turns faster than 15 rad/s."""
    acceleration = np.diff(walked.ankle_m, 2, axis=0) * RATE_HZ**2
    assert np.linalg.norm(acceleration, axis=1).max() < 98.0
    assert np.abs(np.diff(walked.angles_rad, axis=0)).max() * RATE_HZ < 15.0
