"""Hours, quiet periods and holidays, on a clock that jumps and repeats."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tracker.remind.schedule import (
    Period,
    Schedule,
    holidays,
    holidays_text,
    next_change,
    periods,
    periods_text,
    quiet_periods,
)

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("08:00-12:00", (Period(480, 720),)),
        ("8-12, 13:30 - 22:00", (Period(480, 720), Period(810, 1320))),
        ("22:00-06:00", (Period(1320, 360),)),
        ("00:00-24:00", (Period(0, 1440),)),
        ("18:00-00:00", (Period(1080, 1440),)),
        ("off", ()),
    ],
)
def test_hours_are_read(text: str, expected: tuple[Period, ...]) -> None:
    """A list of periods of a day; midnight at the end is 24:00."""
    assert periods(text) == expected
    assert periods(periods_text(expected)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("12:00", "is not a period"),
        ("25:00-26:00", "no clock shows"),
        ("08:61-09:00", "no clock shows"),
        ("09:00-09:00", "is empty"),
        ("24:00-08:00", "no clock shows"),
        ("08:00-09:00-10:00", "is not a period"),
    ],
)
def test_impossible_hours_are_refused(text: str, why: str) -> None:
    """With the reason."""
    with pytest.raises(ValueError, match=why):
        periods(text)


def test_quiet_periods_name_weekdays() -> None:
    """A period of every day, and one of one weekday, by three letters or more."""
    assert quiet_periods("12:00-13:00, mon 15:00-16:00, Thursday 8-9") == (
        Period(720, 780), Period(900, 960, 0), Period(480, 540, 3),
    )  # fmt: skip
    with pytest.raises(ValueError, match="'mo' is not a weekday"):
        quiet_periods("mo 15:00-16:00")


def test_holidays_are_days_or_stretches() -> None:
    """Both ends included; one that ends before it begins is refused."""
    found = holidays("2026-12-24..2027-01-01, 2027-05-01")
    assert found == ((date(2026, 12, 24), date(2027, 1, 1)), (date(2027, 5, 1), date(2027, 5, 1)))
    assert holidays(holidays_text(found)) == found
    week = Schedule(holidays=found)
    days = ("2026-12-23", "2026-12-24", "2027-01-01", "2027-01-02")
    assert [week.is_holiday(at(f"{day}T12:00")) for day in days] == [False, True, True, False]
    for text in ("2026-12-24..2026-12-23", "2026-13-01", "tomorrow"):
        with pytest.raises(ValueError, match=text.split("..")[0]):
            holidays(text)


def test_the_end_is_not_part_of_a_period() -> None:
    """08:00 is in 08:00-12:00, 12:00 is not."""
    week = Schedule(hours=(periods("08:00-12:00"),) * 7)
    times = ("07:59:59", "08:00", "11:59:59", "12:00")
    assert [week.is_awake(at(f"2026-05-04T{time}")) for time in times] == [False, True, True, False]


def test_a_night_shift_belongs_to_the_day_on_which_it_begins() -> None:
    """Friday 22:00-06:00 holds Saturday 05:00, and neither Friday 05:00 nor Saturday 23:00."""
    week = Schedule(hours=tuple(periods("22:00-06:00") if day == 4 else () for day in range(7)))
    moments = ("2026-05-08T05:00", "2026-05-08T22:00", "2026-05-09T05:59", "2026-05-09T06:00", "2026-05-09T23:00")
    assert [week.is_awake(at(moment)) for moment in moments] == [False, True, True, False, False]
    quiet = Schedule(quiet=quiet_periods("fri 22:00-06:00"))
    assert [quiet.is_quiet(at(moment)) for moment in moments] == [False, True, True, False, False]
    sunday = Schedule(hours=tuple(periods("22:00-06:00") if day == 6 else () for day in range(7)))
    assert sunday.is_awake(at("2026-05-04T05:00"))


def minutes_in(week: Schedule, first: str, last: str) -> int:
    """Minutes of true time that lie in the hours."""
    now, end, found = at(first).astimezone(UTC), at(last).astimezone(UTC), 0
    while now < end:
        found += week.is_awake(now.astimezone(BERLIN))
        now += timedelta(minutes=1)
    return found


def test_an_hour_that_is_skipped_or_shown_twice() -> None:
    """01:00-04:00 holds two hours on the day on which one is skipped, and four on the day with one twice."""
    week = Schedule(hours=(periods("01:00-04:00"),) * 7)
    assert minutes_in(week, "2026-03-29T00:00", "2026-03-29T12:00") == 120
    assert minutes_in(week, "2026-10-25T00:00", "2026-10-25T12:00") == 240
    assert minutes_in(week, "2026-05-04T00:00", "2026-05-04T12:00") == 180


def test_the_next_minute_in_which_one_may_come() -> None:
    """Over a quiet period, a night, a holiday and a change of the clocks; none where no hours are set."""
    week = Schedule(quiet=quiet_periods("12:00-13:00"), holidays=holidays("2026-03-28"))
    assert next_change(week, at("2026-03-27T12:10")) == at("2026-03-27T13:00")
    assert next_change(week, at("2026-03-27T23:10")) == at("2026-03-29T08:00")
    assert next_change(Schedule(hours=((),) * 7), at("2026-03-27T12:00")) is None
