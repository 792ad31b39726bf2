"""Asks the desktop all four questions at once, on whichever platform this is."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import fields

from tracker.channels import probes_linux, probes_macos, probes_windows
from tracker.channels.probes import Desktop, Known, Probe, Probes

PROBE_WITHIN_S = 3.0


async def look(probes: Probes) -> Desktop:
    """Ask all four at once; one that fails or hangs is not known, and keeps none of the others from answering."""
    names = [field.name for field in fields(Probes)]
    answers = await asyncio.gather(*(_asked(getattr(probes, name)) for name in names))
    return Desktop(**dict(zip(names, answers, strict=True)))


async def _asked(probe: Probe) -> Known:
    try:
        async with asyncio.timeout(PROBE_WITHIN_S):
            return await probe()
    except TimeoutError:
        return Known(None, f"the desktop did not say within {PROBE_WITHIN_S:.0f} s")
    except Exception as error:  # the desktop's own tools fail in their own ways
        return Known(None, f"the desktop could not be asked ({error or type(error).__name__})")


def probes_here(platform: str = sys.platform) -> Probes:
    """The probes of a platform."""
    if platform == "darwin":
        return probes_macos.probes()
    if platform == "win32":
        return probes_windows.probes()
    return probes_linux.probes()
