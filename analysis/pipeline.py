"""Samples in, final events out. Live, replay and batch are this one class fed with blocks of different size."""

from __future__ import annotations

from copy import copy
from dataclasses import replace

import numpy as np

from analysis.classify import Classifier
from analysis.emg.agreement import Agreement
from analysis.emg.motion import NO_MOTION, Motion
from analysis.events import Contraction, Findings, Rejection, StateSpan
from analysis.features import traces
from analysis.frames import ACC, GYR, SIZE, BoolArray, Framer, Frames
from analysis.grid import Grid, GridPiece
from analysis.lying import LyingLeg
from analysis.pedalling import stroke_candidates
from analysis.raises import raise_candidates
from analysis.rules import RULES, Rules
from analysis.samples import SampleBlock
from analysis.states import DEAD, MOVING, StateMachine, rows
from analysis.swings import is_bouncing, swing_candidates

SWEEP = 128
"""About so many frames are analysed in one sweep: enough to be fast, few enough to stay in the processor's cache."""


LEAST_FALL_S = 0.1
"""So much of a contraction must be seen after its peak."""


class Pipeline:
    """The whole science behind one door.

    Any cutting of a stream into blocks gives the same events. An event is final, within 10 s of the movement.
    """

    def __init__(self, rules: Rules = RULES) -> None:
        self._rules = rules
        self._grid = Grid()
        self._framer = Framer()
        self._classifier = Classifier(rules)
        self._states = StateMachine(rules)
        self._lying = LyingLeg(rules)
        self._began_s = -np.inf  # the stretch
        self._emg = Agreement()
        self._motion = NO_MOTION

    def feed(self, *blocks: SampleBlock) -> Findings:
        """Take blocks of one stretch of time together (all modalities of it), give what became final."""
        pieces, gaps = self._grid.feed(blocks)
        self._emg.listen(blocks)
        found = self._emg.join(self._take(pieces), self._seen_motion())
        return found + Findings(gaps=tuple(gaps)) if gaps else found

    def finish(self) -> Findings:
        """What is still open when the session ends."""
        found = self._take(self._grid.finish())
        return self._emg.finish(found, self._seen_motion())

    @property
    def emg_usable_s(self) -> float:
        """Seconds in which the calf's EMG could be counted with."""
        return self._emg.usable_s

    @property
    def emg_too_slow(self) -> bool:
        """The EMG is raw and slower than raw EMG can be counted with."""
        return self._emg.too_slow

    def preview(self) -> tuple[Contraction, ...]:
        """Contractions that are over but not final yet, for a live screen; they may still change or go."""
        frames = self._framer.preview()
        if frames is None:
            return ()
        lively = np.flatnonzero(is_lively(frames, self._rules))
        return tuple(self._sweep(frames, lively, copy(self._classifier))[0]) if lively.size else ()

    def present(self) -> StateSpan | None:
        """What the wearer does now, as far as it can be told before it is over; a few seconds late, and not final."""
        return self._states.present()

    def _take(self, pieces: list[GridPiece]) -> Findings:
        found = Findings()
        for piece in pieces:
            frames = self._framer.feed(piece)
            if frames is not None:
                found = found + self._analyse(frames)
        return found

    def _seen_motion(self) -> Motion:
        """What the frames since the last call said about movement."""
        motion, self._motion = self._motion, NO_MOTION
        return motion

    def _analyse(self, frames: Frames) -> Findings:
        contractions: list[Contraction] = []
        rejections: list[Rejection] = []
        bounce_s = 0.0
        described = rows(frames, self._rules)
        seen = Motion(described.start_s, described.start_s + described.seen_s, described.code == MOVING)
        self._motion = self._motion + seen
        lively = np.flatnonzero(is_lively(frames, self._rules))
        for chosen in np.array_split(lively, max(1, round(lively.size / SWEEP))) if lively.size else ():
            kept, refused, bounced_s = self._sweep(frames, chosen, self._classifier)
            contractions += kept
            rejections += refused
            bounce_s += bounced_s
        contractions, lying = self._lying.judge(frames, described.up, described.code == DEAD, contractions)
        rejections += lying
        if frames.begins:
            self._began_s = round(float(frames.from_s[0]), 3)
        contractions = _seen_whole(contractions, frames, self._began_s)
        spans: list[StateSpan] = self._states.feed(described, contractions, ends=frames.ends)
        return Findings(tuple(contractions), tuple(spans), tuple(rejections), (), bounce_s)

    def _sweep(
        self, frames: Frames, chosen: np.ndarray, classifier: Classifier
    ) -> tuple[list[Contraction], list[Rejection], float]:
        acc, gyr = (np.ascontiguousarray(x[chosen]) for x in (frames.acc_mps2, frames.gyr_rad_s))
        found = traces(acc, gyr, frames.has_gyr[chosen])
        bouncing = is_bouncing(found, self._rules.bounce_hz, self._rules.bounce_m)
        kept, refused = classifier.judge(
            frames.start_s[chosen],
            raise_candidates(found, self._rules.clear_of_steps_s),
            swing_candidates(found),
            frames.has_gyr[chosen],
            bouncing,
            stroke_candidates(found, frames.has_gyr[chosen], self._rules),
        )
        return kept, refused, float(frames.seen_s[chosen][bouncing].sum())


def _seen_whole(contractions: list[Contraction], frames: Frames, began_s: float) -> list[Contraction]:
    """Without those that an end of the stretch cuts off at their peak; none reaches beyond the samples.

    Args:
        contractions: of these frames.
        frames: of one stretch.
        began_s: session time at which the stretch began, with these frames or earlier ones.
    """
    last_s = round(float(frames.until_s[-1]), 3) if frames.ends else np.inf
    whole = [c for c in contractions if began_s < c.peak_s < last_s - LEAST_FALL_S]
    return [
        c if began_s <= c.onset_s and c.end_s <= last_s
        else replace(c, onset_s=max(c.onset_s, began_s), end_s=min(c.end_s, last_s))
        for c in whole
    ]  # fmt: skip


def is_lively(frames: Frames, rules: Rules) -> BoolArray:
    """Frames in which a heel could have risen; the rest need no further look.

    Lifting changes the size of the specific force, whatever way the sensor lies; turning alone does not.
    """
    lifts = frames.spread(SIZE) > rules.lively_force_mps2
    turns = frames.spread(GYR) > rules.lively_turn_rad_s
    quick = frames.own.noise[ACC] > rules.lively_noise_mps2**2
    return (lifts & (turns | ~frames.has_gyr)) | quick
