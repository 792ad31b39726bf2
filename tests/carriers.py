"""Each carrier of the virtual radio, ready for a test: skipped where this system cannot have it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from drivers.ble import Radio
from drivers.virtual.carriers import Kind, VirtualRadio, on_the_air


@asynccontextmanager
async def carrier(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, *harmless: type[Exception]
) -> AsyncIterator[tuple[Radio, VirtualRadio]]:
    """A radio and its air. dbus-fast leaves a future behind whenever its bus is closed by the other side.

    Args:
        kind: which carrier.
        monkeypatch: hides bluetoothctl.
        harmless: errors of such futures.
    """
    if kind is Kind.BLUEZ:
        if sys.platform != "linux":
            pytest.skip("Bleak's BlueZ backend runs on Linux only")

        def but_a_closed_bus(loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
            if not isinstance(context.get("exception"), harmless):
                loop.default_exception_handler(context)

        asyncio.get_running_loop().set_exception_handler(but_a_closed_bus)
        monkeypatch.setenv("PATH", "")  # no bluetoothctl: what version it is must not matter
    else:
        pytest.importorskip("bumble")
    async with on_the_air(kind=kind) as (radio, air):
        yield radio, air
    await asyncio.sleep(0.1)
