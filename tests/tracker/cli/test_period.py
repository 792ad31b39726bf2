"""`soleus week` and `soleus month`: a row a day, sums, the stretch before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from analysis.events import Kind
from tracker.cli.period import summed
from tracker.store import LegDay


@pytest.fixture
def weeks(keep: Any, noon: datetime) -> None:
    """Three raises on Monday, one on Tuesday with a gap; two on a Sunday of the week before, twice as long."""
    keep("2026-03-02T08:00:00+01:00", [60, 70, 80])
    keep("2026-03-03T08:00:00+01:00", [60], gaps=[(600, 1200)])
    keep("2026-03-01T08:00:00+01:00", [60, 70], length_s=7200)


@pytest.mark.usefixtures("weeks")
def test_a_week_in_json(run_json: Any) -> None:
    """Seven days, sums over the days that were recorded, and the week before."""
    told = run_json("week")
    assert (told["from"], told["to"], told["zone"]) == ("2026-03-02", "2026-03-08", "Europe/Berlin")
    assert [day["total"] for day in told["days"]] == [3, 1, *[None] * 5]
    assert all("hours" not in day for day in told["days"])
    assert (told["days_recorded"], told["sums"]["total"], told["sums"]["deliberate"]) == (2, 4, 4)
    assert (told["sums"]["recorded_s"], told["sums"]["gap_s"]) == (6600.0, 600.0)
    assert (told["legs"]["left"]["total"], told["legs"]["right"]["counts"]) == (4, None)
    before = told["before"]
    assert (before["from"], before["to"], before["sums"]["total"]) == ("2026-02-23", "2026-03-01", 2)


@pytest.mark.usefixtures("weeks")
def test_a_month_in_json(run_json: Any) -> None:
    """All days of the month, named by itself or by a day."""
    told = run_json("month", "2026-03")
    assert (told["from"], told["to"], len(told["days"])) == ("2026-03-01", "2026-03-31", 31)
    assert (told["sums"]["total"], told["before"]["from"], told["before"]["to"]) == (6, "2026-02-01", "2026-02-28")
    assert run_json("month", "2026-03-31") == told


@pytest.mark.usefixtures("weeks")
def test_a_week_for_people(run: Any) -> None:
    """Days to come are not shown, a day without a recording has dashes, and the trend is by the hour too."""
    text = run("week").stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "Week 10, 2 to 8 March 2026, so far"
    assert "Mon 2 Mar left ████████████████████████ 3 0 3 0 0 1:00 1:00 0:00 0:59" in lines
    assert "Wed 4 Mar — — — — — — — — — —" in lines
    assert "Thu" not in text
    assert "together 4 0 4 0 0 1:50 1:50 0:10 0:59" in lines
    assert "deliberate 4 2 +100 %" in lines
    assert "deliberate an hour worn 2.2 1.0 +118 %" in lines
    assert "days recorded 2 of 7 1 of 7" in lines


@pytest.mark.usefixtures("weeks")
@pytest.mark.parametrize("width", [80, 100, 120])
def test_it_fits(width: int, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line is wider than the terminal, and no row is broken."""
    monkeypatch.setenv("COLUMNS", str(width))
    for command in ("week", "month", "sessions", "day"):
        text = run(command, *(["2026-03-02"] if command == "day" else [])).stdout
        assert max(map(len, text.splitlines())) <= width
        assert "…" not in text


@pytest.mark.parametrize("command", ["week", "month"])
def test_nothing_recorded(command: str, run: Any, run_json: Any, noon: datetime, tree: Any) -> None:
    """Null, and exit code 1."""
    told = run_json(command, expect=1)
    assert (told["sums"]["counts"], told["sums"]["longest_still_s"], told["days_recorded"]) == (None, None, 0)
    assert run(command, "2025-12-31", expect=1).stdout.endswith(": nothing was recorded.\n")
    assert tree() == []


def test_titles(run: Any, noon: datetime) -> None:
    """A week may lie in two months or two years."""
    assert run("week", "2026-04-01", expect=1).stdout.startswith("Week 14, 30 March to 5 April 2026:")
    assert run("week", "2026-01-01", expect=1).stdout.startswith("Week 1, 29 December 2025 to 4 January 2026:")
    assert run("month", "2026-04", expect=1).stdout.startswith("April 2026:")


def test_sums_of_nothing_are_unknown() -> None:
    """One day that was recorded makes sums; none makes none."""
    seen = LegDay(dict.fromkeys(Kind, 1), 10.0, 9.0, 1.0, 2.0, 3.0, longest_still_s=3.0)
    assert summed([LegDay(), LegDay()]) == LegDay()
    assert summed([LegDay(), seen]) == seen
    assert summed([seen, seen]).total == 10
    assert summed([seen, seen]).longest_still_s == 3.0
