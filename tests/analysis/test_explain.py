"""Explanations say what the pipeline decided, and measure what its rules measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from analysis.events import Findings, Kind
from analysis.explain import NEAR_S, Explanation, explain
from analysis.leg.cycling import Bike, Bout
from analysis.leg.gait import Gait
from analysis.leg.lying import Pumps, Rest, leg_slides
from analysis.leg.movements import Raises
from analysis.leg.story import Recorded, Teller
from analysis.limits import PUMP_LIMITS, RAISE_LIMITS, STROKE_LIMITS, SWING_LIMITS
from analysis.pedalling import StrokeCandidates
from analysis.raises import RaiseCandidates
from analysis.rules import RULES, Rules
from analysis.samples import SampleBlock
from analysis.swings import SwingCandidates

PLAIN = Rest(raised_rad=0.2, heel_m=0.007, bulge_rad=(0.0, -0.008, 0.0))
MADE = {"plain_share", "share_and_evenness", "lift_per_tilt_m", "misfit", "depth_m", "turn_s"}


@pytest.fixture(scope="module")
def mixed(teller: Callable[..., Teller]) -> Recorded:
    """Push-ups, bounce, walking: something of every rule."""
    story = teller(30_800).sit(20.0).pushups(Raises(6, 40.0, np.radians(30.0))).sit(12.0).bounce(6.0, 3.0, 0.1)
    return story.sit(10.0).stand_up().stand(6.0).walk(Gait(), 8).stand(12.0).record()


@pytest.fixture(scope="module")
def found(mixed: Recorded, count: Callable[..., Findings]) -> Findings:
    return count(*mixed.blocks)


def explained(blocks: tuple[SampleBlock, ...], at_s: float) -> Explanation:
    told = explain([blocks], at_s)
    assert told is not None
    return told


def test_limits_name_features_and_numbers_that_exist() -> None:
    """A feature that is renamed, or a number that is gone, is noticed here."""
    numbers = {f.name for f in fields(Rules)}
    for limits, candidates in (
        (RAISE_LIMITS, RaiseCandidates),
        (SWING_LIMITS, SwingCandidates),
        (STROKE_LIMITS, StrokeCandidates),
    ):
        known = {f.name for f in fields(candidates)} | MADE
        assert {limit.feature for limit in limits} <= known
        assert {limit.threshold for limit in limits} <= numbers
    assert {limit.threshold for limit in PUMP_LIMITS} <= numbers


def test_every_push_up_is_explained(mixed: Recorded, found: Findings) -> None:
    """The same event, every limit met, and in the second around it the heel is highest at its peak."""
    pushups = [c for c in found.contractions if c.kind is Kind.SOLEUS_PUSHUP]
    assert len(pushups) == 6
    for event in pushups:
        told = explained(mixed.blocks, event.peak_s)
        assert told.contraction == event
        assert (told.at_s, told.rule, told.looked_at) == (event.peak_s, event.rule, True)
        assert {check.rule for check in told.checks} == {limit.rule for limit in RAISE_LIMITS}
        assert [check for check in told.checks if not check.met] == []
        assert told.features["lift_m"] == pytest.approx(event.strength, abs=1e-4)
        near = np.abs(told.t_s - event.peak_s) < 0.3
        assert told.lift_m[near].max() == told.lift_m[np.abs(told.t_s - event.peak_s) < 0.6].max()


def test_a_step_is_explained_by_its_swing(mixed: Recorded, found: Findings) -> None:
    """Its rate is the strength of the event."""
    step = next(c for c in found.contractions if c.kind is Kind.STEP)
    told = explained(mixed.blocks, step.peak_s)
    assert told.contraction == step
    assert told.features["rate_rad_s"] == pytest.approx(step.strength, abs=1e-3)
    assert {check.rule for check in told.checks} == {limit.rule for limit in SWING_LIMITS}
    assert np.abs(told.swing_rad_s).max() > 1.0


def test_a_stroke_is_explained_by_its_turn(teller: Callable[..., Teller], count: Callable[..., Findings]) -> None:
    """Its depth is the strength of the event, and every limit is met."""
    told = teller(30_810).sit(8.0).ride(Bike(), (Bout(12, 70.0),)).sit(8.0).record()
    stroke = [c for c in count(*told.blocks).contractions if c.kind is Kind.PEDAL][5]
    why = explained(told.blocks, stroke.peak_s)
    assert why.contraction == stroke
    assert why.features["depth_m"] == pytest.approx(stroke.strength, abs=1e-3)
    assert {check.rule for check in why.checks} == {limit.rule for limit in STROKE_LIMITS}
    assert [check for check in why.checks if not check.met] == []


def test_an_ankle_pump_is_explained_by_its_set(teller: Callable[..., Teller], count: Callable[..., Findings]) -> None:
    """Each pump is held against what a set must show; with the odds of its frame, it meets all of it."""
    told = teller(30_804, 100.0).lie(20.0, PLAIN).pump(PLAIN, Pumps(12, 30.0)).lie(10.0, PLAIN).record()
    pumps = [event for event in count(*told.blocks).contractions if event.kind is Kind.ANKLE_PUMP]
    assert len(pumps) >= 8
    periods_s = []
    for event in pumps:
        one = explained(told.blocks, event.peak_s)
        assert one.contraction == event
        assert {check.feature for check in one.checks} == {"log_odds", "likeness", "rough_mps2", "pump_tilt_rad"}
        assert all(check.met for check in one.checks)
        periods_s.append(one.features["period_s"])
    assert np.median(periods_s) == pytest.approx(2.0, abs=0.2)  # at either end a frame may show two pumps as one


def test_a_refusal_names_its_rule_and_the_limit_it_missed(mixed: Recorded, found: Findings) -> None:
    """Each refused candidate has its rule and features; where the rule has one limit alone, that is not met."""
    alone = {"gait", "too_fast_a_turn", "little_lift", "no_tilt", "too_large", "one_way", "no_hinge", "lonely_swing"}
    seen = set()
    for one in found.rejections:
        told = explained(mixed.blocks, one.peak_s)
        assert told.at_s == one.peak_s
        assert told.features
        if told.rule in alone:
            assert [c for c in told.checks if c.rule == told.rule and not c.met], told.rule
        seen.add(told.rule)
    assert {"bounce", "gait"} <= seen


def test_a_shaken_push_up_meets_what_it_is_held_against(
    teller: Callable[..., Teller], count: Callable[..., Findings]
) -> None:
    """In a vehicle the misfit of a plain hinge may be large; the features say so, and no limit is shown as missed."""
    told = teller(30_824).sit(15.0).pushups(Raises(12, 40.0, np.radians(25.0))).sit(15.0).in_vehicle(1.6).record()
    whys = [explained(told.blocks, c.peak_s) for c in count(*told.blocks).contractions]
    assert [check for why in whys for check in why.checks if not check.met] == []
    assert any(why.features["misfit"] > RULES.most_misfit for why in whys)


def test_a_leg_that_slides_misses_the_limit_of_a_large_tilt(
    teller: Callable[..., Teller], count: Callable[..., Findings]
) -> None:
    """A seated heel that tilts the shank by more than 11 degrees lifts it by more than a slide does."""
    story = teller(41_009).lie(10.0, PLAIN).do(lambda body, hz, rng, _pitch: leg_slides(body, hz, 20, rng, PLAIN))
    told = story.lie(10.0, PLAIN).record()
    refused = [one for one in count(*told.blocks).rejections if one.rule == "no_heel_chain"]
    whys = [explained(told.blocks, one.peak_s) for one in refused]
    far = [c for why in whys for c in why.checks if c.threshold == "least_lift_per_large_tilt_m" and not c.met]
    assert {check.rule for check in far} == {"no_heel_chain"}


def test_a_raise_that_stands_is_held_against_its_own_bounds(
    teller: Callable[..., Teller], count: Callable[..., Findings]
) -> None:
    """It may lift and tilt a little more than a seated one; each is shown with the bound that it met."""
    five = Raises(5, 40.0, np.radians(30.0))
    told = teller(30_830).sit(15.0).pushups(five).sit(10.0).stand_up().stand(5.0).raises(five).stand(12.0).record()
    bounds = {}
    for event in count(*told.blocks).contractions:
        checks = [check for check in explained(told.blocks, event.peak_s).checks if check.rule == "too_large"]
        assert all(check.met for check in checks)
        bounds[event.kind] = {check.threshold for check in checks}
    assert bounds == {
        Kind.SOLEUS_PUSHUP: {"most_lift_m", "most_tilt_rad"},
        Kind.HEEL_RAISE: {"most_standing_lift_m", "most_standing_tilt_rad"},
    }


def test_an_instant_near_an_event_finds_it(mixed: Recorded, found: Findings) -> None:
    """Whoever saw it on the clock need not know its peak; a rule can be asked for."""
    event = next(c for c in found.contractions if c.kind is Kind.SOLEUS_PUSHUP)
    told = explain([mixed.blocks], event.peak_s + 0.9 * NEAR_S, rule=event.rule)
    assert told is not None
    assert told.contraction is not None
    assert abs(told.contraction.peak_s - event.peak_s) <= 2 * NEAR_S


def test_a_still_leg_has_nothing_to_explain(mixed: Recorded) -> None:
    """No rule, no features; the signal is there."""
    told = explained(mixed.blocks, 8.0)
    assert (told.rule, told.contraction, told.looked_at, dict(told.features)) == (None, None, False, {})
    assert told.t_s.size == told.tilt_rad.size == round(2 * NEAR_S * 25) + 1
    assert told.t_s[0] <= 8.0 - 0.9 * NEAR_S
    assert told.t_s[-1] >= 8.0 + 0.9 * NEAR_S


def test_where_there_is_no_sample_there_is_no_explanation(mixed: Recorded) -> None:
    """Before the first sample, long after the last, and in an empty recording."""
    assert explain([mixed.blocks], -60.0) is None
    assert explain([mixed.blocks], 3600.0) is None
    assert explain([], 0.0) is None


def test_any_cutting_gives_the_same_explanation(mixed: Recorded, found: Findings) -> None:
    """Blocks of 7 s tell what one block tells."""
    event = found.contractions[3]
    n = len(mixed.blocks[0])
    cut = [tuple(b.between(k, min(k + 350, n)) for b in mixed.blocks) for k in range(0, n, 350)]
    whole, parts = explained(mixed.blocks, event.peak_s), explain(cut, event.peak_s)
    assert parts is not None
    assert (parts.at_s, parts.rule, parts.features, parts.checks) == (
        whole.at_s, whole.rule, whole.features, whole.checks,
    )  # fmt: skip
    assert (parts.lift_m == whole.lift_m).all()


def test_what_was_not_measured_is_not_shown(mixed: Recorded, found: Findings) -> None:
    """Beside a swing of gait nothing else of a raise is measured: it fails that one limit, and no other is named."""
    refused = [r for r in found.rejections if r.rule == "gait"]
    assert refused
    for one in refused:
        told = explain([mixed.blocks], one.peak_s, "gait")
        assert told is not None
        assert [(check.rule, check.met) for check in told.checks] == [("gait", False)]
        assert not np.isnan(list(told.features.values())).any()
