"""The service for minutes of real time, killed again and again or left alone. Not a test; run by hand, on Linux.

    python -m tests.service_runs kills [--times 50] [--first 130] [--longest 10] [--seed 1]
    python -m tests.service_runs idle [--minutes 5]
    python -m tests.service_runs days [--days 7] [--worn 2]

A fake bluetoothd with one sensor on a sitting leg runs in a process of its own, and `soleus service run` in another.
`kills` plays the system's manager: it ends the service with SIGKILL at random instants of its recording and starts it
again; then it says how much of what had reached the host was lost, and whether the reminders remember everything.
`idle` measures processor time and memory beside those of an empty event loop. `days` lets days go by in virtual time,
in one process with radio and sensor, worn for some hours of each and out of range for the rest; it says whether the
memory stays, and how soon the sensor was found on each return. Exit code 1 where a claim fails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from analysis.events import Leg
from analysis.leg.story import Teller, Wearer
from drivers.recording import open_recording
from drivers.virtual.carriers import Kind, on_the_air
from drivers.virtual.clock import VirtualTimeLoop
from drivers.virtual.faults import Faults, Mishap, Planned
from drivers.virtual.ledger import Ledger
from drivers.virtual.process import virtual_peripheral
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import FromBlocks
from tests.tracker.live.conftest import LoopClock
from tracker.channels.probes import Known, Probes
from tracker.home import Home
from tracker.remind.decisions import Answer, Button
from tracker.remind.state import Reminder, State
from tracker.service.loop import Loop, Outside
from tracker.service.sd_notify import Systemd
from tracker.service.state import Phase, read_state
from tracker.store import Sensor, Store

ROOT = Path(__file__).parents[1]
MOST_LOST_S = 2.0
MOST_GROWTH_MB = 5.0
MOST_CPU_PERCENT, MOST_MEGABYTES = 3.0, 200.0
RULES = """\
[channels]
on = []
[remind]
still_min = 1
cool_down_min = 1
daily_cap = 1000
hours = "00:00-24:00"
"""
_EMPTY_LOOP = """
import asyncio
async def beat():
    while True:
        await asyncio.sleep(0.25)
asyncio.run(beat())
"""


def sitting() -> FromBlocks:
    """Somebody who sits still for ever, with the noise of a real chip."""
    rng = np.random.default_rng(3)
    return FromBlocks(Teller(Wearer.anybody(rng), 100.0, rng).sit(600.0).record().blocks, repeat_s=600.0)


@dataclass
class Place:
    """A radio with one sensor, and a home in which it is paired."""

    environ: dict[str, str]
    home: Home

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command of the program in a process of its own."""
        quiet = subprocess.DEVNULL
        command = [sys.executable, "-m", "tracker", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.environ, stdin=quiet, stdout=quiet)

    def store(self) -> Store:
        """The home's store."""
        return Store(self.home, clock=lambda: datetime.now(UTC))

    def streaming(self, service: subprocess.Popen[bytes], within_s: float = 90.0) -> None:
        """Wait until a service has samples; the state file says so."""
        end_s = time.monotonic() + within_s
        while time.monotonic() < end_s:
            state = read_state(self.home)
            if state is not None and state.pid == service.pid and state.phase is Phase.RECORDING:
                return
            if service.poll() is not None:
                raise SystemExit(f"the service ended by itself, exit code {service.returncode}")
            time.sleep(0.1)
        raise SystemExit("the service did not stream")


@contextmanager
def place() -> Iterator[Place]:
    """A fresh one."""
    with tempfile.TemporaryDirectory(prefix="soleus") as folder:
        options = ["--socket", f"{folder}/bus", "--sensor", "left=soleus-nus", "--until-eof"]
        command = [sys.executable, "-m", "drivers.virtual.process", *options, "--source", "tests.service_runs:sitting"]
        with subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        ) as radio:
            assert radio.stdin is not None
            assert radio.stdout is not None
            address = radio.stdout.readline().strip()
            assert radio.stdout.readline() == "ready\n"
            radio.stdin.write("sensors\n")
            (sensor,) = json.loads(radio.stdout.readline())
            home = Home(Path(folder) / "home").create()
            home.settings.write_text(RULES)
            environ = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "SOLEUS_HOME": str(home.root), "TZ": "UTC"}
            made = Place(environ, home)
            try:
                paired = made.start("pair", sensor["name"], "--as", "left", "--leg", "left", "--yes").wait(60)
                assert paired == 0
                yield made
            finally:
                radio.kill()


@dataclass(frozen=True)
class Memory:
    """What the reminders know at one instant."""

    rows: tuple[Reminder, ...]
    state: State


def memory(found: Place) -> Memory:
    """What is on the disk."""
    with found.store() as store:
        text, _ = store.reminder_state()
        return Memory(tuple(store.reminders()), (State.from_json(text) if text else None) or State())


