"""The way a leg goes, laid end to end."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.events import Contraction, Kind, State, StateSpan
from analysis.leg.path import Path, join, minimum_jerk, still

RATE_HZ = 200.0


def test_minimum_jerk_is_flash_and_hogan() -> None:
    """Half way at half time; 0.103515625 = 10/64 - 15/256 + 6/1024 at a quarter; nothing outside 0..1."""
    course = minimum_jerk(np.array([-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, 2.0]))
    np.testing.assert_allclose(course, [0.0, 0.0, 0.103515625, 0.5, 1.0 - 0.103515625, 1.0, 1.0])


def test_minimum_jerk_starts_and_ends_at_rest() -> None:
    """Speed and acceleration vanish at both ends; the fastest speed is 15/8 of the mean one."""
    share = np.linspace(0.0, 1.0, 10_001)
    speed = np.gradient(minimum_jerk(share), share)
    acceleration = np.gradient(speed, share)
    np.testing.assert_allclose([speed[0], speed[-1]], 0.0, atol=1e-6)
    np.testing.assert_allclose([acceleration[1], acceleration[-2]], 0.0, atol=0.02)
    assert speed.max() == pytest.approx(15.0 / 8.0, rel=1e-5)


def test_still_is_one_pose() -> None:
    """Ten seconds at rest: no way, no turn, one span."""
    path = still(RATE_HZ, 10.0, 0.2, State.SEATED)
    assert (len(path), path.duration_s) == (2000, 10.0)
    assert not path.ankle_m.any()
    assert (path.angles_rad == [0.0, 0.2, 0.0]).all()
    assert path.spans == (StateSpan(State.SEATED, 0.0, 10.0),)


def with_event() -> Path:
    base = still(RATE_HZ, 2.0, 0.1, State.STANDING)
    ankle = np.zeros((400, 3))
    ankle[:, 0] = np.linspace(0.5, 1.5, 400)
    truth = (Contraction(Kind.STEP, 0.5, 1.0, 1.5, 1.0, "truth"),)
    return Path(RATE_HZ, ankle, base.angles_rad, base.shake_mps2, truth, base.spans)


def test_truth_moves_with_its_path() -> None:
    """An event one second into the second path comes when the first has passed and the bridge between them."""
    joined = join([still(RATE_HZ, 3.0, 0.0, State.SEATED), with_event()], turn_s=1.2)
    (event,) = joined.truth
    assert (event.onset_s, event.peak_s, event.end_s) == pytest.approx((4.7, 5.2, 5.7))
    assert joined.duration_s == pytest.approx(6.2)


def test_no_bridge_between_equal_poses() -> None:
    """Paths that end and start in one pose follow each other directly."""
    joined = join([still(RATE_HZ, 3.0, 0.1, State.STANDING), with_event()])
    assert joined.duration_s == pytest.approx(5.0)


def test_a_joined_path_never_jumps() -> None:
    """Position and pose go on where they were; spans tile the time."""
    joined = join([with_event(), still(RATE_HZ, 1.0, 0.6, State.SEATED), with_event()])
    assert np.abs(np.diff(joined.ankle_m[:, 0])).max() <= 1.0 / 399 + 1e-12
    assert np.abs(np.diff(joined.angles_rad[:, 1])).max() < 0.01
    ends = [0.0] + [span.end_s for span in joined.spans]
    np.testing.assert_allclose([span.start_s for span in joined.spans], ends[:-1], atol=1e-9)
    assert ends[-1] == pytest.approx(joined.duration_s)
