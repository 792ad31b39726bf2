"""What the service is to record, as the table `[service]` of the settings says."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

from tracker.errors import ConfigError
from tracker.home import Home


def wanted_sensors(home: Home) -> tuple[str, ...]:
    """Nicknames of `service.sensors`; empty where nothing is set: then every paired sensor is recorded.

    Raises:
        ConfigError: the file is not TOML, or the key is no list of texts.
    """
    path = home.settings
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("service", {})
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): mend it or move it away.") from error
    named = table.get("sensors", []) if isinstance(table, Mapping) else None
    if not isinstance(named, list) or not all(isinstance(nick, str) for nick in named):
        raise ConfigError(f'{path}: service.sensors must be a list of nicknames, such as ["left"].')
    return tuple(named)
