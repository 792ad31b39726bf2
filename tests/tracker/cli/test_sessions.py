"""`soleus sessions` and `soleus events`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.events import Algorithm, Findings, Kind, Leg, Rejection
from tracker.home import Home
from tracker.store import Batch, NewSession, Store

SESSION_KEYS = {
    "id", "sensor", "leg", "started_at", "ended_at", "duration_s", "samples", "packets", "packet_errors",
    "duplicates", "gap_s", "gaps", "reconnects", "counts", "recording",
}  # fmt: skip


def test_sessions_in_json(keep: Any, run_json: Any, noon: datetime) -> None:
    """The contract's keys, the latest session first."""
    first = keep("2026-03-02T08:00:00+01:00", [60, 70], gaps=[(300, 600)])
    second = keep("2026-03-03T08:00:00+01:00", [60], leg=None)
    told = run_json("sessions")
    assert [session["id"] for session in told] == [second, first]
    assert set(told[0]) >= SESSION_KEYS
    assert (told[1]["gap_s"], told[1]["gaps"]) == (300.0, [{"start_s": 300.0, "end_s": 600.0}])
    assert (told[1]["counts"]["heel_raise"], told[0]["leg"]) == (2, None)
    assert [session["id"] for session in run_json("sessions", "--last", 1)] == [second]


def test_sessions_for_people(keep: Any, run: Any, noon: datetime) -> None:
    """One line a session."""
    keep("2026-03-02T08:00:00+01:00", [60, 70], gaps=[(300, 600)])
    lines = [line.split() for line in run("sessions").stdout.splitlines()]
    assert ["1", "2026-03-02", "08:00", "1:00", "left", "a.csv", "0:05", "2", "0"] in lines


def test_no_session(run: Any, run_json: Any, tree: Any) -> None:
    """An empty list and exit code 1; nothing is created."""
    assert run_json("sessions", expect=1) == []
    assert run("sessions", expect=1).stdout.startswith("No session is stored yet")
    assert tree() == []


def test_events_in_json(keep: Any, run_json: Any, noon: datetime) -> None:
    """Events of the day by their peaks, of one kind or leg where that is asked for."""
    keep("2026-03-03T23:59:00+01:00", [30, 90], leg="left")
    keep("2026-03-04T09:00:00+01:00", [30], leg="right", kind=Kind.STEP)
    told = run_json("events")
    assert [event["peak"] for event in told] == ["2026-03-04T00:00:30+01:00", "2026-03-04T09:00:30+01:00"]
    assert {"id", "session", "leg", "kind", "onset", "peak", "end", "confidence", "rule", "strength"} <= set(told[0])
    assert [event["kind"] for event in run_json("events", "--kind", "step")] == ["step"]
    assert [event["leg"] for event in run_json("events", "--leg", "left")] == ["left"]
    assert len(run_json("events", "yesterday")) == 1


def test_events_for_people(keep: Any, run: Any, noon: datetime) -> None:
    """Local time, kind, leg, how sure, how long, by which rule."""
    keep("2026-03-04T09:00:00+01:00", [30.25])
    text = run("events").stdout
    assert "09:00:30.2  heel raise  left  90 %  1.00 s         —  lift and return" in text
    assert text.endswith("Wednesday 4 March 2026: 1 contraction.\n")


def test_an_hour_that_comes_twice(keep: Any, run: Any, at: Any) -> None:
    """The offset tells the two apart."""
    at(datetime(2026, 11, 1, tzinfo=UTC))
    keep("2026-10-25T02:00:00+02:00", [60, 3660], length_s=7200)
    text = run("events", "2026-10-25").stdout
    assert ("02:01:00.0+02:00" in text, "02:01:00.0+01:00" in text) == (True, True)


def test_rejected(home: Path, run: Any, run_json: Any, noon: datetime) -> None:
    """Refusals of that day alone, per rule and leg, the most first, also of a session over midnight."""
    began = datetime(2026, 3, 3, 22, 30, tzinfo=UTC)  # half past eleven in Berlin
    peaks = [(100.0, "too_small"), (1700.0, "too_small"), (1900.0, "too_small"), (1950.0, "too_small")]
    found = Findings(rejections=tuple(Rejection(*peak) for peak in [*peaks, (3000.0, "no_return")]))
    batch = Batch(found, 0.0, 3600.0, Algorithm("a", "1", "0"), countable=True)
    with Store(Home(home), clock=lambda: began) as store:
        store.add(NewSession(began, Leg.LEFT), batch, ended_at=began + timedelta(hours=1))
    assert run_json("events", "--rejected") == [
        {"rule": "too_small", "leg": "left", "candidates": 2},
        {"rule": "no_return", "leg": "left", "candidates": 1},
    ]
    lines = [line.split() for line in run("events", "--rejected").stdout.splitlines()]
    assert lines[0] == ["2", "left", "too", "small"]
    assert run("events", "--rejected").stdout.endswith("Wednesday 4 March 2026: 3 candidates refused.\n")
    assert run_json("events", "yesterday", "--rejected")[0]["candidates"] == 2
    assert run_json("events", "--rejected", "--leg", "right", expect=1) == []
    assert "of no kind" in run("events", "--rejected", "--kind", "step", expect=2).stderr


def test_no_events(keep: Any, run: Any, run_json: Any, noon: datetime) -> None:
    """None found is not the same as nothing recorded."""
    keep("2026-03-04T09:00:00+01:00", [30])
    assert run("events", "--kind", "pedal", expect=1).stdout == "Wednesday 4 March 2026: no such contraction.\n"
    assert run("events", "monday", expect=1).stdout == "Monday 2 March 2026: nothing was recorded.\n"
    assert run_json("events", "monday", expect=1) == []


@pytest.mark.parametrize("arguments", [["--kind", "jump"], ["never"]])
def test_wrong_words(arguments: list[str], run: Any) -> None:
    """One sentence and exit code 2."""
    assert run("events", *arguments, expect=2).stderr.count("\n") == 1
