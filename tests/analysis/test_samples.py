"""What a sample is."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import STANDARD_GRAVITY_MPS2, UNIT, Modality, SampleBlock


def block(n: int = 4) -> SampleBlock:
    return SampleBlock(Modality.GYR, np.arange(n) / 50.0, np.arange(3.0 * n).reshape(n, 3), rate_hz=50.0, stream="99")


def test_one_g() -> None:
    """One g is the standard acceleration of free fall, CGPM 1901."""
    assert STANDARD_GRAVITY_MPS2 == 9.80665


def test_every_modality_has_a_unit() -> None:
    """What a block measures always has a unit, as the contract lists them."""
    assert set(UNIT) == set(Modality)
    assert [UNIT[m] for m in (Modality.ACC, Modality.GYR, Modality.EMG)] == ["m/s2", "rad/s", "uV"]


def test_a_block_says_its_unit() -> None:
    """A block has its modality's unit unless the device's scale is unknown."""
    raw = SampleBlock(Modality.EMG, np.zeros(1), np.zeros((1, 1)), ("1",), unit="1")
    assert (block().unit, raw.unit) == ("rad/s", "1")


def test_a_block_is_read_only() -> None:
    """Nobody downstream can change a sample."""
    made = block()
    with pytest.raises(ValueError, match="read-only"):
        made.values[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        made.t_s[0] = 1.0


@pytest.mark.parametrize(("t_shape", "v_shape"), [((3,), (4, 3)), ((4,), (4, 2)), ((4, 1), (4, 3)), ((4,), (12,))])
def test_a_block_of_wrong_shape_is_refused(t_shape: tuple[int, ...], v_shape: tuple[int, ...]) -> None:
    """As many rows as instants and as many columns as channels, or a ValueError at the door."""
    with pytest.raises(ValueError, match="a block needs"):
        SampleBlock(Modality.ACC, np.zeros(t_shape), np.zeros(v_shape))


def test_between_is_a_view() -> None:
    """A part of a block shares its memory and keeps everything that is said about it."""
    whole = block()
    part = whole.between(1, 3)
    assert np.shares_memory(part.values, whole.values)
    assert (len(part), part.modality, part.rate_hz, part.stream) == (2, Modality.GYR, 50.0, "99")
    np.testing.assert_array_equal(part.t_s, [0.02, 0.04])
