"""One recording against its truth: what is right, wrong, don't-care or not to be judged."""

from __future__ import annotations

import pytest

from analysis.events import Contraction, Kind
from tracker.evaluation.judging import ANY, Found, is_gait, judge
from tracker.evaluation.truth import Interval, TrueEvent, Truth

PUSH, RAISE, STEP = Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE, Kind.STEP


def found(*events: tuple[Kind, float], duration_s: float = 100.0) -> Found:
    made = tuple(Contraction(kind, at - 0.3, at, at + 0.3, 0.9, "rule") for kind, at in events)
    return Found(made, duration_s)


def numbers(truth: Truth, result: Found, kind: str = PUSH) -> tuple[int, int, int]:
    tally = judge(truth, result).tallies[kind]
    return tally.true, tally.found, tally.matched


def test_a_wrong_kind_is_right_only_for_any_kind() -> None:
    """A raise taken for a push-up is one missed, one false, and one found of any kind."""
    truth = Truth(events=(TrueEvent(RAISE, 5.0),))
    result = found((PUSH, 5.1))
    assert numbers(truth, result, PUSH) == (0, 1, 0)
    assert numbers(truth, result, RAISE) == (1, 0, 0)
    assert numbers(truth, result, ANY) == (1, 1, 1)
    assert judge(truth, result).right.tolist() == [False]


def test_a_hold_widens_the_match() -> None:
    """0.3 s and half of the hold."""
    assert numbers(Truth(events=(TrueEvent(PUSH, 5.0, hold_s=2.0),)), found((PUSH, 6.3))) == (1, 1, 1)
    assert numbers(Truth(events=(TrueEvent(PUSH, 5.0),)), found((PUSH, 6.3))) == (1, 1, 0)


def test_what_is_dont_care_changes_nothing() -> None:
    """An ignored event found or missed, of whatever kind; a stretch to ignore with all in it."""
    truth = Truth(
        events=(TrueEvent(PUSH, 5.0), TrueEvent(PUSH, 8.0, ignore=True), TrueEvent(PUSH, 25.0)),
        intervals=(Interval("ignore", 20.0, 30.0),),
    )
    alone = numbers(truth, found((PUSH, 5.0)))
    assert alone == numbers(truth, found((PUSH, 5.0), (PUSH, 8.1), (PUSH, 22.0), (PUSH, 25.0))) == (1, 1, 1)
    assert numbers(truth, found((PUSH, 5.0), (RAISE, 8.1)), RAISE) == (0, 0, 0)
    assert numbers(truth, found((PUSH, 5.0), (PUSH, 7.9), (PUSH, 8.1))) == (1, 2, 1)


def test_false_events_in_stretches_by_label() -> None:
    """Seconds and false events of each label; what matches a true event is not false."""
    truth = Truth(
        events=(TrueEvent(PUSH, 15.0),),
        intervals=(Interval("bounce", 10.0, 20.0), Interval("bounce", 40.0, 50.0), Interval("table", 60.0, 90.0)),
    )
    judged = judge(truth, found((PUSH, 15.0), (STEP, 45.0), (STEP, 55.0)))
    assert {label: (t.found, t.duration_s) for label, t in judged.false_in.items()} == {
        "bounce": (1, 20.0),
        "table": (0, 30.0),
    }


def test_counts_alone_give_a_count_error_and_no_precision() -> None:
    """A count of 0 is a truth about every event of the kind, any other count is not."""
    truth = Truth(counts={STEP: 4, PUSH: 0})
    judged = judge(truth, found((STEP, 1.0), (STEP, 2.0), (STEP, 3.0), (PUSH, 9.0), (RAISE, 20.0)))
    step, push = judged.tallies[STEP], judged.tallies[PUSH]
    assert (step.count_true, step.count_found, step.found, step.duration_s) == (4, 3, 0, 0.0)
    assert (push.true, push.found, push.matched, push.duration_s) == (0, 1, 0, 100.0)
    assert set(judged.tallies) == {STEP, PUSH}
    assert (judged.hits, judged.true) == (3, 4)
    assert judged.confidence.tolist() == [0.9]


def test_a_count_beside_events_of_other_kinds() -> None:
    """Steps that are only counted are not judged one by one, nor is any kind; the listed kinds are."""
    truth = Truth(events=(TrueEvent(PUSH, 5.0),), counts={STEP: 2})
    judged = judge(truth, found((PUSH, 5.0), (STEP, 9.0)))
    assert ANY not in judged.tallies
    assert numbers(truth, found((PUSH, 5.0), (STEP, 9.0))) == (1, 1, 1)
    assert (judged.hits, judged.true) == (2, 3)


def test_stretches_alone_judge_nothing_else() -> None:
    """Without events nobody knows what happened outside the stretches."""
    judged = judge(Truth(intervals=(Interval("bounce", 0.0, 10.0),)), found((PUSH, 5.0), (PUSH, 50.0)))
    assert judged.tallies == {}
    assert judged.false_in["bounce"].found == 1
    assert judged.confidence.size == 0


@pytest.mark.parametrize(("at", "expected"), [(0.29, 1), (0.31, 0)])
def test_the_timing_error_is_found_minus_true(at: float, expected: int) -> None:
    """Of matched events alone."""
    tally = judge(Truth(events=(TrueEvent(PUSH, 5.0),)), found((PUSH, 5.0 + at))).tallies[PUSH]
    assert tally.errors_s == pytest.approx((at,) * expected)


def test_the_gait_of_found_steps_is_held_against_the_true_one() -> None:
    """Stairs of which nobody said which way are right either way; a step missed, or of no known gait, says nothing."""
    gaits = {5.0: "walk", 7.0: "stairs", 9.0: "stairs_up", 11.0: "run", 13.0: "", 15.0: "walk"}
    truth = Truth(events=tuple(TrueEvent(STEP, at, gait=gait) for at, gait in gaits.items()))
    seen = {5.1: "walk", 7.0: "stairs_down", 9.0: "walk", 11.0: "unknown", 13.0: "walk"}
    steps = tuple(
        Contraction(STEP, at - 0.3, at, at + 0.3, 0.9, "swing", attributes={"gait": gait}) for at, gait in seen.items()
    )
    pairs = judge(truth, Found(steps, 100.0)).gaits
    assert pairs == (("walk", "walk"), ("stairs", "stairs_down"), ("stairs_up", "walk"), ("run", "unknown"))
    assert [is_gait(told, found) for told, found in pairs] == [True, True, False, False]
