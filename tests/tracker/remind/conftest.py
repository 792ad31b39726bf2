"""A wearer who can be put through minutes of stillness, movement and calls, and an engine that watches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analysis.events import Leg
from tracker.remind import engine
from tracker.remind.decisions import Answer, Badge, Button, Decision, Doing, LegSeen, Observation, Show
from tracker.remind.engine import Rules
from tracker.remind.settings import RemindSettings
from tracker.remind.state import Reminder, State
from tracker.store.civil import later

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_TEN = datetime(2026, 5, 4, 10, tzinfo=BERLIN)


class Wearer:
    """Observed every `every_s` seconds from ten on a Monday; what the engine does is kept.

    Attributes:
        now: the instant of the next observation.
        said: every decision with its instant.
        rows: every reminder as its row is to be.
    """

    def __init__(self, settings: RemindSettings, every_s: float) -> None:
        self.settings, self.rules, self.every_s = settings, Rules.of(settings), every_s
        self.now, self.state = MONDAY_TEN, State()
        self.said: list[tuple[datetime, Decision]] = []
        self.rows: dict[int, Reminder] = {}
        self.peaks: tuple[float, ...] = ()

    def live(self, minutes: float, doing: Doing = Doing.STILL, **seen: Any) -> list[Decision]:
        """Some minutes of the same; keywords are fields of `LegSeen` and `Observation`. Gives what was decided."""
        begun = len(self.said)
        of_leg = {name: seen.pop(name) for name in ("walking_s", "active") if name in seen}
        end = later(self.now, 60 * minutes)
        while self.now.timestamp() < end.timestamp():
            leg = LegSeen(Leg.LEFT, doing, self.peaks, **of_leg)
            self.observe(Observation(self.now, BERLIN, (leg,), **seen))
            self.now = later(self.now, self.every_s)
        return [decision for _, decision in self.said[begun:]]

    def observe(self, seen: Observation) -> None:
        self._take(engine.step(self.state, seen, self.rules))

    def answer(self, button: Button, reminder_id: int | None = None, minutes: float | None = None) -> list[Decision]:
        begun = len(self.said)
        given = Answer(button, reminder_id, minutes)
        self._take(engine.answer(self.state, given, self.now, BERLIN, self.settings))
        return [decision for _, decision in self.said[begun:]]

    def pump(self, number: int) -> None:
        """Contractions, one every two seconds, the last of them now."""
        now_s = self.now.timestamp()
        self.peaks = (*self.peaks, *(now_s - 2 * n for n in reversed(range(number))))

    def _take(self, step: engine.Step) -> None:
        self.state = step.state
        self.said += [(self.now, decision) for decision in step.decisions]
        self.rows |= {one.id: one for one in step.changed}

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Time and rung of everything that was shown."""
        return [
            (f"{at:%H:%M}", str(one.rung) if isinstance(one, Show) else "badge")
            for at, one in self.said
            if isinstance(one, Show) or (isinstance(one, Badge) and one.on)
        ]


@pytest.fixture
def wearer() -> Callable[..., Wearer]:
    """Makes a wearer; keywords are rules, `every_s` the seconds between observations."""

    def made(*, every_s: float = 60.0, **rules: Any) -> Wearer:
        return Wearer(replace(RemindSettings(), **rules), every_s)

    return made
