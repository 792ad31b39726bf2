"""Why something was counted or not: the signal around one instant, its features, and the rule that decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from analysis.classify import is_far_seated, is_plain_hinge, is_regular
from analysis.events import Contraction, Rejection
from analysis.features import Traces, traces
from analysis.frames import BEFORE, FRAME, BoolArray, Framer, Frames
from analysis.grid import GRID_HZ, Grid
from analysis.limits import (
    OF_A_LARGE_TILT,
    OF_A_SHUFFLE,
    OF_A_STANDING_RAISE,
    PUMP_LIMITS,
    RAISE_LIMITS,
    STROKE_LIMITS,
    SWING_LIMITS,
    Limit,
)
from analysis.lying import EVEN_TILTS
from analysis.pedalling import StrokeCandidates, stroke_candidates
from analysis.pipeline import Pipeline, is_lively
from analysis.pump_sets import log_odds
from analysis.pump_tilts import tilts
from analysis.pump_turns import turns
from analysis.raises import RaiseCandidates, raise_candidates
from analysis.rules import RULES, Rules
from analysis.samples import FloatArray, SampleBlock
from analysis.swings import SwingCandidates, is_bouncing, swing_candidates

NEAR_S = 1.0
"""A decision this near to the instant asked for is the one that is explained; also half of the signal shown."""

_FINAL_S = 20.0
_SAME_S = 0.0015
_PLACE = ("frame", "onset", "peak", "end")


@dataclass(frozen=True, slots=True)
class Check:
    """A feature held against a number of the rules.

    Attributes:
        rule: the rule that refuses where it is not met.
        feature, value: what was measured.
        at_least: the limit is the least that passes, not the most.
        threshold, limit: name and value of the number in `Rules`.
    """

    rule: str
    feature: str
    value: float
    at_least: bool
    threshold: str
    limit: float

    @property
    def met(self) -> bool:
        """Whether the feature is on the right side of the limit."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What the pipeline saw around one instant, and what it made of it.

    Attributes:
        at_s: the instant: the peak of the decision, else the one asked for.
        rule: that accepted or refused; None where there was nothing to decide about.
        contraction: what was counted, None where nothing was.
        looked_at: the leg moved enough to look for a contraction at all.
        t_s: (n,) instants of the signal, `NEAR_S` before and after.
        tilt_rad: (n,) of the shank, plantar flexion positive, baseline taken off.
        lift_m: (n,) of the sensor, likewise.
        swing_rad_s: (n,) smoothed rate of turn.
        features: of the candidate, and of the frame it lies in.
        checks: its features against the limits of the rules.
    """

    at_s: float
    rule: str | None
    contraction: Contraction | None
    looked_at: bool
    t_s: FloatArray
    tilt_rad: FloatArray
    lift_m: FloatArray
    swing_rad_s: FloatArray
    features: Mapping[str, float]
    checks: tuple[Check, ...]


def explain(
    groups: Iterable[tuple[SampleBlock, ...]], at_s: float, rule: str | None = None, rules: Rules = RULES
) -> Explanation | None:
    """Explain the decision nearest to an instant.

    The recording goes through the pipeline from its beginning, since a decision may lean on those before it.

    Args:
        groups: blocks that cover the same stretch of time together, in order.
        at_s: session seconds.
        rule: only decisions of this rule, where it is known.
        rules: the thresholds.

    Returns:
        None where there are no samples around the instant.
    """
    decisions, near = _run(groups, at_s, rules)
    decisions = [one for one in decisions if rule in (None, one.rule)]
    decided = min(decisions, key=lambda one: abs(one.peak_s - at_s), default=None)
    place_s = at_s if decided is None else decided.peak_s
    here = next((one for one in near if one.start_s <= place_s <= one.end_s + 1e-9), None)
    return _explained(near, here, place_s, decided, rules) if here else None


def _run(
    groups: Iterable[tuple[SampleBlock, ...]], at_s: float, rules: Rules
) -> tuple[list[Contraction | Rejection], list[_Near]]:
    """Decisions within reach, and the frames around."""
    pipeline, grid, framer = Pipeline(rules), Grid(), Framer()
    decisions: list[Contraction | Rejection] = []
    near: list[_Near] = []
    for group in (*_until(groups, at_s + _FINAL_S), None):
        found = pipeline.finish() if group is None else pipeline.feed(*group)
        decisions += [*found.contractions, *found.rejections]
        for piece in grid.finish() if group is None else grid.feed(group)[0]:
            frames = framer.feed(piece)
            near += [] if frames is None else _near(frames, at_s, rules)
        decisions = [one for one in decisions if abs(one.peak_s - at_s) <= NEAR_S]
    return decisions, near


def _until(groups: Iterable[tuple[SampleBlock, ...]], end_s: float) -> Iterator[tuple[SampleBlock, ...]]:
    for group in groups:
        yield group
        if all(len(block) and block.t_s[0] > end_s for block in group):
            return


@dataclass(frozen=True, slots=True, eq=False)
class _Near:
    """One frame near the instant.

    Attributes:
        start_s: of its centre.
        end_s: of its centre, or of the stretch where that is earlier.
        found: its traces, (1, FRAME) each.
        gyr_rad_s: (1, 3, FRAME) angular rate as it was measured.
        has_gyr: (1,) there was a gyroscope.
        lively: it was looked at.
    """

    start_s: float
    end_s: float
    found: Traces
    gyr_rad_s: FloatArray
    has_gyr: BoolArray
    lively: bool


def _near(frames: Frames, at_s: float, rules: Rules) -> list[_Near]:
    """The frames whose centre, or its borders, could hold a decision that is asked for."""
    end_s = frames.until_s
    close = (frames.start_s - 2 * NEAR_S <= at_s) & (at_s <= end_s + 2 * NEAR_S)
    lively = is_lively(frames, rules) if close.any() else close
    made = []
    for k in np.flatnonzero(close).tolist():
        acc, gyr = (np.ascontiguousarray(x[k : k + 1]) for x in (frames.acc_mps2, frames.gyr_rad_s))
        has_gyr = frames.has_gyr[k : k + 1]
        seen = traces(acc, gyr, has_gyr)
        made.append(_Near(float(frames.start_s[k]), float(end_s[k]), seen, gyr, has_gyr, bool(lively[k])))
    return made


def _explained(
    near: list[_Near], here: _Near, at_s: float, decided: Contraction | Rejection | None, rules: Rules
) -> Explanation:
    if isinstance(decided, Contraction) and decided.rule == EVEN_TILTS:
        features, checks = _pump(here, decided, rules)
    else:
        features, checks = _candidate(near, decided, rules) if decided else ({}, ())
    window = _window(at_s - here.start_s)
    return Explanation(
        at_s=at_s,
        rule=decided.rule if decided else None,
        contraction=decided if isinstance(decided, Contraction) else None,
        looked_at=here.lively,
        t_s=here.start_s + (window - BEFORE) / GRID_HZ,
        tilt_rad=here.found.tilt_rad[0, window],
        lift_m=here.found.height_m[0, window],
        swing_rad_s=here.found.swing_rad_s[0, window],
        features=features,
        checks=checks,
    )


def _window(into_centre_s: float) -> npt.NDArray[np.int64]:
    """Samples of a frame within `NEAR_S` of an instant of its centre."""
    middle, reach = BEFORE + round(into_centre_s * GRID_HZ), round(NEAR_S * GRID_HZ)
    return np.arange(max(0, middle - reach), min(FRAME, middle + reach + 1))


def _pump(here: _Near, pump: Contraction, rules: Rules) -> tuple[dict[str, float], tuple[Check, ...]]:
    """What the frame of an ankle pump says of its set, and the limits that it was held against."""
    seen = tilts(here.found.force_mps2)
    turned = turns(here.gyr_rad_s, here.has_gyr, seen)
    best = int(seen.best[0])
    features = {
        "log_odds": float(log_odds(seen, turned, rules)[0]),
        "likeness": float(seen.likeness[0, best]),
        "rough_mps2": float(seen.rough_mps2[0]),
        "pump_tilt_rad": pump.strength or 0.0,
        "straight": float(seen.straight[0]),
        "lift_per_tilt_m": float(seen.lift_m[0]),
        "period_s": float(seen.period_s[0, best]),
    }
    if here.has_gyr[0]:
        features |= {
            "agreement": float(turned.agreement[0]),
            "turn_straight": float(turned.straight[0]),
            "turn_likeness": float(turned.likeness[0]),
            "turn_per_tilt": float(turned.per_tilt[0]),
        }
    lowered = ("least_pump_log_odds", "least_pump_log_odds_of_many", "least_pump_log_odds_going_on")
    passed = next((name for name in lowered if features["log_odds"] > getattr(rules, name)), lowered[0])
    limits = (replace(PUMP_LIMITS[0], threshold=passed), *PUMP_LIMITS[1:])
    return features, tuple(_check(limit, features, rules) for limit in limits)


def _candidate(
    near: list[_Near], decided: Contraction | Rejection, rules: Rules
) -> tuple[dict[str, float], tuple[Check, ...]]:
    """Features of the candidate that was decided about, and the limits that it was held against.

    At the border of two centres both frames see it: the one that decided is the one whose checks say the same.
    """
    seen = [
        (features, tuple(_check(limit, features, rules) for limit in limits if limit.feature in features))
        for features, limits in _candidates(near, decided.peak_s, rules)
    ]
    if isinstance(decided, Contraction):
        return min(seen, key=lambda one: sum(not check.met for check in one[1]), default=({}, ()))
    missed = (one for one in seen if any(check.rule == decided.rule and not check.met for check in one[1]))
    return next(missed, seen[0] if seen else ({}, ()))


def _candidates(near: list[_Near], at_s: float, rules: Rules) -> Iterator[tuple[dict[str, float], tuple[Limit, ...]]]:
    """Candidates of these frames that peak at an instant: their features, and their limits."""
    for one in near:
        for candidates, limits in (
            (raise_candidates(one.found, rules.clear_of_steps_s), RAISE_LIMITS),
            (swing_candidates(one.found), SWING_LIMITS),
            (stroke_candidates(one.found, one.has_gyr, rules), STROKE_LIMITS),
        ):
            peak_s = one.start_s + (candidates.peak - BEFORE) / GRID_HZ
            same = np.flatnonzero(np.abs(peak_s - at_s) < _SAME_S)
            if same.size:
                features = _features(candidates, int(same[0]))
                if limits is RAISE_LIMITS:
                    features["bouncing"] = float(is_bouncing(one.found, rules.bounce_hz, rules.bounce_m)[0])
                    yield features, _raise_limits(features, rules)
                else:
                    yield features, limits if limits is STROKE_LIMITS else _swing_limits(features, rules)


def _raise_limits(features: Mapping[str, float], rules: Rules) -> tuple[Limit, ...]:
    """What a raise is held against: a leg that sits and tilts far must lift more, one that stands may lift more."""
    tilt_rad, evidence, slow_misfit, off_axis = (
        np.array(features.get(name, np.nan)) for name in ("tilt_rad", "evidence", "slow_misfit", "off_axis")
    )
    limits: tuple[Limit, ...] = RAISE_LIMITS
    if features.get("misfit", 0.0) > rules.most_misfit and is_plain_hinge(slow_misfit, off_axis, rules):
        limits = tuple(one for one in limits if one.rule != "no_hinge")
    if is_far_seated(tilt_rad, evidence, rules):
        limits = _instead(limits, OF_A_LARGE_TILT)
    return _instead(limits, OF_A_STANDING_RAISE) if evidence < 0.0 else limits


def _swing_limits(features: Mapping[str, float], rules: Rules) -> tuple[Limit, ...]:
    """What a swing is held against: a regular one may be as small and soft as a shuffle's."""
    companion_s, skew, way_m = (np.array(features.get(name, np.nan)) for name in ("companion_s", "skew", "way_m"))
    if not is_regular(companion_s, skew, way_m, rules):
        return SWING_LIMITS
    return _instead(SWING_LIMITS, OF_A_SHUFFLE)