def forgotten(before: Memory, after: Memory) -> list[str]:
    """What the later memory lacks of the earlier one."""
    later = {row.id: row for row in after.rows}
    lost = [f"reminder {row.id}" for row in before.rows if row.id not in later]
    lost += [
        f"when reminder {row.id} was shown or answered" for row in before.rows
        if row.id in later and (row.shown_s, row.answered_s) != (later[row.id].shown_s, later[row.id].answered_s)
        and row.end is not None
    ]  # fmt: skip
    if not set(before.state.shown) <= set(after.state.shown):
        lost.append("messages that count towards the day's cap")
    for name in ("snoozed_until_s", "off_until_s"):
        if getattr(after.state, name) < getattr(before.state, name):
            lost.append(name)
    return lost


def kills(times: int, first_s: float, longest_s: float, seed: int) -> int:
    """Kill it so many times, first after `first_s`, then after 0 to `longest_s`; print a table; the exit code."""
    dice = random.Random(seed)
    killed_ns: list[int] = []
    lost: list[str] = []
    with place() as found:
        before = Memory((), State())
        for kill in range(times):
            service = found.start("service", "run")
            found.streaming(service)
            lost += [f"kill {kill}: {what}" for what in forgotten(before, memory(found))]
            if kill == times // 2:
                with found.store() as store:
                    store.queue_answer(Answer(Button.SNOOZE, minutes=2.0))
            time.sleep(dice.uniform(0.0, longest_s) if kill else first_s)
            before = memory(found)
            service.kill()
            killed_ns.append(time.clock_gettime_ns(time.CLOCK_BOOTTIME))
            service.wait()
            print(f"{kill + 1} of {times}: {len(before.rows)} reminders", file=sys.stderr, flush=True)  # noqa: T201
        service = found.start("service", "run")
        found.streaming(service)
        lost += [f"at the end: {what}" for what in forgotten(before, memory(found))]
        service.terminate()
        code = service.wait(10)
        arrivals = stored_ns(found.home)
        sessions = found_sessions(found)
    lost_s = [(at - max(seen for seen in arrivals if seen <= at)) / 1e9 for at in killed_ns]
    away_s = [(min(seen for seen in arrivals if seen > at) - at) / 1e9 for at in killed_ns]
    close = [later - earlier for earlier, later in zip(sorted(shown(before)), sorted(shown(before))[1:], strict=False)]
    rows = {
        "killed": str(times),
        "data lost that had reached the host, s": f"median {statistics.median(lost_s):.2f}, most {max(lost_s):.2f}",
        "from the kill to the next sample, s": f"median {statistics.median(away_s):.1f}, most {max(away_s):.1f}",
        "reminders due / shown": f"{len(before.rows)} / {len(shown(before))}",
        "least time between two messages, s": f"{min(close):.0f}" if close else "-",
        "reminder state lost": ", ".join(lost) or "nothing",
        "sessions left open": str(sum(one["ended_at"] is None for one in sessions)),
        "exit code of the last, by SIGTERM": str(code),
    }
    print("| what | figure |\n|---|---|")  # noqa: T201
    print("\n".join(f"| {what} | {figure} |" for what, figure in rows.items()))  # noqa: T201
    return int(bool(lost) or max(lost_s) > MOST_LOST_S or code != 0 or (bool(close) and min(close) < 60.0))


def shown(known: Memory) -> list[float]:
    """When messages came."""
    return [row.shown_s for row in known.rows if row.shown_s is not None]


def stored_ns(home: Home) -> list[int]:
    """Arrivals of all packets that recordings hold."""
    arrivals: list[int] = []
    for path in sorted(home.recordings.glob("live-*.sqlite")):
        with open_recording(path) as recording:
            arrivals += [packet.arrival_ns for batch in recording.batches() for packet in batch]
    return sorted(arrivals)


def found_sessions(found: Place) -> list[dict[str, Any]]:
    """Sessions as `soleus sessions` shows them, once it has closed what was left."""
    command = [sys.executable, "-m", "tracker", "sessions", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=found.environ, capture_output=True, text=True, check=True)
    listed: list[dict[str, Any]] = json.loads(done.stdout)
    return listed


@dataclass(frozen=True)
class Usage:
    """What a process has used."""

    cpu_s: float
    megabytes: float


