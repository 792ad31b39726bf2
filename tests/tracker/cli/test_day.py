"""`soleus day`: counts, hours, both legs, days on which the clocks change, and what was not seen."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analysis.events import Kind

KEYS = [
    "day", "zone", "leg", "counts", "total", "deliberate", "recorded_s", "worn_s", "unknown_s", "gap_s",
    "bounce_s", "longest_still_s", "hours", "legs",
]  # fmt: skip
NONE = dict.fromkeys(map(str, Kind), 0)


def test_a_day_in_json(keep: Any, run_json: Any, noon: datetime) -> None:
    """The contract's keys, exact counts and seconds, the hour of each contraction."""
    keep("2026-03-04T08:30:00+01:00", [60, 120, 2400], gaps=[(300, 600)], bounce_s=4.0)
    keep("2026-03-04T10:00:00+01:00", [30], kind=Kind.STEP)
    told = run_json("day")
    assert list(told) == KEYS
    assert (told["day"], told["zone"], told["leg"]) == ("2026-03-04", "Europe/Berlin", "left")
    assert told["counts"] == NONE | {"heel_raise": 3, "step": 1}
    assert (told["total"], told["deliberate"]) == (4, 3)
    assert (told["recorded_s"], told["worn_s"], told["gap_s"], told["bounce_s"]) == (6900.0, 6900.0, 300.0, 4.0)
    assert told["longest_still_s"] == pytest.approx(3600 - 30.5)
    assert [hour["start"] for hour in told["hours"]][::23] == ["2026-03-04T00:00:00+01:00", "2026-03-04T23:00:00+01:00"]
    assert told["hours"][8] == {
        "start": "2026-03-04T08:00:00+01:00",
        "counts": NONE | {"heel_raise": 2},
        "worn_s": 1500.0,
        "recorded_s": 1500.0,
        "unknown_s": 0.0,
    }
    assert told["hours"][7]["counts"] is None
    assert (told["legs"]["left"]["total"], told["legs"]["right"]["total"]) == (4, None)


def test_nothing_recorded(run: Any, run_json: Any, noon: datetime, tree: Any) -> None:
    """Null counts, not zeros, and exit code 1; looking creates nothing."""
    told = run_json("day", "2026-03-03", expect=1)
    assert (told["counts"], told["total"], told["deliberate"], told["longest_still_s"]) == (None,) * 4
    assert (told["leg"], len(told["hours"])) == (None, 24)
    assert run("day", "yesterday", expect=1).stdout == "Tuesday 3 March 2026: nothing was recorded.\n"
    assert tree() == []


def test_what_cannot_be_counted_is_never_zero(emg_file: Path, keep: Any, run: Any, run_json: Any, at: Any) -> None:
    """Muscle only: recorded, state unknown, counts null; beside a session that counts it shows as unknown."""
    at(datetime(2026, 3, 1, 22, tzinfo=UTC))
    run("import", emg_file, "--start", "2026-03-01T08:00:00", "--leg", "left")
    told = run_json("day")
    assert (told["counts"], told["total"], told["deliberate"], told["longest_still_s"]) == (None,) * 4
    assert (told["recorded_s"], told["unknown_s"], told["worn_s"], told["leg"]) == (9.995, 9.995, 0.0, "left")
    (hour,) = [hour for hour in told["hours"] if hour["recorded_s"]]
    assert (hour["counts"], hour["unknown_s"]) == (None, 9.995)
    text = run("day").stdout
    assert "state unknown                10 s  seen, but it could not be counted" in text
    assert ["08", "not", "countable", "—"] in [line.split() for line in text.splitlines()]
    assert run_json("sessions")[0]["counts"] == dict.fromkeys(map(str, Kind))
    assert run_json("week")["sums"]["total"] is None
    keep("2026-03-01T09:00:00+01:00", [60])
    told = run_json("day")
    assert (told["total"], told["recorded_s"], told["unknown_s"]) == (1, 3609.995, 9.995)


@pytest.mark.parametrize(("day", "hours", "twice"), [("2026-03-29", 23, 0), ("2026-10-25", 25, 1)])
def test_the_clocks_change(day: str, hours: int, twice: int, keep: Any, run_json: Any, run: Any, at: Any) -> None:
    """A day has 23 or 25 hours, each with its offset, and people see the offset too."""
    at(datetime(2026, 11, 1, tzinfo=UTC))
    keep(f"{day}T00:00:00{'+01:00' if hours == 23 else '+02:00'}", [60], length_s=hours * 3600)
    told = run_json("day", day)
    starts = [hour["start"] for hour in told["hours"]]
    assert (len(starts), len(set(starts))) == (hours, hours)
    assert sum(start.startswith(f"{day}T02") for start in starts) == 2 * twice
    assert told["recorded_s"] == hours * 3600 == sum(hour["worn_s"] for hour in told["hours"])
    text = run("day", day).stdout
    assert ("02+02:00" in text, "02+01:00" in text) == (bool(twice), bool(twice))
    assert ["not", "recorded", "0", "s", "not", "seen"] in [line.split() for line in text.splitlines()]


