"""Scores of all recordings, real and simulated apart, by condition and kind; with the JSON they are told in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.events import Kind
from analysis.rules import algorithm
from analysis.scoring import (
    LEVEL,
    RESAMPLES,
    TOLERANCE_S,
    Calibration,
    Figure,
    Score,
    Tally,
    calibration,
    rate,
    ratio,
    resampling,
    score,
)
from tracker.evaluation.judging import ANY, Found, Judged, is_gait, judge
from tracker.evaluation.labelled import Labelled
from tracker.evaluation.truth import Source

_DIGITS = 4


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Contractions found where there was none, in the stretches of one label.

    Attributes:
        recordings: that have such stretches.
        hours: length of the stretches.
        false: contractions found in them.
        per_hour: with its interval.
        recall: of the true contractions of the same recordings; no value where they have none.
        recall_all: of the true contractions of all recordings of the source.
    """

    recordings: int
    hours: float
    false: int
    per_hour: Figure
    recall: Figure
    recall_all: Figure


@dataclass(frozen=True, slots=True)
class Gaits:
    """Steps of one true gait that were found.

    Attributes:
        steps: how many.
        right: share whose gait is right, with its interval.
        told: how many were told to be which gait.
    """

    steps: int
    right: Figure
    told: dict[str, int]


@dataclass(frozen=True, slots=True)
class Part:
    """All figures of one source.

    Attributes:
        recordings, people, hours: how much was judged; people are 0 where nobody was named.
        overall: score by kind, and `any`.
        conditions: the same for each condition.
        false_alarms: by label.
        recall: of the true contractions of all recordings with their kind; a bare count gives the smaller of both.
        calibration: of all judged events together.
        gaits: how the steps found were told, by their true gait; those whose gait nobody knows are left out.
    """

    recordings: int
    people: int
    hours: float
    overall: dict[str, Score]
    conditions: dict[str, dict[str, Score]]
    false_alarms: dict[str, FalseAlarms]
    recall: Figure
    calibration: Calibration
    gaits: dict[str, Gaits]


@dataclass(frozen=True, slots=True)
class Report:
    """What `soleus evaluate` tells.

    Attributes:
        parts: by source.
        uncountable: recordings that could not be counted, and why; they enter no figure.
        seed: of the bootstrap.
    """

    parts: dict[Source, Part]
    uncountable: dict[str, str]
    seed: int

    def to_json(self) -> dict[str, Any]:
        """The document of `soleus evaluate --json`."""
        science = algorithm()
        return {
            "algorithm": {
                "name": science.name,
                "version": science.version,
                "params_sha256": science.params_sha256,
            },
            "tolerance_s": TOLERANCE_S,
            "bootstrap": {"resamples": RESAMPLES, "level": LEVEL, "seed": self.seed},
            "sources": {str(source): _part_json(part) for source, part in self.parts.items()},
            "uncountable": [{"recording": name, "reason": why} for name, why in self.uncountable.items()],
        }


def report(recordings: Sequence[Labelled], found: Sequence[Found], seed: int) -> Report:
    """Holds what was found against the truth of each recording."""
    uncountable = {one.name: f.why_not for one, f in zip(recordings, found, strict=True) if f.why_not}
    known = [(one, f) for one, f in zip(recordings, found, strict=True) if not f.why_not]
    parts = {}
    for source in Source:
        own = [(one, f) for one, f in known if one.truth.source is source]
        if own:
            parts[source] = _part(own, seed)
    return Report(parts, uncountable, seed)


def _part(own: Sequence[tuple[Labelled, Found]], seed: int) -> Part:
    judged = [judge(one.truth, found) for one, found in own]
    conditions: dict[str, list[Judged]] = {}
    for (one, _), result in zip(own, judged, strict=True):
        conditions.setdefault(one.truth.condition, []).append(result)
    return Part(
        recordings=len(own),
        people=len({one.truth.person for one, _ in own if one.truth.person}),
        hours=sum(found.duration_s for _, found in own) / 3600.0,
        overall=_scores(judged, seed),
        conditions={name: _scores(conditions[name], seed) for name in sorted(conditions)},
        false_alarms=_false_alarms(judged, seed),
        recall=_recall(judged, seed),
        calibration=calibration(
            np.concatenate([j.confidence for j in judged]), np.concatenate([j.right for j in judged])
        ),
        gaits=_gaits(judged, seed),
    )


