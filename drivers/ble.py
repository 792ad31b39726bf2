"""The radio, through Bleak: find sensors, link to one, carry its driver's scripts out, hand packets over.

Rules learned from Bleak's users: scan for a fresh device before each connection, make a new client each time,
always await the old one's disconnect (else its notifications stay registered and double), one connection is made
at a time, the callback only stamps and hands over, and a link that looks up is not believed without data.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

from bleak import BleakAdapter, BleakClient, BleakScanner
from bleak.args.bluez import BlueZDiscoveryFilters
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakError

from drivers.driver import Advert
from drivers.errors import LinkError
from drivers.packets import RawPacket
from drivers.script import (
    DeviceRefusedError,
    Expect,
    Outcome,
    Pause,
    Read,
    Script,
    Subscribe,
    Unsubscribe,
    Write,
)
from drivers.turn import Turn

RETRYABLE = (BleakError, OSError, EOFError, KeyError, TimeoutError, AssertionError)
"""What Bleak and its bus raise when radio or bus fail (BrokenPipe and friends are OSErrors)."""

_LIBRARIES = ("bleak", "dbus_fast", "bumble")
"""Whose own kinds of errors, of which there are many, mean the radio as well."""

CONNECT_S = 10.0
"""A sensor that advertises answers within one or two; whoever waits longer finds it later."""
REQUEST_S = 8.0
CLOSE_S = 3.0
FRESH_S = 4.0
"""A handle so young is as good as one from a scan of one's own."""
UNCLAIMED = 256
"""Notifications kept for a script that has not asked for them yet."""


class RadioUnavailableError(LinkError):
    """There is no radio to be had: no bus, no adapter, switched off, not permitted."""


class LinkLostError(LinkError):
    """The link broke, or could not be made this time; worth another try."""


