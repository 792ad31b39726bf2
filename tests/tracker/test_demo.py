"""The demo counts what the simulated leg did, over the radio or a wire, and touches nothing of the wearer's."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import tracker.demo
from analysis.events import Algorithm, Findings, Leg
from drivers.virtual.clock import VirtualTimeLoop
from tracker.demo import has_air, run_demo
from tracker.home import Home
from tracker.live.supervisor import Supervisor
from tracker.store import Batch, NewSession, Store

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A wearer's home with one session in it."""
    home = Home(tmp_path / "home").create()
    with Store(home, clock=lambda: BEGAN) as store:
        batch = Batch(Findings(), 0.0, 60.0, Algorithm("heel", "1.0", "0" * 64))
        store.add(NewSession(BEGAN, Leg.LEFT, source="a.csv", content_key="a"), batch, ended_at=BEGAN)
    return home


def own_files(home: Home) -> dict[str, str]:
    """Digests of what belongs to the wearer."""
    return {
        path.relative_to(home.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.root.rglob("*"))
        if path.is_file() and home.demo.root not in path.parents
    }


def assert_counted(told: dict[str, Any]) -> None:
    truth, counted = told["truth"], told["counted"]
    assert truth["soleus_pushup"] == 20
    assert truth["heel_raise"] == 10
    assert abs(counted.pop("step") - truth.pop("step")) <= 1
    assert counted == truth


def test_it_counts_and_leaves_the_wearers_data_alone(home: Home) -> None:
    """`soleus demo --json` in a process of its own: counts are the truth, and the wearer's files keep their bytes."""
    before = own_files(home)
    done = subprocess.run(
        [sys.executable, "-m", "tracker", "demo", "--json"],
        env=os.environ | {"SOLEUS_HOME": str(home.root)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["home"] == str(home.demo.root)
    assert_counted(told)
    assert own_files(home) == before
    assert done.stderr == ""


class LoopClock:
    """The virtual loop's clock as the host's."""

    def __init__(self) -> None:
        self.loop: VirtualTimeLoop | None = None

    def steady_ns(self) -> int:
        return int(self.loop.time() * 1e9) if self.loop else 0

    def now(self) -> datetime:
        return BEGAN


def test_without_any_radio_it_counts_the_same(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Linux nor bumble: the packets come over a wire, and the counts are the same."""
    clock, said = LoopClock(), list[str]()

    def in_virtual_time(work: Any) -> Any:
        clock.loop = VirtualTimeLoop()
        with asyncio.Runner(loop_factory=lambda: clock.loop) as runner:
            return runner.run(work)

    def tell(supervisors: Sequence[Supervisor]) -> None:
        said.append(str(supervisors[0].view.state))

    monkeypatch.setattr(tracker.demo, "has_air", lambda: False)
    monkeypatch.setattr(tracker.demo, "run", in_virtual_time)
    outcome = run_demo(home.demo, tell, clock)
    assert_counted({"truth": dict(outcome.truth), "counted": {k: outcome.counted[k] for k in outcome.truth}})
    assert "streaming" in said


def test_who_has_air() -> None:
    """Linux always has; bumble, which the tests bring, is as good elsewhere."""
    assert has_air("linux")
    assert has_air("darwin") is (find_spec("bumble") is not None)
