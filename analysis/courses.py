"""Smooth and integrate courses of a frame. Each sample looks at fixed others, so any cutting gives the same."""

from __future__ import annotations

import numpy as np

from analysis.frames import BEFORE, CENTRE, FRAME
from analysis.grid import GRID_HZ
from analysis.samples import FloatArray


def _weight() -> FloatArray:
    """Weight of each sample in what a frame says about its centre: a raised cosine of 10 s."""
    distance = np.abs(np.arange(FRAME) + 0.5 - (BEFORE + CENTRE / 2)) / GRID_HZ
    return np.where(distance < 5.0, 0.5 + 0.5 * np.cos(np.pi * distance / 5.0), 0.0)


WEIGHT = _weight()


def moving_average(x: FloatArray, width: int) -> FloatArray:
    """Centred moving average over the last axis; the ends hold their value. Odd width in samples."""
    half = width // 2
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(half + 1, half)], mode="edge")
    total = np.cumsum(padded, axis=-1)
    return (total[..., width:] - total[..., :-width]) / width


def integral(x: FloatArray) -> FloatArray:
    """Running integral over the last axis, in seconds."""
    return np.cumsum(x, axis=-1) / GRID_HZ
