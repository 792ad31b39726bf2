"""Fatigue of a muscle: the median frequency of its EMG falls as it tires. Only where the rate is 500 Hz or more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.events import Contraction

LEAST = 8


@dataclass(frozen=True, slots=True)
class Fatigue:
    """Course of the median frequency over a set of contractions of one channel.

    Attributes:
        first_hz: at the first contraction, by the fitted line.
        slope_hz_per_min: change a minute, negative in a muscle that tires.
        slope_se_hz_per_min: its standard error.
        contractions: that it rests on.
    """

    first_hz: float
    slope_hz_per_min: float
    slope_se_hz_per_min: float
    contractions: int

    @property
    def is_tiring(self) -> bool:
        """The fall is more than two standard errors."""
        return self.slope_hz_per_min < -2.0 * self.slope_se_hz_per_min


def fatigue(contractions: Sequence[Contraction], channel: str) -> Fatigue | None:
    """Line through the median frequencies of a channel's contractions; None below 8 that have one.

    Muscle-specific figures for the soleus were not found in the literature (FACTS, section 7), so no limit is set.
    """
    seen = [
        (event.peak_s / 60.0, float(event.attributes["median_hz"]))
        for event in contractions
        if event.attributes.get("channel") == channel and "median_hz" in event.attributes
    ]
    if len(seen) < LEAST:
        return None
    at_min, hz = np.array(seen).T
    away = at_min - at_min.mean()
    spread = float((away * away).sum())
    if spread == 0.0:
        return None
    slope = float((away * hz).sum() / spread)
    rest = hz - hz.mean() - slope * away
    error = float(np.sqrt((rest * rest).sum() / (len(seen) - 2) / spread))
    return Fatigue(float(hz.mean() + slope * away[0]), slope, error, len(seen))
