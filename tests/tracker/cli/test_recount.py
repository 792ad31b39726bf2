"""`soleus recount`: the current algorithm over kept recordings, and what differs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.events import Algorithm, Contraction, Findings, Kind, Leg
from tracker.cli.recount import merged
from tracker.home import Home
from tracker.store import Batch, DayChange, Store

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OLD = Algorithm("old", "0.1", "0" * 64)


@pytest.fixture
def stored(walk_file: Path, home: Path, run: Any) -> None:
    """Two walks; the first was counted by an older algorithm that saw a single push-up."""
    for day in ("01", "02"):
        run("import", walk_file, "--start", f"2026-03-{day}T08:00", "--leg", "left")
    event = Contraction(Kind.SOLEUS_PUSHUP, 1.0, 2.0, 3.0, 0.9, "old")
    with Store(Home(home), clock=lambda: NOW) as store:
        store.recount(1, Batch(Findings((event,)), 0.0, 60.0, OLD), UTC)


@pytest.mark.usefixtures("stored")
def test_the_difference(home: Path, run: Any, run_json: Any) -> None:
    """The day that differs is shown before and after; a second recount finds none."""
    told = run_json("recount")
    assert told["sessions"] == [1, 2]
    (change,) = told["changes"]
    assert (change["day"], change["leg"]) == ("2026-03-01", "left")
    assert (change["before"]["soleus_pushup"], change["before"]["step"]) == (1, 0)
    assert (change["after"]["soleus_pushup"], change["after"]["step"] > 30) == (0, True)
    assert run("recount").stdout == "2 sessions counted again: no day changed.\n"
    with Store(Home(home), clock=lambda: NOW) as store:
        first, second = store.sessions()
        assert (first.counts, first.algorithm) == (second.counts, second.algorithm)
        assert store.check(full=True) == []


@pytest.mark.usefixtures("stored")
def test_a_table_for_people(run: Any) -> None:
    """People see each day that changed."""
    text = run("recount").stdout
    assert text.startswith("2 sessions counted again: 1 day changed.")
    assert "1 -> 0" in text


@pytest.mark.usefixtures("stored")
def test_since(run_json: Any) -> None:
    """Only sessions of that day and later are counted again."""
    assert run_json("recount", "--since", "2026-03-02")["sessions"] == [2]


@pytest.mark.usefixtures("stored")
def test_recordings_that_are_gone_or_damaged(home: Path, run: Any, run_json: Any) -> None:
    """A session without a recording keeps its counts; a damaged one is named, with exit code 2."""
    with Store(Home(home), clock=lambda: NOW) as store:
        second, first = (home / str(session.recording) for session in store.sessions())
    first.unlink()
    told = run_json("recount")
    assert told["skipped"] == [{"session": 1, "reason": "its recording is not kept any more"}]
    second.write_bytes(second.read_bytes()[:5000])
    stderr = run("recount", expect=2).stderr
    assert stderr.startswith("session 2 keeps its old counts: ")
    assert stderr.count("\n") == 1
    with Store(Home(home), clock=lambda: NOW) as store:
        assert [session.counts[Kind.STEP] > 30 for session in store.sessions()] == [True, False]


def test_nothing_stored(run: Any) -> None:
    """Without a session there is nothing to do."""
    assert run("recount", expect=1).stderr == "there is no session to count again.\n"


def test_changes_of_one_day_are_one() -> None:
    """Two sessions of a day are one change, from the first count to the last, none where they cancel out."""
    day = date(2026, 3, 1)
    none, one, two = (dict.fromkeys(Kind, 0) | {Kind.STEP: steps} for steps in range(3))
    changes = [
        DayChange(day + timedelta(days=1), Leg.LEFT, none, one),
        DayChange(day, Leg.LEFT, none, one),
        DayChange(day, Leg.LEFT, one, two),
        DayChange(day, Leg.RIGHT, one, two),
        DayChange(day, Leg.RIGHT, two, one),
    ]
    assert merged(changes) == [DayChange(day, Leg.LEFT, none, two), changes[0]]
