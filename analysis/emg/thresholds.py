"""Adaptive double threshold: how far a channel stands above its own floor, cell by cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from analysis.emg.channel import Windows
from analysis.emg.contact import USABLE_CODES
from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.emg.windows import Shape, smoothed, trailing_least
from analysis.samples import FloatArray

BEFORE, AFTER = 14, 2
"""The floor of a window looks so many windows back and ahead."""

SMOOTH_S = 0.1
_SMOOTH_SAMPLES = 16


@dataclass(frozen=True, slots=True)
class DoubleThreshold:
    """Ratios to the floor: a burst begins and ends at `off`, and must rise above `on` in between."""

    on: float
    off: float
    width: int

    @staticmethod
    def at(shape: Shape, rules: EmgRules = EMG_RULES, channels: int = 1) -> DoubleThreshold:
        """Thresholds for a rate. Few samples scatter: a slow channel is averaged longer and must rise higher.

        The greatest of several channels of noise is greater than one: it must rise higher by `per_doubling`.
        """
        higher = 1.0 + rules.per_doubling * math.log2(max(channels, 1))
        least = -(-_SMOOTH_SAMPLES // shape.cell)
        width = shape.cells_in(SMOOTH_S, least) | 1
        if shape.rate_hz < rules.raw_rate_hz:
            return DoubleThreshold(rules.burst_on_slow * higher, rules.burst_off_slow, width)
        return DoubleThreshold(rules.burst_on * higher, rules.burst_off, width)


def floor(windows: Windows) -> FloatArray:
    """Floor of each window (w,), as an amplitude of the energy; 0 where no usable window is near."""
    usable = USABLE_CODES[windows.contact] & ((windows.quiet > 0.0) | (windows.step > 0.0))
    quiet = np.where(usable, np.maximum(windows.quiet, (0.4 * windows.step) ** 2), np.inf)
    least = trailing_least(quiet, BEFORE, AFTER)
    return np.where(np.isfinite(least), np.sqrt(np.where(np.isfinite(least), least, 0.0)), 0.0)


def ratios(windows: Windows, first: int, last: int, width: int) -> FloatArray:
    """Smoothed amplitude over the floor in windows first to last (excluded), (n * c,); 0 where unusable.

    Looks half a smoothing width into the windows beside; at the ends of what is given the edge is held.
    """
    cells = windows.energy.shape[1]
    half = width // 2
    flat = windows.energy.ravel()
    low, high = first * cells - half, last * cells + half
    held = np.pad(flat[max(0, low) : high], (max(0, -low), max(0, high - flat.size)), mode="edge")
    amplitude = np.sqrt(smoothed(held, width)).reshape(-1, cells)
    level = floor(windows)[first:last]
    good = USABLE_CODES[windows.contact[first:last]] & (level > 0.0)
    out = amplitude / np.where(good, level, 1.0)[:, None]
    out[~good] = 0.0
    return out.ravel()
