"""What the desktop is doing: do not disturb, a locked screen, a microphone or camera in use; or why nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """The answer of a probe.

    Attributes:
        value: None where it cannot be known here.
        why: who says so, or why nobody can; a phrase without a full stop.
    """

    value: bool | None
    why: str


Probe = Callable[[], Awaitable[Known]]


@dataclass(frozen=True, slots=True)
class Desktop:
    """What is known of the desktop at one instant."""

    do_not_disturb: Known
    locked: Known
    microphone: Known
    camera: Known


@dataclass(frozen=True, slots=True)
class Probes:
    """How this platform's desktop is asked."""

    do_not_disturb: Probe
    locked: Probe
    microphone: Probe
    camera: Probe


async def output_of(*command: str) -> str | None:
    """Standard output of a program; None where it is not there or fails."""
    quiet = asyncio.subprocess.DEVNULL
    try:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=quiet, stdout=asyncio.subprocess.PIPE, stderr=quiet
        )
    except (FileNotFoundError, PermissionError):
        return None
    try:
        out, _ = await child.communicate()
    except asyncio.CancelledError:
        child.kill()
        await child.wait()
        raise
    return None if child.returncode else out.decode(errors="replace")
