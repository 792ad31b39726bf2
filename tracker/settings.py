"""The wearer's settings, and the time zone in which days are told."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from analysis.events import Leg
from tracker.errors import ConfigError
from tracker.home import Home
from tracker.zones import machine_zone, named_zone

KEEP_DAYS = 90.0
"""Days for which raw recordings are kept where the settings do not say; counts are kept for ever."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What `settings.toml` says; every key is optional, keys of other rooms are passed over.

    Attributes:
        zone: IANA name of the wearer's zone; None: the machine's.
        day_start_hour: hour at which the wearer's day begins, 0..23.
        leg: the leg where a file or sensor does not tell.
        keep_days: how long raw recordings are kept.
    """

    zone: str | None = None
    day_start_hour: int = 0
    leg: Leg | None = None
    keep_days: float = KEEP_DAYS


def read_settings(home: Home) -> Settings:
    """The settings of a home; the defaults where there is no file.

    Raises:
        ConfigError: the file is not TOML, or a value cannot be used.
    """
    path = home.settings
    try:
        known = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): mend it or move it away.") from error
    return Settings(
        zone=_taken(known, "zone", path, str, "the name of a zone, such as Europe/Berlin"),
        day_start_hour=_hour(known, path),
        leg=_leg(known, path),
        keep_days=_days(known, path),
    )


def _taken(known: Mapping[str, Any], key: str, path: Path, kind: type, wanted: str) -> Any:
    value = known.get(key)
    if value is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        raise ConfigError(f"{path}: {key} must be {wanted}.")
    return value


def _hour(known: Mapping[str, Any], path: Path) -> int:
    hour = _taken(known, "day_start_hour", path, int, "an hour from 0 to 23")
    if hour is not None and not 0 <= hour <= 23:
        raise ConfigError(f"{path}: day_start_hour must be an hour from 0 to 23.")
    return hour or 0


def _leg(known: Mapping[str, Any], path: Path) -> Leg | None:
    leg = _taken(known, "leg", path, str, "left or right")
    if leg is not None and leg not in tuple(Leg):
        raise ConfigError(f"{path}: leg must be left or right.")
    return None if leg is None else Leg(leg)


def _days(known: Mapping[str, Any], path: Path) -> float:
    days = known.get("keep_days", KEEP_DAYS)
    if isinstance(days, bool) or not isinstance(days, int | float) or not days > 0:
        raise ConfigError(f"{path}: keep_days must be a number of days above 0.")
    return float(days)


def wearer_zone(settings: Settings, environ: Mapping[str, str] = os.environ) -> tzinfo:
    """The zone of the settings, else of `TZ`, else of the machine.

    Raises:
        ConfigError: what is given is no zone.
    """
    if settings.zone:
        return named_zone(settings.zone, "zone in the settings")
    return machine_zone(environ)


def local_instant(wall: datetime, zone: tzinfo) -> datetime:
    """A time on the wearer's clock as an instant.

    Args:
        wall: without zone or offset.
        zone: whose clock shows it.

    Raises:
        ConfigError: the clock never shows that time, or shows it twice.
    """
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    name = getattr(zone, "key", None) or str(zone)
    shown = wall.isoformat(timespec="minutes")
    early, late = (f"{shown}{_offset(moment)}" for moment in (first, second))
    if (first.utcoffset() or timedelta()) < (second.utcoffset() or timedelta()):
        raise ConfigError(
            f"{shown} does not exist in {name}, because the clocks go forward over it: "
            "give a time that does, or one with its offset."
        )
    raise ConfigError(
        f"{shown} happens twice in {name}, because the clocks go back: "
        f"write {early} for the first time or {late} for the second."
    )


def _offset(moment: datetime) -> str:
    return moment.isoformat()[-6:]


def instant_of(text: str, zone: tzinfo) -> datetime:
    """An ISO 8601 time as an aware instant; without an offset it is taken on the clock of `zone`.

    Raises:
        ConfigError: it is not a date with a time, or not between 1970 and 2199.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ConfigError(f"{text!r} is not an ISO 8601 time: write it as 2026-05-01T14:30:00.") from error
    if not any(mark in text.strip()[8:] for mark in "T :"):
        raise ConfigError(f"{text!r} is a date without a time: write it as {text.strip()}T14:30:00.")
    if not 1970 <= moment.year < 2200:
        raise ConfigError(f"{text!r} is not between 1970 and 2199: check the year.")
    return local_instant(moment, zone) if moment.tzinfo is None else moment
