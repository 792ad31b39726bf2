"""`soleus settings`: what is set, and setting it, in a file that may also be edited by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from analysis.events import Leg
from tracker.cli import surroundings
from tracker.cli.keeping import LONGEST_KEEP_DAYS
from tracker.cli.options import json_option
from tracker.cli.output import console, print_json
from tracker.cli.settings_file import write_key
from tracker.cli.tables import Rows
from tracker.errors import ConfigError
from tracker.home import Home
from tracker.settings import Settings, wearer_zone
from tracker.store.days import zone_name


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of the file.

    Attributes:
        says: what it is for.
        read: what a person typed, as its value; raises ValueError where it cannot be.
        wanted: what can be typed.
    """

    says: str
    read: Callable[[str], str | int | float]
    wanted: str


def _zone(text: str) -> str:
    if not text:
        raise ValueError("no zone is named")
    try:
        wearer_zone(Settings(zone=text))
    except ConfigError as error:
        raise ValueError(text) from error
    return text


def _hour(text: str) -> int:
    hour = int(text.removesuffix(":00"))
    if not 0 <= hour <= 23:
        raise ValueError(text)
    return hour


def _days(text: str) -> int | float:
    days = float(text)
    if not (math.isfinite(days) and 0 < days <= LONGEST_KEEP_DAYS):
        raise ValueError(text)
    return int(days) if days.is_integer() else days


KNOWN = {
    "zone": Setting("time zone of your days", _zone, "the name of a time zone, such as Europe/Berlin"),
    "day_start_hour": Setting("hour at which your day begins", _hour, "an hour from 0 to 23"),
    "leg": Setting("leg of files and sensors that name none", lambda text: str(Leg(text)), "left or right"),
    "keep_days": Setting("days for which recordings are kept", _days, "a number of days above 0"),
}


@click.command("settings")
@click.argument("key", metavar="[KEY]", required=False, type=click.Choice(list(KNOWN)))
@click.argument("value", metavar="[VALUE]", required=False)
@click.option("--unset", is_flag=True, help="Go back to what KEY is by itself.")
@json_option
def command(key: str | None, value: str | None, unset: bool, as_json: bool) -> None:
    """Show the settings, or set KEY to VALUE.

    zone is the time zone of your days, such as Europe/Berlin. day_start_hour is the hour at which your day
    begins, 0 to 23. leg, left or right, is for files and sensors that name none. keep_days is for how many days
    recordings are kept; counts are kept for ever.
    """
    home = surroundings.home()
    if unset and (key is None or value is not None):
        raise ConfigError("--unset takes a key and no value.")
    if key is not None and (value is not None or unset):
        write_key(home, key, None if value is None else _read(key, value))
    document = _document(surroundings.settings())
    if as_json:
        print_json({"file": str(home.settings), "settings": document})
    elif key is not None:
        click.echo(f"{key} is {_words(document[key])}.")
    else:
        _show(home, document)


def _read(key: str, text: str) -> str | int | float:
    try:
        return KNOWN[key].read(text.strip())
    except ValueError as error:
        raise ConfigError(f"{key} cannot be {text!r}: it must be {KNOWN[key].wanted}.") from error


def _document(known: Settings) -> dict[str, Any]:
    return {
        "zone": known.zone,
        "day_start_hour": known.day_start_hour,
        "leg": known.leg,
        "keep_days": known.keep_days,
    }


def _words(value: Any) -> str:
    if value is None:
        return "not set"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _show(home: Home, document: dict[str, Any]) -> None:
    rows = Rows(("setting", "value", ""))
    for key, setting in KNOWN.items():
        words, says = _words(document[key]), setting.says
        if key == "zone" and document[key] is None:
            words, says = zone_name(surroundings.zone()), f"{says}, as this machine has it"
        rows.add(key, words, says)
    out = console()
    out.print(rows.drawn())
    there = "" if home.settings.exists() else ", which is not there yet"
    click.echo(f"\nThey are in {home.settings}{there}; `soleus settings KEY VALUE` sets one.")
