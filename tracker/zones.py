"""The time zone in which the machine lives: what `TZ` says in any of its forms, else what the machine is set to."""

from __future__ import annotations

import io
import struct
import time
from collections.abc import Mapping
from datetime import UTC, timedelta, timezone, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tracker.errors import ConfigError

_UNUSABLE = (ZoneInfoNotFoundError, ValueError, OSError)


def named_zone(name: str, whose: str) -> tzinfo:
    """A zone by its IANA name.

    Raises:
        ConfigError: there is none of that name; the sentence begins with `whose`.
    """
    try:
        return ZoneInfo(name)
    except _UNUSABLE as error:
        raise ConfigError(
            f"{whose} is {name!r}, which is not the name of a time zone: use one such as Europe/Berlin."
        ) from error


def machine_zone(environ: Mapping[str, str]) -> tzinfo:
    """The zone of `TZ` where that is set, else of the machine.

    Raises:
        ConfigError: it cannot be used.
    """
    if (text := environ.get("TZ")) is not None:
        return tz_zone(text)
    if found := _linked_name(Path("/etc/localtime")) or _noted_name(Path("/etc/timezone")):
        return named_zone(found, "the machine's zone")
    return timezone(timedelta(seconds=-time.timezone), time.tzname[0])


def tz_zone(text: str) -> tzinfo:
    """What the environment variable `TZ` means.

    A name, the path of a zone file, or the rules themselves (`CET-1CEST,M3.5.0,M10.5.0/3`), each also after a
    colon; empty is UTC.
    Source: POSIX.1-2017, Base Definitions, 8.3 Other Environment Variables; tzset(3).

    Raises:
        ConfigError: it is none of these, or leaves open when the clocks change.
    """
    meant = text.removeprefix(":")
    if not meant:
        return UTC
    if meant.startswith("/"):
        return _zone_in(Path(meant))
    try:
        return ZoneInfo(meant)
    except _UNUSABLE:
        return _zone_by_rules(meant)


def _zone_in(path: Path) -> tzinfo:
    if name := _linked_name(path):
        return ZoneInfo(name)
    try:
        with path.open("rb") as opened:
            return ZoneInfo.from_file(opened, key=str(path))
    except _UNUSABLE as error:
        raise ConfigError(
            f"TZ names the file {path}, which is not a time zone that can be read: use a name such as Europe/Berlin."
        ) from error


def _zone_by_rules(rules: str) -> tzinfo:
    """A zone by a POSIX rule string: the last line of an otherwise empty zone file (RFC 8536, 3.3)."""
    counts = struct.pack(">6l", 0, 0, 0, 0, 1, 4)
    empty = b"TZif2" + bytes(15) + counts + struct.pack(">lbB", 0, 0, 0) + b"UTC\0"
    try:
        return ZoneInfo.from_file(io.BytesIO(empty + empty + f"\n{rules}\n".encode("ascii")), key=rules)
    except (UnicodeEncodeError, ValueError) as error:
        hint = "use one such as Europe/Berlin"
        if any(mark.isdigit() for mark in rules) and "," not in rules:
            hint += ", or say when the clocks change, as in CET-1CEST,M3.5.0,M10.5.0/3"
        raise ConfigError(f"TZ is {rules!r}, which is not the name of a time zone: {hint}.") from error


def _linked_name(link: Path) -> str | None:
    """Name of the zone that a link leads to, such as /etc/localtime; None where it is no such link."""
    _, _, name = str(link.resolve()).rpartition("zoneinfo/")
    if not link.exists() or name == str(link.resolve()):
        return None
    try:
        return ZoneInfo(name).key
    except _UNUSABLE:
        return None


def _noted_name(note: Path) -> str | None:
    """Name that Debian notes beside the link."""
    try:
        return note.read_text(encoding="ascii").strip() or None
    except (OSError, UnicodeDecodeError):
        return None
