"""Matching by hand-made cases; scores, intervals and calibration by what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.scoring import TOLERANCE_S, Tally, calibration, forgiven, match, ratio, resampling, score, within

peaks = st.lists(st.integers(0, 4000), max_size=30, unique=True).map(lambda x: np.array(sorted(x)) / 100.0)


def pairs(true: list[float], found: list[float], reach: float | list[float] = TOLERANCE_S) -> list[tuple[int, int]]:
    reaches = np.broadcast_to(np.array(reach, dtype=float), (len(true),))
    a, b = match(np.array(true, dtype=float), np.array(found, dtype=float), reaches)
    return list(zip(a.tolist(), b.tolist(), strict=True))


@pytest.mark.parametrize(
    ("true", "found", "expected"),
    [
        ([], [1.0], []),
        ([1.0], [], []),
        ([1.0], [1.3], [(0, 0)]),
        ([1.0], [1.31], []),
        ([1.0, 3.0], [0.9, 1.1, 3.5], [(0, 0)]),
        ([1.0], [0.8, 1.05, 1.2], [(0, 1)]),
        ([1.0, 1.4], [1.2], [(0, 0)]),
        ([1.0, 1.4], [0.8, 1.2], [(0, 0), (1, 1)]),
        # The nearest pair first would take 1.2 for 1.25 and leave 1.0 alone: the most pairs win.
        ([1.0, 1.25], [1.2, 1.54], [(0, 0), (1, 1)]),
        ([1.0, 1.5, 2.0], [1.02, 1.99], [(0, 0), (2, 1)]),
    ],
)
def test_pairs_are_one_to_one_most_then_nearest(
    true: list[float], found: list[float], expected: list[tuple[int, int]]
) -> None:
    """As many pairs within reach as can be, and of these the nearest; each peak is used once."""
    assert pairs(true, found) == expected


def test_a_hold_widens_the_reach_of_its_own_event() -> None:
    """A raise held for 2 s is found anywhere within 1.3 s; the one beside it is not."""
    assert pairs([5.0, 10.0], [6.2, 11.2], [1.3, 0.3]) == [(0, 0)]


def test_a_wide_reach_takes_the_nearer_one() -> None:
    """Of two found peaks within a hold's reach the nearer is the match."""
    assert pairs([5.0], [4.2, 5.1], [1.3]) == [(0, 1)]


def test_peaks_out_of_order_are_the_callers_fault() -> None:
    """Both lists must be in order of time."""
    with pytest.raises(ValueError, match="order"):
        match(np.array([2.0, 1.0]), np.array([1.0]), np.ones(2))


@settings(max_examples=60, deadline=None)
@given(peaks, peaks)
def test_as_many_pairs_as_a_sweep_finds(true: np.ndarray, found: np.ndarray) -> None:
    """With one reach for all, sweeping both lists from the left gives the greatest number of pairs."""
    i = j = most = 0
    while i < true.size and j < found.size:
        if abs(true[i] - found[j]) <= TOLERANCE_S + 1e-9:
            i, j, most = i + 1, j + 1, most + 1
        elif found[j] < true[i]:
            j += 1
        else:
            i += 1
    a, b = match(true, found, np.full(true.size, TOLERANCE_S))
    assert a.size == most
    assert np.unique(a).size == np.unique(b).size == most
    assert (np.abs(true[a] - found[b]) <= TOLERANCE_S + 1e-9).all()


@settings(max_examples=40, deadline=None)
@given(peaks, st.integers(-100, 100))
def test_pairing_follows_a_shift_in_time(true: np.ndarray, by: int) -> None:
    """As many pairs, as near, whenever the recording begins (rounding may decide which of two equal ones)."""
    found = np.sort(true + np.resize([0.1, -0.2, 0.35], true.size))
    here = match(true, found, np.full(true.size, TOLERANCE_S))
    there = match(true + by, found + by, np.full(true.size, TOLERANCE_S))
    assert here[0].size == there[0].size
    near, far = (np.abs(found[pair[1]] - true[pair[0]]).sum() for pair in (here, there))
    assert near == pytest.approx(far)


def tally(true: np.ndarray, found: np.ndarray, duration_s: float = 60.0) -> Tally:
    a, b = match(true, found, np.full(true.size, TOLERANCE_S))
    return Tally(true.size, found.size, a.size, duration_s, true.size, found.size, tuple((found[b] - true[a]).tolist()))


even = st.integers(1, 40).map(lambda n: np.arange(n) * 1.0)


