"""Pedal strokes of people never used for tuning, and what goes up and down otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from analysis.events import Findings, Kind, State
from analysis.frames import BEFORE, FRAME
from analysis.leg.cycling import Bike, Bout
from analysis.leg.gait import Gait
from analysis.leg.story import Teller
from analysis.pedalling import FIRM, SOFT, StrokeCandidates, riding, stroke_rules
from analysis.rules import RULES

Counting = Callable[..., Findings]
Telling = Callable[..., Teller]

# Turns of a crank of 0.17 m at 60 a minute, one after the other.
TURN = {
    "frame": 0, "onset": BEFORE - 13.0, "peak": BEFORE + 0.0, "end": BEFORE + 12.0, "own": True, "fall_m": 0.3,
    "rise_m": 0.3, "tilt_rad": 0.8, "loop": 0.5, "lift_purity": 0.98, "turn_purity": 0.98, "sized": True,
}  # fmt: skip


def turns(*changes: dict[str, float], apart: float = 25.0) -> StrokeCandidates:
    rows = [TURN | {at: TURN[at] + apart * k for at in ("onset", "peak", "end")} | c for k, c in enumerate(changes)]
    return StrokeCandidates(**{f.name: np.array([row[f.name] for row in rows]) for f in fields(StrokeCandidates)})


def somebody(teller: Telling, seed: int) -> tuple[Teller, np.random.Generator]:
    choice = np.random.default_rng([seed, 1])
    return teller(seed, float(choice.choice([25.0, 52.0, 104.0])), mirrored=bool(choice.integers(2))), choice


def test_strokes_are_counted_at_the_bottom(teller: Telling, count: Counting) -> None:
    """Ten people on bikes of their own, 45 to 105 a minute, with a pause: F1 of at least 0.95, within 0.1 s."""
    true = found = matched = 0
    errors: list[float] = []
    for seed in range(40_000, 40_010):
        story, choice = somebody(teller, seed)
        bike = Bike(
            crank_m=choice.uniform(0.16, 0.178),
            seat_angle_rad=np.radians(choice.uniform(66.0, 78.0)),
            bottom_flexion_rad=np.radians(choice.uniform(25.0, 60.0)),
        )
        bouts = tuple(Bout(int(choice.integers(8, 15)), choice.uniform(45.0, 105.0), 6.0) for _ in range(2))
        told = story.stand(6.0).ride(bike, bouts, road_mps2=choice.uniform(0.0, 2.0)).stand(6.0).record()
        result = count(*told.blocks)
        peaks = np.array([e.peak_s for e in result.contractions if e.kind is Kind.PEDAL])
        distance = np.array([np.abs(peaks - e.peak_s).min() for e in told.truth])
        true, found, matched = true + len(told.truth), found + peaks.size, matched + int((distance < 0.3).sum())
        errors += distance[distance < 0.3].tolist()
        assert State.CYCLING in {span.state for span in result.spans}
        assert not [e for e in result.contractions if e.kind is not Kind.PEDAL][2:]
    assert 2.0 * matched / (true + found) >= 0.95
    assert np.median(errors) < 0.1


def test_out_of_the_saddle_is_pedalling_too(teller: Telling, count: Counting) -> None:
    """Five people who ride standing, the bike leaning to and fro: F1 of at least 0.95."""
    true = found = matched = 0
    for seed in range(40_100, 40_105):
        story, choice = somebody(teller, seed)
        bike = Bike().out_of_saddle(choice)
        told = story.stand(6.0).ride(bike, (Bout(20, choice.uniform(45.0, 75.0)),), road_mps2=1.0).stand(6.0).record()
        peaks = np.array([e.peak_s for e in count(*told.blocks).contractions if e.kind is Kind.PEDAL])
        true, found = true + len(told.truth), found + peaks.size
        matched += sum(np.abs(peaks - e.peak_s).min() < 0.3 for e in told.truth)
    assert 2.0 * matched / (true + found) >= 0.95


def test_walking_to_the_bike_is_walking(teller: Telling, count: Counting) -> None:
    """Steps before a ride are steps, strokes in it are strokes; the states say when each was."""
    told = teller(40_200).stand(6.0).walk(Gait(), 12).stand(5.0).ride(Bike(), (Bout(20, 70.0),)).stand(8.0).record()
    result = count(*told.blocks)
    for kind in (Kind.STEP, Kind.PEDAL):
        true = [e for e in told.truth if e.kind is kind]
        found = [e for e in result.contractions if e.kind is kind]
        assert abs(len(found) - len(true)) <= 1
        assert all(abs(f.peak_s - told.truth[0].peak_s) < 60.0 for f in found)
    states = [span.state for span in result.spans]
    assert states.index(State.WALKING) < states.index(State.CYCLING)


def test_force_alone_counts_strokes_less_surely(teller: Telling, count: Counting) -> None:
    """Without a gyroscope six steady rides are counted nearly as well, with less confidence."""
    sure, unsure = [], []
    for seed in range(40_300, 40_306):
        told = teller(seed, 52.0).stand(6.0).ride(Bike(), (Bout(25, 65.0),)).stand(6.0).record()
        sure += [e for e in count(*told.blocks).contractions if e.kind is Kind.PEDAL]
        unsure += [e for e in count(told.blocks[0]).contractions if e.kind is Kind.PEDAL]
    assert len(unsure) >= 0.85 * len(sure)
    assert max(e.confidence for e in unsure) < max(e.confidence for e in sure)


def test_pedals_at_rest_are_not_pedalled(teller: Telling, count: Counting) -> None:
    """A rough road under resting pedals counts nothing."""
    told = teller(40_400, 104.0).sit(5.0).ride(Bike(), (Bout(0, 60.0, 60.0),), road_mps2=3.0).sit(5.0).record()
    assert count(*told.blocks).contractions == ()


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, FIRM),
        ({"fall_m": 0.05, "rise_m": 0.06}, "no_turn"),
        ({"rise_m": 0.9}, "no_turn"),
        ({"tilt_rad": 0.1}, "no_turn"),
        ({"tilt_rad": 1.5}, "no_turn"),
        ({"lift_purity": 0.7}, SOFT),
        ({"turn_purity": 0.6}, SOFT),
        ({"loop": 0.02}, SOFT),
        ({"lift_purity": 0.2}, "no_turn"),
        ({"turn_purity": 0.6, "tilt_rad": 0.5}, "no_turn"),
    ],
)
def test_each_fault_has_its_rule(change: dict[str, float], rule: str) -> None:
    """A turn with one thing that no turn of a crank has is refused, or believed only beside a sure one."""
    assert stroke_rules(turns(change, {}, {}), RULES).tolist() == [rule, FIRM, FIRM]


def test_a_turn_alone_is_none() -> None:
    """However round, one turn by itself, or far from the next, or of another frame, is not believed."""
    assert stroke_rules(turns({}), RULES).tolist() == ["lone_turn"]
    assert stroke_rules(turns({}, {}, apart=80.0), RULES).tolist() == ["lone_turn", "lone_turn"]
    assert stroke_rules(turns({}, {"frame": 1}), RULES).tolist() == ["lone_turn", "lone_turn"]


def test_force_alone_must_be_purer() -> None:
    """Without a gyroscope neither tilt nor loop is known; the lift must be nearer to one sine."""
    by_force = {"sized": False, "loop": 0.0, "turn_purity": 0.0}
    assert stroke_rules(turns(by_force, by_force), RULES).tolist() == [FIRM, FIRM]
    less = by_force | {"lift_purity": 0.93}
    assert stroke_rules(turns(less, less), RULES).tolist() == ["no_turn", "no_turn"]


def test_a_ride_reaches_one_turn_beyond_its_strokes() -> None:
    """What swings just before or after a stroke belongs to it; a second later nothing does."""
    two = turns({}, {})
    rides = riding(two, stroke_rules(two, RULES), 1)[0]
    assert rides.shape == (FRAME,)
    assert np.flatnonzero(rides).tolist() == list(range(BEFORE - 25, BEFORE + 25 + 25 + 1))
    none = replace(two, lift_purity=np.zeros(2))
    assert not riding(none, stroke_rules(none, RULES), 2).any()
