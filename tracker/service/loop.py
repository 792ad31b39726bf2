"""The service itself: recorder, reminders, channels and the state file, until somebody says stop."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.metadata import PackageNotFoundError, version
from logging import Logger
from shutil import disk_usage

from drivers.ble import Radio
from tracker.channels.firing import channels_of
from tracker.channels.message import Channel, Message
from tracker.channels.probes import Desktop, Known, Probes
from tracker.channels.probing import look
from tracker.channels.settings import ChannelSettings, read_channel_settings
from tracker.channels.vibration import Buzz, VibrationChannel
from tracker.errors import ConfigError, StoreError
from tracker.home import Home
from tracker.live.clock import Clock
from tracker.live.recovery import killed, recover
from tracker.live.supervisor import LinkState
from tracker.remind.decisions import (
    Answer,
    Decision,
    Notice,
    NoticeKind,
    Observation,
    RecorderSeen,
    WithdrawNotice,
)
from tracker.remind.reminders import Reminders
from tracker.remind.settings import read_remind_settings
from tracker.service.recorder import Recorder
from tracker.service.sd_notify import Systemd
from tracker.service.settings import wanted_sensors
from tracker.service.state import Phase, ServiceState, write_state
from tracker.service.telling import Telling
from tracker.service.watching import Watching, sensor_seen
from tracker.service.wish import LOOK_EVERY_S, Wish, take_wish
from tracker.settings import read_settings, wearer_zone
from tracker.store import Store

LOOK_AT_LINKS_S = 1.0
"""A link that breaks and comes back sooner than this is not counted as a gap."""

TICK_S = 5.0
"""Reminders look at the leg, and the state is written, this often."""

DESKTOP_EVERY_S = 30.0
"""The desktop is asked this often: what held a message back is over for at most so long before it is said."""

DISK_EVERY_S = 60.0
TIDY_EVERY_S = 3600.0

HANG_S = 90.0
"""A loop that has not come round for so long hangs: its traces are written to the log's folder, and it ends."""

UPGRADED = 75
"""Exit code of a service whose program was replaced under it: the manager starts the new one (EX_TEMPFAIL)."""

INTERRUPTED = timedelta(minutes=2)
"""A service that was killed and is back sooner than this has lost nothing worth a word."""

TOLD_FOR_S = 3600.0
"""News that is over, such as an interruption, stands in the state for so long."""

UNASKED = Known(None, "not asked yet")


def installed_version() -> str:
    """The version that is installed now, which need not be the one that runs."""
    try:
        return version("soleus-tracker")
    except PackageNotFoundError:
        return "source"


@dataclass(slots=True)
class Outside:
    """What the service needs of the machine; all of it is injected in tests.

    Attributes:
        radio: how sensors are reached.
        clock: the host's clocks.
        probes: how the desktop is asked.
        systemd: who is told that it lives.
        channels: made from the settings; None for those of this machine.
        installed: gives the version that is installed.
        guard: whether a loop that hangs is to be ended, and signals are to be listened to.
    """

    radio: Radio
    clock: Clock
    probes: Probes
    systemd: Systemd = field(default_factory=Systemd)
    channels: Callable[[ChannelSettings], list[Channel]] | None = None
    installed: Callable[[], str] = installed_version
    guard: bool = True


