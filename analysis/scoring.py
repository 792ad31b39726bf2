"""Score found events against true ones: one-to-one matching, tallies, bootstrap intervals, calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

TOLERANCE_S = 0.3
"""A found peak this near to a true one is right; half of a hold at the top comes on top."""

RESAMPLES = 1000
LEVEL = 0.95
BINS = 10
FEW_IN_BIN = 100
"""A bin with fewer events says little: its error does not enter the worst bin's."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one recording has of one kind.

    Attributes:
        true, found, matched: events; matched never exceeds either.
        duration_s: time in which every found event was judged.
        count_true, count_found: for the count error; None where the true count is not known.
        errors_s: found minus true peak of each match.
    """

    true: int = 0
    found: int = 0
    matched: int = 0
    duration_s: float = 0.0
    count_true: int | None = None
    count_found: int | None = None
    errors_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """An estimate with its bootstrap interval; None where it has no meaning (nothing true, nothing found)."""

    value: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Figures over several recordings.

    Attributes:
        recordings: how many.
        hours: judged time.
        true, found, matched: events.
        precision, recall, f1: shares; no F1 where nothing was true.
        count_error: mean over recordings of |found - true| / true count.
        count_bias: (found - true) / true of all counts together.
        false_per_hour: found events that are not matched.
        timing_error_s: median distance of matched peaks.
        timing_bias_s: median of found minus true.
    """

    recordings: int
    hours: float
    true: int
    found: int
    matched: int
    precision: Figure
    recall: Figure
    f1: Figure
    count_error: Figure
    count_bias: float | None
    false_per_hour: Figure
    timing_error_s: float | None
    timing_bias_s: float | None


@dataclass(frozen=True, slots=True)
class Bin:
    """Found events whose confidence lies from low to high."""

    low: float
    high: float
    events: int
    mean_confidence: float | None
    share_right: float | None

    @property
    def error(self) -> float | None:
        """Distance of the share that is right from the mean confidence."""
        if self.mean_confidence is None or self.share_right is None:
            return None
        return abs(self.share_right - self.mean_confidence)


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well confidence tells the share that is right.

    Attributes:
        bins: ten equal ones from 0 to 1.
        worst_error: of the bins with at least `FEW_IN_BIN` events; None where there is none.
    """

    bins: tuple[Bin, ...] = field(default_factory=tuple)

    @property
    def worst_error(self) -> float | None:
        """Greatest error of a bin that has events enough to say so."""
        return max((b.error for b in self.bins if b.events >= FEW_IN_BIN and b.error is not None), default=None)


def match(true_s: FloatArray, found_s: FloatArray, reach_s: FloatArray) -> tuple[IntArray, IntArray]:
    """Pair true and found peaks one to one.

    Of all pairings within reach that keep the order of time, the one with most pairs, and of these the one with
    the smallest sum of distances (a pairing that crosses is never needed where all reaches are alike).

    Args:
        true_s: (n,) peaks in order of time.
        found_s: (m,) likewise.
        reach_s: (n,) how far from each true peak a found one may lie.

    Returns:
        Indices of the paired true and found peaks, each in order.
    """
    if (np.diff(true_s) < 0.0).any() or (np.diff(found_s) < 0.0).any():
        raise ValueError("peaks must be in order of time")
    pairs: list[tuple[int, int]] = []
    for trues, founds in _clusters(true_s, found_s, reach_s):
        pairs += _best_pairs(true_s, found_s, reach_s, trues, founds)
    made = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return made[:, 0], made[:, 1]


def _clusters(true_s: FloatArray, found_s: FloatArray, reach_s: FloatArray) -> list[tuple[range, range]]:
    """Runs of true peaks that compete for found peaks; what happens in one does not matter to another."""
    first = np.searchsorted(found_s, true_s - reach_s - 1e-9, side="left")
    last = np.searchsorted(found_s, true_s + reach_s + 1e-9, side="right")
    clusters: list[tuple[range, range]] = []
    for i, (low, high) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if low >= high:
            continue
        trues, founds = range(i, i + 1), range(low, high)
        while clusters and clusters[-1][1].stop > founds.start:
            before = clusters.pop()
            trues = range(before[0].start, trues.stop)
            founds = range(min(before[1].start, founds.start), max(before[1].stop, founds.stop))
        clusters.append((trues, founds))
    return clusters


def _best_pairs(
    true_s: FloatArray, found_s: FloatArray, reach_s: FloatArray, trues: range, founds: range
) -> list[tuple[int, int]]:
    """Most pairs, then least distance, by dynamic programming over the two ordered lists."""
    worth = np.zeros((len(trues) + 1, len(founds) + 1, 2))  # pairs, minus their distance
    for a, i in enumerate(trues, 1):
        for b, j in enumerate(founds, 1):
            options = [tuple(worth[a - 1, b]), tuple(worth[a, b - 1])]
            distance = abs(float(true_s[i] - found_s[j]))
            if distance <= reach_s[i] + 1e-9:
                options.append((worth[a - 1, b - 1, 0] + 1.0, worth[a - 1, b - 1, 1] - distance))
            worth[a, b] = max(options)
    return _traced(worth, trues, founds)


def _traced(worth: FloatArray, trues: range, founds: range) -> list[tuple[int, int]]:
    pairs = []
    a, b = len(trues), len(founds)
    while a and b:
        if tuple(worth[a, b]) == tuple(worth[a - 1, b]):
            a -= 1
        elif tuple(worth[a, b]) == tuple(worth[a, b - 1]):
            b -= 1
        else:
            a, b = a - 1, b - 1
            pairs.append((trues[a], founds[b]))
    return pairs


def forgiven(found_s: FloatArray, ignored_s: FloatArray, reach_s: FloatArray, spans_s: FloatArray) -> BoolArray:
    """Which found peaks do not matter: near an event that is don't-care, or within a don't-care stretch.

    Args:
        found_s: (m,) peaks in order of time that match nothing true.
        ignored_s: (n,) peaks of don't-care events, in order; each forgives one found peak.
        reach_s: (n,) how far each reaches.
        spans_s: (k, 2) stretches from start to end.
    """
    out = within(found_s, spans_s)
    _, paired = match(ignored_s, found_s, reach_s)
    out[paired] = True
    return out


def within(t_s: FloatArray, spans_s: FloatArray) -> BoolArray:
    """Which instants (n,) lie in any of the spans (k, 2)."""
    inside = (t_s[:, None] >= spans_s[None, :, 0]) & (t_s[:, None] <= spans_s[None, :, 1])
    return np.asarray(inside.any(axis=1))


def resampling(recordings: int, seed: int, resamples: int = RESAMPLES) -> FloatArray:
    """How often each recording is drawn in each resample, (resamples, recordings)."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(recordings, np.full(recordings, 1.0 / recordings), resamples).astype(np.float64)


