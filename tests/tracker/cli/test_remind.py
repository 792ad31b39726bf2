"""`soleus remind`: status, why, snooze, done, settings, stats, adapt; in words and as JSON."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analysis.events import Leg
from tracker.home import Home
from tracker.remind.decisions import Doing, LegSeen, Observation
from tracker.remind.reminders import Reminders
from tracker.remind.settings import RemindSettings
from tracker.store import Store

BERLIN = ZoneInfo("Europe/Berlin")
Run = Callable[..., Any]


@pytest.fixture
def watched(home: Path, noon: datetime) -> Callable[..., None]:
    """A leg that was still for some minutes until noon of Wednesday 2026-03-04, and an engine that watched it."""

    def live(minutes: int, **seen: Any) -> None:
        with Store(Home(home), clock=lambda: noon) as store:
            reminders = Reminders(store, RemindSettings)
            for minute in range(minutes + 1):
                now = (noon - timedelta(minutes=minutes - minute)).astimezone(BERLIN)
                reminders.observe(Observation(now, BERLIN, (LegSeen(Leg.LEFT, Doing.STILL),), **seen))

    return live


def test_before_anything(run: Run, run_json: Run, noon: datetime, tree: Callable[[], list[str]]) -> None:
    """Nobody watches, which is said; nothing is made."""
    assert "nobody watches the leg just now" in run("remind").stdout
    assert run_json("remind", "status")["watching"] is False
    said = run_json("remind", "why")
    assert (said["last"], said["next_due"]) == ("There has been none yet.", None)
    assert tree() == []


def test_on_the_way(run: Run, run_json: Run, watched: Any) -> None:
    """Still for twelve minutes: when the next one comes."""
    watched(12)
    status = run_json("remind", "status")
    assert (status["leg"], status["doing"], status["still_s"]) == ("left", {"left": "still"}, 720.0)
    assert (status["due_after_s"], status["next_due"]) == (1800.0, "2026-03-04T12:18:00+01:00")
    assert (status["shown_today"], status["held_back_by"], status["badge"]) == (0, None, False)
    assert run("remind").stdout.splitlines()[0] == (
        "Your left calf has been still for 12 of 30 minutes: the next one comes at about 12:18, unless it moves."
    )
    assert run_json("remind") == status


def test_why(run: Run, run_json: Run, watched: Any) -> None:
    """One sentence about the last, one about the next, and what cannot be known."""
    watched(35, microphone=False)
    last, next_, unknown = run("remind", "why").stdout.splitlines()
    assert last.startswith("The last one (gentle) came at 11:55, because your left calf had been still for 30 minutes;")
    assert next_.startswith("Your left calf has been still for 30 of 30 minutes: the next one comes at about 12:05")
    assert unknown.startswith("It cannot be known here whether the screen is locked, whether the desktop is asked not")
    assert run_json("remind", "why")["next_due"] == "2026-03-04T12:05:00+01:00"


def test_held_back(run_json: Run, watched: Any) -> None:
    """The rule is named."""
    watched(35, microphone=True)
    assert run_json("remind", "status")["held_back_by"] == "microphone"
    assert "the microphone was in use" in run_json("remind", "why")["next"]


@pytest.mark.parametrize(
    ("length", "until"),
    [
        ((), "2026-03-04T12:10:00+01:00"),
        (("45",), "2026-03-04T12:45:00+01:00"),
        (("tomorrow",), "2026-03-05T00:00:00+01:00"),
        (("off",), None),
    ],
)
def test_snooze(run: Run, run_json: Run, watched: Any, length: tuple[str, ...], until: str | None) -> None:
    """For the usual time, for minutes, until tomorrow, or no longer; the status knows at once."""
    watched(5)
    assert run_json("remind", "snooze", *length) == {"until": until}
    status = run_json("remind", "status")
    assert until in (status["snoozed_until"], status["not_before"])
    run("remind", "snooze", "off")
    assert run_json("remind", "status")["snoozed_until"] is None
    assert run("remind", "snooze", "20").stdout == (
        "No message before Wednesday 12:20. `soleus remind snooze off` ends it.\n"
    )


@pytest.mark.parametrize("length", ["soon", "-5", "0.0", "1441", "nan"])
def test_a_snooze_that_cannot_be(run: Run, length: str) -> None:
    """One sentence, exit 2."""
    result = run("remind", "snooze", "--", length, expect=2)
    assert result.stderr.startswith(f"a snooze cannot be '{length}': give minutes")
    assert result.stderr.count("\n") == 1


def test_done(run: Run, run_json: Run, watched: Any) -> None:
    """The debt is cleared on the wearer's word."""
    watched(20)
    assert run("remind", "done").stdout == "Taken at your word.\n"
    assert run_json("remind", "status")["still_s"] == 0.0


