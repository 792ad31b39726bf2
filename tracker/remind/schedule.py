"""When reminders may come: hours of each weekday, quiet periods, holidays; all read on the wearer's clock.

A time belongs to a period by what the clock on the wall shows at it. So an hour that the clocks skip is in no period,
and one that they show twice is in its period both times; there is nothing to convert, and nothing that does not exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_S = 86_400

_SPAN = re.compile(r"(\d{1,2}):?(\d{2})?\s*-\s*(\d{1,2}):?(\d{2})?")
_OFF = ("off", "none", "")


@dataclass(frozen=True, slots=True)
class Period:
    """Part of a day on the wall's clock; one whose end is before its start reaches into the next day.

    Attributes:
        start_s: seconds after midnight, 0..86399.
        end_s: first second after it, 1..86400, another than `start_s`.
        weekday: on which it begins, 0 for Monday; None for every day.
    """

    start_s: int
    end_s: int
    weekday: int | None = None

    def holds(self, weekday: int, second: int) -> bool:
        """Whether a time of this weekday lies in it."""
        on_it = self.weekday is None or self.weekday == weekday
        if self.start_s < self.end_s:
            return on_it and self.start_s <= second < self.end_s
        if on_it and second >= self.start_s:
            return True
        began_yesterday = self.weekday is None or self.weekday == (weekday - 1) % 7
        return began_yesterday and second < self.end_s

    def __str__(self) -> str:
        day = "" if self.weekday is None else f"{WEEKDAYS[self.weekday][:3]} "
        return f"{day}{_clock(self.start_s)}-{_clock(self.end_s)}"


def _clock(second: int) -> str:
    return f"{second // 3600:02}:{second // 60 % 60:02}"


ALL_DAY = Period(0, DAY_S)
DAYTIME = Period(8 * 3600, 22 * 3600)
"""The hours where nobody set any. Chosen: most people are awake then, and few want to hear from us outside of it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The wearer's week.

    Attributes:
        hours: for each weekday from Monday on, the periods in which reminders may come; they begin on that day.
        quiet: periods in which none comes; the leg is still seen.
        holidays: first and last day, both included, of stretches of days without any.
    """

    hours: tuple[tuple[Period, ...], ...] = field(default=((DAYTIME,),) * 7)
    quiet: tuple[Period, ...] = ()
    holidays: tuple[tuple[date, date], ...] = ()

    def is_awake(self, local: datetime) -> bool:
        """Whether a time on the wearer's clock lies in the hours of reminders."""
        weekday, second = local.weekday(), local.hour * 3600 + local.minute * 60 + local.second
        for period in self.hours[weekday]:
            if period.start_s <= second and (second < period.end_s or period.end_s <= period.start_s):
                return True
        # A night shift: what began yesterday and reaches past midnight.
        return any(second < period.end_s <= period.start_s for period in self.hours[weekday - 1])

    def is_quiet(self, local: datetime) -> bool:
        """Whether it lies in a quiet period."""
        weekday, second = local.weekday(), local.hour * 3600 + local.minute * 60 + local.second
        return any(period.holds(weekday, second) for period in self.quiet)

    def is_holiday(self, local: datetime) -> bool:
        """Whether its date is a holiday."""
        if not self.holidays:
            return False
        today = local.date()
        return any(first <= today <= last for first, last in self.holidays)


def periods(text: str) -> tuple[Period, ...]:
    """The hours of a day: `08:00-12:00, 13:30-22:00`, a night shift `22:00-06:00`, or `off`.

    Raises:
        ValueError: with the reason, as the rest of a sentence.
    """
    if text.strip().lower() in _OFF:
        return ()
    return tuple(_period(part) for part in text.split(","))


def quiet_periods(text: str) -> tuple[Period, ...]:
    """Quiet periods, each of every day or of one weekday: `12:00-13:00, mon 15:00-16:00`, or `off`.

    Raises:
        ValueError: with the reason, as the rest of a sentence.
    """
    if text.strip().lower() in _OFF:
        return ()
    return tuple(_quiet(part.strip()) for part in text.split(","))


def _quiet(text: str) -> Period:
    day, _, rest = text.partition(" ")
    if not day[:1].isalpha():
        return _period(text)
    named = [number for number, name in enumerate(WEEKDAYS) if len(day) >= 3 and name.startswith(day.lower())]
    if not named:
        raise ValueError(f"{day!r} is not a weekday")
    return _period(rest, named[0])


def _period(text: str, weekday: int | None = None) -> Period:
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text.strip()!r} is not a period such as 08:00-12:00")
    start_s, end_s = (
        int(hours) * 3600 + int(minutes or 0) * 60 for hours, minutes in (found.group(1, 2), found.group(3, 4))
    )
    if any(int(minutes or 0) > 59 for minutes in found.group(2, 4)) or start_s >= DAY_S or end_s > DAY_S:
        raise ValueError(f"{text.strip()!r} has a time that no clock shows")
    if start_s == end_s % DAY_S and (start_s or not end_s):
        raise ValueError(f"{text.strip()!r} is empty: write 00:00-24:00 for the whole day")
    return Period(start_s, end_s or DAY_S, weekday)


def holidays(text: str) -> tuple[tuple[date, date], ...]:
    """Days without reminders: `2026-12-24..2027-01-01, 2027-05-01`, or `off`.

    Raises:
        ValueError: with the reason, as the rest of a sentence.
    """
    if text.strip().lower() in _OFF:
        return ()
    return tuple(_holiday(part.strip()) for part in text.split(","))


def _holiday(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    try:
        days = date.fromisoformat(first.strip()), date.fromisoformat((last if dots else first).strip())
    except ValueError as error:
        raise ValueError(f"{text!r} is not a day such as 2026-12-24 or a stretch 2026-12-24..2027-01-01") from error
    if days[1] < days[0]:
        raise ValueError(f"{text!r} ends before it begins")
    return days


def periods_text(several: tuple[Period, ...]) -> str:
    """As `periods` and `quiet_periods` read it."""
    return ", ".join(map(str, several)) or "off"


def holidays_text(several: tuple[tuple[date, date], ...]) -> str:
    """As `holidays` reads it."""
    return ", ".join(f"{a}" if a == b else f"{a}..{b}" for a, b in several) or "off"


def next_change(schedule: Schedule, local: datetime, days: int = 8) -> datetime | None:
    """The first minute after `local`, on its clock, that lies in the hours, in no quiet period and in no holiday.

    None where there is none within so many days.
    """
    zone = local.tzinfo
    instant = local.timestamp() // 60 * 60
    for _ in range(days * 1440):
        instant += 60
        moment = datetime.fromtimestamp(instant, zone)
        if schedule.is_awake(moment) and not schedule.is_quiet(moment) and not schedule.is_holiday(moment):
            return moment
        if schedule.is_holiday(moment):
            # A day at a time, less an hour for a change of the clocks.
            tomorrow = datetime.combine(moment.date() + timedelta(days=1), moment.time().min, zone)
            instant = max(instant, tomorrow.timestamp() - 3660)
    return None
