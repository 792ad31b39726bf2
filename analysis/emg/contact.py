"""How well each electrode sits: lift-off, clipping, hum, flat; window by window."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.samples import FloatArray


class Contact(StrEnum):
    """Contact of one channel in one window, best first. `HUM` and `CLIPPED` can still be counted with.

    `TOO_SLOW` is no fault of the electrode: raw EMG of fewer than 200 samples a second.
    """

    GOOD = "good"
    HUM = "hum"
    CLIPPED = "clipped"
    RUINED = "ruined"
    LIFTED = "lifted"
    FLAT = "flat"
    TOO_SLOW = "too_slow"


IntArray = npt.NDArray[np.int64]

USABLE = frozenset({Contact.GOOD, Contact.HUM, Contact.CLIPPED})
CODES = tuple(Contact)
"""Contacts are kept as their place in this tuple."""

USABLE_CODES = np.array([contact in USABLE for contact in CODES])


def hum_share(line: FloatArray, band: FloatArray) -> FloatArray:
    """Mains lines against the rest of the band (rms), from their power and the band's (w,)."""
    return np.sqrt(line / np.maximum(np.maximum(band - line, 1e-12 * band), 1e-300))


def hum_codes(share: FloatArray, loud: npt.NDArray[np.bool_], rules: EmgRules = EMG_RULES) -> IntArray:
    """Contact by hum.

    Args:
        share: (w,) of `hum_share`.
        loud: (w,) the lines are louder than the wearer's own maximum explains.
        rules: thresholds.

    Returns:
        (w,) codes of GOOD, HUM or LIFTED: an electrode in the air is an antenna, it gives hum and little else.
    """
    heard = share > rules.hum_share
    lifted = (share > rules.lifted_share) | (heard & loud)
    code = np.where(heard, CODES.index(Contact.HUM), CODES.index(Contact.GOOD))
    return np.where(lifted, CODES.index(Contact.LIFTED), code)


def hum_change(line: FloatArray, rules: EmgRules = EMG_RULES) -> FloatArray:
    """Power of mains lines (w,) where it came or went from one window to the next, else 0.

    A lamp, a hand or a lifting electrode switches hum on and off; the notch needs some tenths of a second for it.
    """
    before, after = np.concatenate([line[:1], line[:-1]]), np.concatenate([line[1:], line[-1:]])
    most = np.maximum(np.maximum(before, line), after)
    least = np.minimum(np.minimum(before, line), after)
    return np.where(most > rules.hum_jump * least, most, 0.0)


def clipping_codes(samples: FloatArray, rules: EmgRules = EMG_RULES) -> tuple[IntArray, FloatArray]:
    """Contact of windows (w, n) by their extremes, and how coarse the converter is.

    A clipped window lies on one value at its top or bottom for many samples, and that value is many converter
    steps from the middle: a coarse converter at rest repeats its extremes as well.

    Returns:
        (w,) codes of GOOD, CLIPPED, RUINED or FLAT; (w,) converter step, 0 where it is too fine to matter.
    """
    high, low = samples.max(axis=1), samples.min(axis=1)
    n, few = samples.shape[1], samples[:, ::4]
    at_either = (few == high[:, None]).sum(axis=1) + (few == low[:, None]).sum(axis=1)
    code, step = np.full(samples.shape[0], CODES.index(Contact.GOOD)), np.zeros(samples.shape[0])
    for k in np.flatnonzero(at_either >= 2).tolist():
        at_high, at_low = int((samples[k] == high[k]).sum()), int((samples[k] == low[k]).sum())
        if max(at_high, at_low) <= max(3.0, rules.clipped_share * n):
            continue
        if high[k] == low[k] or _longest_run(samples[k]) > n // 2:
            code[k] = CODES.index(Contact.FLAT)
            continue
        step[k] = _least_step(samples[k])
        if (high[k] - low[k]) / step[k] > rules.steps_of_clipping:
            ruined = at_high + at_low > rules.ruined_share * n
            code[k] = CODES.index(Contact.RUINED if ruined else Contact.CLIPPED)
    return code, step


def _longest_run(samples: FloatArray) -> int:
    """Samples in the longest run of one value."""
    changes = np.flatnonzero(samples[1:] != samples[:-1])
    return int(np.diff(np.concatenate([[-1], changes, [samples.size - 1]])).max())


def _least_step(samples: FloatArray) -> float:
    steps = np.abs(np.diff(samples))
    return float(steps[steps > 0.0].min())
