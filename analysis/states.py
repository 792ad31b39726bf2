"""What the wearer was doing: still or moving, worn or not, seated, standing or walking. Unknown where unclear."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from analysis.events import Contraction, Kind, State, StateSpan
from analysis.frames import ACC, GYR, MEAN_OF, Frames, Look
from analysis.gait import Gait
from analysis.rules import Rules
from analysis.samples import FloatArray

DEAD, QUIET, MOVING, WALKING, RUNNING, PUSHING, RAISING, PEDALLING, PUMPING = range(9)
ACTIVITIES = (WALKING, RUNNING, PUSHING, RAISING, PEDALLING, PUMPING)
REACH = 3
"""Frames over which events of one activity are joined, before and after."""

WALK_S = 8.0
"""A shorter walk does not tell how the shank stands."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """One row a frame centre: what it looked like, from when on and for how long it was seen."""

    start_s: FloatArray
    seen_s: FloatArray
    code: np.ndarray
    up: FloatArray


def rows(frames: Frames, rules: Rules) -> Rows:
    """Describe each frame's centre before any event is known."""
    low_g, ratio_g = _slow_movement(frames.whole, GYR)
    low_a, ratio_a = _slow_movement(frames.whole, ACC)
    dead_g = (low_g < rules.dead_turn_rad_s) & (ratio_g < rules.dead_turn_ratio)
    dead_a = (low_a < rules.dead_force_mps2) & (ratio_a < rules.dead_force_ratio)
    dead = np.where(frames.has_gyr, dead_g & (low_a < rules.dead_force_beside_gyr_mps2), dead_a)
    moving = np.where(
        frames.has_gyr,
        _slow_movement(frames.near, GYR)[0] > rules.quiet_turn_rad_s,
        _slow_movement(frames.near, ACC)[0] > rules.quiet_force_mps2,
    )
    code = np.where(dead, DEAD, np.where(moving, MOVING, QUIET))
    up = frames.own_force_mps2
    return Rows(frames.from_s, frames.seen_s, code, up / np.sqrt((up * up).sum(axis=1))[:, None])


def _slow_movement(look: Look, quantity: int) -> tuple[FloatArray, FloatArray]:
    """Movement slower than about 1 Hz (rms of the change of 0.4 s means), and its ratio to what noise would give."""
    slow, noise = look.change[quantity], look.noise[quantity]
    return np.sqrt(slow), slow / np.maximum(noise * 2.0 / MEAN_OF, 1e-18)


