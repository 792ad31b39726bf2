"""Bleak over virtual air: a backend for its scanner and its client.

Bleak says that its backend interface may change, and so all that knows it is here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, TypeVar, cast

from bleak import BleakClient, BleakScanner
from bleak.args import SizedBuffer
from bleak.assigned_numbers import gatt_char_props_to_strs
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)
from bumble.att import ATT_Error
from bumble.core import UUID, AdvertisingData, ProtocolError
from bumble.device import Advertisement, Connection, Peer
from bumble.gatt_client import CharacteristicProxy
from bumble.hci import Address

from drivers.ble import Radio
from drivers.virtual.air import DRAIN_S, AirDevice, VirtualAir

HOST_MTU = 517
CONNECT_S, RESOLVE_S, GIVE_UP_S = 0.1, 0.2, 20.0
"""Time to connect, to discover services, and until the host gives up on a device that does not answer."""

Outcome = TypeVar("Outcome")


def radio_of(air: VirtualAir) -> Radio:
    """Bleak's classes, seeing this air and nothing else."""
    scanner_backend = type("VirtualAirScanner", (AirScanner,), {"air": air})
    client_backend = type("VirtualAirClient", (AirClient,), {"air": air})

    class Scanner(BleakScanner):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **{"backend": scanner_backend, **named})

    class Client(BleakClient):
        def __init__(self, *args: Any, **named: Any) -> None:
            super().__init__(*args, **{"backend": client_backend, **named})

    return Radio(Scanner, Client)


def uuid_text(uuid: UUID) -> str:
    """Lower case, 128 bit."""
    return str(uuid.to_hex_str("-")).lower() if len(uuid.to_bytes()) == 16 else _widened(uuid.to_bytes())


def _widened(raw: bytes) -> str:
    return f"{raw[::-1].hex():0>8}-0000-1000-8000-00805f9b34fb"


class AirScanner(BaseBleakScanner):
    """Scanner backend; `air` is set by `radio_of`."""

    air: ClassVar[VirtualAir]

    def __init__(self, detection_callback: Any, service_uuids: list[str] | None, scanning_mode: str, **_: Any) -> None:
        super().__init__(detection_callback, service_uuids)

    async def start(self) -> None:
        """Begin to listen."""
        if not self.air.powered:
            text = "No powered Bluetooth adapters found. Turn on Bluetooth and try again."
            raise BleakBluetoothNotAvailableError(text, BleakBluetoothNotAvailableReason.POWERED_OFF)
        self.seen_devices = {}
        self.air.host.on(self.air.host.EVENT_ADVERTISEMENT, self._heard)
        await self.air.scan(on=True)

    async def stop(self) -> None:
        """Stop listening."""
        self.air.host.remove_listener(self.air.host.EVENT_ADVERTISEMENT, self._heard)
        await self.air.scan(on=False)

    def _heard(self, advertisement: Advertisement) -> None:
        if advertisement.is_scan_response:  # bumble's controller answers with the advertisement once more
            return
        address = advertisement.address.to_string(False)
        device = self.air.devices.get(address)
        data = _advertisement_data(advertisement, device.sensor.rssi_dbm() if device else -127)
        if not self.is_allowed_uuid(data.service_uuids):
            return
        if device is not None:
            device.known = True
        seen = self.create_or_update_device(address, address, data.local_name, {"address": address}, data)
        self.call_detection_callbacks(seen, data)


def _advertisement_data(advertisement: Advertisement, rssi_dbm: int) -> AdvertisementData:
    """What was on the air, in Bleak's form."""
    name, makers, services, uuids = None, {}, {}, []
    for kind, data in advertisement.data.ad_structures:
        match kind:
            case AdvertisingData.COMPLETE_LOCAL_NAME:
                name = data.decode(errors="replace")
            case AdvertisingData.MANUFACTURER_SPECIFIC_DATA:
                makers[int.from_bytes(data[:2], "little")] = data[2:]
            case AdvertisingData.SERVICE_DATA_16_BIT_UUID:
                services[_widened(data[:2])] = data[2:]
            case AdvertisingData.SERVICE_DATA_128_BIT_UUID:
                services[uuid_text(UUID.from_bytes(data[:16]))] = data[16:]
            case AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS:
                uuids += [_widened(data[at : at + 2]) for at in range(0, len(data), 2)]
            case AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS:
                uuids += [uuid_text(UUID.from_bytes(data[at : at + 16])) for at in range(0, len(data), 16)]
    return AdvertisementData(name, makers, services, list(dict.fromkeys(uuids)), None, rssi_dbm, (advertisement,))


