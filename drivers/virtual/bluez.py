"""A fake bluetoothd: the objects, properties and methods of `org.bluez` over virtual sensors.

Bleak's own BlueZ backend talks to it over the fake bus. Source: BlueZ's D-Bus API documents (org.bluez.Adapter,
Device, GattCharacteristic); its habits as seen on bluetoothd 5.66: StartNotify registrations belong to the D-Bus
sender and outlive the link, GATT objects stay while the device is known, a device that is not bonded is forgotten
half a minute after it was last seen.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from math import isfinite
from pathlib import Path
from typing import Any

from drivers.virtual.bluez_device import DEVICE, BlueZDevice
from drivers.virtual.bus import Bus, BusError, Reply
from drivers.virtual.dbus_objects import OBJECT_MANAGER, PROPERTIES, Objects, is_below
from drivers.virtual.dbus_wire import Message, Variant
from drivers.virtual.faults import Mishap
from drivers.virtual.sensor import VirtualSensor

ADAPTER = "org.bluez.Adapter1"
ADAPTER_PATH = "/org/bluez/hci0"
ADVERTISING_S = 0.1
"""Advertising interval of the virtual sensors."""
FORGET_S = 30.0
"""BlueZ's TemporaryTimeout."""


class FakeBlueZ:
    """bluetoothd, its adapter and its bus, in this event loop."""

    def __init__(self, socket: Path) -> None:
        """A radio that is not switched on.

        Args:
            socket: where the bus will listen; must be shorter than 108 bytes.
        """
        self.objects = Objects()
        self.bus = Bus(socket, "org.bluez", self.call, self._client_gone)
        self.objects.emit = self.bus.signal
        self.devices: dict[str, BlueZDevice] = {}
        self.permits = True
        """The bus lets programs talk to bluetoothd."""
        self._scanners: set[str] = set()
        self._filters: dict[str, bool] = {}
        """Who has set a discovery filter, and whether it lets duplicates of an advertisement through."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """What DBUS_SYSTEM_BUS_ADDRESS must say."""
        return self.bus.address

    def start(self) -> None:
        """Switch the radio on."""
        self._add_adapter()
        self.bus.listen()
        self.run(self._watch_the_air())

    async def close(self) -> None:
        """Switch everything off."""
        for device in self.devices.values():
            device.sensor.switch_off()
            device.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.bus.close()

    async def add(self, sensor: VirtualSensor) -> None:
        """Put a sensor on the air and switch it on."""
        device = BlueZDevice(self.objects, ADAPTER_PATH, sensor, self.befall, self._searched)
        self.devices[device.path] = device
        sensor.switch_on(device)

    def befall(self, device: BlueZDevice, mishap: Mishap, lasts_s: float) -> None:
        """What a plan of faults does to the host."""
        match mishap:
            case Mishap.FORGOTTEN:
                self.forget(device)
            case Mishap.ADAPTER_OFF:
                self.run(self._blink(lasts_s))
            case Mishap.BUS_RESTART:
                self.run(self.restart_bus(lasts_s))
            case Mishap.DAEMON_RESTART:
                self.run(self.restart_daemon(lasts_s))
            case _:
                raise ValueError(f"{mishap} does not befall a host")

    def power(self, *, on: bool) -> None:
        """Adapter on or off; off ends every link and every search."""
        if not on:
            self._let_go()
            self.objects.change(ADAPTER_PATH, ADAPTER, Discovering=Variant("b", value=False))
        self.objects.change(ADAPTER_PATH, ADAPTER, Powered=Variant("b", on))

    def plug(self, *, on: bool) -> None:
        """Adapter in or out; out, all that it knew is gone."""
        if on:
            self._add_adapter()
            return
        self._let_go()
        self.objects.remove(ADAPTER_PATH)
        for device in self.devices.values():
            device.forget()

    def forget(self, device: BlueZDevice) -> None:
        """Remove a device with all that was known of it."""
        device.lose()
        device.forget()
        self.objects.remove(device.path)

    async def restart_bus(self, down_s: float = 1.0) -> None:
        """The bus dies with all connections, bluetoothd with it; both are back after a while."""
        self._let_go()
        await self.bus.close()
        self._wipe()
        if isfinite(down_s):
            await asyncio.sleep(down_s)
            self._add_adapter()
            self.bus.listen()

    async def restart_daemon(self, down_s: float = 1.0) -> None:
        """The daemon goes and comes back; the bus and its clients stay."""
        self._let_go()
        self.objects.remove(ADAPTER_PATH)
        self._wipe()
        self.bus.own(on=False)
        if isfinite(down_s):
            await asyncio.sleep(down_s)
            self.bus.own(on=True)
            self._add_adapter()

    async def call(self, message: Message) -> Reply:
        """Answer a method call."""
        if not self.permits:
            text = f'Rejected send message, 2 matched rules; interface="{message.interface}" member="{message.member}"'
            raise BusError("org.freedesktop.DBus.Error.AccessDenied", text)
        if message.interface == OBJECT_MANAGER and message.member == "GetManagedObjects":
            return Reply("a{oa{sa{sv}}}", [self.objects.tree])
        if message.path not in self.objects.tree:
            text = f'Method "{message.member}" with signature "{message.signature}" on interface "{message.interface}"'
            raise BusError("org.freedesktop.DBus.Error.UnknownObject", f"{text} doesn't exist")
        if message.interface == PROPERTIES:
            return self._properties(message)
        if message.path == ADAPTER_PATH and message.interface == ADAPTER:
            return self._adapter(message)
        for device in self.devices.values():
            if is_below(message.path, device.path):
                if message.interface == DEVICE and message.member == "Connect":
                    self._need_power()
                return await device.call(message)
        raise BusError("org.freedesktop.DBus.Error.UnknownMethod", f"no method {message.member}")

    def _properties(self, message: Message) -> Reply:
        interfaces = self.objects.tree[message.path]
        known = interfaces.get(message.body[0], {})
        match message.member:
            case "GetAll":
                return Reply("a{sv}", [known])
            case "Get" if message.body[1] in known:
                return Reply("v", [known[message.body[1]]])
            case "Set" if message.path == ADAPTER_PATH and message.body[1] == "Powered":
                self.power(on=message.body[2].value)
                return Reply()
            case "Set" if message.body[1] in known:
                self.objects.change(message.path, message.body[0], **{message.body[1]: message.body[2]})
                return Reply()
        raise BusError("org.freedesktop.DBus.Error.InvalidArgs", f"No such property '{message.body[1]}'")

    def _adapter(self, message: Message) -> Reply:
        self._need_power()
        match message.member:
            case "StartDiscovery":
                if message.sender in self._scanners:
                    raise BusError("org.bluez.Error.InProgress", "Operation already in progress")
                self._scanners.add(message.sender)
                self.objects.change(ADAPTER_PATH, ADAPTER, Discovering=Variant("b", value=True))
            case "StopDiscovery":
                if message.sender not in self._scanners:
                    raise BusError("org.bluez.Error.Failed", "No discovery started")
                self._stop_scanning(message.sender)
            case "RemoveDevice":
                if (device := self.devices.get(message.body[0])) is None or not device.known:
                    raise BusError("org.bluez.Error.DoesNotExist", "Does Not Exist")
                self.forget(device)
            case "SetDiscoveryFilter":
                duplicates = message.body[0].get("DuplicateData")
                self._filters[message.sender] = duplicates is None or bool(duplicates.value)
            case "GetDiscoveryFilters":
                return Reply("as", [["UUIDs", "RSSI", "Transport", "DuplicateData"]])
            case _:
                raise BusError("org.freedesktop.DBus.Error.UnknownMethod", f"no method {message.member}")
        return Reply()

    def _need_power(self) -> None:
        if not self.objects.value(ADAPTER_PATH, ADAPTER, "Powered"):
            raise BusError("org.bluez.Error.NotReady", "Resource Not Ready")

    def _stop_scanning(self, sender: str) -> None:
        self._scanners.discard(sender)
        if not self._scanners:
            self.objects.change(ADAPTER_PATH, ADAPTER, Discovering=Variant("b", value=False))
            for device in self.devices.values():
                self.objects.invalidate(device.path, DEVICE, "RSSI", "TxPower")

    def _searched(self) -> bool | None:
        """Whether any search lets duplicates through; None where there is none."""
        if not self._scanners or not self.objects.value(ADAPTER_PATH, ADAPTER, "Powered"):
            return None
        return any(self._filters.get(sender, True) for sender in self._scanners)

    def _client_gone(self, sender: str) -> None:
        """A program left the bus: what it had started ends, links stay up."""
        self._filters.pop(sender, None)
        if sender in self._scanners:
            self._stop_scanning(sender)
        for device in self.devices.values():
            device.client_gone(sender)

    async def _watch_the_air(self) -> None:
        """Hear advertisements while somebody searches; forget who was not heard for long."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(ADVERTISING_S)
            if ADAPTER_PATH not in self.objects.tree:
                continue
            for device in self.devices.values():
                if self._scanners and device.sensor.announcing:
                    device.hear(loop.time())
                elif device.known and not device.linked and loop.time() - device.heard_s > FORGET_S:
                    self.forget(device)

    async def _blink(self, dark_s: float) -> None:
        self.power(on=False)
        if isfinite(dark_s):
            await asyncio.sleep(dark_s)
            self.power(on=True)

    def _let_go(self) -> None:
        self._scanners.clear()
        for device in self.devices.values():
            device.lose()

    def _wipe(self) -> None:
        self.objects.tree.clear()
        for device in self.devices.values():
            device.forget()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that ends with the radio."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _add_adapter(self) -> None:
        text: Mapping[str, str] = {
            "Address": "00:1A:7D:DA:71:13", "AddressType": "public", "Name": "virtual", "Alias": "virtual",
            "Modalias": "usb:v1D6Bp0246d0542",
        }  # fmt: skip
        flags = {"Powered": True, "Discoverable": False, "Pairable": True, "Discovering": False}
        self.objects.add(ADAPTER_PATH, {
            ADAPTER: {
                **{name: Variant("s", value) for name, value in text.items()},
                **{name: Variant("b", value) for name, value in flags.items()},
                "Class": Variant("u", 0),
                "UUIDs": Variant("as", []),
                "Roles": Variant("as", ["central", "peripheral"]),
                "ExperimentalFeatures": Variant("as", []),
            }
        })  # fmt: skip
