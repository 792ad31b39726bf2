"""The service's small parts: one instance, a private log that does not grow, systemd's words, wishes, settings."""

from __future__ import annotations

import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tracker.errors import ConfigError
from tracker.home import Home
from tracker.service import log as service_log
from tracker.service.instance import Instance, is_running
from tracker.service.sd_notify import Systemd
from tracker.service.settings import wanted_sensors
from tracker.service.wish import Wish, leave_wish, take_wish

ROOT = Path(__file__).parents[3]
_HOLDER = """
import sys, time
from pathlib import Path
from tracker.home import Home
from tracker.service.instance import Instance
assert Instance(Home(Path(sys.argv[1]))).alone()
print("held", flush=True)
time.sleep(60)
"""


def test_one_instance(home: Home) -> None:
    """While one process is the service no other can be; the system frees the right when it is killed."""
    assert not is_running(home)
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(home.root)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert is_running(home)
        other = Instance(home)
        assert not other.alone()
        holder.kill()
        holder.wait()
        assert not is_running(home)
        assert other.alone()
        other.close()


def test_log_is_private_and_ends_somewhere(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files have mode 0600, the oldest goes, and the newest lines are found across two of them."""
    monkeypatch.setattr(service_log, "MOST_BYTES", 2_000)
    log = service_log.open_log(home)
    for number in range(400):
        log.info("line %d", number)
    service_log.close_log()
    files = sorted(home.root.glob("service.log*"))
    assert len(files) == 1 + service_log.OLDER_FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert all(path.stat().st_size <= 2_000 for path in files)
    lines = service_log.last_lines(home, 60)
    assert [line.rsplit(" ", 1)[1] for line in lines] == [str(number) for number in range(400 - len(lines), 400)]
    assert len(lines) > 30


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no local sockets")
def test_systemd_hears(tmp_path: Path) -> None:
    """Words arrive at the socket of NOTIFY_SOCKET; without one nobody is told."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        told = Systemd({"NOTIFY_SOCKET": str(tmp_path / "n")})
        assert told.tell("READY=1", "STATUS=well")
        assert manager.recv(100) == b"READY=1\nSTATUS=well"
    assert not told.tell("WATCHDOG=1")
    assert not Systemd({}).tell("READY=1")


def test_wishes(home: Home) -> None:
    """A wish is taken once; the last one counts; what nobody knows is none."""
    assert take_wish(home) is None
    leave_wish(home, Wish.BUZZ)
    leave_wish(home, Wish.STOP)
    assert take_wish(home) is Wish.STOP
    assert take_wish(home) is None
    home.service_wish.write_text("dance")
    assert take_wish(home) is None


@pytest.mark.parametrize(("text", "nicks"), [("", ()), ('[service]\nsensors = ["left", "band"]', ("left", "band"))])
def test_sensors_that_are_set(text: str, nicks: tuple[str, ...], home: Home) -> None:
    """Without a word all are recorded."""
    assert wanted_sensors(home) == ()
    home.settings.write_text(text)
    assert wanted_sensors(home) == nicks


@pytest.mark.parametrize("text", ["service = 3", '[service]\nsensors = "left"', "[service"])
def test_settings_that_cannot_be(text: str, home: Home) -> None:
    """One sentence with the file."""
    home.settings.write_text(text)
    with pytest.raises(ConfigError, match=r"settings\.toml"):
        wanted_sensors(home)
