"""Virtual air: bumble's link layer in one event loop, with the host's controller and one for each sensor.

Real ATT, GATT, L2CAP and HCI between them. What bumble's link lacks, the sensors bring (connection interval, loss)
or this module does (supervision timeout, range, an adapter that is off).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine, Mapping
from math import isfinite
from typing import Any

from bumble import hci, ll
from bumble.att import ATT_Error
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import AdvertisingParameters, AdvertisingSet, Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

from drivers.virtual.faults import Mishap
from drivers.virtual.peripheral import AttError
from drivers.virtual.sensor import VirtualSensor

HOST_ADDRESS = "F0:F0:F0:F0:F0:F0"
ACL_BYTES = 251
"""Longest link-layer packet with data length extension."""
WATCH_S = ADVERTISING_S = 0.1
DRAIN_S = 0.005
"""What was sent before a link broke has arrived by then, so that the ledger is right to one packet."""


def make_device(link: LocalLink, name: str, address: str) -> tuple[Device, Controller]:
    """A host stack with a controller of its own on the link."""
    controller = Controller(name, link=link, public_address=address)
    controller.le_acl_data_packet_length = controller.acl_data_packet_length = ACL_BYTES
    host = Host(controller, AsyncPipeSink(controller))
    return Device(name=name, address=hci.Address(address), host=host), controller


class VirtualAir:
    """Air with one host in it."""

    def __init__(self) -> None:
        self.link = LocalLink()  # type: ignore[no-untyped-call]
        self.host, self.controller = make_device(self.link, "host", HOST_ADDRESS)
        self.powered = True
        self.connecting = asyncio.Lock()
        """bumble's controller has one pending connection at most."""
        self.devices: dict[str, AirDevice] = {}
        self._scans = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Switch the host's radio on."""
        logging.getLogger("bumble").setLevel(logging.CRITICAL)  # it warns of every link that is lost
        await self.host.power_on()
        self.run(self._watch())

    async def close(self) -> None:
        """Switch everything off."""
        for device in self.devices.values():
            device.sensor.switch_off()
            device.lose()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def add(self, sensor: VirtualSensor) -> None:
        """Put a sensor on the air and switch it on."""
        device = AirDevice(self, sensor)
        await device.start()
        self.devices[sensor.address] = device
        sensor.switch_on(device)

    def power(self, *, on: bool) -> None:
        """Adapter on or off; off ends every link."""
        self.powered = on
        if not on:
            for device in self.devices.values():
                device.lose()

    def befall(self, device: AirDevice, mishap: Mishap, lasts_s: float) -> None:
        """What a plan of faults does to the host: here, all that stops a host is one."""
        if mishap is Mishap.FORGOTTEN:
            device.lose()
            device.known = False
        else:
            self.run(self._blink(lasts_s))

    @property
    def is_searching(self) -> bool:
        """Whether anybody searches, with the adapter on."""
        return self.powered and self._scans > 0

    async def scan(self, *, on: bool) -> None:
        """One more, or one less, who searches."""
        self._scans += 1 if on else -1
        if on and self._scans == 1:
            await self.host.start_scanning(filter_duplicates=False)
        elif not on and self._scans == 0:
            await self.host.stop_scanning()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that ends with the air."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _blink(self, dark_s: float) -> None:
        self.power(on=False)
        if isfinite(dark_s):
            await asyncio.sleep(dark_s)
            self.power(on=True)

    async def _watch(self) -> None:
        """Advertise whoever is there, while somebody listens."""
        while True:
            heard = self.powered and (self._scans > 0 or self.connecting.locked())
            for device in self.devices.values():
                await device.show(on=heard and device.announcing)
            await asyncio.sleep(WATCH_S)


