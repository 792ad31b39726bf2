"""Facts of a counted recording: tiling labels, worn time, counts that are not known."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.events import Algorithm, Contraction, Findings, Gap, Kind, State, StateSpan
from analysis.samples import Modality
from tracker.facts import HOLE_S, Facts, StreamFacts, Uncountable, tiled, why_uncountable

SCIENCE = Algorithm("heel", "1.0", "0" * 64)
ACC = StreamFacts(Modality.ACC, 1001, 0.0, 100.0, 10.0)


def span(state: State, start_s: float, end_s: float, *, vehicle: bool = False) -> StateSpan:
    return StateSpan(state, start_s, end_s, vehicle)


def facts(
    spans: tuple[StateSpan, ...] = (), gaps: tuple[Gap, ...] = (), uncountable: Uncountable | None = None
) -> Facts:
    """A hundred seconds with these labels and gaps."""
    found = Findings(spans=tiled(spans, 0.0, 100.0, gaps), gaps=gaps)
    return Facts((ACC,), found, uncountable, SCIENCE)


def test_holes_are_unknown() -> None:
    """Time without a label is unknown, between labels and at both ends."""
    assert tiled([span(State.SEATED, 10, 20), span(State.WALKING, 30, 40)], 0, 50, []) == (
        span(State.UNKNOWN, 0, 10),
        span(State.SEATED, 10, 20),
        span(State.UNKNOWN, 20, 30),
        span(State.WALKING, 30, 40),
        span(State.UNKNOWN, 40, 50),
    )


def test_neighbours_touch() -> None:
    """A hole shorter than `HOLE_S` is no time of its own."""
    labels = [span(State.SEATED, 0.02, 20), span(State.WALKING, 20.1, 49.9)]
    assert tiled(labels, 0, 50, []) == (span(State.SEATED, 0, 20), span(State.WALKING, 20, 50))


def test_a_gap_is_unknown_and_exact() -> None:
    """Labels that end just before a gap end at it; a label over it is cut."""
    gaps = [Gap(20, 30)]
    expected = (span(State.SEATED, 0, 20), span(State.UNKNOWN, 20, 30), span(State.SEATED, 30, 50))
    assert tiled([span(State.SEATED, 0, 19.96), span(State.SEATED, 30.04, 50)], 0, 50, gaps) == expected
    assert tiled([span(State.SEATED, 0, 50)], 0, 50, gaps) == expected


def test_a_short_gap_is_bridged() -> None:
    """A label goes on over a gap that the pipeline bridges."""
    assert tiled([span(State.SEATED, 0, 50)], 0, 50, [Gap(20, 20.2)]) == (span(State.SEATED, 0, 50),)


def test_nothing_labelled() -> None:
    """Without labels everything is unknown; without time there is nothing."""
    assert tiled([], 0, 50, [Gap(20, 30)]) == (span(State.UNKNOWN, 0, 50),)
    assert tiled([], 5, 5, []) == ()


SPANS = st.lists(
    st.tuples(st.sampled_from(list(State)), st.integers(-20, 220), st.integers(1, 60), st.booleans()), max_size=8
)
GAPS = st.lists(st.tuples(st.integers(1, 198), st.integers(1, 40)), max_size=4)


@given(SPANS, GAPS)
def test_labels_always_tile(drawn: list[tuple[State, int, int, bool]], pauses: list[tuple[int, int]]) -> None:
    """Whatever the labels and gaps, the result tiles the time, and no two neighbours are alike."""
    spans = [
        StateSpan(state, start / 4, (start + length) / 4, vehicle)
        for state, start, length, vehicle in sorted(drawn, key=lambda one: one[1])
    ]
    gaps: list[Gap] = []
    for start, length in sorted(pauses):
        if (not gaps or start / 4 > gaps[-1].end_s) and (start + length) / 4 < 50.0:
            gaps.append(Gap(start / 4, (start + length) / 4))
    tiles = tiled(spans, 0.0, 50.0, gaps)
    assert (tiles[0].start_s, tiles[-1].end_s) == (0.0, 50.0)
    for before, after in pairwise(tiles):
        assert before.start_s < before.end_s == after.start_s
        assert (before.state, before.vehicle) != (after.state, after.vehicle)
    for gap in gaps:
        if gap.end_s - gap.start_s > HOLE_S:
            middle_s = (gap.start_s + gap.end_s) / 2
            assert next(tile for tile in tiles if tile.end_s > middle_s).state is State.UNKNOWN


def test_worn_is_recorded_and_not_taken_off() -> None:
    """Gaps and time not worn are not worn; unknown time is, because nothing says otherwise."""
    spans = (span(State.SEATED, 0, 40), span(State.NOT_WORN, 50, 80))
    seen = facts(spans, (Gap(40, 50), Gap(60, 60.25)))
    assert seen.worn_s == pytest.approx(100 - 10.25 - 29.75)
    assert seen.time_in(State.NOT_WORN) == pytest.approx(29.75)
    assert seen.unknown_s == pytest.approx(20)
    assert seen.gap_s == pytest.approx(10.25)


def test_what_cannot_be_counted_is_not_zero() -> None:
    """No counts, no bounce, and a reason in words."""
    for reason in Uncountable:
        seen = facts(uncountable=reason)
        assert seen.counts is None
        assert set(seen.to_json()["counts"].values()) == {None}
        assert why_uncountable(seen)
    assert why_uncountable(facts()) is None
    assert facts().counts == dict.fromkeys(Kind, 0)


def test_counts_and_confidence() -> None:
    """Each kind by itself."""
    events = tuple(
        Contraction(kind, at, at + 1, at + 2, sure, "rule", None, {"gait": "run"} if kind is Kind.STEP else {})
        for at, kind, sure in ((1.0, Kind.STEP, 0.5), (5.0, Kind.STEP, 1.0), (9.0, Kind.PEDAL, 0.25))
    )
    seen = Facts((ACC,), Findings(events), None, SCIENCE)
    assert seen.counts == dict.fromkeys(Kind, 0) | {Kind.STEP: 2, Kind.PEDAL: 1}
    assert [seen.mean_confidence(kind) for kind in (Kind.STEP, Kind.PEDAL, Kind.HEEL_RAISE)] == [0.75, 0.25, None]
    told = seen.to_json()["events"]
    assert [event["id"] for event in told] == [1, 2, 3]
    assert (told[0]["gait"], "gait" in told[2]) == ("run", False)


def test_modalities_and_rate() -> None:
    """Acceleration or rotation is `imu`; the rate is the accelerometer's, else the fastest."""
    emg = StreamFacts(Modality.EMG, 50_000, -1.0, 50.0, 1000.0)
    gyr = StreamFacts(Modality.GYR, 500, 0.0, 120.0, 5.0)
    both = Facts((ACC, gyr, emg), Findings(), None, SCIENCE)
    assert (both.modalities, both.rate_hz, both.samples) == (("imu", "emg"), 10.0, 51_501)
    assert (both.first_s, both.last_s) == (-1.0, 120.0)
    alone = Facts((emg,), Findings(), Uncountable.NO_ACCELEROMETER, SCIENCE)
    assert (alone.modalities, alone.rate_hz) == (("emg",), 1000.0)
    assert Facts((), Findings(), None, SCIENCE).duration_s == 0.0
