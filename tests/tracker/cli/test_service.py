"""`soleus service` from its installation to its end, with a manager that starts real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import tracker.cli.service
from tracker.home import Home
from tracker.service.instance import is_running
from tracker.service.manager import Service
from tracker.service.state import Phase, read_state

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are ended by a signal here")

Run = Callable[..., Any]
ROOT = Path(__file__).parents[3]


class Manager:
    """A system that starts what it is given, and ends it with SIGTERM."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.started: list[subprocess.Popen[bytes]] = []
        self._service: Service | None = None

    def render(self, service: Service) -> bytes:
        return service.version.encode()

    def install(self, service: Service) -> None:
        self._service = service
        self.file.write_bytes(self.render(service))
        self.start()

    def start(self) -> None:
        assert self._service is not None
        environ = {**os.environ, **self._service.environ}
        self.started.append(subprocess.Popen(self._service.command, cwd=ROOT, env=environ))

    def stop(self) -> None:
        self.started[-1].terminate()

    def uninstall(self) -> None:
        self.stop()
        self.file.unlink()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    made = Manager(tmp_path / "soleus.unit")
    monkeypatch.setattr(tracker.cli.service, "manager_here", lambda _home: made)
    yield made
    for child in made.started:
        child.kill()
        child.wait()


def test_from_install_to_uninstall(manager: Manager, home: Path, run: Run) -> None:
    """Installed it runs; installed again, as after an upgrade, another process takes its place; stopped it is gone."""
    where = Home(home)
    assert str(manager.file) in run("service", "install").stdout
    assert is_running(where)
    assert run("service", "start").stdout == "It runs already.\n"
    run("service", "install")
    first, second = manager.started
    assert (first.wait(10), second.poll()) == (0, None)
    run("service", "stop")
    assert second.wait(10) == 0
    assert not is_running(where)
    state = read_state(where)
    assert state is not None
    assert (state.phase, state.pid) == (Phase.STOPPED, second.pid)
    run("service", "start")
    assert "version" in run("service", "logs").stdout
    run("service", "uninstall")
    assert manager.started[-1].wait(10) == 0
    assert not manager.file.exists()
    assert where.database.exists()