class AirDevice:
    """A sensor's own radio; the carrier of its sensor."""

    def __init__(self, air: VirtualAir, sensor: VirtualSensor) -> None:
        self.air = air
        self.sensor = sensor
        self.known = False
        """A scan has seen it since it was last forgotten."""
        self.links = 0
        self.refusals = list(sensor.faults.connect_errors)
        self.breaking = False
        self._device, self._controller = make_device(air.link, sensor.name, sensor.address)
        self._set: AdvertisingSet | None = None
        self._connection: Connection | None = None
        self._characteristics: dict[str, Characteristic[bytes]] = {}
        self._outbox: deque[tuple[Characteristic[bytes], bytes, bool]] = deque()
        """(attribute, payload, is an indication) that waits behind an indication; each link has its own."""

    async def start(self) -> None:
        """Switch its radio on."""
        self._device.add_services([self._service(uuid) for uuid in self.sensor.peripheral.services])
        self._device.on(self._device.EVENT_CONNECTION, self._linked)
        await self._device.power_on()

    @property
    def advertising(self) -> bool:
        """It can be connected to: the sensor is there, and its last link is gone on both sides."""
        return self.sensor.advertising and self._connection is None

    @property
    def announcing(self) -> bool:
        """It advertises by itself, over and over; one that sends data instead, only to be connected to."""
        return self.advertising and (self.sensor.announcing or self.air.connecting.locked())

    async def show(self, *, on: bool) -> None:
        """Begin or stop to advertise."""
        if self._set is None and on:
            parameters = AdvertisingParameters(
                primary_advertising_interval_min=ADVERTISING_S * 1000,
                primary_advertising_interval_max=ADVERTISING_S * 1000,
            )
            self._set = await self._device.create_advertising_set(
                parameters, hci.Address(self.sensor.address), self._announced(), auto_start=False
            )
        if self._set is not None and on != self._set.enabled:
            await (self._set.start() if on else self._set.stop())

    def _announced(self) -> bytes:
        """What it says over and over: no data, where data is sent one by one."""
        return advertising_bytes(self.sensor, None if self.sensor.announcing else {})

    def notify(self, characteristic: str, payload: bytes) -> bool:
        """See `Carrier`."""
        subscribers = self._device.gatt_server.subscribers.get(self._connection, {}) if self._connection else {}
        attribute = self._characteristics[characteristic]
        cccd = subscribers.get(attribute.handle, b"\0\0")
        if self._connection is None or self.breaking or not cccd[0] & 3:
            return False
        if cccd[0] & 1 and not self._outbox:
            _at_once(self._device.notify_subscriber(self._connection, attribute, payload))
            return True
        # An indication needs a task of its own; what comes after it must not overtake it.
        self._outbox.append((attribute, payload, not cccd[0] & 1))
        if len(self._outbox) == 1:
            self.air.run(self._send(self._connection, self._outbox))
        return True

    async def _send(self, connection: Connection, outbox: deque[tuple[Characteristic[bytes], bytes, bool]]) -> None:
        """Send what waits, in its order; each stays in the outbox until it has been sent."""
        try:
            while outbox:
                attribute, payload, is_indication = outbox[0]
                tell = self._device.indicate_subscriber if is_indication else self._device.notify_subscriber
                await tell(connection, attribute, payload)
                if outbox:  # the link may have ended meanwhile
                    outbox.popleft()
        finally:
            outbox.clear()

    def advertise(self, payload: bytes) -> bool:
        """See `Carrier`: a PDU of its own beside those that the advertising set repeats."""
        if len(payload) < 2 or not self.air.is_searching:
            return False
        data = advertising_bytes(self.sensor, {int.from_bytes(payload[:2], "little"): payload[2:]})
        self._controller.send_advertising_pdu(ll.AdvExtInd(hci.Address(self.sensor.address), data))
        return True

    def lose(self) -> None:
        """See `Carrier`: both controllers report a supervision timeout."""
        if self._connection is not None and not self.breaking:
            self.fall_silent()
            asyncio.get_running_loop().call_later(DRAIN_S, self._break)

    def fall_silent(self) -> None:
        """The sensor takes the link for ended; what it has sent is still on its way."""
        self.breaking = True
        self.sensor.link_down()

    def _break(self) -> None:
        ends = ((self._controller, HOST_ADDRESS), (self.air.controller, self.sensor.address))
        for controller, peer in ends:
            for connection in list(controller.le_connections.values()):
                if connection.peer_address.to_string(False) == peer:
                    controller.on_le_disconnected(connection, hci.HCI_CONNECTION_TIMEOUT_ERROR)

    def befall(self, mishap: Mishap, lasts_s: float) -> None:
        """See `Carrier`."""
        self.air.befall(self, mishap, lasts_s)

    def _service(self, uuid: str) -> Service:
        rows = self.sensor.peripheral.services[uuid]
        return Service(UUID(uuid), [self._characteristic(name, flags) for name, flags in rows.items()])

    def _characteristic(self, uuid: str, flags: tuple[str, ...]) -> Characteristic[bytes]:
        properties = Characteristic.Properties(0)
        for flag in flags:
            properties |= Characteristic.Properties[flag.upper().replace("-", "_")]

        async def read(_: Connection) -> bytes:
            await asyncio.sleep(self.sensor.faults.interval_s)
            return bytes(_att(self.sensor.read, uuid))

        async def write(_: Connection, payload: bytes) -> None:
            _att(self.sensor.write, uuid, bytes(payload))
            await asyncio.sleep(self.sensor.faults.interval_s)

        made: Characteristic[bytes] = Characteristic(
            UUID(uuid),
            properties,
            Characteristic.READABLE | Characteristic.WRITEABLE,
            CharacteristicValue(read=read, write=write),
        )
        made.on(
            made.EVENT_SUBSCRIPTION,
            lambda _, notify, indicate: _att(self.sensor.subscribe, uuid, on=notify or indicate),
        )
        self._characteristics[uuid] = made
        return made

    def _linked(self, connection: Connection) -> None:
        self._connection = connection
        self._device.gatt_server.max_mtu = self.sensor.mtu
        connection.on(connection.EVENT_DISCONNECTION, lambda _: self._unlinked())
        connection.on(connection.EVENT_CONNECTION_ATT_MTU_UPDATE, lambda: self.sensor.agree(connection.att_mtu))
        self.sensor.link_up()

    def _unlinked(self) -> None:
        self._connection = None
        self._outbox.clear()  # ends its sender, which may still wait for the host
        self._outbox = deque()
        self.breaking = False
        self.sensor.link_down()


