"""`soleus where` and `settings`: places, sizes, and values that are checked before they are written."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tracker.store.schema import SCHEMA_VERSION

DEFAULTS = {"zone": None, "day_start_hour": 0, "leg": None, "keep_days": 90.0}


def test_places_in_json(keep: Any, run_json: Any, home: Path, noon: datetime) -> None:
    """Every path with its size, and what the disk will hold."""
    keep("2026-03-03T08:00:00+01:00", [60], recording=b"x" * 5000)
    told = run_json("where")
    paths = {place["name"]: place for place in told["paths"]}
    assert list(paths) == ["database", "settings", "recordings", "trash", "copies", "demo"]
    assert (told["home"], paths["database"]["path"]) == (str(home), str(home / "soleus.db"))
    assert (paths["recordings"]["bytes"], paths["settings"]["bytes"]) == (5000, None)
    assert (told["keep_days"], told["undo_days"]) == (90.0, 7.0)
    assert (told["forecast"]["bytes_per_day"], told["forecast"]["expected_bytes"]) == (5000.0, 450_000.0)
    assert told["forecast"]["free_bytes"] > 0


def test_places_for_people(keep: Any, run: Any, noon: datetime) -> None:
    """Each place with what it is for."""
    keep("2026-03-03T08:00:00+01:00", [60], recording=b"x" * 5000)
    text = run("where").stdout
    assert "kept for 90 days" in text
    assert "A recorded day takes about 5.0 kB, so 90 such days will take 450 kB; " in text


def test_nothing_there_yet(run: Any, run_json: Any, tree: Any) -> None:
    """The places are told, and none is made."""
    assert {place["bytes"] for place in run_json("where")["paths"]} == {None}
    assert "Nothing is recorded yet" in run("where").stdout
    assert tree() == []


def test_a_newer_database_is_still_found(keep: Any, home: Path, run: Any, noon: datetime) -> None:
    """The places are told even where the database cannot be used."""
    keep("2026-03-03T08:00:00+01:00", [60])
    connection = sqlite3.connect(home / "soleus.db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    result = run("where", expect=4)
    assert "soleus.db" in result.stdout
    assert result.stderr.endswith(
        f"was written by a newer soleus (schema 99, this one knows {SCHEMA_VERSION}): update soleus.\n"
    )
    for command in ("day", "week", "month", "sessions", "events", "undo", "backup"):
        assert run(command, expect=4).stderr == result.stderr


def test_settings_by_themselves(run: Any, run_json: Any, home: Path, tree: Any) -> None:
    """Defaults, and the zone of the machine; looking creates nothing."""
    told = run_json("settings")
    assert told == {"file": str(home / "settings.toml"), "settings": DEFAULTS}
    assert "Europe/Berlin  time zone of your days, as this machine has it" in run("settings").stdout
    assert tree() == []


def test_set_and_unset(run: Any, run_json: Any, home: Path) -> None:
    """Each key is one line; other lines stay as they are."""
    home.mkdir()
    file = home / "settings.toml"
    file.write_text('# mine\nleg = "left" # usually\n[remind]\nleg = "x"\nzone = 7\n')
    assert run("settings", "leg", "right").stdout == "leg is right.\n"
    assert run("settings", "zone", "Asia/Tokyo").stdout == "zone is Asia/Tokyo.\n"
    run("settings", "keep_days", "30")
    run("settings", "day_start_hour", "04:00")
    assert run_json("settings")["settings"] == {
        "zone": "Asia/Tokyo",
        "day_start_hour": 4,
        "leg": "right",
        "keep_days": 30.0,
    }
    assert file.read_text() == (
        '# mine\nleg = "right"\nzone = "Asia/Tokyo"\nkeep_days = 30\nday_start_hour = 4\n'
        '[remind]\nleg = "x"\nzone = 7\n'
    )
    assert file.stat().st_mode & 0o777 == 0o600
    run("settings", "leg", "--unset")
    assert run("settings", "leg").stdout == "leg is not set.\n"
    assert '# mine\nzone = "Asia/Tokyo"\n' in file.read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["zone", "Mars"], "zone cannot be 'Mars': it must be the name of a time zone, such as Europe/Berlin."),
        (["zone", ""], "zone cannot be '': it must be the name of a time zone, such as Europe/Berlin."),
        (["day_start_hour", "24"], "day_start_hour cannot be '24': it must be an hour from 0 to 23."),
        (["leg", "up"], "leg cannot be 'up': it must be left or right."),
        (["keep_days", "inf"], "keep_days cannot be 'inf': it must be a number of days above 0."),
        (["keep_days", "0"], "keep_days cannot be '0': it must be a number of days above 0."),
        (["colour", "red"], "Invalid value for '[KEY]': 'colour' is not one of 'zone', 'day_start_hour', 'leg', "),
        (["leg", "left", "--unset"], "--unset takes a key and no value."),
    ],
)
def test_wrong_values(arguments: list[str], sentence: str, run: Any, tree: Any) -> None:
    """One sentence, exit code 2, nothing written."""
    assert run("settings", *arguments, expect=2).stderr.startswith(sentence)
    assert tree() == []


def test_a_broken_file_is_mended(run: Any, home: Path) -> None:
    """A value that cannot be read can be set anew."""
    home.mkdir()
    (home / "settings.toml").write_text("zone = 3\n")
    assert run("settings", expect=2).stderr.endswith("zone must be the name of a zone, such as Europe/Berlin.\n")
    assert run("day", expect=2).stderr.count("\n") == 1
    run("settings", "zone", "UTC")
    assert (home / "settings.toml").read_text() == 'zone = "UTC"\n'
