"""Keeps one sensor streaming into one session, whatever the radio, the computer or the sensor do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from analysis.events import Findings
from drivers.ble import (
    CLOSE_S,
    Link,
    LinkLostError,
    Radio,
    RadioUnavailableError,
    Sighting,
    already_connected,
    just_seen,
    scan,
)
from drivers.decoder import Settings
from drivers.driver import Driver, KeepAwake
from drivers.errors import LinkError
from drivers.listening import Listening
from drivers.packets import RawPacket
from drivers.script import DeviceRefusedError, Script, Step
from tracker.errors import StoreError
from tracker.live.clock import Clock
from tracker.live.session import LiveSession
from tracker.store import Sensor, Store

BEAT_S = 0.25
SCAN_S = 3.0
"""One look around. Short, because other sensors wait for their turn meanwhile."""

ABSENT_S = 12.0
"""A sensor that is not seen for so long at the start is reported, within 15 s of the command."""
START_S = 30.0
"""One that is seen, but cannot be made to stream, is reported after this."""
UNCONNECTABLE = 2
"""A sensor that can be listened to as well is listened to after so many connections have failed."""
REFUSALS = 2
"""A device that refuses at the start is asked once more: a session that died may have left it in a strange state."""

WARN_S, RECOVER_S, LATEST_S = 2.0, 4.5, 24.5
INTERVALS = 3.0
"""Silence is noticed after this many of the sensor's usual packet intervals, or the seconds above."""

BACK_OFF_S = (0.3, 1.0, 2.0, 4.0, 5.0)
"""Not longer: data is to be back within 20 s of the sensor's return."""
STOP_S = 1.1
FAREWELL_S = 2.4
"""A stop takes 3 s at the most: stop command and disconnection have `STOP_S` each, all of it this."""

RESTING_S, REST_S = 600.0, 9.0
"""A sensor that has been away for so long is looked for with longer pauses. Pause and look together stay well below
20 s, within which it is to be found on its return."""

RENEW_AWAY_S, RENEW_AFTER_S = 1800.0, 86_400.0
"""A session that is to be renewed ends when its sensor has been away for so long, and when it is so old: a recording
for weeks would be a file that nothing can be deleted from, and be counted as a whole after a kill."""

BATTERY_EVERY_S = 600.0
BATTERY_SOONEST_S = 60.0
"""After a reconnect it is not asked again before this: asking disturbs some sensors' streams."""


Noticed = Callable[[LiveSession, Findings], None]
"""Told after each beat what became final, empty or not."""


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
    """The sensor was not there."""


@dataclass(slots=True)
class LinkView:
    """The link as a screen shows it; `no_radio` while it is the radio itself that is missing."""

    state: LinkState = LinkState.LOOKING
    rssi_dbm: int | None = None
    why: str = ""
    tries: int = 0
    no_radio: bool = False


