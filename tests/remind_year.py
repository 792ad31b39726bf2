"""A simulated year of a mixed life under reminders: `python -m tests.remind_year [--days N] [--seed N]`.

A wearer in a zone with both changes of the clocks: office days, a home office, weekends, a night shift now and then,
holidays, calls, locked screens, radio gaps, days without the sensor. An observation a minute while anybody is up. The
wearer answers some messages, moves after some, and none of it is tuned to the engine.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from analysis.events import Leg
from tracker.remind import engine
from tracker.remind.adaptive import worked
from tracker.remind.decisions import Answer, Button, Doing, LegSeen, Observation, Rung, Show
from tracker.remind.engine import Rules
from tracker.remind.schedule import Schedule, holidays, periods, quiet_periods
from tracker.remind.settings import RemindSettings
from tracker.remind.state import Reminder, State

ZONE = ZoneInfo("Europe/Berlin")
FIRST = datetime(2026, 1, 1, tzinfo=ZONE)
MINUTE = timedelta(minutes=1)

SETTINGS = RemindSettings(
    schedule=Schedule(
        hours=(periods("07:30-22:00"),) * 5 + (periods("09:00-22:30"), periods("off")),
        quiet=quiet_periods("12:00-12:45, wed 15:00-16:00"),
        holidays=holidays("2026-12-24..2026-12-31, 2026-05-01, 2026-07-06..2026-07-12"),
    ),
)


@dataclass
class Life:
    """What the leg and the desktop do, drawn at random from one seed, minute by minute."""

    dice: random.Random
    moves_until: float = 0.0
    peaks: list[float] = field(default_factory=list)
    walked: list[float] = field(default_factory=list)
    doing: Doing = Doing.GAP
    until: float = 0.0
    call_until: float = 0.0
    locked_until: float = 0.0

    def minute(self, now: float, local: datetime) -> Observation:
        """The observation at an instant; `local` is the same on the wearer's clock."""
        if now >= self.until:
            self._next(now, local)
        if now < self.moves_until and self.doing is Doing.STILL:
            self.peaks += [now - 60 + second for second in range(0, 60, 6)]
        if self.doing is Doing.WALKING:
            self.walked += [now]
        while self.peaks and self.peaks[0] < now - 600:
            del self.peaks[: len([peak for peak in self.peaks if peak < now - 600])]
        while self.walked and self.walked[0] <= now - 300:
            del self.walked[0]
        leg = LegSeen(Leg.LEFT, self.doing, tuple(self.peaks), 60.0 * len(self.walked))
        call = now < self.call_until
        return Observation(local, ZONE, (leg,), now < self.locked_until, False, call, call, None)

    def _next(self, now: float, local: datetime) -> None:
        """The next stretch of the day: sitting, walking, a call, the sensor off."""
        dice, hour = self.dice, local.hour
        if hour < 7 or hour >= 23:
            self._begin(now, Doing.NOT_WORN if dice.random() < 0.9 else Doing.GAP, 20, 60)
            return
        kind = dice.choices(("sit", "walk", "call", "away", "gap", "unknown", "off"), (46, 22, 10, 8, 5, 5, 4))[0]
        match kind:
            case "sit":
                self._begin(now, Doing.STILL, 5, 95)
                if dice.random() < 0.3:
                    self.moves_until = now + dice.uniform(60, 400)
            case "walk":
                self._begin(now, Doing.WALKING, 1, 12)
            case "call":
                self._begin(now, Doing.STILL, 10, 60)
                self.call_until = self.until
            case "away":
                self._begin(now, Doing.STILL, 5, 50)
                self.locked_until = self.until
            case "gap":
                self._begin(now, Doing.GAP, 1, 15)
            case "unknown":
                self._begin(now, Doing.UNKNOWN, 1, 8)
            case _:
                self._begin(now, Doing.NOT_WORN, 30, 240)

    def _begin(self, now: float, doing: Doing, least_min: float, most_min: float) -> None:
        self.doing, self.until = doing, now + 60 * self.dice.uniform(least_min, most_min)

    def hear(self, message: Show, now: float) -> Answer | None:
        """What the wearer does about a message: moves, answers, or nothing."""
        if message.rung is Rung.SOON or self.dice.random() < 0.35:
            return None
        if self.dice.random() < 0.7:
            self.moves_until = now + 60 * self.dice.uniform(2, 5)
            return None
        button = self.dice.choices(tuple(Button), (5, 4, 1))[0]
        return Answer(button, message.id)


