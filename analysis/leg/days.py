"""Whole days of a simulated wearer, an hour at a time so that memory stays small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from analysis.events import Contraction, StateSpan
from analysis.leg.gait import Gait
from analysis.leg.movements import Raises
from analysis.leg.story import Recorded, Teller, Wearer
from analysis.samples import SampleBlock

HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Habits:
    """What a wearer does in an hour, on average.

    Attributes:
        walks: bouts of walking.
        strides: of the sensor's leg, in each bout.
        pushup_sets: sets of seated push-ups.
        raise_sets: sets of standing heel raises.
        count: raises in a set.
    """

    walks: float = 3.0
    strides: int = 60
    pushup_sets: float = 1.5
    raise_sets: float = 0.5
    count: int = 15


def worn_hour(wearer: Wearer, habits: Habits, rate_hz: float, rng: Generator) -> Recorded:
    """One hour at a desk, with walks and sets of raises between. Exactly an hour long."""
    teller = Teller(wearer, rate_hz, rng).sit(20.0)
    plan = (
        ["walk"] * rng.poisson(habits.walks)
        + ["pushups"] * rng.poisson(habits.pushup_sets)
        + ["raises"] * rng.poisson(habits.raise_sets)
    )
    for what in rng.permutation(plan):
        _do(teller, str(what), habits, rng)
    return fitted(teller, HOUR_S)


def table_hour(wearer: Wearer, rate_hz: float, rng: Generator) -> Recorded:
    """One hour with the sensor on a table."""
    return fitted(Teller(wearer, rate_hz, rng).take_off(HOUR_S), HOUR_S)


def day(
    wearer: Wearer, habits: Habits, rate_hz: float, rng: Generator, worn: range = range(8, 22)
) -> Iterator[Recorded]:
    """The 24 hours of one day, each on the day's own time axis."""
    for hour in range(24):
        told = worn_hour(wearer, habits, rate_hz, rng) if hour in worn else table_hour(wearer, rate_hz, rng)
        yield shifted(told, hour * HOUR_S)


def shifted(told: Recorded, by_s: float) -> Recorded:
    """The same story, later."""

    def event(e: Contraction) -> Contraction:
        return replace(e, onset_s=e.onset_s + by_s, peak_s=e.peak_s + by_s, end_s=e.end_s + by_s)

    def block(b: SampleBlock) -> SampleBlock:
        return SampleBlock(b.modality, b.t_s + by_s, b.values, b.channels, b.rate_hz, b.stream)

    def span(s: StateSpan) -> StateSpan:
        return replace(s, start_s=s.start_s + by_s, end_s=s.end_s + by_s)

    return Recorded(
        tuple(block(b) for b in told.blocks),
        tuple(event(e) for e in told.truth),
        tuple(span(s) for s in told.spans),
    )


def _do(teller: Teller, what: str, habits: Habits, rng: Generator) -> None:
    teller.sit(rng.uniform(60.0, 400.0))
    if what == "pushups":
        rotation = np.radians(rng.uniform(18.0, 40.0))
        teller.pushups(Raises(habits.count, rng.uniform(25.0, 60.0), rotation)).sit(10.0)
        return
    teller.stand_up().stand(rng.uniform(2.0, 10.0))
    if what == "raises":
        teller.raises(Raises(habits.count, rng.uniform(15.0, 40.0), np.radians(rng.uniform(25.0, 42.0)))).stand(4.0)
    else:
        stride_s = rng.uniform(0.95, 1.25)
        teller.walk(Gait(1.3 / stride_s, stride_s, rng.uniform(0.85, 1.1)), int(rng.integers(8, 2 * habits.strides)))
    teller.stand(rng.uniform(1.0, 6.0)).sit_down()


def fitted(teller: Teller, duration_s: float) -> Recorded:
    """Sit until the story is as long as asked, and cut what is longer."""
    teller.sit(max(1.0, duration_s - teller.duration_s + 10.0))
    told = teller.record()
    return Recorded(
        tuple(b.between(0, round(duration_s * (b.rate_hz or 1.0))) for b in told.blocks),
        tuple(e for e in told.truth if e.end_s < duration_s),
        tuple(replace(s, end_s=min(s.end_s, duration_s)) for s in told.spans if s.start_s < duration_s),
    )
