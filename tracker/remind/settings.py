"""The wearer's rules for reminders: the table `[remind]` of the settings file.

Where the numbers come from. *30 minutes still*: no guideline names a number of minutes (WHO 2020 says the evidence does
not suffice for one, doi 10.1186/s12966-020-01044-0); one trial of walking breaks found the effect it looked for with
breaks every 30 minutes and not every 60 (n = 11, PMID 36728338). *20 contractions*: texts on ankle pumps say 10 to 30
at a time; no primary source with a number was found. Both are settings, and neither is called a guideline.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tracker.errors import ConfigError
from tracker.home import Home
from tracker.remind import schedule
from tracker.remind.decisions import Rung
from tracker.remind.schedule import WEEKDAYS, Schedule
from tracker.settings import read_settings

TABLE = "remind"
LADDER = (Rung.GENTLE, Rung.AGAIN, Rung.BADGE)


@dataclass(frozen=True, slots=True)
class RemindSettings:
    """What `[remind]` says; every key is optional.

    Attributes:
        on: whether there are reminders at all.
        still_min: minutes still after which one is due (N).
        clear_contractions: contractions within five minutes that clear the debt (M).
        cool_down_min: at least so long between two messages, and between two rungs of the ladder.
        credit_min: most minutes that pumping ahead can postpone the next one by.
        daily_cap: most messages a day.
        snooze_min: how long the button snoozes.
        pre_notice_min: a silent word so long before one is due; 0: none.
        ladder: the rungs in order.
        sound: whether messages may be heard.
        schedule: hours, quiet periods, holidays.
        calendar: an iCalendar file whose busy times hold messages back; None: none.
        adaptive: move reminders to the hours in which they work.
        adaptive_least_min: never sooner than after so many minutes still.
        adaptive_most_min: never later.
        adaptive_since: what happened before is not learned from; None: everything is.
        day_start_hour: hour at which the wearer's day begins, of the settings above the table.
    """

    on: bool = True
    still_min: float = 30.0
    clear_contractions: int = 20
    cool_down_min: float = 10.0
    credit_min: float = 15.0
    daily_cap: int = 12
    snooze_min: float = 10.0
    pre_notice_min: float = 0.0
    ladder: tuple[Rung, ...] = LADDER
    sound: bool = False
    schedule: Schedule = field(default_factory=Schedule)
    calendar: Path | None = None
    adaptive: bool = False
    adaptive_least_min: float = 20.0
    adaptive_most_min: float = 60.0
    adaptive_since: datetime | None = None
    day_start_hour: int = 0


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the table.

    Attributes:
        says: what it is for.
        wanted: what can be given.
        read: a value of the file, or what a person typed, as the setting; raises ValueError or TypeError where it
            cannot be.
        text: the setting as it is written and shown.
    """

    says: str
    wanted: str
    read: Callable[[Any], Any]
    text: Callable[[Any], str | int | float | bool] = str


