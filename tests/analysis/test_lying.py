"""Ankle pumps of people never used for tuning, and a leg that lies and does nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple

import numpy as np
import pytest

from analysis.events import Findings, Kind, State
from analysis.leg.gait import Gait
from analysis.leg.lying import Pumps, Rest, leg_slides
from analysis.leg.movements import Raises
from analysis.leg.story import Recorded, Teller
from analysis.lying import _least_run
from analysis.pipeline import Pipeline
from analysis.rules import RULES

Counting = Callable[..., Findings]
Telling = Callable[..., Teller]

PLAIN = Rest(raised_rad=0.2, heel_m=0.007, bulge_rad=(0.0, -0.008, 0.0))


def to_bed(teller: Telling, seed: int) -> Teller:
    return teller(seed, 52.0).stand(4.0).walk(Gait(), 10).sit(4.0).lie(20.0, PLAIN)


@pytest.fixture(scope="module")
def told(teller: Telling) -> Recorded:
    """A walk to bed and fifteen pumps, one every three seconds."""
    return to_bed(teller, 41_000).pump(PLAIN, Pumps(15, 20.0)).lie(30.0, PLAIN).record()


def pumps(found: Findings) -> list[float]:
    return [e.peak_s for e in found.contractions if e.kind is Kind.ANKLE_PUMP]


@pytest.mark.parametrize("seed", [41_020, 41_021, 41_022])
def test_pumps_that_lift_the_heel_far_are_no_push_ups(teller: Telling, count: Counting, seed: int) -> None:
    """A leg of which nothing is known but that it is pumped: it turns about a point level with it, not above it."""
    rest = Rest(raised_rad=0.3, heel_m=0.011, bulge_rad=(0.0, -0.012, 0.0))
    found = count(*teller(seed).lie(20.0, rest).pump(rest, Pumps(12, 19.0)).lie(10.0, rest).record().blocks)
    assert len(pumps(found)) >= 10
    assert {event.kind for event in found.contractions} == {Kind.ANKLE_PUMP}


def test_pumps_that_show_are_counted(told: Recorded, count: Counting) -> None:
    """A heel that rolls by 7 mm: at least 12 of 15 within 0.3 s, none beside; the state is lying; never quite sure."""
    found = count(*told.blocks)
    true = np.array([e.peak_s for e in told.truth if e.kind is Kind.ANKLE_PUMP])
    distance = [np.abs(true - peak).min() for peak in pumps(found)]
    assert len(distance) >= 12
    assert max(distance) < 0.3
    middle = float(true[7])
    assert [s.state for s in found.spans if s.start_s <= middle < s.end_s] == [State.LYING]
    assert all(e.confidence < 0.98 for e in found.contractions if e.kind is Kind.ANKLE_PUMP)


def test_force_alone_counts_them_too(told: Recorded, count: Counting) -> None:
    """The tilt is told by gravity; a gyroscope only vetoes."""
    assert len(pumps(count(told.blocks[0]))) >= 10


@pytest.mark.parametrize("size", [7, 60, 1000])
def test_any_cutting_gives_the_same_pumps(told: Recorded, count: Counting, size: int) -> None:
    """What is known of posture and rest comes from earlier frames alone, however the stream is cut."""
    pipeline, found = Pipeline(), Findings()
    for first in range(0, len(told.blocks[0]), size):
        found = found + pipeline.feed(*(block.between(first, first + size) for block in told.blocks))
    found = found + pipeline.finish()
    whole = count(*told.blocks)
    assert found.contractions == whole.contractions
    assert found.spans == whole.spans


def test_a_leg_that_lies_still_pumps_nothing(teller: Telling, count: Counting) -> None:
    """After a walk to bed the shank is known to be level: five minutes of lying are lying, without a pump."""
    found = count(*to_bed(teller, 41_100).lie(300.0, PLAIN).record().blocks)
    assert pumps(found) == []
    lying_s = sum(s.end_s - s.start_s for s in found.spans if s.state is State.LYING)
    assert lying_s > 280.0


def test_a_shank_that_stands_pumps_nothing(teller: Telling, count: Counting) -> None:
    """The same small tilts of a leg that stands on the floor are no ankle pumps once walking has told how it stands."""
    upright = Rest(raised_rad=-np.pi / 2, heel_m=0.0, bulge_rad=(0.0, 0.02, 0.0))
    story = teller(41_200, 52.0).stand(4.0).walk(Gait(), 10).stand(4.0).lie(15.0, upright)
    assert pumps(count(*story.pump(upright, Pumps(10, 20.0)).lie(10.0, upright).record().blocks)) == []


@pytest.fixture(scope="module")
def slid(teller: Telling) -> Recorded:
    """A walk to bed, twelve heel slides, and six push-ups on the edge of it."""
    story = to_bed(teller, 41_007).do(lambda body, hz, rng, _pitch: leg_slides(body, hz, 12, rng, PLAIN))
    return story.sit(20.0).pushups(Raises(6, 40.0, np.radians(30.0))).sit(15.0).record()


def test_a_leg_that_slides_in_bed_raises_no_heel(slid: Recorded, count: Counting) -> None:
    """A heel raise needs a foot on the floor below a shank that stands; the refusals say so, the push-ups count."""
    found = count(*slid.blocks)
    raised = [e.peak_s for e in found.contractions if e.kind in (Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE)]
    true = [e.peak_s for e in slid.truth if e.kind is Kind.SOLEUS_PUSHUP]
    assert len(true) == 6
    np.testing.assert_allclose(raised, true, atol=0.3)
    assert "lying_shank" in {rejection.rule for rejection in found.rejections}


@pytest.mark.parametrize("size", [52, 777])
def test_any_cutting_refuses_the_same(slid: Recorded, count: Counting, size: int) -> None:
    """Also where a batch of frames ends in the middle of a slide."""
    whole, pipeline, found = count(*slid.blocks), Pipeline(), Findings()
    for first in range(0, len(slid.blocks[0]), size):
        found = found + pipeline.feed(*(b.between(first, min(first + size, len(b))) for b in slid.blocks))
    found = found + pipeline.finish()
    assert sorted(map(astuple, found.rejections)) == sorted(map(astuple, whole.rejections))
    assert found.contractions == whole.contractions


@pytest.mark.parametrize(
    ("log_odds", "going_on", "least"),
    [(3.0, False, 3), (2.0, False, 6), (0.0, False, np.inf), (0.0, True, 2), (-1.0, True, np.inf)],
)
def test_what_shows_less_well_needs_more_in_a_row(log_odds: float, going_on: bool, least: float) -> None:
    """Three alike of what is likely a set, six of what is hardly one, two of a set that goes on."""
    assert _least_run(log_odds, RULES, going_on=going_on) == least
