"""Above, below or level: forces made from the formula itself.

A shank that tilts by p about a point c above the sensor feels f = g p + c p'' along one horizontal direction of its
own axes. With p = a sin w t that is (g - c w^2) p: c tells itself by how far inertia counters gravity.
"""

from __future__ import annotations

import numpy as np
import pytest

from analysis.courses import WEIGHT
from analysis.frames import FRAME
from analysis.grid import GRID_HZ
from analysis.hinge import LEVERS_M, ChainFit, chain_fit
from analysis.samples import STANDARD_GRAVITY_MPS2 as G

TIME_S = np.arange(FRAME) / GRID_HZ
DIRECTIONS = [np.array([1.0, 0.0, 0.0]), np.array([0.0, -1.0, 0.0]), np.array([-0.6, 0.48, 0.64])]


def course(per_min: float, size_rad: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A tilt of raises, its rate and its second derivative, by closed forms of two harmonics."""
    w = 2 * np.pi * per_min / 60.0
    waves = [(0.5 * size_rad, w, 0.3), (0.2 * size_rad, 2 * w, 1.1)]
    tilt = sum(a * np.sin(v * TIME_S + q) for a, v, q in waves)
    rate = sum(a * v * np.cos(v * TIME_S + q) for a, v, q in waves)
    bend = sum(-a * v * v * np.sin(v * TIME_S + q) for a, v, q in waves)
    return np.asarray(tilt), np.asarray(rate), np.asarray(bend)


def fitted(
    lever_m: float, direction: np.ndarray, *, sign: float = 1.0, per_min: float = 45.0, sized: bool = True
) -> ChainFit:
    tilt, rate, bend = course(per_min, 0.06)
    rng = np.random.default_rng(10_520)
    across = (G * tilt + lever_m * bend)[None, None, :] * direction[None, :, None]
    across = across + rng.normal(0.0, 0.02, across.shape)
    return chain_fit(sign * across, rate[None], np.zeros((1, FRAME)), np.array([sized]))


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("per_min", [20.0, 45.0, 80.0])
def test_a_hinge_above_is_seated(direction: np.ndarray, sign: float, per_min: float) -> None:
    """C = +0.3: evidence for above, whatever the horizontal direction, the sense of the tilt and the cadence."""
    fit = fitted(0.3, direction, sign=sign, per_min=per_min)
    assert fit.evidence[0] > 0.0
    assert fit.level_evidence[0] < 0.0


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("per_min", [10.0, 30.0, 50.0])
def test_a_hinge_below_is_standing(direction: np.ndarray, sign: float, per_min: float) -> None:
    """C = -0.8: evidence for below."""
    fit = fitted(-0.8, direction, sign=sign, per_min=per_min)
    assert fit.evidence[0] < 0.0
    assert fit.level_evidence[0] < 0.0


@pytest.mark.parametrize("direction", DIRECTIONS, ids=str)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_level_hinge_is_a_lying_leg(direction: np.ndarray, sign: float) -> None:
    """C = 0: neither above nor below."""
    assert fitted(0.0, direction, sign=sign).level_evidence[0] > 0.0


@pytest.mark.parametrize("lever_m", [0.3, -0.8, 0.0])
def test_a_mirrored_gyroscope_changes_nothing(lever_m: float) -> None:
    """Turning the sign of the rate turns p and c p'' together: the fit is the same, to the bit."""
    tilt, rate, bend = course(45.0, 0.06)
    across = (G * tilt + lever_m * bend)[None, None, :] * DIRECTIONS[2][None, :, None]
    plain, mirrored = (chain_fit(across, s * rate[None], np.zeros((1, FRAME)), np.array([True])) for s in (1.0, -1.0))
    np.testing.assert_array_equal(plain.evidence, mirrored.evidence)
    np.testing.assert_array_equal(plain.lever_m, mirrored.lever_m)


@pytest.mark.parametrize("lever_m", [-1.5, -0.8, -0.4, 0.0, 0.2, 0.3, 0.7])
def test_the_lever_is_found(lever_m: float) -> None:
    """Without noise the lever that made the force is the one found, to a step of the trial and the integral's.

    What stays unexplained is that a running sum is half a sample late: (w h / 2)^2, 2.3 % of the power here.
    """
    tilt, rate, bend = course(60.0, 0.06)
    across = (G * tilt + lever_m * bend)[None, None, :] * DIRECTIONS[0][None, :, None]
    fit = chain_fit(across, rate[None], np.zeros((1, FRAME)), np.array([True]))
    assert fit.lever_m[0] == pytest.approx(lever_m, abs=1.5 * (LEVERS_M[1] - LEVERS_M[0]))
    assert fit.misfit[0] < 0.04


@pytest.mark.parametrize(("lever_m", "sign"), [(0.3, 1.0), (-0.8, -1.0)])
def test_the_shape_tells_where_the_size_is_unknown(lever_m: float, sign: float) -> None:
    """A tilt known only up to a factor still tells above from below."""
    tilt, rate, bend = course(60.0, 0.06)
    across = (G * tilt + lever_m * bend)[None, None, :] * DIRECTIONS[2][None, :, None]
    fit = chain_fit(across, 3.7 * rate[None], np.zeros((1, FRAME)), np.array([False]))
    assert sign * fit.evidence[0] > 0.0


def test_a_force_of_no_hinge_is_a_misfit() -> None:
    """A horizontal force that has nothing to do with the tilt is left unexplained."""
    _, rate, _ = course(45.0, 0.06)
    across = np.random.default_rng(10_521).normal(0.0, 1.0, (1, 3, FRAME))
    assert chain_fit(across, rate[None], np.zeros((1, FRAME)), np.array([True])).misfit[0] > 0.9


def test_frames_do_not_meet() -> None:
    """Each frame is judged by itself, to the bit."""
    rng = np.random.default_rng(10_522)
    across, rate = rng.normal(size=(4, 3, FRAME)), rng.normal(size=(4, FRAME)) * WEIGHT
    up = rng.normal(size=(4, FRAME))
    together = chain_fit(across, rate, up, np.ones(4, dtype=bool))
    for i in range(4):
        alone = chain_fit(across[i : i + 1], rate[i : i + 1], up[i : i + 1], np.ones(1, dtype=bool))
        for name in ("lever_m", "evidence", "level_evidence", "misfit"):
            assert getattr(alone, name)[0] == getattr(together, name)[i]
