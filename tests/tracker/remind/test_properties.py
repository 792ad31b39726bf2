"""What must hold of reminders in every week: random wear, gaps, movement, sleep, desktops, zones, clock changes.

`SOLEUS_WEEKS=200` looks at more weeks than the few of an ordinary run.
"""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tracker.remind.weeks import Oracle, Stretch, Week, weeks
from tracker.remind import engine
from tracker.remind.decisions import Answer, Badge, Button, Doing, Observation, Rung, Show
from tracker.remind.engine import Rules
from tracker.remind.schedule import Schedule, holidays, periods, quiet_periods
from tracker.remind.settings import RemindSettings
from tracker.remind.state import State

HOURS = "07:30-21:30"
QUIET = "12:00-13:00, 17:15-17:45"

rules_drawn = st.builds(
    RemindSettings,
    still_min=st.sampled_from((5.0, 20.0, 30.0, 50.0)),
    clear_contractions=st.sampled_from((1, 5, 20)),
    cool_down_min=st.sampled_from((1.0, 10.0, 45.0)),
    credit_min=st.sampled_from((0.0, 15.0, 60.0)),
    daily_cap=st.sampled_from((1, 3, 12, 100)),
    ladder=st.sampled_from(((Rung.GENTLE,), (Rung.GENTLE, Rung.AGAIN), (Rung.GENTLE, Rung.AGAIN, Rung.BADGE))),
    day_start_hour=st.sampled_from((0, 5)),
)
answers = st.lists(st.sampled_from((None, None, None, Button.DONE, Button.SNOOZE, Button.NOT_TODAY)), max_size=12)
slow = settings(
    max_examples=int(os.environ.get("SOLEUS_WEEKS", "5")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def with_hours(drawn: RemindSettings, first: date) -> tuple[RemindSettings, Oracle]:
    """The same rules for the engine and for the oracle; Sunday is off, the fourth day is a holiday."""
    holiday = first + timedelta(days=3)
    week = Schedule((periods(HOURS),) * 6 + (periods("off"),), quiet_periods(QUIET), holidays(holiday.isoformat()))
    rules = RemindSettings(
        still_min=drawn.still_min, clear_contractions=drawn.clear_contractions, cool_down_min=drawn.cool_down_min,
        credit_min=drawn.credit_min, daily_cap=drawn.daily_cap, ladder=drawn.ladder,
        day_start_hour=drawn.day_start_hour, schedule=week,
    )  # fmt: skip
    need_s = drawn.still_min * 60
    oracle = Oracle(
        need_s, need_s / drawn.clear_contractions, drawn.credit_min * 60, drawn.clear_contractions,
        [(7.5, 21.5)] * 6 + [None], [(12, 13), (17.25, 17.75)], {holiday}, drawn.day_start_hour,
    )  # fmt: skip
    return rules, oracle


class Witness:
    """Follows engine and oracle side by side and checks every property at every observation."""

    def __init__(self, rules: RemindSettings, oracle: Oracle, heard: list[Button | None]) -> None:
        self.settings, self.rules, self.oracle = rules, Rules.of(rules), oracle
        self.heard = heard
        self.state = State()
        self.messages: list[float] = []
        self.by_day: dict[date, int] = {}
        self.rungs: list[Rung] = []
        self.resting_until = 0.0
        self.rows: dict[int, object] = {}
        self.zone: ZoneInfo | None = None

    def take(self, seen: Observation) -> None:
        self.oracle.take(seen)
        if self.oracle.stretch_is_over():
            self.rungs = []
        now_s = seen.now.timestamp()
        day = self.oracle.day(seen)
        left = [rung for rung in self.settings.ladder if rung not in self.rungs]
        cool_s = self.messages[-1] + self.settings.cool_down_min * 60 if self.messages else 0.0
        owed = self.oracle.owed()
        is_due = owed is not None and owed >= self.oracle.need_s and bool(left) and now_s >= cool_s
        resting = now_s < self.resting_until or self.by_day.get(day, 0) >= self.settings.daily_cap
        expected = left[0] if is_due and not resting and not self.oracle.forbids() else None

        step = engine.step(self.state, seen, self.rules)
        if step.decisions or step.changed:
            assert engine.step(self.state, seen, self.rules) == step, "not a pure function"
            assert State.from_json(step.state.to_json()) == step.state, "a state does not survive its own text"
        self.state = step.state
        shown = [one for one in step.decisions if isinstance(one, Show) or (isinstance(one, Badge) and one.on)]
        rungs = [one.rung if isinstance(one, Show) else Rung.BADGE for one in shown]
        assert rungs == ([] if expected is None else [expected])
        for one in step.changed:
            self.rows[one.id] = one
        if expected is not None:
            self.note(expected, now_s, day, shown[0], seen)

    def move_to(self, zone: ZoneInfo) -> None:
        """A day is told in the zone of the moment: the messages before are counted again where that changes."""
        self.zone, self.by_day = zone, {}
        for at in self.messages:
            then = datetime.fromtimestamp(at, zone).replace(tzinfo=None)
            day = (then - timedelta(hours=self.oracle.start_hour)).date()
            self.by_day[day] = self.by_day.get(day, 0) + 1

    def note(self, rung: Rung, now_s: float, day: date, decision: Show | Badge, seen: Observation) -> None:
        assert rung not in self.rungs
        self.rungs.append(rung)
        row = self.rows[decision.id]
        assert (row.rung, row.shown_s) == (rung, now_s)  # type: ignore[attr-defined]
        if isinstance(decision, Badge):
            return
        assert not self.messages or now_s - self.messages[-1] >= self.settings.cool_down_min * 60
        self.messages.append(now_s)
        self.by_day[day] = self.by_day.get(day, 0) + 1
        assert self.by_day[day] <= self.settings.daily_cap
        button = self.heard[len(self.messages) % len(self.heard)] if self.heard else None
        if button is not None:
            self.answer(Answer(button, decision.id), now_s, seen)

    def answer(self, given_: Answer, now_s: float, seen: Observation) -> None:
        self.state = engine.answer(self.state, given_, seen.now, seen.zone, self.settings).state
        match given_.button:
            case Button.DONE:
                self.rungs = []
                self.oracle.debts = {name: min(debt, 0.0) for name, debt in self.oracle.debts.items()}
            case Button.SNOOZE:
                self.resting_until = now_s + self.settings.snooze_min * 60
            case Button.NOT_TODAY:
                tomorrow = self.oracle.day(seen) + timedelta(days=1)
                start = datetime(tomorrow.year, tomorrow.month, tomorrow.day, self.oracle.start_hour, tzinfo=seen.zone)
                self.resting_until = start.timestamp()


@slow
@given(week=weeks, drawn=rules_drawn, heard=answers)
def test_every_week_keeps_the_rules(week: Week, drawn: RemindSettings, heard: list[Button | None]) -> None:
    """A message comes exactly when the formulas say so, never in quiet time, unworn, too soon, twice, or too often.

    The oracle says at each observation whether a message of a rung is due and forbidden by nothing. That the engine
    says the same is all six properties at once: the observations lie at most a minute apart, so it is never later
    than a minute after it was due.
    """
    rules, oracle = with_hours(drawn, week.first)
    witness = Witness(rules, oracle, heard)
    for seen in week.observations():
        witness.take(seen)


@slow
@given(week=weeks, drawn=rules_drawn, other=st.sampled_from(("Asia/Tokyo", "America/Los_Angeles", "Pacific/Apia")))
def test_a_journey_keeps_the_rules(week: Week, drawn: RemindSettings, other: str) -> None:
    """The same where the wearer flies to another zone in the middle of the week."""
    rules, oracle = with_hours(drawn, week.first)
    witness = Witness(rules, oracle, [])
    there = ZoneInfo(other)
    for seen in week.observations():
        is_away = (seen.now.date() - week.first).days >= 2
        if is_away and witness.zone is not there:
            witness.move_to(there)
        moved = Observation(
            seen.now, there if is_away else seen.zone, seen.legs, seen.locked, seen.do_not_disturb, seen.microphone,
            seen.camera, seen.busy,
        )  # fmt: skip
        witness.take(moved)


def test_such_weeks_are_not_silent() -> None:
    """A plain week has many messages of every rung: the properties are not kept by saying nothing."""
    life = [
        Stretch(Doing.STILL, 90), Stretch(Doing.WALKING, 5), Stretch(Doing.STILL, 45, 14.0),
        Stretch(Doing.STILL, 31, microphone=True), Stretch(Doing.NOT_WORN, 31),
    ]  # fmt: skip
    week = Week(ZoneInfo("Europe/Berlin"), date(2026, 3, 25), life, 60.0, None)
    rules, oracle = with_hours(RemindSettings(), week.first)
    witness = Witness(rules, oracle, [None, Button.SNOOZE])
    rungs = set()
    for seen in week.observations():
        witness.take(seen)
        rungs |= set(witness.rungs)
    assert rungs == set(rules.ladder)
    assert len(witness.messages) > 25


@slow
@given(week=weeks, drawn=rules_drawn, every=st.integers(2, 40))
def test_a_kill_at_any_instant_loses_nothing(week: Week, drawn: RemindSettings, every: int) -> None:
    """An engine that is made anew from the written state again and again decides what one decides that lived on."""
    rules, _ = with_hours(drawn, week.first)
    kept = written = State()
    terms = Rules.of(rules)
    for number, seen in enumerate(week.observations(days=3)):
        on, anew = engine.step(kept, seen, terms), engine.step(written, seen, terms)
        assert on == anew
        kept, written = on.state, anew.state
        if number % every == 0:
            written = State.from_json(written.to_json()) or State()
