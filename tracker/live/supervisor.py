"""Keeps one sensor streaming into one session, whatever the radio, the computer or the sensor do."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from drivers.ble import CLOSE_S, Link, LinkLostError, Radio, RadioUnavailableError, Sighting, already_connected, scan
from drivers.driver import Driver
from drivers.errors import LinkError
from drivers.packets import RawPacket
from drivers.script import DeviceRefusedError, Script, Step
from tracker.live.clock import Clock
from tracker.live.session import LiveSession
from tracker.store import Sensor, Store

BEAT_S = 0.25
SCAN_S = 10.0
FIRST_FIND_S = 12.0
"""A sensor that is absent at the start is reported within 15 s."""

WARN_S, RECOVER_S, LATEST_S = 2.0, 5.0, 25.0
INTERVALS = 3.0
"""Silence is noticed after this many of the sensor's usual packet intervals, or the seconds above."""

BACK_OFF_S = (0.3, 1.0, 2.0, 4.0, 8.0)
STOP_S = 1.2
"""A stop takes 3 s at the most, closing link and session included."""

BATTERY_EVERY_S = 600.0


class LinkState(StrEnum):
    """What a supervisor is doing; shown to the wearer."""

    LOOKING = "looking for the sensor"
    CONNECTING = "connecting"
    STARTING = "starting the stream"
    STREAMING = "streaming"
    SILENT = "connected, but silent"
    WAITING = "waiting to try again"
    STOPPED = "stopped"


class SensorAbsentError(LinkError):
    """The sensor was not there when recording was to begin."""


@dataclass(slots=True)
class LinkView:
    """The link as a screen shows it."""

    state: LinkState = LinkState.LOOKING
    rssi_dbm: int | None = None
    why: str = ""
    tries: int = 0


