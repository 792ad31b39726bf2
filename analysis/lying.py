"""What a leg does that may lie: which pumps it did, and which raises it cannot have done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.events import Contraction, Kind, Rejection
from analysis.frames import ACC, BEFORE_S, CENTRE_S, GYR, BoolArray, Frames
from analysis.pump_sets import log_odds
from analysis.pump_tilts import WINDOWS, Tilts, tilts
from analysis.pump_turns import Turns, turns
from analysis.pumping import SAME_LIE_RAD, Pump, Side, plantar_is_up, pumps_of
from analysis.rules import Rules
from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray
from analysis.standing import Standing

RAISES = (Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE)
"""They need a foot on the floor, below a shank that stands."""

EVEN_TILTS = "even_tilts"
"""The rule that accepts an ankle pump by motion."""

RAISED_S, BORDER_S = 9.0, 0.2
"""So long after a heel raise the foot is on the floor, where nothing says that the leg lies."""

SWEEP = 128
"""Frames looked at in one sweep."""


class LyingLeg:
    """Frames and their other contractions in, ankle pumps out, and those refused that no lying leg can do.

    A frame knows of the frames before it alone, so that any cutting of the stream gives the same pumps.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._standing = Standing(rules)
        self._rest: FloatArray = np.full(3, np.nan)
        self._plantar: FloatArray | None = None
        self._lay = False  # in the last frame
        self._last_s = -np.inf
        self._raises_s: FloatArray = np.full(1, -np.inf)  # the last ones

    def judge(
        self, frames: Frames, up: FloatArray, dead: BoolArray, events: Sequence[Contraction]
    ) -> tuple[list[Contraction], list[Rejection]]:
        """What these frames found with the ankle pumps among it, and raises of a shank that lies; in order of time.

        Args:
            frames: of one stretch.
            up: (f, 3) mean direction of the force in each centre.
            dead: (f,) nothing living moves there.
            events: what else these frames found.
        """
        upright = self._standing.known(frames.start_s, up, dead, events)
        stands = (upright * up).sum(axis=1) > self._rules.standing_shank_cos  # not known is not standing
        lies = ~stands & np.isfinite(upright[:, 0])
        kept, refused = self._of_legs_that_stand(frames, lies, events)
        raises_s = [event.peak_s for event in kept if event.kind in RAISES]
        self._raises_s = np.sort(np.concatenate([self._raises_s[-8:], raises_s]))
        pumps = [] if stands.all() else self._pumps(frames, upright, stands, dead)
        return sorted(kept + pumps, key=lambda c: c.peak_s) if pumps else kept, refused

    def _of_legs_that_stand(
        self, frames: Frames, lies: BoolArray, events: Sequence[Contraction]
    ) -> tuple[list[Contraction], list[Rejection]]:
        """Events without the raises of a shank that lies; one at the very border belongs to the centre before."""
        known = np.concatenate([[lies[0] if frames.begins else self._lay], lies])
        self._lay = bool(lies[-1])
        row = np.searchsorted(frames.start_s, [event.peak_s - BORDER_S for event in events], side="right")
        down = known[row] & np.array([event.kind in RAISES for event in events], dtype=bool)
        kept = [event for event, is_down in zip(events, down.tolist(), strict=True) if not is_down]
        refused = [event for event, is_down in zip(events, down.tolist(), strict=True) if is_down]
        return kept, [Rejection(event.peak_s, "lying_shank") for event in refused]

    def _pumps(self, frames: Frames, upright: FloatArray, stands: BoolArray, dead: BoolArray) -> list[Contraction]:
        """Ankle pumps of these frames, in order of time."""
        force, turn = frames.spread(ACC), frames.spread(GYR)
        still = (force < self._rules.least_pump_mps2) & ~stands
        rest = self._rest_before(frames, still)
        quick = frames.has_gyr & (turn > self._rules.most_pump_rad_s)
        among_raises = np.isnan(upright[:, 0]) & (self._since_raise_s(frames.start_s) < RAISED_S)
        small = (force < self._rules.most_pump_mps2) & ~quick
        chosen = np.flatnonzero(~stands & ~still & ~dead & small & ~among_raises)
        found: list[Contraction] = []
        for first in range(0, chosen.size, SWEEP):
            some = chosen[first : first + SWEEP]
            acc, gyr = (np.ascontiguousarray(x[some]) for x in (frames.acc_mps2, frames.gyr_rad_s))
            seen = tilts(acc)
            turned = turns(gyr, frames.has_gyr[some], seen)
            found += self._sweep(frames.start_s[some], seen, turned, acc.mean(axis=2), rest[some])
        return found

    def _since_raise_s(self, start_s: FloatArray) -> FloatArray:
        """Time (f,) from the last raise to the end of each centre; one at its very border may be the next frame's."""
        until_s = start_s + CENTRE_S - BORDER_S
        return until_s - self._raises_s[np.searchsorted(self._raises_s, until_s) - 1]

    def _rest_before(self, frames: Frames, still: BoolArray) -> FloatArray:
        """Mean force (f, 3) of the last still frame before each frame; NaN where there was none."""
        own = frames.own_force_mps2
        last = np.maximum.accumulate(np.where(still, np.arange(still.size), -1))
        before = np.concatenate([[-1], last[:-1]])
        rest = np.where((before >= 0)[:, None], own[before], self._rest)
        if last[-1] >= 0:
            self._rest = own[last[-1]]
        return rest

    def _sweep(
        self, start_s: FloatArray, seen: Tilts, turned: Turns, mean: FloatArray, rest: FloatArray
    ) -> list[Contraction]:
        """Pumps of frames (f,) that may show them; `mean` and `rest` (f, 3) are forces, now and before."""
        windows, odds = _repeats(seen, self._rules), log_odds(seen, turned, self._rules)
        found: list[Contraction] = []
        for k in np.flatnonzero(windows.any(axis=1)).tolist():
            window = int(np.where(windows[k], seen.likeness[k], -1.0).argmax())
            period_s = float(seen.period_s[k, window])
            going_on = start_s[k] - self._last_s < 1.6 * period_s
            least_run = _least_run(float(odds[k]), self._rules, going_on=going_on)
            if least_run == np.inf:
                continue
            away = (rest[k] - mean[k]) / STANDARD_GRAVITY_MPS2
            rest_rad = float(away @ seen.axis[k]) if float(np.linalg.norm(away)) < SAME_LIE_RAD else None
            course, side = self._plantar_up(
                seen.course_rad[k], seen.axis[k], WINDOWS[window], rest_rad, going_on=going_on
            )
            set_of = WINDOWS[window], period_s, self._rules.pump_alike
            for pump in pumps_of(course, *set_of, least_run):
                peak_s = float(start_s[k]) - BEFORE_S + pump.peak_s
                fits = self._rules.least_pump_tilt_rad < pump.tilt_rad < self._rules.most_pump_tilt_rad
                if fits and peak_s - self._last_s > 0.5 * period_s:
                    self._last_s = peak_s
                    found.append(_contraction(pump, float(start_s[k]) - BEFORE_S, side))
        return found

    def _plantar_up(
        self, course: FloatArray, axis: FloatArray, window: tuple[int, int], rest_rad: float | None, *, going_on: bool
    ) -> tuple[FloatArray, Side]:
        """The course with plantar flexion up, and what tells that way; a set keeps its way."""
        up, side = plantar_is_up(course[window[0] : window[1]], rest_rad)
        if going_on and self._plantar is not None and side is not Side.TOLD:
            up = float(self._plantar @ axis) > 0.0
        self._plantar = axis if up else -axis
        return (course if up else -course), side