def _gaits(judged: Sequence[Judged], seed: int) -> dict[str, Gaits]:
    made = {}
    for gait in sorted({told for j in judged for told, _ in j.gaits}):
        own = [[seen for told, seen in j.gaits if told == gait] for j in judged]
        right = np.array([sum(is_gait(gait, seen) for seen in steps) for steps in own], dtype=np.float64)
        steps = np.array([len(steps) for steps in own], dtype=np.float64)
        told = Counter(seen for steps in own for seen in steps)
        made[gait] = Gaits(int(steps.sum()), ratio(right, steps, resampling(len(own), seed)), dict(told.most_common()))
    return made


def _scores(judged: Sequence[Judged], seed: int) -> dict[str, Score]:
    """By kind, as far as it happened or was found; `any` always where it was judged."""
    made = {}
    for name in (*map(str, Kind), ANY):
        tallies = [j.tallies[name] for j in judged if name in j.tallies]
        if any(_says_something(tally) for tally in tallies) or (name == ANY and tallies):
            made[name] = score(tallies, seed)
    return made


def _says_something(tally: Tally) -> bool:
    return bool(tally.true or tally.found or tally.count_true or tally.count_found)


def _false_alarms(judged: Sequence[Judged], seed: int) -> dict[str, FalseAlarms]:
    everyone = _recall(judged, seed)
    labels = sorted({label for j in judged for label in j.false_in})
    return {label: _false_alarm([j for j in judged if label in j.false_in], label, everyone, seed) for label in labels}


def _false_alarm(judged: Sequence[Judged], label: str, everyone: Figure, seed: int) -> FalseAlarms:
    false = np.array([j.false_in[label].found for j in judged], dtype=np.float64)
    hours = np.array([j.false_in[label].duration_s for j in judged]) / 3600.0
    per_hour = rate(false, hours, resampling(len(judged), seed))
    return FalseAlarms(len(judged), float(hours.sum()), int(false.sum()), per_hour, _recall(judged, seed), everyone)


def _recall(judged: Sequence[Judged], seed: int) -> Figure:
    hits, true = (np.array([getattr(j, name) for j in judged], dtype=np.float64) for name in ("hits", "true"))
    return ratio(hits, true, resampling(len(judged), seed))


def _part_json(part: Part) -> dict[str, Any]:
    return {
        "recordings": part.recordings,
        "people": part.people,
        "hours": round(part.hours, _DIGITS),
        "overall": {name: _score_json(made) for name, made in part.overall.items()},
        "conditions": {
            condition: {name: _score_json(made) for name, made in scores.items()}
            for condition, scores in part.conditions.items()
        },
        "recall": _figure_json(part.recall),
        "false_alarms": {label: _alarm_json(made) for label, made in part.false_alarms.items()},
        "calibration": _calibration_json(part.calibration),
        "gaits": {
            gait: {"steps": made.steps, "right": _figure_json(made.right), "told": made.told}
            for gait, made in part.gaits.items()
        },
    }


def _score_json(made: Score) -> dict[str, Any]:
    figures = ("precision", "recall", "f1", "count_error", "false_per_hour")
    return {
        "recordings": made.recordings,
        "hours": round(made.hours, _DIGITS),
        "true": made.true,
        "found": made.found,
        "matched": made.matched,
        **{name: _figure_json(getattr(made, name)) for name in figures},
        "count_bias": _rounded(made.count_bias),
        "timing_error_s": _rounded(made.timing_error_s),
        "timing_bias_s": _rounded(made.timing_bias_s),
    }


def _alarm_json(made: FalseAlarms) -> dict[str, Any]:
    return {
        "recordings": made.recordings,
        "hours": round(made.hours, _DIGITS),
        "false": made.false,
        "per_hour": _figure_json(made.per_hour),
        "recall": _figure_json(made.recall),
        "recall_all": _figure_json(made.recall_all),
    }


def _calibration_json(made: Calibration) -> dict[str, Any]:
    bins = [
        {
            "low": b.low,
            "high": b.high,
            "events": b.events,
            "mean_confidence": _rounded(b.mean_confidence),
            "share_right": _rounded(b.share_right),
            "error": _rounded(b.error),
        }
        for b in made.bins
    ]
    return {"bins": bins, "worst_error": _rounded(made.worst_error)}


def _figure_json(figure: Figure) -> dict[str, float | None]:
    return {
        "value": _rounded(figure.value),
        "low": _rounded(figure.low),
        "high": _rounded(figure.high),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)
