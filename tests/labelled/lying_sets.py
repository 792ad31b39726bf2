"""Sets of people who lie with the leg up: ankle pumps, and what moves such a leg otherwise.

Half of them walk to bed, so that the way the shank stands is known; the others lie from the start. The `-wide` set
draws from wider ranges than those that rules were tuned on; it is for judging.
"""

from __future__ import annotations

from collections.abc import Callable

from analysis.leg.gait import Gait
from analysis.leg.lying import Pumps, Rest, leg_slides, recoil, restless, turns_over
from tests.labelled.telling import Telling, then_pushups


def pumps_usual(told: Telling) -> None:
    """12 to 50 a minute, with or without dorsiflexion, even."""
    _pumped(told, Rest.anyhow(told.rng), _pumps(told, told.drawn(12.0, 50.0)))


def pumps_wide(told: Telling) -> None:
    """8 to 70 a minute, held for up to 40 % of the period, with pauses, uneven."""
    pumps = Pumps(
        told.count(6, 20),
        told.drawn(8.0, 70.0),
        dorsi_share=told.drawn(0.0, 0.8),
        hold_share=told.drawn(0.02, 0.4),
        pause_share=told.drawn(0.0, 0.35),
        irregularity=told.drawn(0.03, 0.2),
    )
    _pumped(told, Rest.anyhow(told.rng, wide=True), pumps)


def lying(told: Telling) -> None:
    """Ten minutes of lying still."""
    rest = _to_bed(told)
    told.no_contraction("lying_still", lambda: told.teller.lie(600.0, rest))
    then_pushups(told)


def turning_over(told: Telling) -> None:
    """Turning over in bed six times."""
    rest = _to_bed(told)
    told.no_contraction(
        "turning_over",
        lambda: told.teller.do(lambda _b, hz, rng, _p: turns_over(hz, 6, rng, rest)),
    )
    then_pushups(told)


def sliding(told: Telling) -> None:
    """Heel slides, small and large, for some two minutes."""
    rest = _to_bed(told)
    told.no_contraction(
        "leg_slides", lambda: told.teller.do(lambda body, hz, rng, _p: leg_slides(body, hz, 20, rng, rest))
    )
    then_pushups(told)


def recoiling(told: Telling) -> None:
    """Two minutes in which the other leg exercises."""
    rest = _to_bed(told)
    told.no_contraction("other_leg", lambda: told.teller.do(lambda _b, hz, rng, _p: recoil(hz, 120.0, rng, rest)))
    then_pushups(told)


def unquiet(told: Telling) -> None:
    """Two minutes of a leg that is never quite still, in no rhythm."""
    rest = _to_bed(told)
    told.no_contraction("restless", lambda: told.teller.do(lambda _b, hz, rng, _p: restless(hz, 120.0, rng, rest)))
    then_pushups(told)


def _to_bed(told: Telling) -> Rest:
    rest = Rest.anyhow(told.rng)
    if told.rng.integers(2):
        told.teller.stand(4.0).walk(Gait(told.drawn(0.8, 1.3), told.drawn(1.0, 1.2)), told.count(6, 12)).sit(4.0)
    told.teller.lie(20.0, rest)
    return rest


def _pumped(told: Telling, rest: Rest, pumps: Pumps) -> None:
    if told.rng.integers(2):
        told.teller.stand(4.0).walk(Gait(told.drawn(0.8, 1.3), told.drawn(1.0, 1.2)), told.count(6, 12)).sit(4.0)
    told.hold_s = pumps.hold_share * 60.0 / pumps.rate_per_min
    told.teller.lie(20.0, rest).pump(rest, pumps).lie(20.0, rest)


def _pumps(told: Telling, rate_per_min: float) -> Pumps:
    return Pumps(12, rate_per_min, dorsi_share=told.drawn(0.0, 0.6), pause_share=told.drawn(0.0, 0.2))


SETS: dict[str, Callable[[Telling], None]] = {
    "pumps-usual": pumps_usual,
    "pumps-wide": pumps_wide,
    "lying": lying,
    "turning-over": turning_over,
    "leg-slides": sliding,
    "other-leg": recoiling,
    "restless": unquiet,
}