def minutes(days: int, first: datetime = FIRST) -> Iterator[tuple[float, datetime]]:
    """Every minute of the wearer's days, and every tenth of the nights; suspended from two to five."""
    at, end = first.timestamp(), first.timestamp() + days * 86_400
    while at < end:
        local = datetime.fromtimestamp(at, ZONE)
        if not 2 <= local.hour < 5:
            yield at, local
        at += 60 if local.hour >= 6 else 600


@dataclass
class Year:
    """What came of it."""

    observations: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    reminders: dict[int, Reminder] = field(default_factory=dict)
    messages: list[tuple[float, Show]] = field(default_factory=list)
    seconds: float = 0.0

    def take(self, step: engine.Step, now: float) -> None:
        """Add what one step did."""
        for decision in step.decisions:
            self.decisions[type(decision).__name__] += 1
            if isinstance(decision, Show):
                self.messages.append((now, decision))
        for reminder in step.changed:
            self.reminders[reminder.id] = reminder


def live(days: int = 365, seed: int = 0, settings: RemindSettings = SETTINGS, first: datetime = FIRST) -> Year:
    """Live through so many days."""
    life, rules, year, state = Life(random.Random(seed)), Rules.of(settings), Year(), State()
    begun = time.perf_counter()
    for now, local in minutes(days, first):
        step = engine.step(state, life.minute(now, local), rules)
        state = step.state
        year.observations += 1
        if step.changed or step.decisions:
            year.take(step, now)
            for decision in step.decisions:
                if isinstance(decision, Show) and (given := life.hear(decision, now)) is not None:
                    answered = engine.answer(state, given, local, ZONE, settings)
                    state = answered.state
                    year.take(answered, now)
    year.seconds = time.perf_counter() - begun
    return year


def summary(year: Year, settings: RemindSettings = SETTINGS) -> str:
    """A page about the year."""
    shown = [one for one in year.reminders.values() if one.shown_s is not None]
    rungs = Counter(str(one.rung) for one in shown)
    held = Counter(str(one.held_by) for one in year.reminders.values() if one.held_by is not None)
    never = [one for one in year.reminders.values() if one.shown_s is None]
    did = [worked(one) for one in shown]
    a_day: Counter[date] = Counter(
        datetime.fromtimestamp(at, ZONE).date() for at, show in year.messages if show.rung is not Rung.SOON
    )
    answers = Counter(str(one.answer) for one in shown if one.answer is not None)
    known = did.count(True) + did.count(False)
    lines = [
        f"{year.observations:,} observations from {FIRST:%Y-%m-%d} on, on the clock of {ZONE.key}: "
        f"{year.seconds:.1f} s",
        f"reminders due      {len(year.reminders)}",
        f"shown              {len(shown)} ({_told(rungs)})",
        f"never shown        {len(never)}",
        f"held back first by {_told(held)}",
        f"days with messages {len(a_day)}, at most {max(a_day.values(), default=0)} a day (cap {settings.daily_cap})",
        f"answers            {_told(answers)}",
        f"moved in 5 minutes {did.count(True)} of {known} messages of which that is known",
    ]
    return "\n".join(lines)


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common())


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.remind_year", description="A year under reminders.")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(summary(live(asked.days, asked.seed)))  # noqa: T201 - a command of its own


if __name__ == "__main__":
    main()
