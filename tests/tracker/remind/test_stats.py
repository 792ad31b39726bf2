"""Statistics: counted by hand on a dozen reminders."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from tracker.remind.decisions import Button, Rung
from tracker.remind.state import End, Reminder, Rule
from tracker.remind.stats import Success, gathered

BERLIN = ZoneInfo("Europe/Berlin")


def shown(at: str, *, moved_after_s: float | None = None, contractions: int | None = 0, **more: object) -> Reminder:
    shown_s = datetime.fromisoformat(at).replace(tzinfo=BERLIN).timestamp()
    moved_s = None if moved_after_s is None else shown_s + moved_after_s
    made = Reminder(
        1, Rung.GENTLE, "left", shown_s, 1800.0, shown_s, contractions=contractions, moved_s=moved_s, end=End.MOVED
    )
    return replace(made, **more)  # type: ignore[arg-type]


def test_by_hand() -> None:
    """Two of three messages worked; one was held back first, one never shown; the badge is no message."""
    monday, tuesday = "2026-05-04", "2026-05-05"
    first = shown(f"{monday}T10:30", moved_after_s=90.0, contractions=30, answer=Button.DONE)
    rows = [
        replace(first, answered_s=(first.shown_s or 0) + 100),
        shown(f"{monday}T10:50", contractions=0, held_by=Rule.MICROPHONE),
        shown(f"{tuesday}T15:00", moved_after_s=200.0, contractions=None),
        shown(f"{tuesday}T15:30", contractions=None),
        shown(f"{tuesday}T16:00", rung=Rung.BADGE),
        shown(f"{tuesday}T16:30", shown_s=None, held_by=Rule.LOCKED, contractions=None),
        shown(f"{tuesday}T17:00", rung=Rung.SOON),
    ]
    found = gathered(rows, BERLIN)
    assert (found.due, found.never_shown, found.all) == (6, 1, Success(4, 3, 2))
    assert found.by_rung == {Rung.GENTLE: 4, Rung.BADGE: 1}
    assert found.held == {"microphone": 1, "locked": 1}
    assert found.answers == {Button.DONE: [100.0]}
    assert found.contractions == 15.0
    assert (found.by_hour[10], found.by_hour[15], found.by_hour[16]) == (
        Success(2, 2, 1),
        Success(2, 1, 1),
        Success(0, 0, 0),
    )
    assert [one.shown for one in found.by_weekday] == [2, 2, 0, 0, 0, 0, 0]
    assert found.by_hour[16].share is None
    document = found.to_json()
    assert document["answers"]["done"] == {"count": 1, "median_after_s": 100.0}
    assert document["success"] == {"shown": 4, "known": 3, "worked": 2, "share": 2 / 3}
    assert (len(document["by_hour"]), document["by_weekday"][0]["weekday"]) == (24, "monday")


def test_nothing_is_not_zero_success() -> None:
    """Without a reminder nothing is known."""
    found = gathered([], BERLIN)
    assert (found.due, found.all.share, found.contractions) == (0, None, None)
