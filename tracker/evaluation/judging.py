"""Hold what the pipeline found in one recording against its truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.events import Contraction, Kind
from analysis.gait import Gait
from analysis.samples import FloatArray
from analysis.scoring import TOLERANCE_S, BoolArray, Tally, forgiven, match, within
from tracker.evaluation.truth import IGNORE, STAIRS, Interval, TrueEvent, Truth

ANY = "any"
"""The row in which the kind does not matter."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the pipeline found in a recording; `why_not` says why it could not be counted."""

    contractions: tuple[Contraction, ...]
    duration_s: float
    why_not: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One recording, held against its truth.

    Attributes:
        tallies: by kind, and `any`; kinds that cannot be judged are left out.
        false_in: found events and seconds in the stretches of each label.
        hits, true: true contractions found (for a bare count the smaller of both counts), and all of them.
        confidence, right: (n,) of the found events that were judged, typed.
        gaits: of each step that was found, and whose gait is known: the true one, and the one found.
    """

    tallies: dict[str, Tally]
    false_in: dict[str, Tally]
    hits: int
    true: int
    confidence: FloatArray
    right: BoolArray
    gaits: tuple[tuple[str, str], ...] = ()


def judge(truth: Truth, found: Found) -> Judged:
    """Every figure of one recording."""
    listed = truth.events is not None
    whole = [kind for kind in Kind if listed or truth.counts.get(kind) == 0]
    if listed:
        whole = [kind for kind in whole if not _only_counted(truth, kind)]
    tallies, confidence, right = {}, [], []
    for kind in Kind:
        own = [c for c in found.contractions if c.kind is kind]
        if kind in whole:
            tallies[str(kind)], sure, good = _tally(truth, kind, own, found.duration_s)
            confidence.append(sure)
            right.append(good)
        elif kind in truth.counts:
            tallies[str(kind)] = Tally(count_true=truth.counts[kind], count_found=len(own))
    if len(whole) == len(Kind):
        tallies[ANY] = _tally(truth, None, list(found.contractions), found.duration_s)[0]
    hits, true = _recalled(truth, tallies)
    none = np.zeros(0)
    return Judged(
        tallies,
        _false_in(truth, found),
        hits,
        true,
        np.concatenate([none, *confidence]),
        np.concatenate([none.astype(bool), *right]),
        _gaits(truth, found),
    )


def _gaits(truth: Truth, found: Found) -> tuple[tuple[str, str], ...]:
    """The true and the found gait of each step that was found and whose gait is known."""
    steps = sorted((c for c in found.contractions if c.kind is Kind.STEP), key=lambda c: c.peak_s)
    care = _dont_care(truth.intervals)
    true = [event for event in truth.events or () if event.kind is Kind.STEP and not _is_ignored(event, care)]
    at_true, at_found = match(_peaks(true), _peaks(steps), _reach(true))
    pairs = ((true[i].gait, str(steps[k].attributes.get("gait", ""))) for i, k in zip(at_true, at_found, strict=True))
    return tuple((told, seen) for told, seen in pairs if told)


def is_gait(told: str, seen: str) -> bool:
    """Whether a gait is the one that the truth tells; `stairs` is either way."""
    return seen == told or (told == STAIRS and seen in (Gait.STAIRS_UP, Gait.STAIRS_DOWN))


def _only_counted(truth: Truth, kind: Kind) -> bool:
    """How many of the kind there were is known, but not when."""
    return truth.counts.get(kind, 0) > 0 and not any(event.kind is kind for event in truth.events or ())


def _tally(
    truth: Truth, kind: Kind | None, own: list[Contraction], duration_s: float
) -> tuple[Tally, FloatArray, BoolArray]:
    """One kind (None: all of them together), with confidence and rightness of each judged event."""
    own = sorted(own, key=lambda c: c.peak_s)
    found_s, care = _peaks(own), _dont_care(truth.intervals)
    wanted = [e for e in truth.events or () if kind in (None, e.kind) and not _is_ignored(e, care)]
    true_s = _peaks(wanted)
    at_true, at_found = match(true_s, found_s, _reach(wanted))
    right = np.zeros(found_s.size, dtype=bool)
    right[at_found] = True
    judged = right.copy()
    spare = [e for e in truth.events or () if _is_ignored(e, care)]
    judged[~right] = ~forgiven(found_s[~right], _peaks(spare), _reach(spare), care)
    errors_s = tuple((found_s[at_found] - true_s[at_true]).tolist())
    number = int(judged.sum())
    count_true = len(wanted) if kind is None else truth.counts.get(kind, len(wanted))
    tally = Tally(len(wanted), number, at_true.size, duration_s, count_true, number, errors_s)
    return tally, np.array([c.confidence for c in own])[judged], right[judged]


def _false_in(truth: Truth, found: Found) -> dict[str, Tally]:
    """Found events of any kind in the stretches of each label, but for those that match a true event."""
    found_s, care = _peaks(sorted(found.contractions, key=lambda c: c.peak_s)), _dont_care(truth.intervals)
    events = truth.events or ()
    _, paired = match(_peaks(events), found_s, _reach(events))
    free = np.ones(found_s.size, dtype=bool)
    free[paired] = False
    free &= ~within(found_s, care)
    made = {}
    for label in dict.fromkeys(i.label for i in truth.intervals if i.label != IGNORE):
        spans = _spans([i for i in truth.intervals if i.label == label])
        number = int((free & within(found_s, spans)).sum())
        made[label] = Tally(found=number, duration_s=float((spans[:, 1] - spans[:, 0]).sum()))
    return made


def _recalled(truth: Truth, tallies: dict[str, Tally]) -> tuple[int, int]:
    """True contractions found with their kind, and all there were."""
    hits = true = 0
    for name, tally in tallies.items():
        if name == ANY:
            continue
        if tally.true or not tally.count_true:
            hits, true = hits + tally.matched, true + tally.true
        else:
            hits, true = hits + min(tally.count_true, tally.count_found or 0), true + tally.count_true
    return hits, true


def _peaks(events: list[Contraction] | list[TrueEvent] | tuple[TrueEvent, ...]) -> FloatArray:
    return np.array([event.peak_s for event in events], dtype=np.float64)


def _reach(events: list[TrueEvent] | tuple[TrueEvent, ...]) -> FloatArray:
    return np.array([TOLERANCE_S + event.hold_s / 2.0 for event in events], dtype=np.float64)


def _is_ignored(event: TrueEvent, care: FloatArray) -> bool:
    return event.ignore or bool(within(np.array([event.peak_s]), care)[0])


def _dont_care(intervals: tuple[Interval, ...]) -> FloatArray:
    return _spans([interval for interval in intervals if interval.label == IGNORE])


def _spans(intervals: list[Interval]) -> FloatArray:
    return np.array([(i.start_s, i.end_s) for i in intervals], dtype=np.float64).reshape(-1, 2)