def _least_run(log_odds: float, r: Rules, *, going_on: bool) -> float:
    """How many pumps in a row are believed: two of a set that goes on, many where a frame shows a set less well."""
    if going_on:
        return 2 if log_odds > r.least_pump_log_odds_going_on else np.inf
    if log_odds > r.least_pump_log_odds:
        return r.pumps_in_a_row
    return r.many_pumps_in_a_row if log_odds > r.least_pump_log_odds_of_many else np.inf


def _repeats(seen: Tilts, r: Rules) -> BoolArray:
    """Windows of each frame (f, windows) in which tilts repeat smoothly."""
    smooth = seen.rough_mps2 < r.most_pump_rough_mps2
    return np.asarray(smooth[:, None] & (seen.likeness > r.pump_likeness))


SURE = {Side.TOLD: 0.97, Side.DWELT: 0.91, Side.GUESSED: 0.8, Side.EVEN: 0.65}
"""How sure a pump is that it is one and peaks where it is said to. Measured on people who were not trained on (seeds
1000 to 1539, half of them of the wide range): 0.97 of 7 915 were right, 0.91 of 832, 0.80 of 516 and 0.65 of 637."""


def _contraction(pump: Pump, frame_s: float, side: Side) -> Contraction:
    """A pump with what can be said for it."""
    return Contraction(
        Kind.ANKLE_PUMP,
        round(frame_s + pump.onset_s, 3),
        round(frame_s + pump.peak_s, 3),
        round(frame_s + pump.end_s, 3),
        SURE[side],
        EVEN_TILTS,
        round(pump.tilt_rad, 4),
        {"strength_unit": "rad"},
    )
