"""Smooth and integrate courses of a frame. Each sample looks at fixed others, so any cutting gives the same."""

from __future__ import annotations

import numpy as np

from analysis.frames import BEFORE, CENTRE, FRAME
from analysis.grid import GRID_HZ
from analysis.samples import FloatArray


def _weight() -> FloatArray:
    """Weight of each sample in what a frame says about its centre: a raised cosine of 10 s."""
    distance = np.abs(np.arange(FRAME) + 0.5 - (BEFORE + CENTRE / 2)) / GRID_HZ
    return np.where(distance < 5.0, 0.5 + 0.5 * np.cos(np.pi * distance / 5.0), 0.0).astype(np.float32)


WEIGHT = _weight()
"""In single precision, as the samples of a frame are, so that what is made of the two stays so."""

ALL_WEIGHT = float(WEIGHT.sum())

WEIGHTY = slice(int(np.flatnonzero(WEIGHT)[0]), int(np.flatnonzero(WEIGHT)[-1]) + 1)
"""The samples that have any."""


def moving_average(x: FloatArray, width: int) -> FloatArray:
    """Centred moving average over the last axis; the ends hold their value. Odd width in samples.

    Sums of two samples make those of four, and so on; the width is put together of them. All rows are added up as if
    they were one: what reaches into the next row lies beyond the samples that are given back.
    """
    half, n = width // 2, x.shape[-1]
    held = np.empty((*x.shape[:-1], n + width - 1), dtype=x.dtype)
    held[..., half : half + n] = x
    held[..., :half] = x[..., :1]
    held[..., half + n :] = x[..., -1:]
    total = held.copy()
    sums, spare, totals = held.reshape(-1), np.empty(held.size, dtype=x.dtype), total.reshape(-1)
    done = span = 1
    there = sums.size
    while done < width:
        there -= span
        np.add(sums[:there], sums[span : span + there], out=spare[:there])
        sums, spare = spare, sums
        span *= 2
        if width & span:
            totals[: there - done] += sums[done:there]
            done += span
    return np.multiply(total[..., :n], 1.0 / width, dtype=x.dtype)


def off_average(x: FloatArray, width: int) -> FloatArray:
    """What the moving average over that width leaves."""
    average = moving_average(x, width)
    return np.subtract(x, average, out=average)


def integral(x: FloatArray) -> FloatArray:
    """Running integral over the last axis, in seconds."""
    total = np.cumsum(x, axis=-1)
    total *= 1.0 / GRID_HZ
    return total


def correlation(a: FloatArray, b: FloatArray) -> FloatArray:
    """Of each row of (n, w) with its like, neither mean taken off, (n,)."""
    norm = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    return (a * b).sum(axis=1) / np.maximum(norm, 1e-12)
