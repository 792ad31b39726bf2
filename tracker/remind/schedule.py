"""When reminders may come: hours of each weekday, quiet periods, holidays; all read on the wearer's clock.

A time belongs to a period by what the clock on the wall shows at it. So an hour that the clocks skip is in no period,
and one that they show twice is in its period both times; there is nothing to convert, and nothing that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAY_MIN = 1440

_SPAN = re.compile(r"(\d{1,2}):?(\d{2})?\s*-\s*(\d{1,2}):?(\d{2})?")
_OFF = ("off", "none", "")


@dataclass(frozen=True, slots=True)
class Period:
    """Part of a day on the wall's clock; one whose end is before its start reaches into the next day.

    Attributes:
        start_min: minutes after midnight, 0..1439.
        end_min: first minute after it, 1..1440, another than `start_min`.
        weekday: on which it begins, 0 for Monday; None for every day.
    """

    start_min: int
    end_min: int
    weekday: int | None = None

    def __str__(self) -> str:
        day = "" if self.weekday is None else f"{WEEKDAYS[self.weekday][:3]} "
        return f"{day}{_clock(self.start_min)}-{_clock(self.end_min)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _week_of(several: Iterable[tuple[int, Period]]) -> bytes:
    """For each minute of the week, from Monday's first on, 1 where a period holds that began on its weekday."""
    week = bytearray(7 * DAY_MIN)
    for weekday, period in several:
        last = period.end_min if period.start_min < period.end_min else period.end_min + DAY_MIN
        for minute in range(period.start_min, last):
            week[(weekday * DAY_MIN + minute) % len(week)] = 1
    return bytes(week)


ALL_DAY = Period(0, DAY_MIN)
DAYTIME = Period(8 * 60, 22 * 60)
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
    _awake: bytes = field(init=False, repr=False, compare=False)
    _quiet: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Lay both out over the minutes of a week: they are asked at every observation, and written once."""
        awake = _week_of((weekday, period) for weekday, day in enumerate(self.hours) for period in day)
        quiet = _week_of(
            (weekday, period) for period in self.quiet for weekday in range(7) if period.weekday in (None, weekday)
        )
        object.__setattr__(self, "_awake", awake)
        object.__setattr__(self, "_quiet", quiet)

    def is_awake(self, local: datetime) -> bool:
        """Whether a time on the wearer's clock lies in the hours of reminders, or in what began yesterday."""
        return self._awake[local.weekday() * DAY_MIN + local.hour * 60 + local.minute] == 1

    def is_quiet(self, local: datetime) -> bool:
        """Whether it lies in a quiet period."""
        return self._quiet[local.weekday() * DAY_MIN + local.hour * 60 + local.minute] == 1

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
    (start_hour, start), (end_hour, end) = (
        (int(hours), int(minutes or 0)) for hours, minutes in (found.group(1, 2), found.group(3, 4))
    )
    start_min, end_min = start_hour * 60 + start, end_hour * 60 + end
    if start > 59 or end > 59 or start_min >= DAY_MIN or end_min > DAY_MIN:
        raise ValueError(f"{text.strip()!r} has a time that no clock shows")
    if start_min == end_min % DAY_MIN and (start_min or not end_min):
        raise ValueError(f"{text.strip()!r} is empty: write 00:00-24:00 for the whole day")
    return Period(start_min, end_min or DAY_MIN, weekday)


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
