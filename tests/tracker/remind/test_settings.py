"""The rules in the settings file: read, refused with a sentence, written back as they were."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tracker.errors import ConfigError
from tracker.home import Home
from tracker.remind.decisions import Rung
from tracker.remind.schedule import Period
from tracker.remind.settings import KEYS, RemindSettings, of_table, read_remind_settings, shown


def home_with(tmp_path: Path, text: str) -> Home:
    (tmp_path / "settings.toml").write_text(text, encoding="utf-8")
    return Home(tmp_path)


def test_no_file_and_no_table(tmp_path: Path) -> None:
    """Everything is as usual, with the start of the day that the general settings say."""
    assert read_remind_settings(Home(tmp_path)) == RemindSettings()
    assert read_remind_settings(home_with(tmp_path, "day_start_hour = 4\n")) == RemindSettings(day_start_hour=4)


def test_every_key(tmp_path: Path) -> None:
    """Hours of a weekday go before those of all; numbers and switches may be written as such or as text."""
    text = """
    [remind]
    on = true
    still_min = 25
    clear_contractions = "15"
    ladder = "gentle, badge"
    hours = "09:00-17:00"
    sunday = "off"
    quiet = "fri 12:00-13:00"
    holidays = "2026-05-01"
    calendar = "/tmp/a.ics"
    adaptive = "on"
    adaptive_since = 2026-05-01T08:00:00Z
    """
    rules = read_remind_settings(home_with(tmp_path, text))
    assert (rules.on, rules.still_min, rules.clear_contractions) == (True, 25.0, 15)
    assert rules.ladder == (Rung.GENTLE, Rung.BADGE)
    assert rules.schedule.hours == ((Period(540, 1020),),) * 6 + ((),)
    assert rules.schedule.quiet == (Period(720, 780, 4),)
    assert (rules.calendar, rules.adaptive) == (Path("/tmp/a.ics"), True)
    assert rules.adaptive_since == datetime(2026, 5, 1, 8, tzinfo=UTC)


def test_what_is_shown_can_be_written_back(tmp_path: Path) -> None:
    """`shown` gives a table that means the same rules."""
    table = {"saturday": "10:00-12:00, 14:00-15:30", "quiet": "12:00-13:00", "ladder": "gentle", "still_min": 12.5}
    rules = of_table(table, tmp_path)
    assert of_table(shown(rules), tmp_path) == rules
    assert set(shown(rules)) | {"hours"} == set(KEYS)
    assert "monday" not in shown(RemindSettings())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("still_min = 0", r"still_min cannot be 0: it must be minutes from 1 to 600"),
        ("still_min = nan", "still_min cannot be nan"),
        ("still_min = true", "still_min cannot be True"),
        ("daily_cap = 2.5", "daily_cap cannot be 2.5: it must be a number from 1 to 1000"),
        ('hours = "09:00-09:00"', "hours cannot be '09:00-09:00' .*empty: write 00:00-24:00"),
        ("hours = 8", "hours cannot be 8: it must be periods"),
        ('ladder = "again, gentle"', "ladder cannot be"),
        ('ladder = "soon"', "ladder cannot be"),
        ('holidays = "2026-02-30"', "holidays cannot be '2026-02-30' .*is not a day"),
        ('on = "perhaps"', "on cannot be 'perhaps': it must be on or off"),
        ("after = 60", "has no key after: `soleus remind settings` lists"),
        ("pre_notice_min = 30", r"pre_notice_min must be less than still_min \(30\)"),
        ('adaptive = "on"\nadaptive_least_min = 40', "still_min .*must lie between adaptive_least_min"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, line: str, sentence: str) -> None:
    """In one sentence with the path of the file."""
    with pytest.raises(ConfigError, match=rf"settings\.toml.*{sentence}"):
        read_remind_settings(home_with(tmp_path, f"[remind]\n{line}\n"))


def test_a_table_that_is_none(tmp_path: Path) -> None:
    """A value in the place of the table is refused, too."""
    with pytest.raises(ConfigError, match="remind must be a table"):
        read_remind_settings(home_with(tmp_path, "remind = 3\n"))
