"""One sensor as bluetoothd shows it: `org.bluez.Device1` and its GATT objects."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence

from drivers.virtual.bus import BusError, Reply
from drivers.virtual.dbus_objects import Objects
from drivers.virtual.dbus_wire import Message, Variant
from drivers.virtual.faults import ConnectError, Mishap
from drivers.virtual.peripheral import AttError
from drivers.virtual.sensor import VirtualSensor

DEVICE = "org.bluez.Device1"
SERVICE = "org.bluez.GattService1"
CHARACTERISTIC = "org.bluez.GattCharacteristic1"
DESCRIPTOR = "org.bluez.GattDescriptor1"
GAP, GATT = "00001800-0000-1000-8000-00805f9b34fb", "00001801-0000-1000-8000-00805f9b34fb"
"""Services that every device has."""
CCCD = "00002902-0000-1000-8000-00805f9b34fb"
HOST_MTU = 517
"""What BlueZ asks for."""
CONNECT_S, RESOLVE_S, GIVE_UP_S = 0.1, 0.2, 20.0
"""Time to connect, to resolve services, and until the kernel gives up on a device that does not answer."""

Befall = Callable[["BlueZDevice", Mishap, float], None]
Searched = Callable[[], bool | None]
"""Whether the search lets duplicates of an advertisement through; None where nobody searches."""


class BlueZDevice:
    """A known or unknown device; the carrier of its sensor."""

    def __init__(
        self, objects: Objects, adapter: str, sensor: VirtualSensor, befall: Befall, searched: Searched
    ) -> None:
        """A sensor that nobody has heard yet.

        Args:
            objects: where it is shown.
            adapter: path of the adapter.
            sensor: the sensor.
            befall: what to do about the mishaps of the host.
            searched: whether somebody searches, and how.
        """
        self.objects = objects
        self.sensor = sensor
        self.path = f"{adapter}/dev_{sensor.address.replace(':', '_')}"
        self.heard_s = 0.0
        self.linked = False
        self._adapter = adapter
        self._befall = befall
        self._searched = searched
        self._links = 0
        self._refusals = list(sensor.faults.connect_errors)
        self._connecting: asyncio.Task[None] | None = None
        self._resolving: asyncio.TimerHandle | None = None
        self._uuid: dict[str, str] = {}
        self._path_of: dict[str, str] = {}
        self._registered: dict[str, list[str]] = {}
        self._acquired: dict[str, socket.socket] = {}
        self._written_to: set[socket.socket] = set()

    @property
    def known(self) -> bool:
        """The daemon has an object for it."""
        return self.path in self.objects.tree

    def hear(self, now_s: float, makers: Mapping[int, bytes] | None = None) -> None:
        """An advertisement of it was received; `makers` where its manufacturer data is not the usual."""
        self.heard_s = now_s
        rssi, advertised = Variant("n", self.sensor.rssi_dbm()), self._advertised(makers)
        if self.known:
            self.objects.change(self.path, DEVICE, RSSI=rssi, **advertised)
        else:
            self.objects.add(self.path, {DEVICE: {**self._properties(), **advertised, "RSSI": rssi}})

    def advertise(self, payload: bytes) -> bool:
        """See `Carrier`. Of a device that is known, data is told to those only who have asked for duplicates."""
        duplicates = self._searched()
        if duplicates is None or len(payload) < 2:
            return False
        is_told = duplicates or not self.known
        makers = {int.from_bytes(payload[:2], "little"): payload[2:]}
        self.hear(asyncio.get_running_loop().time(), makers if is_told else {})
        return is_told

    def notify(self, characteristic: str, payload: bytes) -> bool:
        """See `Carrier`. Every registration gets a signal of its own, as with bluetoothd."""
        path = self._path_of.get(characteristic, "")
        if (end := self._acquired.get(path)) is not None:
            with contextlib.suppress(OSError):
                return end.send(payload) == len(payload)
            return False
        senders = self._registered.get(path, ())
        for _ in senders:
            self.objects.change(path, CHARACTERISTIC, Value=Variant("ay", payload))
        return bool(senders)

    def befall(self, mishap: Mishap, lasts_s: float) -> None:
        """See `Carrier`."""
        self._befall(self, mishap, lasts_s)

    def lose(self) -> None:
        """The link is gone; registrations stay with their senders."""
        if self._connecting is not None:
            self._connecting.cancel()
        if not self.linked:
            return
        self.linked = False
        self.heard_s = asyncio.get_running_loop().time()
        self._cancel_resolving()
        self._hang_up()
        self.sensor.link_down()
        if self.objects.value(self.path, DEVICE, "ServicesResolved"):
            self.objects.change(self.path, DEVICE, ServicesResolved=Variant("b", value=False))
        self.objects.change(self.path, DEVICE, Connected=Variant("b", value=False))

    def refuse(self, errors: Sequence[ConnectError]) -> None:
        """Further attempts to connect fail so."""
        self._refusals += errors

    def forget(self) -> None:
        """Nothing is remembered of it."""
        self._registered.clear()
        self._uuid.clear()
        self._path_of.clear()

    def close(self) -> None:
        """Stop everything under way."""
        self._cancel_resolving()
        if self._connecting is not None:
            self._connecting.cancel()
        self._hang_up()

    def client_gone(self, sender: str) -> None:
        """A program left the bus: its notifications end, the link stays up."""
        for path in list(self._registered):
            self._unregister(path, sender)

    async def call(self, message: Message) -> Reply:
        """Answer a method call on the device or an object below it."""
        match message.member:
            case "Connect":
                await self._connect()
            case "Disconnect":
                self.lose()
            case "Pair":
                yes = Variant("b", value=True)
                self.objects.change(self.path, DEVICE, Paired=yes, Bonded=yes)
            case _ if message.path in self._uuid:
                return await self._characteristic(message)
            case _:
                raise BusError("org.freedesktop.DBus.Error.UnknownMethod", f"no method {message.member}")
        return Reply()

    async def _connect(self) -> None:
        if self.linked:
            return
        if self._connecting is not None:
            raise BusError(*ConnectError.IN_PROGRESS.value)
        self._connecting = asyncio.create_task(self._reach())
        try:
            await asyncio.wait({self._connecting})
            if self._connecting.cancelled():
                raise BusError("org.bluez.Error.Failed", "br-connection-canceled")
            self._connecting.result()
        finally:
            self._connecting = None

    async def _reach(self) -> None:
        """Wait for its advertisement, then link."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + GIVE_UP_S
        await asyncio.sleep(CONNECT_S)
        if self._refusals:
            self._fail(self._refusals.pop(0))
        while not self.sensor.advertising:
            if loop.time() > deadline_s:
                self._fail(ConnectError.PAGE_TIMEOUT)
            await asyncio.sleep(0.05)
        self.linked = True
        self._links += 1
        self.sensor.link_up()
        self.sensor.agree(HOST_MTU)
        self.objects.change(self.path, DEVICE, Connected=Variant("b", value=True))
        if self._links > self.sensor.faults.unresolved:
            self._resolving = loop.call_later(RESOLVE_S, self._resolve)

    def _fail(self, error: ConnectError) -> None:
        if error is ConnectError.ABORTED:  # the link comes up for a moment, and is said to
            self.objects.change(self.path, DEVICE, Connected=Variant("b", value=True))
            self.objects.change(self.path, DEVICE, Connected=Variant("b", value=False))
        raise BusError(*error.value)

    def _resolve(self) -> None:
        """Services are known: their objects appear; what was registered before is switched on again."""
        self._resolving = None
        if not self._uuid:
            self._export()
        for path, senders in self._registered.items():
            if senders:
                with contextlib.suppress(AttError):
                    self.sensor.subscribe(self._uuid[path])
        mtu = Variant("q", self.sensor.peripheral.mtu)
        for path in self._uuid:
            self.objects.change(path, CHARACTERISTIC, MTU=mtu)
        uuids = Variant("as", self._known_services())
        self.objects.change(self.path, DEVICE, UUIDs=uuids, ServicesResolved=Variant("b", value=True))

    def _known_services(self) -> list[str]:
        """Advertised services, and once they were resolved, all of them."""
        resolved = [GAP, GATT, *self.sensor.peripheral.services] if self._uuid else []
        return list(dict.fromkeys([*self.sensor.advert().services, *resolved]))

    def _export(self) -> None:
        handle = 1
        for uuid, characteristics in self.sensor.peripheral.services.items():
            service = f"{self.path}/service{handle:04x}"
            self.objects.add(service, {SERVICE: {
                "UUID": Variant("s", uuid), "Primary": Variant("b", value=True), "Device": Variant("o", self.path),
                "Includes": Variant("ao", []),
            }})  # fmt: skip
            handle += 1
            for characteristic, flags in characteristics.items():
                self._export_characteristic(service, handle, characteristic, flags)
                handle += 3

    def _export_characteristic(self, service: str, handle: int, uuid: str, flags: tuple[str, ...]) -> None:
        path = f"{service}/char{handle:04x}"
        self._uuid[path], self._path_of[uuid] = uuid, path
        notifies = "notify" in flags or "indicate" in flags
        no = Variant("b", value=False)
        self.objects.add(path, {CHARACTERISTIC: {
            "UUID": Variant("s", uuid), "Service": Variant("o", service), "Value": Variant("ay", b""),
            "Flags": Variant("as", list(flags)), "MTU": Variant("q", self.sensor.peripheral.mtu),
            **({"Notifying": no, "NotifyAcquired": no} if notifies else {}),
            **({"WriteAcquired": no} if "write-without-response" in flags else {}),
        }})  # fmt: skip
        if notifies:
            self.objects.add(f"{path}/desc{handle + 2:04x}", {DESCRIPTOR: {
                "UUID": Variant("s", CCCD), "Characteristic": Variant("o", path), "Value": Variant("ay", b""),
                "Flags": Variant("as", []),
            }})  # fmt: skip

    async def _characteristic(self, message: Message) -> Reply:
        """Answer a method call on a characteristic."""
        if not self.linked:
            raise BusError("org.bluez.Error.Failed", "Not connected")
        path, uuid = message.path, self._uuid[message.path]
        try:
            match message.member:
                case "ReadValue":
                    await self._round_trip()
                    return Reply("ay", [self.sensor.read(uuid)])
                case "WriteValue":
                    self.sensor.write(uuid, bytes(message.body[0]))
                    kind = message.body[1].get("type")
                    if kind is None or kind.value != "command":
                        await self._round_trip()
                case "StartNotify":
                    self._register(path, uuid, message.sender)
                    await self._round_trip()
                case "StopNotify":
                    self._unregister(path, message.sender)
                case "AcquireNotify":
                    return self._acquire_notify(path, uuid)
                case "AcquireWrite":
                    return self._acquire_write(uuid)
                case _:
                    raise BusError("org.freedesktop.DBus.Error.UnknownMethod", f"no method {message.member}")
        except AttError as error:
            raise bus_error(error, message.member) from error
        return Reply()

    async def _round_trip(self) -> None:
        await asyncio.sleep(self.sensor.faults.interval_s)
        if not self.linked:
            raise BusError("org.bluez.Error.Failed", "Operation failed with ATT error: 0x0e")

    def _register(self, path: str, uuid: str, sender: str) -> None:
        senders = self._registered.setdefault(path, [])
        if not senders:
            self.sensor.subscribe(uuid)
        if sender not in senders:
            senders.append(sender)
        self.objects.change(path, CHARACTERISTIC, Notifying=Variant("b", value=True))

    def _unregister(self, path: str, sender: str) -> None:
        senders = self._registered.get(path, [])
        if sender not in senders:
            return
        senders.remove(sender)
        if not senders:
            if self.linked:
                with contextlib.suppress(AttError):
                    self.sensor.subscribe(self._uuid[path], on=False)
            self.objects.change(path, CHARACTERISTIC, Notifying=Variant("b", value=False))

    def _acquire_notify(self, path: str, uuid: str) -> Reply:
        if path in self._acquired or self._registered.get(path):
            raise BusError("org.bluez.Error.NotPermitted", "Notify acquired")
        self.sensor.subscribe(uuid)
        ours, theirs = _packet_pair()
        self._acquired[path] = ours
        asyncio.get_running_loop().add_reader(ours, self._given_up, path, uuid)
        self.objects.change(path, CHARACTERISTIC, NotifyAcquired=Variant("b", value=True))
        return Reply("hq", [0, self.sensor.peripheral.mtu], [theirs])

    def _given_up(self, path: str, uuid: str) -> None:
        """The program closed its end."""
        self._release(path)
        with contextlib.suppress(AttError):
            self.sensor.subscribe(uuid, on=False)

    def _release(self, path: str) -> None:
        ours = self._acquired.pop(path)
        asyncio.get_running_loop().remove_reader(ours)
        ours.close()
        self.objects.change(path, CHARACTERISTIC, NotifyAcquired=Variant("b", value=False))

    def _hang_up(self) -> None:
        """Close our ends of what programs have acquired."""
        for path in list(self._acquired):
            self._release(path)
        for ours in list(self._written_to):
            self._let_go(ours)

    def _acquire_write(self, uuid: str) -> Reply:
        ours, theirs = _packet_pair()

        def take() -> None:
            payload = ours.recv(HOST_MTU)
            if not payload:
                self._let_go(ours)
                return
            with contextlib.suppress(AttError):
                self.sensor.write(uuid, payload)

        self._written_to.add(ours)
        asyncio.get_running_loop().add_reader(ours, take)
        return Reply("hq", [0, self.sensor.peripheral.mtu], [theirs])

    def _let_go(self, ours: socket.socket) -> None:
        self._written_to.discard(ours)
        asyncio.get_running_loop().remove_reader(ours)
        ours.close()

    def _cancel_resolving(self) -> None:
        if self._resolving is not None:
            self._resolving.cancel()
            self._resolving = None

    def _properties(self) -> dict[str, Variant]:
        no = Variant("b", value=False)
        return {
            "Address": Variant("s", self.sensor.address), "AddressType": Variant("s", "random"),
            "Adapter": Variant("o", self._adapter), "Paired": no, "Bonded": no, "Trusted": no, "Blocked": no,
            "LegacyPairing": no, "Connected": no, "ServicesResolved": no,
        }  # fmt: skip

    def _advertised(self, makers: Mapping[int, bytes] | None) -> dict[str, Variant]:
        """Properties that an advertisement brings up to date."""
        advert = self.sensor.advert()
        shown = advert.manufacturer_data if makers is None else makers
        by_maker = {company: Variant("ay", data) for company, data in shown.items()}
        services = {uuid: Variant("ay", data) for uuid, data in advert.service_data.items()}
        name = advert.name or self.sensor.address.replace(":", "-")
        return {
            "Alias": Variant("s", name),
            "UUIDs": Variant("as", self._known_services()),
            **({"Name": Variant("s", advert.name)} if advert.name else {}),
            **({"ManufacturerData": Variant("a{qv}", by_maker)} if by_maker else {}),
            **({"ServiceData": Variant("a{sv}", services)} if services else {}),
        }


def bus_error(error: AttError, member: str) -> BusError:
    """How bluetoothd names an ATT error. Source: BlueZ, src/gatt-client.c, create_gatt_dbus_error."""
    match error.code:
        case 0x02:
            return BusError("org.bluez.Error.NotPermitted", "Read not permitted")
        case 0x03:
            kind = "Read" if member == "ReadValue" else "Write"
            return BusError("org.bluez.Error.NotPermitted", f"{kind} not permitted")
        case 0x05 | 0x0C | 0x0F:
            return BusError("org.bluez.Error.NotPermitted", "Not paired")
        case 0x06:
            return BusError("org.bluez.Error.NotSupported", "Operation is not supported")
        case 0x08:
            return BusError("org.bluez.Error.NotAuthorized", "Operation Not Authorized")
        case 0x0D:
            return BusError("org.bluez.Error.InvalidArguments", "Invalid Length")
        case 0xFD:
            return BusError("org.bluez.Error.ImproperlyConfigured", "Improperly Configured")
    return BusError("org.bluez.Error.Failed", f"Operation failed with ATT error: 0x{error.code:02x}")


def _packet_pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    return ours, theirs
