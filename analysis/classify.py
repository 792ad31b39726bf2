"""Decide what each candidate was: a kind, or the name of the rule that refused it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from math import tanh

import numpy as np

from analysis.events import Contraction, Kind, Rejection
from analysis.frames import BEFORE, BoolArray
from analysis.gait import gaits
from analysis.grid import GRID_HZ
from analysis.pedalling import FIRM, SOFT, StrokeCandidates, riding, stroke_rules
from analysis.raises import RaiseCandidates
from analysis.rules import Rules, first_that_holds
from analysis.samples import FloatArray
from analysis.swings import SwingCandidates

SLACK_S = 0.1
"""So far into the time up an earlier peak may lie and still belong to an earlier raise."""


SET_PAUSE_S = 3.0
"""Raises that are nearer to one another than this are of one set: nobody stands up or sits down between them."""

OWN_SAY, SET_SAY = 2.0, 6.0
"""How much evidence for the hinge one raise can give to its set, and how much a set can gather."""


Candidates = RaiseCandidates | SwingCandidates | StrokeCandidates
Times = tuple[float, float, float]
"""Onset, peak and end of a candidate, session seconds."""


class Classifier:
    """Candidates of successive frames in, final events out. Remembers only the last event of each sort."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._last_step_s = self._last_firm_step_s = -np.inf
        self._last_raise_s = self._last_stroke_s = -np.inf
        self._evidence = 0.0  # that the hinge of the set that goes on lies above

    def judge(
        self,
        start_s: FloatArray,
        raises: RaiseCandidates,
        swings: SwingCandidates,
        has_gyr: BoolArray,
        bouncing: BoolArray,
        strokes: StrokeCandidates,
    ) -> tuple[list[Contraction], list[Rejection]]:
        """Events and refusals of some frames, in order of time.

        Args:
            start_s: (f,) session time of each frame's centre.
            raises: candidates of these frames.
            swings: likewise.
            has_gyr: (f,) whether there was a gyroscope.
            bouncing: (f,) whether the leg bounces.
            strokes: candidates of these frames.
        """
        stroke_rule = stroke_rules(strokes, self._rules)
        rides = riding(strokes, stroke_rule, start_s.size)
        pedals, no_pedals = self._strokes(start_s, strokes, stroke_rule)
        step_rule, raise_rule = step_rules(swings, self._rules), raise_rules(raises, bouncing, self._rules)
        step_rule[(step_rule != "slow") & _within(rides, swings.frame, swings.peak)] = "pedalling"
        raise_rule[(raise_rule != "small") & _within(rides, raises.frame, raises.peak)] = "pedalling"
        steps, no_steps = self._steps(start_s, swings, step_rule, has_gyr)
        kept, refused = self._raises(start_s, raises, has_gyr, raise_rule)
        return sorted(steps + kept + pedals, key=_peak), sorted(no_steps + refused + no_pedals, key=_peak)

    def _strokes(
        self, start_s: FloatArray, c: StrokeCandidates, rule: np.ndarray
    ) -> tuple[list[Contraction], list[Rejection]]:
        kept, refused = [], []
        for i, why, times in _told(start_s, c, rule, np.flatnonzero(c.own & (rule != "no_turn"))):
            peak, said = times[1], why
            if why in (FIRM, SOFT) and peak - self._last_stroke_s < self._rules.refractory_s:
                said = "too_soon"
            if said not in (FIRM, SOFT):
                refused.append(Rejection(_ms(peak), said))
                continue
            self._last_stroke_s = peak
            kept.append(_stroke(c, i, times, said))
        return kept, refused

    def _steps(
        self, start_s: FloatArray, c: SwingCandidates, rule: np.ndarray, has_gyr: BoolArray
    ) -> tuple[list[Contraction], list[Rejection]]:
        gait = gaits(c, self._rules)
        kept, refused = [], []
        for i, why, times in _told(start_s, c, rule, np.flatnonzero(rule != "slow")):
            peak, said = times[1], why
            if why == "pendulum" and peak - self._last_firm_step_s < self._rules.in_stride_s:
                said = "swing"  # one even swing among uneven ones is a stride, too
            if said == "swing" and peak - self._last_step_s < self._rules.refractory_s:
                said = "too_soon"
            if said != "swing":
                refused.append(Rejection(_ms(peak), said))
                continue
            self._last_step_s = peak
            if why == "swing":
                self._last_firm_step_s = peak
            kept.append(_step(c, i, times, str(gait[i]), gyr=bool(has_gyr[c.frame[i]])))
        return kept, refused

    def _raises(
        self, start_s: FloatArray, c: RaiseCandidates, has_gyr: BoolArray, rule: np.ndarray
    ) -> tuple[list[Contraction], list[Rejection]]:
        kept, refused = [], []
        for i, why, times in _told(start_s, c, rule, np.flatnonzero(rule != "small")):
            peak, said = times[1], why
            if why == "raise" and self._last_raise_s > peak - c.up_s[i] + SLACK_S:
                said = "same_raise"
            if said == "raise" and peak - self._last_raise_s < self._rules.refractory_s:
                said = "too_soon"
            if said != "raise":
                refused.append(Rejection(_ms(peak), said))
                continue
            gyr = bool(has_gyr[c.frame[i]])
            evidence = self._hinge(float(c.evidence[i]), peak - self._last_raise_s, gyr=gyr)
            self._last_raise_s = peak
            kept.append(_raise(c, evidence, i, times, gyr=gyr))
        return kept, refused

    def _hinge(self, evidence: float, since_s: float, *, gyr: bool) -> float:
        """Evidence that the hinge of a raise lies above: with a gyroscope that of its set so far, else its own.

        In the middle of an even, fast set a frame says little; its beginning has said more.
        """
        if not gyr:
            return evidence
        before = self._evidence if since_s < SET_PAUSE_S else 0.0
        own = min(max(evidence, -OWN_SAY), OWN_SAY)
        self._evidence = min(max(before + own, -SET_SAY), SET_SAY)
        return self._evidence


