"""Settings and zones: what is given is used, what cannot be is explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from analysis.events import Leg
from tracker.errors import ConfigError
from tracker.home import Home
from tracker.settings import Settings, instant_of, local_instant, read_settings, wearer_zone

BERLIN = ZoneInfo("Europe/Berlin")


def home_with(tmp_path: Path, text: str) -> Home:
    (tmp_path / "settings.toml").write_text(text)
    return Home(tmp_path)


def test_no_file(tmp_path: Path) -> None:
    """Without a file everything is as usual."""
    assert read_settings(Home(tmp_path)) == Settings()


def test_all_keys(tmp_path: Path) -> None:
    """Every key is taken; tables of other rooms are passed over."""
    text = 'zone = "Asia/Tokyo"\nday_start_hour = 4\nleg = "left"\nkeep_days = 30\n[remind]\nafter = 60\n'
    assert read_settings(home_with(tmp_path, text)) == Settings("Asia/Tokyo", 4, Leg.LEFT, 30.0)


@pytest.mark.parametrize(
    "text",
    [
        "zone = 3",
        "day_start_hour = 24",
        "day_start_hour = true",
        'leg = "both"',
        "keep_days = 0",
        'keep_days = "x"',
        "=",
    ],
)
def test_bad_values(text: str, tmp_path: Path) -> None:
    """A value that cannot be used is told with the path of the file."""
    with pytest.raises(ConfigError, match=r"settings\.toml"):
        read_settings(home_with(tmp_path, text))


def test_zone_of_settings_goes_before_tz() -> None:
    """The settings, then TZ."""
    assert wearer_zone(Settings(zone="Asia/Tokyo"), {"TZ": "Europe/Berlin"}) == ZoneInfo("Asia/Tokyo")
    assert wearer_zone(Settings(), {"TZ": ":Europe/Berlin"}) == BERLIN
    assert wearer_zone(Settings(), {}) is not None


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "Europe"])
def test_no_such_zone(name: str) -> None:
    """A name that is no zone is explained."""
    with pytest.raises(ConfigError, match="is not the name of a time zone"):
        wearer_zone(Settings(), {"TZ": name})


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T08:00", datetime(2026, 3, 1, 7, tzinfo=UTC)),
        ("2026-07-01 08:00:30.5", datetime(2026, 7, 1, 6, 0, 30, 500_000, tzinfo=UTC)),
        ("2026-03-01T08:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("20260301T080000-0500", datetime(2026, 3, 1, 13, tzinfo=UTC)),
        ("2026-03-29T02:30+01:00", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T03:00", datetime(2026, 10, 25, 2, tzinfo=UTC)),
    ],
)
def test_instants(text: str, instant: datetime) -> None:
    """A time without an offset is on the wearer's clock."""
    assert instant_of(text, BERLIN) == instant


def test_a_fixed_offset_has_no_strange_hours() -> None:
    """Without clock changes every time is an instant."""
    zone = timezone(timedelta(hours=2))
    assert local_instant(datetime(2026, 3, 29, 2, 30), zone).utcoffset() == timedelta(hours=2)  # noqa: DTZ001
