"""Finding sensors and getting to know one: which driver, battery, firmware."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace

from drivers import registry
from drivers.ble import Link, LinkLostError, Radio, Sighting, already_connected, named, scan
from drivers.driver import Driver
from drivers.errors import LinkError
from drivers.script import Read, Script

BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"
TRIES, RETRY_S, FIND_S = 3, 0.5, 5.0
"""Connections fail at random; each is tried with a fresh handle."""
FIRMWARE = "00002a26-0000-1000-8000-00805f9b34fb"


@dataclass(frozen=True, slots=True)
class Found:
    """A sensor in range; `driver` is None where none recognises it."""

    sighting: Sighting
    driver: Driver | None

    @property
    def name(self) -> str:
        """What it calls itself."""
        return self.sighting.advert.name or self.sighting.address

    def to_json(self) -> dict[str, object]:
        """One entry of `soleus scan --json`; the battery is not read by a scan."""
        return {
            "name": self.sighting.advert.name,
            "address": self.sighting.address,
            "driver": self.driver.name if self.driver else None,
            "rssi_dbm": self.sighting.rssi_dbm,
            "battery_percent": None,
        }


@dataclass(frozen=True, slots=True)
class Identity:
    """What a connected sensor says of itself; None where it does not say."""

    battery_percent: float | None
    firmware: str | None


def recognised(sightings: Iterable[Sighting]) -> list[Found]:
    """Each device with the first driver that knows it."""
    known = [registry.driver(name) for name in registry.names()]
    return [Found(seen, next((d for d in known if d.recognises(seen.advert)), None)) for seen in sightings]


async def look_around(radio: Radio, seconds: float) -> list[Found]:
    """Everything in range, and what is still connected to this computer."""
    seen = await scan(radio, seconds)
    there = {sighting.address for sighting in seen}
    seen += [held for held in await already_connected(radio) if held.address not in there]
    return recognised(seen)


async def find(radio: Radio, wanted: str, seconds: float) -> Found:
    """One device by address or name.

    Raises:
        LinkLostError: it is not there.
    """
    seen = await scan(radio, seconds, lambda sighting: named([sighting], wanted) is not None)
    sighting = named(seen, wanted) or named(await already_connected(radio), wanted)
    if sighting is None:
        raise LinkLostError(
            f"{wanted} is not in range: switch it on, bring it nearer, and close other programs that use it"
        )
    return recognised([sighting])[0]


async def identify(radio: Radio, found: Found) -> Identity:
    """Connect, start it once to see that it is what it seems, read battery and firmware, stop it.

    Of a sensor that advertises data, and cannot be connected to, nothing is known; it is listened to.

    Raises:
        DeviceRefusedError: it is not what it seems, or refuses to stream.
        LinkError: it cannot be connected to, tried `TRIES` times.
    """
    for _ in range(TRIES - 1):
        try:
            return await _identified(radio, found)
        except LinkError as error:
            if found.driver and found.driver.advertised and found.driver.advertised(found.sighting.advert):
                return Identity(None, None)
            if not isinstance(error, LinkLostError):
                raise
        await asyncio.sleep(RETRY_S)
        found = replace(found, sighting=(await find(radio, found.sighting.address, FIND_S)).sighting)
    return await _identified(radio, found)


async def _identified(radio: Radio, found: Found) -> Identity:
    driver, granted = found.driver, dict[str, object]()
    link = Link(radio, found.sighting, arrival_ns=lambda: 0, on_packet=lambda _packet: None)
    try:
        await link.open()
        if driver:
            granted |= await link.run(driver.start(driver.defaults))
        battery, firmware = None, granted.get("firmware")
        with suppress(LinkError):
            battery = await link.run(driver.battery() if driver and driver.battery else _battery())
        with suppress(LinkError):
            firmware = firmware or await link.run(_firmware())
        with suppress(LinkError):
            if driver:
                await link.run(driver.stop(granted))
        return Identity(battery, str(firmware) if firmware else None)
    finally:
        await link.close()


def _battery() -> Script[int | None]:
    level = yield Read(BATTERY_LEVEL)
    return level[0] if level and level[0] <= 100 else None


def _firmware() -> Script[str | None]:
    text = yield Read(FIRMWARE)
    return text.split(b"\0")[0].decode("utf-8", "replace").strip() or None if text else None
