"""How likely tilts are a set: what makes it likelier, and that a frame is judged by itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis import pump_sets, pump_weights
from analysis.frames import FRAME
from analysis.grid import GRID_HZ
from analysis.leg.sensor import random_rotation
from analysis.pumping import Tilts, tilts
from analysis.rules import RULES
from tests.train_pumps import trained, written

T_S = np.arange(FRAME) / GRID_HZ


def seen(size_rad: float, *, wander_rad: float = 0.0, frames: int = 1) -> Tilts:
    """A level shank that rocks about a hinge 0.25 m away every 2 s, in any axes, and drifts as it does."""
    rng = np.random.default_rng(8)
    slow = np.cumsum(rng.normal(size=(frames, 2, FRAME)), axis=2)
    slow *= wander_rad / np.maximum(slow.std(axis=2, keepdims=True), 1e-9)
    tilt = size_rad * np.sin(np.pi * T_S) + slow[:, 0]
    lift = 0.25 * np.gradient(np.gradient(tilt, axis=1), axis=1) * GRID_HZ**2
    force = np.stack([9.81 * np.sin(tilt), 9.81 * np.sin(slow[:, 1]), 9.81 * np.cos(tilt) + lift], axis=1)
    force += rng.normal(size=force.shape) * 0.02
    return tilts(np.einsum("ij,fjk->fik", random_rotation(rng), force))


def test_an_even_set_is_likely_whatever_its_size() -> None:
    """Tilts of 1 to 3 degrees, top to bottom, are a set; a leg that drifts as far without them is none."""
    for size_rad in (0.009, 0.012, 0.025):
        assert pump_sets.log_odds(seen(size_rad), RULES)[0] > 1.0
    assert (pump_sets.log_odds(seen(0.0, wander_rad=0.01, frames=50), RULES) > RULES.least_pump_log_odds).mean() < 0.05


def test_a_drift_hides_no_set() -> None:
    """A leg that drifts nearly as much as it is rocked: most frames still show the set, and its period."""
    found = seen(0.012, wander_rad=0.006, frames=40)
    assert (pump_sets.log_odds(found, RULES) > RULES.least_pump_log_odds).mean() > 0.8
    assert np.median(found.period_s[:, 0]) == pytest.approx(2.0, abs=0.21)


def test_a_frame_is_judged_by_itself() -> None:
    """To the last bit the same, alone or among others."""
    found = seen(0.01, wander_rad=0.01, frames=9)
    odds = pump_sets.log_odds(found, RULES)
    for k in range(9):
        alone = replace(found, **{name: getattr(found, name)[k : k + 1] for name in Tilts.__slots__})
        assert pump_sets.log_odds(alone, RULES)[0] == odds[k]


def test_training_finds_what_tells_and_writes_the_file_that_is_read() -> None:
    """Of two clouds that lie apart nearly all points fall on their side; the file in use is of the form written."""
    rng = np.random.default_rng(9)
    said = rng.normal(size=(400, len(pump_sets.FEATURES)))
    right = np.repeat([0.0, 1.0], 200)
    said[200:, 0] += 3.0
    middle, spread, weights = trained(said, right)
    odds = pump_sets.terms(said, middle, spread) @ weights
    assert ((odds > 0.0) == (right > 0.5)).mean() > 0.9
    used = (np.array(RULES.pump_middle), np.array(RULES.pump_spread), np.array(RULES.pump_weights))
    assert written(*used) == Path(pump_weights.__file__).read_text(encoding="utf-8")
