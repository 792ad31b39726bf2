"""Days of the simulated year, over both changes of the clocks."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import pytest

from tests.remind_year import SETTINGS, ZONE, Year, live, summary
from tracker.remind.decisions import Rung
from tracker.remind.state import End

CHANGES = [datetime(2026, 3, 27, tzinfo=ZONE), datetime(2026, 10, 23, tzinfo=ZONE)]


@pytest.fixture(scope="module", params=CHANGES, ids=["spring", "autumn"])
def week(request: pytest.FixtureRequest) -> Year:
    return live(7, seed=3, first=request.param)


def test_it_is_a_life_with_reminders(week: Year) -> None:
    """Every rung comes, some are held back, some are answered, the leg moves after some."""
    rows = week.reminders.values()
    assert {one.rung for one in rows if one.shown_s is not None} == {Rung.GENTLE, Rung.AGAIN, Rung.BADGE}
    assert any(one.held_by for one in rows)
    assert any(one.answer for one in rows)
    assert any(one.end is End.MOVED for one in rows)
    assert "reminders due" in summary(week)


def test_it_keeps_to_hours_quiet_periods_and_cap(week: Year) -> None:
    """Read from what was shown alone: no message before 7:30, after 22:30, on Sunday, at noon, or beyond the cap."""
    days: Counter[date] = Counter()
    for at, message in week.messages:
        local = datetime.fromtimestamp(at, ZONE)
        hour = local.hour + local.minute / 60
        assert 7.5 <= hour < 22.5
        assert not 12 <= hour < 12.75
        assert local.weekday() != 6
        days[local.date()] += message.rung is not Rung.SOON
    assert max(days.values()) <= SETTINGS.daily_cap


def test_each_message_has_its_row(week: Year) -> None:
    """Shown at the instant at which it was decided, at or after it was due."""
    for at, message in week.messages:
        row = week.reminders[message.id]
        assert (row.shown_s, row.rung) == (at, message.rung)
        assert row.due_s <= at
