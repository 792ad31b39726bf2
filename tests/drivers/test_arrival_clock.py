"""A line through the arrivals: causal, robust, increasing, the same however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clocks.arrival import ArrivalClock, HostAxis

RATE_HZ, FRAMES = 100.0, 4


def taken(seconds: float, rate_error: float = 0.0) -> np.ndarray:
    """Seconds at which each packet's last sample was taken."""
    return np.arange(1, int(seconds * RATE_HZ / FRAMES) + 1) * FRAMES / (RATE_HZ * (1 + rate_error))


def bundled(taken_s: np.ndarray, interval_s: float = 0.03) -> np.ndarray:
    """Arrival seconds over a link with connection events so far apart."""
    jitter = np.random.default_rng(0).exponential(0.002, taken_s.size)
    return np.maximum.accumulate(np.ceil(taken_s / interval_s) * interval_s + jitter)


def placed(arrival_s: np.ndarray, cuts: tuple[int, ...] = (), grain: int = 0) -> np.ndarray:
    """Seconds of each packet's last sample, relative to the first packet's arrival."""
    clock = ArrivalClock(HostAxis(), 1e9 / RATE_HZ, grain=grain)
    arrival_ns = np.round(arrival_s * 1e9).astype(np.int64) + 10**15
    made = []
    for part in np.split(arrival_ns, sorted(cuts)):
        count = np.full(part.size, FRAMES)
        made.append(clock.place(part, count, np.zeros_like(count)))
    none = np.zeros(0, np.int64)
    made.append(clock.place(none, none, none, last=True))
    start, step = (np.concatenate(column) for column in zip(*made, strict=True))
    assert start.size == arrival_s.size
    return (start + FRAMES * step) / 1e9


def test_regular_arrivals_are_the_nominal_line() -> None:
    times = taken(60)
    assert placed(times) == pytest.approx(times - times[0], abs=1e-9)


@pytest.mark.parametrize("rate_error", [0.0, 0.02, -0.02, -0.007])
def test_a_wrong_rate_is_learnt_from_bundled_arrivals(rate_error: float) -> None:
    """Within 60 ms from the start and within 15 ms once it has been learnt."""
    times = taken(300, rate_error)
    error = placed(bundled(times)) - times
    error -= np.median(error)
    assert np.abs(error).max() < 0.06
    assert np.abs(error[times > 30]).max() < 0.015


@pytest.mark.parametrize(("from_s", "to_s"), [(20.0, 23.0), (20.0, 20.3), (20.0, 320.0)])
def test_a_stall_is_a_gap_right_to_one_packet(from_s: float, to_s: float) -> None:
    times = taken(400)
    left = times[(times <= from_s) | (times > to_s)]
    found = placed(bundled(left))
    gaps = np.flatnonzero(np.diff(found) > 0.1)
    assert gaps.size == 1
    assert found[gaps[0] + 1] - found[gaps[0]] == pytest.approx(np.diff(left).max(), abs=FRAMES / RATE_HZ)


def test_a_stall_while_a_loss_is_being_judged_is_a_second_gap() -> None:
    """Two packets are held after a loss when the sensor falls silent: what ends the silence comes after a gap, too."""
    times = taken(60)
    left = times[(times <= 20.0) | ((times > 20.3) & (times <= 20.38)) | (times > 26.0)]
    error = placed(bundled(left)) - left
    assert np.abs(error - np.median(error)).max() < 0.12


@pytest.mark.parametrize("late_s", [0.5, 3.0, 9.0])
def test_packets_that_come_late_together_are_no_gap(late_s: float) -> None:
    times = taken(60)
    arrival = bundled(times)
    arrival = np.where((times > 30) & (times < 30 + late_s), np.maximum(arrival, 30 + late_s), arrival)
    assert np.diff(placed(arrival)).max() < 0.06


def test_a_few_lost_packets_bend_the_line_for_seconds_only() -> None:
    """What cannot be told from delay: never off by more than 0.15 s."""
    times = taken(600)
    left = times[np.random.default_rng(1).random(times.size) > 0.01]
    error = placed(bundled(left)) - left
    assert np.abs(error - np.median(error)).max() < 0.15


def test_a_grain_makes_small_gaps_whole() -> None:
    """Eight samples are two packets here: a gap of one and a half becomes one of two."""
    times = taken(20)
    arrival = np.concatenate([times[:250], times[250:] + 0.12])
    found = placed(arrival, grain=8)
    assert np.diff(found).max() == pytest.approx(0.04 + 0.16, abs=1e-6)


WAITS = st.lists(st.one_of(st.integers(0, 60_000_000), st.integers(0, 3_000_000_000)), min_size=1, max_size=150)


@settings(max_examples=150, deadline=None)
@given(WAITS, st.lists(st.integers(0, 150), max_size=8))
def test_any_cutting_gives_the_same_and_time_never_runs_back(waits: list[int], cuts: list[int]) -> None:
    arrival = np.cumsum(waits) / 1e9
    whole = placed(arrival)
    assert (np.diff(whole) > 0).all()
    assert placed(arrival, tuple(cuts)).tobytes() == whole.tobytes()
    assert placed(arrival, tuple(range(1, len(waits)))).tobytes() == whole.tobytes()
