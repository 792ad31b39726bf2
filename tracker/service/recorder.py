"""Records every sensor that is to be recorded, each kept going by itself, whatever befalls the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from logging import Logger

from analysis.events import Findings, Leg
from drivers import registry
from drivers.ble import Radio
from drivers.errors import LinkError
from tracker.errors import ConfigError, StoreError
from tracker.live.clock import Clock
from tracker.live.session import LiveSession
from tracker.live.supervisor import Supervisor
from tracker.store import Sensor, Store

FOLLOW_EVERY_S = 15.0
"""How soon a sensor that was paired or forgotten while the service runs is noticed."""

AGAIN_S = 20.0
"""A recorder that failed, for lack of a disk for example, begins again after this."""

STOP_S = 2.7
"""A supervisor stops within 2.4 s; the whole service is to end within 3."""

Found = Callable[[str, LiveSession, Findings], None]
"""Told by nickname what became final."""


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a sensor is recorded by; its battery and when it was last seen change all the time."""

    address: str
    name: str
    driver: str
    leg: Leg | None
    place: str | None


def _identity(sensor: Sensor) -> _Identity:
    return _Identity(sensor.address, sensor.name, sensor.driver, sensor.leg, sensor.place)


class _Kept:
    """One sensor that is kept being recorded."""

    def __init__(self, sensor: Sensor) -> None:
        self.sensor = sensor
        self.supervisor: Supervisor | None = None
        self.failure = ""
        self.stopping = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        self.stopping.set()
        if self.supervisor is not None:
            self.supervisor.stop()


class Recorder:
    """All sensors of the service."""

    def __init__(
        self, radio: Radio, store: Store, clock: Clock, log: Logger, *, only: Sequence[str] = (), found: Found
    ) -> None:
        """A recorder that has not begun.

        Args:
            radio: how sensors are reached.
            store: where sessions go, and who is paired.
            clock: the host's clocks.
            log: of the service.
            only: nicknames; empty for all that are paired.
            found: told what became final.
        """
        self._radio, self._store, self._clock, self._log = radio, store, clock, log
        self._only, self._found = frozenset(only), found
        self._kept: dict[str, _Kept] = {}
        self._stopping = asyncio.Event()

    @property
    def supervisors(self) -> list[Supervisor]:
        """Who is recorded just now."""
        return [kept.supervisor for kept in self._kept.values() if kept.supervisor is not None]

    @property
    def sensors(self) -> list[Sensor]:
        """Whoever is to be recorded."""
        return [kept.sensor for kept in self._kept.values()]

    @property
    def failure(self) -> str:
        """Why nobody is recorded although somebody is to be, as a sentence; empty where all is well."""
        failures = [kept.failure for kept in self._kept.values()]
        return next(iter(failures), "") if failures and all(failures) else ""

    def stop(self) -> None:
        """Ask for a clean stop; `run` then returns within 3 s."""
        self._stopping.set()
        for kept in self._kept.values():
            kept.stop()

    async def run(self) -> None:
        """Record until stopped."""
        try:
            while not self._stopping.is_set():
                self._follow()
                await _unless(self._stopping, FOLLOW_EVERY_S)
        finally:
            self.stop()
            tasks = [kept.task for kept in self._kept.values() if kept.task is not None]
            if tasks:
                await asyncio.wait(tasks, timeout=STOP_S)

    def _follow(self) -> None:
        """Begin with who was paired, end with who was forgotten, begin anew with who was changed."""
        try:
            paired = {sensor.nick: sensor for sensor in self._store.sensors()}
        except StoreError:
            return  # locked by another tool: looked at again soon
        wanted = {nick: sensor for nick, sensor in paired.items() if not self._only or nick in self._only}
        for nick, kept in list(self._kept.items()):
            if nick not in wanted or _identity(wanted[nick]) != _identity(kept.sensor):
                kept.stop()
            if kept.task is not None and kept.task.done():
                del self._kept[nick]
        for nick, sensor in wanted.items():
            if nick not in self._kept:
                kept = self._kept[nick] = _Kept(sensor)
                kept.task = asyncio.create_task(self._keep(kept))

    async def _keep(self, kept: _Kept) -> None:
        nick = kept.sensor.nick
        while not kept.stopping.is_set():
            try:
                driver = registry.driver(kept.sensor.driver)
                kept.supervisor = Supervisor(
                    self._radio, self._store, kept.sensor, driver, self._clock, patient=True,
                    noticed=lambda session, findings: self._note(kept, session, findings),
                )  # fmt: skip
                await kept.supervisor.run()
                return
            except (LinkError, StoreError, ConfigError) as error:
                self._fail(kept, str(error))
            except Exception as error:  # a bug in one sensor's driver is not to end the others' recording
                self._log.exception("%s: recording failed", nick)
                kept.failure = f"recording {nick} failed ({type(error).__name__})"
            await _unless(kept.stopping, AGAIN_S)

    def _fail(self, kept: _Kept, why: str) -> None:
        if kept.failure != why:
            self._log.error("%s: %s", kept.sensor.nick, why)
        kept.failure = why

    def _note(self, kept: _Kept, session: LiveSession, findings: Findings) -> None:
        if kept.failure and session.has_data:
            kept.failure = ""
        self._found(kept.sensor.nick, session, findings)


async def _unless(event: asyncio.Event, seconds: float) -> None:
    """Wait, but no longer than until it happens."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
