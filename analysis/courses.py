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

FEW = 13
"""Up to this width it is quicker to add shifted copies than to difference a running sum."""


def moving_average(x: FloatArray, width: int) -> FloatArray:
    """Centred moving average over the last axis; the ends hold their value. Odd width in samples."""
    half, n = width // 2, x.shape[-1]
    held = np.empty((*x.shape[:-1], n + width))
    held[..., half + 1 : half + 1 + n] = x
    held[..., : half + 1] = x[..., :1]
    held[..., half + 1 + n :] = x[..., -1:]
    if width > FEW:
        np.cumsum(held, axis=-1, out=held)
        total = held[..., width:] - held[..., :-width]
    else:
        total = held[..., 1 : 1 + n].copy()
        for k in range(2, width + 1):
            total += held[..., k : k + n]
    total /= width
    return total


def integral(x: FloatArray) -> FloatArray:
    """Running integral over the last axis, in seconds."""
    return np.cumsum(x, axis=-1) / GRID_HZ
