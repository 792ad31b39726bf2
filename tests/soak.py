"""A long soak in virtual time: what is stored after an hour of bad radio, against the truth. Not a test; run by hand.

    python -m tests.soak [--hours H] [--driver NAME] [--carrier bluez|bumble] [--together] [--day]

Each driver on each carrier records a simulated leg, with 20 link losses an hour, 1 % of the packets lost, stalls and
a reboot. What is counted is compared with the counts of the same samples without a gap: those that the sensor took,
and between them what it would have taken. `--together` records the drivers named (else four makes) side by side, and
nothing is to be lost. `--day --hours 24` feeds a live session without a radio and prints its memory of each hour.
Prints a row of a Markdown table each; exit code 1 where a claim fails.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import process_time

import numpy as np

from analysis.events import Findings
from analysis.events import Leg as Side
from analysis.grid import BREAK_S, GAP_S
from analysis.leg.days import Habits, worn_hour
from analysis.leg.story import Wearer
from analysis.samples import FloatArray, Modality, SampleBlock
from drivers import registry
from drivers.packets import RawPacket
from drivers.recording import open_recording
from drivers.virtual.carriers import Kind, on_the_air
from drivers.virtual.clock import VirtualTimeLoop
from drivers.virtual.faults import Fate, Faults, Mishap, Planned, scattered
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import FromBlocks, rocking
from tests.tracker.live.conftest import NOON, Bench
from tests.wearables import WEARABLES, main_modality
from tracker.counting import count
from tracker.home import Home
from tracker.live.session import LiveSession
from tracker.live.supervisor import BEAT_S
from tracker.store import Sensor, Store

FOUR = ("polar-pmd", "witmotion", "myo", "soleus-nus")
SITTING_S = 13.0
"""So long a fixture's leg sits still before anything else."""

FLAT_MB = 5.0
"""Memory may wander by so much after the first of 24 parts."""

NEAR_GAP_S = 10.0
"""What is counted is final 10 s after the movement, so nothing farther from it than that can have had a say."""

NEAR_LOSS_S = 1.0
"""A lost packet that is bridged takes the movement that it held: those within so much of it are not judged."""

CUT = ("bitalino",)
"""Frames of these lie across notifications, and nothing but the arrivals tells when: no packet is decoded by itself."""

UNTAGGED = ("bitalino", "myoware", "umyo")
"""Packets of these begin with data: no first byte tells one kind from another."""

COLUMNS = ("driver", "air", "packets", "lost", "reconnects", "gap s", "invented", "twice", "off by ms (max)",
           "counted outside gaps, without / with gaps", "in all")  # fmt: skip


def bad_hours(hours: float) -> Faults:
    """The book of faults of a soak."""
    end_s = hours * 3600
    plan = scattered(Mishap.LINK_LOSS, round(20 * hours), 60, end_s - 60, seed=5)
    plan += scattered(Mishap.STALL, max(1, round(5 * hours)), 60, end_s - 60, seed=6, lasts_s=6.0)
    plan.append(Planned(end_s / 2, Mishap.REBOOT))
    return Faults(loss=0.01, plan=sorted(plan, key=lambda planned: planned.at_s))


class Leg:
    """What a wearer's leg does in an hour, again and again; its muscles swell as they may."""

    def __init__(self) -> None:
        rng = np.random.default_rng(11)
        self._motion = FromBlocks(worn_hour(Wearer.anybody(rng), Habits(), 50.0, rng).blocks, repeat_s=3600.0)
        self._muscles = rocking()

    def measure(self, modality: Modality, t_s: FloatArray, rate_hz: float) -> Sequence[SampleBlock]:
        """See `Source`."""
        return (self._muscles if modality is Modality.EMG else self._motion).measure(modality, t_s, rate_hz)