class Loop:
    """One service of one home, which holds the home's instance lock."""

    def __init__(self, home: Home, store: Store, outside: Outside, log: Logger) -> None:
        """A service that has not begun.

        Args:
            home: the data folder.
            store: open for writing.
            outside: the machine.
            log: of the service.
        """
        self._home, self._store, self._out, self._log = home, store, outside, log
        self._zone: tzinfo = outside.clock.now().tzinfo or UTC
        self._watching = Watching()
        self._recorder = Recorder(
            outside.radio, store, outside.clock, log, only=self._only(), found=self._watching.take
        )  # fmt: skip
        self._reminders = Reminders(store, lambda: read_remind_settings(home))
        self._channel_settings: ChannelSettings | None = None
        self._channels: list[Channel] = []
        self._telling = Telling(self._current_channels, self._answer, log)
        self._desktop = Desktop(UNASKED, UNASKED, UNASKED, UNASKED)
        self._free_bytes: int | None = None
        self._bytes_per_day: float | None = None
        self._version = outside.installed()
        self._started_at = outside.clock.now()
        self._stopping = asyncio.Event()
        self._code = 0

    def tell_of(self, news: Notice) -> None:
        """Tell something that is over; call it within the loop."""
        self._telling.carry_out([news])
        asyncio.get_running_loop().call_later(TOLD_FOR_S, self._telling.carry_out, [WithdrawNotice(news.id)])

    def stop(self, code: int = 0) -> None:
        """Ask for a clean stop; `run` then returns within 3 s."""
        self._code = code
        self._stopping.set()
        self._recorder.stop()

    async def run(self) -> int:
        """Serve until stopped; the exit code."""
        self._log.info("started, version %s, process %d", self._version, os.getpid())
        take_wish(self._home)  # what was wished of a service before this one
        self._listen_to_signals()
        recording = asyncio.create_task(self._recorder.run())
        others = [
            asyncio.create_task(work)
            for work in (
                self._telling.run(),
                self._every(LOOK_AT_LINKS_S, self._look_at_links),
                self._every(TICK_S, self._tick, at_once=False),
                self._every(LOOK_EVERY_S, self._grant_wish),
                self._every(DESKTOP_EVERY_S, self._look_at_desktop),
                self._every(DISK_EVERY_S, self._look_at_disk),
                self._every(TIDY_EVERY_S, self._tidy),
            )
        ]
        self._out.systemd.tell("READY=1")
        self._write(Phase.STARTING)
        try:
            await asyncio.wait({recording, *others}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._out.systemd.tell("STOPPING=1")
            self.stop(self._code)
            for task in others:
                task.cancel()
            await asyncio.wait({recording, *others}, timeout=3.0)
            self._end()
        for task in (recording, *others):
            if task.done() and not task.cancelled():
                task.result()
        return self._code

    def _end(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        with suppress(OSError):
            write_state(self._home, self._state(Phase.STOPPED).stopped(self._out.clock.now()))
        self._log.info("stopped")

    async def _every(self, seconds: float, work: Callable[[], object], *, at_once: bool = True) -> None:
        """Do some work again and again; what fails is logged, and tried again the next time."""
        if not at_once:
            await asyncio.sleep(seconds)
        while True:
            try:
                done = work()
                if asyncio.iscoroutine(done):
                    await done
            except (StoreError, ConfigError, OSError) as error:
                self._log.error("%s", error)
            except Exception:  # a bug in one part is not to end the recording
                self._log.exception("%s failed", getattr(work, "__name__", "a part"))
            await asyncio.sleep(seconds)

    def _listen_to_signals(self) -> None:
        if not self._out.guard:
            return
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows
                    asyncio.get_running_loop().add_signal_handler(number, self.stop)

    def _tick(self) -> None:
        """Look, decide, tell, and say that all this still works."""
        if self._out.guard:
            faulthandler.dump_traceback_later(HANG_S, exit=True)
        now = self._out.clock.now()
        supervisors = self._recorder.supervisors
        self._refresh_zone()
        observation = self._observation(now)
        self._telling.carry_out(self._reminders.observe(observation))
        streaming = sum(s.view.state is LinkState.STREAMING for s in supervisors)
        phase = Phase.RECORDING if streaming else Phase.LOOKING if supervisors else Phase.IDLE
        self._write(phase, self._reminders.next_due(observation))
        self._out.systemd.tell("WATCHDOG=1", f"STATUS={phase}, {streaming} of {len(supervisors)} sensors stream")

    def _look_at_links(self) -> None:
        self._watching.look(self._recorder.supervisors, self._out.clock.now())

    def _observation(self, now: datetime) -> Observation:
        supervisors = self._recorder.supervisors
        return Observation(
            now=now,
            zone=self._zone,
            legs=self._watching.legs(supervisors, now),
            locked=self._desktop.locked.value,
            do_not_disturb=self._desktop.do_not_disturb.value,
            microphone=self._desktop.microphone.value,
            camera=self._desktop.camera.value,
            sensors=tuple(sensor_seen(supervisor) for supervisor in supervisors),
            recorder=self._recorder_seen(),
        )

    def _recorder_seen(self) -> RecorderSeen:
        supervisors = self._recorder.supervisors
        why = self._recorder.failure
        if not why and supervisors and all(s.view.no_radio for s in supervisors):
            why = supervisors[0].view.why
        troubles = [s.session.tally.disk for s in supervisors if s.session is not None and s.session.tally.disk]
        return RecorderSeen(
            running=not why,
            why=why,
            disk_trouble=next(iter(troubles), ""),
            disk_free_bytes=self._free_bytes,
            disk_bytes_per_day=self._bytes_per_day,
        )

    def _answer(self, answer: Answer) -> Iterable[Decision]:
        return self._reminders.answer(answer, self._out.clock.now(), self._zone)

    def _write(self, phase: Phase, next_reminder: datetime | None = None) -> None:
        with suppress(OSError):  # a full disk is told by the recorder
            write_state(self._home, self._state(phase, next_reminder))

    def _state(self, phase: Phase, next_reminder: datetime | None = None) -> ServiceState:
        now = self._out.clock.now()
        desktop = self._desktop
        asked = {
            "do_not_disturb": desktop.do_not_disturb,
            "locked": desktop.locked,
            "microphone": desktop.microphone,
            "camera": desktop.camera,
        }
        return ServiceState(
            pid=os.getpid(),
            version=self._version,
            started_at=self._started_at,
            at=now,
            phase=phase,
            sensors=tuple(self._watching.state(supervisor, now) for supervisor in self._recorder.supervisors),
            next_reminder=next_reminder,
            badge=self._telling.badge,
            notices=tuple(self._telling.notices.values()),
            channels=dict(self._telling.troubles),
            unknown={name: known.why for name, known in asked.items() if known.value is None},
        )

    async def _look_at_desktop(self) -> None:
        self._desktop = await look(self._out.probes)

    def _look_at_disk(self) -> None:
        """What is free, and whether the program itself was replaced there."""
        self._free_bytes = disk_usage(self._home.root).free
        if (installed := self._out.installed()) != self._version:
            self._log.info("version %s was installed: it is started in the place of this one", installed)
            self.stop(UPGRADED)

    async def _grant_wish(self) -> None:
        match take_wish(self._home):
            case Wish.STOP:
                self.stop()
            case Wish.BUZZ:
                done = await VibrationChannel(self._buzzes).tell(Message("", ""), lambda _key: None)
                self._log.info("vibration: %s", "asked for, and done" if done.done else done.why)

    async def _tidy(self) -> None:
        """Count what killed recorders left; in a thread, because it may take seconds and packets come meanwhile."""
        self._bytes_per_day = self._store.forecast(read_settings(self._home).keep_days).bytes_per_day
        now = self._out.clock.now()
        for sentence in await _aside(lambda: _recovered(self._home, now)):
            self._log.warning("%s", sentence)

    def _only(self) -> tuple[str, ...]:
        try:
            return wanted_sensors(self._home)
        except ConfigError as error:
            self._log.error("%s", error)
            return ()

    def _refresh_zone(self) -> None:
        with suppress(ConfigError):  # the reminders say so
            self._zone = wearer_zone(read_settings(self._home))

    def _current_channels(self) -> list[Channel]:
        """Those of the settings; where these cannot be used, the last that could."""
        try:
            settings = read_channel_settings(self._home)
        except ConfigError as error:
            self._log.error("%s", error)
            settings = self._channel_settings or ChannelSettings()
        if settings != self._channel_settings:
            self._channel_settings = settings
            make = self._out.channels or (lambda chosen: channels_of(self._home, chosen, self._buzzes))
            self._channels = make(settings)
        return self._channels

    def _buzzes(self) -> list[tuple[str, Buzz]]:
        return [(supervisor.sensor.nick, supervisor.buzz) for supervisor in self._recorder.supervisors]


async def _aside(work: Callable[[], list[str]]) -> list[str]:
    """Work in a thread that nobody waits for at the end, unlike those of asyncio: it is safe to be killed."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[list[str]] = loop.create_future()

    def settle(found: list[str], error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(found)

    def run() -> None:
        found: list[str] = []
        error: BaseException | None = None
        try:
            found = work()
        except Exception as failure:
            error = failure
        with suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(settle, found, error)

    threading.Thread(target=run, name="recovery", daemon=True).start()
    return await done


def _recovered(home: Home, now: datetime) -> list[str]:
    with Store(home, clock=lambda: now) as store:
        return recover(store, paths) if (paths := killed(store)) else []


def interruption(previous: ServiceState | None, now: datetime, zone: tzinfo) -> Notice | None:
    """What to tell where the service before this one was ended from outside, and not at once started again."""
    if previous is None or previous.phase is Phase.STOPPED or now - previous.at < INTERRUPTED:
        return None
    began, ended = previous.at.astimezone(zone), now.astimezone(zone)
    form = "%H:%M" if began.date() == ended.date() else "%A %H:%M"
    return Notice(
        "recorder_interrupted",
        NoticeKind.RECORDER_STOPPED,
        f"Nothing was recorded from {began:{form}} to {ended:{form}}: the service was ended from outside.",
        "It records again; `soleus service logs` may say more.",
    )