def usage(pid: int) -> Usage:
    """Of a process that runs; source: proc(5), /proc/pid/stat fields 14, 15 and 24."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), int(fields[21]) * os.sysconf("SC_PAGE_SIZE") / 1e6)


def idle(minutes: float) -> int:
    """Leave it alone; print what it uses; the exit code."""
    with place() as found:
        empty = subprocess.Popen([sys.executable, "-c", _EMPTY_LOOP])
        service = found.start("service", "run")
        found.streaming(service)
        time.sleep(30.0)
        began_s, first, first_empty = time.monotonic(), usage(service.pid), usage(empty.pid)
        memories = [first.megabytes]
        while time.monotonic() - began_s < minutes * 60:
            time.sleep(5.0)
            memories.append(usage(service.pid).megabytes)
        took_s, last, last_empty = time.monotonic() - began_s, usage(service.pid), usage(empty.pid)
        service.terminate()
        code = service.wait(10)
        empty.kill()
        empty.wait()
    percent = 100 * (last.cpu_s - first.cpu_s) / took_s
    nothing = 100 * (last_empty.cpu_s - first_empty.cpu_s) / took_s
    print("| what | figure |\n|---|---|")  # noqa: T201
    print(f"| measured for, s | {took_s:.0f} |")  # noqa: T201
    print(f"| processor, percent of one core | {percent:.2f}, an empty loop {nothing:.2f} |")  # noqa: T201
    print(f"| memory, MB | first {memories[0]:.0f}, last {memories[-1]:.0f}, most {max(memories):.0f} |")  # noqa: T201
    return int(percent - nothing > MOST_CPU_PERCENT or max(memories) > MOST_MEGABYTES or code != 0)


def days(number: float, worn_h: float) -> int:
    """Let so many days go by; print the memory and the returns; the exit code."""
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="soleus") as folder, asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.get_loop().set_exception_handler(lambda *_: None)
        memories, found_s = runner.run(_days(Home(Path(folder)).create(), number, worn_h))
    day = memories[23:] if number > 1 else memories[round(worn_h) + 1 :]
    growth_mb = day[-1] - day[0]
    print("| what | figure |\n|---|---|")  # noqa: T201
    print(f"| simulated days, worn hours of each | {number:g}, {worn_h:g} |")  # noqa: T201
    print(f"| memory of all, MB, each sixth hour | {', '.join(f'{mb:.1f}' for mb in memories[::6])} |")  # noqa: T201
    print(f"| grown since it had seen all of it, MB | {growth_mb:.1f} |")  # noqa: T201
    print(f"| found on its return after, s | {', '.join(f'{s:.0f}' for s in found_s)} |")  # noqa: T201
    return int(growth_mb > MOST_GROWTH_MB or max(found_s, default=0.0) > 20.0)


async def _days(home: Home, number: float, worn_h: float) -> tuple[list[float], list[float]]:
    """Memory after each hour, and how long after each return the first sample came."""
    home.settings.write_text(RULES)
    away_s = 86_400 - worn_h * 3600
    clock = LoopClock()
    plan = [Planned(day * 86_400 + worn_h * 3600, Mishap.VANISH, away_s) for day in range(math.ceil(number))]
    peripheral = virtual_peripheral("soleus-nus")
    sensor = VirtualSensor(
        peripheral, sitting(), Faults(plan=plan), name=peripheral.local_name, address="C0:00:00:00:00:01",
        ledger=Ledger(keep=False),
    )  # fmt: skip
    memories: list[float] = []
    found_s: list[float] = []
    with Store(home, clock=clock.now) as store:
        async with on_the_air(kind=Kind.BLUEZ) as (radio, air):
            store.keep_sensor(Sensor("left", sensor.name, sensor.address, "soleus-nus", Leg.LEFT))
            await air.add(sensor)
            outside = Outside(radio, clock, Probes(_no, _no, _no, _no), Systemd({}), guard=False)
            loop = Loop(home, store, outside, logging.getLogger("days"))
            work = asyncio.create_task(loop.run())
            for hour in range(round(number * 24)):
                await asyncio.sleep(3600)
                memories.append(usage(os.getpid()).megabytes)
                print(f"hour {hour + 1}: {memories[-1]:.0f} MB", file=sys.stderr, flush=True)  # noqa: T201
                if (hour + 1) % 24 == 0:
                    began_s = asyncio.get_running_loop().time()
                    while not any(one.silent_s < 1.0 and one.has_data for one in loop._recorder.supervisors):
                        await asyncio.sleep(0.25)
                    found_s.append(asyncio.get_running_loop().time() - began_s)
            loop.stop()
            await work
    return memories, found_s


async def _no() -> Known:
    return Known(False, "not here")


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.service_runs", description=__doc__)
    chosen = parser.add_subparsers(dest="run", required=True)
    killing = chosen.add_parser("kills")
    killing.add_argument("--times", type=int, default=50)
    killing.add_argument("--first", type=float, default=130.0, help="seconds; a reminder comes after about 95")
    killing.add_argument("--longest", type=float, default=10.0, help="seconds, of all runs but the first")
    killing.add_argument("--seed", type=int, default=1)
    chosen.add_parser("idle").add_argument("--minutes", type=float, default=5.0)
    going = chosen.add_parser("days")
    going.add_argument("--days", type=float, default=7.0)
    going.add_argument("--worn", type=float, default=2.0, help="hours of each day")
    given = parser.parse_args(argv)
    if given.run == "days":
        return days(given.days, given.worn)
    return kills(given.times, given.first, given.longest, given.seed) if given.run == "kills" else idle(given.minutes)


if __name__ == "__main__":
    raise SystemExit(main())
