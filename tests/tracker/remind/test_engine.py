"""The state machine: due, held back, shown, the ladder, answers, and the row of each reminder."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from analysis.events import Leg
from tests.tracker.remind.conftest import BERLIN, MONDAY_TEN, Wearer
from tracker.remind.decisions import Badge, Button, Doing, LegSeen, Observation, Rung, Show, Withdraw
from tracker.remind.schedule import Schedule, holidays, periods, quiet_periods
from tracker.remind.state import End, Rule, State

Make = Callable[..., Wearer]


def test_the_ladder(wearer: Make) -> None:
    """Gentle after 30 minutes, again ten minutes later, then a badge, then nothing however long it stays still."""
    who = wearer()
    who.live(180)
    assert who.messages == [("10:30", "gentle"), ("10:40", "again"), ("10:50", "badge")]
    assert [one.end for one in who.rows.values()] == [End.REPLACED, End.REPLACED, None]


def test_every_rung_replaces_the_one_before(wearer: Make) -> None:
    """One message at a time: it is withdrawn before the next."""
    who = wearer()
    said = who.live(60)
    first, gone, second, gone_too, mark = said
    assert isinstance(first, Show)
    assert [button for button, _ in first.buttons] == list(Button)
    assert gone == Withdraw(first.id)
    assert isinstance(second, Show)
    assert gone_too == Withdraw(second.id)
    assert isinstance(mark, Badge)
    assert len({first.id, second.id, mark.id}) == 3


def test_movement_takes_everything_back(wearer: Make) -> None:
    """Twenty contractions end message and badge, and the next comes after another 30 minutes."""
    who = wearer()
    who.live(55)
    who.pump(20)
    said = who.live(1)
    assert said == [Badge(3, False)]
    assert who.rows[3].end is End.MOVED
    who.live(35)
    assert who.messages[3:] == [("11:25", "gentle")]


def test_some_contractions_postpone_the_next(wearer: Make) -> None:
    """Four of twenty are worth six minutes; a hundred ahead are worth the largest credit, fifteen."""
    who = wearer()
    who.live(20)
    who.pump(4)
    who.live(20)
    assert who.messages == [("10:36", "gentle")]
    ahead = wearer()
    ahead.live(2)
    ahead.pump(100)
    ahead.live(50)
    assert ahead.messages == [("10:47", "gentle")]


def test_of_two_legs_both_must_be_still(wearer: Make) -> None:
    """The leg that moves keeps the other silent; a leg that is not worn does not."""
    who = wearer()
    for minute in range(70):
        now = MONDAY_TEN + timedelta(minutes=minute)
        right = LegSeen(
            Leg.RIGHT, Doing.STILL if minute < 50 else Doing.NOT_WORN, (), 150.0 if minute % 20 == 0 else 0.0
        )
        who.now = now
        who.observe(Observation(now, BERLIN, (LegSeen(Leg.LEFT, Doing.STILL), right)))
    assert who.messages == [("10:50", "gentle"), ("11:00", "again")]


@pytest.mark.parametrize("doing", [Doing.NOT_WORN, Doing.GAP, Doing.UNKNOWN, Doing.WALKING])
def test_what_is_not_still_never_nags(wearer: Make, doing: Doing) -> None:
    """Hours unworn, without data, unknown or on foot bring nothing, not even a row."""
    who = wearer()
    who.live(300, doing)
    assert (who.said, who.rows) == ([], {})


def test_nothing_comes_right_after_a_suspend(wearer: Make) -> None:
    """A machine that slept over lunch begins from nothing."""
    who = wearer()
    who.live(29)
    who.now += timedelta(hours=1)
    who.live(29)
    assert who.messages == []


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        ({"locked": True}, Rule.LOCKED),
        ({"do_not_disturb": True}, Rule.DO_NOT_DISTURB),
        ({"microphone": True}, Rule.MICROPHONE),
        ({"camera": True}, Rule.CAMERA),
        ({"busy": True}, Rule.BUSY),
        ({"active": True}, Rule.MOVING),
    ],
)
def test_what_holds_a_message_back(wearer: Make, seen: dict[str, Any], rule: Rule) -> None:
    """The debt goes on, the row says which rule, and the message comes at the first look after it."""
    who = wearer()
    who.live(45, **seen)
    assert who.messages == []
    row = who.rows[1]
    assert (row.held_by, row.shown_s) == (rule, None)
    who.live(1, **dict.fromkeys(seen, False))
    assert who.messages == [("10:45", "gentle")]
    assert who.rows[1].held_by is rule
    assert (who.rows[1].shown_s or 0) - who.rows[1].due_s == 15 * 60


def test_what_cannot_be_known_holds_nothing_back(wearer: Make) -> None:
    """`None` is not a reason; it is kept for `why`."""
    who = wearer()
    who.live(31, locked=None, microphone=None, camera=False, do_not_disturb=None)
    assert who.messages == [("10:30", "gentle")]
    assert who.state.unknown == ("locked", "do_not_disturb", "microphone")


def test_held_back_and_then_moved_is_a_row_that_was_never_shown(wearer: Make) -> None:
    """The reason stays on it."""
    who = wearer()
    who.live(40, locked=True)
    who.live(3, Doing.WALKING, walking_s=150.0)
    assert (who.rows[1].held_by, who.rows[1].shown_s, who.rows[1].end) == (Rule.LOCKED, None, End.MOVED)


def test_quiet_periods_hold_back_and_nights_do_not_count(wearer: Make) -> None:
    """After a quiet period a leg that was still all along hears at once; after a night it begins anew."""
    week = Schedule(hours=(periods("10:00-12:00, 14:00-20:00"),) * 7, quiet=quiet_periods("10:20-11:00"))
    who = wearer(schedule=week, ladder=(Rung.GENTLE,))
    who.live(300)
    assert who.messages == [("11:00", "gentle"), ("14:30", "gentle")]
    assert who.rows[1].held_by is Rule.QUIET


def test_holidays_bring_none(wearer: Make) -> None:
    """Not even a row."""
    who = wearer(schedule=Schedule(holidays=holidays("2026-05-04")))
    who.live(300)
    assert who.rows == {}


def test_the_cap(wearer: Make) -> None:
    """Two a day; the next are rows that the cap held back; a new day begins anew."""
    who = wearer(daily_cap=2, ladder=(Rung.GENTLE,), schedule=Schedule(hours=(periods("00:00-24:00"),) * 7))
    for _ in range(4):
        who.live(35)
        who.live(5, Doing.WALKING, walking_s=300.0)
    assert who.messages == [("10:30", "gentle"), ("11:10", "gentle")]
    assert [one.held_by for one in who.rows.values()] == [None, None, Rule.DAILY_CAP, Rule.DAILY_CAP]
    who.live(12 * 60)
    assert who.messages[2:] == [("00:00", "gentle")]


def test_the_days_of_the_cap_begin_at_the_wearers_hour(wearer: Make) -> None:
    """With a day that begins at four, midnight changes nothing."""
    always = Schedule(hours=(periods("00:00-24:00"),) * 7)
    who = wearer(daily_cap=1, ladder=(Rung.GENTLE,), schedule=always, day_start_hour=4)
    who.live(60)
    who.live(5, Doing.WALKING, walking_s=300.0)
    who.live(18 * 60)
    assert who.messages == [("10:30", "gentle"), ("04:00", "gentle")]


def test_snooze(wearer: Make) -> None:
    """The message goes; after ten minutes the next rung comes. The answer is on the row."""
    who = wearer()
    who.live(31)
    assert who.answer(Button.SNOOZE, 1) == [Withdraw(1)]
    who.live(15)
    assert who.messages == [("10:30", "gentle"), ("10:41", "again")]
    row = who.rows[1]
    assert (row.answer, row.end, (row.answered_s or 0) - (row.shown_s or 0)) == (Button.SNOOZE, End.ANSWERED, 60.0)


def test_a_snooze_from_a_command(wearer: Make) -> None:
    """For some minutes without a message to answer, and back."""
    who = wearer()
    who.answer(Button.SNOOZE, minutes=60)
    who.live(45)
    assert (who.messages, who.rows[1].held_by) == ([], Rule.SNOOZED)
    who.answer(Button.SNOOZE, minutes=0)
    who.live(1)
    assert who.messages == [("10:45", "gentle")]


def test_not_today(wearer: Make) -> None:
    """Nothing until the wearer's next day."""
    who = wearer(ladder=(Rung.GENTLE,), day_start_hour=3)
    who.live(31)
    who.answer(Button.NOT_TODAY, 1)
    assert datetime.fromtimestamp(who.state.off_until_s, BERLIN) == datetime(2026, 5, 5, 3, tzinfo=BERLIN)
    who.live(5, Doing.WALKING, walking_s=300.0)
    who.live(23 * 60)
    assert who.messages == [("10:30", "gentle"), ("08:30", "gentle")]