@dataclass(slots=True)
class Run:
    """One recorded sensor, its events and gaps on the axis of the sensor's life."""

    session: LiveSession
    sensor: VirtualSensor
    zero_life_s: float
    end_s: float

    def events_s(self) -> FloatArray:
        """Peaks of all contractions that were counted."""
        with open_recording(self.session.path) as recording:
            facts = count(recording.blocks())
        return _peaks_s(facts.findings) + self.zero_life_s

    def without_gaps_s(self, leg: Leg) -> FloatArray:
        """Peaks that are counted of the same samples when those between them are there, too."""
        with open_recording(self.session.path) as recording:
            made = [block for group in recording.blocks() for block in group]
        parts: list[SampleBlock] = []
        for modality in (Modality.ACC, Modality.GYR, Modality.EMG):
            there = [block for block in made if block.modality is modality and not block.stream]
            if there:
                parts.append(self._filled(there, leg))
        return _peaks_s(count([tuple(parts)]).findings) + self.zero_life_s

    def _filled(self, there: Sequence[SampleBlock], leg: Leg) -> SampleBlock:
        """One stream with what the leg did in its gaps, taken as evenly as can be."""
        t_s, values = (np.concatenate(part) for part in zip(*((b.t_s, b.values) for b in there), strict=True))
        period_s = float(np.median(np.diff(t_s)))
        missing = np.maximum(np.rint(np.diff(t_s) / period_s) - 1, 0).astype(int)
        added_s = np.concatenate(
            [np.zeros(0), *(np.linspace(t_s[i], t_s[i + 1], missing[i] + 2)[1:-1] for i in np.flatnonzero(missing))]
        )
        (felt,) = leg.measure(there[0].modality, added_s + self.zero_life_s, 1 / period_s)
        order = np.argsort(np.concatenate([t_s, added_s]))
        every = (
            np.concatenate([t_s, added_s])[order],
            np.concatenate([values, felt.values[:, : values.shape[1]]])[order],
        )
        return SampleBlock(there[0].modality, *every, there[0].channels, 1 / period_s)

    def is_whole(self) -> bool:
        """Whether the recording holds what was delivered, once and in order."""
        with open_recording(self.session.path) as recording:
            kept = [(p.characteristic, p.payload) for batch in recording.batches() for p in batch]
        return kept == [(e.characteristic, e.payload) for e in self.sensor.ledger.delivered()]


def _peaks_s(findings: Findings) -> FloatArray:
    return np.sort([event.peak_s for event in findings.contractions])


def simulate(drivers: Sequence[str], carrier: Kind, hours: float, faults: Faults, home: Path) -> list[Run]:
    """Record so many virtual hours of these sensors side by side."""

    async def work() -> list[Run]:
        with Store(Home(home).create(), clock=lambda: NOON) as store:
            async with on_the_air(kind=carrier) as (radio, air):
                bench = Bench(carrier, air, radio, store)
                paired = [await bench.add(driver, faults, source=leg) for driver in drivers]
                return await _recorded(bench, paired, hours * 3600)

    leg = Leg()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.get_loop().set_exception_handler(lambda *_: None)
        return runner.run(work())


async def _recorded(bench: Bench, paired: Sequence[Sensor], seconds: float) -> list[Run]:
    async with bench.recording(*paired) as supervisors:
        await asyncio.sleep(seconds - 10)
    runs = []
    for sensor, supervisor in zip(paired, supervisors, strict=True):
        assert supervisor.session is not None
        virtual = bench.sensors[sensor.nick]
        zero_s = (supervisor.session._zero_ns() or 0) / 1e9 - virtual._born_s
        runs.append(Run(supervisor.session, virtual, zero_s, seconds))
    return runs


@dataclass(slots=True)
class Placed:
    """Decoded samples against the packets that brought them."""

    invented: int
    twice: int
    errors_s: FloatArray


def placed(run: Run, driver: str) -> Placed:
    """Where the last sample of each delivered packet was put, against when the sensor took it.

    How many samples each packet brought is told by a decoder that need not hold any back: where no clock is in them,
    that of each packet by itself, or, where frames are cut, of all as they would have come without delay.
    """
    entries = run.sensor.ledger.delivered()
    with open_recording(run.session.path) as recording:
        made = [b for group in recording.blocks() for b in group]
        settings = recording.header.settings
        packets = [p for batch in recording.batches() for p in batch]
    decoder = registry.driver(driver).decoder(settings)
    t_s = np.concatenate([b.t_s for b in made if b.modality is main_modality(driver) and not b.stream])
    if driver in CUT:
        packets = [
            RawPacket(round(e.t_s * 1e9), p.characteristic, p.payload) for p, e in zip(packets, entries, strict=True)
        ]
    by_itself = registry.driver(driver).facts.clock is None and driver not in CUT
    sizes = []
    for packet in packets:
        if by_itself:
            decoder = registry.driver(driver).decoder(settings)
        blocks, _ = decoder.feed_many([packet])
        blocks += decoder.finish() if by_itself else []
        sizes.append(sum(len(b) for b in blocks if b.modality is main_modality(driver) and not b.stream))
    brought = np.array([bool(size) and not entry.answer for size, entry in zip(sizes, entries, strict=True)])
    last = np.minimum(np.cumsum(sizes) - 1, t_s.size - 1)[brought]
    taken_s = np.array([entry.t_s for entry in entries])[brought]
    _, taken = run.sensor.ledger.samples(main_modality(driver))
    twice = int(np.count_nonzero(np.diff(t_s) <= 0))
    return Placed(max(0, t_s.size - len(taken), t_s.size - sum(sizes)), twice, t_s[last] + run.zero_life_s - taken_s)


