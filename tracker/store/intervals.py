"""Stretches of time as sorted, disjoint, half-open pairs of integers (microseconds), and their algebra."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

Interval = tuple[int, int]
"""Start (included) and end (excluded), start < end."""


def union(pieces: Iterable[Interval]) -> list[Interval]:
    """Any pieces, overlapping or touching, as sorted disjoint intervals."""
    merged: list[Interval] = []
    for start, end in sorted(pieces):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def clip(pieces: Iterable[Interval], low: int, high: int) -> list[Interval]:
    """The parts of the pieces within low..high."""
    cut = ((max(start, low), min(end, high)) for start, end in pieces)
    return [(start, end) for start, end in cut if start < end]


def subtract(kept: Sequence[Interval], removed: Sequence[Interval]) -> list[Interval]:
    """What of `kept` is in none of `removed`; both sorted and disjoint."""
    if not removed:
        return list(kept)
    left: list[Interval] = []
    index = 0
    for start, end in kept:
        while index and removed[index - 1][1] > start:
            index -= 1
        while index < len(removed) and removed[index][1] <= start:
            index += 1
        at = index
        while at < len(removed) and removed[at][0] < end:
            if start < removed[at][0]:
                left.append((start, removed[at][0]))
            start = max(start, removed[at][1])
            at += 1
        if start < end:
            left.append((start, end))
    return left


def intersect(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """What is in both; both sorted and disjoint."""
    return subtract(some, subtract(some, others))


def cut_at_multiples(start: int, end: int, step: int) -> list[Interval]:
    """One interval cut at every multiple of `step` inside it."""
    edges = [start, *range((start // step + 1) * step, end, step), end]
    return list(pairwise(edges))


def length(pieces: Iterable[Interval]) -> int:
    """Total length of disjoint pieces."""
    return sum(end - start for start, end in pieces)
