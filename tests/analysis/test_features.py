"""Orientation-free traces, from movements whose turn and lift are known in closed form."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from analysis.courses import WEIGHT, moving_average
from analysis.features import BASELINE, Traces, look_closer, principal_axis, traces, way_forward
from analysis.frames import FRAME
from analysis.grid import GRID_HZ
from analysis.hinge import ChainFit
from analysis.leg.sensor import random_rotation
from analysis.samples import STANDARD_GRAVITY_MPS2 as G

TIME_S = np.arange(FRAME) / GRID_HZ
OMEGA = 2 * np.pi * 3 * GRID_HZ / BASELINE  # 45 a minute: the baseline of 4 s takes nothing of it and adds nothing
TILT_RAD, LIFT_M = 0.05, 0.03
MIDDLE = slice(100, 250)
HAS = np.array([True])


def heel(rotation: np.ndarray, *, mirror: float = 1.0, offset_rad_s: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """A shank that rises by LIFT_M and tilts by TILT_RAD (amplitudes), at 45 a minute, in any sensor's axes."""
    pitch = TILT_RAD * np.sin(OMEGA * TIME_S)
    up = -LIFT_M * OMEGA**2 * np.sin(OMEGA * TIME_S)
    force = np.stack([-(G + up) * np.sin(pitch), np.zeros(FRAME), (G + up) * np.cos(pitch)])
    rate = np.stack([np.zeros(FRAME), TILT_RAD * OMEGA * np.cos(OMEGA * TIME_S), np.zeros(FRAME)])
    rate = (rotation @ rate + offset_rad_s) * np.array([1.0, 1.0, mirror])[:, None]
    return (rotation @ force)[None], rate[None]


def of(seed: int, **how: float) -> Traces:
    return traces(*heel(random_rotation(np.random.default_rng(seed)), **how), HAS)


def amplitude(x: np.ndarray) -> float:
    return float(np.sqrt(2.0) * x[0, MIDDLE].std())


@pytest.mark.parametrize("seed", range(10_530, 10_536))
@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_traces_are_free_of_orientation(seed: int, mirror: float) -> None:
    """Tilt 0.05 rad and lift 30 mm are found in any axes, mirrored or not."""
    found = of(seed, mirror=mirror)
    assert amplitude(found.turn_rad_s) == pytest.approx(TILT_RAD * OMEGA, rel=0.02)
    assert amplitude(found.tilt_rad) == pytest.approx(TILT_RAD, rel=0.03)
    assert amplitude(found.height_m) == pytest.approx(LIFT_M, rel=0.03)
    assert found.off_axis[0] < 1e-6


@pytest.mark.parametrize("seed", [10_530, 10_531])
def test_plantar_flexion_is_positive(seed: int) -> None:
    """The heel's rise gives the turn its sign: turning and lifting go up together."""
    found = of(seed, mirror=-1.0)
    assert np.corrcoef(found.turn_rad_s[0, MIDDLE], found.lift_mps[0, MIDDLE])[0, 1] > 0.99


def test_a_constant_offset_of_the_gyroscope_is_nothing() -> None:
    """A part that reads 0.1 rad/s at rest gives the same traces."""
    plain, off = of(10_532), of(10_532, offset_rad_s=0.1)
    np.testing.assert_allclose(off.turn_rad_s, plain.turn_rad_s, atol=1e-9)
    (with_offset, without) = (look_closer(x, np.zeros(1, dtype=np.int64)).plain_tilt_rad for x in (off, plain))
    np.testing.assert_allclose(with_offset, without, atol=1e-6)


def test_rest_has_no_traces() -> None:
    """A sensor at rest neither turns nor lifts nor shakes."""
    force = np.tile(np.array([1.0, 2.0, 9.5])[None, :, None], (1, 1, FRAME))
    found = traces(force, np.zeros((1, 3, FRAME)), HAS)
    for name in ("turn_rad_s", "tilt_rad", "lift_mps", "height_m", "swing_rad_s", "shock_mps2"):
        np.testing.assert_allclose(getattr(found, name), 0.0, atol=1e-9)


