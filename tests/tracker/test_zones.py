"""Zones of the machine: every form of TZ works, or is explained in one sentence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from tracker.errors import ConfigError
from tracker.zones import machine_zone, tz_zone

HOURS = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number) for number in range(0, 8760, 6)]


def offsets(zone: object) -> list[timedelta | None]:
    return [hour.astimezone(zone).utcoffset() for hour in HOURS]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Europe/Berlin", "Europe/Berlin"),
        ("CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Berlin"),
        (":CET-1CEST,M3.5.0,M10.5.0/3", "Europe/Berlin"),
        ("EST5EDT,M3.2.0,M11.1.0", "America/New_York"),
        ("EST5EDT", "America/New_York"),
        ("<+0530>-5:30", "Asia/Kolkata"),
        ("JST-9", "Asia/Tokyo"),
        ("UTC0", "UTC"),
        ("", "UTC"),
        (":", "UTC"),
    ],
)
def test_forms_of_tz(text: str, same_as: str) -> None:
    """Names, POSIX rules, and nothing, which is UTC."""
    assert offsets(tz_zone(text)) == offsets(ZoneInfo(same_as))


def zone_file() -> Path:
    found = next(
        (Path(folder) / "Europe/Berlin" for folder in TZPATH if (Path(folder) / "Europe/Berlin").exists()), None
    )
    if found is None:
        pytest.skip("this machine has no zone files")
    return found


def test_the_path_of_a_zone_file(tmp_path: Path) -> None:
    """A link to a zone has that zone's name, a copy is read as it is."""
    link, copy = tmp_path / "localtime", tmp_path / "copy"
    link.symlink_to(zone_file())
    copy.write_bytes(zone_file().read_bytes())
    assert str(tz_zone(f":{link}")) == "Europe/Berlin"
    assert str(tz_zone(str(copy))) == str(copy)
    assert offsets(tz_zone(str(copy))) == offsets(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("CET-1CEST", "is not the name of a time zone: use one such as Europe/Berlin, or say when the clocks change"),
        ("Mars/Olympus", "is not the name of a time zone: use one such as Europe/Berlin.$"),
        ("Zürich", "is not the name of a time zone"),
        ("/no/such/file", "TZ names the file /no/such/file, which is not a time zone that can be read"),
    ],
)
def test_what_cannot_be_used_is_explained(text: str, sentence: str) -> None:
    """One sentence with a way out."""
    with pytest.raises(ConfigError, match=sentence):
        tz_zone(text)


def test_without_tz(tmp_path: Path) -> None:
    """The machine's own zone is some zone."""
    assert machine_zone({}).utcoffset(HOURS[0].replace(tzinfo=None)) is not None
