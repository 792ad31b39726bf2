"""Guided calibration: which movement is asked for next, what was counted of it, and what is done once more.

No input or output and no clock: `Calibration.see` is told what a session shows, and says what is new.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from analysis.events import DELIBERATE, Kind

STILL_S = 6.0
POSE_S = 4.0
"""Time to stand up, or to sit down."""
SETTLE_S = 3.0
"""A set is over when it is full and nothing more has been counted for so long."""
PATIENCE_S = 10.0
"""A set that is not full is given up when nothing has been counted for so long."""
REST_S = 12.0
"""Every contraction is final ten seconds after its movement."""
TRIES = 3


class Step(StrEnum):
    """What the wearer is asked to do."""

    STILL = "sit still"
    SIT = "sit down"
    PUSHUPS = "push-ups"
    STAND = "stand up"
    RAISES = "raises"
    STEPS = "steps"
    REST = "stand quietly"


@dataclass(frozen=True, slots=True)
class Goal:
    """How many of which kind a set has; a set may be `slack` off."""

    kind: Kind
    wanted: int
    slack: int = 0

    def reached(self, counted: int) -> bool:
        """Whether that many are right."""
        return abs(counted - self.wanted) <= self.slack


GOALS: Mapping[Step, Goal] = {
    Step.PUSHUPS: Goal(Kind.SOLEUS_PUSHUP, 5),
    Step.RAISES: Goal(Kind.HEEL_RAISE, 5),
    Step.STEPS: Goal(Kind.STEP, 10, slack=1),
}
POSE = {Step.PUSHUPS: Step.SIT, Step.RAISES: Step.STAND, Step.STEPS: Step.STAND}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a session shows.

    Attributes:
        now_s: session second of the last sample.
        shown: contractions so far by kind, final and likely.
        likely: how many of them are not final yet.
    """

    now_s: float
    shown: Mapping[Kind, int]
    likely: int = 0


class What(StrEnum):
    """What is new."""

    BEGAN = "began"
    TICKED = "ticked"
    PASSED = "passed"
    AGAIN = "again"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class News:
    """Something to tell the wearer about a step."""

    step: Step
    what: What
    counted: int = 0


@dataclass(slots=True)
class Result:
    """A set as it stands: the count of its last try."""

    counted: int = 0
    tries: int = 0
    passed: bool = False


@dataclass(slots=True)
class Calibration:
    """One wearer's round of movements; sets that fail are asked for again, the others are not.

    Attributes:
        results: what became of each set, and of sitting still (`counted`: contractions seen meanwhile).
    """

    results: dict[Step, Result] = field(default_factory=dict)
    _plan: deque[Step] = field(
        default_factory=lambda: deque([Step.PUSHUPS, Step.STAND, Step.RAISES, Step.STEPS, Step.REST])
    )
    _step: Step = Step.STILL
    _began_s: float | None = None
    _changed_s: float = 0.0
    _counted: int = 0
    _ticked: int = 0
    _base: dict[Step, Mapping[Kind, int]] = field(default_factory=dict)
    _over: bool = False

    @property
    def finished(self) -> bool:
        """There is nothing more to do."""
        return self._over

    @property
    def passed(self) -> bool:
        """Every set was counted right, and nothing while sitting still."""
        return self._over and all(result.passed for result in self.results.values())

    def see(self, seen: Seen) -> list[News]:
        """What is new since the last time."""
        if self._over:
            return []
        if self._began_s is None:
            return [self._begin(Step.STILL, seen)]
        news = list(self._tick(seen))
        match self._step:
            case Step.STILL:
                news += self._see_still(seen)
            case Step.SIT | Step.STAND:
                if seen.now_s - self._began_s >= POSE_S:
                    news += self._next(seen)
            case Step.REST:
                news += self._see_rest(seen)
            case _:
                news += self._see_set(seen)
        return news

    def _begin(self, step: Step, seen: Seen) -> News:
        self._step, self._began_s, self._changed_s = step, seen.now_s, seen.now_s
        self._counted = self._ticked = 0
        self._base[step] = dict(seen.shown)
        if step in GOALS or step is Step.STILL:
            self.results.setdefault(step, Result()).tries += 1
        return News(step, What.BEGAN)

    def _next(self, seen: Seen) -> list[News]:
        if not self._plan:
            self._over = True
            return []
        return [self._begin(self._plan.popleft(), seen)]

    def _since(self, step: Step, kind: Kind, seen: Seen) -> int:
        """Contractions of a kind since the last try of a step began."""
        return seen.shown.get(kind, 0) - self._base[step].get(kind, 0)

    def _tick(self, seen: Seen) -> Iterator[News]:
        goal = GOALS.get(self._step)
        if goal is None:
            return
        counted = self._since(self._step, goal.kind, seen)
        if counted != self._counted:
            self._counted, self._changed_s = counted, seen.now_s
        if counted > self._ticked:  # what is only likely may go again; nobody is told backwards
            self._ticked = counted
            yield News(self._step, What.TICKED, counted)

    def _see_still(self, seen: Seen) -> list[News]:
        moved = sum(self._since(Step.STILL, kind, seen) for kind in DELIBERATE)
        if moved > 0:
            return self._judge(Step.STILL, moved, seen, right=False)
        if self._began_s is not None and seen.now_s - self._began_s >= STILL_S:
            return self._judge(Step.STILL, 0, seen, right=True)
        return []

    def _see_set(self, seen: Seen) -> list[News]:
        goal = GOALS[self._step]
        full = self._counted >= goal.wanted
        if seen.now_s - self._changed_s < (SETTLE_S if full else PATIENCE_S):
            return []
        return self._judge(self._step, self._counted, seen, right=goal.reached(self._counted))

    def _judge(self, step: Step, counted: int, seen: Seen, *, right: bool) -> list[News]:
        """Go on, or once more while there are tries left."""
        result = self.results[step]
        result.counted, result.passed = counted, right
        if right:
            return [News(step, What.PASSED, counted), *self._next(seen)]
        if result.tries >= TRIES:
            return [News(step, What.FAILED, counted), *self._next(seen)]
        return [News(step, What.AGAIN, counted), self._begin(step, seen)]

    def _see_rest(self, seen: Seen) -> list[News]:
        """Once all is final the sets are counted again; what has changed is asked for again."""
        waited_s = seen.now_s - (self._began_s or 0.0)
        if waited_s < SETTLE_S or (seen.likely and waited_s < REST_S):
            return []
        news: list[News] = []
        for step, goal in GOALS.items():
            news += self._judge_final(step, goal, seen)
        if self._plan:
            self._plan.append(Step.REST)
        return news + self._next(seen)

    def _judge_final(self, step: Step, goal: Goal, seen: Seen) -> list[News]:
        result, counted = self.results[step], self._since(step, goal.kind, seen)
        before, result.counted, result.passed = result.passed, counted, goal.reached(counted)
        if result.passed:
            return [] if before else [News(step, What.PASSED, counted)]
        if result.tries >= TRIES:
            return [News(step, What.FAILED, counted)] if before else []
        self._plan += [POSE[step], step]
        return [News(step, What.AGAIN, counted)]