def test_without_a_gyroscope_the_lift_is_as_good() -> None:
    """The lift needs no gyroscope; the turn is then guessed in its course.

    The size of the force stands in for its part along up; they differ by f_h^2 / 2g, here about 1 % of the lift.
    """
    force, rate = heel(np.eye(3))
    with_gyr, without = traces(force, rate, HAS), traces(force, np.zeros_like(rate), np.array([False]))
    np.testing.assert_allclose(without.height_m, with_gyr.height_m, atol=0.02 * np.abs(with_gyr.height_m).max())
    assert np.corrcoef(without.turn_rad_s[0, MIDDLE], with_gyr.turn_rad_s[0, MIDDLE])[0, 1] > 0.99


def test_shock_is_the_jump_of_the_vertical_force() -> None:
    """A jump of 3 m/s2 from one sample to the next is a shock of 3 m/s2."""
    force = np.tile(np.array([0.0, 0.0, G])[None, :, None], (1, 1, FRAME))
    force[0, 2, 175] += 3.0
    assert traces(force, np.zeros((1, 3, FRAME)), HAS).shock_mps2[0].max() == pytest.approx(3.0, rel=0.01)


def test_the_principal_axis_is_the_one_turned_about_most() -> None:
    """Turning twice as fast about one axis as about another leaves a fifth of the power beside it."""
    rng = np.random.default_rng(10_540)
    rotation = random_rotation(rng)
    quick, slow = np.sin(2 * np.pi * TIME_S), 0.5 * np.sin(4 * np.pi * TIME_S)
    axis, off_axis = principal_axis((rotation @ np.stack([quick, slow, np.zeros(FRAME)]))[None])
    assert abs(float(axis[0] @ rotation[:, 0])) == pytest.approx(1.0, abs=1e-3)
    assert off_axis[0] == pytest.approx(0.2, abs=0.01)


def test_turning_evenly_about_all_axes_is_no_hinge() -> None:
    """Two thirds of a turning that favours no axis lie beside any axis."""
    turning = np.random.default_rng(10_541).normal(size=(50, 3, FRAME))
    _, off_axis = principal_axis(turning)
    expected = 2.0 / 3.0
    assert off_axis.mean() == pytest.approx(expected, abs=2.0 / np.sqrt((WEIGHT > 0.5).sum()))


def test_frames_do_not_meet() -> None:
    """Each frame has its own traces, to the bit, whatever it is analysed beside."""
    rng = np.random.default_rng(10_542)
    force = rng.normal(size=(6, 3, FRAME)) + np.array([0.0, 0.0, G])[None, :, None]
    rate = rng.normal(size=(6, 3, FRAME))
    has = np.array([True, False, True, True, False, True])
    together = traces(force, rate, has)
    for i in range(6):
        alone = traces(force[i : i + 1], rate[i : i + 1], has[i : i + 1])
        for name in ("turn_rad_s", "tilt_rad", "lift_mps", "height_m", "swing_rad_s", "shock_mps2"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[i])
        closer_alone, closer = look_closer(alone, np.array([0])), look_closer(together, np.array([i]))
        np.testing.assert_array_equal(closer_alone.plain_tilt_rad, closer.plain_tilt_rad)
        for part in fields(ChainFit):
            np.testing.assert_array_equal(getattr(closer_alone.fit, part.name), getattr(closer.fit, part.name))


def going(rise_rad_s: float, swing_rad_s: float) -> np.ndarray:
    """Strides of 1.2 s: the heel goes up, the leg swings forward (positive) 0.3 s later, then the foot stands."""
    phase = TIME_S % 1.2
    up, forward = (np.exp(-(((phase - at) / 0.08) ** 2)) for at in (0.3, 0.6))
    return (swing_rad_s * forward - rise_rad_s * up)[None]


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(("rise", "swing"), [(2.0, 4.0), (3.0, 3.0), (3.5, 3.0)])
def test_the_way_forward_is_after_the_heel(rise: float, swing: float, sign: float) -> None:
    """Whether the leg swings forward faster than the heel goes up, as fast, or slower: what comes after it is forward.

    Such strides are heel first; a pendulum is not.
    """
    turn = sign * going(rise, swing)
    forward, heel_first = way_forward(turn, moving_average(turn, 7))
    assert forward.tolist() == [sign]
    assert heel_first[0] > 0.2
    pendulum = np.sin(2 * np.pi * TIME_S / 1.2)[None]
    assert abs(way_forward(pendulum, pendulum)[1][0]) < 0.05
