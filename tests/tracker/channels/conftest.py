"""A desktop of the test's own: a private session bus, a virtual screen, and Debian's `dunst` to show notifications."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

NEEDED = ("Xvfb", "dunst", "dunstctl")

_BUS_CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""
"""Without folders of services: nobody is started who was not asked for."""

_DUNSTRC = """\
[global]
    dmenu = {chooser}
    markup = no
    stack_duplicates = no
"""

_CHOOSER = """\
#!{python}
# Stands in for the menu program that dunst opens: takes the line that the test asks for.
import pathlib, sys
wanted = pathlib.Path({wish!r}).read_text()
print(next((line.rstrip("\\n") for line in sys.stdin if wanted in line), ""))
"""


@dataclass
class Screen:
    """A notification service that runs."""

    environ: dict[str, str]
    wish: Path

    def ctl(self, *arguments: str) -> str:
        """Dunst's own command."""
        return subprocess.run(
            ["dunstctl", *arguments], env=self.environ, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()

    def press(self, label: str) -> None:
        """Open the menu of the notifications that show, and choose the action with this label."""
        self.wish.write_text(label)
        self.ctl("context")


def started(stack: ExitStack, *command: str, environ: Mapping[str, str], pass_fd: int | None = None) -> None:
    """A process that ends with the stack."""
    quiet = subprocess.DEVNULL
    fds = () if pass_fd is None else (pass_fd,)
    child = subprocess.Popen(command, env=environ, stdin=quiet, stdout=quiet, stderr=quiet, pass_fds=fds)

    def end() -> None:
        child.terminate()
        child.wait(10)

    stack.callback(end)


def told_by(stack: ExitStack, *command: str, environ: Mapping[str, str]) -> str:
    """The line that a server writes, once it listens, to the file descriptor in the place of {} in its command."""
    reading, writing = os.pipe()
    started(stack, *(part.format(writing) for part in command), environ=environ, pass_fd=writing)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        return told.readline().strip()


@pytest.fixture
def private_bus(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a session with a bus and nobody on it."""
    if sys.platform != "linux" or shutil.which("dbus-daemon") is None:
        pytest.skip("dbus-daemon is not installed")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DBUS_", "XDG_", "DISPLAY"))}
    config = tmp_path / "bus.conf"
    config.write_text(_BUS_CONFIG.format(folder=tmp_path))
    with ExitStack() as stack:
        command = ("dbus-daemon", f"--config-file={config}", "--nofork", "--print-address={}")
        environ["DBUS_SESSION_BUS_ADDRESS"] = told_by(stack, *command, environ=environ)
        yield environ


@pytest.fixture
def screen(private_bus: dict[str, str], tmp_path: Path) -> Iterator[Screen]:
    """A notification service with action buttons; skips by name where it is not installed."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    wish, chooser, config = tmp_path / "wish", tmp_path / "chooser", tmp_path / "dunstrc"
    chooser.write_text(_CHOOSER.format(python=sys.executable, wish=str(wish)))
    chooser.chmod(0o755)
    config.write_text(_DUNSTRC.format(chooser=chooser))
    with ExitStack() as stack:
        command = ("Xvfb", "-displayfd", "{}", "-screen", "0", "640x480x24", "-nolisten", "tcp")
        private_bus["DISPLAY"] = f":{told_by(stack, *command, environ=private_bus)}"
        started(stack, "dunst", "-config", str(config), environ=private_bus)
        shown = Screen(private_bus, wish)
        wait_until_there(private_bus)
        yield shown


def wait_until_there(environ: Mapping[str, str]) -> None:
    """Dunst takes its name on the bus once it is ready; `gdbus wait` is not everywhere."""
    subprocess.run(
        [sys.executable, "-c", _WAIT], env=dict(environ), check=True, timeout=20, cwd=Path(__file__).parents[3]
    )


_WAIT = """
import asyncio
from tracker.channels.desktop import SERVICE
from tracker.channels.session_bus import session_bus

async def wait():
    async with session_bus() as bus:
        while not await bus.is_there(SERVICE):
            await asyncio.sleep(0.05)

asyncio.run(wait())
"""
