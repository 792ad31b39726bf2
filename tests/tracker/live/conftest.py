"""One bench, two carriers: the recorder that ships, virtual sensors on the air, a store of its own, virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analysis.events import Leg
from analysis.samples import FloatArray, Modality
from drivers import registry
from drivers.ble import Radio
from drivers.recording import open_recording
from drivers.virtual.carriers import Kind, VirtualRadio
from drivers.virtual.clock import VirtualTimeLoop
from drivers.virtual.faults import Faults
from drivers.virtual.peripheral import Peripheral
from drivers.virtual.process import virtual_peripheral
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import Source, rocking
from tests.carriers import carrier
from tracker.home import Home
from tracker.live.recording_run import record
from tracker.live.session import LiveSession
from tracker.live.supervisor import Supervisor
from tracker.store import Sensor, SessionRecord, Store

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test of this folder lives in virtual time."""
    return {"virtual": VirtualTimeLoop}


@dataclass
class LoopClock:
    """The loop's time as the host's clocks; a suspend moves both on, a wall step only the wall."""

    slept_s: float = 0.0
    stepped: timedelta = timedelta()

    def steady_ns(self) -> int:
        return int((asyncio.get_running_loop().time() + self.slept_s) * 1e9)

    def now(self) -> datetime:
        return NOON + timedelta(microseconds=self.steady_ns() / 1000) + self.stepped


@dataclass
class Bench:
    """The recorder and what it sees."""

    kind: Kind
    air: VirtualRadio
    radio: Radio
    store: Store
    clock: LoopClock = field(default_factory=LoopClock)
    sensors: dict[str, VirtualSensor] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    work: asyncio.Task[list[Supervisor]] = field(init=False)

    async def add(
        self, driver: str, faults: Faults | None = None, *, source: Source | None = None, on_air: bool = True,
        peripheral: Peripheral | None = None,
    ) -> Sensor:  # fmt: skip
        """One more sensor on the air, and paired; the driver's usual peripheral unless given."""
        number = len(self.sensors)
        peripheral = peripheral or virtual_peripheral(driver)
        name = f"{peripheral.local_name[:-1]}{number}"
        address = f"C0:00:00:00:00:{number + 1:02X}"
        made = VirtualSensor(peripheral, source or rocking(), faults, name=name, address=address, seed=3)
        paired = Sensor(f"s{number}", name, address, driver, Leg.LEFT)
        self.sensors[paired.nick] = made
        self.store.keep_sensor(paired)
        if on_air:
            await self.air.add(made)
        return paired

    @asynccontextmanager
    async def recording(self, *sensors: Sensor, minutes: float | None = None) -> AsyncIterator[Sequence[Supervisor]]:
        """Records while the block lasts, then stops cleanly, within 3 s."""
        first: asyncio.Future[Sequence[Supervisor]] = asyncio.get_running_loop().create_future()

        def tell(supervisors: Sequence[Supervisor]) -> None:
            self.told += [f"{s.view.state} {s.view.why}" for s in supervisors]
            if not first.done():
                first.set_result(supervisors)

        work = asyncio.create_task(
            record(self.radio, self.store, sensors, self.clock, minutes=minutes, tell=tell, tell_every_s=0.5)
        )
        try:
            await asyncio.wait({work, first}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
            self.work = work
            yield await first
        finally:
            if first.done():
                for supervisor in first.result():
                    supervisor.stop()
            began_s = asyncio.get_running_loop().time()
            await work
            assert asyncio.get_running_loop().time() - began_s < 3

    async def for_seconds(self, seconds: float, *sensors: Sensor) -> list[LiveSession]:
        """Records for so long; the sessions."""
        async with self.recording(*sensors) as supervisors:
            await asyncio.wait({self.work}, timeout=seconds)
        return [supervisor.session for supervisor in supervisors if supervisor.session]

    def stored(self, session: LiveSession) -> SessionRecord:
        """The session as the store has it; it must be closed."""
        found = self.store.session(int(session.session_id or 0))
        assert found.ended_at is not None
        return found


def assert_all_stored(sensor: VirtualSensor, session: LiveSession) -> None:
    """The recording holds what reached the host, every notification once per delivery and in order."""
    delivered = [(e.characteristic, e.payload) for e in sensor.ledger.delivered()]
    with open_recording(session.path) as recording:
        kept = [(p.characteristic, p.payload) for batch in recording.batches() for p in batch]
    assert kept == delivered


def decoded(session: LiveSession, modality: Modality) -> tuple[FloatArray, FloatArray]:
    """(n,) session seconds and (n, channels) values that the recording gives."""
    with open_recording(session.path) as recording:
        blocks = [b for group in recording.blocks() for b in group if b.modality is modality and b.stream is None]
    return np.concatenate([b.t_s for b in blocks]), np.concatenate([b.values for b in blocks])


def samples_sent(sensor: VirtualSensor, session: LiveSession, modality: Modality) -> int:
    """Samples in the packets that arrived whole, each counted once."""
    driver = registry.driver(session._driver.name)
    with open_recording(session.path) as recording:
        decoder = driver.decoder(recording.header.settings)
        kept = [p for batch in recording.batches() for p in batch]
    first: dict[tuple[str, bytes], None] = {}
    unique = [p for p in kept if first.setdefault((p.characteristic, p.payload), None) is None]
    blocks, _ = decoder.feed_many(unique)
    return sum(len(b) for b in [*blocks, *decoder.finish()] if b.modality is modality)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store in a home of its own."""
    return Store(Home(tmp_path / "home").create(), clock=lambda: NOON)


@pytest.fixture(params=list(Kind))
async def bench(request: pytest.FixtureRequest, store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Both carriers in turn."""
    with store:
        async with carrier(request.param, monkeypatch, EOFError, OSError) as (radio, air):
            yield Bench(request.param, air, radio, store)