class StateMachine:
    """Rows and events of one stretch in, final spans out, once their label can no longer change."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._posture: tuple[State, FloatArray] | None = None
        self._upright: FloatArray | None = None  # up when it last walked
        self._held: list[Rows] = []
        self._run: tuple[int, float, float, FloatArray] | None = None  # code, start, end, up at its start
        self._span: StateSpan | None = None  # labelled, but the next one may join it
        self._waiting: list[Contraction] = []  # peaks that lie in a row still to come

    def feed(self, new: Rows, contractions: list[Contraction], *, ends: bool) -> list[StateSpan]:
        """Spans that are final after these rows. `ends` closes the stretch."""
        self._waiting = mark_events(new, self._waiting + contractions)
        self._held.append(new)
        whole = _joined(self._held)
        code = spread(whole.code)
        done = len(code) if ends else max(0, len(code) - REACH)
        keep = max(0, done - REACH)
        fresh = self._fresh_from(whole)
        spans = self._runs(whole, code, fresh, done)
        self._held = [Rows(whole.start_s[keep:], whole.seen_s[keep:], whole.code[keep:], whole.up[keep:])]
        if ends:
            spans += self._close()
            spans += [self._span] if self._span is not None else []
            self._held, self._waiting, self._span = [], [], None
        return spans

    def present(self) -> StateSpan | None:
        """The stretch that goes on, with the label it would have if it ended now; None where none is open.

        A leg that keeps still is one stretch for hours, and only its end makes it final.
        """
        if self._run is None:
            return None
        posture = self._posture
        code, start_s, end_s, up = self._run
        label = self._label(code, end_s - start_s, up)
        self._posture = posture  # a label is told, not given
        return StateSpan(label, round(start_s, 3), round(end_s, 3))

    def _fresh_from(self, whole: Rows) -> int:
        if self._run is None:
            return 0
        return int(np.searchsorted(whole.start_s, self._run[2] - 1e-6))

    def _runs(self, whole: Rows, code: np.ndarray, first: int, last: int) -> list[StateSpan]:
        spans: list[StateSpan] = []
        if first >= last:
            return spans
        edges = np.concatenate([[first], first + 1 + np.flatnonzero(np.diff(code[first:last])), [last]])
        for a, b in pairwise(edges.tolist()):
            end_s = float(whole.start_s[b - 1] + whole.seen_s[b - 1])
            if self._run is not None and self._run[0] == int(code[a]):
                self._run = (self._run[0], self._run[1], end_s, self._run[3])
                continue
            spans += self._close()
            self._run = (int(code[a]), float(whole.start_s[a]), end_s, whole.up[a])
        return spans

    def _close(self) -> list[StateSpan]:
        if self._run is None:
            return []
        code, start_s, end_s, up = self._run
        self._run = None
        span = StateSpan(self._label(code, end_s - start_s, up), round(start_s, 3), round(end_s, 3))
        before, self._span = self._span, span
        if before is None:
            return []
        if before.state is span.state:
            self._span = replace(before, end_s=span.end_s)
            return []
        return [before]

    def _label(self, code: int, length_s: float, up: FloatArray) -> State:
        if code in (WALKING, RUNNING):
            self._posture = (State.STANDING, up)
            self._upright = up if length_s >= WALK_S else self._upright
            return State.WALKING if code == WALKING else State.RUNNING
        if code == PEDALLING:
            return State.CYCLING
        if code == PUMPING:
            self._posture = (State.LYING, up)
            return State.LYING
        if code in (PUSHING, RAISING):
            state = State.SEATED if code == PUSHING else State.STANDING
            self._posture = (state, up)
            return state
        if code == DEAD and length_s >= self._rules.not_worn_s:
            self._posture = self._upright = None
            return State.NOT_WORN
        if code == MOVING:
            return State.UNKNOWN
        return self._still(length_s, up)

    def _still(self, length_s: float, up: FloatArray) -> State:
        """A worn, still leg: the posture known from movement while the shank keeps it, else long stillness sits."""
        if self._posture is not None and float(self._posture[1] @ up) > self._rules.same_posture_cos:
            state = self._posture[0]
            if state in (State.SEATED, State.LYING) or length_s < 10 * self._rules.posture_s:
                return state
        level = self._upright is not None and float(self._upright @ up) < self._rules.standing_shank_cos
        if level and length_s >= self._rules.posture_s:
            self._posture = (State.LYING, up)
            return State.LYING
        if length_s >= self._rules.posture_s:
            self._posture = (State.SEATED, up)
            return State.SEATED
        return State.UNKNOWN


def mark_events(new: Rows, contractions: list[Contraction]) -> list[Contraction]:
    """Rows in which a contraction peaks take its activity; those that peak in a later row are given back."""
    if not contractions:
        return []
    later = []
    peaks_s = np.array([event.peak_s for event in contractions])
    rows_of = np.searchsorted(new.start_s, peaks_s, side="right") - 1
    over = peaks_s >= (new.start_s + new.seen_s)[rows_of]
    for event, row, beyond in zip(contractions, rows_of.tolist(), over.tolist(), strict=True):
        if row >= 0 and beyond:
            later.append(event)
        elif row >= 0 and (code := _code_of(event)) is not None:
            new.code[row] = max(int(new.code[row]), code)
    return later


CODES = {
    Kind.STEP: WALKING,
    Kind.SOLEUS_PUSHUP: PUSHING,
    Kind.HEEL_RAISE: RAISING,
    Kind.PEDAL: PEDALLING,
    Kind.ANKLE_PUMP: PUMPING,
}


def _code_of(event: Contraction) -> int | None:
    if event.kind is Kind.STEP and event.attributes.get("gait") == Gait.RUN:
        return RUNNING
    return CODES.get(event.kind)


def spread(code: np.ndarray) -> np.ndarray:
    """Join events of one activity that are at most 3 rows apart; each row looks only 3 rows around."""
    out = code.copy()
    present = set(code.tolist())
    if DEAD in present:
        # Noise alone looks alive now and then: a quiet row among dead ones is dead.
        there = np.minimum(np.arange(code.size), REACH) + np.minimum(np.arange(code.size)[::-1], REACH)
        out[(code == QUIET) & (3 * sum(_beside(code == DEAD)) >= 2 * there) & (there > 0)] = DEAD
    for activity in sorted(present.intersection(ACTIVITIES)):
        before, after = _beside(code == activity)
        out[(code < WALKING) & (before > 0) & (after > 0)] = activity
    return out


def _beside(here: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many of the 3 rows before and of the 3 rows after are so."""
    padded = np.zeros(here.size + 2 * REACH, dtype=np.int8)
    padded[REACH:-REACH] = here
    rows_beside = np.lib.stride_tricks.sliding_window_view(padded, here.size)
    return rows_beside[:REACH].sum(axis=0), rows_beside[-REACH:].sum(axis=0)


def _joined(held: list[Rows]) -> Rows:
    if len(held) == 1:
        return held[0]
    return Rows(*(np.concatenate([getattr(r, name) for r in held]) for name in ("start_s", "seen_s", "code", "up")))
