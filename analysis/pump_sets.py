"""How likely it is that small tilts of a leg are a set of ankle pumps, by what can be said of them.

Nothing of that is how large the tilt is: nobody has published that, and it differs from leg to leg. Two logistic
models of second order, one for sensors with a gyroscope, one for those without, so that a tilt without lift is believed
where it repeats well, and one that repeats badly where the gyroscope agrees. Their weights are trained on simulated
people by `python -m tests.train_pumps`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from analysis.pump_tilts import BINS_HZ, Tilts
from analysis.pump_turns import Turns
from analysis.rules import Logistic, Rules
from analysis.samples import FloatArray

TILT_FEATURES = ("likeness", "straight", "rough", "lift", "period")
TURN_FEATURES = ("agreement", "turn_straight", "turn_likeness", "turn_per_tilt")
FARTHEST = 3.0
"""Spreads from the middle; beyond that the parabolas of the model are not to be trusted."""


def tilt_features(seen: Tilts) -> FloatArray:
    """What is said of the tilts in f frames, (f, 5), on scales on which they spread evenly."""
    return np.stack(
        [
            seen.likeness[np.arange(seen.best.size), seen.best],
            _odds_of(seen.straight),
            np.log(seen.rough_mps2 + 1e-6),
            np.log(seen.lift_m + 0.01),
            np.log(seen.lag / BINS_HZ),
        ],
        axis=1,
    )


def turn_features(seen: Turns) -> FloatArray:
    """What the gyroscope says beside it, (f, 4), likewise."""
    return np.stack(
        [_odds_of(seen.agreement), _odds_of(seen.straight), seen.likeness, np.log(seen.per_tilt + 0.05)], axis=1
    )


def _odds_of(share: FloatArray) -> FloatArray:
    return np.asarray(-np.log(1.0 - np.clip(share, 0.0, 0.9999)))


def terms(said: FloatArray, middle: FloatArray, spread: FloatArray) -> FloatArray:
    """One, the features and their products (f, terms), in the order of the weights."""
    z = np.clip((said - middle) / spread, -FARTHEST, FARTHEST)
    first, second = _pairs(z.shape[1])
    return np.concatenate([np.ones((z.shape[0], 1)), z, z[:, first] * z[:, second]], axis=1)


def log_odds(seen: Tilts, turned: Turns, r: Rules) -> FloatArray:
    """Natural logarithm of the odds (f,) that a frame shows a set, were every other frame of one."""
    tilt = tilt_features(seen)
    both = np.concatenate([tilt, turn_features(turned)], axis=1)
    return np.where(turned.seen, _asked(both, r.pumps_with_turns), _asked(tilt, r.pumps_by_tilts))


def _asked(said: FloatArray, model: Logistic) -> FloatArray:
    middle, spread, weights = _arrays(model)
    return np.asarray((terms(said, middle, spread) * weights).sum(axis=1))


@lru_cache
def _pairs(features: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    first, second = np.triu_indices(features)
    return first, second


@lru_cache
def _arrays(model: Logistic) -> tuple[FloatArray, FloatArray, FloatArray]:
    return np.array(model.middle), np.array(model.spread), np.array(model.weights)
