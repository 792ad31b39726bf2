"""What the radio commands share: the radio itself, running a coroutine, and keeping library noise away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from drivers.ble import Radio

Result = TypeVar("Result")


def radio() -> Radio:
    """This machine's radio."""
    from drivers.ble import Radio, quiet_library

    if os.environ.get("SOLEUS_DEBUG") != "1":
        quiet_library()
    return Radio()


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; Bleak wants one event loop a process."""
    return asyncio.run(coroutine)
