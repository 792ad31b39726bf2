"""Small tilts that repeat: what counts as a set, and which end of it is plantar flexion."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.frames import BEFORE_S, CENTRE_S, FRAME
from analysis.grid import GRID_HZ
from analysis.leg.sensor import random_rotation
from analysis.pump_tilts import BINS, BINS_HZ, WINDOWS, tilts
from analysis.pumping import Side, plantar_is_up, pumps_of

T_S = np.arange(FRAME) / GRID_HZ
BIN_S = (np.arange(BINS) + 0.5) / BINS_HZ
WHOLE = WINDOWS[0]


def tilted(tilt_rad: np.ndarray, rotation: np.ndarray, lift_m: float = 0.0) -> np.ndarray:
    """Force (1, 3, FRAME) on a level shank that tilts so, in any sensor axes."""
    lift = lift_m * np.gradient(np.gradient(tilt_rad)) * GRID_HZ**2
    force = np.stack([9.81 * np.sin(tilt_rad), np.zeros(FRAME), 9.81 * np.cos(tilt_rad) + lift])
    return np.asarray((rotation @ force)[None])


def course(period_s: float, size_rad: float = 0.02) -> np.ndarray:
    return np.asarray(size_rad * np.cos(2.0 * np.pi * BIN_S / period_s))


@pytest.mark.parametrize("period_s", [1.0, 1.6, 3.0, 5.0])
def test_the_tilt_is_seen_in_any_axes(period_s: float) -> None:
    """Size, straightness and period of an even tilt come out whatever way the sensor sits; noise is unlike itself."""
    rotation = random_rotation(np.random.default_rng(3))
    seen = tilts(tilted(0.02 * np.sin(2.0 * np.pi * T_S / period_s), rotation))
    assert np.ptp(seen.course_rad) == pytest.approx(0.04, rel=0.15)
    assert seen.straight[0] > 0.99
    assert seen.likeness[0, 0] > (0.95 if period_s < 4.0 else 0.9)  # what is slower takes some of so slow a set, too
    assert seen.period_s[0, 0] == pytest.approx(period_s, abs=0.21)


def test_noise_does_not_repeat() -> None:
    """Of a hundred frames of noise hardly one is as like itself as a set of pumps is asked to be without more."""
    rng = np.random.default_rng(4)
    noise = np.array([0.0, 0.0, 9.81])[None, :, None] + 0.02 * rng.normal(size=(100, 3, FRAME))
    assert (tilts(noise).likeness[:, 0] > 0.75).sum() <= 1


def test_lift_tells_a_shank_that_rocks_from_one_that_leans() -> None:
    """A level shank hinged 0.3 m away lifts the sensor by that much a radian; one that leans lifts nothing."""
    wave = 0.02 * np.sin(2.0 * np.pi * T_S / 1.5)
    assert tilts(tilted(wave, np.eye(3), 0.3)).lift_m[0] == pytest.approx(0.3, abs=0.06)
    assert tilts(tilted(wave, np.eye(3))).lift_m[0] < 0.03


def test_pumps_of_the_centre_are_given_at_their_tops() -> None:
    """Each top in the centre once, within 0.1 s; those of other frames are left to them."""
    found = pumps_of(course(1.6), WHOLE, 1.6, 0.77, 3)
    true_s = [t for t in np.arange(0.0, 14.0, 1.6) if BEFORE_S <= t < BEFORE_S + CENTRE_S]
    assert [pump.peak_s for pump in found] == pytest.approx(true_s, abs=0.1)
    assert all(pump.onset_s < pump.peak_s < pump.end_s for pump in found)


def test_two_tilts_are_no_set() -> None:
    """One or two alike are not believed, unless the set goes on from before."""
    two = np.where((BIN_S > 4.0) & (BIN_S < 8.0), 0.01 - course(2.0, 0.01), 0.0)
    assert pumps_of(two, WHOLE, 2.0, 0.5, 3) == []
    assert pumps_of(two, WHOLE, 2.0, 0.5, 2)


def test_unlike_tilts_are_no_set() -> None:
    """Tops that follow one another evenly but differ in size by more than twice are refused."""
    uneven = course(2.0) * np.repeat([0.1, 1.0] * 4, 10)[:BINS]
    assert pumps_of(uneven, WHOLE, 2.0, 0.77, 3) == []


def test_the_foot_goes_down_farther_than_up() -> None:
    """From the way the leg lay before, the longer way is plantar flexion; even ways are not sure."""
    wave = 0.5 * (course(2.0, 1.0) + 1.0)
    assert plantar_is_up(wave, 0.1) == (True, Side.TOLD)
    assert plantar_is_up(-wave, -0.1) == (False, Side.TOLD)
    assert plantar_is_up(wave, 0.5)[1] is Side.EVEN
    assert plantar_is_up(wave**3, None) == (True, Side.DWELT)
    assert plantar_is_up(np.sin(10.0 * np.pi * BIN_S / BIN_S[-1]), None)[1] is Side.GUESSED