def test_done_clears_on_the_wearers_word(wearer: Make) -> None:
    """The next one comes 30 minutes after the last look before it, as gentle as the first."""
    who = wearer()
    who.live(31)
    assert who.answer(Button.DONE, 1) == [Withdraw(1)]
    who.live(35)
    assert who.messages == [("10:30", "gentle"), ("11:00", "gentle")]


def test_the_row_counts_what_the_leg_did(wearer: Make) -> None:
    """Contractions of the five minutes after the message, and when the debt was cleared."""
    who = wearer(every_s=5.0)
    who.live(31)
    who.pump(7)
    who.live(3)
    who.pump(15)
    who.live(10)
    row = who.rows[1]
    assert (row.contractions, row.end) == (22, End.MOVED)
    assert (row.moved_s or 0) - (row.shown_s or 0) == 240.0


def test_five_minutes_that_were_not_seen_are_not_zero(wearer: Make) -> None:
    """A sensor that goes silent after the message says nothing about what the leg did."""
    who = wearer()
    who.live(31)
    who.live(30, Doing.GAP)
    assert (who.rows[1].contractions, who.rows[1].end) == (None, End.LOST)
    assert who.state.open == ()


def test_a_pre_notice(wearer: Make) -> None:
    """A silent word five minutes before, once a stretch, not counted by cool-down and cap; none while held back."""
    who = wearer(pre_notice_min=5.0, daily_cap=1)
    said = who.live(31)
    assert who.messages == [("10:25", "soon"), ("10:30", "gentle")]
    assert isinstance(said[0], Show)
    assert (said[0].buttons, said[0].sound, said[0].expires_s) == ((), False, 300.0)
    held = wearer(pre_notice_min=5.0)
    held.live(31, microphone=True)
    assert (held.messages, [one.rung for one in held.rows.values()]) == ([], [Rung.GENTLE])


def test_off_means_off(wearer: Make) -> None:
    """No message, no row; what stands is taken back when they are turned off."""
    who = wearer()
    who.live(31)
    other = wearer(on=False)
    who.rules = other.rules
    assert who.live(2) == [Withdraw(1)]
    other.live(60)
    assert (other.said, other.rows) == ([], {})


def test_a_clock_that_is_set_back(wearer: Make) -> None:
    """Messages of a time that is yet to come count neither for the cool-down nor for the debt."""
    who = wearer(ladder=(Rung.GENTLE,))
    who.live(31)
    who.now -= timedelta(hours=2)
    who.live(3, Doing.WALKING, walking_s=180.0)
    who.live(40)
    assert who.messages == [("10:30", "gentle"), ("09:04", "gentle")]


def test_the_state_comes_back_from_its_text(wearer: Make) -> None:
    """Whole; text of another format or cut off is no state."""
    who = wearer()
    who.live(33, locked=None)
    who.pump(3)
    who.live(2)
    text = who.state.to_json()
    assert State.from_json(text) == who.state
    for damaged in (text[:-5], "{}", "null", '{"format": 99}', text.replace('"still"', '"flying"')):
        assert State.from_json(damaged) is None
