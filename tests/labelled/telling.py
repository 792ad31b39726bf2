"""What a story that is told knows beyond the teller's own truth, and what several sets tell alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from analysis.leg.movements import Raises
from analysis.leg.story import Teller


@dataclass(slots=True)
class Telling:
    """A story that is being told, with what it knows beyond the teller's own truth.

    Attributes:
        teller: builds the movements.
        rng: draws the parameters.
        hold_s: of the raises told last.
        label: of the stretch that holds no contraction; empty where there is none.
        span_s: that stretch, without the turns between poses.
    """

    teller: Teller
    rng: Generator
    hold_s: float = 0.0
    label: str = ""
    span_s: tuple[float, float] = (0.0, 0.0)

    def drawn(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def degrees(self, low: float, high: float) -> float:
        return float(np.radians(self.rng.uniform(low, high)))

    def count(self, low: int, high: int) -> int:
        """Both included."""
        return int(self.rng.integers(low, high + 1))

    def no_contraction(self, label: str, move: Callable[[], object]) -> None:
        start_s = self.teller.duration_s
        move()
        self.label, self.span_s = label, (start_s, self.teller.duration_s)


def raises_held(told: Telling, count: int, rate_per_min: float, rotation_rad: float, hold_share: float) -> Raises:
    """Raises of which a given share of the period is held at the top, the rest shared as usual."""
    moving = (1.0 - hold_share) / 0.94  # the usual raise holds 0.06 of its period
    told.hold_s = hold_share * 60.0 / rate_per_min
    return Raises(
        count, rate_per_min, rotation_rad,
        rise_share=0.38 * moving, hold_share=hold_share, fall_share=0.32 * moving,
    )  # fmt: skip


def usual_pushups(told: Telling, count: int = 12) -> Raises:
    return raises_held(told, count, told.drawn(20.0, 80.0), told.degrees(15.0, 45.0), 0.06)


def then_pushups(told: Telling) -> None:
    """Six usual push-ups, so that false alarms stand beside a recall."""
    told.teller.sit(20.0).pushups(usual_pushups(told, 6)).sit(15.0)
