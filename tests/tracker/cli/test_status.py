"""`soleus status` and `soleus service`: from one small file, quickly, and in sentences."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from analysis.events import Leg
from tests.tracker.cli.test_main import HEAVY, python
from tracker.home import Home
from tracker.service.instance import Instance
from tracker.service.managers import manager_here
from tracker.service.state import Phase, SensorState, ServiceState, write_state
from tracker.store import Sensor, Store

Run = Callable[..., Any]
ROOT = Path(__file__).parents[3]


def state(**changes: Any) -> ServiceState:
    now = datetime.now(UTC)
    sensor = SensorState(
        "calf", "left", "streaming", now - timedelta(minutes=90), -60, "", 63.0, now + timedelta(hours=30), 7, 5400.0,
        now - timedelta(seconds=200), 2, 80.0,
    )  # fmt: skip
    made = ServiceState(1, "0.1.0", now - timedelta(hours=2), now, Phase.RECORDING, (sensor,), now)
    return replace(made, **changes)


@pytest.fixture
def made(home: Path) -> Home:
    return Home(home).create()


@pytest.fixture
def held(made: Home) -> Iterator[Home]:
    """A home whose service runs, as far as anybody can see."""
    instance = Instance(made)
    assert instance.alone()
    yield made
    instance.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the same process may lock a file twice on Windows")
def test_what_it_shows(held: Home, run: Run, run_json: Run) -> None:
    """Since when, link, battery with its forecast, last contraction, gaps, next reminder, and what is wrong."""
    write_state(held, state(badge="Still since 12:00.", notices=("Disk.",), channels={"sound": "No player."}))
    lines = run("status").stdout.splitlines()
    assert lines[0].startswith("The service is recording, since ")
    assert lines[1].startswith("calf: streaming since ")
    for part in ("battery 63 %, until about ", "last contraction 3:2", "2 gaps, 1:20 in all"):
        assert part in lines[1]
    assert lines[2].startswith("next reminder: ")
    assert lines[3:] == ["Still since 12:00.", "Disk.", "sound: No player."]
    known = run_json("status")
    assert (known["running"], known["answers"], known["state"]["sensors"][0]["nick"]) == (True, True, "calf")
    assert run("service", "status").stdout.splitlines()[3:] == lines[3:]


@pytest.mark.skipif(sys.platform == "win32", reason="the same process may lock a file twice on Windows")
def test_one_that_hangs(held: Home, run: Run) -> None:
    """A service that holds its lock and has not written for a while does not answer: exit code 1."""
    write_state(held, state(at=datetime.now(UTC) - timedelta(minutes=5)))
    assert "has not answered since" in run("status", expect=1).stdout


def test_one_that_does_not_run(made: Home, run: Run, run_json: Run) -> None:
    """Never started, stopped, or ended from outside: three different sentences, exit code 1."""
    assert "soleus service install" in run("status", expect=1).stdout
    assert run_json("status", expect=1) == {"running": False, "answers": False, "state": None}
    write_state(made, state())
    assert "ended from outside" in run("status", expect=1).stdout
    write_state(made, state().stopped(datetime.now(UTC)))
    assert "was stopped" in run("status", expect=1).stdout


def test_it_is_quick(made: Home) -> None:
    """It imports none of the heavy libraries and opens no database."""
    write_state(made, state())
    code = (
        "import sys\nfrom tracker.cli.main import cli\n"
        "try:\n    cli.main(['status'])\nexcept SystemExit as end:\n    code = end.code\n"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = python(code, SOLEUS_HOME=str(made.root))
    assert done.stderr == "1 []\n"
    assert not made.database.exists()


@pytest.mark.parametrize("verb", ["start", "stop", "uninstall"])
def test_not_installed(verb: str, made: Home, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without an installed service each says how to install one."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert not manager_here(made).file.exists()
    assert "soleus service install" in run("service", verb, expect=1).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the same process may lock a file twice on Windows")
def test_only_one_runs(held: Home, run: Run) -> None:
    """A second service of the same home is refused in one sentence."""
    assert run("service", "run", expect=2).stderr == ("the service runs already: `soleus status` shows what it does.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="the same process may lock a file twice on Windows")
def test_record_leaves_it_to_the_service(held: Home, run: Run) -> None:
    """A sensor has one link: `soleus record` does not fight with the service about it."""
    with Store(held, clock=lambda: datetime.now(UTC)) as store:
        store.keep_sensor(Sensor("calf", "Sense", "C0:00:00:00:00:01", "soleus-nus", Leg.LEFT))
    write_state(held, state())
    refused = run("record", "--sensor", "calf", "--plain", expect=2).stderr
    assert refused.startswith("the service records calf already: see `soleus status`")


def test_logs(made: Home, run: Run) -> None:
    """The newest lines; where there is no log yet, one sentence."""
    assert "no log yet" in run("service", "logs", expect=1).stderr
    made.service_log.write_text("".join(f"line {number}\n" for number in range(100)))
    assert run("service", "logs", "--lines", "2").stdout == "line 98\nline 99\n"


@pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")
def test_install_where_no_systemd_runs_services(made: Home, tmp_path: Path) -> None:
    """In a container or under sudo: one sentence, nothing written."""
    environ = {"SOLEUS_HOME": str(made.root), "XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path),
               "XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"}  # fmt: skip
    command = [sys.executable, "-m", "tracker", "service", "install"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("systemd runs no services for you here")
    assert not (tmp_path / "config").exists()
