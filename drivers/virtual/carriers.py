"""The virtual radios of this machine behind one face: put sensors on the air, hand out Bleak classes that see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bleak import BleakClient, BleakScanner

from drivers.virtual.sensor import VirtualSensor


@dataclass(frozen=True, slots=True)
class Radio:
    """Which classes reach the air; both are used as Bleak's own are.

    Attributes:
        scanner: `bleak.BleakScanner` or a class made of it.
        client: `bleak.BleakClient` or a class made of it.
    """

    scanner: type[BleakScanner]
    client: type[BleakClient]


PLATFORM = Radio(BleakScanner, BleakClient)
"""The real radio; with DBUS_SYSTEM_BUS_ADDRESS set to the fake bus, the fake one."""


class VirtualRadio(Protocol):
    """What the fake BlueZ and the virtual air have in common."""

    async def add(self, sensor: VirtualSensor) -> None:
        """Put a sensor on the air and switch it on."""
        ...

    def power(self, *, on: bool) -> None:
        """Switch the host's adapter."""
        ...

    async def close(self) -> None:
        """Switch all sensors and the radio off."""
        ...
