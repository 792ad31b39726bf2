"""Which manager of services this system has."""

from __future__ import annotations

import sys

from tracker.home import Home
from tracker.service.launchd import LaunchdAgent
from tracker.service.manager import Manager
from tracker.service.systemd import SystemdUser
from tracker.service.windows_task import WindowsTask


def manager_here(home: Home, platform: str = sys.platform) -> Manager:
    """The manager of a platform."""
    if platform == "darwin":
        return LaunchdAgent(home)
    if platform == "win32":
        return WindowsTask(home)
    return SystemdUser()
