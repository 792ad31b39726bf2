"""What each candidate was, and the name of the rule that said so."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from analysis.classify import Classifier, raise_rules, step_rules
from analysis.events import Kind
from analysis.frames import BEFORE
from analysis.grid import GRID_HZ
from analysis.leg.movements import Raises
from analysis.leg.story import Teller, Wearer
from analysis.pedalling import StrokeCandidates
from analysis.pipeline import Pipeline
from analysis.raises import RaiseCandidates
from analysis.rules import RULES
from analysis.swings import SwingCandidates

ABOVE = {"lever_m": 0.3, "evidence": 1.5, "level_evidence": -1.0, "misfit": 0.1, "slow_misfit": 0.1}
BELOW = ABOVE | {"lever_m": -0.8, "evidence": -1.5}
GYR = np.array([True])
STILL = np.array([False])
BOUNCING = np.array([True])
START_S = np.array([60.0])

# A heel raise as the closed chain makes it (tests/analysis/leg/test_body.py): lift 56 mm, tilt 7.3 degrees.
RAISE = {
    "frame": 0, "onset": BEFORE + 5.0, "peak": BEFORE + 20.0, "end": BEFORE + 37.0, "lift_m": 0.056,
    "tilt_rad": 0.128, "plain_tilt_rad": 0.128, "coherence": 0.95, "evenness": 0.95, "plain_evenness": 0.95,
    "size_m": 0.1, "share": 1.0,
    "period_s": 1.5, "tops": 2, "up_s": 0.6, "near_swing_s": 10.0, "turn_rad_s": 0.5, "off_axis": 0.0, **ABOVE,
}  # fmt: skip
# A swing as walking makes it (FACTS, section 4: 200 to 450 deg/s): 4 rad/s over 60 degrees.
SWING = {
    "frame": 0, "onset": BEFORE + 5.0, "peak": BEFORE + 12.0, "end": BEFORE + 20.0, "rate_rad_s": 4.0,
    "angle_rad": 1.0, "share": 1.0, "companion_s": 1.1, "skew": 0.8, "heel_first": 0.3, "strike_mps2": 4.0,
    "climb_m": 0.0, "way_m": 1.2, "clearance_m": 0.06, "rough_mps2": 4.0,
}  # fmt: skip

# A turn of a crank of 0.17 m at 60 a minute.
STROKE = {
    "frame": 0, "onset": BEFORE + 2.0, "peak": BEFORE + 14.0, "end": BEFORE + 27.0, "own": True, "fall_m": 0.3,
    "rise_m": 0.3, "tilt_rad": 0.8, "loop": 0.5, "lift_purity": 0.98, "turn_purity": 0.98, "sized": True,
}  # fmt: skip


def raises(*changes: dict[str, float]) -> RaiseCandidates:
    rows = [RAISE | change for change in changes]
    return RaiseCandidates(**{f.name: np.array([row[f.name] for row in rows]) for f in fields(RaiseCandidates)})


def swings(*changes: dict[str, float]) -> SwingCandidates:
    rows = [SWING | change for change in changes]
    return SwingCandidates(**{f.name: np.array([row[f.name] for row in rows]) for f in fields(SwingCandidates)})


def strokes(*changes: dict[str, float]) -> StrokeCandidates:
    rows = [STROKE | change for change in changes]
    return StrokeCandidates(**{f.name: np.array([row[f.name] for row in rows]) for f in fields(StrokeCandidates)})


def none_of(candidates: RaiseCandidates | SwingCandidates | StrokeCandidates) -> object:
    return replace(candidates, **{f.name: getattr(candidates, f.name)[:0] for f in fields(candidates)})


NO_RAISES, NO_SWINGS, NO_STROKES = none_of(raises({})), none_of(swings({})), none_of(strokes({}))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, "raise"),
        ({"lift_m": 0.002, "size_m": 0.003}, "small"),
        ({"near_swing_s": 0.3}, "gait"),
        ({"turn_rad_s": 6.0}, "too_fast_a_turn"),
        ({"period_s": 0.2, "tops": 9}, "bounce"),
        ({"lift_m": 0.5}, "too_large"),
        ({"plain_tilt_rad": 0.0}, "rebound"),
        ({"share": 0.1, "plain_evenness": 0.4}, "rebound"),
        ({"share": 0.25}, "raise"),
        ({"tilt_rad": 0.0, "plain_tilt_rad": 0.1}, "no_tilt"),
        ({"coherence": 0.1}, "lift_without_tilt"),
        ({"tilt_rad": 0.006, "plain_tilt_rad": 0.006}, "no_heel_chain"),
        ({"evenness": 0.2}, "one_way"),
        ({"plain_evenness": 0.1}, "one_way"),
    ],
)
def test_each_fault_has_its_rule(change: dict[str, float], rule: str) -> None:
    """A raise with one thing that no raise has is refused by the rule that names it."""
    assert raise_rules(raises(change), STILL, RULES).tolist() == [rule]


def test_a_turn_without_a_hinge_is_refused() -> None:
    """A horizontal force that no lever explains is no hinge; a hinge level with the sensor is a lying leg.

    A weak sign of a level hinge counts where else it would lie above, or where the leg turns about other axes, too, as
    it does from the hip.
    """
    no_hinge = {"misfit": 0.95, "slow_misfit": 0.5}
    level = {"level_evidence": 0.5}
    assert raise_rules(raises(no_hinge), STILL, RULES).tolist() == ["no_hinge"]
    assert raise_rules(raises(level | {"off_axis": 0.2}), STILL, RULES).tolist() == ["level_hinge"]
    assert raise_rules(raises(level), STILL, RULES).tolist() == ["level_hinge"]
    assert raise_rules(raises(level | {"evidence": -1.0}), STILL, RULES).tolist() == ["raise"]
    assert raise_rules(raises({"level_evidence": 2.0}), STILL, RULES).tolist() == ["level_hinge"]


def test_a_raise_that_stands_may_be_measured_a_little_long() -> None:
    """A leg that slides in bed turns about a point above itself; one that turns below itself does not slide."""
    far = {"lift_m": 1.1 * RULES.most_lift_m}
    assert raise_rules(raises(far), STILL, RULES).tolist() == ["too_large"]
    assert raise_rules(raises(far | {"evidence": -5.0}), STILL, RULES).tolist() == ["raise"]


def test_tremor_does_not_veto() -> None:
    """A slow raise with many small tops about it is still a raise if they are slow (FACTS, section 10)."""
    assert raise_rules(raises({"period_s": 1.0, "tops": 3}), STILL, RULES).tolist() == ["raise"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, "swing"),
        ({"rate_rad_s": 0.4}, "slow"),
        ({"angle_rad": 0.05}, "short_swing"),
        ({"angle_rad": 0.2}, "swing"),
        ({"angle_rad": 0.2, "companion_s": 1.6}, "short_swing"),
        ({"share": 0.1}, "small_beside_others"),
        ({"companion_s": 9.0}, "lonely_swing"),
        ({"angle_rad": 2.1}, "too_wide"),
        ({"skew": 0.05, "heel_first": 0.0, "strike_mps2": 2.0, "rate_rad_s": 1.0}, "pendulum"),
        ({"skew": 0.05, "heel_first": 0.8, "strike_mps2": 2.0, "rate_rad_s": 1.0}, "swing"),
        ({"companion_s": 2.0, "strike_mps2": 1.0}, "far_companion"),
        ({"strike_mps2": 0.1}, "no_foot_strike"),
        ({"strike_mps2": 0.4}, "swing"),
        ({"strike_mps2": 0.4, "skew": 0.3}, "no_foot_strike"),
    ],
)
def test_each_fault_of_a_swing_has_its_rule(change: dict[str, float], rule: str) -> None:
    """A swing with one thing that no step has is refused by the rule that names it."""
    assert step_rules(swings(change), RULES).tolist() == [rule]


@pytest.mark.parametrize(
    ("fit", "kind", "rule"), [(ABOVE, Kind.SOLEUS_PUSHUP, "hinge_above"), (BELOW, Kind.HEEL_RAISE, "hinge_below")]
)
def test_the_hinge_decides_the_kind(fit: dict[str, float], kind: Kind, rule: str) -> None:
    """Above the sensor it is a seated push-up, below it a standing raise; times are on the session's axis."""
    kept, refused = Classifier(RULES).judge(START_S, raises(fit), NO_SWINGS, GYR, STILL, NO_STROKES)
    (event,) = kept
    assert (event.kind, event.rule, refused) == (kind, rule, [])
    expected = [60.0 + n / GRID_HZ for n in (5.0, 20.0, 37.0)]
    assert [event.onset_s, event.peak_s, event.end_s] == pytest.approx(expected)
    assert event.strength == pytest.approx(0.056)


