"""The service as it ships, on virtual air and in virtual time: days go by in seconds, and so do its restarts."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, timedelta

import numpy as np
import pytest

from analysis.leg.movements import Raises
from analysis.leg.story import Teller, Wearer
from analysis.samples import Modality
from drivers.virtual.carriers import Kind
from drivers.virtual.faults import Mishap
from drivers.virtual.sources import FromBlocks
from tests.carriers import carrier
from tests.tracker.live.conftest import NOON, Bench, decoded
from tracker.channels.message import Answered, Delivery, Message
from tracker.channels.probes import Known, Probes
from tracker.home import Home
from tracker.live import supervisor as live
from tracker.live.supervisor import LinkState, Supervisor
from tracker.remind.decisions import Button, NoticeKind, Rung
from tracker.service.loop import UPGRADED, Loop, Outside, interruption
from tracker.service.sd_notify import Systemd
from tracker.service.state import Phase, ServiceState, read_state
from tracker.service.wish import Wish, leave_wish
from tracker.store import Store

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass
class Screen:
    """A channel that remembers, and can press."""

    name: str = "screen"
    told: list[Message] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    answered: Answered | None = None

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        self.told.append(message)
        self.answered = answered
        return Delivery(self.name, True)

    async def withdraw(self, slot: str) -> None:
        self.withdrawn.append(slot)


async def no() -> Known:
    return Known(False, "a test")


@dataclass
class Running:
    """A service that runs."""

    bench: Bench
    loop: Loop
    work: asyncio.Task[int]
    screen: Screen
    installed: list[str]

    @property
    def state(self) -> ServiceState:
        found = read_state(self.bench.store.home)
        assert found is not None
        return found

    def supervisor(self, nick: str) -> Supervisor:
        return next(one for one in self.loop._recorder.supervisors if one.sensor.nick == nick)

    async def until(self, is_so: Callable[[], bool], within_s: float) -> float:
        """Seconds until something is so."""
        began_s = asyncio.get_running_loop().time()
        async with asyncio.timeout(within_s):
            while not is_so():
                await asyncio.sleep(0.25)
        return asyncio.get_running_loop().time() - began_s

    def streams(self, nick: str = "s0") -> bool:
        """Whether samples come."""
        with suppress(StopIteration):
            found = self.supervisor(nick)
            return found.view.state is LinkState.STREAMING and found.silent_s < 1.0
        return False


@pytest.fixture
def store(home: Home) -> Store:
    return Store(home, clock=lambda: NOON)


@pytest.fixture
async def bench(store: Store, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Virtual air that every system has."""
    with store:
        async with carrier(Kind.BUMBLE, monkeypatch, EOFError, OSError) as (radio, air):
            yield Bench(Kind.BUMBLE, air, radio, store)


@asynccontextmanager
async def serving(bench: Bench) -> AsyncIterator[Running]:
    """The service, stopped at the end within 3 s."""
    screen, installed = Screen(), ["1.0"]
    outside = Outside(
        bench.radio, bench.clock, Probes(no, no, no, no), Systemd({}), lambda _settings: [screen],
        lambda: installed[-1], guard=False,
    )  # fmt: skip
    loop = Loop(bench.store.home, bench.store, outside, logging.getLogger("test"))
    running = Running(bench, loop, asyncio.create_task(loop.run()), screen, installed)
    try:
        yield running
    finally:
        began_s = asyncio.get_running_loop().time()
        loop.stop()
        await running.work
        assert asyncio.get_running_loop().time() - began_s < 3


async def test_it_records_and_says_so(bench: Bench) -> None:
    """State file: recording, the link, the battery; after the end: stopped, the session closed."""
    await bench.add("soleus-nus")
    async with serving(bench) as running:
        await running.until(running.streams, 20)
        await asyncio.sleep(10)
        (sensor,) = running.state.sensors
        assert running.state.phase is Phase.RECORDING
        assert (sensor.nick, sensor.link, sensor.gaps, sensor.battery_percent) == ("s0", "streaming", 0, 80.0)
        assert sensor.recorded_s is not None
        assert sensor.recorded_s > 5
    assert (await running.work, running.state.phase) == (0, Phase.STOPPED)
    (session,) = bench.store.sessions()
    assert session.ended_at is not None


