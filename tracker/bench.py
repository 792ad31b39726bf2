"""How fast this machine counts, as multiples of one filter pass measured beside it.

The unit R is the processor time of one `scipy.signal.sosfilt` pass (order-4 low-pass, one float64 channel) over
a day at 100 Hz. Absolute seconds drift with the machine and its neighbours; ratios taken in one run do not.
"""

from __future__ import annotations

import gc
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from analysis.events import Contraction, Findings, Kind, Leg, State, StateSpan
from analysis.leg.days import Habits, day
from analysis.leg.story import Wearer
from analysis.pipeline import Pipeline
from analysis.rules import algorithm
from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.recording.reader import GROUP_S
from tracker.home import Home
from tracker.store import Batch, NewSession, Store
from tracker.store.findings import event_rows

RATE_HZ = 100.0
DAY_S = 86_400
BLOCK = round(GROUP_S * RATE_HZ)
"""Samples fed at once: as many as are read of a recording."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report.

    Attributes:
        what: what was measured.
        value: the figure, in `unit`.
        unit: R, ratio, MB, s.
        goal: what we want of it, as text; empty where there is no goal.
        met: whether it is met, None where there is no goal.
    """

    what: str
    value: float
    unit: str
    goal: str = ""
    met: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """A simulated day in memory."""

    t_s: FloatArray
    acc_mps2: FloatArray
    gyr_rad_s: FloatArray

    def blocks(self, block: int = BLOCK, days: int = 1) -> Iterator[tuple[SampleBlock, ...]]:
        """The day, some days in a row, in blocks of both modalities."""
        for number in range(days):
            for at in range(0, self.t_s.size, block):
                part = slice(at, at + block)
                t_s = self.t_s[part] + number * DAY_S
                yield (
                    SampleBlock(Modality.ACC, t_s, self.acc_mps2[part], rate_hz=RATE_HZ),
                    SampleBlock(Modality.GYR, t_s, self.gyr_rad_s[part], rate_hz=RATE_HZ),
                )


def simulated_day(hours: int, seed: int = 7) -> Day:
    """A day at a desk with walks and raises, `hours` of it simulated and repeated to fill 24."""
    rng = np.random.default_rng(seed)
    told = [
        hour
        for number, hour in enumerate(day(Wearer.anybody(rng), Habits(), RATE_HZ, rng))
        if number % 24 >= 24 - hours
    ]
    acc = np.concatenate([hour.blocks[0].values for hour in told])
    gyr = np.concatenate([hour.blocks[1].values for hour in told])
    n = int(DAY_S * RATE_HZ)
    return Day(np.arange(n) / RATE_HZ, np.resize(acc, (n, 3)), np.resize(gyr, (n, 3)))


def filter_pass_s(samples: FloatArray, repeats: int = 5) -> float:
    """Processor seconds of R: one order-4 low-pass over one channel."""
    from scipy.signal import butter, sosfilt

    sos = butter(4, 10.0, fs=RATE_HZ, output="sos")
    channel = np.ascontiguousarray(samples)
    return median(cpu_s(lambda: sosfilt(sos, channel)) for _ in range(repeats))


def cpu_s(run: Callable[[], object]) -> float:
    """Processor seconds of one run."""
    gc.collect()
    start = time.process_time()
    run()
    return time.process_time() - start


def count_day(told: Day, block: int = BLOCK, days: int = 1) -> Findings:
    """Samples in memory to events, states and gaps."""
    pipeline, found = Pipeline(), Findings()
    for group in told.blocks(block, days):
        found = found + pipeline.feed(*group)
    return found + pipeline.finish()


