"""What disk, database, clocks and power do to a session: nothing is lost that could be kept, and it says so."""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from analysis.events import Kind
from analysis.leg.movements import Raises
from analysis.leg.story import Teller, Wearer
from analysis.samples import Modality
from drivers.recording import open_recording
from drivers.virtual.faults import Faults, Mishap, Planned
from drivers.virtual.sources import FromBlocks
from tests.tracker.live.conftest import NOON, Bench, assert_all_stored, decoded
from tracker.cli.live_screen import DRAW_EVERY_S
from tracker.errors import StoreError
from tracker.home import Home
from tracker.live.recording_run import record
from tracker.live.recovery import killed, recover
from tracker.live.session import HOLD_S, LiveSession
from tracker.live.supervisor import Supervisor
from tracker.store import Store

REFUSE = {
    "full": ("PRAGMA max_page_count = 1", "PRAGMA max_page_count = 1000000", "the disk is full"),
    "read-only": ("PRAGMA query_only = 1", "PRAGMA query_only = 0", "is read-only"),
}
"""Makes SQLite itself refuse, and be willing again; what is said."""


async def session_of(supervisor: Supervisor) -> LiveSession:
    while supervisor.session is None or not supervisor.session.has_data:
        await asyncio.sleep(0.1)
    return supervisor.session


@pytest.mark.parametrize("why", REFUSE)
async def test_a_disk_that_refuses_for_a_while(bench: Bench, why: str) -> None:
    """Packets wait in memory, the wearer is told, and all are there once it is willing again."""
    refuse, allow, sentence = REFUSE[why]
    sensor = await bench.add("soleus-nus")
    async with bench.recording(sensor) as (supervisor,):
        session = await session_of(supervisor)
        session._writer._db.execute(refuse)
        await asyncio.sleep(20)
        assert sentence in session.tally.trouble
        assert "in memory for 10 more minutes" in session.tally.trouble
        session._writer._db.execute(allow)
        await asyncio.sleep(3)
        assert session.tally.trouble == ""
    assert_all_stored(bench.sensors[sensor.nick], session)