class Supervisor:
    """One sensor's link, from the first search to the clean stop."""

    def __init__(self, radio: Radio, store: Store, sensor: Sensor, driver: Driver, clock: Clock) -> None:
        self.view = LinkView()
        self.sensor = sensor
        self.session: LiveSession | None = None
        self._radio, self._store, self._driver, self._clock = radio, store, driver, clock
        self._heard_s = 0.0
        self._links_with_data = 0
        self._link_has_data = False
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask for a clean stop; `run` then returns within 3 s."""
        self._stopping.set()

    async def run(self) -> None:
        """Stream until stopped.

        Raises:
            SensorAbsentError, RadioUnavailableError, DeviceRefusedError: before any data has flowed.
            StorageLostError: the disk takes nothing any more; what there is has been kept.
        """
        beating = asyncio.create_task(self._beat())
        stopping = asyncio.create_task(self._stopping.wait())
        linking = asyncio.create_task(self._keep_linked())
        try:
            await asyncio.wait({beating, stopping, linking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (linking, beating, stopping):
                task.cancel()
            results = await asyncio.gather(linking, beating, stopping, return_exceptions=True)
            self.view.state = LinkState.STOPPED
            if self.session is not None:
                self.session.finish()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            if self.session is not None:
                self.session.beat()

    async def _keep_linked(self) -> None:
        """One link after the other; before the first data a failure ends it, afterwards nothing does."""
        deadline_s = self._now_s() + FIRST_FIND_S
        while True:
            self._link_has_data = False
            try:
                await self._one_link(max(1.0, deadline_s - self._now_s()) if not self._has_data else SCAN_S)
            except (LinkError, OSError) as error:
                if not self._has_data and (
                    isinstance(error, RadioUnavailableError | DeviceRefusedError | SensorAbsentError)
                    or self._now_s() > deadline_s
                ):
                    raise
                self.view.why = str(error)
            if self._link_has_data:
                self.view.tries = 0
            await self._wait_before_retry()

    @property
    def _has_data(self) -> bool:
        return self._links_with_data > 0

    async def _wait_before_retry(self) -> None:
        self.view.state = LinkState.WAITING
        pause_s = BACK_OFF_S[min(self.view.tries, len(BACK_OFF_S) - 1)] * random.uniform(0.7, 1.3)
        self.view.tries += 1
        await asyncio.sleep(pause_s)

    async def _one_link(self, search_s: float) -> None:
        """Find, connect, start, watch; whatever happens, the link is closed properly."""
        sighting = await self._find(search_s)
        link = Link(self._radio, sighting, arrival_ns=self._clock.steady_ns, on_packet=self._take, on_write=self._wrote)
        try:
            self.view.state = LinkState.CONNECTING
            await link.open()
            self.view.state = LinkState.STARTING
            self._open_session()
            await self._start(link)
            await self._watch(link)
        finally:
            await self._leave(link)

    async def _find(self, search_s: float) -> Sighting:
        """A fresh handle of the sensor: still connected from an earlier, killed process, or seen in a scan."""
        self.view.state = LinkState.LOOKING
        held = [s for s in await already_connected(self._radio) if self._is_it(s)]
        if held:
            return held[0]
        seen = await scan(self._radio, search_s, self._is_it)
        found = next((s for s in seen if self._is_it(s)), None)
        if found is None:
            raise SensorAbsentError(
                f"{self.sensor.nick} ({self.sensor.name}) is not in range: switch it on, bring it nearer, "
                "and close other programs that use it."
            )
        self.view.rssi_dbm = found.rssi_dbm
        return found

    def _is_it(self, sighting: Sighting) -> bool:
        """Its address, or its name where the system hides addresses."""
        if sighting.address.lower() == self.sensor.address.lower():
            return True
        return bool(self.sensor.name) and sighting.advert.name == self.sensor.name

    def _open_session(self) -> None:
        if self.session is None:
            self.session = LiveSession(self._store, self.sensor, self._driver, self._driver.defaults, self._clock)

    async def _start(self, link: Link) -> None:
        if self._driver.battery is not None:
            with suppress(LinkError):
                level = await link.run(self._driver.battery())
                if level is not None and self.session is not None:
                    self.session.tally.battery_percent = level
        self._heard_s = self._now_s()
        await link.run(self._driver.start(self._driver.defaults))

    def _take(self, packet: RawPacket) -> None:
        """From the radio's callback: stamp was made there, remember it here, nothing else."""
        self._heard_s = self._now_s()
        if self.session is not None:
            self.session.take(packet)

    def _wrote(self, characteristic: str, payload: bytes) -> None:
        if self.session is not None:
            self.session.wrote(characteristic, payload)

    async def _watch(self, link: Link) -> None:
        """Return when the link is lost or silent for too long. The link's own word that it is up counts for nothing."""
        usual_s = INTERVALS * self._driver.packet_interval_s
        warn_s, recover_s = max(WARN_S, usual_s), min(LATEST_S, max(RECOVER_S, usual_s))
        awake = [asyncio.create_task(self._keep_awake(link, k.every_s, k.step)) for k in self._driver.keep_awake]
        try:
            while not link.lost.is_set():
                silent_s = self._now_s() - self._heard_s
                if silent_s > recover_s:
                    raise LinkLostError(f"no data for {silent_s:.0f} s although the link looks up")
                self._see(silent_s, warn_s)
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_S):
                        await link.lost.wait()
            raise LinkLostError("the sensor's link broke")
        finally:
            for task in awake:
                task.cancel()

    def _see(self, silent_s: float, warn_s: float) -> None:
        self.view.state = LinkState.SILENT if silent_s > warn_s else LinkState.STREAMING
        if not self._link_has_data and self.session is not None and self.session.has_data and silent_s < warn_s:
            self._link_has_data = True
            self._links_with_data += 1
            self.session.reconnects = self._links_with_data - 1
            self.view.why = ""

    async def _keep_awake(self, link: Link, every_s: float, step: Step) -> None:
        while True:
            await asyncio.sleep(every_s)
            with suppress(LinkError):
                await link.run(_once(step))

    async def _leave(self, link: Link) -> None:
        """Stop the stream if the link is up and somebody asked for an end; always disconnect."""
        try:
            if self._stopping.is_set() and not link.lost.is_set():
                with suppress(LinkError, TimeoutError, asyncio.CancelledError):
                    async with asyncio.timeout(STOP_S):
                        await link.run(self._driver.stop(self._driver.defaults))
        finally:
            await link.close(STOP_S if self._stopping.is_set() else CLOSE_S)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


def _once(step: Step) -> Script[None]:
    yield step