def advertising_bytes(sensor: VirtualSensor, makers: Mapping[int, bytes] | None = None) -> bytes:
    """Advertising data: flags, name, services, manufacturer data (the usual, unless given) and service data."""
    advert = sensor.advert()
    short = [uuid for uuid in map(short_uuid, advert.services) if uuid is not None]
    long = [UUID(uuid).to_bytes() for uuid in advert.services if short_uuid(uuid) is None]
    rows: list[tuple[int, bytes]] = [(AdvertisingData.FLAGS, b"\x06")]
    if advert.name:
        rows.append((AdvertisingData.COMPLETE_LOCAL_NAME, advert.name.encode()))
    if short:
        rows.append((AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, b"".join(short)))
    if long:
        rows.append((AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, b"".join(long)))
    for company, data in (advert.manufacturer_data if makers is None else makers).items():
        rows.append((AdvertisingData.MANUFACTURER_SPECIFIC_DATA, company.to_bytes(2, "little") + data))
    for uuid, data in advert.service_data.items():
        brief = short_uuid(uuid)
        kind = AdvertisingData.SERVICE_DATA_128_BIT_UUID if brief is None else AdvertisingData.SERVICE_DATA_16_BIT_UUID
        rows.append((kind, (brief or UUID(uuid).to_bytes()) + data))
    return bytes(AdvertisingData(rows))


def short_uuid(uuid: str) -> bytes | None:
    """The 16-bit form of a UUID in the order of the air, None where there is none."""
    if uuid.startswith("0000") and uuid.endswith("-0000-1000-8000-00805f9b34fb"):
        return bytes.fromhex(uuid[4:8])[::-1]
    return None


def _att(call: Any, *args: Any, **named: Any) -> Any:
    """Call a sensor; its refusal becomes bumble's."""
    try:
        return call(*args, **named)
    except AttError as error:
        raise ATT_Error(error.code) from error


def _at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that has nothing to wait for, without the cost of a task."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise RuntimeError("a notification had to wait")