def _instead(limits: tuple[Limit, ...], others: Mapping[str, str]) -> tuple[Limit, ...]:
    """The limits with other numbers where there are such."""
    return tuple(replace(one, threshold=others.get(one.threshold, one.threshold)) for one in limits)


def _features(candidates: RaiseCandidates | SwingCandidates | StrokeCandidates, i: int) -> dict[str, float]:
    """Every measure of one candidate, with those that the rules make of them; without what was not measured."""
    made = {f.name: float(getattr(candidates, f.name)[i]) for f in fields(candidates) if f.name not in _PLACE}
    if isinstance(candidates, RaiseCandidates):
        tilt_rad = max(made["tilt_rad"], 1e-6)
        made["lift_per_tilt_m"] = made["lift_m"] / tilt_rad
        made["plain_share"] = made["plain_tilt_rad"] / tilt_rad
        made["share_and_evenness"] = made["share"] + made["evenness"]
    if isinstance(candidates, StrokeCandidates):
        made["depth_m"] = float(candidates.depth_m[i])
        made["turn_s"] = float(candidates.turn_s[i])
    return {name: value for name, value in made.items() if not np.isnan(value)}


def _check(limit: Limit, features: Mapping[str, float], rules: Rules) -> Check:
    value, threshold = features[limit.feature], float(getattr(rules, limit.threshold))
    return Check(limit.rule, limit.feature, value, limit.below, limit.threshold, threshold)