def test_the_zone(keep: Any, run_json: Any, run: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zone of the settings goes before that of the machine."""
    keep("2026-03-04T00:30:00+01:00", [60])
    monkeypatch.setenv("TZ", "America/New_York")
    assert run_json("day", "2026-03-03")["total"] == 1
    run("settings", "zone", "Asia/Kolkata")
    told = run_json("day", "2026-03-04")
    assert (told["total"], told["zone"]) == (1, "Asia/Kolkata")


def test_start_of_the_day(keep: Any, run_json: Any, run: Any, noon: datetime) -> None:
    """A day that begins at four holds the small hours of the next date; the option goes before the settings."""
    keep("2026-03-04T01:00:00+01:00", [60])
    run("settings", "day_start_hour", 4)
    told = run_json("day", "2026-03-03")
    assert (told["total"], told["hours"][0]["start"]) == (1, "2026-03-03T04:00:00+01:00")
    assert run_json("day", "2026-03-04", "--day-start", 0)["total"] == 1


def test_both_legs(keep: Any, run_json: Any, run: Any, noon: datetime) -> None:
    """The headline is the leg worn longer; people see the other beside it."""
    keep("2026-03-04T08:00:00+01:00", [60, 70], leg="left")
    keep("2026-03-04T08:00:00+01:00", [60, 70, 80], leg="right", length_s=7200)
    told = run_json("day")
    assert (told["leg"], told["total"], told["worn_s"]) == ("right", 3, 7200.0)
    assert (told["legs"]["left"]["total"], told["legs"]["right"]["total"]) == (2, 3)
    text = run("day").stdout
    assert text.startswith("Wednesday 4 March 2026, right leg\n")
    assert "right     left" in text
    assert "heel raises (standing)          3        2" in text


def test_a_leg_that_nobody_named(keep: Any, run_json: Any, run: Any, noon: datetime) -> None:
    """Such a session is counted, and the leg is null."""
    keep("2026-03-04T08:00:00+01:00", [60], leg=None)
    told = run_json("day")
    assert (told["leg"], told["total"], told["hours"][8]["counts"]["heel_raise"]) == (None, 1, 1)
    assert run("day").stdout.startswith("Wednesday 4 March 2026, leg not named\n")


def test_a_day_for_people(keep: Any, run: Any, noon: datetime) -> None:
    """What was seen stands beside what was counted; hours without a recording are told, not drawn as zero."""
    keep("2026-03-04T08:30:00+01:00", [60, 120, 2400], gaps=[(300, 600)])
    lines = [line.split() for line in run("day").stdout.splitlines()]
    text = run("day").stdout
    assert ["deliberate", "3"] in lines
    assert "so far, Europe/Berlin" in text
    assert "worn                       55 min  8 % of the day so far" in text
    assert "gaps while recording        5 min  not seen" in text
    assert "not recorded              11:00 h  not seen" in text
    assert ["00", "–", "07", "not", "recorded", "—"] in lines
    assert ["08", "████████████████", "2", "0", "25", "min"] in lines
    assert ["10", "–", "12", "not", "recorded", "—"] in lines
    assert not any(line[:1] == ["13"] for line in lines)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["2026-02-30"], "'2026-02-30' is not a day: write it as 2026-05-01, today, yesterday, or a weekday"),
        (["someday"], "'someday' is not a day: "),
        (["1812-05-01"], "'1812-05-01' is not between 1970 and 2199: check the year."),
        (["--day-start", "24"], "Invalid value for '--day-start': 24 is not in the range 0<=x<=23: see "),
    ],
)
def test_wrong_dates(arguments: list[str], sentence: str, run: Any) -> None:
    """One sentence and exit code 2."""
    result = run("day", *arguments, expect=2)
    assert result.stderr.startswith(sentence)
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)


def test_a_zone_that_is_none(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """TZ is checked, not guessed at."""
    monkeypatch.setenv("TZ", "Mars/City")
    assert run("day", expect=2).stderr.startswith("TZ is 'Mars/City', which is not the name of a time zone")