@dataclass(frozen=True, slots=True)
class Radio:
    """Which classes reach the air: Bleak's own, or some made of them for a virtual radio.

    Attributes:
        scanner: makes scanners, as `bleak.BleakScanner`.
        client: makes clients, as `bleak.BleakClient`.
        turn: held while a scan or a connection is under way: adapters do one thing at a time.
        sightings: what any scan saw last, by address, and when on the loop's clock: one scan serves all who look.
        hearers: by address, who is told each advertisement of a device that any search hears.
        duty: held by the one of them who searches.
    """

    scanner: type[BleakScanner] = BleakScanner
    client: type[BleakClient] = BleakClient
    turn: Turn = field(default_factory=Turn)
    sightings: dict[str, tuple[Sighting, float]] = field(default_factory=dict)
    hearers: dict[str, Callable[[Advert], None]] = field(default_factory=dict)
    duty: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A device that a scan saw.

    Attributes:
        address: as the operating system names it (on macOS a UUID of this computer's own).
        advert: what it advertised, all of its advertisements together.
        rssi_dbm: signal strength of the last one, None for a device found connected.
        device: Bleak's handle.
    """

    address: str
    advert: Advert
    rssi_dbm: int | None
    device: BLEDevice


async def scan(radio: Radio, seconds: float, enough: Callable[[Sighting], bool] | None = None) -> list[Sighting]:
    """Everything in range, strongest first; ends early once `enough` is true of one.

    Raises:
        RadioUnavailableError: no radio.
        LinkLostError: the scan failed; worth another try.
    """
    seen: dict[str, Sighting] = {}
    done = asyncio.Event()
    loop = asyncio.get_running_loop()
    for address, (_, seen_s) in list(radio.sightings.items()):  # telephones change theirs all day
        if loop.time() - seen_s > FRESH_S:
            del radio.sightings[address]

    def noticed(device: BLEDevice, data: AdvertisementData) -> None:
        sighting = _sighting(device, data, seen.get(device.address))
        seen[device.address] = sighting
        radio.sightings[device.address] = sighting, loop.time()
        if enough is not None and enough(sighting):
            done.set()

    async with radio.turn:
        with radio_faults():
            async with _search(radio, noticed):
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds):
                        await done.wait()
    return sorted(seen.values(), key=lambda sighting: -(sighting.rssi_dbm or -999))


async def hear(radio: Radio) -> None:
    """Search for those who listen, until somebody else needs the radio.

    Raises:
        RadioUnavailableError: no radio.
        LinkLostError: the search failed; worth another try.
    """
    async with radio.turn:
        if not radio.turn.wanted.is_set():
            with radio_faults():
                async with _search(radio, lambda _device, _data: None):
                    await radio.turn.wanted.wait()


@asynccontextmanager
async def _search(radio: Radio, noticed: Callable[[BLEDevice, AdvertisementData], None]) -> AsyncIterator[None]:
    """A search that tells those who listen as well; for them BlueZ must not hold duplicates back."""

    def heard(device: BLEDevice, data: AdvertisementData) -> None:
        tell = radio.hearers.get(device.address)
        if tell is not None:
            tell(_sighting(device, data, None).advert)
        noticed(device, data)

    filters: BlueZDiscoveryFilters = {"DuplicateData": True} if radio.hearers else {}
    scanner = radio.scanner(heard, bluez={"filters": filters})
    async with asyncio.timeout(REQUEST_S):
        await scanner.start()
    try:
        yield
    finally:
        with suppress(TimeoutError):  # a bus that hangs must not keep the others waiting for their turn
            async with asyncio.timeout(CLOSE_S):
                await scanner.stop()


def just_seen(radio: Radio, is_it: Callable[[Sighting], bool]) -> Sighting | None:
    """A device that somebody's scan saw within `FRESH_S`. Told once: if that handle fails, it takes a new scan."""
    now_s = asyncio.get_running_loop().time()
    for address, (sighting, seen_s) in list(radio.sightings.items()):
        if is_it(sighting):
            del radio.sightings[address]
            if now_s - seen_s <= FRESH_S:
                return sighting
    return None


def _sighting(device: BLEDevice, data: AdvertisementData, before: Sighting | None) -> Sighting:
    """A name often comes only in the scan response: what was seen earlier is kept."""
    known = before.advert if before else Advert()
    advert = Advert(
        data.local_name or device.name or known.name,
        tuple(dict.fromkeys([*known.services, *(uuid.lower() for uuid in data.service_uuids)])),
        {**known.manufacturer_data, **data.manufacturer_data},
        {**known.service_data, **data.service_data},
    )
    return Sighting(device.address, advert, data.rssi, device)


async def already_connected(radio: Radio) -> list[Sighting]:
    """Devices that another program, or one of ours that was killed, left connected: they do not advertise."""
    if radio.client is not BleakClient:
        return []
    devices: Sequence[BLEDevice] = ()
    with suppress(LinkError, NotImplementedError), radio_faults():  # not every platform can tell
        async with asyncio.timeout(REQUEST_S):
            adapter = await BleakAdapter.get()
            devices = await adapter.get_connected_devices()
    return [Sighting(device.address, Advert(device.name), None, device) for device in devices]


class Link:
    """One connection to one device: opened once, closed once, never used again."""

    def __init__(
        self,
        radio: Radio,
        sighting: Sighting,
        *,
        arrival_ns: Callable[[], int],
        on_packet: Callable[[RawPacket], None],
        on_write: Callable[[str, bytes], None] = lambda _characteristic, _payload: None,
    ) -> None:
        """A link that is not open yet.

        Args:
            radio: backends and the turn.
            sighting: fresh from a scan.
            arrival_ns: the host's clock for packets; must run through suspend.
            on_packet: gets every packet at once; must return at once.
            on_write: told what is written to the device.
        """
        self.sighting = sighting
        self.lost = asyncio.Event()
        self._radio = radio
        self._arrival_ns = arrival_ns
        self._on_packet = on_packet
        self._on_write = on_write
        self._unclaimed: deque[RawPacket] = deque(maxlen=UNCLAIMED)
        self._news = asyncio.Event()
        self._listening = False
        self._asking = asyncio.Lock()
        self._client = radio.client(sighting.device, lambda _client: self._gone(), timeout=CONNECT_S)

    async def open(self) -> None:
        """Connect and learn the device's services.

        Raises:
            LinkLostError: it did not work this time.
            RadioUnavailableError: no radio.
        """
        async with self._radio.turn:
            with radio_faults():
                async with asyncio.timeout(CONNECT_S + 2.0):
                    await self._client.connect()

    @property
    def mtu(self) -> int | None:
        """ATT MTU that was agreed on, None where the system does not tell.

        By the room for a write: the one figure that all of Bleak's backends know after they have connected. BlueZ
        before 5.62 does not tell it, and Bleak then says 20 bytes.
        """
        rooms = [
            found.max_write_without_response_size
            for service in self._client.services
            for found in service.characteristics
        ]
        return max(rooms) + 3 if rooms else None

    async def close(self, within_s: float = CLOSE_S) -> None:
        """End the link and let go of everything the system holds for it, whatever state it is in."""
        with suppress(LinkError), radio_faults():
            async with asyncio.timeout(within_s):
                await self._client.disconnect()

    def _gone(self) -> None:
        self.lost.set()
        self._news.set()

    async def run(self, script: Script[Outcome]) -> Outcome:
        """Carry a script out; scripts of one link wait for each other.

        Raises:
            DeviceRefusedError: the device said no, or is another than its driver takes it for.
            LinkLostError: the link broke on the way.
        """
        async with self._asking:
            self._unclaimed.clear()
            self._listening = True
            try:
                with radio_faults():
                    return await self._follow(script)
            finally:
                self._listening = False
                script.close()

    async def _follow(self, script: Script[Outcome]) -> Outcome:
        answer: bytes | None = None
        while True:
            try:
                step = script.send(answer)
            except StopIteration as stop:
                outcome: Outcome = stop.value
                return outcome
            answer = await self._carry_out(step)

    async def _carry_out(self, step: object) -> bytes | None:
        match step:
            case Expect(characteristic, matches, timeout_s):
                return await self._expected(characteristic, matches, timeout_s)
            case Pause(seconds):
                await asyncio.sleep(seconds)
                return None
        async with asyncio.timeout(REQUEST_S):
            match step:
                case Subscribe(characteristic):
                    await self._subscribe(characteristic)
                case Unsubscribe(characteristic):
                    await self._client.stop_notify(self._named(characteristic))
                case Write(characteristic, payload, response):
                    self._on_write(characteristic, payload)
                    await self._client.write_gatt_char(self._named(characteristic), payload, response=response)
                case Read(characteristic):
                    return await self._read(characteristic)
        return None

    async def _subscribe(self, characteristic: str) -> None:
        uuid = self._named(characteristic)

        def heard(_sender: object, data: bytearray) -> None:
            packet = RawPacket(self._arrival_ns(), uuid, bytes(data))
            self._on_packet(packet)
            if self._listening:
                self._unclaimed.append(packet)
                self._news.set()

        await self._client.start_notify(uuid, heard)

    async def _read(self, characteristic: str) -> bytes | None:
        uuid = self._find(characteristic)
        if uuid is None:
            return None
        return bytes(await self._client.read_gatt_char(uuid))

    async def _expected(self, characteristic: str, matches: Callable[[bytes], bool], timeout_s: float) -> bytes | None:
        uuid = self._named(characteristic)
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while True:
                    self._news.clear()
                    for packet in list(self._unclaimed):
                        if packet.characteristic == uuid and matches(packet.payload):
                            self._unclaimed.remove(packet)
                            return packet.payload
                    if self.lost.is_set():
                        raise LinkLostError("the link broke while the sensor was being asked")
                    await self._news.wait()
        return None

    def _find(self, characteristic: str) -> str | None:
        """The device's UUID for a characteristic; some makers change the base behind the first 8 digits."""
        there = [found.uuid.lower() for service in self._client.services for found in service.characteristics]
        if characteristic in there:
            return characteristic
        return next((uuid for uuid in there if uuid[:8] == characteristic[:8]), None)

    def _named(self, characteristic: str) -> str:
        uuid = self._find(characteristic)
        if uuid is None:
            raise DeviceRefusedError(
                f"{self.sighting.advert.name or self.sighting.address} lacks a part of its protocol "
                f"({characteristic}): it is another device, or its firmware needs an update"
            )
        return uuid


_UNAVAILABLE = {
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: "there is no Bluetooth adapter: plug one in",
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: "this adapter cannot do Bluetooth LE: plug in another",
    BleakBluetoothNotAvailableReason.POWERED_OFF: "Bluetooth is switched off: switch it on (bluetoothctl power on)",
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: "Bluetooth is not permitted: allow it in the privacy settings",
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: "Bluetooth is forbidden by the administrator of this computer",
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: "Bluetooth is not permitted: allow it in the privacy settings",
    BleakBluetoothNotAvailableReason.UNKNOWN: "Bluetooth is not available: run `soleus doctor`",
}


def link_error(error: BaseException) -> LinkError:
    """What a failure of radio or bus means: one sentence with the fix."""
    if isinstance(error, LinkError):
        return error
    if isinstance(error, BleakBluetoothNotAvailableError):
        return RadioUnavailableError(
            _UNAVAILABLE.get(error.reason, _UNAVAILABLE[BleakBluetoothNotAvailableReason.UNKNOWN])
        )
    text = str(error)
    if (
        isinstance(error, FileNotFoundError | ConnectionRefusedError)
        or "ServiceUnknown" in text
        or "NameHasNoOwner" in text
    ):
        return RadioUnavailableError(
            "Bluetooth's service cannot be reached: install and start BlueZ (bluetoothd) and D-Bus"
        )
    if "NotReady" in text or "Not Powered" in text:
        return RadioUnavailableError("Bluetooth is switched off: switch it on (bluetoothctl power on)")
    if "AccessDenied" in text or "NotPermitted" in text or isinstance(error, PermissionError):
        return RadioUnavailableError("Bluetooth is not permitted to this user: add yourself to the group `bluetooth`")
    if "No Bluetooth adapters" in text or "No powered Bluetooth adapters" in text:
        return RadioUnavailableError("there is no Bluetooth adapter that is switched on: plug one in, or switch it on")
    if isinstance(error, TimeoutError):
        return LinkLostError("the sensor does not answer in time: bring it nearer")
    return LinkLostError(
        f"the radio failed ({text or type(error).__name__}): bring the sensor nearer, away from USB 3 and Wi-Fi"
    )


@contextmanager
def radio_faults() -> Iterator[None]:
    """Turns whatever radio, bus and their libraries raise into a `LinkError`; bugs of ours pass through.

    Raises:
        LinkError: see `link_error`.
    """
    try:
        yield
    except LinkError:
        raise
    except Exception as error:
        if isinstance(error, RETRYABLE) or type(error).__module__.partition(".")[0] in _LIBRARIES:
            raise link_error(error) from error
        raise


def quiet_library(level: int = logging.CRITICAL) -> None:
    """Keep the libraries' own complaints off the wearer's screen: what matters is told in our words."""
    for name in (*_LIBRARIES, "asyncio"):
        logging.getLogger(name).setLevel(level)


def named(sightings: Sequence[Sighting], wanted: str) -> Sighting | None:
    """The sighting with this address or name, case aside."""
    low = wanted.lower()
    return next((s for s in sightings if s.address.lower() == low or (s.advert.name or "").lower() == low), None)