def test_a_raise_of_a_bouncing_leg_is_refused() -> None:
    """While the leg bounces, a slow rise of its mean height is no raise."""
    assert raise_rules(raises({}), BOUNCING, RULES).tolist() == ["bounce"]


def test_a_leg_laid_over_the_other_is_no_raise() -> None:
    """A large lift about several axes whose hinge is hardly above the sensor is the leg being moved."""
    moved = raises({"lift_m": 0.15, "level_evidence": -0.3, "off_axis": 0.2})
    assert raise_rules(moved, STILL, RULES).tolist() == ["leg_moved"]


def test_a_step_is_a_step() -> None:
    """A swing becomes a step that walks, with the rate of its swing as strength."""
    kept, _ = Classifier(RULES).judge(START_S, NO_RAISES, swings({}), GYR, STILL, NO_STROKES)
    (event,) = kept
    assert (event.kind, event.attributes["gait"], event.strength) == (Kind.STEP, "walk", 4.0)
    assert event.peak_s == pytest.approx(60.0 + 12 / GRID_HZ)


def test_a_second_sight_is_dropped() -> None:
    """The same peak seen from the next frame's border is refused, across calls too."""
    judge = Classifier(RULES)
    first, _ = judge.judge(START_S, raises({}), swings({}), GYR, STILL, NO_STROKES)
    again, refused = judge.judge(
        START_S + 2.0, raises({"peak": BEFORE - 28.0, "onset": BEFORE - 45.0, "end": BEFORE - 10.0}),
        swings({"peak": BEFORE - 37.0}), GYR, STILL, NO_STROKES
    )  # fmt: skip
    assert (len(first), again) == (2, [])
    assert {r.rule for r in refused} == {"same_raise", "too_soon"}


