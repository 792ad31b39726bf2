"""macOS: an agent of the wearer's launchd."""

from __future__ import annotations

import os
import plistlib
from pathlib import Path

from tracker.home import Home
from tracker.service.manager import Ask, Service, ask, asked, write_file

LABEL = "org.soleus.service"


class LaunchdAgent:
    """`launchctl` in the domain of the wearer's screen."""

    def __init__(self, home: Home, user: Path | None = None, ask: Ask = ask) -> None:
        self._file = (user or Path.home()) / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self._home, self._ask = home, ask

    @property
    def file(self) -> Path:
        """The agent's file."""
        return self._file

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid() if hasattr(os, 'getuid') else 0}"

    def render(self, service: Service) -> bytes:
        """The agent. KeepAlive with SuccessfulExit false: started again after a fault, not after a stop.

        Source: launchd.plist(5).
        """
        return plistlib.dumps({
            "Label": LABEL,
            "ProgramArguments": list(service.command),
            "EnvironmentVariables": dict(service.environ),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "ExitTimeOut": 10,
            "Umask": 0o077,
            # What the program itself could not log: the interpreter's last words.
            "StandardErrorPath": str(self._home.root / "service.err"),
        })  # fmt: skip

    def install(self, service: Service) -> None:
        """Write the agent and load it; one that runs is replaced."""
        self._ask(("launchctl", "bootout", f"{self._domain}/{LABEL}"))
        write_file(self._file, self.render(service))
        why = "launchd refused the service: it needs you to be logged in at the screen"
        asked(self._ask, "launchctl", "bootstrap", self._domain, str(self._file), why=why)

    def uninstall(self) -> None:
        """Stop it, and forget it."""
        self._ask(("launchctl", "bootout", f"{self._domain}/{LABEL}"))
        self._file.unlink(missing_ok=True)

    def start(self) -> None:
        """Start it."""
        asked(self._ask, "launchctl", "kickstart", f"{self._domain}/{LABEL}", why="the service did not start")

    def stop(self) -> None:
        """Stop it; it begins again at the next login."""
        asked(self._ask, "launchctl", "kill", "SIGTERM", f"{self._domain}/{LABEL}", why="the service did not stop")
