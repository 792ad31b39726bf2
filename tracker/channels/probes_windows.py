"""Windows: the shell's state for notifications, and the registry's record of who uses microphone and camera."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

from tracker.channels.probes import Known, Probes

NOT_PRESENT, BUSY, FULL_SCREEN, PRESENTING, ACCEPTS, QUIET_TIME, STORE_APP = range(1, 8)
"""QUERY_USER_NOTIFICATION_STATE. Source: Microsoft, shellapi.h, SHQueryUserNotificationState."""

_NAMES = {
    BUSY: "a program fills the screen",
    FULL_SCREEN: "a game or film fills the screen",
    PRESENTING: "a presentation is shown",
    QUIET_TIME: "Windows keeps its quiet time",
    STORE_APP: "a program fills the screen",
}

USED = r"Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore"
"""A program that uses a device just now has `LastUsedTimeStop` 0 below this key of the user."""

State = Callable[[], int | None]
Stops = Callable[[str], Iterator[int] | None]


def probes(state: State | None = None, stops: Stops | None = None) -> Probes:
    """The probes of Windows.

    Args:
        state: gives the shell's state for notifications, None where the shell does not say.
        stops: gives for `microphone` or `webcam` when each program stopped using it, None where nothing is kept.
    """
    state, stops = state or shell_state, stops or last_stops

    async def quiet() -> Known:
        return do_not_disturb(state())

    async def locked() -> Known:
        return screen_locked(state())

    async def microphone() -> Known:
        return in_use(stops("microphone"))

    async def camera() -> Known:
        return in_use(stops("webcam"))

    return Probes(quiet, locked, microphone, camera)


def do_not_disturb(state: int | None) -> Known:
    """From the shell's state, which knows of full screens and presentations, and nothing of Focus."""
    if state in _NAMES:
        return Known(True, _NAMES[state])
    return Known(None, "Windows does not tell programs whether do not disturb is on; it keeps the message back itself")


def screen_locked(state: int | None) -> Known:
    """From the shell's state."""
    if state is None:
        return Known(None, "the shell of Windows does not answer")
    return Known(state == NOT_PRESENT, "the shell of Windows says so")


def in_use(stops: Iterator[int] | None) -> Known:
    """From when each program stopped using a device; 0 while it uses it."""
    if stops is None:
        return Known(None, "this Windows does not record who uses it")
    return Known(any(stop == 0 for stop in stops), "Windows' record of privacy says so")


def shell_state() -> int | None:
    """The shell's state for notifications, None where it does not say."""
    if sys.platform == "win32":
        import ctypes

        state = ctypes.c_int()
        if not ctypes.windll.shell32.SHQueryUserNotificationState(ctypes.byref(state)):
            return state.value
    return None


def last_stops(device: str) -> Iterator[int] | None:
    """When each program stopped using a device, in Windows' ticks; None where nothing is kept."""
    if sys.platform == "win32":
        import winreg

        try:
            return _stops_below(winreg, winreg.OpenKey(winreg.HKEY_CURRENT_USER, rf"{USED}\{device}"))
        except OSError:
            return None
    return None


def _stops_below(winreg: Any, key: Any) -> Iterator[int]:
    """Of packaged programs one level down, of all others two."""
    with key:
        for number in range(winreg.QueryInfoKey(key)[0]):
            with winreg.OpenKey(key, winreg.EnumKey(key, number)) as below:
                yield from _stops_below(winreg, winreg.OpenKey(below, ""))
                try:
                    yield int(winreg.QueryValueEx(below, "LastUsedTimeStop")[0])
                except OSError:
                    continue  # never used