def gaps(run: Run, packet_interval_s: float, *, tagged: bool = True) -> list[tuple[float, float]]:
    """Times of the sensor's life of which samples are missing.

    Told by the ledger: there was no link, or packets did not arrive. A packet holds what was taken since the one
    before it of its kind, two usual intervals at the most.
    """
    ledger = run.sensor.ledger
    up = [0.0, *(edge for link in ledger.links for edge in link if edge is not None), run.end_s]
    holes = list(zip(up[::2], up[1::2], strict=False))
    before: dict[tuple[str, bytes], float] = {}
    for entry in sorted((e for e in ledger.entries if not e.answer), key=lambda e: e.number):
        kind = entry.characteristic, entry.payload[:1] if tagged else b""
        since_s = max(before.get(kind, 0.0), entry.life_s - 2 * packet_interval_s)
        before[kind] = entry.life_s
        if not entry.fate.whole:
            holes.append((since_s, entry.life_s))
    return [hole for hole in joined(holes) if hole[1] - hole[0] > GAP_S]


def joined(holes: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same time without overlap; what is a sample apart is one."""
    whole: list[tuple[float, float]] = []
    for start_s, end_s in sorted(holes):
        if whole and start_s <= whole[-1][1] + 0.02:
            whole[-1] = whole[-1][0], max(whole[-1][1], end_s)
        else:
            whole.append((start_s, end_s))
    return whole


def outside(events_s: FloatArray, holes: Sequence[tuple[float, float]]) -> FloatArray:
    """Events that are not near any gap: nearer than `NEAR_GAP_S` where analysis begins anew, else `NEAR_LOSS_S`."""
    keep = np.ones(events_s.size, bool)
    for start_s, end_s in holes:
        near_s = NEAR_GAP_S if end_s - start_s > BREAK_S else NEAR_LOSS_S
        keep &= (events_s < start_s - near_s) | (events_s > end_s + near_s)
    return events_s[keep]


@dataclass(slots=True)
class Verdict:
    """A row of the table, and which claims failed."""

    cells: list[object]
    failed: list[str] = field(default_factory=list)

    def claim(self, holds: bool, what: str) -> None:
        """Note a claim that does not hold."""
        if not holds:
            self.failed.append(what)


def judge(driver: str, carrier: Kind, bad: Run) -> Verdict:
    """What a bad hour left, against what the sensor knows."""
    found, ledger = placed(bad, driver), bad.sensor.ledger
    known = registry.driver(driver)
    holes = gaps(bad, known.packet_interval_s, tagged=driver not in UNTAGGED)
    all_clean, all_bad = bad.without_gaps_s(Leg()), bad.events_s()
    seen_clean, seen_bad = outside(all_clean, holes), outside(all_bad, holes)
    off_ms = 1e3 * np.abs(found.errors_s - np.median(found.errors_s))
    verdict = Verdict([
        driver, carrier, bad.session.tally.packets, ledger.fates[Fate.LOST] + ledger.fates[Fate.STALLED],
        bad.session.reconnects, f"{sum(end_s - start_s for start_s, end_s in holes):.0f}", found.invented, found.twice,
        f"{np.percentile(off_ms, 99):.0f} ({off_ms.max():.0f})", f"{seen_clean.size} / {seen_bad.size}",
        f"{all_clean.size} / {all_bad.size}",
    ])  # fmt: skip
    verdict.claim(bad.is_whole(), "the recording differs from what was delivered")
    verdict.claim(not found.invented, "samples were invented")
    verdict.claim(not found.twice, "samples twice or out of order")
    verdict.claim(abs(seen_clean.size - seen_bad.size) <= max(1, 0.01 * seen_clean.size), "counts differ")
    packet_ms = 1e3 * known.packet_interval_s
    verdict.claim(known.facts.clock is None or float(off_ms.max()) <= packet_ms, "times off by more than a packet")
    return verdict


def soak(driver: str, carrier: Kind, hours: float) -> Verdict:
    """One driver on one carrier, with every fault there is."""
    with tempfile.TemporaryDirectory() as folder:
        (bad,) = simulate([driver], carrier, hours, bad_hours(hours), Path(folder) / "bad")
        return judge(driver, carrier, bad)


def soak_together(drivers: Sequence[str], carrier: Kind, hours: float) -> Verdict:
    """Several sensors side by side."""
    with tempfile.TemporaryDirectory() as folder:
        runs = simulate(drivers, carrier, hours, Faults(), Path(folder) / "home")
        packets = [run.session.tally.packets for run in runs]
        verdict = Verdict([" ".join(drivers), carrier, sum(packets), 0, sum(r.session.reconnects for r in runs), 0])
        verdict.claim(all(run.is_whole() for run in runs), "something was lost")
        return verdict


class HandClock:
    """The host's clocks, set by hand."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def steady_ns(self) -> int:
        """Nanoseconds since noon."""
        return round(self.at_s * 1e9)

    def now(self) -> datetime:
        """Noon of a day, and so much later."""
        return NOON + timedelta(seconds=self.at_s)


def soak_day(driver: str, hours: float) -> Verdict:
    """Memory and work of one live session, 24 times in all: the driver's fixture, again and again, in real beats.

    The leg moves for a fifth of the time, and sits as at the fixture's beginning for the rest. Only for a sensor
    without a clock: its packets may come at any time.
    """
    with open_recording(Path(__file__).parents[1] / "fixtures" / f"{driver}.jsonl.gz") as recording:
        settings = recording.header.settings
        packets = [packet for batch in recording.batches() for packet in batch]
    stream = a_day_of(packets)
    arrival_s, packet = next(stream)
    resident_mb: list[float] = []
    clock, began_s = HandClock(), process_time()
    with tempfile.TemporaryDirectory() as folder, Store(Home(Path(folder) / "home").create(), clock=clock.now) as store:
        sensor = Sensor("day", "day", "C0:00:00:00:00:01", driver, Side.LEFT)
        store.keep_sensor(sensor)
        session = LiveSession(store, sensor, registry.driver(driver), settings, clock)
        while clock.at_s < hours * 3600:
            clock.at_s += BEAT_S
            while arrival_s <= clock.at_s:
                session.take(RawPacket(round(arrival_s * 1e9), packet.characteristic, packet.payload))
                arrival_s, packet = next(stream)
            session.beat()
            if clock.at_s >= (len(resident_mb) + 1) * hours * 150:
                resident_mb.append(_resident_mb())
                print(f"<!-- {len(resident_mb)}/24: {resident_mb[-1]:.1f} MB -->", flush=True)  # noqa: T201
        session.finish()
    work = 100 * (process_time() - began_s) / (hours * 3600)
    settled = resident_mb[1:]
    told = f"memory {min(settled):.1f} to {max(settled):.1f} MB, {work:.2f} % of a core"
    verdict = Verdict([driver, "none", session.tally.packets, 0, 0, 0, told])
    verdict.claim(max(settled) - min(settled) <= FLAT_MB, "memory grows")
    return verdict


def a_day_of(packets: Sequence[RawPacket]) -> Iterator[tuple[float, RawPacket]]:
    """Arrival seconds and packets without end: all of them, then four times as long those of the first seconds."""
    since_s = [(packet.arrival_ns - packets[0].arrival_ns) / 1e9 for packet in packets]
    sitting = sum(at_s < SITTING_S for at_s in since_s)
    rests = round(4 * since_s[-1] / SITTING_S)
    zero_s = 0.0
    while True:
        for played in (len(packets), *[sitting] * rests):
            for at_s, packet in zip(since_s[:played], packets[:played], strict=True):
                yield zero_s + at_s, packet
            zero_s += since_s[played - 1] + 0.04


def _resident_mb() -> float:
    """Resident memory of this process (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--driver", choices=WEARABLES, action="append")
    parser.add_argument("--carrier", choices=[kind.value for kind in Kind], action="append")
    parser.add_argument("--together", action="store_true", help="all of them side by side, nothing else")
    parser.add_argument(
        "--day", action="store_true", help="the memory of one sensor instead, in 24 parts; say --hours 24"
    )
    given = parser.parse_args(argv)
    logging.disable(logging.CRITICAL)
    carriers = [Kind(name) for name in given.carrier or [kind.value for kind in Kind]]
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")  # noqa: T201
    failed = False
    if given.day:
        rows = [soak_day(driver, given.hours) for driver in given.driver or ["witmotion"]]
        print(*(f"| {' | '.join(map(str, row.cells))} | {' '.join(row.failed)}" for row in rows), sep="\n")  # noqa: T201
        return int(any(row.failed for row in rows))
    for carrier in carriers:
        if given.together:
            verdicts = iter([soak_together(given.driver or FOUR, carrier, given.hours)])
        else:
            verdicts = (soak(driver, carrier, given.hours) for driver in given.driver or WEARABLES)
        for verdict in verdicts:
            print(f"| {' | '.join(map(str, verdict.cells))} |", *verdict.failed, flush=True)  # noqa: T201
            failed |= bool(verdict.failed)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
