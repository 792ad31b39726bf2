"""Windows: a scheduled task that begins at logon and is looked after every minute."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree as ET

from tracker.home import Home
from tracker.service.manager import Ask, Service, ask, asked, write_file
from tracker.service.wish import Wish, leave_wish

TASK = r"\soleus"
NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"


class WindowsTask:
    """`schtasks`."""

    def __init__(self, home: Home, environ: Mapping[str, str] = os.environ, ask: Ask = ask) -> None:
        self._file = home.root / "service-task.xml"
        self._home, self._ask = home, ask
        domain, user = environ.get("USERDOMAIN", ""), environ.get("USERNAME", "")
        self._user = f"{domain}\\{user}" if domain else user

    @property
    def file(self) -> Path:
        """What the task was made from; Windows keeps a copy of its own."""
        return self._file

    def render(self, service: Service) -> bytes:
        r"""The task, in UTF-16 as schtasks wants it.

        The task is also tried every minute and passed over while it runs: that is the restart after a fault, since
        RestartOnFailure takes only tasks that could not be started for failed.

        Source: Microsoft, Task Scheduler Schema, taskType.
        """
        ET.register_namespace("", NAMESPACE)
        task = ET.Element(f"{{{NAMESPACE}}}Task", version="1.2")
        about = _below(task, "RegistrationInfo")
        _below(about, "Description", f"soleus {service.version}: records the calf's sensors and reminds")
        triggers = _below(task, "Triggers")
        logon = _below(triggers, "LogonTrigger")
        _below(logon, "Enabled", "true")
        _below(logon, "UserId", self._user)
        minutely = _below(triggers, "TimeTrigger")
        repetition = _below(minutely, "Repetition")
        _below(repetition, "Interval", "PT1M")
        _below(repetition, "StopAtDurationEnd", "false")
        _below(minutely, "StartBoundary", "2026-01-01T00:00:00")
        _below(minutely, "Enabled", "true")
        principal = _below(_below(task, "Principals"), "Principal", id="Author")
        _below(principal, "UserId", self._user)
        _below(principal, "LogonType", "InteractiveToken")
        _below(principal, "RunLevel", "LeastPrivilege")
        settings = _below(task, "Settings")
        for name, value in (
            ("MultipleInstancesPolicy", "IgnoreNew"),
            ("DisallowStartIfOnBatteries", "false"),
            ("StopIfGoingOnBatteries", "false"),
            ("StartWhenAvailable", "true"),
            ("Enabled", "true"),
            ("Hidden", "true"),
            ("ExecutionTimeLimit", "PT0S"),
            ("Priority", "7"),
        ):
            _below(settings, name, value)
        run = _below(_below(task, "Actions", Context="Author"), "Exec")
        program, *arguments = service.command
        _below(run, "Command", program)
        _below(run, "Arguments", subprocess.list2cmdline(arguments))
        return bytes(ET.tostring(task, encoding="utf-16"))

    def install(self, service: Service) -> None:
        """Register the task and start it; one that runs is replaced. A task's environment is the wearer's own."""
        write_file(self._file, self.render(service))
        why = "Windows refused the task"
        asked(self._ask, "schtasks", "/Create", "/F", "/TN", TASK, "/XML", str(self._file), why=why)
        self.start()

    def uninstall(self) -> None:
        """Stop it, and forget it."""
        leave_wish(self._home, Wish.STOP)
        self._ask(("schtasks", "/Delete", "/F", "/TN", TASK))
        self._file.unlink(missing_ok=True)

    def start(self) -> None:
        """Enable and start it."""
        asked(self._ask, "schtasks", "/Change", "/TN", TASK, "/ENABLE", why="Windows did not enable the task")
        asked(self._ask, "schtasks", "/Run", "/TN", TASK, why="the service did not start")

    def stop(self) -> None:
        """Stop it, until it is started again. Windows ends programs without a word, so it is asked to end itself."""
        asked(self._ask, "schtasks", "/Change", "/TN", TASK, "/DISABLE", why="Windows did not disable the task")
        leave_wish(self._home, Wish.STOP)


def _below(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    made = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
    made.text = text
    return made
