"""How the shank stands, whatever way the sensor is strapped on: known from walking, until the sensor is taken off."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from analysis.events import Contraction, Kind
from analysis.frames import CENTRE_S, BoolArray
from analysis.rules import Rules
from analysis.samples import FloatArray

STRIDES, STRIDES_WITHIN_S = 3, 8.0
"""So many steps in so short a time are walking, and while one walks the shank stands."""


class Standing:
    """Frames and what they found in; which way is up, in sensor axes, while the shank stands, out.

    A frame knows of the frames before it alone.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._steps_s: deque[float] = deque(maxlen=STRIDES)
        self._walked_s: list[float] = []  # walking whose next frame is still to come
        self._upright: FloatArray = np.full(3, np.nan)
        self._dead = 0  # frames in a row

    def known(self, start_s: FloatArray, up: FloatArray, dead: BoolArray, events: Sequence[Contraction]) -> FloatArray:
        """Direction of the force when the shank stands (f, 3), as known before each frame; NaN where it is not.

        Args:
            start_s: (f,) session time of each frame's centre.
            up: (f, 3) mean direction of the force in each centre.
            dead: (f,) nothing living moves there.
            events: what these frames found.
        """
        news: dict[int, FloatArray] = {}
        for k in np.flatnonzero(self._long_dead(dead)).tolist():
            news[k] = np.full(3, np.nan)  # the next one to wear it may strap it on anyhow
        self._walked_s += self._walks(events)
        rows = np.searchsorted(start_s, self._walked_s, side="right")
        for row in rows[rows < start_s.size].tolist():
            news[int(row)] = up[row]
        self._walked_s = [t for t, row in zip(self._walked_s, rows.tolist(), strict=True) if row >= start_s.size]
        known = np.empty_like(up)
        at, here = 0, self._upright
        for row in sorted(news):
            known[at:row] = here
            at, here = row, news[row]
        known[at:] = here
        self._upright = here
        return known

    def _walks(self, events: Sequence[Contraction]) -> list[float]:
        walked = []
        steps_s = self._steps_s
        for event in events:
            if event.kind is Kind.STEP:
                steps_s.append(event.peak_s)
                if len(steps_s) == STRIDES and event.peak_s - steps_s[0] < STRIDES_WITHIN_S:
                    walked.append(event.peak_s)
        return walked

    def _long_dead(self, dead: BoolArray) -> BoolArray:
        """Where the leg has been dead for so long that the sensor is not worn."""
        at = np.arange(dead.size)
        alive = np.maximum.accumulate(np.where(dead, -1 - self._dead, at))
        count = at - alive
        self._dead = int(count[-1]) if dead.size else self._dead
        return count == round(self._rules.not_worn_s / CENTRE_S)