SURE_STEP, SURE_WITHIN_S = (0.98, 0.95, 0.6), (1.45, 1.75)
"""How sure a step is by the time to the nearest other swing. Chosen on the tuning sets: of the steps accepted there
0.999, 0.985 and none are right; a lone step of a day is right more often than one among kicks."""

WITHOUT_GYR = 0.9
"""Share of the steps found without a gyroscope that are right, about."""

DOUBT = 0.6
"""Share of the doubt about a raise that is left once all rules are passed. Chosen on the tuning sets, where raises held
for certain by 0.74, 0.86 and 0.97 were right in 0.80, 0.94 and 0.99 of all cases."""


def sure_of_step(companion_s: float, *, gyr: bool) -> float:
    """How probable it is that an accepted swing is a step."""
    sure = SURE_STEP[bisect_left(SURE_WITHIN_S, companion_s)]
    return round(sure * (1.0 if gyr else WITHOUT_GYR), 3)


def _step(c: SwingCandidates, i: int, times: Times, gait: str, *, gyr: bool) -> Contraction:
    onset, peak, end = times
    return Contraction(
        Kind.STEP, _ms(onset), _ms(peak), _ms(end), sure_of_step(float(c.companion_s[i]), gyr=gyr), "swing",
        round(float(c.rate_rad_s[i]), 3), {"gait": gait, "strength_unit": "rad/s"},
    )  # fmt: skip


def _raise(c: RaiseCandidates, evidence: float, i: int, times: Times, *, gyr: bool) -> Contraction:
    seated = evidence > 0.0
    coherence = min(max(float(c.coherence[i]), 0.5), 1.0)
    held = (0.5 + 0.5 * tanh(1.5 * abs(evidence))) * coherence * (1.0 if gyr else 0.7)
    sure = 1.0 - DOUBT * (1.0 - held)
    onset, peak, end = times
    return Contraction(
        Kind.SOLEUS_PUSHUP if seated else Kind.HEEL_RAISE,
        _ms(min(onset, peak - 0.01)), _ms(peak), _ms(max(end, peak + 0.01)), round(min(sure, 0.99), 3),
        "hinge_above" if seated else "hinge_below",
        round(float(c.lift_m[i]), 4), {"strength_unit": "m", "tilt_rad": round(float(c.tilt_rad[i]), 4)},
    )  # fmt: skip


def _stroke(c: StrokeCandidates, i: int, times: Times, rule: str) -> Contraction:
    onset, peak, end = times
    sure = (0.99 if rule == FIRM else 0.92) * (1.0 if c.sized[i] else 0.9)
    return Contraction(
        Kind.PEDAL, _ms(onset), _ms(peak), _ms(end), round(sure, 3), rule,
        round(float(c.depth_m[i]), 4), {"strength_unit": "m", "turn_s": round(end - onset, 3)},
    )  # fmt: skip


def is_far_seated(tilt_rad: FloatArray, evidence: FloatArray, r: Rules) -> BoolArray:
    """Raises of a seated leg that tilt the shank so far that the heel must be high up."""
    return (tilt_rad > r.large_tilt_rad) & (evidence > 0.0)


def is_plain_hinge(slow_misfit: FloatArray, off_axis: FloatArray, r: Rules) -> BoolArray:
    """Frames that show a hinge once smoothed, and nothing but it: what is left over is a vehicle that shakes."""
    return (slow_misfit < r.most_slow_misfit) & (off_axis < r.plain_axis)


