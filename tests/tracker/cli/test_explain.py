"""`soleus events --explain ID` and `--at TIME`: from the kept recording, or one sentence why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tracker.cli.explain import BLOCKS, PLAIN, sparkline

DAY = "2026-03-01"


@pytest.fixture
def walked(walk_file: Path, run: Any, run_json: Any) -> list[dict[str, Any]]:
    """Forty strides imported; gives the stored events."""
    run("import", walk_file, "--start", f"{DAY}T08:00:00", "--leg", "left")
    return list(run_json("events", DAY))


def test_an_event_is_explained(walked: list[dict[str, Any]], run: Any, run_json: Any) -> None:
    """Signal, measures and limits, and the rule that is stored with the event."""
    event = walked[10]
    told = run_json("events", "--explain", event["id"])
    assert (told["event"], told["rule"], told["counted_as"]) == (event["id"], event["rule"], "step")
    assert told["at_s"] == event["peak_s"]
    assert told["at"][:21] == event["peak"][:21]
    assert len(told["signal"]["t_s"]) == len(told["signal"]["tilt_rad"]) == 51
    assert all(check["met"] for check in told["checks"])
    assert told["checks"][0].keys() == {"rule", "feature", "value", "at_least", "threshold", "met"}
    said = run("events", "--explain", event["id"]).stdout
    for part in ("counted as step by the rule swing", "swing", "strike_mps2", "at least 0.", "+1 s"):
        assert part in said


def test_an_instant_is_explained(walked: list[dict[str, Any]], run: Any, run_json: Any) -> None:
    """By a whole time or by the clock of the day; a leg that rests is said to, with exit code 1."""
    event = walked[10]
    for when in ((f"{event['peak'][:19]}",), (event["peak"][11:19], DAY)):
        told = run_json("events", *when[1:], "--at", when[0])
        assert told["session"] == event["session"]
        assert told["rule"]
    said = run("events", DAY, "--at", "8:00:10", expect=1).stdout
    assert "too still" in said or "enough to be a candidate" in said


def test_what_is_not_there_is_one_sentence(walked: list[dict[str, Any]], home: Path, run: Any) -> None:
    """No such event or time, a wrong id, two questions at once, a recording that is gone."""
    event = walked[0]
    assert "is no event" in run("events", "--explain", "17", expect=2).stderr
    assert "there is no session 99" in run("events", "--explain", "99-step-1000", expect=1).stderr
    missing = f"{event['session']}-step-1"
    assert f"there is no event {missing}" in run("events", "--explain", missing, expect=1).stderr
    assert "nothing was recorded" in run("events", DAY, "--at", "20:00", expect=1).stderr
    assert "not an ISO 8601 time" in run("events", DAY, "--at", "noon", expect=2).stderr
    assert "choose one" in run("events", "--at", "8:00", "--rejected", expect=2).stderr
    assert "nothing was recorded" in run("events", DAY, "--at", "8:00:40", "--leg", "right", expect=1).stderr
    for path in (home / "recordings").glob("*.sqlite"):
        path.unlink()
    assert "not kept any more" in run("events", "--explain", event["id"], expect=1).stderr


def test_sparklines() -> None:
    """Lowest to highest over the whole range; a flat course is low."""
    assert sparkline(np.arange(8.0), BLOCKS) == BLOCKS
    assert sparkline(np.array([1.0, -1.0]), PLAIN) == "#_"
    assert sparkline(np.zeros(3), BLOCKS) == "▁▁▁"
