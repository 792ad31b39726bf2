"""Reminders in the database: forgotten and brought back with their time, backed up, purged, read by other tools."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.events import Leg
from tracker.home import Home
from tracker.remind.decisions import Answer, Button, Rung
from tracker.remind.state import End, Reminder, Rule
from tracker.store import Batch, NewSession, Store
from tracker.store.backup import restore

START = datetime(2026, 5, 1, 9, tzinfo=UTC)
Make = Callable[..., Batch]


def reminder(number: int, minutes: float, leg: str = "left") -> Reminder:
    due_s = (START + timedelta(minutes=minutes)).timestamp()
    return Reminder(number, Rung.GENTLE, leg, due_s, 1800.0, due_s + 60.25, Rule.LOCKED, due_s + 90.5, Button.DONE, 21)


@pytest.fixture
def kept(store: Store, batch: Make) -> Store:
    """Two hours of both legs, and three reminders in them."""
    for leg in (Leg.LEFT, Leg.RIGHT):
        store.add(NewSession(START, leg, content_key=leg), batch((10.0,), 7200.0), ended_at=START + timedelta(hours=2))
    rows = [reminder(1, 30), reminder(2, 70), reminder(3, 90, "right")]
    store.keep_reminders('{"format": 1}', rows, "Europe/Berlin")
    return store


def ids(store: Store) -> list[int]:
    return [one.id for one in store.reminders()]


def test_what_is_kept_comes_back(kept: Store) -> None:
    """Every field, the latest first; writing again changes what may change and adds nothing."""
    assert kept.reminders() == [reminder(3, 90, "right"), reminder(2, 70), reminder(1, 30)]
    changed = replace(reminder(2, 70), moved_s=reminder(2, 70).due_s + 200, end=End.MOVED)
    kept.keep_reminders("{}", [changed], "Europe/Berlin")
    assert kept.reminders()[1] == changed
    assert [
        one.id for one in kept.reminders(since=START + timedelta(minutes=70), until=START + timedelta(minutes=90))
    ] == [2]
    assert [one.id for one in kept.reminders(limit=1)] == [3]
    assert kept.reminder_state() == ("{}", 4)


def test_a_forgotten_time_hides_its_reminders(kept: Store) -> None:
    """Of both legs; undo shows them again, the same to the last field; ids are not given twice."""
    before = kept.reminders()
    kept.forget_range(START + timedelta(minutes=60), START + timedelta(minutes=100))
    assert ids(kept) == [1]
    assert kept.reminder_state()[1] == 4
    kept.undo()
    assert kept.reminders() == before


def test_a_forgotten_session_hides_those_of_its_leg(kept: Store) -> None:
    """The other leg's stay."""
    kept.forget([1])
    assert ids(kept) == [3]
    kept.undo()
    assert ids(kept) == [3, 2, 1]


def test_two_deletions_are_taken_back_one_by_one(kept: Store) -> None:
    """What the first hid is brought back by the undo of the first."""
    kept.forget_range(START + timedelta(minutes=20), START + timedelta(minutes=40))
    kept.forget_range(START, START + timedelta(minutes=80))
    assert ids(kept) == [3]
    kept.undo()
    assert ids(kept) == [3, 2]
    kept.undo()
    assert ids(kept) == [3, 2, 1]


def test_a_purge_destroys_what_was_forgotten(kept: Store, home: Home) -> None:
    """Not a row of it is left, and what was not forgotten stays."""
    kept.forget_range(START, START + timedelta(minutes=80))
    kept.purge(undo_days=1.0)
    assert rows(home) == 3
    kept.purge(undo_days=0.0)
    assert rows(home) == 1
    assert ids(kept) == [3]
    assert kept.check(full=True) == []


def rows(home: Home) -> int:
    opened = sqlite3.connect(home.database)
    found = opened.execute("SELECT COUNT(*) FROM reminders").fetchone()[0]
    opened.close()
    return int(found)


def test_an_undone_import_leaves_reminders_alone(kept: Store) -> None:
    """They were not imported."""
    kept.undo()
    assert ids(kept) == [3, 2, 1]


def test_they_are_in_a_backup(kept: Store, tmp_path: Path) -> None:
    """With the engine's state and answers that wait."""
    kept.queue_answer(Answer(Button.SNOOZE, 2, 15.0))
    kept.backup(tmp_path / "all.zip")
    other = Home(tmp_path / "other")
    restore(other, tmp_path / "all.zip", START)
    with Store(other, clock=lambda: START) as back:
        assert back.reminders() == kept.reminders()
        assert back.reminder_state() == kept.reminder_state()
        assert [answer for _, _, answer in back.queued_answers()] == [Answer(Button.SNOOZE, 2, 15.0)]


def test_answers_wait_in_order_until_they_are_taken(store: Store) -> None:
    """Each once."""
    for button in (Button.SNOOZE, Button.DONE):
        store.queue_answer(Answer(button))
    waiting = store.queued_answers()
    assert [answer.button for _, _, answer in waiting] == [Button.SNOOZE, Button.DONE]
    store.keep_reminders("{}", (), "UTC", [waiting[0][0]])
    assert store.queued_answers() == waiting[1:]


def test_the_view_is_readable(kept: Store, home: Home) -> None:
    """Times as text, durations in seconds, forgotten ones left out."""
    kept.forget_range(START + timedelta(minutes=60), START + timedelta(minutes=100))
    opened = sqlite3.connect(home.database)
    found = opened.execute(
        "SELECT due_utc, rung, leg, still_s, shown_utc, held_by, answer, answered_after_s, contractions_in_5_min, zone "
        "FROM reminders_utc"
    ).fetchall()
    opened.close()
    assert found == [
        ("2026-05-01T09:30:00Z", "gentle", "left", 1800.0, "2026-05-01T09:31:00Z", "locked", "done", 30.25, 21,
         "Europe/Berlin"),
    ]  # fmt: skip


def test_a_reading_command_before_the_first(tmp_path: Path) -> None:
    """Nothing is there, and nothing is made."""
    with Store(Home(tmp_path / "none"), clock=lambda: START, read_only=True) as empty:
        assert (empty.reminders(), empty.reminder_state(), empty.queued_answers()) == ([], (None, 1), [])
    assert not (tmp_path / "none").exists()
