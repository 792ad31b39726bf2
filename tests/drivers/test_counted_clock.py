"""Clocks of 32 bits are unwrapped, restarts bridged, and old packets refused, however the stream is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clocks.counted import StampOrder, WrappingClock

WRAP = 1 << 32


def ints(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, np.int64)


@pytest.mark.parametrize("tick_ns", [1000, 1_000_000])
@pytest.mark.parametrize("start", [0, WRAP - 3, WRAP // 2])
def test_a_clock_that_wraps_goes_on(tick_ns: int, start: int) -> None:
    ticks = np.arange(10, dtype=np.int64) * 7
    now_ns = WrappingClock(tick_ns).unwrapped_ns((start + ticks) % WRAP, ticks * tick_ns)
    assert now_ns.tolist() == (ticks * tick_ns).tolist()


def test_a_gap_of_many_turns_is_told_by_the_host() -> None:
    """Three hours without a packet: the microsecond clock wraps twice and a half meanwhile."""
    gap_us = 3 * 3600 * 10**6
    now_ns = WrappingClock().unwrapped_ns(ints(5, (5 + gap_us) % WRAP), ints(0, gap_us * 1000 + 2 * 10**9))
    assert now_ns.tolist() == [0, gap_us * 1000]


@pytest.mark.parametrize("ran_s", [1, 5, 60, 4000])
def test_a_restart_follows_the_hosts_clock(ran_s: int) -> None:
    stamp_us = ints(ran_s * 10**6 - 20_000, ran_s * 10**6, 1_500_000 if ran_s > 1 else 100_000)
    arrival_ns = ints(0, 20_000_000, 4_020_000_000)
    assert np.diff(WrappingClock().unwrapped_ns(stamp_us, arrival_ns)).tolist() == [20_000_000, 4_000_000_000]


def test_a_packet_repeated_just_after_a_wrap_is_no_restart() -> None:
    stamp_us = ints(WRAP - 10_000, 5_000, 20_000, 5_000, 35_000)
    now_ns = WrappingClock().unwrapped_ns(stamp_us, ints(0, 15, 30, 46, 47) * 10**6)
    assert np.diff(now_ns).tolist() == [15_000_000, 15_000_000, -15_000_000, 30_000_000]


def test_only_what_is_newer_than_all_before_is_taken() -> None:
    taken, refused = StampOrder().accept(ints(10, 20, 20, 15, 10, 30))
    assert taken.tolist() == [True, True, False, False, False, True]
    assert refused == [(2, "duplicate"), (3, "out of order"), (4, "duplicate")]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=40), st.integers(1, 7))
def test_any_cutting_gives_the_same(stamps: list[int], size: int) -> None:
    whole, parts = StampOrder(), StampOrder()
    taken, refused = whole.accept(np.array(stamps, np.int64))
    found, why = [], []
    for at in range(0, len(stamps), size):
        some, faults = parts.accept(np.array(stamps[at : at + size], np.int64))
        found += some.tolist()
        why += [(at + place, reason) for place, reason in faults]
    assert (found, why) == (taken.tolist(), refused)
