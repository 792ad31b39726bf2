"""Days as people name them: 2026-05-01, today, yesterday, monday."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

import click

from tracker.cli import surroundings
from tracker.errors import ConfigError
from tracker.store.civil import day_of

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FIRST_YEAR, LAST_YEAR = 1970, 2199
"""Days are told between these, both included; the zones of earlier and later years are guesses."""

date_argument = click.argument("date", metavar="[DATE]", required=False)
day_start_option = click.option(
    "--day-start", type=click.IntRange(0, 23), metavar="HOUR", help="Hour at which your day begins, 0 to 23."
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Whose days are meant.

    Attributes:
        zone: the wearer's.
        start_hour: hour at which the wearer's day begins.
        now: the present.
    """

    zone: tzinfo
    start_hour: int
    now: datetime

    @property
    def today(self) -> date:
        """The wearer's day that is going on."""
        return day_of(self.now, self.zone, self.start_hour)


def calendar(day_start: int | None = None) -> Calendar:
    """The wearer's calendar by the settings; `day_start` goes before them."""
    known = surroundings.settings()
    start_hour = known.day_start_hour if day_start is None else day_start
    return Calendar(surroundings.zone(), start_hour, surroundings.now())


def day_named(text: str | None, today: date) -> date:
    """The day that somebody names; a weekday is its last one, today included.

    Raises:
        ConfigError: it is no day.
    """
    name = "today" if text is None else text.strip().lower()
    if name in ("today", "yesterday"):
        return today - timedelta(days=int(name == "yesterday"))
    if len(name) >= 3 and (found := [day for day in WEEKDAYS if day.startswith(name)]):
        return today - timedelta(days=(today.weekday() - WEEKDAYS.index(found[0])) % 7)
    return _civil(name, text)


def month_named(text: str | None, today: date) -> date:
    """First day of the month that somebody names by a day of it, or as 2026-05."""
    if text is not None and re.fullmatch(r"\d{4}-\d{2}", text.strip()):
        return _civil(f"{text.strip()}-01", text)
    return day_named(text, today).replace(day=1)


def week_named(text: str | None, today: date) -> date:
    """Monday of the week that somebody names by a day of it, or as 2026-W18."""
    if text is not None and re.fullmatch(r"\d{4}-w\d{2}", text.strip().lower()):
        return _civil(f"{text.strip().upper()}-1", text)
    day = day_named(text, today)
    return day - timedelta(days=day.weekday())


def _civil(name: str, text: str | None) -> date:
    try:
        day = date.fromisoformat(name)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is not a day: write it as 2026-05-01, today, yesterday, or a weekday such as monday."
        ) from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ConfigError(f"{text!r} is not between {FIRST_YEAR} and {LAST_YEAR}: check the year.")
    return day


def long_date(day: date) -> str:
    """`Wednesday 4 March 2026`."""
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def short_date(day: date) -> str:
    """`Wed  4 Mar`."""
    return f"{day:%a} {day.day:>2} {day:%b}"
