"""The gait of a step: named where one shank can tell it, unknown where it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import fields

import numpy as np
import pytest

from analysis.events import Findings, Kind, State
from analysis.gait import Gait, gaits
from analysis.leg.gait import Gait as Walk
from analysis.leg.other_gaits import Run, Shuffle, Stairs
from analysis.leg.story import Teller
from analysis.rules import RULES
from analysis.swings import SwingCandidates

Counting = Callable[..., Findings]
Telling = Callable[..., Teller]
Going = Callable[[Teller, np.random.Generator], object]

WALKING = {
    "companion_s": 1.1, "rough_mps2": 5.0, "strike_mps2": 4.0, "climb_m": 0.02, "angle_rad": 0.9, "rate_rad_s": 3.0,
    "clearance_m": 0.05,
}  # fmt: skip
RUNNING = {"companion_s": 0.72, "rough_mps2": 22.0, "strike_mps2": 35.0}

GOING: dict[str, Going] = {
    "walk": lambda t, g: t.walk(Walk(g.uniform(0.6, 1.6), g.uniform(0.95, 1.4), g.uniform(0.85, 1.1)), 12),
    "run": lambda t, g: t.run(Run(g.uniform(2.2, 4.5), g.uniform(0.68, 0.76), strike_mps2=g.uniform(40.0, 120.0)), 20),
    "stairs_up": lambda t, g: t.stairs(Stairs(g.uniform(0.15, 0.2), 0.28, g.uniform(1.1, 1.6)), 9, up=True),
    "stairs_down": lambda t, g: t.stairs(
        Stairs(g.uniform(0.15, 0.2), 0.28, g.uniform(1.0, 1.5), strike_mps2=6.0), 9, up=False
    ),
    "shuffle": lambda t, g: t.shuffle(Shuffle(g.uniform(0.3, 0.5), g.uniform(0.9, 1.3)), 14),
}


@pytest.mark.parametrize(
    ("change", "gait"),
    [
        ({}, Gait.WALK),
        (RUNNING, Gait.RUN),
        (RUNNING | {"strike_mps2": 5.0}, Gait.UNKNOWN),
        (RUNNING | {"climb_m": np.nan}, Gait.RUN),
        ({"climb_m": 0.3}, Gait.STAIRS_UP),
        ({"climb_m": -0.3}, Gait.STAIRS_DOWN),
        ({"climb_m": 0.13}, Gait.UNKNOWN),
        ({"climb_m": np.nan}, Gait.UNKNOWN),
        ({"angle_rad": 0.3, "rate_rad_s": 1.2, "clearance_m": 0.01}, Gait.SHUFFLE),
    ],
)
def test_each_gait_has_its_mark(change: dict[str, float], gait: Gait) -> None:
    """Quick, rough and hard is running; two risers a stride are stairs; small and low is shuffling; else walking."""
    row = dict.fromkeys((f.name for f in fields(SwingCandidates)), 0.0) | WALKING | change
    swing = SwingCandidates(**{name: np.array([value]) for name, value in row.items()})
    assert gaits(swing, RULES).tolist() == [gait]


@pytest.mark.parametrize("name", GOING)
def test_every_gait_is_counted_and_named(teller: Telling, count: Counting, name: str) -> None:
    """Eight people go each way, at 25 to 100 Hz, half of them with a mirrored gyroscope.

    Steps are within 2 % of the truth, nothing else is counted, and nine of ten steps are named rightly.
    """
    true, named, others = 0, Counter[object](), Counter[Kind]()
    for seed in range(41_000, 41_008):
        choice = np.random.default_rng([seed, 1])
        story = teller(seed, float(choice.choice([25.0, 52.0, 100.0])), mirrored=seed % 2 == 1).stand(8.0)
        GOING[name](story, choice)
        told = story.stand(8.0).record()
        found = count(*told.blocks)
        true += len(told.truth)
        named += Counter(c.attributes["gait"] for c in found.contractions if c.kind is Kind.STEP)
        others += Counter(c.kind for c in found.contractions if c.kind is not Kind.STEP)
        assert (State.RUNNING if name == "run" else State.WALKING) in {s.state for s in found.spans}, seed
    assert abs(named.total() - true) <= 0.02 * true
    assert named[name] >= 0.9 * true, named
    assert not others


def test_without_a_gyroscope_the_gait_is_not_guessed(teller: Telling, count: Counting) -> None:
    """An accelerometer alone has no turn to integrate: a step is unknown, or running."""
    told = teller(41_020).stand(8.0).walk(Walk(), 14).stand(8.0).record(gyroscope=False)
    steps = [c for c in count(*told.blocks).contractions if c.kind is Kind.STEP]
    assert steps
    assert {c.attributes["gait"] for c in steps} == {Gait.UNKNOWN}
