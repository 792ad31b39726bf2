"""A story that is being told, with what its truth needs beyond the teller's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

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

    def no_contraction(self, label: str, move: Callable[[], object]) -> None:
        start_s = self.teller.duration_s
        move()
        self.label, self.span_s = label, (start_s, self.teller.duration_s)
