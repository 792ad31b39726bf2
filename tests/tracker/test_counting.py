"""Counting: any cutting gives the same facts, and only what shows contractions is counted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.emg.simulated import Electrodes, emg_of, pumps
from analysis.events import Findings, Gap, Kind, State
from analysis.leg.gait import Gait
from analysis.leg.story import Teller, Wearer
from analysis.samples import FloatArray, Modality, SampleBlock
from tracker.counting import Counting, count
from tracker.facts import Facts, Uncountable


@pytest.fixture(scope="module")
def walk() -> tuple[SampleBlock, ...]:
    """Sitting, then walking, at 50 Hz with a gyroscope."""
    rng = np.random.default_rng(3)
    story = Teller(Wearer.anybody(rng), 50.0, rng).sit(20.0).stand_up().stand(3.0)
    return story.walk(Gait(), 20).stand(3.0).record().blocks


def times(rate_hz: float, duration_s: float, start_s: float = 0.0) -> FloatArray:
    return start_s + np.arange(round(rate_hz * duration_s)) / rate_hz


def acc(t_s: FloatArray) -> SampleBlock:
    """A leg at rest."""
    return SampleBlock(Modality.ACC, t_s, np.tile([0.0, 0.0, 9.8], (t_s.size, 1)))


def emg(t_s: FloatArray, muscle: str | None = None) -> SampleBlock:
    return SampleBlock(Modality.EMG, t_s, np.zeros((t_s.size, 1)), ("soleus",), stream=muscle)


def summary(facts: Facts) -> tuple[object, ...]:
    found = facts.findings
    return facts.streams, found.contractions, found.spans, found.gaps, facts.uncountable


@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(1, 2400), max_size=12), alternate=st.booleans())
def test_any_cutting_gives_the_same(walk: tuple[SampleBlock, ...], cuts: list[int], alternate: bool) -> None:
    """Blocks of any length, modalities together or, in packets of 2 s at most, one after the other."""
    counting = Counting()
    fed: list[Findings] = []
    packets = range(100, len(walk[0]), 100) if alternate else ()
    edges = [0, *sorted({*cuts, *packets}), len(walk[0])]
    for first, last in pairwise(edges):
        pieces = [block.between(min(first, len(block)), min(last, len(block))) for block in walk]
        groups = [[piece] for piece in pieces] if alternate else [pieces]
        fed += [counting.feed(*group) for group in groups]
    fed.append(counting.finish())
    whole = count([walk])
    assert summary(counting.facts) == summary(whole)
    given_out = [event for found in fed for event in found.contractions]
    assert sorted(given_out, key=lambda event: event.peak_s) == list(whole.findings.contractions)
    assert whole.counts is not None
    assert whole.counts[Kind.STEP] > 10


@pytest.mark.parametrize(("rate_hz", "counted"), [(5.0, False), (19.0, False), (20.0, True), (25.0, True)])
def test_slow_accelerometers(rate_hz: float, counted: bool) -> None:
    """Twenty samples a second are enough, fewer are not."""
    facts = count([(acc(times(rate_hz, 60.0)),)])
    assert (facts.counts is not None) is counted
    assert facts.rate_hz == pytest.approx(rate_hz, rel=1e-3)
    assert facts.gap_s == 0.0


def test_muscle_alone_has_gaps_too() -> None:
    """Without an accelerometer the fastest stream shows the gaps; two muscles are one modality."""
    t_s = np.concatenate([times(200.0, 10.0), times(200.0, 10.0, 30.0)])
    facts = count([(emg(t_s, "soleus"), emg(t_s[::2], "tib_ant"))])
    assert facts.uncountable is Uncountable.NO_CONTACT
    assert facts.findings.gaps == (Gap(9.995, 30.0),)
    assert [span.state for span in facts.findings.spans] == [State.UNKNOWN]
    (stream,) = facts.streams
    assert (stream.samples, stream.rate_hz) == (6000, 200.0)


def test_muscle_alone_is_counted() -> None:
    """EMG with contact needs no accelerometer; kinds that it cannot tell, and the wearer's state, stay unknown."""
    rng = np.random.default_rng(31)
    truth = pumps(6, 20.0, rng)
    facts = count([(emg_of(truth, truth[-1].end_s + 10.0, Electrodes(), rng),)])
    assert facts.uncountable is None
    assert facts.counts is None
    assert facts.known_counts == dict.fromkeys(Kind) | {Kind.ANKLE_PUMP: 6}
    assert [span.state for span in facts.findings.spans] == [State.UNKNOWN]


def test_muscle_beside_a_slow_accelerometer() -> None:
    """Too slow an accelerometer is passed over where there is EMG; too slow EMG alone is no count."""
    rng = np.random.default_rng(32)
    truth = pumps(6, 20.0, rng)
    block = emg_of(truth, truth[-1].end_s + 10.0, Electrodes(), rng)
    counts = count([(acc(times(5.0, float(block.t_s[-1]))), block)]).known_counts
    assert counts[Kind.ANKLE_PUMP] == 6
    assert count([(emg(times(20.0, 60.0)),)]).uncountable is Uncountable.TOO_SLOW


def test_an_accelerometer_that_comes_late_is_counted() -> None:
    """Minutes of muscle before it do not matter, and are not held in memory."""
    counting = Counting()
    for minute in range(5):
        counting.feed(emg(times(200.0, 60.0, 60.0 * minute)))
        assert sum(len(block) for group in counting._held or () for block in group) <= 200 * 60 + 1
    counting.feed(acc(times(50.0, 60.0, 300.0)))
    counting.finish()
    assert counting.facts.counts == dict.fromkeys(Kind, 0)


def test_an_accelerometer_that_stops_at_once() -> None:
    """Half a minute decides; what follows is not held for it."""
    counting = Counting()
    counting.feed(acc(times(50.0, 1.0)))
    for minute in range(3):
        counting.feed(emg(times(200.0, 60.0, 60.0 * minute)))
    assert counting._held is None
    counting.finish()
    assert counting.facts.counts is not None


def test_short_recordings() -> None:
    """A second is counted; a single sample shows no rate; nothing is nothing."""
    assert count([(acc(times(100.0, 1.0)),)]).counts == dict.fromkeys(Kind, 0)
    assert count([(acc(np.zeros(1)),)]).uncountable is Uncountable.TOO_SLOW
    assert count([]).streams == ()
    assert Counting().feed(acc(np.zeros(0))) == Findings()


def test_gaps_of_the_accelerometer() -> None:
    """A gap reaches from the last sample before it to the first after."""
    facts = count([(acc(times(50.0, 30.0)),), (acc(times(50.0, 30.0, 45.0)),)])
    assert facts.findings.gaps == (Gap(pytest.approx(29.98), 45.0),)
    assert facts.duration_s == pytest.approx(74.98)
    assert facts.worn_s == pytest.approx(74.98 - facts.gap_s - facts.time_in(State.NOT_WORN))


def test_sums_are_decided_as_the_facts_decide_them() -> None:
    """Live asks while the session runs: undecided first, then what the facts say in the end."""
    rng = np.random.default_rng(33)
    muscle = emg_of(pumps(6, 20.0, rng), 30.0, Electrodes(), rng)
    for block, summed in ((acc(times(50.0, 60.0)), True), (acc(times(5.0, 60.0)), False), (muscle, False)):
        counting = Counting()
        assert counting.is_summed is None
        counting.feed(block)
        counting.finish()
        assert counting.is_summed is summed is (counting.facts.counts is not None)
