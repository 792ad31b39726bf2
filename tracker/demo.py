"""The demo: a simulated leg wears a virtual sensor; everything behind it is the real thing.

The virtual sensor speaks the byte protocol of a Polar Verity Sense to the ordinary Bluetooth client, which
records, decodes, counts and stores it, into a home of the demo's own. To be over soon, the sensor lives faster
than the clock on the wall, and so does the demo's clock.
"""

from __future__ import annotations

import shutil
import sys
from asyncio import run
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.util import find_spec

import numpy as np

from analysis.events import Contraction, Findings, Gap, Kind, Leg, Rejection, StateSpan
from analysis.leg.days import HOUR_S, Habits, worn_hour
from analysis.leg.gait import Gait
from analysis.leg.movements import Raises
from analysis.leg.story import Recorded, Teller, Wearer
from analysis.samples import SampleBlock
from drivers.ble import Radio
from drivers.virtual.carriers import on_the_air
from drivers.virtual.faults import Faults
from drivers.virtual.polar_pmd import VirtualPolar
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import FromBlocks
from drivers.virtual.wire import Wire
from tracker.counting import count
from tracker.facts import Facts
from tracker.home import Home
from tracker.intake import batch_of
from tracker.live.clock import Clock
from tracker.live.recording_run import record
from tracker.live.supervisor import Supervisor
from tracker.store import Batch, NewSession, Sensor, Store

SPEED = 30.0
"""How much faster than the wall's clock the demo lives."""

LEAD_S = 120.0
"""The leg sits still this long at first, while the link is made."""

RATE_HZ = 52.0
SEED = 2026
FORTNIGHT = 14
ADDRESS = "C0:DE:00:00:00:01"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the leg truly did, and what was counted of it."""

    truth: Counter[Kind]
    counted: Counter[Kind]
    session_id: int


@dataclass(frozen=True, slots=True)
class FastClock:
    """A clock that began in the past and runs `SPEED` times as fast, so that the demo ends in the present."""

    began: datetime
    host: Clock
    began_ns: int

    def steady_ns(self) -> int:
        """Nanoseconds of the demo's own time."""
        return int((self.host.steady_ns() - self.began_ns) * SPEED)

    def now(self) -> datetime:
        """The demo's wall time."""
        return self.began + timedelta(microseconds=self.steady_ns() / 1000)


def demo_story() -> Recorded:
    """Sit, push-ups, stand up, raises, a walk, sit down, push-ups again: about five minutes."""
    rng = np.random.default_rng(SEED)
    teller = Teller(Wearer.anybody(rng), RATE_HZ, rng)
    teller.sit(LEAD_S).pushups(Raises(12, 40.0, np.radians(30.0))).sit(15.0)
    teller.stand_up().stand(8.0).raises(Raises(10, 30.0, np.radians(38.0))).stand(6.0)
    teller.walk(Gait(1.2, 1.1), 30).stand(6.0).sit_down().sit(15.0)
    return teller.pushups(Raises(8, 55.0, np.radians(25.0))).sit(20.0).record()


def run_demo(home: Home, tell: Callable[[Sequence[Supervisor]], None], host: Clock) -> Outcome:
    """Play the story over the virtual radio into the demo's home, after a fortnight of earlier days.

    Raises:
        LinkError: the virtual radio cannot be made on this system.
        StoreError: the disk does not take it.
    """
    shutil.rmtree(home.root, ignore_errors=True)
    home.create()
    story = demo_story()
    length_s = float(story.blocks[0].t_s[-1])
    clock = FastClock(host.now() - timedelta(seconds=length_s), host, host.steady_ns())
    with Store(home, clock=clock.now) as store:
        _keep_fortnight(store, host.now())
        sensor = Sensor("demo", VirtualPolar().local_name, ADDRESS, "polar-pmd", Leg.LEFT, "above the ankle", 87.0)
        store.keep_sensor(sensor)
        session_id = run(_stream(store, sensor, story, clock, tell))
        counts = store.session(session_id).counts or {}
        counted = Counter({kind: number for kind, number in counts.items() if number})
    truth = Counter(event.kind for event in story.truth)
    return Outcome(truth, counted, session_id)