def _switch(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    return {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}[str(value).lower()]


def _number(low: float, high: float) -> Callable[[Any], float]:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not low <= (number := float(value)) <= high:
            raise ValueError(value)
        return number

    return read


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        number = _number(low, high)(value)
        if number != int(number):
            raise ValueError(value)
        return int(number)

    return read


def _ladder(value: Any) -> tuple[Rung, ...]:
    rungs = tuple(Rung(part.strip()) for part in _words(value).split(","))
    if not set(rungs) <= set(LADDER) or list(rungs) != sorted(set(rungs), key=LADDER.index):
        raise ValueError(value)
    return rungs


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _calendar(value: Any) -> Path | None:
    text = _words(value).strip()
    return None if text.lower() in ("", "off", "none") else Path(text).expanduser()


def _instant(value: Any) -> datetime | None:
    if value in ("", "off"):
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(_words(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) else number


_HOURS = "periods such as 08:00-12:00, 13:00-22:00, or off"
_MINUTES = _number(1, 600)

KEYS: dict[str, Key] = {
    "on": Key("whether there are reminders", "on or off", _switch, bool),
    "still_min": Key("minutes still until one is due", "minutes from 1 to 600", _MINUTES, _plain),
    "clear_contractions": Key("contractions in 5 min that clear it", "a number from 1 to 1000", _whole(1, 1000),
                              int),
    "cool_down_min": Key("least minutes between two messages", "minutes from 1 to 600", _MINUTES, _plain),
    "credit_min": Key("most minutes gained by pumping ahead", "minutes from 0 to 600", _number(0, 600), _plain),
    "daily_cap": Key("most messages a day", "a number from 1 to 1000", _whole(1, 1000), int),
    "snooze_min": Key("minutes of a snooze", "minutes from 1 to 1440", _number(1, 1440), _plain),
    "pre_notice_min": Key("silent word before, 0 for none", "minutes from 0 to 60", _number(0, 60), _plain),
    "ladder": Key("how one goes on", "gentle, again, badge, or fewer of them in that order", _ladder, ", ".join),
    "sound": Key("whether they may be heard", "on or off", _switch, bool),
    "hours": Key("hours of all weekdays", _HOURS, schedule.periods, schedule.periods_text),
    **{day: Key(f"hours of {day.capitalize()}", _HOURS, schedule.periods, schedule.periods_text) for day in WEEKDAYS},
    "quiet": Key("no message in these", "periods such as 12:00-13:00, mon 15:00-16:00, or off", schedule.quiet_periods,
                 schedule.periods_text),
    "holidays": Key("days without any", "days such as 2026-12-24..2027-01-01, 2027-05-01, or off", schedule.holidays,
                    schedule.holidays_text),
    "calendar": Key("its busy times hold messages back", "the path of an iCalendar file (.ics), or off", _calendar,
                    lambda path: "off" if path is None else str(path)),
    "adaptive": Key("move them to where they work", "on or off", _switch, bool),
    "adaptive_least_min": Key("but never sooner than", "minutes from 1 to 600", _MINUTES, _plain),
    "adaptive_most_min": Key("and never later than", "minutes from 1 to 600", _MINUTES, _plain),
    "adaptive_since": Key("learn from what came after", "an ISO 8601 time, or off", _instant,
                          lambda at: "off" if at is None else f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"),
}  # fmt: skip
"""In the order in which they are shown."""


def read_key(key: str, value: Any, whose: str) -> Any:
    """One value, checked.

    Args:
        key: one of `KEYS`.
        value: of the file, or typed.
        whose: begins the sentence, such as `still_min` or a path before it.

    Raises:
        ConfigError: it cannot be used.
    """
    try:
        return KEYS[key].read(value)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f" ({error})" if isinstance(error, ValueError) and " " in str(error) else ""
        raise ConfigError(f"{whose} cannot be {value!r}{reason}: it must be {KEYS[key].wanted}.") from error


def read_remind_settings(home: Home) -> RemindSettings:
    """The rules of a home; the defaults where there are none.

    Raises:
        ConfigError: the file is not TOML, or a value cannot be used.
    """
    general = read_settings(home)  # also refuses a file that is not TOML
    try:
        table = tomllib.loads(home.settings.read_text(encoding="utf-8")).get(TABLE, {})
    except (FileNotFoundError, NotADirectoryError):
        table = {}
    if not isinstance(table, Mapping):
        raise ConfigError(f"{home.settings}: {TABLE} must be a table: write [{TABLE}] above its keys.")
    return replace(of_table(table, home.settings), day_start_hour=general.day_start_hour)


def of_table(table: Mapping[str, Any], path: Path) -> RemindSettings:
    """The rules that a table says; keys that nobody knows are refused, since a misspelt rule would not be kept.

    Raises:
        ConfigError: a key or a value cannot be used, or two contradict each other.
    """
    if unknown := [key for key in table if key not in KEYS]:
        raise ConfigError(f"{path}: [{TABLE}] has no key {unknown[0]}: `soleus remind settings` lists those there are.")
    given = {key: read_key(key, value, f"{path}: {TABLE}.{key}") for key, value in table.items()}
    usual = given.pop("hours", (schedule.DAYTIME,))
    week = Schedule(
        hours=tuple(given.pop(day, usual) for day in WEEKDAYS),
        quiet=given.pop("quiet", ()),
        holidays=given.pop("holidays", ()),
    )
    rules = RemindSettings(schedule=week, **given)
    _agree(rules, path)
    return rules


def _agree(rules: RemindSettings, path: Path) -> None:
    if rules.pre_notice_min >= rules.still_min:
        raise ConfigError(f"{path}: {TABLE}.pre_notice_min must be less than still_min ({rules.still_min:g}).")
    if rules.adaptive and not rules.adaptive_least_min <= rules.still_min <= rules.adaptive_most_min:
        raise ConfigError(
            f"{path}: {TABLE}.still_min ({rules.still_min:g}) must lie between adaptive_least_min "
            f"({rules.adaptive_least_min:g}) and adaptive_most_min ({rules.adaptive_most_min:g})."
        )


def shown(rules: RemindSettings) -> dict[str, str | int | float | bool]:
    """Every key with its value as it is written; `hours` where all days agree, else the days."""
    hours = rules.schedule.hours
    values: dict[str, Any] = {name: getattr(rules, name) for name in KEYS if hasattr(rules, name)}
    values |= {"hours": hours[0], "quiet": rules.schedule.quiet, "holidays": rules.schedule.holidays}
    values |= dict(zip(WEEKDAYS, hours, strict=True))
    hidden = WEEKDAYS if len(set(hours)) == 1 else ("hours",)
    return {key: KEYS[key].text(values[key]) for key in KEYS if key not in hidden}
