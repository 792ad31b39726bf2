"""Which channels are used, as the table `[channels]` of the settings says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker.errors import ConfigError
from tracker.home import Home

NAMES = ("desktop", "sound", "terminal", "vibration", "push")
USUAL = ("desktop", "sound", "vibration")
"""Nothing that leaves the machine, and nothing that writes into what somebody types."""


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The table `[channels]`.

    Attributes:
        on: names of the channels that are used.
        push: addresses of apprise; without any, nothing is sent.
    """

    on: tuple[str, ...] = USUAL
    push: tuple[str, ...] = ()


def read_channel_settings(home: Home) -> ChannelSettings:
    """The channels of a home; the usual ones where nothing is set.

    Raises:
        ConfigError: the file is not TOML, or names what is no channel.
    """
    path = home.settings
    try:
        known = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return ChannelSettings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): mend it or move it away.") from error
    table = known.get("channels", {})
    if not isinstance(table, Mapping):
        raise ConfigError(f"{path}: channels must be a table, [channels].")
    on = _texts(table, "on", path, USUAL)
    for name in on:
        if name not in NAMES:
            raise ConfigError(f"{path}: channels.on has no channel {name!r}; there are {', '.join(NAMES)}.")
    return ChannelSettings(on, _texts(table, "push", path, ()))


def _texts(table: Mapping[str, Any], key: str, path: Path, usual: tuple[str, ...]) -> tuple[str, ...]:
    value = table.get(key)
    if value is None:
        return usual
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ConfigError(f'{path}: channels.{key} must be a list of texts, such as ["desktop", "sound"].')
    return tuple(dict.fromkeys(value))