async def test_absent_for_long_found_within_20_s(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sensor that was not there at the start is waited for; on each return its data is there within 20 s.

    Minutes stand for hours and days here: what is long is set shorter.
    """
    monkeypatch.setattr(live, "RESTING_S", 40.0)
    monkeypatch.setattr(live, "RENEW_AWAY_S", 100.0)
    sensor = await bench.add("soleus-nus", on_air=False)
    async with serving(bench) as running:
        await asyncio.sleep(60)
        assert running.state.phase is Phase.LOOKING
        await bench.air.add(bench.sensors[sensor.nick])
        assert await running.until(running.streams, 60) < 20
        for away_s in (73.0, 137.0):
            await asyncio.sleep(3)
            bench.sensors[sensor.nick].befall(Mishap.VANISH, away_s)
            await asyncio.sleep(away_s)
            assert not running.streams()
            assert await running.until(running.streams, 60) < 20
        await asyncio.sleep(6)
        assert running.state.sensors[0].gaps == 2
        assert running.state.sensors[0].gap_s == pytest.approx(73 + 137, abs=45)
    # The longer absence ended the session; the shorter did not.
    first, second = sorted(bench.store.sessions(), key=lambda session: session.started_at)
    assert (first.totals.reconnects, second.totals.reconnects) == (1, 0)
    assert all(session.ended_at is not None for session in (first, second))


async def test_a_session_is_renewed_without_a_gap(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that has become too old is followed by another over the same link; no packet is lost between them."""
    monkeypatch.setattr(live, "RENEW_AFTER_S", 20.0)
    sensor = await bench.add("soleus-nus")
    sessions = []
    async with serving(bench) as running:
        await running.until(running.streams, 20)
        for _ in range(2):
            found = running.supervisor("s0").session
            assert found is not None
            sessions.append(found)
            await running.until(lambda old=found: running.supervisor("s0").session is not old, 40)
        await asyncio.sleep(5)
        assert len(bench.sensors[sensor.nick].ledger.links) == 1
    kept = bench.store.sessions()
    assert len(kept) == 3
    assert all((one.totals.reconnects, one.totals.packet_errors) == (0, 0) for one in kept)
    stored = sum(one.totals.packets for one in kept)
    assert stored == len(bench.sensors[sensor.nick].ledger.delivered())
    first, second = [decoded(session, Modality.ACC)[0] for session in sessions]
    starts = [session.started_at for session in sessions]
    assert None not in starts
    pause_s = (starts[1] - starts[0]).total_seconds() + second[0] - first[-1]  # type: ignore[operator]
    assert pause_s == pytest.approx(0.01, abs=0.02)


async def test_locked_database(bench: Bench) -> None:
    """While another tool holds the database the recording goes on; what was found is stored afterwards."""
    await bench.add("soleus-nus")
    async with serving(bench) as running:
        await running.until(running.streams, 20)
        await asyncio.sleep(10)
        other = sqlite3.connect(bench.store.home.database, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        await asyncio.sleep(15)
        assert running.streams()
        assert "locked" in running.state.sensors[0].trouble
        other.execute("ROLLBACK")
        other.close()
        await running.until(lambda: running.state.sensors[0].trouble == "", 20)
    (session,) = bench.store.sessions()
    assert session.duration_s > 25
    assert (session.gap_s, session.totals.reconnects) == (0, 0)


async def test_pairings_are_followed(bench: Bench) -> None:
    """A sensor that is paired while the service runs is recorded, one that is forgotten no longer."""
    async with serving(bench) as running:
        await asyncio.sleep(10)
        assert running.state.phase is Phase.IDLE
        await bench.add("soleus-nus")
        await running.until(running.streams, 40)
        bench.store.remove_sensor("s0")
        await running.until(lambda: not bench.sensors["s0"].linked, 40)
    (session,) = bench.store.sessions()
    assert session.ended_at is not None


async def test_upgrade_and_wish(bench: Bench) -> None:
    """Another version on the disk ends it with a code that has it started again; a wish to stop ends it with 0.

    A wish that was left before it began was meant for another.
    """
    leave_wish(bench.store.home, Wish.STOP)
    for change, code in ((lambda one: one.installed.append("2.0"), UPGRADED),
                         (lambda one: leave_wish(bench.store.home, Wish.STOP), 0)):  # fmt: skip
        async with serving(bench) as running:
            await asyncio.sleep(10)
            change(running)
            async with asyncio.timeout(90):
                assert await asyncio.shield(running.work) == code


def sitting(minutes: float) -> FromBlocks:
    rng = np.random.default_rng(3)
    return FromBlocks(Teller(Wearer.anybody(rng), 50.0, rng).sit(60 * minutes).record().blocks)


async def test_a_still_leg_is_told_and_answers(bench: Bench) -> None:
    """A leg that sits for the minutes of the rules: the message comes within a minute; the button answers its row."""
    bench.store.home.settings.write_text('zone = "UTC"\n[remind]\nstill_min = 1\n')
    await bench.add("soleus-nus", source=sitting(5))
    async with serving(bench) as running:
        await running.until(lambda: bool(running.screen.told), 180)
        (message,) = running.screen.told
        assert [key for key, _ in message.buttons] == [str(button) for button in Button]
        (row,) = bench.store.reminders()
        assert (row.rung, row.answer) == (Rung.GENTLE, None)
        assert row.shown_s is not None
        assert row.shown_s - row.due_s < 60
        assert running.screen.answered is not None
        running.screen.answered("snooze")
        await running.until(lambda: "reminder" in running.screen.withdrawn, 5)
        (row,) = bench.store.reminders()
        assert row.answer is Button.SNOOZE
        assert running.state.next_reminder is None or running.state.next_reminder > NOON + timedelta(minutes=10)


async def test_a_leg_that_moves_is_not_nagged(bench: Bench) -> None:
    """A contraction that is over but not final yet is seen at every look, although no screen is open."""
    rng = np.random.default_rng(71)
    story = Teller(Wearer.anybody(rng), 100.0, rng).sit(10.0).pushups(Raises(12, 40.0, np.radians(30.0))).sit(10.0)
    await bench.add("soleus-nus", source=FromBlocks(story.record().blocks))
    looks: list[bool | None] = []
    async with serving(bench) as running:
        await running.until(running.streams, 20)
        for _ in range(25):
            await asyncio.sleep(1)
            watching = running.loop._watching
            looks += [leg.active for leg in watching.legs(running.loop._recorder.supervisors, bench.clock.now())]
    assert sum(map(bool, looks)) >= 10


async def test_the_leg_is_buzzed_on_a_wish(bench: Bench) -> None:
    """What `soleus remind test` wants: the sensor vibrates through the link that the service has."""
    sensor = await bench.add("soleus-nus")
    async with serving(bench) as running:
        await running.until(running.streams, 20)
        leave_wish(bench.store.home, Wish.BUZZ)
        peripheral = bench.sensors[sensor.nick].peripheral
        await running.until(lambda: len(peripheral.buzzes) == 1, 10)  # type: ignore[attr-defined]
        assert running.streams()


async def test_silence_is_news_once(bench: Bench) -> None:
    """A sensor that falls silent is told once, with the fix, and is taken back on its return."""
    bench.store.home.settings.write_text('zone = "UTC"\n')
    sensor = await bench.add("soleus-nus")
    async with serving(bench) as running:
        await running.until(running.streams, 20)
        bench.sensors[sensor.nick].befall(Mishap.VANISH, 900.0)
        await asyncio.sleep(880)
        (message,) = running.screen.told
        assert message.text.startswith("s0 has sent nothing for 5 minutes")
        assert running.state.notices == (message.text,)
        await running.until(lambda: not running.state.notices, 90)
        await running.until(lambda: message.slot in running.screen.withdrawn, 10)


def test_interruption() -> None:
    """A service that was ended from outside and came back late is news; not one that stopped, or came back soon."""
    killed = ServiceState(1, "1", NOON, NOON, Phase.RECORDING)
    assert interruption(None, NOON, UTC) is None
    assert interruption(killed, NOON + timedelta(seconds=100), UTC) is None
    assert interruption(killed.stopped(NOON), NOON + timedelta(hours=1), UTC) is None
    news = interruption(killed, NOON + timedelta(minutes=28), UTC)
    assert news is not None
    assert news.kind is NoticeKind.RECORDER_STOPPED
    assert news.text == "Nothing was recorded from 12:00 to 12:28: the service was ended from outside."
    later = interruption(killed, NOON + timedelta(days=3), UTC)
    assert later is not None
    assert "from Friday 12:00 to Monday 12:00" in later.text
