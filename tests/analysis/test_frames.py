"""The grid cut into overlapping frames."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.frames import (
    ACC,
    AFTER,
    AXES,
    BEFORE,
    CELLS,
    CENTRE,
    CENTRE_S,
    CHANNELS,
    FRAME,
    OWN_CELL,
    SIZE,
    Framer,
    Frames,
    Look,
    over_frame,
)
from analysis.grid import GRID_HZ, GridPiece


def piece(values: np.ndarray, first: int = 0, *, ends: bool = True, gyr: np.ndarray | None = None) -> GridPiece:
    return GridPiece(100.0, first, values.T, (values + 0.5 if gyr is None else gyr).T, first == 0, ends)


def ramp(n: int) -> np.ndarray:
    return np.stack([np.arange(n, dtype=float), np.ones(n), np.zeros(n)], axis=1)


def in_pieces(values: np.ndarray, size: int) -> list[Frames]:
    framer, out = Framer(), []
    for first in range(0, len(values), size):
        part = values[first : first + size]
        frames = framer.feed(piece(part, first, ends=first + size >= len(values)))
        out += [frames] if frames is not None else []
    return out


def test_a_frame_is_seven_cells_of_two_seconds() -> None:
    """6 s before, 2 s of its own, 6 s after."""
    assert (BEFORE, CENTRE, AFTER, FRAME) == (150, 50, 150, 350)
    assert (CELLS, OWN_CELL) == (7, 3)


@pytest.mark.parametrize("n", [1, 49, 50, 51, 200, 349, 350, 1000, 1001])
def test_centres_tile_the_stretch(n: int) -> None:
    """Every instant lies in the centre of exactly one frame: seen seconds add up to the stretch's length."""
    frames = Framer().feed(piece(ramp(n)))
    assert frames is not None
    assert len(frames) == -(-n // CENTRE)
    np.testing.assert_allclose(frames.start_s, 100.0 + CENTRE_S * np.arange(len(frames)))
    assert frames.seen_s.sum() == pytest.approx(n / GRID_HZ)
    assert (frames.seen_s > 0.0).all()


def test_a_frame_shows_what_surrounds_its_centre() -> None:
    """Sample BEFORE + k of frame f is instant f * CENTRE + k.

    Beyond the ends lies the mean of the first, and of the last, second; of the turn that of six seconds.
    """
    n = 1000
    frames = Framer().feed(piece(ramp(n)))
    assert frames is not None
    index = np.arange(len(frames))[:, None] * CENTRE + np.arange(FRAME)[None, :] - BEFORE
    for seen, over, more in ((frames.acc_mps2, GRID_HZ, 0.0), (frames.gyr_rad_s, BEFORE, 0.5)):
        first, last = (over - 1) / 2.0, n - (over + 1) / 2.0  # mean of so many
        expected = np.where(index < 0, first, np.where(index < n, index, last))
        np.testing.assert_allclose(seen[:, 0], expected + more, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 13, 50, 349])
def test_any_cutting_gives_the_same_frames(size: int) -> None:
    """Pieces of any size make the same frames, to the bit, and the last one says so."""
    values = np.random.default_rng(10_510).normal(size=(777, 3))
    (whole,) = in_pieces(values, 777)
    parts = in_pieces(values, size)
    for name in ("start_s", "acc_mps2", "gyr_rad_s", "has_gyr", "seen_s"):
        np.testing.assert_array_equal(np.concatenate([getattr(p, name) for p in parts]), getattr(whole, name))
    assert [p.ends for p in parts] == [False] * (len(parts) - 1) + [True]
    assert [p.begins for p in parts] == [True] + [False] * (len(parts) - 1)


def test_a_frame_is_complete_six_seconds_after_its_centre() -> None:
    """The first frame comes when 2 + 6 s of the stretch have been seen, not earlier."""
    framer, values = Framer(), ramp(400)
    assert framer.feed(piece(values[: CENTRE + AFTER - 1], ends=False)) is None
    frames = framer.feed(piece(values[CENTRE + AFTER - 1 : CENTRE + AFTER], CENTRE + AFTER - 1, ends=False))
    assert frames is not None
    assert len(frames) == 1


