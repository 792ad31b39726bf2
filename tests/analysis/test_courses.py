"""Smoothing and integrating, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.courses import WEIGHT, integral, moving_average
from analysis.frames import AFTER, BEFORE, CENTRE, FRAME
from analysis.grid import GRID_HZ

WIDTHS = (1, 3, 5, 13, 15, 51, 101)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_constant_stays(width: int) -> None:
    """The average of a constant is the constant, at the ends too."""
    np.testing.assert_allclose(moving_average(np.full((2, 3, 120), 4.25), width), 4.25, atol=1e-11)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_ramp_stays_away_from_the_ends(width: int) -> None:
    """A centred average does not shift: the inside of a straight line is left as it is."""
    ramp, half = np.arange(150.0), width // 2
    inside = slice(half, 150 - half)
    np.testing.assert_allclose(moving_average(ramp, width)[inside], ramp[inside], atol=1e-10)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_pulse_becomes_a_box(width: int) -> None:
    """One unit in one sample spreads evenly over the width, half of it to either side."""
    pulse = np.zeros(301)
    pulse[150] = 1.0
    box = np.zeros(301)
    box[150 - width // 2 : 150 + width // 2 + 1] = 1.0 / width
    np.testing.assert_allclose(moving_average(pulse, width), box, atol=1e-12)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_ends_hold_their_value(width: int) -> None:
    """Beyond the end the last value goes on: the average at the end weighs it with all that lies outside."""
    x = np.random.default_rng(1).normal(size=130)
    half = width // 2
    longer = np.concatenate([np.full(half, x[0]), x, np.full(half, x[-1])])
    expected = np.convolve(longer, np.full(width, 1.0 / width), mode="valid")
    np.testing.assert_allclose(moving_average(x, width), expected, atol=1e-12)


def test_rows_do_not_meet() -> None:
    """Each row is averaged by itself, to the bit: frames analysed together or alone are the same."""
    x = np.random.default_rng(2).normal(size=(5, 3, FRAME))
    together = moving_average(x, 101)
    for i in range(5):
        np.testing.assert_array_equal(together[i], moving_average(x[i : i + 1], 101)[0])


def test_the_integral_of_a_rate() -> None:
    """One radian a second for four seconds is four radians."""
    assert integral(np.ones(4 * GRID_HZ))[-1] == pytest.approx(4.0)


def test_the_weight_is_a_raised_cosine_about_the_centre() -> None:
    """Weight 1 in the middle of the centre, 1/2 at 2.5 s from it, none from 5 s on; the same both ways."""
    t_s = (np.arange(FRAME) + 0.5 - (BEFORE + CENTRE / 2)) / GRID_HZ
    assert WEIGHT.shape == (BEFORE + CENTRE + AFTER,)
    np.testing.assert_allclose(WEIGHT, WEIGHT[::-1])
    np.testing.assert_allclose(np.interp([0.0, 2.5, 5.0, 6.5], t_s, WEIGHT), [1.0, 0.5, 0.0, 0.0], atol=1e-3)
