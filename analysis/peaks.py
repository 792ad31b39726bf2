"""Peaks of courses in a frame's centre, and what lies around them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from analysis.frames import BEFORE, CENTRE, BoolArray
from analysis.grid import GRID_HZ
from analysis.samples import FloatArray

IntArray = npt.NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)

REACH = 4 * GRID_HZ
"""How far a candidate looks before and after its peak (samples)."""

BORDER = 4
"""How far a frame looks for peaks beyond its centre (samples)."""


def centre_peaks(x: FloatArray) -> tuple[IntArray, IntArray]:
    """Local maxima of (f, FRAME) in or just beside the centre of their frame: frame and sample indices.

    A peak on the border of two centres may lie a few samples apart in the two frames; both look a little
    beyond their border, and the classifier drops the second sight.
    """
    first, last = BEFORE - BORDER, BEFORE + CENTRE + BORDER
    up = x[:, first:last] > x[:, first - 1 : last - 1]
    frame, sample = np.nonzero(up & (x[:, first:last] >= x[:, first + 1 : last + 1]))
    return frame, sample + first


def around(x: npt.NDArray[Scalar], frame: IntArray, sample: IntArray, before: int, after: int) -> npt.NDArray[Scalar]:
    """x[frame, sample - before : sample + after + 1] of x (f, FRAME) for each place, (n, before + after + 1)."""
    x, width = np.ascontiguousarray(x), before + after + 1
    row, step = x.strides
    shape, strides = (x.shape[0], x.shape[1] - width + 1, width), (row, step, step)
    windows: npt.NDArray[Scalar] = np.ndarray(shape, x.dtype, x.data, strides=strides)  # a view of every window
    return windows[frame, sample - before]


def first_of(here: BoolArray, else_: int) -> IntArray:
    """The first sample (n,) of each row (n, w) where it is so; `else_` where it is so nowhere."""
    first = here.argmax(axis=1)
    return np.where(here[np.arange(first.size), first], first, else_)


def crossing(away: FloatArray, level: FloatArray) -> FloatArray:
    """Distance (n,) at which the course first falls to its level, straight-line interpolated."""
    at = np.maximum(first_of(away <= level[:, None], away.shape[1] - 1), 1)
    rows = np.arange(at.size)
    high, low = away[rows, at - 1], away[rows, at]
    return at - 1 + np.clip((high - level) / np.where(high > low, high - low, 1.0), 0.0, 1.0)


def between(width: int, first: FloatArray, last: FloatArray) -> BoolArray:
    """Which columns of (n, width) lie from the first to the last of each row, (n,) each, both included."""
    columns = np.arange(width)[None, :]
    return (columns >= first[:, None]) & (columns <= last[:, None])