class Supervisor:
    """One sensor's link, from the first search to the clean stop."""

    def __init__(
        self,
        radio: Radio,
        store: Store,
        sensor: Sensor,
        driver: Driver,
        clock: Clock,
        *,
        patient: bool = False,
        noticed: Noticed | None = None,
    ) -> None:
        """A supervisor that has not begun.

        Args:
            radio: how the sensor is reached.
            store: where its sessions go.
            sensor: whom to record.
            driver: of the sensor.
            clock: the host's clocks.
            patient: for a service: nothing ends it but `stop` and a disk that refuses, the sensor may be away for
                days, and sessions are renewed.
            noticed: told what became final.
        """
        self.view = LinkView()
        self.sensor = sensor
        self.session: LiveSession | None = None
        self._radio, self._store, self._driver, self._clock = radio, store, driver, clock
        self._wanted: Settings = driver.defaults
        self._measured = 0
        self._heard_s = 0.0
        self._patient, self._noticed = patient, noticed
        self._has_data = False
        self._links_with_data = 0
        self._link_has_data = False
        self._link: Link | Listening | None = None
        self._begun_s = 0.0
        self._refusals = 0
        self._unconnected = 0
        self._battery_s: float | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask for a clean stop; `run` then returns within 3 s."""
        self._stopping.set()

    @property
    def has_data(self) -> bool:
        """Whether data has ever flowed; from then on it is tried for ever."""
        return self._has_data

    @property
    def silent_s(self) -> float:
        """Seconds since the last sample, or since it began where none has come."""
        return self._now_s() - max(self._heard_s, self._begun_s)

    async def buzz(self) -> bool:
        """Make the sensor vibrate; False where it cannot.

        Raises:
            LinkError: it is not linked, or the link broke.
        """
        if self._driver.buzz is None:
            return False
        if self._link is None:
            raise LinkLostError("it is not linked just now")
        await self._link.run(self._driver.buzz())
        return True

    async def run(self) -> None:
        """Stream until stopped.

        Raises:
            SensorAbsentError, RadioUnavailableError, DeviceRefusedError, LinkLostError: before any data has flowed,
                unless it is patient.
            StoreError: the disk takes nothing (any more); what there is has been kept.
        """
        self._begun_s = self._now_s()
        beating, stopping, linking = (
            asyncio.ensure_future(work) for work in (self._beat(), self._stopping.wait(), self._keep_linked())
        )
        try:
            await asyncio.wait({beating, stopping, linking}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping.set()
            for task in (linking, beating, stopping):
                task.cancel()
            await asyncio.wait({linking, beating}, timeout=FAREWELL_S)
            self.view.state = LinkState.STOPPED
            if self.session is not None:
                self.session.finish()
        for task in (beating, linking):
            if task.done() and not task.cancelled():
                task.result()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            if self.session is not None:
                found = self.session.beat()
                self._listen()
                if self._noticed is not None:
                    self._noticed(self.session, found)
                if self._patient:
                    self._renew(self.session)

    def _listen(self) -> None:
        """Silence is the lack of samples, not of packets: refused ones and battery levels are none."""
        if self.session is None or self.session.tally.measured == self._measured:
            return
        self._measured, self._heard_s = self.session.tally.measured, self._now_s()
        if not self._link_has_data:
            self._link_has_data = self._has_data = True
            self._links_with_data += 1
            self.session.reconnects = self._links_with_data - 1
            self.view.tries, self.view.why, self.view.no_radio = 0, "", False

    def _renew(self, session: LiveSession) -> None:
        """End a session that has become too old, or whose sensor has gone; the next samples begin another."""
        is_away = self.silent_s > RENEW_AWAY_S
        if not session.has_data or not (is_away or session.elapsed_s > RENEW_AFTER_S):
            return
        self.session = None
        self._measured, self._links_with_data = 0, int(self._link_has_data and not is_away)
        if self._link is not None:
            self._open_session()
            self._resume()
        # Where the database refuses, what was recorded is kept, and is counted later as that of a killed recorder.
        with suppress(StoreError):
            session.finish()

    def _resume(self) -> None:
        """A session that begins within a link goes on with what was granted at the link's start."""
        if self.session is not None:
            self.session.granted(self._wanted)

    async def _keep_linked(self) -> None:
        """One link after the other; before the first data a failure may end it, afterwards none does."""
        begun_s = self._begun_s
        while True:
            try:
                await self._one_link(begun_s)
            except LinkError as error:
                self.view.why, self.view.no_radio = str(error), isinstance(error, RadioUnavailableError)
                if not self.has_data and self._is_hopeless(error, self._now_s() - begun_s):
                    raise
            await self._wait_before_retry()

    def _is_hopeless(self, error: LinkError, tried_s: float) -> bool:
        """Whether a wearer who has just begun should be told now."""
        if self._patient:
            return False
        match error:
            case RadioUnavailableError() | SensorAbsentError():
                return True
            case DeviceRefusedError():
                self._refusals += 1
                return self._refusals >= REFUSALS
        return tried_s >= START_S

    async def _wait_before_retry(self) -> None:
        self.view.state = LinkState.WAITING
        pause_s = BACK_OFF_S[min(self.view.tries, len(BACK_OFF_S) - 1)]
        if self._patient and self.silent_s > RESTING_S:
            pause_s = REST_S
        pause_s *= random.uniform(0.7, 1.3)
        self.view.tries += 1
        await asyncio.sleep(pause_s)

    async def _one_link(self, begun_s: float) -> None:
        """Find, connect, start, watch; whatever happens, the link is closed properly."""
        sighting = await self._find(begun_s)
        self._link_has_data = False
        link = self._link_to(sighting)
        try:
            self.view.state = LinkState.CONNECTING
            await link.open()
            self.view.state = LinkState.STARTING
            self._open_session()
            await self._start(link)
            self._link = link
            await self._watch(link)
        except LinkError as error:
            if not self.has_data:
                self._unconnected += UNCONNECTABLE if isinstance(error, DeviceRefusedError) else 1
            raise
        finally:
            self._link = None
            await self._leave(link)

    def _link_to(self, sighting: Sighting) -> Link | Listening:
        """A connection; where that never brought data, what the sensor advertises, if that is data."""
        if self._driver.advertised and self._unconnected >= UNCONNECTABLE:
            return Listening(
                self._radio, sighting, self._driver.advertised, arrival_ns=self._clock.steady_ns, on_packet=self._take
            )
        return Link(self._radio, sighting, arrival_ns=self._clock.steady_ns, on_packet=self._take, on_write=self._wrote)

    async def _find(self, begun_s: float) -> Sighting:
        """A fresh handle of the sensor: still connected from an earlier, killed process, or seen in a scan."""
        self.view.state = LinkState.LOOKING
        while True:
            found = just_seen(self._radio, self._is_it)
            if found is None:
                found = next(filter(self._is_it, await already_connected(self._radio)), None)
            if found is None:
                await scan(self._radio, SCAN_S, self._is_it)
                found = just_seen(self._radio, self._is_it)
            if found is not None:
                self.view.rssi_dbm = found.rssi_dbm
                return found
            if self.has_data or self._patient or self._now_s() - begun_s + SCAN_S > ABSENT_S:
                raise SensorAbsentError(
                    f"{self.sensor.nick} ({self.sensor.name}) is not in range: switch it on, bring it nearer, "
                    "and close other programs that use it"
                )

    def _is_it(self, sighting: Sighting) -> bool:
        """Its address; its name only where the system hides addresses, as macOS does, and may renew its own."""
        if sighting.address.lower() == self.sensor.address.lower():
            return True
        return ":" not in sighting.address and bool(self.sensor.name) and sighting.advert.name == self.sensor.name

    def _open_session(self) -> None:
        if self.session is None:
            self.session = LiveSession(self._store, self.sensor, self._driver, None, self._clock)

    async def _start(self, link: Link | Listening) -> None:
        self._heard_s = self._now_s()
        is_told = isinstance(link, Listening)
        granted = self._wanted if is_told else await link.run(self._driver.start(self._wanted))
        self._wanted = dict(self._wanted) | dict(granted)  # a later link is to stream as the first did
        if self.session is not None:
            self.session.granted(granted)
        self._heard_s = max(self._heard_s, self._now_s())

    def _take(self, packet: RawPacket) -> None:
        """From the radio's callback: stamped there, remembered here, nothing else."""
        if self.session is not None:
            self.session.take(packet)

    def _wrote(self, characteristic: str, payload: bytes) -> None:
        if self.session is not None:
            self.session.wrote(characteristic, payload)

    async def _watch(self, link: Link | Listening) -> None:
        """Ends when the link is lost or silent for too long; the link's own word that it is up counts for nothing."""
        usual_s = INTERVALS * self._driver.packet_interval_s
        recover_s = min(LATEST_S, max(RECOVER_S, usual_s))
        warn_s = max(WARN_S, min(usual_s, recover_s - WARN_S))  # before anything is done about it
        with _beside(self._tend_battery(link), *(self._keep_awake(link, what) for what in self._driver.keep_awake)):
            while not link.lost.is_set():
                silent_s = self._now_s() - self._heard_s
                if silent_s >= recover_s:
                    raise LinkLostError(
                        f"no data for {silent_s:.0f} s although the link looked up{self._too_small(link)}"
                    )
                self.view.state = LinkState.SILENT if silent_s >= warn_s else LinkState.STREAMING
                with suppress(TimeoutError):
                    async with asyncio.timeout(BEAT_S):
                        await link.lost.wait()
        raise LinkLostError("the sensor's link broke")

    def _too_small(self, link: Link | Listening) -> str:
        """A cause of silence that only another adapter mends; empty where the packets fit."""
        if link.mtu is None or link.mtu >= self._driver.least_mtu:
            return ""
        return (
            f"; this computer agreed on packets of {link.mtu} bytes and the sensor needs {self._driver.least_mtu}: "
            "use another Bluetooth adapter"
        )

    async def _keep_awake(self, link: Link | Listening, what: KeepAwake) -> None:
        while True:
            await asyncio.sleep(what.every_s)
            with suppress(LinkError):
                await link.run(_once(what.step))

    async def _tend_battery(self, link: Link | Listening) -> None:
        """Ask for the level at the start of a link, then now and then."""
        if self._driver.battery is None:
            return
        if self._battery_s is not None:
            await asyncio.sleep(max(0.0, self._battery_s + BATTERY_SOONEST_S - self._now_s()))
        while True:
            self._battery_s = self._now_s()
            with suppress(LinkError):
                level = await link.run(self._driver.battery())
                if level is not None and self.session is not None:
                    self.session.hear_battery(level)
            await asyncio.sleep(BATTERY_EVERY_S)

    async def _leave(self, link: Link | Listening) -> None:
        """Stop the stream if the link is up and somebody asked for an end; always disconnect."""
        try:
            if self._stopping.is_set() and not link.lost.is_set():
                with suppress(LinkError, TimeoutError, asyncio.CancelledError):
                    async with asyncio.timeout(STOP_S):
                        await link.run(self._driver.stop(self._wanted))
        finally:
            await link.close(STOP_S if self._stopping.is_set() else CLOSE_S)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()


@contextmanager
def _beside(*works: Coroutine[Any, Any, None]) -> Iterator[None]:
    """Runs these beside the block, and ends them with it."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def _once(step: Step) -> Script[None]:
    yield step
