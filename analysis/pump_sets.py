"""How likely it is that small tilts of a leg are a set of ankle pumps, by five things that can be said of them.

None of them is how large the tilt is: nobody has published that, and it differs from leg to leg. A logistic model of
second order, so that a tilt without lift is believed where it repeats well, and one that repeats badly where it is
straight. Its weights are trained on simulated people by `python -m tests.train_pumps`.
"""

from __future__ import annotations

import numpy as np

from analysis.pumping import Tilts
from analysis.rules import Rules
from analysis.samples import FloatArray

FEATURES = ("likeness", "straight", "rough", "lift", "period")
FARTHEST = 3.0
"""Spreads from the middle; beyond that the parabolas of the model are not to be trusted."""


def features(seen: Tilts) -> FloatArray:
    """What is said of the tilts in f frames, (f, 5), on scales on which they spread evenly."""
    best = seen.best
    row = np.arange(best.size)
    return np.stack(
        [
            seen.likeness[row, best],
            -np.log(1.0 - np.minimum(seen.straight, 0.9999)),
            np.log(seen.rough_mps2 + 1e-6),
            np.log(seen.lift_m + 0.01),
            np.log(seen.period_s[row, best]),
        ],
        axis=1,
    )


def terms(said: FloatArray, middle: FloatArray, spread: FloatArray) -> FloatArray:
    """One, the features and their products (f, 21), in the order of the weights."""
    z = np.clip((said - middle) / spread, -FARTHEST, FARTHEST)
    first, second = np.triu_indices(z.shape[1])
    return np.concatenate([np.ones((z.shape[0], 1)), z, z[:, first] * z[:, second]], axis=1)


def log_odds(seen: Tilts, r: Rules) -> FloatArray:
    """Natural logarithm of the odds (f,) that a frame shows a set."""
    asked = terms(features(seen), np.array(r.pump_middle), np.array(r.pump_spread))
    return np.asarray((asked * np.array(r.pump_weights)).sum(axis=1))
