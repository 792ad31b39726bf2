"""From bursts to contractions: rhythm is judged, and what EMG alone cannot know is said.

The calf's EMG shows that it contracts, not what the foot does. What is claimed, and why:

- An isolated burst, or a set at any rhythm up to 130 a minute, is a plantar flexion. Its kind is not in the EMG;
  `ankle_pump` (leg unloaded) is the kind that claims least. The confidence is that of the contraction.
- Four or more bursts in the rhythm of walking that swell towards push-off look like strides, but seated push-ups
  can look the same. They are neither counted as steps nor as pumps: refused with `emg_gait_like`.
- With a motion sensor on the same leg that question does not arise: see `analysis.emg.agreement`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from analysis.emg.bursts import Burst
from analysis.emg.contact import Contact
from analysis.emg.muscles import Muscle
from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.events import Contraction, Kind

KIND_BY_EMG = 1.0
"""With EMG alone nothing is claimed of the kind but that the calf contracts, so nothing is taken off for it."""

KIND_KNOWN_BESIDE_MOTION = 0.95
"""Share of bursts that are ankle pumps where a motion sensor saw a leg that keeps still. Assumed."""

KIND_KNOWN_AMONG_MOTION = 0.7
"""The same where the leg moved, but in no way that is counted. Assumed: no recording says."""

GAIT_LIKE = "emg_gait_like"
_CONTACT_TRUST = {Contact.HUM: 0.97, Contact.CLIPPED: 0.92}


class RhythmJudge:
    """Bursts in order of time in, the same out once their neighbours are known, refused where the rhythm speaks."""

    def __init__(self, rules: EmgRules = EMG_RULES) -> None:
        self._rules = rules
        self._bursts: list[Burst] = []
        self._given = 0  # of the held bursts, those that were given out already

    def add(self, bursts: Iterable[Burst]) -> None:
        """Take bursts that are final as such."""
        self._bursts += bursts

    def judged(self, until_s: float) -> list[Burst]:
        """Judge what can be judged when no burst that ends before `until_s` is still to come."""
        self._bursts.sort(key=lambda burst: burst.onset_s)
        known_s = until_s - self._rules.stride_reach_s
        judged = []
        while self._given < len(self._bursts) and self._bursts[self._given].onset_s < known_s:
            judged.append(self._judge(self._given))
            self._given += 1
        self._forget()
        return judged

    def _forget(self) -> None:
        if self._given > 64:
            old = self._given - 32
            self._bursts, self._given = self._bursts[old:], self._given - old

    def _judge(self, at: int) -> Burst:
        burst = self._bursts[at]
        if burst.refused:
            return burst
        near = self._near(at)
        if burst not in near:
            return replace(burst, refused="emg_same")
        place = near.index(burst)
        if self._is_bounce(near, place):
            return replace(burst, refused="emg_bounce")
        if self._is_gait_like(near, place):
            return replace(burst, refused=GAIT_LIKE)
        return burst

    def _near(self, at: int) -> list[Burst]:
        """Accepted bursts within reach; of those that overlap, as two streams hear one contraction, the first."""
        middle, near = self._bursts[at], list[Burst]()
        for burst in self._bursts[max(0, at - 16) : at + 16]:
            within = abs(burst.onset_s - middle.onset_s) < self._rules.stride_reach_s
            if within and not burst.refused and not (near and burst.onset_s < near[-1].end_s):
                near.append(burst)
        return near

    def _is_bounce(self, near: list[Burst], place: int) -> bool:
        """One of three or more that follow one another faster than a raise can."""
        onsets = [burst.onset_s for burst in near[max(0, place - 2) : place + 3]]
        quick = [later - one < self._rules.least_period_s for one, later in pairwise(onsets)]
        return any(one and other for one, other in pairwise(quick))

    def _is_gait_like(self, near: list[Burst], place: int) -> bool:
        run = self._rules.stride_run
        starts = range(max(0, place - run + 1), min(place, len(near) - run) + 1)
        return any(self._are_strides(near[first : first + run]) for first in starts)

    def _are_strides(self, run: list[Burst]) -> bool:
        rules = self._rules
        periods = [later.onset_s - one.onset_s for one, later in pairwise(run)]
        if min(periods) < rules.stride_least_s or max(periods) > rules.stride_most_s:
            return False
        if max(abs(b - a) / a for a, b in pairwise(periods)) > rules.stride_evenness:
            return False
        usual_s = sorted(periods)[len(periods) // 2]
        duties = sorted((burst.end_s - burst.onset_s) / usual_s for burst in run)
        lateness = sorted(burst.lateness for burst in run)
        middle = len(run) // 2
        return rules.stance_least < duties[middle] < rules.stance_most and lateness[middle] > rules.stance_lateness


def confidence(burst: Burst, kind_known: float, rules: EmgRules = EMG_RULES) -> float:
    """Probability that a burst is a contraction of the kind claimed: how far it stands out, times the kind's."""
    stands_out = 1.0 - 0.5 * (rules.burst_on / max(burst.ratio, rules.burst_on)) ** 2
    return round(stands_out * _CONTACT_TRUST.get(burst.contact, 1.0) * kind_known, 4)


def spectrum_of(burst: Burst) -> dict[str, str | float]:
    """Channel and median frequency, as attributes of the contraction that a burst goes with: they tell fatigue."""
    return {} if burst.median_hz is None else {"channel": burst.channel, "median_hz": round(burst.median_hz, 1)}


def contraction_of(burst: Burst, kind_known: float, rule: str, **attributes: str | float) -> Contraction:
    """A burst as a contraction; its strength is a share of the wearer's own maximum so far."""
    facts = {"strength_unit": "share_of_own_emg_maximum", "channel": burst.channel} | spectrum_of(burst)
    for muscle in (Muscle.SOLEUS, Muscle.GASTROCNEMIUS):
        if muscle in burst.levels:
            facts[f"{muscle}_level"] = round(burst.levels[muscle], 3)
    return Contraction(
        Kind.ANKLE_PUMP,
        burst.onset_s,
        burst.peak_s,
        burst.end_s,
        confidence(burst, kind_known),
        rule,
        round(burst.level, 3),
        facts | attributes,
    )
