"""What is written down for the three systems, judged by their checkers or parsers, and what managers are asked."""

from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tracker.errors import ConfigError
from tracker.home import Home
from tracker.service.launchd import LABEL, LaunchdAgent
from tracker.service.manager import Answer, Service, ask, this_service
from tracker.service.managers import manager_here
from tracker.service.systemd import NO_SYSTEMD, UNIT, SystemdUser, quoted
from tracker.service.windows_task import NAMESPACE, WindowsTask
from tracker.service.wish import Wish, take_wish

STRANGE = 'my "data" 100% of $HOME\\x'
SERVICE = Service(("/bin/echo", "-m", "two words", STRANGE), {"SOLEUS_HOME": f"/tmp/{STRANGE}"}, "1.2.3")


@dataclass
class System:
    """A manager that notes what it is asked, and refuses some of it."""

    refuses: str = "nothing"
    asked: list[str] = field(default_factory=list)

    def __call__(self, command: Sequence[str]) -> Answer:
        line = " ".join(command)
        self.asked.append(line)
        return Answer(1, "first line\nno such thing.") if self.refuses in line else Answer(0, "")


def unit_of(tmp_path: Path, system: System) -> SystemdUser:
    return SystemdUser({"XDG_CONFIG_HOME": str(tmp_path / "config")}, system)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("service", [SERVICE, this_service({"SOLEUS_HOME": "/data"}, "1")], ids=["strange", "own"])
def test_systemd_has_nothing_to_say(service: Service, tmp_path: Path) -> None:
    """`systemd-analyze verify` takes the unit without a word, whatever is in the wearer's paths."""
    unit = tmp_path / UNIT
    unit.write_bytes(SystemdUser({}).render(service))
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(unit)],
        env=environ, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if UNIT in line]
    assert (done.returncode, said) == (0, [])


def test_systemd_unit_restarts_and_is_watched() -> None:
    """Type notify, a watchdog, restart on failure with no limit of tries, begun at login."""
    lines = SystemdUser({}).render(SERVICE).decode().splitlines()
    for line in ("Type=notify", "Restart=on-failure", "WatchdogSec=60", "StartLimitIntervalSec=0",
                 "WantedBy=default.target", "UMask=0077"):  # fmt: skip
        assert line in lines


def test_systemd_quotes() -> None:
    """Quotes, backslashes, specifiers and, in command lines, variables stay what they are."""
    assert quoted('a "b" 5% $x\\') == '"a \\"b\\" 5%% $x\\\\"'
    assert quoted("$x", command=True) == '"$$x"'


def test_systemd_is_asked(tmp_path: Path) -> None:
    """Install writes, enables and starts; uninstall leaves nothing; a refusal is one sentence with its words."""
    system = System()
    unit = unit_of(tmp_path, system)
    unit.install(SERVICE)
    assert unit.file == tmp_path / "config/systemd/user/soleus.service"
    assert unit.file.read_bytes() == unit.render(SERVICE)
    unit.start()
    unit.stop()
    unit.uninstall()
    assert not unit.file.exists()
    verbs = [line.removeprefix("systemctl --user ") for line in system.asked]
    assert verbs == ["show-environment", "daemon-reload", f"enable {UNIT}", f"restart {UNIT}", f"start {UNIT}",
                     f"stop {UNIT}", f"disable --now {UNIT}", "daemon-reload"]  # fmt: skip
    with pytest.raises(ConfigError, match=r"^the service did not start \(systemctl: no such thing\)\.$"):
        unit_of(tmp_path, System("start")).start()


def test_no_systemd(tmp_path: Path) -> None:
    """Where it runs no services for this user, nothing is written, and one sentence says what to do."""
    unit = unit_of(tmp_path, System("show-environment"))
    with pytest.raises(ConfigError, match="log in without sudo or su") as refused:
        unit.install(SERVICE)
    assert str(refused.value).startswith(NO_SYSTEMD)
    assert not unit.file.exists()


def test_launchd_agent(tmp_path: Path, home: Home) -> None:
    """The agent parses as a property list: started at login, again after a fault and not after a stop."""
    system = System()
    agent = LaunchdAgent(home, tmp_path, system)
    agent.install(SERVICE)
    found = plistlib.loads(agent.file.read_bytes())
    assert found["ProgramArguments"] == list(SERVICE.command)
    assert found["EnvironmentVariables"] == dict(SERVICE.environ)
    assert (found["Label"], found["RunAtLoad"], found["KeepAlive"]) == (LABEL, True, {"SuccessfulExit": False})
    agent.start()
    agent.stop()
    agent.uninstall()
    assert not agent.file.exists()
    assert [line.split()[1] for line in system.asked] == ["bootout", "bootstrap", "kickstart", "kill", "bootout"]


def test_windows_task(home: Home) -> None:
    """The task parses as XML in UTF-16: at logon and every minute, one at a time, on batteries, without an end."""
    system = System()
    task = WindowsTask(home, {"USERDOMAIN": "PC", "USERNAME": "Ann & Bo"}, system)
    task.install(SERVICE)
    assert task.file.read_bytes().decode("utf-16").startswith("<?xml version='1.0' encoding='utf-16'?>")
    found = ET.fromstring(task.file.read_bytes())

    def text(*path: str) -> str | None:
        return found.findtext("/".join(f"{{{NAMESPACE}}}{part}" for part in path))

    assert text("Triggers", "LogonTrigger", "UserId") == "PC\\Ann & Bo"
    assert text("Triggers", "TimeTrigger", "Repetition", "Interval") == "PT1M"
    assert text("Settings", "MultipleInstancesPolicy") == "IgnoreNew"
    assert text("Settings", "StopIfGoingOnBatteries") == "false"
    assert text("Settings", "ExecutionTimeLimit") == "PT0S"
    assert text("Actions", "Exec", "Command") == "/bin/echo"
    assert text("Actions", "Exec", "Arguments") == subprocess.list2cmdline(SERVICE.command[1:])
    task.stop()
    assert take_wish(home) is Wish.STOP
    task.uninstall()
    assert [line.split()[1] for line in system.asked] == ["/Create", "/Change", "/Run", "/Change", "/Delete"]


@pytest.mark.parametrize(("platform", "kind"), [("linux", SystemdUser), ("darwin", LaunchdAgent),
                                                ("win32", WindowsTask)])  # fmt: skip
def test_each_platform_has_its_manager(platform: str, kind: type, home: Home) -> None:
    """Linux, macOS and Windows."""
    assert isinstance(manager_here(home, platform), kind)


def test_a_manager_that_is_not_there() -> None:
    """A system without the manager's command answers as one that refuses."""
    assert ask(("no-such-manager-anywhere", "start")) == Answer(127, "no-such-manager-anywhere is not there")
    assert ask((sys.executable, "-c", "print('said')")) == Answer(0, "said")
