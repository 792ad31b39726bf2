"""Fatigue of a muscle: the median frequency of its EMG falls as it tires. Only where the rate is 500 Hz or more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.emg.bursts import Burst

LEAST_BURSTS = 8


@dataclass(frozen=True, slots=True)
class Fatigue:
    """Course of the median frequency over a set of contractions of one channel.

    Attributes:
        first_hz: at the first contraction, by the fitted line.
        slope_hz_per_min: change a minute, negative in a muscle that tires.
        slope_se_hz_per_min: its standard error.
        bursts: contractions it rests on.
    """

    first_hz: float
    slope_hz_per_min: float
    slope_se_hz_per_min: float
    bursts: int

    @property
    def is_tiring(self) -> bool:
        """The fall is more than two standard errors."""
        return self.slope_hz_per_min < -2.0 * self.slope_se_hz_per_min


def fatigue(bursts: Sequence[Burst], channel: str) -> Fatigue | None:
    """Line through the median frequencies of a channel's accepted bursts; None below 8 of them.

    Muscle-specific figures for the soleus were not found in the literature (FACTS, section 7), so no limit is set.
    """
    seen = [
        (burst.peak_s / 60.0, burst.median_hz)
        for burst in bursts
        if burst.channel == channel and burst.median_hz is not None and not burst.refused
    ]
    if len(seen) < LEAST_BURSTS:
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