@pytest.mark.parametrize("why", REFUSE)
async def test_a_disk_that_refuses_for_good(bench: Bench, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the stated time it ends cleanly, with what it has, and says why."""
    monkeypatch.setattr("tracker.live.session.HOLD_S", 20.0)
    assert HOLD_S == 600
    sensor = await bench.add("soleus-nus")
    with pytest.raises(StoreError, match=REFUSE[why][2]):  # noqa: PT012
        async with bench.recording(sensor) as (supervisor,):
            session = await session_of(supervisor)
            await asyncio.sleep(5)
            session._writer._db.execute(REFUSE[why][0])
            await asyncio.wait({bench.work}, timeout=60)
    assert asyncio.get_running_loop().time() < 40
    assert not bench.sensors[sensor.nick].linked
    stored = bench.stored(session)
    with open_recording(session.path) as recording:
        kept = sum(len(batch) for batch in recording.batches())
    assert 0 < kept < stored.totals.packets


async def test_a_database_that_is_locked(bench: Bench) -> None:
    """Findings wait, packets do not: all is stored in the end."""
    sensor = await bench.add("soleus-nus")
    async with bench.recording(sensor) as (supervisor,):
        session = await session_of(supervisor)
        other = sqlite3.connect(bench.store.home.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(12)
        assert "locked by another process" in session.tally.trouble
        with open_recording(session.path) as recording:
            assert sum(len(batch) for batch in recording.batches()) > session.tally.packets - 20
        other.execute("ROLLBACK")
        other.close()
        await asyncio.sleep(6)
        assert session.tally.trouble == ""
    assert_all_stored(bench.sensors[sensor.nick], session)
    assert bench.stored(session).totals.packets == session.tally.packets


async def test_a_database_that_is_locked_to_the_end(bench: Bench) -> None:
    """The recording is whole, and the next command closes the session."""
    sensor = await bench.add("soleus-nus")
    other = sqlite3.connect(bench.store.home.database, isolation_level=None)
    with pytest.raises(StoreError, match="the next command closes"):  # noqa: PT012
        async with bench.recording(sensor) as (supervisor,):
            session = await session_of(supervisor)
            other.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(8)
    other.close()
    assert recover(bench.store, killed(bench.store)) == []
    (stored,) = bench.store.sessions()
    assert stored.ended_at is not None
    assert stored.totals.packets == session.tally.packets


@pytest.mark.parametrize("driver", ["polar-pmd", "witmotion", "soleus-nus"])
async def test_a_suspend_is_a_gap(bench: Bench, driver: str) -> None:
    """The lid is shut for ten minutes: the session goes on with a gap so long, and every time is right."""
    sensor = await bench.add(driver)
    virtual = bench.sensors[sensor.nick]
    async with bench.recording(sensor) as (supervisor,):
        session = await session_of(supervisor)
        await asyncio.sleep(10)
        virtual.befall(Mishap.LINK_LOSS)
        bench.clock.slept_s += 600
        virtual._born_s -= 600  # the sensor was awake
        await asyncio.sleep(20)
    t_s, _ = decoded(session, Modality.ACC)
    assert 600 < np.diff(t_s).max() < 608
    stored = bench.stored(session)
    assert stored.ended_at is not None
    assert abs(stored.ended_at - bench.clock.now()) < timedelta(seconds=3)
    assert abs(stored.started_at - NOON) < timedelta(seconds=6)


async def test_a_wall_clock_that_is_set(bench: Bench) -> None:
    """An hour forward in the middle: the session keeps its start and its length, and the step is written down."""
    sensor = await bench.add("polar-pmd")
    async with bench.recording(sensor) as (supervisor,):
        session = await session_of(supervisor)
        await asyncio.sleep(5)
        bench.clock.stepped = timedelta(hours=1)
        await asyncio.sleep(10)
    stored = bench.stored(session)
    assert abs(stored.started_at - NOON) < timedelta(seconds=6)
    assert stored.duration_s == pytest.approx(session.tally.session_s)
    with open_recording(session.path) as recording:
        first, last = recording.anchors[0], recording.anchors[-1]
    assert (last.wall_ns - first.wall_ns - (last.clock_ns - first.clock_ns)) / 1e9 == pytest.approx(3600, abs=1)


async def test_a_late_first_packet_does_not_shift_the_session(bench: Bench) -> None:
    """The start is told by the least late packets: two of three come a second late, and it is right to 0.2 s."""
    sensor = await bench.add("soleus-nus", Faults(late=0.66, late_s=1.0))
    (session,) = await bench.for_seconds(15, sensor)
    virtual = bench.sensors[sensor.nick]
    life_s, _ = virtual.ledger.samples(Modality.ACC)
    first = NOON + timedelta(seconds=float(life_s[0]) + virtual._born_s)
    assert abs(bench.stored(session).started_at - first) < timedelta(seconds=0.35)


def cut_power(home: Home, wal: Path, synced: int, there: int, dice: random.Random, into: Path) -> Home:
    """The home as the disk has it: of what was written since the last sync only some, and some of it nonsense."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(home.root, into)
    copy = into / wal.relative_to(home.root)
    for shared in into.rglob("*-shm"):
        shared.unlink()
    tail = bytearray(copy.read_bytes()[synced:there])
    for _ in range(3 if tail else 0):
        at = dice.randrange(len(tail))
        tail[at : at + 512] = dice.randbytes(len(tail[at : at + 512]))
    with copy.open("r+b") as file:
        file.truncate(synced)
        file.seek(synced)
        file.write(tail[: dice.randrange(len(tail) + 1)])
    return Home(into)


async def test_a_power_cut_at_any_commit(bench: Bench, tmp_path: Path) -> None:
    """What was synced is there whatever became of the pages that were not, and recovery closes the session."""
    if bench.kind != "bluez":
        pytest.skip("the disk does not know what the air is made of")
    sensor = await bench.add("soleus-nus")
    cuts: list[tuple[Home, int]] = []
    dice = random.Random(4)
    async with bench.recording(sensor) as (supervisor,):
        session = await session_of(supervisor)
        await asyncio.sleep(6)
        wal = session.path.with_name(f"{session.path.name}-wal")
        for number in range(12):
            await asyncio.sleep(1.1)
            session._writer.flush()
            synced, packets = wal.stat().st_size, session.tally.packets
            await asyncio.sleep(0.75)  # beats take packets; no flush yet, or one that is cut
            session._writer.flush()
            home = cut_power(bench.store.home, wal, synced, wal.stat().st_size, dice, tmp_path / f"cut{number}")
            cuts.append((home, packets))
    for home, packets in cuts:
        with Store(home, clock=lambda: NOON) as store:
            assert recover(store, killed(store)) == []
            assert store.check(full=True) == []
            (stored,) = store.sessions()
            assert stored.ended_at is not None
            assert stored.totals.packets >= packets


async def test_what_is_durable_is_never_older_than_2_s(bench: Bench) -> None:
    """At any instant the file on the disk, read by another process, holds all but the last two seconds."""
    sensor = await bench.add("soleus-nus", Faults(plan=[Planned(15, Mishap.LINK_LOSS)]))
    ledger = bench.sensors[sensor.nick].ledger
    async with bench.recording(sensor) as (supervisor,):
        session = await session_of(supervisor)
        for _ in range(40):
            await asyncio.sleep(0.63)
            before_s = bench.sensors[sensor.nick].life_s - 2
            due = sum(entry.life_s <= before_s for entry in ledger.delivered())
            with open_recording(session.path) as recording:
                assert sum(len(batch) for batch in recording.batches()) >= due


async def test_a_movement_ticks_within_half_a_second(bench: Bench) -> None:
    """From the arrival of the packet that ends a push-up or a raise to its tick on the screen.

    Steps are left out: the first of a walk is believed with the second, a stride later.
    """
    rng = np.random.default_rng(70)
    teller = Teller(Wearer.anybody(rng), 100.0, rng)
    teller.sit(16.0).pushups(Raises(6, 40.0, np.radians(30.0))).sit(5.0)
    told = teller.stand_up().stand(6.0).raises(Raises(5, 30.0, np.radians(36.0))).stand(14.0).record()
    sensor = await bench.add("soleus-nus", source=FromBlocks(told.blocks))
    ticks: list[tuple[float, Counter[Kind]]] = []

    def tell(supervisors: Sequence[Supervisor]) -> None:
        session = supervisors[0].session
        if session is not None:
            shown = Counter({kind: session.tally.shown(kind) for kind in Kind})
            ticks.append((asyncio.get_running_loop().time(), shown))
        if told.blocks[0].t_s[-1] < bench.sensors[sensor.nick].life_s:
            supervisors[0].stop()

    await record(bench.radio, bench.store, [sensor], bench.clock, minutes=None, tell=tell, tell_every_s=DRAW_EVERY_S)
    virtual = bench.sensors[sensor.nick]
    entries = virtual.ledger.arrived()
    seen: Counter[Kind] = Counter()
    for event in told.truth:
        seen[event.kind] += 1
        arrived_s = next(e.life_s for e in entries if e.life_s >= event.end_s) + virtual._born_s
        ticked_s = next(at_s for at_s, shown in ticks if shown[event.kind] >= seen[event.kind])
        assert ticked_s - arrived_s <= 0.5
    assert seen == {Kind.SOLEUS_PUSHUP: 6, Kind.HEEL_RAISE: 5}