def raise_rules(c: RaiseCandidates, bouncing: BoolArray, r: Rules) -> np.ndarray:
    """Name of the rule that decides each raise candidate: "raise" accepts, "small" is not worth a word."""
    own = (
        (c.plain_evenness > r.own_evenness)
        & (c.plain_tilt_rad > r.own_plain_tilt * c.tilt_rad)
        & (c.coherence > r.own_coherence)
    )
    per_tilt = c.lift_m / np.maximum(c.tilt_rad, 1e-6)
    far_seated = is_far_seated(c.tilt_rad, c.evidence, r)
    plain = is_plain_hinge(c.slow_misfit, c.off_axis, r)
    stands = c.evidence < 0.0
    conditions = [
        (c.lift_m < 0.5 * r.least_lift_m) | (c.size_m < 0.5 * r.least_lift_m),
        c.near_swing_s < r.clear_of_steps_s,
        c.turn_rad_s > r.most_turn_rad_s,
        ((c.period_s < r.least_period_s) & (c.tops >= r.bounce_tops)) | bouncing[c.frame],
        (c.lift_m > np.where(stands, r.most_standing_lift_m, r.most_lift_m))
        | (c.tilt_rad > np.where(stands, r.most_standing_tilt_rad, r.most_tilt_rad)),
        (c.plain_tilt_rad < r.least_plain_tilt * c.tilt_rad)
        | (((c.share < r.least_share) | (c.share + c.evenness < r.least_share_and_evenness)) & ~own),
        c.lift_m < r.least_lift_m,
        c.tilt_rad < r.least_tilt_rad,
        c.coherence < r.least_coherence,
        (per_tilt < np.where(far_seated, r.least_lift_per_large_tilt_m, r.least_lift_per_tilt_m))
        | (per_tilt > r.most_lift_per_tilt_m),
        (c.evenness < r.least_evenness) | (c.plain_evenness < r.least_plain_evenness),
        (c.misfit > r.most_misfit) & ~plain,
        (c.level_evidence > 0.0)
        # No push-up that was simulated has its hinge level with the sensor; ankle pumps of a lying leg have.
        & ((c.evidence > 0.0) | (c.off_axis > r.most_off_axis) | (c.level_evidence > r.clearly_level)),
        (c.lift_m > r.large_lift_m) & (c.off_axis > r.most_off_axis) & (c.level_evidence > -r.least_against_level),
    ]
    names = ["small", "gait", "too_fast_a_turn", "bounce", "too_large", "rebound", "little_lift", "no_tilt",
             "lift_without_tilt", "no_heel_chain", "one_way", "no_hinge", "level_hinge", "leg_moved"]  # fmt: skip
    return first_that_holds(conditions, names, "raise")


def is_regular(companion_s: FloatArray, skew: FloatArray, way_m: FloatArray, r: Rules) -> BoolArray:
    """Swings so regular, and so much faster forward than back, that they may be as small and soft as a shuffle's.

    The foot must have gone somewhere, too: a seated leg that moves in place has company as regular.
    """
    return (companion_s < r.regular_s) & (skew > r.regular_skew) & (way_m > r.least_way_m)


def step_rules(c: SwingCandidates, r: Rules) -> np.ndarray:
    """Name of the rule that decides each swing candidate: "swing" accepts, "slow" is not worth a word."""
    regular = is_regular(c.companion_s, c.skew, c.way_m, r)
    conditions = [
        c.rate_rad_s < np.where(regular, r.least_shuffle_rad_s, r.least_swing_rad_s),
        c.angle_rad < np.where(regular, r.least_shuffle_rad, r.least_swing_rad),
        c.share < r.least_swing_share,
        c.angle_rad > r.most_swing_rad,
        c.companion_s > r.companion_s,
        c.strike_mps2 < np.where(regular, r.least_shuffle_strike_mps2, r.least_strike_mps2),
        (c.skew < r.pendulum_skew)
        & (c.heel_first < r.sure_heel_first)
        & (c.strike_mps2 < r.hard_strike_mps2)
        & ((c.rate_rad_s < r.walking_rad_s) | (c.companion_s > r.stride_s)),
        (c.companion_s > r.sure_companion_s) & ((c.strike_mps2 < r.firm_strike_mps2) | (c.skew < r.uneven_skew)),
    ]
    names = ["slow", "short_swing", "small_beside_others", "too_wide", "lonely_swing", "no_foot_strike",
             "pendulum", "far_companion"]  # fmt: skip
    return first_that_holds(conditions, names, "swing")


def _within(mask: BoolArray, frame: np.ndarray, sample: FloatArray) -> BoolArray:
    """Whether each candidate lies where the mask (f, FRAME) is set."""
    return mask[frame, np.clip(np.rint(sample).astype(np.int64), 0, mask.shape[1] - 1)]


def _told(start_s: FloatArray, c: Candidates, rule: np.ndarray, which: np.ndarray) -> Iterator[tuple[int, str, Times]]:
    """Some candidates in order: their index, the rule so far, and onset, peak and end in session seconds."""
    from_s = start_s[c.frame[which]]
    times = ((from_s + (x[which] - BEFORE) / GRID_HZ).tolist() for x in (c.onset, c.peak, c.end))
    return zip(which.tolist(), map(str, rule[which].tolist()), zip(*times, strict=True), strict=True)


def _ms(t_s: float) -> float:
    return round(t_s, 3)


def _peak(event: Contraction | Rejection) -> float:
    return event.peak_s
