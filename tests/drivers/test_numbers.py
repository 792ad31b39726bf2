"""A running number tells loss, repetition and lateness where it can, and keeps still where it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clocks.numbers import RunningNumber

UNIT_NS = 32e6


def judged(
    numbers: list[int], seconds: list[float] | None = None, *, modulus: int = 256, cuts: tuple[int, ...] = ()
) -> tuple[list[bool], list[int], list[tuple[int, str]]]:
    """Of packets that come every 32 ms, or at these seconds."""
    running = RunningNumber(modulus)
    at = np.array(seconds if seconds else np.arange(len(numbers)) * 0.032)
    taken: list[bool] = []
    missing: list[int] = []
    refused: list[tuple[int, str]] = []
    for part in np.split(np.arange(len(numbers)), sorted(cuts)):
        ones, arrival = np.ones(part.size, np.int64), (at[part] * 1e9).astype(np.int64)
        new, gap, why = running.judge(np.array(numbers)[part], ones, arrival, UNIT_NS * ones)
        refused += [(len(taken) + i, reason) for i, reason in why]
        taken += new.tolist()
        missing += gap.tolist()
    return taken, missing, refused


def test_it_wraps_and_tells_what_is_missing() -> None:
    taken, missing, refused = judged([253, 254, 255, 0, 2, 3, 7], [0, 0.03, 0.06, 0.1, 0.16, 0.19, 0.32])
    assert all(taken)
    assert missing == [0, 0, 0, 0, 1, 0, 3]
    assert refused == []


def test_a_repeated_and_a_late_packet_are_refused_and_cost_nothing_else() -> None:
    taken, missing, refused = judged([7, 8, 8, 10, 9, 11, 12])
    assert refused == [(2, "duplicate"), (4, "out of order")]
    assert missing == [0, 0, 0, 1, 0, 0, 0]
    assert [n for n, new in zip([7, 8, 8, 10, 9, 11, 12], taken, strict=True) if new] == [7, 8, 10, 11, 12]


def test_after_silence_a_short_number_is_not_asked() -> None:
    """The link may be another, the device restarted: arrivals tell the gap."""
    assert judged([7, 8, 200, 201], [0, 0.03, 5, 5.03])[1] == [0, 0, 0, 0]


@pytest.mark.parametrize(("waited_s", "missing"), [(5.0, 150), (3.0, 150), (0.3, 0)])
def test_a_long_number_is_right_after_silence_unless_it_cannot_be(waited_s: float, missing: int) -> None:
    assert judged([7, 8, 159], [0, 0.03, 0.03 + waited_s], modulus=1 << 32)[1] == [0, 0, missing]


def test_a_number_that_begins_anew_is_a_restart() -> None:
    taken, missing, _ = judged([70000, 70001, 0, 1], [0, 0.03, 3, 3.03], modulus=1 << 32)
    assert (all(taken), missing) == (True, [0, 0, 0, 0])


def test_streams_that_share_a_number_lose_nothing_to_each_other() -> None:
    """Numbers of this stream are two apart, because another's lie between."""
    running = RunningNumber(256)
    number, arrival = np.array([0, 2, 4, 7]), np.arange(4) * 32_000_000
    shared = np.array([256, 0, 0, 1])
    assert running.judge(number, np.ones(4, np.int64), arrival, np.full(4, UNIT_NS), shared)[1].tolist() == [0, 0, 0, 1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 255), min_size=1, max_size=40), st.lists(st.integers(0, 40), max_size=5))
def test_any_cutting_judges_the_same(numbers: list[int], cuts: list[int]) -> None:
    assert judged(numbers, cuts=tuple(cuts)) == judged(numbers)
