"""macOS: the registry of devices and the power assertions are read; its Focus is hidden from programs."""

from __future__ import annotations

import plistlib
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tracker.channels.probes import Known, Probes, output_of

Run = Callable[..., Awaitable[str | None]]

_CAMERA = re.compile(r'"FrontCameraActive"\s*=\s*(Yes|No)')


def probes(run: Run = output_of) -> Probes:
    """The probes of macOS.

    Args:
        run: gives the output of a program, as `output_of`.
    """
    return Probes(
        do_not_disturb=do_not_disturb,
        locked=lambda: locked(run),
        microphone=lambda: microphone(run),
        camera=lambda: camera(run),
    )


async def do_not_disturb() -> Known:
    """Never known: a Focus is told to programs that Apple has signed for it, and to no other."""
    return Known(None, "macOS does not tell programs whether a Focus is on; it keeps the notification back by itself")


async def locked(run: Run = output_of) -> Known:
    """`CGSSessionScreenIsLocked` of the console's session, in the registry's root."""
    text = await run("ioreg", "-n", "Root", "-d1", "-a")
    try:
        root: dict[str, Any] = plistlib.loads((text or "").encode())
        users = root["IOConsoleUsers"]
    except (plistlib.InvalidFileException, KeyError, TypeError, ValueError):
        return Known(None, "macOS's registry (ioreg) could not be read")
    shown = [user for user in users if user.get("kCGSSessionOnConsoleKey")]
    if not shown:
        return Known(True, "nobody is logged in at the screen")
    return Known(any(user.get("CGSSessionScreenIsLocked") for user in shown), "macOS's registry says so")


async def microphone(run: Run = output_of) -> Known:
    """An audio input that keeps the computer awake is one that some program listens to."""
    text = await run("pmset", "-g", "assertions")
    if text is None:
        return Known(None, "macOS's power assertions (pmset) could not be read")
    return Known("audio-in" in text, "macOS's power assertions say so")


async def camera(run: Run = output_of) -> Known:
    """The built-in camera's own flag; others do not tell."""
    text = await run("ioreg", "-l", "-w0")
    flags = _CAMERA.findall(text or "")
    if "Yes" in flags:
        return Known(True, "the built-in camera is on")
    if flags:
        return Known(False, "the built-in camera is off; one that is plugged in does not tell")
    return Known(None, "no camera tells macOS's registry whether it is on")
