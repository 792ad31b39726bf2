"""Movements that are no contraction, by people never used for tuning: false contractions an hour stay low.

Limits are those the product promises; recall of true contractions stands in test_accuracy.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from analysis.leg import other_movements as other
from analysis.leg.body import Body
from analysis.leg.path import Path, join
from analysis.leg.story import Teller, Wearer
from analysis.pipeline import Pipeline

Movement = Callable[[Body, float, Generator, float], Path]

MOVEMENTS: dict[str, tuple[Movement, float]] = {
    "crossed leg swings": (lambda b, hz, rng, p: other.swings(b, hz, 25.0, rng, p), 60.0),
    "kicks": (lambda b, hz, rng, p: other.kicks(b, hz, 8, rng, p), 60.0),
    "toe taps": (lambda b, hz, rng, p: other.toe_taps(hz, 25.0, rng, p), 10.0),
    "leg crossing": (
        lambda b, hz, rng, p: join([other.crossing(b, hz, rng, p), other.crossing(b, hz, rng, p)]),
        20.0,
    ),
    "chair": (lambda b, hz, rng, p: other.chair(b, hz, 25.0, rng, p), 20.0),
    "knocks": (lambda _b, hz, rng, p: other.knocks(hz, 30.0, rng, p), 10.0),
}


def somebody(seed: int) -> Teller:
    rng = np.random.default_rng(seed)
    return Teller(Wearer.anybody(rng, mirrored=seed % 2 == 1), float(rng.choice([25.0, 52.0, 100.0])), rng)


def contractions_an_hour(tellers: list[Teller]) -> float:
    found, length_s = 0, 0.0
    for teller in tellers:
        told, pipeline = teller.record(), Pipeline()
        found += len((pipeline.feed(*told.blocks) + pipeline.finish()).contractions)
        length_s += float(told.blocks[0].t_s[-1])
    return found / length_s * 3600.0


@pytest.mark.parametrize("name", MOVEMENTS)
def test_a_movement_that_is_no_contraction(name: str) -> None:
    """Thirty people do it for half a minute each; what is counted an hour stays below the promised limit."""
    movement, limit = MOVEMENTS[name]
    tellers = [somebody(seed).sit(5.0).do(movement).sit(5.0) for seed in range(18_000, 18_030)]
    assert contractions_an_hour(tellers) <= limit


def test_a_vehicle_shakes_nothing_into_a_count() -> None:
    """Thirty people sit in a car, bus or train for a minute: at most two false contractions an hour."""
    tellers = [somebody(seed).sit(60.0).in_vehicle(0.3 + 0.04 * (seed % 30)) for seed in range(19_000, 19_030)]
    assert contractions_an_hour(tellers) <= 2.0


def test_standing_up_and_sitting_down_are_no_raises() -> None:
    """Twenty people stand up and sit down three times each: at most thirty false contractions an hour."""
    tellers = []
    for seed in range(20_000, 20_020):
        teller = somebody(seed)
        for _ in range(3):
            teller.sit(5.0).stand_up().stand(5.0).sit_down()
        tellers.append(teller.sit(5.0))
    assert contractions_an_hour(tellers) <= 30.0