def pipeline_figures(told: Day, report: Callable[[str], None]) -> list[Figure]:
    """The day through the whole pipeline, in R, and what three days cost beside one."""
    report("a day through the pipeline")
    passes, days = [], []
    for _ in range(3):
        passes.append(filter_pass_s(told.acc_mps2[:, 0]))
        days.append(cpu_s(lambda: count_day(told)))
    unit = median(passes)
    in_r = median(d / p for d, p in zip(days, passes, strict=True))
    report("three days in a row")
    growth = median(
        cpu_s(lambda: count_day(told, days=3)) / sum(cpu_s(lambda: count_day(told)) for _ in range(3)) for _ in range(3)
    )
    return [
        Figure("one filter pass over a day (R)", unit, "s"),
        Figure("a day, six channels at 100 Hz, to events and states", in_r, "R", "<= 20, better 10", in_r <= 20),
        Figure("three days beside three times one day", growth, "ratio", "0.95 to 1.05", 0.95 <= growth <= 1.05),
    ]


def notebook_figure(told: Day, report: Callable[[str], None]) -> Figure:
    """A notebook's way, for comparison: zero-phase filters on six channels and rolling statistics."""
    import pandas as pd
    from scipy.signal import butter, sosfiltfilt

    report("the same day the way a notebook would filter it")
    sos = butter(4, 10.0, fs=RATE_HZ, output="sos")

    def run() -> None:
        for values in (told.acc_mps2, told.gyr_rad_s):
            for axis in range(3):
                smooth = pd.Series(sosfiltfilt(sos, values[:, axis]))
                smooth.rolling(100).std()

    unit = filter_pass_s(told.acc_mps2[:, 0], 3)
    return Figure("peer: notebook style, filters and rolling statistics only", cpu_s(run) / unit, "R")


def memory_figure(told: Day) -> Figure:
    """How much memory the pipeline takes at its peak, above the samples themselves, over one day."""
    pipeline = Pipeline()
    tracemalloc.start()
    for group in told.blocks():
        pipeline.feed(*group)
    pipeline.finish()
    grown = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return Figure("memory of the pipeline at its peak, one day", grown, "MB", "<= 64", grown <= 64)


def store_figures(count: int, report: Callable[[str], None]) -> list[Figure]:
    """Events into a durable store with de-duplication and roll-up, beside plain executemany."""
    report(f"{count:,} events into the store")
    events = _events(count)
    found = Findings(events, (StateSpan(State.WALKING, 0.0, count * 1.0),))
    with tempfile.TemporaryDirectory() as folder:
        plain = cpu_s(lambda: _plain_insert(Path(folder) / "plain.sqlite", events))
        home = Home(Path(folder) / "home")
        start = datetime(2026, 1, 1, tzinfo=UTC)
        batch = Batch(found, 0.0, count * 1.0, algorithm())
        with Store(home, clock=lambda: start) as store:
            ours = cpu_s(
                lambda: store.add(
                    NewSession(started_at=start, leg=Leg.LEFT, content_key="bench"),
                    batch,
                    ended_at=start + timedelta(seconds=count),
                )
            )
            month = median(cpu_s(lambda: store.days(start.date(), 31, UTC, 0)) for _ in range(5))
    ratio = plain / ours
    return [
        Figure("ingest of events, beside plain executemany", ratio, "ratio", ">= 0.5", ratio >= 0.5),
        Figure("a month of daily counts, the query alone", month * 1000, "ms", "<= 5", month <= 0.005),
    ]


def _events(count: int) -> tuple[Contraction, ...]:
    return tuple(Contraction(Kind.STEP, i + 0.1, i + 0.3, i + 0.6, 0.9, "swing", 3.2) for i in range(count))


def _plain_insert(path: Path, events: tuple[Contraction, ...]) -> None:
    """The same rows by executemany, durable, with no key, no de-duplication and no roll-up."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE events (a, b, c, d, e, f, g, h, i, j, k, l, m)")
        with database:
            database.executemany(f"INSERT INTO events VALUES ({', '.join('?' * 13)})", event_rows(1, 0, events, 1))


def run_bench(*, quick: bool, report: Callable[[str], None]) -> list[Figure]:
    """All figures; `quick` simulates less of the day and stores fewer events."""
    report("simulating a day")
    told = simulated_day(6 if quick else 24)
    figures = [memory_figure(told), *pipeline_figures(told, report)]
    if not quick:
        figures.append(notebook_figure(told, report))
    return figures + store_figures(50_000 if quick else 500_000, report)
