"""Linux: a unit of the wearer's own systemd."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tracker.service.manager import Ask, Service, ask, asked, write_file

UNIT = "soleus.service"
WATCHDOG_S = 60
NO_SYSTEMD = (
    "systemd runs no services for you here: log in without sudo or su, or start `soleus service run` by other means"
)


class SystemdUser:
    """`systemctl --user`."""

    def __init__(self, environ: Mapping[str, str] = os.environ, ask: Ask = ask) -> None:
        base = Path(environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        self._file, self._ask = base / "systemd" / "user" / UNIT, ask

    @property
    def file(self) -> Path:
        """The unit's file."""
        return self._file

    def render(self, service: Service) -> bytes:
        """The unit.

        Type=notify: it counts as started once it records. Restart=on-failure with no limit: a service that cannot
        start now, for lack of a disk or a radio, may be able to later.
        """
        environ = "".join(f"Environment={quoted(f'{name}={value}')}\n" for name, value in service.environ.items())
        command = " ".join(quoted(part, command=True) for part in service.command)
        return (
            f"# Written by soleus {service.version}; `soleus service install` writes it anew.\n"
            "[Unit]\n"
            "Description=soleus: records the calf's sensors and reminds\n"
            "StartLimitIntervalSec=0\n"
            "\n"
            "[Service]\n"
            "Type=notify\n"
            "NotifyAccess=main\n"
            f"ExecStart={command}\n"
            f"{environ}"
            "Restart=on-failure\n"
            "RestartSec=1\n"
            "TimeoutStartSec=60\n"
            "TimeoutStopSec=10\n"
            f"WatchdogSec={WATCHDOG_S}\n"
            "UMask=0077\n"
            "NoNewPrivileges=yes\n"
            "\n"
            "[Install]\n"
            "WantedBy=default.target\n"
        ).encode()

    def install(self, service: Service) -> None:
        """Write the unit, enable it, and start it; one that runs is replaced."""
        asked(self._ask, "systemctl", "--user", "show-environment", why=NO_SYSTEMD)
        write_file(self._file, self.render(service))
        asked(self._ask, "systemctl", "--user", "daemon-reload", why=NO_SYSTEMD)
        asked(self._ask, "systemctl", "--user", "enable", UNIT, why="systemd refused to enable the service")
        asked(self._ask, "systemctl", "--user", "restart", UNIT, why="the service did not start")

    def uninstall(self) -> None:
        """Stop it, and forget it."""
        self._ask(("systemctl", "--user", "disable", "--now", UNIT))
        self._file.unlink(missing_ok=True)
        self._ask(("systemctl", "--user", "daemon-reload"))

    def start(self) -> None:
        """Start it."""
        asked(self._ask, "systemctl", "--user", "start", UNIT, why="the service did not start")

    def stop(self) -> None:
        """Stop it; it begins again at the next login."""
        asked(self._ask, "systemctl", "--user", "stop", UNIT, why="the service did not stop")


def quoted(text: str, *, command: bool = False) -> str:
    """Text as systemd takes it in a unit, `command`: as a part of a command line, where $ begins a variable.

    Source: systemd.syntax(7), "Quoting"; systemd.unit(5), "Specifiers".
    """
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("%", "%%")
    return f'"{plain.replace("$", "$$") if command else plain}"'
