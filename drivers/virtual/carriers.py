"""A radio with virtual sensors on the air, ready for the program: a fake bluetoothd on Linux, virtual air elsewhere."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from drivers.ble import Radio
from drivers.virtual.sensor import VirtualSensor


class Kind(StrEnum):
    """What the air is made of."""

    BLUEZ = "bluez"
    """Bleak's own BlueZ backend and a fake system bus. Linux only, nothing to install."""
    BUMBLE = "bumble"
    """A backend over bumble's link layer, which comes with the extra `sim`. Every system."""


class VirtualRadio(Protocol):
    """What both have in common: `FakeBlueZ` and `VirtualAir`."""

    async def add(self, sensor: VirtualSensor) -> None:
        """Put a sensor on the air and switch it on."""
        ...

    def power(self, *, on: bool) -> None:
        """Switch the host's adapter."""
        ...

    async def close(self) -> None:
        """Switch all sensors and the radio off."""
        ...


@asynccontextmanager
async def on_the_air(
    sensors: Sequence[VirtualSensor] = (), kind: Kind | None = None
) -> AsyncIterator[tuple[Radio, VirtualRadio]]:
    """Switch a virtual radio on, with these sensors; off at the end.

    Args:
        sensors: to put on the air; more can be added.
        kind: BLUEZ on Linux, BUMBLE elsewhere, unless stated.

    Yields:
        Bleak's classes that see this air, and the air.

    Raises:
        ImportError: bumble is needed and not installed.
    """
    kind = kind or (Kind.BLUEZ if sys.platform == "linux" else Kind.BUMBLE)
    async with _bluez() if kind is Kind.BLUEZ else _bumble() as (radio, air):
        for sensor in sensors:
            await air.add(sensor)
        yield radio, air


@asynccontextmanager
async def _bluez() -> AsyncIterator[tuple[Radio, VirtualRadio]]:
    from drivers.virtual.bluez import FakeBlueZ

    with tempfile.TemporaryDirectory(prefix="soleus") as folder:  # short: a socket's path has 107 bytes
        bluez = FakeBlueZ(Path(folder) / "bus")
        bluez.start()
        try:
            with _system_bus(bluez.address):
                yield Radio(), bluez
        finally:
            await bluez.close()


@asynccontextmanager
async def _bumble() -> AsyncIterator[tuple[Radio, VirtualRadio]]:
    from drivers.virtual.air import VirtualAir
    from drivers.virtual.bleak_air import radio_of

    air = VirtualAir()
    await air.start()
    try:
        yield radio_of(air), air
    finally:
        await air.close()


@contextmanager
def _system_bus(address: str) -> Iterator[None]:
    """Bleak asks the environment where the system bus is."""
    before = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = address
    try:
        yield
    finally:
        if before is None:
            del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
        else:
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = before
