"""One rig, two carriers: what a test of the radio sees is Bleak and virtual sensors, whatever the air is made of."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
import pytest
from bleak import BleakClient
from bleak.backends.device import BLEDevice

from analysis.samples import Modality, SampleBlock
from drivers.ble import Radio
from drivers.virtual.bluez import FakeBlueZ
from drivers.virtual.carriers import Kind, VirtualRadio
from drivers.virtual.clock import VirtualTimeLoop
from drivers.virtual.faults import Faults
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import FromBlocks
from tests.carriers import carrier

SERVICE = "7a4c0001-5f3e-4d0c-9b6a-ca1f00000000"
DATA = "7a4c0002-5f3e-4d0c-9b6a-ca1f00000000"
CONTROL = "7a4c0003-5f3e-4d0c-9b6a-ca1f00000000"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test of this folder lives in virtual time."""
    return {"virtual": VirtualTimeLoop}


class Counter:
    """The least peripheral: two samples a packet, with a running number; streams while subscribed and started."""

    data = DATA
    services: Mapping[str, Mapping[str, tuple[str, ...]]] = {
        SERVICE: {DATA: ("notify",), CONTROL: ("write", "write-without-response", "indicate")},
        "0000180f-0000-1000-8000-00805f9b34fb": {BATTERY: ("read", "notify")},
    }

    def __init__(self, name: str, rate_hz: float = 100.0, *, starts: bool = True, size: int = 20) -> None:
        self.local_name = name
        self.manufacturer_data = {0xFFFF: b"\x01\x02"}
        self.advertised_services: Sequence[str] = (SERVICE,)
        self.service_data = {"0000feed-0000-1000-8000-00805f9b34fb": b"\x07"}
        self.mtu = 247
        self.written: list[bytes] = []
        self.numbers = 0
        self._rate_hz, self._size = rate_hz, size
        self._starts = self._started = starts
        self._on: set[str] = set()
        self._samples: list[tuple[float, float]] = []

    def read(self, characteristic: str) -> bytes:
        if characteristic != BATTERY:
            raise AttError(NO_SUCH, "no such value")
        return b"\x57"

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        (self._on.add if on else self._on.discard)(characteristic)
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        if characteristic != CONTROL or payload == b"bad":
            raise AttError(NOT_PERMITTED, "not that")
        self.written.append(payload)
        self._started = {b"start": True, b"stop": False}.get(payload, self._started)
        return [Notification(t_s, CONTROL, b"ok " + payload)] if CONTROL in self._on else []

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        for block in blocks:
            self._samples += zip(block.t_s.tolist(), block.values[:, 0].tolist(), strict=True)
        packets = []
        while len(self._samples) >= 2:
            (_, one), (t_s, two) = self._samples[:2]
            del self._samples[:2]
            payload = struct.pack("<Idd", self.numbers, one, two).ljust(self._size, b".")
            self.numbers += 1
            packets.append(Notification(t_s, DATA, payload))
        return packets if DATA in self._on else []

    def rate_hz(self, modality: str) -> float | None:
        return self._rate_hz if modality == Modality.ACC and self._started and DATA in self._on else None

    def disconnect(self) -> None:
        self._on.clear()
        self._samples.clear()
        self._started = self._starts

    def reboot(self) -> None:
        self.disconnect()
        self.numbers = 0


def a_ramp() -> FromBlocks:
    """A signal whose value is the second at which it is taken."""
    t_s = np.array([0.0, 1e6])
    return FromBlocks([SampleBlock(Modality.ACC, t_s, np.column_stack([t_s, t_s, t_s]))])


@pytest.fixture
def counter() -> type[Counter]:
    """The least peripheral."""
    return Counter


@pytest.fixture
def ramp() -> FromBlocks:
    """A signal whose value is the second at which it is taken."""
    return a_ramp()


@dataclass
class Rig:
    """Bleak, and the air it sees."""

    kind: Kind
    air: VirtualRadio
    radio: Radio
    sensors: list[VirtualSensor] = field(default_factory=list)
    data: str = DATA
    control: str = CONTROL
    battery: str = BATTERY

    async def sensor(self, faults: Faults | None = None, *, seed: int = 1, size: int = 20) -> VirtualSensor:
        """One more sensor on the air."""
        number = len(self.sensors)
        peripheral = Counter(f"CALF-{number}", size=size)
        address = f"C0:00:00:00:00:{number + 1:02X}"
        made = VirtualSensor(peripheral, a_ramp(), faults, address=address, seed=seed)
        self.sensors.append(made)
        await self.air.add(made)
        return made

    async def find(self, sensor: VirtualSensor, timeout_s: float = 5.0) -> BLEDevice:
        """What a scan sees of it."""
        device = await self.radio.scanner.find_device_by_name(sensor.name, timeout=timeout_s)
        assert device is not None
        return device

    async def link(
        self, sensor: VirtualSensor, take: Callable[[bytes], object], gone: asyncio.Event | None = None
    ) -> BleakClient:
        """Connected and subscribed; `gone` is set when the link is."""
        client = self.radio.client(await self.find(sensor), lambda _: gone and gone.set())
        try:
            await client.connect()
            await client.start_notify(DATA, lambda _, data: take(bytes(data)))
        except BaseException:
            await client.disconnect()
            raise
        return client

    @asynccontextmanager
    async def streaming(self, sensor: VirtualSensor, got: list[bytes]) -> AsyncIterator[BleakClient]:
        """Connected and subscribed; payloads gather in `got`."""
        client = await self.link(sensor, got.append)
        try:
            yield client
        finally:
            await client.disconnect()

    async def stream(self, sensor: VirtualSensor, seconds: float) -> list[bytes]:
        """Payloads of so many seconds."""
        got: list[bytes] = []
        async with self.streaming(sensor, got):
            await asyncio.sleep(seconds)
        return got


@pytest.fixture(params=list(Kind))
async def rig(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """Both carriers in turn."""
    async with carrier(request.param, monkeypatch, EOFError) as (radio, air):
        yield Rig(request.param, air, radio)


@pytest.fixture
def bluez(rig: Rig) -> FakeBlueZ:
    """The fake BlueZ of a rig that has one."""
    if not isinstance(rig.air, FakeBlueZ):
        pytest.skip("a matter of BlueZ")
    return rig.air