def test_half_a_frame_of_gyroscope_is_enough() -> None:
    """A frame has a gyroscope if it was seen for more than half of it; where it was not, the last rate is held."""
    n, seen_until = 1000, 500
    rate = ramp(n)
    rate[seen_until:] = np.nan
    frames = Framer().feed(piece(ramp(n), gyr=rate))
    assert frames is not None
    index = np.arange(len(frames))[:, None] * CENTRE + np.arange(FRAME)[None, :] - BEFORE
    missing = (index >= seen_until).sum(axis=1)
    np.testing.assert_array_equal(frames.has_gyr, missing * 2 < FRAME)
    held = np.where(index < 0, (BEFORE - 1) / 2.0, np.clip(index, 0, seen_until - 1))
    np.testing.assert_array_equal(frames.gyr_rad_s[:, 0], held)


def test_stretches_do_not_touch() -> None:
    """A new stretch knows nothing of the one before."""
    framer = Framer()
    framer.feed(piece(ramp(500)))
    frames = framer.feed(piece(ramp(300) + 1000.0))
    assert frames is not None
    assert frames.acc_mps2[:, 0].min() == 1000.0
    assert frames.begins
    assert frames.ends


def test_cells_of_a_constant_have_no_noise() -> None:
    """A vector that does not change has its own mean and size and no noise."""
    constant = np.array([[3.0], [4.0], [12.0], [0.1], [0.0], [0.2], [13.0]])
    look = Look.of(np.tile(constant, 2 * CENTRE).astype(np.float32))
    np.testing.assert_allclose(look.mean, np.tile(constant, 2), rtol=1e-6)
    np.testing.assert_allclose(look.square, [[169.0] * 2, [0.05] * 2, [169.0] * 2], rtol=1e-6)
    np.testing.assert_allclose(look.change, 0.0, atol=1e-10)
    np.testing.assert_allclose(look.noise, 0.0, atol=1e-10)


def test_the_size_of_the_force_is_known_beside_it() -> None:
    """Cells tell the length of the vector, too, which a lean leaves as it is."""
    frames = Framer().feed(piece(np.tile([3.0, 4.0, 12.0], (500, 1))))
    assert frames is not None
    np.testing.assert_allclose(frames.own.mean[AXES[SIZE]], 13.0)
    np.testing.assert_allclose(frames.own_force_mps2, np.tile([3.0, 4.0, 12.0], (len(frames), 1)))


def test_spread_is_how_far_the_middle_strays_from_the_whole() -> None:
    """Means of 0.4 s that go up and down by one are one away from their mean, of each of two channels."""
    up_and_down = np.repeat(np.tile([1.0, -1.0], 250), 10)
    seen = Framer().feed(piece(np.stack([up_and_down + 9.8, up_and_down, 0.0 * up_and_down], axis=1)))
    assert seen is not None
    np.testing.assert_allclose(seen.spread(ACC)[CELLS:-CELLS], np.sqrt(2.0), rtol=2e-2)


def test_a_thousandth_of_gravity_is_seen_in_single_precision() -> None:
    """What is looked for is small beside gravity: a slow sine of 0.01 m/s2 spreads by 0.007."""
    sine = 9.80665 + 0.01 * np.sin(2 * np.pi * np.arange(40 * CENTRE) / CENTRE)
    seen = Framer().feed(piece(np.stack([0.0 * sine, sine, 0.0 * sine], axis=1)))
    assert seen is not None
    for quantity in (ACC, SIZE):
        np.testing.assert_allclose(seen.spread(quantity)[CELLS:-CELLS], 0.01 / np.sqrt(2.0) * np.sinc(0.2), rtol=0.01)


def test_cell_noise_is_the_variance_of_white_noise() -> None:
    """White noise of deviation 0.2 has a variance of 0.04 on average; a straight line has none."""
    rng = np.random.default_rng(10_511)
    look = Look.of(rng.normal(0.0, 0.2, (CHANNELS, 4000 * CENTRE)))
    np.testing.assert_allclose(look.noise.mean(axis=1), 0.04, rtol=0.02)
    straight = Look.of(np.tile(np.arange(1.0 * CENTRE), (CHANNELS, 1)))
    np.testing.assert_allclose(straight.noise, 0.0, atol=1e-20)


def test_over_frame_is_the_mean_of_its_cells() -> None:
    """Frame k holds cells k to k + 6; a part of them can be asked for."""
    cells = np.arange(20.0) ** 2
    expected = [cells[k : k + CELLS].mean() for k in range(14)]
    np.testing.assert_allclose(over_frame(cells, 0, CELLS), expected)
    np.testing.assert_allclose(over_frame(cells, 2, 5), [cells[k + 2 : k + 5].mean() for k in range(14)])