class AirClient(BaseBleakClient):
    """Client backend; `air` is set by `radio_of`."""

    air: ClassVar[VirtualAir]

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
        self._limit_s = timeout
        self._tell = disconnected_callback
        self._name = address_or_ble_device.name if isinstance(address_or_ble_device, BLEDevice) else None
        self._wanted = services
        self._connection: Connection | None = None
        self._gone: asyncio.Future[None] | None = None
        self._subscribers: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """Name from the scan, or the address."""
        return self._name or self.address

    def set_disconnected_callback(self, callback: Callable[[], None] | None, **_: Any) -> None:
        """See Bleak."""
        self._tell = callback

    @property
    def mtu_size(self) -> int:
        """ATT MTU of the link."""
        return self._connection.att_mtu if self._connection else 23

    @property
    def is_connected(self) -> bool:
        """The link is up, as far as the host has been told."""
        return self._connection is not None

    async def connect(self, pair: bool, **named: Any) -> None:
        """Link, agree on an MTU, discover services."""
        if self._connection is not None:
            raise BleakError("Client is already connected")
        async with asyncio.timeout(named.get("timeout", self._limit_s)):
            device = await self._reach()
            async with self.air.connecting:
                connection = await self._link()
            self._gone = asyncio.get_running_loop().create_future()
            self._connection = connection
            connection.on(connection.EVENT_DISCONNECTION, lambda _: self._unlinked())
            try:
                self.services = await self._att(self._discover(device, connection))
            except BaseException:
                await self._let_go(connection)
                raise

    async def disconnect(self) -> None:
        """End the link. Does nothing where there is none."""
        if self._connection is not None:
            await self._let_go(self._connection)

    async def pair(self, *args: Any, **named: Any) -> None:
        """Nothing here needs pairing."""

    async def unpair(self) -> None:
        """Nothing here is paired."""

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """See Bleak."""
        return bytearray(await self._att(characteristic.obj.read_value()))

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **_: Any
    ) -> bytearray:
        """See Bleak."""
        return bytearray(await self._att(descriptor.obj.read_value()))

    async def write_gatt_char(self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool) -> None:
        """See Bleak."""
        await self._att(characteristic.obj.write_value(bytes(data), with_response=response))

    async def write_gatt_descriptor(self, descriptor: BleakGATTDescriptor, data: SizedBuffer) -> None:
        """See Bleak."""
        await self._att(descriptor.obj.write_value(bytes(data), with_response=True))

    async def start_notify(self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **_: Any) -> None:
        """See Bleak."""

        def take(payload: bytes) -> None:
            callback(bytearray(payload))

        self._subscribers[characteristic.handle] = take
        await self._att(characteristic.obj.subscribe(take))

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """See Bleak."""
        take = self._subscribers.pop(characteristic.handle, None)
        if take is not None:
            await self._att(characteristic.obj.unsubscribe(take))

    async def _reach(self) -> AirDevice:
        """The device, once it advertises."""
        device = self.air.devices.get(self.address.upper())
        if device is None or not device.known:
            raise BleakDeviceNotFoundError(self.address, f"Device with address {self.address} was not found.")
        self._need_power()
        await asyncio.sleep(CONNECT_S)
        if device.refusals:
            raise BleakError(device.refusals.pop(0).text)
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + GIVE_UP_S
        while not device.advertising:
            self._need_power()
            if loop.time() > deadline_s:
                raise BleakError("Page Timeout")
            await asyncio.sleep(0.05)
        return device

    def _need_power(self) -> None:
        if not self.air.powered:
            raise BleakError("Resource Not Ready")

    async def _link(self) -> Connection:
        linking = asyncio.ensure_future(self.air.host.connect(Address(self.address), timeout=GIVE_UP_S))
        try:
            return await asyncio.shield(linking)
        except (ProtocolError, TimeoutError) as error:
            raise BleakError(f"connection failed: {error}") from error
        except asyncio.CancelledError:
            with contextlib.suppress(ProtocolError, TimeoutError):  # bumble leaves the link up that is on its way
                async with asyncio.timeout(RESOLVE_S):
                    await (await linking).disconnect()
            raise

    async def _discover(self, device: AirDevice, connection: Connection) -> BleakGATTServiceCollection:
        device.links += 1
        if device.links <= device.sensor.faults.unresolved:
            await asyncio.get_running_loop().create_future()
        await asyncio.sleep(RESOLVE_S)
        peer = Peer(connection)
        await peer.request_mtu(HOST_MTU)
        await peer.discover_all()  # type: ignore[no-untyped-call]
        found = BleakGATTServiceCollection()
        for service in peer.services:
            uuid = uuid_text(service.uuid)
            if self._wanted is None or uuid in self._wanted:
                shown = BleakGATTService(service, service.handle, uuid)
                found.add_service(shown)
                for characteristic in service.characteristics:
                    self._show(characteristic, shown, found)
        return found

    def _show(
        self, characteristic: CharacteristicProxy[Any], service: BleakGATTService, found: BleakGATTServiceCollection
    ) -> None:
        flags = sorted(gatt_char_props_to_strs(int(characteristic.properties)))
        shown = BleakGATTCharacteristic(
            characteristic, characteristic.handle, uuid_text(characteristic.uuid), flags,
            lambda: self.mtu_size - 3, service,
        )  # fmt: skip
        found.add_characteristic(shown)
        for descriptor in characteristic.descriptors:
            found.add_descriptor(BleakGATTDescriptor(descriptor, descriptor.handle, uuid_text(descriptor.type), shown))

    async def _att(self, work: Awaitable[Outcome]) -> Outcome:
        """An ATT transaction, ended by its answer or by the end of the link."""
        task: asyncio.Future[Any] = asyncio.ensure_future(work)
        if self._gone is None or self._connection is None:
            task.cancel()
            raise BleakError("Not connected")
        try:
            await asyncio.wait([task, self._gone], return_when=asyncio.FIRST_COMPLETED)
            if not task.done() or task.cancelled():
                raise BleakError("disconnected")
            return cast(Outcome, task.result())
        except ATT_Error as error:
            raise BleakGATTProtocolError(BleakGATTProtocolErrorCode(error.error_code)) from error
        except ProtocolError as error:
            raise BleakError(str(error)) from error
        finally:
            task.cancel()

    async def _let_go(self, connection: Connection) -> None:
        device = self.air.devices.get(self.address.upper())
        if device is not None and not device.breaking:
            device.fall_silent()
            await asyncio.sleep(DRAIN_S)
        with contextlib.suppress(ProtocolError):  # it was gone already
            await connection.disconnect()
        self._unlinked()

    def _unlinked(self) -> None:
        """The link is gone, whoever ended it; told once."""
        if self._connection is None:
            return
        self._connection = None
        self.services = None
        self._subscribers.clear()
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        if self._tell is not None:
            self._tell()
