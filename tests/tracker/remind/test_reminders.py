"""The engine with store, settings and calendar: nothing is lost when the process dies, nothing stops on bad input."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.events import Leg
from tests.tracker.remind.conftest import BERLIN, MONDAY_TEN
from tracker.errors import ConfigError, StoreError
from tracker.home import Home
from tracker.remind.decisions import (
    Answer,
    Button,
    Decision,
    Doing,
    LegSeen,
    Notice,
    NoticeKind,
    Observation,
    Show,
    Withdraw,
)
from tracker.remind.glance import glance
from tracker.remind.reminders import Reminders
from tracker.remind.settings import RemindSettings
from tracker.remind.state import End
from tracker.store import Store
from tracker.store.civil import later


class World:
    """A home, a store that can be left as a killed process leaves it, and a clock."""

    def __init__(self, root: Path) -> None:
        self.home, self.now, self.rules = Home(root), MONDAY_TEN, RemindSettings()
        self.store = self.open()

    def open(self) -> Store:
        return Store(self.home, clock=lambda: self.now.astimezone(UTC))

    def reminders(self) -> Reminders:
        return Reminders(self.store, lambda: self.rules, beside=False)

    def live(
        self, reminders: Reminders, minutes: float, doing: Doing = Doing.STILL, peaks: tuple[float, ...] = (),
        every_s: float = 60.0,
    ) -> list[Decision]:  # fmt: skip
        said: list[Decision] = []
        end = later(self.now, 60 * minutes)
        while self.now.timestamp() < end.timestamp():
            said += reminders.observe(Observation(self.now, BERLIN, (LegSeen(Leg.LEFT, doing, peaks),)))
            self.now = later(self.now, every_s)
        return said


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """At ten on a Monday in Berlin."""
    made = World(tmp_path / "home")
    yield made
    made.store.close()


def test_every_reminder_is_a_row(world: World) -> None:
    """Due, shown, answered, and what the leg did."""
    reminders = world.reminders()
    (message,) = world.live(reminders, 31)
    assert isinstance(message, Show)
    assert reminders.answer(Answer(Button.SNOOZE, message.id), world.now, BERLIN) == (Withdraw(message.id),)
    peaks = tuple(world.now.timestamp() - n for n in range(25))
    world.live(reminders, 6, peaks=peaks)
    (row,) = world.store.reminders()
    assert datetime.fromtimestamp(row.due_s, BERLIN) == MONDAY_TEN + timedelta(minutes=30)
    assert (row.still_s, row.shown_s, row.answer, row.end) == (1800.0, row.due_s, Button.SNOOZE, End.ANSWERED)
    assert row.contractions == 25


@pytest.mark.parametrize("minutes", [29, 30.4, 41])
def test_a_killed_process_goes_on_where_it_was(world: World, minutes: float) -> None:
    """Killed without a word and started again four seconds later, the ladder goes on as if nothing had been."""
    lived = World(world.home.root.with_name("lived"))
    on = lived.reminders()
    whole = lived.live(on, 60, every_s=5.0)
    died = world.reminders()
    before = world.live(died, minutes, every_s=5.0)
    world.store = world.open()  # the old one is left open, as a killed process leaves it
    after = world.live(world.reminders(), 60 - minutes, every_s=5.0)
    assert [replace(one) for one in (*before, *after)] == whole
    assert world.store.reminders() == lived.store.reminders()
    lived.store.close()


def test_debt_and_snooze_survive(world: World) -> None:
    """What was still for 20 minutes is due after ten more; a snooze holds on."""
    world.live(world.reminders(), 20)
    assert world.live(world.reminders(), 10) == []
    assert len(world.live(world.reminders(), 1)) == 1
    first = world.reminders()
    first.answer(Answer(Button.SNOOZE, minutes=60), world.now, BERLIN)
    assert world.live(world.reminders(), 59) == []


def test_a_locked_database_costs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages come all the same, and the rows are written when the lock is gone."""
    reminders = world.reminders()
    world.live(reminders, 25)

    def locked(*_: object, **__: object) -> None:
        raise StoreError("locked by another process")

    with monkeypatch.context() as busy:
        busy.setattr(Store, "keep_reminders", locked)
        busy.setattr(Store, "queued_answers", locked)
        assert len(world.live(reminders, 10)) == 1
        assert world.store.reminders() == []
    world.live(reminders, 1)
    assert len(world.store.reminders()) == 1
    assert world.store.reminder_state()[0] == reminders.state.to_json()


def test_answers_of_commands_are_taken_once(world: World) -> None:
    """`soleus remind snooze` in another process: the message goes at the next look, and the row knows."""
    reminders = world.reminders()
    (message,) = world.live(reminders, 31)
    assert isinstance(message, Show)
    with world.open() as other:
        other.queue_answer(Answer(Button.SNOOZE, minutes=30))
    assert world.live(reminders, 1) == [Withdraw(message.id)]
    assert world.store.queued_answers() == []
    assert world.live(reminders, 28) == []
    assert len(world.live(reminders, 2)) == 1
    assert world.store.reminders()[-1].answer is Button.SNOOZE


