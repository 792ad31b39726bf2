"""Running, stairs and shuffling of the simulated leg, against what those gaits are."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.events import State
from analysis.leg.body import Body
from analysis.leg.other_gaits import Run, Shuffle, Stairs, climb, run, shuffle
from analysis.leg.path import Path

RATE_HZ = 200.0
BODY = Body(1.75)


def rng() -> np.random.Generator:
    return np.random.default_rng(10_150)


def middle(path: Path) -> slice:
    """From the fifth contact to the fifth but last."""
    return slice(round(path.truth[4].end_s * RATE_HZ), round(path.truth[-5].end_s * RATE_HZ))


@pytest.mark.parametrize(("speed_mps", "stride_s"), [(2.2, 0.77), (3.0, 0.73), (4.5, 0.67)])
def test_running_has_a_flight(speed_mps: float, stride_s: float) -> None:
    """The foot is off the floor for more than half of the stride, goes its speed, and the heel comes up high.

    Source: Novacheck 1998, doi 10.1016/S0966-6362(97)00038-6: toe-off at 39 % of the stride or earlier.
    """
    path = run(BODY, Run(speed_mps, stride_s), 20, RATE_HZ, rng())
    swing = np.array([(e.end_s - e.onset_s) / stride_s for e in path.truth])
    assert swing.mean() == pytest.approx(0.60 + 0.09 * (speed_mps - 2.2) / 2.3, abs=0.02)
    here = middle(path)
    way = path.ankle_m[here.stop, 0] - path.ankle_m[here.start, 0]
    assert way / (here.stop - here.start) * RATE_HZ == pytest.approx(speed_mps, rel=0.03)
    assert 0.2 < np.ptp(path.ankle_m[here, 2]) < 0.5
    assert {s.state for s in path.spans} == {State.RUNNING}
    assert {e.attributes["gait"] for e in path.truth} == {"run"}


def test_running_swings_faster_than_walking() -> None:
    """The shank swings forward by 600 to 1000 deg/s, faster the faster the runner."""
    rates = [
        -np.gradient(run(BODY, Run(v, s), 20, RATE_HZ, rng()).angles_rad[:, 1]).min() * RATE_HZ
        for v, s in ((2.2, 0.77), (3.0, 0.73), (4.5, 0.67))
    ]
    assert rates == sorted(rates)
    assert 10.0 < rates[0] < rates[-1] < 18.0


@pytest.mark.parametrize("up", [True, False])
def test_a_stride_takes_two_stairs(*, up: bool) -> None:
    """Each stride goes two risers up or down and two treads ahead, and the foot stands in mid-stance."""
    path = climb(BODY, Stairs(0.17, 0.28, 1.35), 12, RATE_HZ, rng(), up=up)
    here = middle(path)
    strides = len(path.truth) - 9
    rise = path.ankle_m[here.stop, 2] - path.ankle_m[here.start, 2]
    assert rise / strides == pytest.approx(0.34 if up else -0.34, rel=0.03)
    assert (path.ankle_m[here.stop, 0] - path.ankle_m[here.start, 0]) / strides == pytest.approx(0.56, rel=0.03)
    for before, after in zip(path.truth[4:-4], path.truth[5:-3], strict=True):
        first, last = (round((before.end_s + s * (after.onset_s - before.end_s)) * RATE_HZ) for s in (0.3, 0.5))
        assert np.ptp(path.ankle_m[first:last], axis=0).max() < 0.01


def test_upstairs_the_knee_is_lifted_over_the_stair() -> None:
    """The ankle clears the next stair but one, and the shank is never behind the vertical."""
    path = climb(BODY, Stairs(0.17, 0.28, 1.35), 12, RATE_HZ, rng(), up=True)
    swing = path.truth[6]
    air = path.ankle_m[round(swing.onset_s * RATE_HZ) : round(swing.end_s * RATE_HZ), 2]
    assert air.max() > air[-1] + 0.005
    assert np.degrees(path.angles_rad[middle(path), 1].min()) > 0.0


def test_shuffling_hardly_leaves_the_floor() -> None:
    """Strides of 0.5 m: the ankle rises by less than 6 cm, the shank swings by 20 to 40 degrees."""
    path = shuffle(BODY, Shuffle(0.5, 1.1), 20, RATE_HZ, rng())
    here = middle(path)
    assert np.ptp(path.ankle_m[here, 2]) < 0.06
    assert 20.0 < np.degrees(np.ptp(path.angles_rad[here, 1])) < 40.0
    strides = len(path.truth) - 9
    assert (path.ankle_m[here.stop, 0] - path.ankle_m[here.start, 0]) / strides == pytest.approx(0.5, rel=0.05)