def test_confidence_falls_with_what_is_not_known() -> None:
    """Less evidence, less coherence and no gyroscope each make an event less sure; it stays within 0..1."""

    def sure(has: bool = True, **change: float) -> float:
        kept, _ = Classifier(RULES).judge(START_S, raises(change), NO_SWINGS, np.array([has]), STILL, NO_STROKES)
        return kept[0].confidence

    plain = sure()
    assert 0.0 < sure(evidence=0.1) < plain <= 1.0
    assert sure(coherence=0.6) < plain
    assert sure(has=False) < plain


def test_onset_peak_end_in_order_however_short() -> None:
    """An event whose crossings fall on its peak still begins before and ends after it."""
    kept, _ = Classifier(RULES).judge(
        START_S,
        raises({"onset": BEFORE + 20.0, "end": BEFORE + 20.0}),
        NO_SWINGS,
        GYR,
        STILL,
        NO_STROKES,
    )
    assert kept[0].onset_s < kept[0].peak_s < kept[0].end_s


def test_a_plain_hinge_that_is_shaken_is_one() -> None:
    """What a bus adds is gone from the smoothed courses; a leg that turns about other axes, too, is another matter."""
    shaken = {"misfit": 0.95, "slow_misfit": 0.1}
    assert raise_rules(raises(shaken | {"off_axis": 0.005}), STILL, RULES).tolist() == ["raise"]
    assert raise_rules(raises(shaken | {"off_axis": 0.04}), STILL, RULES).tolist() == ["no_hinge"]


