"""The service as a process of its own, as a system's manager sees it: ready, alive, ended, killed, begun again."""

from __future__ import annotations

import json
import socket
import sys
import time
from pathlib import Path

import pytest

from tests.service_runs import found_sessions, place
from tracker.service.state import Phase, read_state

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Bleak's BlueZ backend runs on Linux only")


def heard(manager: socket.socket, word: str, within_s: float = 60.0) -> None:
    """Wait until the service has said something to its manager."""
    manager.settimeout(within_s)
    while word not in manager.recv(1000).decode().splitlines():
        continue


def test_a_life(tmp_path: Path) -> None:
    """It says READY and WATCHDOG, streams, is killed and begun again, and ends within 3 s of SIGTERM with code 0."""
    with place() as found, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        found.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        service = found.start("service", "run")
        heard(manager, "READY=1")
        heard(manager, "WATCHDOG=1")
        found.streaming(service)
        service.kill()
        service.wait()
        again = found.start("service", "run")
        found.streaming(again)
        began_s = time.monotonic()
        again.terminate()
        assert again.wait(10) == 0
        assert time.monotonic() - began_s < 3
        heard(manager, "STOPPING=1")
        state = read_state(found.home)
        assert state is not None
        assert state.phase is Phase.STOPPED
        assert all(session["ended_at"] is not None for session in found_sessions(found))
        log = found.home.service_log.read_text()
        assert (log.count(" started, version"), log.count(" stopped")) == (2, 1)
        json.dumps(state.to_json())