@settings(max_examples=30, deadline=None)
@given(st.lists(even, min_size=1, max_size=8))
def test_a_perfect_detector_scores_one(recordings: list[np.ndarray]) -> None:
    """Found as it was: all shares are 1, all errors 0, whatever is drawn."""
    made = score([tally(true, true) for true in recordings])
    assert (made.precision.value, made.recall.value, made.f1.value) == (1.0, 1.0, 1.0)
    assert (made.f1.low, made.f1.high) == (1.0, 1.0)
    assert made.count_error.value == made.false_per_hour.value == made.timing_error_s == 0.0
    assert made.false_per_hour.high == pytest.approx(3.0 / made.hours)  # none seen is not none possible


@settings(max_examples=30, deadline=None)
@given(st.lists(even, min_size=1, max_size=8))
def test_a_detector_out_of_time_scores_nothing(recordings: list[np.ndarray]) -> None:
    """Every peak 0.4 s late, with a second between them: no match, though the count is right."""
    made = score([tally(true, true + 0.4) for true in recordings])
    assert (made.precision.value, made.recall.value, made.f1.value) == (0.0, 0.0, 0.0)
    assert made.count_error.value == 0.0
    assert made.timing_error_s is None


def test_silence_has_recall_nought_and_no_precision() -> None:
    """Who says nothing has no false alarm, and no F1 either."""
    made = score([tally(np.arange(5.0), np.zeros(0))])
    assert (made.precision.value, made.recall.value, made.f1.value) == (None, 0.0, 0.0)
    assert made.false_per_hour.value == 0.0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=20), st.integers(0, 9))
def test_the_interval_holds_the_estimate(numbers: list[tuple[int, int]], seed: int) -> None:
    """Low, estimate and high are in order, and the same seed gives the same interval."""
    top, bottom = (np.array(x, dtype=float) for x in zip(*numbers, strict=True))
    made = ratio(top, bottom, resampling(top.size, seed))
    assert made == ratio(top, bottom, resampling(top.size, seed))
    if bottom.sum() == 0.0:
        assert made.value is None
    else:
        assert made.low is not None
        assert made.value is not None
        assert made.high is not None
        assert made.low <= made.value <= made.high


def test_where_nothing_is_true_there_is_no_f1() -> None:
    """Three found in half an hour of nothing: six an hour, and no share of what did not happen."""
    made = score([tally(np.zeros(0), np.arange(3.0), 1800.0)])
    assert (made.f1.value, made.recall.value, made.precision.value) == (None, None, 0.0)
    assert made.false_per_hour.value == 6.0


def test_the_interval_is_as_wide_as_theory_says() -> None:
    """400 recordings of one event each, half of them right: 0.5 plus or minus 1.96 * 0.025."""
    right = np.arange(400) % 2 * 1.0
    made = ratio(right, np.ones(400), resampling(400, 1))
    assert made.low == pytest.approx(0.5 - 0.049, abs=0.006)
    assert made.high == pytest.approx(0.5 + 0.049, abs=0.006)


def test_figures_of_two_recordings() -> None:
    """Shares pool events, the count error averages recordings."""
    made = score([
        Tally(10, 8, 8, 1800.0, 10, 8, (0.1,) * 8),
        Tally(10, 12, 9, 1800.0, 10, 12, (-0.05,) * 9),
    ])  # fmt: skip
    assert (made.true, made.found, made.matched, made.hours) == (20, 20, 17, 1.0)
    assert made.precision.value == made.recall.value == made.f1.value == 17 / 20
    assert made.false_per_hour.value == 3.0
    assert made.count_error.value == pytest.approx(0.2)
    assert made.count_bias == 0.0
    assert made.timing_error_s == pytest.approx(0.05)
    assert made.timing_bias_s == pytest.approx(-0.05)


def test_what_is_dont_care_forgives_one_found_peak_each() -> None:
    """A don't-care event forgives one sight of it, a don't-care stretch all within."""
    found = np.array([1.0, 1.2, 5.0, 9.0])
    out = forgiven(found, np.array([1.15]), np.array([0.3]), np.array([[8.0, 10.0]]))
    assert out.tolist() == [False, True, False, True]
    assert within(found, np.zeros((0, 2))).tolist() == [False] * 4


def test_bins_of_confidence() -> None:
    """Ten equal bins; each knows how many, how sure and how many of them right; few events are no verdict."""
    sure = np.concatenate([np.full(200, 0.95), np.full(100, 0.3), np.full(3, 0.0), np.array([1.0])])
    right = np.concatenate([np.ones(200), np.arange(100) % 2, np.ones(3), np.zeros(1)]).astype(bool)
    made = calibration(sure, right)
    assert [b.events for b in made.bins] == [3, 0, 0, 100, 0, 0, 0, 0, 0, 201]
    assert made.bins[3].share_right == 0.5
    assert made.bins[3].error == pytest.approx(0.2)
    assert made.bins[1].error is None
    assert made.worst_error == pytest.approx(0.2)  # the first bin is off by 1, with three events
    assert calibration(np.zeros(0), np.zeros(0, dtype=bool)).worst_error is None