def _set_of(evidence: list[float], every_s: float, *, gyr: bool) -> list[Kind]:
    """Kinds of a set of raises, each alone in its frame."""
    n = len(evidence)
    told = raises(*({"frame": k, "evidence": one} for k, one in enumerate(evidence)))
    kept, _ = Classifier(RULES).judge(
        60.0 + every_s * np.arange(n), told, NO_SWINGS, np.full(n, gyr), np.zeros(n, dtype=bool), NO_STROKES
    )
    return [event.kind for event in kept]


def test_a_set_keeps_the_hinge_of_its_beginning() -> None:
    """What the first raises say counts in the middle of the set, too, where a frame says little or errs."""
    push_up, heel_raise = Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE
    assert _set_of([-1.0, -0.5, 0.1, 0.4, 0.2], 2.0, gyr=True) == [heel_raise] * 5
    assert _set_of([-1.0, 1.5, 2.0], 2.0, gyr=True) == [heel_raise, push_up, push_up]


def test_the_next_set_is_judged_anew() -> None:
    """After a pause the wearer may have sat down; and a set of any length can be outweighed in a few raises."""
    push_up, heel_raise = Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE
    assert _set_of([-2.0, 0.1], 4.0, gyr=True) == [heel_raise, push_up]
    assert _set_of([-50.0] * 20 + [50.0] * 4, 2.0, gyr=True) == [heel_raise] * 23 + [push_up]


def test_without_a_gyroscope_each_raise_speaks_for_itself() -> None:
    """The size of the tilt is not known then, and the smoothed courses say little."""
    assert _set_of([-2.0, 0.1], 2.0, gyr=False) == [Kind.HEEL_RAISE, Kind.SOLEUS_PUSHUP]


@pytest.mark.parametrize("seed", [604, 605, 703, 711])
@pytest.mark.parametrize(("seated", "kind"), [(True, Kind.SOLEUS_PUSHUP), (False, Kind.HEEL_RAISE)])
def test_fast_sets_are_told_apart(seed: int, *, seated: bool, kind: Kind) -> None:
    """At 90 a minute inertia is as large as gravity seven times over, and of the other sign when seated."""
    rng = np.random.default_rng(seed)
    told = Teller(Wearer.anybody(rng), 52.0, rng)
    fast = Raises(30, 90.0, np.radians(30.0))
    told = told.sit(15.0).pushups(fast).sit(15.0) if seated else told.stand(15.0).raises(fast).stand(15.0)
    pipeline = Pipeline()
    found = pipeline.feed(*told.record().blocks) + pipeline.finish()
    assert {event.kind for event in found.contractions} == {kind}
    assert len(found.contractions) > 26  # all but a few: what is asked here is their kind


def test_events_come_in_order_of_time() -> None:
    """Steps and raises of some frames are handed out together, by peak."""
    kept, _ = Classifier(RULES).judge(
        np.array([60.0, 62.0]), raises({"frame": 0}, {"frame": 1}), swings({"frame": 1, "peak": BEFORE + 2.0}),
        np.array([True, True]), np.array([False, False]), NO_STROKES
    )  # fmt: skip
    assert [e.kind for e in kept] == [Kind.SOLEUS_PUSHUP, Kind.STEP, Kind.SOLEUS_PUSHUP]
    assert [e.peak_s for e in kept] == sorted(e.peak_s for e in kept)


@pytest.mark.parametrize("seed", [3, 70001, 70022, 70023, 70026, 70029])
def test_standing_up_soon_after_takes_no_push_up_away(seed: int) -> None:
    """Rising from the chair must not make the last push-ups of a set look like one held top."""
    rng = np.random.default_rng(seed)
    told = Teller(Wearer.anybody(rng), 52.0, rng).sit(12.0).pushups(Raises(3, 35.0, np.radians(30.0))).sit(13.0)
    told.pushups(Raises(5, 35.0, np.radians(30.0))).sit(4.0).stand_up().stand(20.0)
    pipeline = Pipeline()
    found = pipeline.feed(*told.record().blocks) + pipeline.finish()
    assert [event.kind for event in found.contractions] == [Kind.SOLEUS_PUSHUP] * 8