async def _stream(
    store: Store, sensor: Sensor, story: Recorded, clock: FastClock, tell: Callable[[Sequence[Supervisor]], None]
) -> int:
    length_s = float(story.blocks[0].t_s[-1])
    faults = Faults(drift_ppm=(SPEED - 1.0) * 1e6)
    worn = VirtualSensor(VirtualPolar(), FromBlocks(_sped_up(story.blocks)), faults, address=ADDRESS, seed=SEED)

    def watched(supervisors: Sequence[Supervisor]) -> None:
        tell(supervisors)
        if worn.own_s > length_s:
            for supervisor in supervisors:
                supervisor.stop()

    async with virtual_radio(worn) as radio:
        done = await record(radio, store, [sensor], clock, minutes=None, tell=watched, tell_every_s=0.5)
    session = done[0].session
    return int(session.session_id or 0) if session else 0


def _sped_up(blocks: tuple[SampleBlock, ...]) -> list[SampleBlock]:
    """The story as it happens beside the wall's clock; the sensor's own clock brings it back to its pace."""
    return [SampleBlock(b.modality, b.t_s / SPEED, b.values, b.channels, b.rate_hz) for b in blocks]


def has_air(platform: str = sys.platform) -> bool:
    """Whether a virtual radio can be made here: Linux has the fake bluetoothd, other systems need bumble."""
    return platform == "linux" or find_spec("bumble") is not None


@asynccontextmanager
async def virtual_radio(sensor: VirtualSensor) -> AsyncIterator[Radio]:
    """A radio with one virtual sensor on the air; where no air can be made, the sensor is on a wire."""
    if not has_air():
        async with Wire([sensor]) as radio:
            yield radio
        return
    async with on_the_air([sensor]) as (radio, _):
        yield radio


def _keep_fortnight(store: Store, now: datetime) -> None:
    """Two weeks of earlier days, put together from a few simulated hours that were counted once each."""
    rng = np.random.default_rng(SEED + 1)
    wearer = Wearer.anybody(rng)
    lazy, brisk = Habits(1.0, 30, 0.3, 0.1, 10), Habits(4.0, 60, 2.5, 1.0, 15)
    hours = [count([worn_hour(wearer, habits, 26.0, rng).blocks]) for habits in (lazy, lazy, Habits(), Habits(), brisk)]
    for ago in range(FORTNIGHT, 0, -1):
        morning = (now - timedelta(days=ago)).replace(hour=9, minute=int(rng.integers(50)), second=0, microsecond=0)
        keen = 0.2 + 0.6 * (FORTNIGHT - ago) / FORTNIGHT
        worn = [hours[_pick(rng, keen, len(hours))] for _ in range(int(rng.integers(4, 10)))]
        _keep_day(store, morning, worn)


def _pick(rng: np.random.Generator, keen: float, number: int) -> int:
    return int(np.clip(round(rng.normal(keen, 0.25) * (number - 1)), 0, number - 1))


def _keep_day(store: Store, morning: datetime, worn: list[Facts]) -> None:
    found = Findings()
    for number, facts in enumerate(worn):
        found = found + later(facts.findings, number * HOUR_S)
    end_s = len(worn) * HOUR_S
    batch = Batch(found, 0.0, end_s, batch_of(worn[0]).algorithm)
    new = NewSession(started_at=morning, leg=Leg.LEFT, sensor="demo", uid=f"demo-{morning.isoformat()}")
    session_id = store.begin(new)
    store.append(session_id, batch)
    store.finish(session_id, morning + timedelta(seconds=end_s))


def later(found: Findings, by_s: float) -> Findings:
    """The same findings, by_s later."""

    def contraction(c: Contraction) -> Contraction:
        return replace(c, onset_s=c.onset_s + by_s, peak_s=c.peak_s + by_s, end_s=c.end_s + by_s)

    def stretch(s: StateSpan) -> StateSpan:
        return replace(s, start_s=s.start_s + by_s, end_s=s.end_s + by_s)

    return Findings(
        tuple(contraction(c) for c in found.contractions),
        tuple(stretch(s) for s in found.spans),
        tuple(Rejection(r.peak_s + by_s, r.rule) for r in found.rejections),
        tuple(Gap(g.start_s + by_s, g.end_s + by_s) for g in found.gaps),
        found.bounce_s,
    )
