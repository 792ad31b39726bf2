"""Bleak over no radio at all: its scanner and its client hand every request straight to a virtual sensor.

For a machine that has neither the fake bluetoothd (Linux) nor bumble. Good sensors only: nothing is lost, no link
breaks by itself, and a sensor that is known can always be connected to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from bleak import BleakClient, BleakScanner
from bleak.args import SizedBuffer
from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError, BleakGATTProtocolErrorCode

from drivers.ble import Radio
from drivers.driver import Advert
from drivers.virtual.faults import Mishap
from drivers.virtual.peripheral import AttError
from drivers.virtual.sensor import VirtualSensor

ADVERTISING_S = 0.1
MTU = 247


class Plug:
    """The carrier of one sensor: its notifications go to whoever has subscribed."""

    def __init__(self, sensor: VirtualSensor) -> None:
        self.sensor = sensor
        self.takers: dict[str, Callable[[bytearray], None]] = {}
        self.hearers: list[Callable[[str, Advert], None]] = []
        self.unplugged: Callable[[], None] = lambda: None

    def notify(self, characteristic: str, payload: bytes) -> bool:
        """See `Carrier`."""
        take = self.takers.get(characteristic)
        if take is not None:
            take(bytearray(payload))
        return take is not None

    def advertise(self, payload: bytes) -> bool:
        """See `Carrier`."""
        if len(payload) < 2:
            return False
        advert = replace(self.sensor.advert(), manufacturer_data={int.from_bytes(payload[:2], "little"): payload[2:]})
        for hear in self.hearers:
            hear(self.sensor.address, advert)
        return bool(self.hearers)

    def lose(self) -> None:
        """See `Carrier`."""
        self.takers.clear()
        self.sensor.link_down()
        self.unplugged()

    def befall(self, mishap: Mishap, lasts_s: float) -> None:
        """See `Carrier`."""
        raise ValueError(f"{mishap} cannot befall a wire")


class Wire:
    """Sensors and the radio that sees them; the sensors live while it is entered (`async with`)."""

    def __init__(self, sensors: Sequence[VirtualSensor]) -> None:
        """Sensors that are still switched off."""
        self._plugs = {sensor.address: Plug(sensor) for sensor in sensors}
        scanner_backend = type("WiredScanner", (WireScanner,), {"plugs": self._plugs})
        client_backend = type("WiredClient", (WireClient,), {"plugs": self._plugs})

        class Scanner(BleakScanner):
            def __init__(self, *args: Any, **named: Any) -> None:
                super().__init__(*args, **{"backend": scanner_backend, **named})

        class Client(BleakClient):
            def __init__(self, *args: Any, **named: Any) -> None:
                super().__init__(*args, **{"backend": client_backend, **named})

        self.radio = Radio(Scanner, Client)

    async def __aenter__(self) -> Radio:
        for plug in self._plugs.values():
            plug.sensor.switch_on(plug)
        return self.radio

    async def __aexit__(self, *_: object) -> None:
        for plug in self._plugs.values():
            plug.sensor.switch_off()


class WireScanner(BaseBleakScanner):
    """Scanner backend; `plugs` is set by `Wire`."""

    plugs: ClassVar[dict[str, Plug]]

    def __init__(self, detection_callback: Any, service_uuids: list[str] | None, scanning_mode: str, **_: Any) -> None:
        super().__init__(detection_callback, service_uuids)
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to listen."""
        self.seen_devices = {}
        for plug in self.plugs.values():
            plug.hearers.append(self._hear)
        self._listening = asyncio.create_task(self._listen())

    async def stop(self) -> None:
        """Stop listening."""
        if self._listening is not None:
            for plug in self.plugs.values():
                plug.hearers.remove(self._hear)
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(ADVERTISING_S)
            for address, plug in self.plugs.items():
                if plug.sensor.announcing:
                    self._hear(address, plug.sensor.advert())

    def _hear(self, address: str, advert: Advert) -> None:
        data = AdvertisementData(
            advert.name, dict(advert.manufacturer_data), dict(advert.service_data), list(advert.services), None,
            self.plugs[address].sensor.rssi_dbm(), (),
        )  # fmt: skip
        if self.is_allowed_uuid(data.service_uuids):
            seen = self.create_or_update_device(address, address, advert.name, {}, data)
            self.call_detection_callbacks(seen, data)