def test_a_glance_shows_answers_that_wait(world: World) -> None:
    """Before the engine has taken them, and where none is at work."""
    world.live(world.reminders(), 31)
    world.store.queue_answer(Answer(Button.NOT_TODAY))
    known = glance(world.store, world.rules, world.now, BERLIN).to_json()
    assert known["not_before"] == "2026-05-05T00:00:00+02:00"
    assert (known["watching"], known["shown_today"], known["still_s"]) == (True, 1, 1800.0)
    late = glance(world.store, world.rules, world.now + timedelta(hours=1), BERLIN)
    assert (late.to_json()["watching"], late.to_json()["still_s"], late.why().due_at) == (False, None, None)


def test_settings_that_cannot_be_used_keep_the_last_ones(world: World) -> None:
    """Told once with the sentence; rules that were never readable are no rules, and bring no message."""
    reminders = world.reminders()
    world.live(reminders, 20)
    good = world.rules

    def bad() -> RemindSettings:
        raise ConfigError("settings.toml: remind.hours cannot be used.")

    reminders._read = bad
    notice, message = world.live(reminders, 15)
    assert isinstance(notice, Notice)
    assert (notice.kind, notice.text) == (NoticeKind.SETTINGS_UNUSABLE, "settings.toml: remind.hours cannot be used.")
    assert isinstance(message, Show)
    reminders._read = lambda: good
    world.live(reminders, 2)
    assert reminders.trouble == ""
    fresh = Reminders(world.store, bad)
    assert not any(isinstance(one, Show) for one in world.live(fresh, 60))


def test_a_state_that_cannot_be_read_is_begun_anew(world: World) -> None:
    """Ids go on after those that are there."""
    world.live(world.reminders(), 31)
    world.store.keep_reminders("{damaged", (), "Europe/Berlin")
    (message,) = world.live(world.reminders(), 31)
    assert isinstance(message, Show)
    assert message.id == 2


def test_the_calendar_holds_back_and_its_loss_is_told(world: World, tmp_path: Path) -> None:
    """Busy until eleven; then the file is broken, which is told once, and messages come without it."""
    path = tmp_path / "busy.ics"
    path.write_text(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\n"
        "DTSTART:20260504T080000Z\nDTEND:20260504T090000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    world.rules = RemindSettings(calendar=path)
    reminders = world.reminders()
    assert world.live(reminders, 60) == []
    (message,) = world.live(reminders, 1)
    assert isinstance(message, Show)
    path.write_text("nothing")
    os.utime(path, ns=(1, 1))
    found = [one for one in world.live(reminders, 5) if isinstance(one, Notice)]
    assert [one.kind for one in found] == [NoticeKind.CALENDAR_UNREADABLE]
    seen = Observation(world.now, BERLIN, (LegSeen(Leg.LEFT, Doing.STILL),))
    assert "whether your calendar says busy" in reminders.why(seen).unknown
    assert str(path) in reminders.why(seen).unknown


def test_why_and_next_due_change_nothing(world: World) -> None:
    """They only look."""
    reminders = world.reminders()
    world.live(reminders, 10)
    before = reminders.state
    seen = Observation(world.now, BERLIN, (LegSeen(Leg.LEFT, Doing.STILL),))
    assert reminders.next_due(seen) == MONDAY_TEN + timedelta(minutes=30)
    assert reminders.why(seen).last == "There has been none yet."
    assert reminders.state is before


def test_it_learns_where_it_is_asked_to(world: World) -> None:
    """Messages at ten that never worked move that hour to the wearer's latest limit."""
    rows = []
    for day in range(1, 26):
        shown_s = (MONDAY_TEN - timedelta(days=day)).timestamp()
        good = day > 20
        hour_s = 3600 * 4 if good else 0
        row = replace(_row(day, shown_s + hour_s), moved_s=shown_s + hour_s + 60 if good else None)
        rows.append(row)
    world.store.keep_reminders("{}", rows, "Europe/Berlin")
    world.rules = RemindSettings(adaptive=True, adaptive_most_min=50)
    reminders = world.reminders()
    world.live(reminders, 40)
    seen = Observation(world.now, BERLIN, (LegSeen(Leg.LEFT, Doing.STILL),))
    assert reminders.next_due(seen) == MONDAY_TEN + timedelta(minutes=50)


def _row(number: int, shown_s: float):  # type: ignore[no-untyped-def]
    from tracker.remind.decisions import Rung
    from tracker.remind.state import Reminder

    return Reminder(number, Rung.GENTLE, "left", shown_s, 1800.0, shown_s, contractions=0, end=End.LOST)
