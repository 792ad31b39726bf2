"""Killed at any instant, or writing beside another process: nothing is lost and nothing is half there."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tracker.home import Home
from tracker.store import Sensor, Store

KILLS = int(os.environ.get("SOLEUS_TEST_KILLS", "4"))
"""Random instants in a run; more by the environment, for a long run."""

EVENTS = 400

WRITER = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from analysis.events import Algorithm, Contraction, Findings, Kind, Leg, State, StateSpan
from tracker.home import Home
from tracker.store import Batch, NewSession, Store

root, name, many = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
events = tuple(Contraction(Kind.STEP, i + .2, i + .5, i + .8, .9, "swing") for i in range(400))
batch = Batch(Findings(events, (StateSpan(State.WALKING, 0.0, 400.0),)), 0.0, 400.0, Algorithm("a", "1", "0"))
start = datetime(2026, 5, 1, tzinfo=UTC)
with Store(Home(root), clock=lambda: start) as store:
    print("open", flush=True)
    for number in range(many):
        begun = start + timedelta(seconds=170 * number)
        new = NewSession(begun, Leg(name), content_key=f"{name}{number}")
        made = store.add(new, batch, ended_at=begun + timedelta(seconds=400))
        print(number, flush=True)
        if number % 3 == 0:
            store.recount(made.session_id, batch, UTC)
        if number % 3 == 1:
            store.forget_range(begun, begun + timedelta(seconds=300))
            store.undo()
"""


def writer(home: Home, name: str, many: int) -> subprocess.Popen[str]:
    """A process that imports, counts again, forgets and takes back, `many` times."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(home.root), name, str(many)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )


def assert_whole(home: Home, done: int) -> None:
    """What was reported as stored is there, every session is whole, and the roll-up is exact."""
    with Store(home, clock=lambda: datetime(2026, 5, 1, tzinfo=UTC)) as store:
        assert store.check(full=True) == []
        sessions = store.sessions()
        assert len(sessions) >= done
        # A kill between forgetting and taking back leaves a session that is forgotten in part: on purpose.
        assert {sum(session.counts.values()) for session in sessions if not session.forgotten} <= {EVENTS}
        assert {session.ended_at is None for session in sessions} <= {False}


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_a_random_instant(home: Home, seed: int) -> None:
    """After kill -9 the database is sound, and running again completes what was cut off."""
    with writer(home, "left", 200) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(random.Random(seed).uniform(0.0, 0.6))
        process.kill()
        printed = process.stdout.read().split()
    assert_whole(home, len(printed))
    with writer(home, "left", len(printed) + 2) as process:
        assert process.wait() == 0
    assert_whole(home, len(printed) + 2)


def test_two_processes_lose_nothing(tmp_path: Path) -> None:
    """Two processes that make the same home and write at once store all that each of them wrote."""
    home = Home(tmp_path / "home")
    with writer(home, "left", 25) as one, writer(home, "right", 25) as other:
        for process in (one, other):
            assert process.stdout is not None
            process.stdout.read()
        assert (one.wait(), other.wait()) == (0, 0)
    assert_whole(home, 50)


OTHER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from tracker.home import Home
from tracker.store import Sensor, Store

with Store(Home(Path(sys.argv[1])), clock=lambda: datetime(2026, 5, 1, tzinfo=UTC)) as store:
    print(" ".join(sensor.nick for sensor in store.sensors()))
"""


def nicknames(home: Home) -> list[str]:
    """What another process finds in the database; it closes it again."""
    command = [sys.executable, "-c", OTHER, str(home.root)]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]
    ).stdout.split()


def test_a_second_store_in_one_process_takes_nothing_from_the_first(home: Home) -> None:
    """Another process that comes and goes does not take itself for the last one: what is written after it is there."""

    def opened() -> Store:
        return Store(home, clock=lambda: datetime(2026, 5, 1, tzinfo=UTC))

    with opened() as first:
        first.keep_sensor(Sensor("a", "Sense", "C0:00:00:00:00:01", "soleus-nus", None))
        with opened():
            pass
        assert nicknames(home) == ["a"]
        first.keep_sensor(Sensor("b", "Sense", "C0:00:00:00:00:02", "soleus-nus", None))
        assert nicknames(home) == ["a", "b"]
    assert nicknames(home) == ["a", "b"]