class WireClient(BaseBleakClient):
    """Client backend; `plugs` is set by `Wire`."""

    plugs: ClassVar[dict[str, Plug]]

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        services: set[str] | None = None,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **_: Any,
    ) -> None:
        super().__init__(address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout)
        self._tell = disconnected_callback
        self._plug: Plug | None = None

    @property
    def name(self) -> str:
        """What the sensor calls itself."""
        plug = self.plugs.get(self.address.upper())
        return plug.sensor.name if plug else self.address

    def set_disconnected_callback(self, callback: Callable[[], None] | None, **_: Any) -> None:
        """See Bleak."""
        self._tell = callback

    @property
    def mtu_size(self) -> int:
        """ATT MTU of the link."""
        return self._plug.sensor.peripheral.mtu if self._plug else 23

    @property
    def is_connected(self) -> bool:
        """Somebody holds the plug."""
        return self._plug is not None

    async def connect(self, pair: bool, **_: Any) -> None:
        """Take the plug, learn the services."""
        plug = self.plugs.get(self.address.upper())
        if plug is None or not plug.sensor.advertising:
            raise BleakDeviceNotFoundError(self.address, f"Device with address {self.address} was not found.")
        await asyncio.sleep(0)
        self._plug = plug
        plug.unplugged = self._gone
        plug.sensor.link_up()
        plug.sensor.agree(MTU)
        self.services = _services_of(plug.sensor, lambda: self.mtu_size - 3)

    async def disconnect(self) -> None:
        """Let go of the plug. Does nothing where it is not held."""
        if self._plug is not None:
            self._plug.lose()

    async def pair(self, *args: Any, **named: Any) -> None:
        """Nothing here needs pairing."""

    async def unpair(self) -> None:
        """Nothing here is paired."""

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """See Bleak."""
        return bytearray(_att(self._held().sensor.read, characteristic.uuid))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """There is none."""
        raise BleakError("a wire has no descriptors")

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """See Bleak."""
        _att(self._held().sensor.write, characteristic.uuid, bytes(data))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """There is none."""
        raise BleakError("a wire has no descriptors")

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any) -> None:
        """See Bleak."""
        plug = self._held()
        plug.takers[characteristic.uuid] = callback
        _att(plug.sensor.subscribe, characteristic.uuid)

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """See Bleak."""
        plug = self._held()
        _att(plug.sensor.subscribe, characteristic.uuid, on=False)
        plug.takers.pop(characteristic.uuid, None)

    def _held(self) -> Plug:
        if self._plug is None:
            raise BleakError("Not connected")
        return self._plug

    def _gone(self) -> None:
        self._plug = None
        if self._tell is not None:
            self._tell()


def _services_of(sensor: VirtualSensor, longest_bytes: Callable[[], int]) -> BleakGATTServiceCollection:
    found = BleakGATTServiceCollection()
    handle = 0
    for service_uuid, characteristics in sensor.peripheral.services.items():
        handle += 1
        service = BleakGATTService(None, handle, service_uuid)
        found.add_service(service)
        for uuid, flags in characteristics.items():
            handle += 1
            names: list[CharacteristicPropertyName] = list(flags)  # type: ignore[arg-type]
            found.add_characteristic(BleakGATTCharacteristic(None, handle, uuid, names, longest_bytes, service))
    return found


def _att(request: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """Ask a sensor; its refusal becomes Bleak's."""
    try:
        return request(*args, **named)
    except AttError as error:
        raise BleakGATTProtocolError(BleakGATTProtocolErrorCode(error.code)) from error
