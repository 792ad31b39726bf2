"""`soleus remind settings`: the rules of reminders, in the table `[remind]` of the settings file."""

from __future__ import annotations

import tomllib
from typing import Any

import click

from tracker.cli import surroundings
from tracker.cli.faults import say
from tracker.cli.options import json_option
from tracker.cli.output import console, print_json
from tracker.cli.settings_file import write_key
from tracker.cli.tables import Rows
from tracker.errors import ConfigError
from tracker.home import Home
from tracker.remind.schedule import DAYTIME, WEEKDAYS, periods_text
from tracker.remind.settings import KEYS, TABLE, of_table, read_key, read_remind_settings, shown


@click.command("settings")
@click.argument("key", metavar="[KEY]", required=False, type=click.Choice(list(KEYS)))
@click.argument("value", metavar="[VALUE]", required=False)
@click.option("--unset", is_flag=True, help="Go back to what KEY is by itself.")
@json_option
def settings_command(key: str | None, value: str | None, unset: bool, as_json: bool) -> None:
    """Show the rules, or set KEY to VALUE.

    hours are those of every weekday, monday to sunday those of one: "08:00-12:00, 13:00-22:00", or off. quiet holds
    periods such as "12:00-13:00, mon 15:00-16:00". holidays are days or stretches, "2026-12-24..2027-01-01".
    calendar is an iCalendar file (.ics) whose busy times hold messages back.
    """
    home = surroundings.home()
    if unset and (key is None or value is not None):
        raise ConfigError("--unset takes a key and no value.")
    if key is not None and (value is not None or unset):
        change(home, key, value)
    rules = read_remind_settings(home)
    values = shown(rules)
    if as_json:
        print_json({"file": str(home.settings), "settings": values})
    elif key is not None:
        click.echo(f"{key} is {_words(values[key] if key in values else _hours(home, key, values))}.")
    else:
        rows = Rows(("setting", "value", ""))
        for name, one in values.items():
            rows.add(name, _words(one), KEYS[name].says)
        console().print(rows.drawn())
        click.echo("\n`soleus remind settings KEY VALUE` sets one.")
    if rules.calendar is not None and (trouble := _calendar_trouble(rules.calendar)):
        say(trouble)


def change(home: Home, key: str, typed: str | None) -> None:
    """Write one key, after a look whether it can be used beside the others; None takes it out.

    Raises:
        ConfigError: it cannot; nothing is written.
    """
    value = None
    if typed is not None:
        read = read_key(key, typed.strip(), key)
        if key == "calendar" and read is not None:
            read = read.absolute()
        value = KEYS[key].text(read)
    beside = {name: one for name, one in _table(home).items() if name != key}
    of_table(beside | ({} if value is None else {key: value}), home.settings)
    write_key(home, key, value, TABLE)


def _table(home: Home) -> dict[str, Any]:
    try:
        return dict(tomllib.loads(home.settings.read_text(encoding="utf-8")).get(TABLE, {}))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise ConfigError(f"{home.settings} cannot be read ({error}): mend it or move it away.") from error


def _hours(home: Home, key: str, values: dict[str, Any]) -> str:
    """Hours that are not shown by themselves: a day's, where all are alike; those of all, where days have their own."""
    if key in WEEKDAYS:
        return str(values["hours"])
    return str(_table(home).get(key, periods_text((DAYTIME,))))


def _words(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _calendar_trouble(path: Any) -> str:
    from tracker.remind.calendar import Calendar

    calendar = Calendar(path)
    calendar.is_busy(surroundings.now(), surroundings.zone())
    return calendar.trouble
