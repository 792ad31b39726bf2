"""What must hold of the whole science, whatever the stream: properties, not scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from analysis.events import Contraction, Findings, Gap, State
from analysis.grid import GRID_HZ
from analysis.leg.gait import Gait
from analysis.leg.movements import Raises
from analysis.leg.sensor import random_rotation
from analysis.leg.story import Recorded, Teller
from analysis.pipeline import Pipeline
from analysis.samples import Modality, SampleBlock

Counting = Callable[..., Findings]
Telling = Callable[..., Teller]

examples = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class Stream:
    """Two modalities of one recording, and what the pipeline finds in them when fed at once."""

    acc: SampleBlock
    gyr: SampleBlock
    found: Findings


def with_holes(block: SampleBlock) -> SampleBlock:
    """Three lost packets: a short gap, one that breaks the stretch, and a long one."""
    t_s = block.t_s
    kept = ~(((t_s > 30.0) & (t_s < 30.3)) | ((t_s > 47.0) & (t_s < 47.8)) | ((t_s > 60.0) & (t_s < 66.0)))
    return SampleBlock(block.modality, t_s[kept], block.values[kept], rate_hz=block.rate_hz)


def slower(block: SampleBlock, rate_hz: float, late_s: float) -> SampleBlock:
    """The same signal read by a clock of its own."""
    t_s = np.arange(block.t_s[0] + late_s, block.t_s[-1], 1.0 / rate_hz)
    values = np.stack([np.interp(t_s, block.t_s, block.values[:, i]) for i in range(3)], axis=1)
    return SampleBlock(block.modality, t_s, values, rate_hz=rate_hz)


@pytest.fixture(scope="module", params=["one clock", "two clocks", "holes", "25 Hz", "steps"])
def stream(request: pytest.FixtureRequest, outing: Recorded, teller: Telling, count: Counting) -> Stream:
    acc, gyr = outing.blocks
    if request.param == "two clocks":
        gyr = slower(gyr, 52.0, 0.0071)
    elif request.param == "holes":
        acc, gyr = with_holes(acc), with_holes(gyr)
    elif request.param == "25 Hz":
        acc, gyr = teller(10_401, 25.0).sit(20.0).pushups(Raises(6, 50.0, 0.5)).sit(15.0).record().blocks
    elif request.param == "steps":
        acc, gyr = teller(10_402, 100.0).stand(6.0).walk(Gait(), 12).stand(6.0).record().blocks
    return Stream(acc, gyr, count(acc, gyr))


def cut(block: SampleBlock, seed: int, mean: float) -> Iterator[SampleBlock]:
    """Consecutive blocks of random sizes about a mean; a mean of 1 cuts every sample off by itself."""
    rng, first = np.random.default_rng(seed), 0
    while first < len(block):
        last = first + int(rng.geometric(1.0 / mean))
        yield block.between(first, last)
        first = last


def fed(steps: list[tuple[SampleBlock, ...]]) -> Findings:
    pipeline = Pipeline()
    return reduce(add, [pipeline.feed(*blocks) for blocks in steps], Findings()) + pipeline.finish()


def assert_same(one: Findings, other: Findings) -> None:
    assert one.contractions == other.contractions
    assert one.spans == other.spans
    assert one.gaps == other.gaps
    assert sorted(one.rejections, key=str) == sorted(other.rejections, key=str)
    assert one.bounce_s == pytest.approx(other.bounce_s)


@examples
@given(seed=st.integers(0, 2**32 - 1), mean=st.sampled_from([1.0, 1.3, 5.0, 30.0, 500.0, 5000.0]))
def test_any_cutting_gives_the_same_findings(stream: Stream, seed: int, mean: float) -> None:
    """However a stream is cut into blocks, one sample or all of it, the same is found."""
    acc = list(cut(stream.acc, seed, mean))
    gyr, last = [], 0
    for block in acc:  # both modalities of one stretch of time
        until = int(np.searchsorted(stream.gyr.t_s, block.t_s[-1], side="right"))
        gyr.append(stream.gyr.between(last, until))
        last = until
    steps: list[tuple[SampleBlock, ...]] = [*zip(acc, gyr, strict=True), (stream.gyr.between(last, len(stream.gyr)),)]
    assert_same(fed(steps), stream.found)


@examples
@given(
    seed=st.integers(0, 2**32 - 1),
    mean=st.sampled_from([1.0, 4.0, 20.0]),
    lag_s=st.one_of(st.just(0.0), st.floats(-2.4, 2.4)),
)
def test_modalities_may_come_apart(stream: Stream, seed: int, mean: float, lag_s: float) -> None:
    """Cut each by its own, fed in calls of their own, one up to 3 s behind the other: the same is found."""
    acc, gyr = cut(stream.acc, seed, mean), cut(stream.gyr, seed + 1, max(1.0, 0.7 * mean))
    arrivals = [(float(b.t_s[-1]), b) for b in acc] + [(float(b.t_s[-1]) + lag_s, b) for b in gyr]
    arrivals.sort(key=lambda arrival: arrival[0])
    assert_same(fed([(block,) for _, block in arrivals]), stream.found)


@pytest.mark.parametrize("mean", [1.0, 25.0])
def test_the_accelerometer_alone_may_be_cut(outing: Recorded, count: Counting, mean: float) -> None:
    """Without a gyroscope, too, cutting changes nothing."""
    acc = outing.blocks[0]
    assert_same(fed([(block,) for block in cut(acc, 1, mean)]), count(acc))


@examples
@given(seed=st.integers(10_000, 2**32 - 1))
def test_silence_is_no_contraction(teller: Telling, count: Counting, seed: int) -> None:
    """Sitting, standing and lying on a table contract nothing, whoever it is."""
    story = teller(seed).sit(30.0).stand_up().stand(25.0)
    assert count(*story.record().blocks).contractions == ()
    assert count(*teller(seed).take_off(30.0).record().blocks).contractions == ()


def moved(blocks: tuple[SampleBlock, ...], by_s: float) -> list[SampleBlock]:
    return [SampleBlock(b.modality, b.t_s + by_s, b.values, rate_hz=b.rate_hz) for b in blocks]


@examples
@given(steps=st.integers(-(10**6), 10**8))
@example(steps=15_341_774)  # a last instant that rounding puts just behind the last sample
def test_a_shift_in_time_shifts_the_events(stream: Stream, count: Counting, steps: int) -> None:
    """The same recording later gives the same events later, to a millisecond."""
    by_s = steps / GRID_HZ
    later = count(*moved((stream.acc, stream.gyr), by_s))
    assert len(later.contractions) == len(stream.found.contractions)
    for event, before in zip(later.contractions, stream.found.contractions, strict=True):
        assert event.kind is before.kind
        assert event.onset_s == pytest.approx(before.onset_s + by_s, abs=1.1e-3)
        assert event.peak_s == pytest.approx(before.peak_s + by_s, abs=1.1e-3)
        assert event.end_s == pytest.approx(before.end_s + by_s, abs=1.1e-3)


@examples
@given(seed=st.integers(10_000, 2**32 - 1), mirror=st.sampled_from([1.0, -1.0]))
def test_orientation_and_handedness_change_nothing(stream: Stream, count: Counting, seed: int, mirror: float) -> None:
    """In any axes, each modality in its own, and with a mirrored gyroscope the same is counted, give or take one."""
    rng = np.random.default_rng(seed)
    acc, gyr = (b.values @ random_rotation(rng).T for b in (stream.acc, stream.gyr))
    turned = count(
        SampleBlock(Modality.ACC, stream.acc.t_s, acc),
        SampleBlock(Modality.GYR, stream.gyr.t_s, gyr * np.array([1.0, mirror, 1.0])),
    )
    for kind in {e.kind for e in (*stream.found.contractions, *turned.contractions)}:
        counts = [sum(e.kind is kind for e in f.contractions) for f in (stream.found, turned)]
        assert abs(counts[0] - counts[1]) <= 1


def test_an_event_has_an_order(stream: Stream) -> None:
    """Onset before peak before end, peaks increasing, a confidence between nothing and certainty, a named rule."""
    events = stream.found.contractions
    assert len(events) >= 6
    for event in events:
        assert event.onset_s < event.peak_s < event.end_s
        assert 0.0 < event.confidence <= 1.0
        assert event.rule
    assert all(a.peak_s < b.peak_s for a, b in pairwise(events))


def test_spans_tile_the_recorded_time(stream: Stream) -> None:
    """Spans do not overlap, and cover what was recorded but for gaps that break a stretch, to a node of the grid."""
    spans = stream.found.spans
    assert spans[0].start_s == pytest.approx(stream.acc.t_s[0], abs=0.05)
    assert spans[-1].end_s == pytest.approx(stream.acc.t_s[-1], abs=0.1)
    gaps = [g for g in stream.found.gaps if g.end_s - g.start_s > 0.5]
    for before, after in pairwise(spans):
        assert before.start_s < before.end_s
        inside = [g for g in gaps if g.start_s < after.start_s and g.end_s > before.end_s]
        assert after.start_s - before.end_s == pytest.approx(sum(g.end_s - g.start_s for g in inside), abs=0.15)


@pytest.mark.parametrize("cut_s", np.arange(12.0, 15.0, 0.25).tolist())
def test_what_begins_in_the_middle_of_a_set_is_counted_from_its_first_whole_push_up(
    teller: Telling, count: Counting, cut_s: float
) -> None:
    """Data begin, as after a gap, at any place of a movement: what comes 0.3 s later and more is all there."""
    told = teller(10_420).sit(10.0).pushups(Raises(14, 28.0, 0.5)).sit(10.0).record()
    received = [
        SampleBlock(b.modality, b.t_s[b.t_s > cut_s], b.values[b.t_s > cut_s], rate_hz=b.rate_hz) for b in told.blocks
    ]
    whole = [event.peak_s for event in told.truth if event.onset_s > cut_s + 0.3]
    found = [event.peak_s for event in count(*received).contractions if event.peak_s > whole[0] - 0.3]
    np.testing.assert_allclose(found, whole, atol=0.3)


def test_a_gap_is_reported_and_resets(outing: Recorded, count: Counting) -> None:
    """Events on both sides of a long gap are those of both sides alone; none lies inside."""
    acc, gyr = (with_holes(b) for b in outing.blocks)
    found = count(acc, gyr)
    assert [round(g.end_s - g.start_s, 1) for g in found.gaps] == [0.3, 0.8, 6.0]
    assert not [e for e in found.contractions if 60.02 < e.peak_s < 65.98]
    at = int(np.searchsorted(acc.t_s, 63.0))
    after = count(acc.between(at, len(acc)), gyr.between(at, len(gyr)))
    expected = [e.kind for e in after.contractions]
    assert [e.kind for e in found.contractions if e.peak_s > 63.0] == expected
    assert found.gaps[2] == Gap(float(acc.t_s[at - 1]), float(acc.t_s[at]))


def test_the_accelerometer_alone_counts_with_less_confidence(outing: Recorded, count: Counting) -> None:
    """Without a gyroscope every raise is counted as well, as the same kind, each less surely."""
    acc, gyr = outing.blocks
    alone = count(acc).contractions
    for event in count(acc, gyr).contractions:
        twin = min(alone, key=lambda other: abs(other.peak_s - event.peak_s))
        assert twin.kind is event.kind
        assert twin.peak_s == pytest.approx(event.peak_s, abs=0.2)
        assert twin.confidence < event.confidence


def test_truth_of_the_outing_is_found(outing: Recorded, count: Counting) -> None:
    """Eight push-ups and six raises, each at its time; the properties above are of real events."""
    events = count(*outing.blocks).contractions
    assert [e.kind for e in events] == [e.kind for e in outing.truth]
    np.testing.assert_allclose([e.peak_s for e in events], [e.peak_s for e in outing.truth], atol=0.2)


@pytest.mark.parametrize("seconds", [0.02, 0.5, 1.0])
def test_an_event_is_final_within_ten_seconds(stream: Stream, seconds: float) -> None:
    """Ten seconds of data after a movement's end it has been handed out, however the blocks are cut."""
    size = max(1, round(seconds * len(stream.acc) / (stream.acc.t_s[-1] - stream.acc.t_s[0])))
    pipeline, seen = Pipeline(), []
    for first in range(0, len(stream.acc), size):
        acc = stream.acc.between(first, first + size)
        now_s = float(acc.t_s[-1])
        within = (stream.gyr.t_s > (stream.acc.t_s[first - 1] if first else -np.inf)) & (stream.gyr.t_s <= now_s)
        at = np.flatnonzero(within)
        gyr = stream.gyr.between(at[0], at[-1] + 1) if at.size else stream.gyr.between(0, 0)
        seen += [(now_s, event) for event in pipeline.feed(acc, gyr).contractions]
    missing = {id_of(e) for e in stream.found.contractions} - {id_of(e) for _, e in seen}
    assert all(t > stream.acc.t_s[-1] - 10.0 for _, t in missing)
    assert all(now_s <= event.end_s + 10.0 for now_s, event in seen)