def test_settings_are_written_beside_others(run: Run, run_json: Run, home: Path) -> None:
    """In their table, lines of others untouched, and read by the engine."""
    home.mkdir()
    (home / "settings.toml").write_text('zone = "Europe/Berlin" # mine\n\n[channels]\non = ["desktop"]\n')
    for key, value in (
        ("hours", "09:00-17:00"),
        ("sunday", "off"),
        ("still_min", "25"),
        ("on", "yes"),
        ("sound", "on"),
    ):
        run("remind", "settings", key, value)
    run("remind", "settings", "sunday", "10:00-12:00")
    assert run("remind", "settings", "--unset", "sound").stdout == "sound is off.\n"
    text = (home / "settings.toml").read_text()
    assert text.startswith('zone = "Europe/Berlin" # mine\n\n[channels]\non = ["desktop"]\n')
    table = {"hours": "09:00-17:00", "sunday": "10:00-12:00", "still_min": 25, "on": True}
    assert tomllib.loads(text)["remind"] == table
    document = run_json("remind", "settings")["settings"]
    assert (document["monday"], document["sunday"], document["still_min"]) == ("09:00-17:00", "10:00-12:00", 25)
    run("settings", "keep_days", "30")
    assert tomllib.loads((home / "settings.toml").read_text())["remind"] == table


def test_settings_in_words(run: Run) -> None:
    """A table; one value; the hours of a day that has none of its own."""
    assert "minutes still until one is due" in run("remind", "settings").stdout
    assert run("remind", "settings", "still_min").stdout == "still_min is 30.\n"
    assert run("remind", "settings", "monday").stdout == "monday is 08:00-22:00.\n"
    assert run("remind", "settings", "quiet", "mon 12-13").stdout == "quiet is mon 12:00-13:00.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("hours", "22:00"), "hours cannot be '22:00' ('22:00' is not a period such as 08:00-12:00): it must be"),
        (("quiet", "12:00-12:00"), "is empty: write 00:00-24:00 for the whole day"),
        (("still_min", "0"), "still_min cannot be '0': it must be minutes from 1 to 600."),
        (("pre_notice_min", "40"), "pre_notice_min must be less than still_min (30)."),
        (("daily_cap", "many"), "daily_cap cannot be 'many'"),
        (("--unset",), "--unset takes a key and no value."),
    ],
)
def test_settings_that_cannot_be(run: Run, home: Path, arguments: tuple[str, ...], sentence: str) -> None:
    """One sentence, exit 2, and nothing is written."""
    result = run("remind", "settings", *arguments, expect=2)
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (home / "settings.toml").exists()


def test_a_file_that_is_laid_out_otherwise(run: Run, home: Path) -> None:
    """An inline table is left as it is, with a sentence."""
    home.mkdir()
    (home / "settings.toml").write_text("remind = {still_min = 40}\n")
    assert "change it there by hand" in run("remind", "settings", "still_min", "20", expect=2).stderr
    assert (home / "settings.toml").read_text() == "remind = {still_min = 40}\n"


def test_a_calendar_that_cannot_be_read_is_told(run: Run, run_json: Run, noon: datetime, tmp_path: Path) -> None:
    """It is set all the same, with an absolute path, and everything else goes on."""
    result = run("remind", "settings", "calendar", tmp_path / "none.ics")
    assert result.stdout == f"calendar is {tmp_path / 'none.ics'}.\n"
    assert result.stderr.startswith(f"The calendar {tmp_path / 'none.ics'} cannot be used (No such file")
    status = run_json("remind", "status")
    assert status["busy"] is None
    assert status["trouble"].startswith("The calendar")


def test_stats(run: Run, run_json: Run, watched: Any) -> None:
    """Exit 1 while there was none; then how many came, and by hour."""
    document = run_json("remind", "stats", expect=1)
    assert (document["due"], document["success"]["share"], len(document["by_hour"])) == (0, None, 24)
    assert run("remind", "stats", expect=1).stderr == "there was no reminder in the last 56 days.\n"
    watched(50)
    document = run_json("remind", "stats")
    assert document["shown"] == {"gentle": 1, "again": 1, "badge": 1}
    assert (document["by_hour"][11]["shown"], document["by_weekday"][2]["weekday"]) == (2, "wednesday")
    text = run("remind", "stats").stdout
    assert text.startswith("3 reminders were due in the last 56 days, 0 of them never shown.\n")
    assert "11:00" in text


def test_adapt(run: Run, run_json: Run, noon: datetime) -> None:
    """Off, on, and a reset that is written down."""
    assert run("remind", "adapt").stdout == "Adaptive mode is off: 30 minutes still at any hour.\n"
    run("remind", "adapt", "on")
    document = run_json("remind", "adapt", "reset")
    assert (document["adaptive"], document["since"]) == (True, "2026-03-04T11:00:00+00:00")
    assert document["still_min_by_hour"] == [30.0] * 24
    assert "has not learned enough yet" in run("remind", "adapt").stdout
