"""`why`: a sentence about the last reminder and one about the next, true to what the engine then does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.tracker.remind.conftest import BERLIN, Wearer
from tracker.remind.decisions import Button, Doing, Observation, Rung
from tracker.remind.explain import Why, explain, next_due
from tracker.remind.schedule import Schedule, holidays, periods, quiet_periods

Make = Callable[..., Wearer]


def why(who: Wearer, **seen: object) -> Why:
    now = Observation(who.now, BERLIN, **seen)  # type: ignore[arg-type]
    return explain(who.state, now, who.rules, who.rows[max(who.rows)] if who.rows else None)


def test_before_the_first(wearer: Make) -> None:
    """Nothing was, and nobody watches."""
    said = why(wearer())
    assert said.last == "There has been none yet."
    assert "nobody watches the leg just now: `soleus service start` does" in said.next


def test_on_the_way(wearer: Make) -> None:
    """How long it has been still, and when the next one comes."""
    who = wearer()
    who.live(12)
    assert why(who).next == (
        "Your left calf has been still for 11 of 30 minutes: the next one comes at about 10:31, unless it moves."
    )


def test_after_a_message(wearer: Make) -> None:
    """When, why, what was answered and what the leg did."""
    who = wearer(every_s=5.0)
    who.live(31)
    who.answer(Button.SNOOZE, 1)
    who.pump(25)
    who.live(9)
    said = why(who)
    assert said.last == (
        "The last one (gentle) came at 10:30, because your left calf had been still for 30 minutes; "
        "you answered `snooze` after 60 seconds and the leg had moved enough after 60 seconds "
        "and 25 contractions came in the five minutes after it."
    )
    assert said.next == "There is none until 10:41, because they are snoozed. The next one can come at 11:08."


@pytest.mark.parametrize(
    ("seen", "because", "until"),
    [
        ({"microphone": True}, "the microphone was in use", "the microphone is free"),
        ({"locked": True}, "the screen was locked", "the screen is unlocked"),
        ({"busy": True}, "your calendar said busy", "the busy time of your calendar is over"),
    ],
)
def test_held_back(wearer: Make, seen: dict[str, bool], because: str, until: str) -> None:
    """Which rule, and what it waits for."""
    who = wearer()
    who.live(35, **seen)
    said = why(who)
    assert said.next == f"One is due, and held back because {because}; it comes as soon as {until}."
    assert said.last.startswith("The last one was due at 10:30, because your left calf had been still for 30 minutes")
    assert said.last.endswith(f"and is held back, because {because}.")


def test_never_shown(wearer: Make) -> None:
    """Held back until the leg moved."""
    who = wearer()
    who.live(35, locked=True)
    who.live(3, Doing.WALKING, walking_s=180.0)
    assert why(who).last.endswith("and was not shown, because the screen was locked; then the leg moved by itself.")


@pytest.mark.parametrize(
    ("doing", "words"),
    [
        (Doing.NOT_WORN, "its sensor is not worn"),
        (Doing.GAP, "there is no data of it"),
        (Doing.UNKNOWN, "what it does is not known"),
    ],
)
def test_unseen(wearer: Make, doing: Doing, words: str) -> None:
    """Unknown is said to be unknown."""
    who = wearer()
    who.live(5, doing)
    assert why(who).next == f"There is none while nothing can be said of your left calf: {words}."


def test_resting(wearer: Make) -> None:
    """Not today, out of hours, the cap, off, and a stretch that has had its rungs."""
    who = wearer()
    who.live(3)
    who.answer(Button.NOT_TODAY)
    assert why(who).next == (
        "There is none until 00:00 tomorrow, because you asked for no more today. "
        "The next one can come at 08:30 tomorrow."
    )
    late = wearer(schedule=Schedule(hours=(periods("08:00-09:00"),) * 7, holidays=holidays("2026-05-05")))
    late.live(3)
    assert why(late).next == (
        "There is none just now, because it is outside of your hours. "
        "The next one can come at 08:30 on Wednesday 6 May."
    )
    enough = wearer(daily_cap=1, ladder=(Rung.GENTLE,))
    enough.live(31)
    enough.live(3, Doing.WALKING, walking_s=200.0)
    assert "for the rest of the day, which has had its 1." in why(enough).next
    assert "reminders are off" in why(wearer(on=False)).next
    done = wearer(ladder=(Rung.GENTLE,))
    done.live(40)
    assert why(done).next == "There is none until your left calf moves: this stretch has had all its messages."


def test_no_hours_at_all(wearer: Make) -> None:
    """A week without hours brings none, and says so."""
    who = wearer(schedule=Schedule(hours=((),) * 7))
    who.live(3)
    assert (why(who).next, why(who).due_at) == ("There is none just now, because it is outside of your hours.", None)


def test_what_cannot_be_known(wearer: Make) -> None:
    """Named, also the calendar."""
    who = wearer(calendar=Path("a.ics"))
    who.live(3, locked=False, microphone=None, camera=None, do_not_disturb=True)
    assert why(who).unknown == (
        "It cannot be known here whether the microphone is in use, whether the camera is in use, "
        "whether your calendar says busy; that holds nothing back."
    )


@pytest.mark.parametrize("minutes", [1, 20, 31, 45])
@pytest.mark.parametrize("start", ["2026-05-04T10:00", "2026-05-04T11:40", "2026-05-04T20:00", "2026-03-28T21:50"])
def test_the_next_one_comes_when_it_was_said(wearer: Make, start: str, minutes: int) -> None:
    """If the leg stays still: over quiet periods, nights and a change of the clocks, to the minute."""
    week = Schedule(hours=(periods("01:30-22:00"),) * 7, quiet=quiet_periods("12:00-13:00"))
    who = wearer(schedule=week, ladder=(Rung.GENTLE, Rung.AGAIN))
    who.now = datetime.fromisoformat(start).replace(tzinfo=BERLIN)
    who.live(minutes)
    due_at = next_due(who.state, Observation(who.now, BERLIN), who.rules)
    before = len(who.messages)
    while due_at is not None and len(who.messages) == before:
        assert who.now.timestamp() < due_at.timestamp() + 120
        who.live(1)
    if due_at is not None:
        assert abs(who.said[-1][0].timestamp() - due_at.timestamp()) <= 60
