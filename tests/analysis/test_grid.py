"""Sensor clocks brought onto one even grid."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from analysis.events import Gap
from analysis.grid import GRID_HZ, LAG_S, WAIT_FOR_GYR_S, Grid, GridPiece
from analysis.samples import Modality, SampleBlock

STEP_S = 1.0 / GRID_HZ
SINGLE = {"rtol": 1e-6, "atol": 1e-6}  # what single precision keeps


def sampled(modality: Modality, t_s: np.ndarray) -> SampleBlock:
    """Three straight lines, so that averaging and straight-line interpolation are exact."""
    return SampleBlock(modality, t_s.copy(), np.stack([t_s, 2.0 * t_s + 1.0, 9.81 - t_s], axis=1))


def acc(t_s: np.ndarray) -> SampleBlock:
    return sampled(Modality.ACC, t_s)


def gyr(t_s: np.ndarray) -> SampleBlock:
    return sampled(Modality.GYR, t_s)


def even(rate_hz: float, duration_s: float, start_s: float = 0.0) -> np.ndarray:
    return start_s + np.arange(round(rate_hz * duration_s)) / rate_hz


def gridded(*steps: tuple[SampleBlock, ...]) -> tuple[list[GridPiece], list[Gap]]:
    grid, pieces, gaps = Grid(), [], []
    for blocks in steps:
        new, holes = grid.feed(blocks)
        pieces += new
        gaps += holes
    return pieces + grid.finish(), gaps


def instants(pieces: list[GridPiece]) -> np.ndarray:
    return np.concatenate([p.start_s + (p.first + np.arange(p.acc_mps2.shape[1])) * STEP_S for p in pieces])


def forces(pieces: list[GridPiece]) -> np.ndarray:
    return np.concatenate([p.acc_mps2.T for p in pieces])


def rates(pieces: list[GridPiece]) -> np.ndarray:
    return np.concatenate([p.gyr_rad_s.T for p in pieces])


@pytest.mark.parametrize("rate_hz", [25.0, 26.0, 50.0, 52.0, 66.7, 94.0, 100.0, 104.0, 208.0, 416.0])
def test_a_straight_line_stays_one(rate_hz: float) -> None:
    """Whatever the rate, an instant of the grid has the value that the line has there; no time is shifted."""
    pieces, gaps = gridded((acc(even(rate_hz, 20.0)), gyr(even(rate_hz, 20.0))))
    at_s = instants(pieces)
    np.testing.assert_allclose(np.diff(at_s), STEP_S, atol=1e-9)
    np.testing.assert_allclose(forces(pieces), sampled(Modality.ACC, at_s).values, **SINGLE)
    np.testing.assert_allclose(rates(pieces), sampled(Modality.GYR, at_s).values, **SINGLE)
    assert gaps == []
    assert at_s[0] < 0.05
    assert at_s[-1] > 20.0 - 2 * STEP_S - 2.0 / rate_hz


def test_irregular_clocks_are_read_where_they_say() -> None:
    """Samples that come unevenly are not spread evenly: the line is still the line."""
    t_s = np.cumsum(np.random.default_rng(10_500).uniform(0.01, 0.03, 800))
    pieces, gaps = gridded((acc(t_s),))
    np.testing.assert_allclose(forces(pieces), sampled(Modality.ACC, instants(pieces)).values, **SINGLE)
    assert gaps == []


def test_noise_is_averaged_not_picked() -> None:
    """Four samples at 100 Hz make one node: white noise is halved, as the mean of four is."""
    noise = np.random.default_rng(10_501).normal(size=(20_000, 3))
    pieces, _ = gridded((SampleBlock(Modality.ACC, even(100.0, 200.0), noise),))
    assert forces(pieces).std() == pytest.approx(0.5, rel=0.03)


def test_no_gyroscope_is_nan_not_zero() -> None:
    """An angular rate that nobody measured is NaN."""
    pieces, _ = gridded((acc(even(50.0, 10.0)),))
    assert np.isnan(rates(pieces)).all()
    assert not np.isnan(forces(pieces)).any()


def test_a_gyroscope_of_its_own_clock() -> None:
    """52 Hz against 50 Hz and half a sample late: each is read at the instant itself, NaN only before its start."""
    t_acc, t_gyr = even(50.0, 20.0), even(52.0, 20.0, 0.0096)
    pieces, _ = gridded((acc(t_acc), gyr(t_gyr)))
    at_s, rate = instants(pieces), rates(pieces)
    seen = ~np.isnan(rate[:, 0])
    np.testing.assert_allclose(rate[seen], sampled(Modality.GYR, at_s[seen]).values, **SINGLE)
    assert (~seen).sum() <= 3


def test_a_gyroscope_that_pauses_is_nan_meanwhile() -> None:
    """Five seconds without an angular rate are five seconds of NaN, within a node; the force goes on."""
    t_s = even(50.0, 30.0)
    pieces, gaps = gridded((acc(t_s), gyr(t_s[(t_s < 10.0) | (t_s >= 15.0)])))
    at_s, missing = instants(pieces), np.isnan(rates(pieces)[:, 0])
    assert missing[(at_s > 10.05) & (at_s < 14.95)].all()
    assert not missing[(at_s < 9.9) | ((at_s > 15.1) & (at_s < 29.9))].any()
    assert gaps == []


def test_a_gyroscope_that_stops_is_not_waited_for() -> None:
    """When one modality has been silent for ten seconds the grid goes on without it."""
    grid = Grid()
    t_s = even(50.0, 60.0)
    first, _ = grid.feed((acc(t_s[:500]), gyr(t_s[:500])))
    later, _ = grid.feed((acc(t_s[500:]),))
    assert instants(first + later)[-1] == pytest.approx(60.0 - LAG_S, abs=0.1)
    assert np.isnan(rates(later)[-1]).all()


def test_the_first_instants_wait_for_a_gyroscope() -> None:
    """Packets of two streams alternate: nothing is final while a gyroscope may still show itself."""
    grid = Grid()
    t_s = even(50.0, WAIT_FOR_GYR_S - 0.5)
    assert grid.feed((acc(t_s),)) == ([], [])
    pieces, _ = grid.feed((gyr(t_s),))
    assert not np.isnan(rates(pieces)).any()


def holed(hole_s: float) -> np.ndarray:
    t_s = even(50.0, 20.0)
    return np.concatenate([t_s[:400], t_s[400:] + hole_s - 0.02])


@pytest.mark.parametrize("hole_s", [0.15, 0.4, 0.6, 30.0])
def test_a_gap_is_reported_as_it_was(hole_s: float) -> None:
    """A gap runs from the last sample before to the first sample after."""
    t_s = holed(hole_s)
    _, gaps = gridded((acc(t_s),))
    assert gaps == [Gap(t_s[399], t_s[400])]


def test_a_gap_between_two_blocks_is_the_same_gap() -> None:
    """A cut at the gap hides nothing."""
    t_s = holed(0.3)
    _, gaps = gridded((acc(t_s[:400]),), (acc(t_s[400:]),))
    assert gaps == [Gap(t_s[399], t_s[400])]


@pytest.mark.parametrize(("hole_s", "stretches"), [(0.15, 1), (0.3, 1), (0.4, 2), (30.0, 2)])
def test_a_long_gap_starts_a_new_stretch(hole_s: float, stretches: int) -> None:
    """Across more than a third of a second nothing is assumed: no instant lies inside, and the stretch ends."""
    t_s = holed(hole_s)
    pieces, _ = gridded((acc(t_s), gyr(t_s)))
    assert sum(piece.ends for piece in pieces) == stretches
    at_s = instants(pieces)
    inside = (at_s > t_s[399] + STEP_S) & (at_s < t_s[400] - STEP_S)
    assert inside.any() == (stretches == 1)
    np.testing.assert_allclose(forces(pieces), sampled(Modality.ACC, at_s).values, **SINGLE)


def test_a_repeated_block_adds_nothing() -> None:
    """Samples that were seen already are dropped."""
    t_s = even(50.0, 10.0)
    once, _ = gridded((acc(t_s[:300]),), (acc(t_s[300:]),))
    twice, _ = gridded((acc(t_s[:300]),), (acc(t_s[200:]),))
    np.testing.assert_array_equal(forces(once), forces(twice))


def cut(block: SampleBlock, size: int) -> Iterator[SampleBlock]:
    for first in range(0, len(block), size):
        yield block.between(first, first + size)


@pytest.mark.parametrize("rate_hz", [25.0, 52.0, 100.0, 416.0])
@pytest.mark.parametrize("size", [1, 7, 100])
def test_any_cutting_gives_the_same_grid(rate_hz: float, size: int) -> None:
    """Instants and values are the same to the bit, however the samples were cut into blocks."""
    rng = np.random.default_rng(10_502)
    t_s = even(rate_hz, 8.0) + rng.uniform(0.0, 0.2 / rate_hz, round(8.0 * rate_hz))
    blocks = [SampleBlock(m, t_s.copy(), rng.normal(size=(t_s.size, 3))) for m in (Modality.ACC, Modality.GYR)]
    whole, _ = gridded(tuple(blocks))
    pieces, _ = gridded(*zip(*(cut(b, size) for b in blocks), strict=True))
    np.testing.assert_array_equal(instants(whole), instants(pieces))
    np.testing.assert_array_equal(forces(whole), forces(pieces))
    np.testing.assert_array_equal(rates(whole), rates(pieces))


def test_an_instant_on_the_last_node_of_a_late_gyroscope_is_seen() -> None:
    """A single node of a gyroscope, on the very instant, is its value there: arriving alone does not unsee it."""
    t_s = even(25.0, 12.0)
    whole, _ = gridded((acc(t_s), gyr(t_s)))
    steps: list[tuple[SampleBlock, ...]] = [(acc(t_s[:80]),), (gyr(t_s[:81]),), (acc(t_s[80:83]),)]
    steps += [(gyr(t_s[81:]),), (acc(t_s[83:]),)]
    pieces, _ = gridded(*steps)
    np.testing.assert_array_equal(instants(whole), instants(pieces))
    np.testing.assert_array_equal(rates(whole), rates(pieces))


def test_the_first_instant_after_a_break_has_its_rate() -> None:
    """An instant on the first sample after a gap is measured there, not taken to lie in the gap."""
    t_s = holed(5.0)
    pieces, _ = gridded((acc(t_s), gyr(t_s)))
    _, later = (p for p in pieces if p.begins)
    first_s = later.start_s + later.first * STEP_S
    assert first_s == pytest.approx(t_s[401:403].mean())  # two samples a node, in step with those before the gap
    np.testing.assert_allclose(later.gyr_rad_s[:, 0], sampled(Modality.GYR, np.array([first_s])).values[0])


@pytest.mark.parametrize("rate_hz", [25.0, 50.0, 52.0, 75.0, 100.0, 208.0])
@pytest.mark.parametrize(("lost_s", "more"), [(0.6, 0), (0.6, 1), (0.7, 2), (7.3, 3)])
def test_a_gap_moves_no_later_instant(rate_hz: float, lost_s: float, more: int) -> None:
    """Beyond a gap there are the instants and the values that there are without it."""
    rng = np.random.default_rng(10_503)
    t_s = even(rate_hz, 45.0)
    values = rng.normal(size=(t_s.size, 3))
    lost = range(501, 501 + round(lost_s * rate_hz) + more)
    there = np.ones(t_s.size, dtype=bool)
    there[list(lost)] = False
    whole, _ = gridded((SampleBlock(Modality.ACC, t_s, values),))
    holed_one, _ = gridded((SampleBlock(Modality.ACC, t_s[there], values[there]),))
    at_s, seen_s = instants(whole), instants(holed_one)
    beyond_s = t_s[lost.stop] + 2.5 * STEP_S
    np.testing.assert_allclose(seen_s[seen_s > beyond_s], at_s[at_s > beyond_s], atol=1e-9)
    np.testing.assert_allclose(forces(holed_one)[seen_s > beyond_s], forces(whole)[at_s > beyond_s], atol=1e-9)


def test_other_modalities_are_left_alone() -> None:
    """A block that is neither force nor rate of turn changes nothing."""
    temp = SampleBlock(Modality.TEMP, np.zeros(1), np.zeros((1, 1)), ("1",))
    assert gridded((temp,)) == ([], [])