def ratio(numerator: FloatArray, denominator: FloatArray, drawn: FloatArray) -> Figure:
    """Sum of one over sum of the other, with the interval that resampled recordings give.

    Resamples without a denominator say nothing and are left out. The interval always holds the estimate.

    Args:
        numerator: (recordings,).
        denominator: (recordings,).
        drawn: (resamples, recordings) from `resampling`.
    """
    total = float(denominator.sum())
    if total <= 0.0:
        return Figure(None)
    value = float(numerator.sum()) / total
    below = drawn @ denominator
    shares = (drawn @ numerator)[below > 0.0] / below[below > 0.0]
    low, high = np.quantile(shares, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]) if shares.size else (value, value)
    return Figure(value, min(float(low), value), max(float(high), value))


def rate(events: FloatArray, hours: FloatArray, drawn: FloatArray) -> Figure:
    """Events per hour. Where none was seen at all the interval ends at three in that time, not at none.

    Source: the rule of three, Hanley & Lippman-Hand 1983, doi 10.1001/jama.1983.03330370053031.
    """
    made = ratio(events, hours, drawn)
    return Figure(0.0, 0.0, 3.0 / float(hours.sum())) if made.value == 0.0 else made


def score(tallies: Sequence[Tally], seed: int = 0) -> Score:
    """Figures over recordings, each with its interval; the same seed gives the same interval."""
    if not tallies:
        raise ValueError("a score needs a recording")
    true, found, matched = (
        np.array([getattr(t, name) for t in tallies], dtype=np.float64) for name in ("true", "found", "matched")
    )
    hours = np.array([t.duration_s for t in tallies]) / 3600.0
    drawn = resampling(len(tallies), seed)
    errors = np.array([e for t in tallies for e in t.errors_s])
    count_error, count_bias = _count_errors(tallies, drawn)
    return Score(
        recordings=len(tallies),
        hours=float(hours.sum()),
        true=int(true.sum()),
        found=int(found.sum()),
        matched=int(matched.sum()),
        precision=ratio(matched, found, drawn),
        recall=ratio(matched, true, drawn),
        f1=ratio(2.0 * matched, true + found, drawn) if true.any() else Figure(None),
        count_error=count_error,
        count_bias=count_bias,
        false_per_hour=rate(found - matched, hours, drawn),
        timing_error_s=float(np.median(np.abs(errors))) if errors.size else None,
        timing_bias_s=float(np.median(errors)) if errors.size else None,
    )


def _count_errors(tallies: Sequence[Tally], drawn: FloatArray) -> tuple[Figure, float | None]:
    """Mean relative error of the counts, and the error of all counts together."""
    true = np.array([t.count_true or 0 for t in tallies], dtype=np.float64)
    found = np.array([t.count_found or 0 for t in tallies], dtype=np.float64)
    known = true > 0.0
    relative = np.where(known, np.abs(found - true) / np.maximum(true, 1.0), 0.0)
    bias = float((found - true)[known].sum() / true.sum()) if known.any() else None
    return ratio(relative, known.astype(np.float64), drawn), bias


def calibration(confidence: FloatArray, right: BoolArray, bins: int = BINS) -> Calibration:
    """Equal bins of confidence from 0 to 1; 1 itself belongs to the last."""
    at = np.minimum((confidence * bins + 1e-9).astype(np.int64), bins - 1)
    return Calibration(tuple(_bin(k, bins, confidence[at == k], right[at == k]) for k in range(bins)))


def _bin(k: int, bins: int, confidence: FloatArray, right: BoolArray) -> Bin:
    some = confidence.size > 0
    return Bin(
        k / bins,
        (k + 1) / bins,
        int(confidence.size),
        float(confidence.mean()) if some else None,
        float(right.mean()) if some else None,
    )
