"""How likely tilts are a set: what makes it likelier, with and without a gyroscope, and that a frame stands alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import pump_sets, pump_weights
from analysis.frames import FRAME
from analysis.grid import GRID_HZ
from analysis.leg.sensor import random_rotation
from analysis.pump_tilts import Tilts, tilts
from analysis.pump_turns import Turns, turns
from analysis.rules import RULES, Logistic
from analysis.samples import FloatArray
from tests.train_pumps import trained, written

T_S = np.arange(FRAME) / GRID_HZ
EVEN = RULES.least_pump_log_odds_of_many


def felt(size_rad: float, *, wander_rad: float = 0.0, frames: int = 1) -> tuple[FloatArray, FloatArray]:
    """Force and turn (frames, 3, FRAME) of a level shank that rocks every 2 s about a hinge 0.25 m away, and drifts."""
    rng = np.random.default_rng(8)
    slow = np.cumsum(rng.normal(size=(frames, 2, FRAME)), axis=2)
    slow *= wander_rad / np.maximum(slow.std(axis=2, keepdims=True), 1e-9)
    tilt = size_rad * np.sin(np.pi * T_S) + slow[:, 0]
    lift = 0.25 * np.gradient(np.gradient(tilt, axis=1), axis=1) * GRID_HZ**2
    force = np.stack([9.81 * np.sin(tilt), 9.81 * np.sin(slow[:, 1]), 9.81 * np.cos(tilt) + lift], axis=1)
    turning = np.stack([slow[:, 1], tilt, np.zeros_like(tilt)], axis=1)
    turning = np.gradient(turning, axis=2) * GRID_HZ
    turned = random_rotation(rng)
    return tuple(
        np.einsum("ij,fjk->fik", turned, x + rng.normal(size=x.shape) * noise)
        for x, noise in ((force, 0.02), (turning, 0.002))
    )


def odds(felt: tuple[FloatArray, FloatArray], *, has_gyr: bool = True, mirrored: float = 1.0) -> FloatArray:
    """What is thought of it."""
    seen = tilts(felt[0])
    return pump_sets.log_odds(seen, turns(mirrored * felt[1], np.full(len(felt[0]), has_gyr), seen), RULES)


@pytest.mark.parametrize("has_gyr", [True, False])
def test_an_even_set_is_likely_whatever_its_size(has_gyr: bool) -> None:
    """Tilts of 1 to 3 degrees, top to bottom, are a set; a drift as large is seldom one, though it truly turns."""
    for size_rad in (0.009, 0.012, 0.025):
        assert odds(felt(size_rad), has_gyr=has_gyr)[0] > RULES.least_pump_log_odds
    drifting = odds(felt(0.0, wander_rad=0.01, frames=400), has_gyr=has_gyr)
    assert (drifting > RULES.least_pump_log_odds).mean() < (
        0.2 if has_gyr else 0.05
    )  # and then, three alike are asked for


@pytest.mark.parametrize("has_gyr", [True, False])
def test_a_drift_hides_no_set(has_gyr: bool) -> None:
    """A leg that drifts nearly as much as it is rocked: most frames still show the set, and its period."""
    drifting = felt(0.012, wander_rad=0.006, frames=40)
    assert (odds(drifting, has_gyr=has_gyr) > EVEN).mean() > 0.8
    assert np.median(tilts(drifting[0]).period_s[:, 0]) == pytest.approx(2.0, abs=0.21)


def test_a_gyroscope_that_does_not_turn_with_the_tilt_speaks_against_it() -> None:
    """What pushes to the side as a tilt would, without turning; and a mirrored gyroscope says the same as any."""
    rocked = felt(0.012, wander_rad=0.004, frames=20)
    still = np.random.default_rng(3).normal(size=rocked[1].shape) * 0.002
    assert (odds(rocked) - odds((rocked[0], still)) > 2.0).all()
    np.testing.assert_allclose(odds(rocked), odds(rocked, mirrored=-1.0), rtol=1e-9)


def test_turns_of_a_leg_that_only_rocks() -> None:
    """The turning explains the tilt, about one axis, and is as large as its rate."""
    force, turning = felt(0.02)
    seen = turns(turning, np.array([True]), tilts(force))
    assert seen.agreement[0] > 0.95
    assert seen.straight[0] > 0.95
    assert seen.likeness[0] > 0.95
    assert seen.per_tilt[0] == pytest.approx(1.0, abs=0.2)


def test_a_frame_is_judged_by_itself() -> None:
    """To the last bit the same, alone or among others."""
    force, turning = felt(0.01, wander_rad=0.01, frames=9)
    found = tilts(force)
    turned = turns(turning, np.ones(9, dtype=bool), found)
    among = pump_sets.log_odds(found, turned, RULES)
    for k in range(9):
        one = slice(k, k + 1)
        seen, seen_turn = (
            replace(x, **{name: getattr(x, name)[one] for name in kind.__slots__})
            for x, kind in ((found, Tilts), (turned, Turns))
        )
        assert pump_sets.log_odds(seen, seen_turn, RULES)[0] == among[k]
        alone = turns(np.ascontiguousarray(turning[one]), np.array([True]), tilts(np.ascontiguousarray(force[one])))
        assert alone.agreement[0] == turned.agreement[k]
        assert alone.likeness[0] == turned.likeness[k]


def test_training_finds_what_tells_and_writes_the_file_that_is_read() -> None:
    """Of two clouds that lie apart nearly all points fall on their side; the file in use is of the form written."""
    rng = np.random.default_rng(9)
    said = rng.normal(size=(400, len(pump_sets.TILT_FEATURES)))
    right = np.arange(400) >= 300
    said[300:, 0] += 3.0
    model = trained(said, right.astype(float))
    found = pump_sets.terms(said, np.array(model.middle), np.array(model.spread)) @ np.array(model.weights)
    assert ((found > 0.0) == right).mean() > 0.9
    assert written(RULES.pumps_with_turns, RULES.pumps_by_tilts) == Path(pump_weights.__file__).read_text(
        encoding="utf-8"
    )
    assert isinstance(model, Logistic)
