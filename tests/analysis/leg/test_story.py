"""Somebody with a body, a chair and a strap does one thing after another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analysis.events import Kind, State
from analysis.leg.gait import Gait
from analysis.leg.movements import Raises
from analysis.leg.story import Recorded, Teller, Wearer
from analysis.samples import Modality

Telling = Callable[..., Teller]


def test_anybody_is_somebody() -> None:
    """Bodies of 1.50 to 2.00 m, every one of whom reaches the floor from the chair."""
    people = [Wearer.anybody(np.random.default_rng(s)) for s in range(10_000, 10_300)]
    heights = [w.body.height_m for w in people]
    assert 1.5 <= min(heights) < 1.53
    assert 1.97 < max(heights) <= 2.0
    assert all(abs(w.seated_pitch_rad) < 0.5 for w in people)


@pytest.fixture(scope="module")
def told(teller: Telling) -> Recorded:
    story = teller(10_200, 100.0).sit(5.0).pushups(Raises(5, 40.0, 0.5)).sit(3.0)
    return story.stand_up().raises(Raises(4, 30.0, 0.5)).walk(Gait(), 8).stand(2.0).sit_down().take_off(5.0).record()


def test_truth_is_in_order(told: Recorded) -> None:
    """Five push-ups, four raises, eight steps, in the order they were told, none overlapping another."""
    kinds = [e.kind for e in told.truth]
    assert kinds == [Kind.SOLEUS_PUSHUP] * 5 + [Kind.HEEL_RAISE] * 4 + [Kind.STEP] * 8
    edges = [t for e in told.truth for t in (e.onset_s, e.peak_s, e.end_s)]
    assert edges == sorted(edges)


def test_events_lie_in_spans_of_their_own_state(told: Recorded) -> None:
    """Push-ups happen seated, raises standing, steps walking."""
    state_of = {Kind.SOLEUS_PUSHUP: State.SEATED, Kind.HEEL_RAISE: State.STANDING, Kind.STEP: State.WALKING}
    for event in told.truth:
        (state,) = {s.state for s in told.spans if s.start_s <= event.peak_s < s.end_s}
        assert state is state_of[event.kind]


def test_spans_tile_the_recording(told: Recorded) -> None:
    """Spans follow each other without a hole, from zero to the last sample."""
    starts, ends = [s.start_s for s in told.spans], [s.end_s for s in told.spans]
    assert starts[0] == 0.0
    np.testing.assert_allclose(starts[1:], ends[:-1], atol=1e-9)
    assert ends[-1] == pytest.approx(told.blocks[0].t_s[-1], abs=0.02)


def test_the_turn_of_the_sensor_fits_its_force(told: Recorded) -> None:
    """The two modalities share one clock and one length."""
    acc, gyr = told.blocks
    assert (acc.modality, gyr.modality) == (Modality.ACC, Modality.GYR)
    np.testing.assert_array_equal(acc.t_s, gyr.t_s)


def test_a_living_leg_sways_as_real_ones_do(teller: Telling) -> None:
    """Resting legs turn at 0.005 to 0.03 rad/s rms, a sensor on a table at nothing but its noise.

    Source: real resting legs, see the docstring of `_swaying`; a body sways 0.6 to 1.5 as much as the middle.
    """
    for seed in range(10_210, 10_216):
        sitting, standing, table = (
            teller(seed).sit(60.0).record(), teller(seed).stand(60.0).record(), teller(seed).take_off(60.0).record(),
        )  # fmt: skip
        rate = [np.sqrt(r.blocks[1].values[100:-100].var(axis=0).sum()) for r in (sitting, standing, table)]
        assert 0.004 < rate[0] < 0.04
        assert rate[0] < rate[1] < 0.08
        assert rate[2] < 0.005


def test_without_a_gyroscope_there_is_one_block(teller: Telling) -> None:
    """A part without a gyroscope gives the accelerometer alone."""
    (block,) = teller(10_220).sit(3.0).record(gyroscope=False).blocks
    assert block.modality is Modality.ACC


def test_one_seed_one_story(teller: Telling) -> None:
    """The same seed tells the same story, to the bit; another seed another."""
    first, again, other = (teller(s).sit(2.0).record().blocks[0].values for s in (10_230, 10_230, 10_231))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