def test_a_preview_consumes_nothing(stream: Stream) -> None:
    """Looking at what is not final yet changes nothing that becomes final."""
    pipeline, found = Pipeline(), Findings()
    for first in range(0, len(stream.acc), 200):
        until = [
            int(np.searchsorted(stream.gyr.t_s, stream.acc.t_s[min(i, len(stream.acc) - 1)]))
            for i in (first, first + 200)
        ]
        last = len(stream.gyr) if first + 200 >= len(stream.acc) else until[1]
        found = found + pipeline.feed(stream.acc.between(first, first + 200), stream.gyr.between(until[0], last))
        pipeline.preview()
        assert pipeline.preview() == pipeline.preview()
    assert_same(found + pipeline.finish(), stream.found)


def test_a_raise_is_previewed_soon(outing: Recorded) -> None:
    """Nine of ten raises show in the preview, by kind, within a second of data after the heel is down."""
    acc, gyr = outing.blocks
    pipeline, prompt = Pipeline(), 0
    ends = [int(np.searchsorted(acc.t_s, event.end_s + 1.0)) for event in outing.truth]
    for event, first, last in zip(outing.truth, [0, *ends], ends, strict=False):
        pipeline.feed(acc.between(first, last), gyr.between(first, last))
        prompt += any(e.kind is event.kind and abs(e.peak_s - event.peak_s) < 0.3 for e in pipeline.preview())
    assert prompt >= 0.9 * len(outing.truth)


