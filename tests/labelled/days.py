"""Mixed stretches of life, and links that lose what was measured."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from analysis.leg import other_movements as other
from analysis.leg.gait import Gait
from analysis.leg.other_gaits import Stairs
from analysis.leg.story import Recorded
from analysis.samples import SampleBlock
from tests.labelled.telling import Telling, raises_held, usual_pushups

Lost = list[tuple[float, float]]


def bad_link(told: Telling) -> None:
    """Push-ups, a walk and standing raises over a link that loses bursts of packets and now and then goes down."""
    teller = told.teller
    teller.sit(15.0).pushups(usual_pushups(told, 25)).sit(20.0).stand_up().stand(5.0)
    teller.walk(Gait(told.drawn(0.8, 1.5), told.drawn(0.95, 1.25)), 30).stand(6.0)
    teller.raises(raises_held(told, 15, told.drawn(25.0, 60.0), told.degrees(20.0, 45.0), 0.06)).stand(10.0)


def lost_of(duration_s: float, rng: Generator) -> Lost:
    """What a bad link loses: a burst of 0.1 to 1.5 s every 8 s on average, and every minute 3 to 12 s of silence.

    Bursts are of whole packets of 0.1 s; while the link is down the sensor's samples are gone.
    """
    lost: Lost = []
    for every_s, least_s, most_s in ((8.0, 0.1, 1.5), (60.0, 3.0, 12.0)):
        at_s = float(rng.exponential(every_s))
        while at_s < duration_s:
            length_s = round(float(np.exp(rng.uniform(np.log(least_s), np.log(most_s)))), 1)
            lost.append((round(at_s, 1), round(at_s, 1) + length_s))
            at_s += length_s + float(rng.exponential(every_s))
    return sorted(lost)


def received(story: Recorded, lost: Lost) -> Recorded:
    """The story without the samples that were lost."""
    return Recorded(tuple(_without(block, lost) for block in story.blocks), story.truth, story.spans)


def _without(block: SampleBlock, lost: Lost) -> SampleBlock:
    kept = np.ones(len(block), dtype=bool)
    for start_s, end_s in lost:
        kept &= (block.t_s < start_s) | (block.t_s >= end_s)
    return SampleBlock(block.modality, block.t_s[kept], block.values[kept], block.channels, block.rate_hz)


def office_day(told: Telling) -> None:
    """A day at a desk in a quarter of an hour: everything once or twice in any order, with sitting between."""
    teller, rng = told.teller, told.rng
    plan: list[Callable[[], object]] = [
        *(lambda: teller.pushups(usual_pushups(told, 10)) for _ in range(3)),
        lambda: teller.pushups(raises_held(told, 6, told.drawn(10.0, 20.0), told.degrees(15.0, 45.0), 0.3)),
        lambda: teller.bounce(told.drawn(10.0, 40.0), told.drawn(4.0, 8.0), told.degrees(3.0, 12.0)),
        lambda: teller.bounce(told.drawn(10.0, 40.0), told.drawn(2.3, 4.0), told.degrees(3.0, 12.0)),
        lambda: teller.do(lambda b, hz, r, p: other.swings(b, hz, 20.0, r, p)),
        lambda: teller.do(lambda b, hz, r, p: other.crossing(b, hz, r, p)),
        lambda: teller.do(lambda b, hz, r, p: other.chair(b, hz, 20.0, r, p)),
        lambda: teller.do(lambda _, hz, r, p: other.toe_taps(hz, 15.0, r, p)),
        lambda: teller.do(lambda b, hz, r, p: other.kicks(b, hz, 2, r, p)),
        lambda: _errand(told, lambda: teller.walk(_gait(told), int(rng.integers(15, 50)))),
        lambda: _errand(told, lambda: teller.stand(told.drawn(20.0, 60.0))),
        lambda: _errand(
            told, lambda: teller.raises(raises_held(told, 10, told.drawn(20.0, 60.0), told.degrees(20.0, 45.0), 0.06))
        ),
        lambda: _errand(told, lambda: _to_and_fro(told)),
        lambda: teller.travel(told.drawn(0.3, 1.2), lambda t: t.sit(40.0).pushups(usual_pushups(told, 6)).sit(20.0)),
    ]
    teller.sit(15.0)
    for place in rng.permutation(len(plan)):
        plan[place]()
        teller.sit(told.drawn(12.0, 40.0))
    told.hold_s = 0.0  # sets of different holds: none is forgiven for its own


def _gait(told: Telling) -> Gait:
    return Gait(told.drawn(0.7, 1.5), told.drawn(0.95, 1.3), told.drawn(0.85, 1.1), told.drawn(2.0, 6.0))


def _errand(told: Telling, move: Callable[[], object]) -> None:
    """Get up, do it, and sit down again."""
    told.teller.stand_up().stand(told.drawn(2.0, 5.0))
    move()
    told.teller.stand(told.drawn(1.5, 5.0)).sit_down()


def _to_and_fro(told: Telling) -> None:
    """To another floor and back."""
    stairs = Stairs(told.drawn(0.15, 0.19), 0.28, told.drawn(1.15, 1.5))
    told.teller.walk(_gait(told), 8).stand(1.5).stairs(stairs, 9, up=True).stand(1.5).walk(_gait(told), 8)