def test_nothing_is_previewed_of_nothing(teller: Telling) -> None:
    """An empty session and a still one show nothing."""
    assert Pipeline().preview() == ()
    pipeline = Pipeline()
    pipeline.feed(*teller(10_410).sit(20.0).record().blocks)
    assert pipeline.preview() == ()


def id_of(event: Contraction) -> tuple[str, float]:
    return event.kind.value, event.peak_s


def test_an_empty_session_is_empty() -> None:
    """Nothing fed, nothing found; a handful of samples is a span and nothing else."""
    assert Pipeline().finish() == Findings()
    few = SampleBlock(Modality.ACC, np.arange(5) / 50.0, np.tile([0.0, 0.0, 9.81], (5, 1)))
    pipeline = Pipeline()
    found = pipeline.feed(few) + pipeline.finish()
    assert (found.contractions, found.gaps) == ((), ())
    assert {s.state for s in found.spans} == {State.UNKNOWN}


def test_only_gyroscope_is_nothing(outing: Recorded, count: Counting) -> None:
    """Without specific force there is no lift and no count."""
    assert count(outing.blocks[1]) == Findings()


def test_the_first_sample_may_be_at_any_time(outing: Recorded, count: Counting) -> None:
    """A session clock that starts below zero is a clock like any other."""
    acc, gyr = moved(outing.blocks, -500.0)
    first = count(acc, gyr).spans[0]
    assert replace(first, start_s=0.0, end_s=0.0) == replace(count(*outing.blocks).spans[0], start_s=0.0, end_s=0.0)
    assert first.start_s == pytest.approx(-500.0, abs=0.05)
