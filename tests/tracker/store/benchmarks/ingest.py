"""How fast events go in with roll-up, and days come out of ten years; printed, never asserted.

Run: python -m tests.tracker.store.benchmarks.ingest [events], from the top of the work tree.
"""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from analysis.events import Algorithm, Contraction, Findings, Kind, Leg, State, StateSpan
from tracker.home import Home
from tracker.store import Batch, NewSession, Store
from tracker.store.findings import event_rows
from tracker.store.rollup import COLUMNS, STILL

START = datetime(2016, 1, 1, tzinfo=UTC)
ALGORITHM = Algorithm("bench", "1", "0" * 64)
BERLIN = ZoneInfo("Europe/Berlin")


def cpu_s(work: Callable[[], object], repeats: int = 1) -> float:
    """Median CPU seconds of some work."""
    took = []
    for _ in range(repeats):
        before = time.process_time()
        work()
        took.append(time.process_time() - before)
    return statistics.median(took)


def walking(events: int) -> Findings:
    """Steps 1.1 s apart, in alternating ten-minute labels."""
    end_s = events * 1.1 + 1
    contractions = tuple(
        Contraction(Kind.STEP, i * 1.1, i * 1.1 + 0.3, i * 1.1 + 0.6, 0.9, "swing", 1.5, {"gait": "walk"})
        for i in range(events)
    )
    spans = tuple(
        StateSpan(State.WALKING if i % 2 else State.STANDING, i * 600.0, min((i + 1) * 600.0, end_s))
        for i in range(int(end_s // 600) + 1)
    )
    return Findings(contractions, spans)


def plain(folder: Path, findings: Findings, *, rows_ready: bool) -> float:
    """The yardstick: executemany into a table without a key, one durable commit."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    columns = ", ".join(f"column{number}" for number in range(13))
    connection.execute(f"CREATE TABLE events ({columns})")
    rows = event_rows(1, 0, findings.contractions, 1)
    ready = list(rows) if rows_ready else rows

    def insert() -> None:
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO events VALUES ({', '.join('?' * 13)})", ready)
        connection.execute("COMMIT")

    took = cpu_s(insert)
    connection.close()
    (folder / "plain.db").unlink()
    return took


def stored(folder: Path, findings: Findings, *, batches: int = 1) -> float:
    """The same events through the store."""
    until_s = findings.spans[-1].end_s
    with Store(Home(folder / f"home{batches}"), clock=lambda: START) as store:
        session = store.begin(NewSession(START, Leg.LEFT))
        size = len(findings.contractions) // batches
        parts = [
            Batch(
                Findings(findings.contractions[i * size : (i + 1) * size], findings.spans if not i else ()),
                until_s * i / batches,
                until_s * (i + 1) / batches,
                ALGORITHM,
            )
            for i in range(batches)
        ]
        return cpu_s(lambda: [store.append(session, part) for part in parts])


def ten_years(folder: Path, per_quarter: int) -> tuple[float, float]:
    """CPU seconds for a month and for a day out of ten years of roll-up, both legs worn 16 h a day."""
    home = Home(folder / f"years{per_quarter}")
    Store(home, clock=lambda: START).close()
    random.seed(1)
    connection = sqlite3.connect(home.database)
    names = ("leg", "start_utc_s", *COLUMNS, *STILL)
    epoch = int(START.timestamp())
    rows = (
        (
            *(leg, epoch + day * 86400 + quarter * 900, 0, 0, 0, per_quarter, 0),
            *(900_000_000, 900_000_000, 900_000_000, 0, 0, 0),
            *random.choice(((900_000_000,) * 3, (20_000_000, 400_000_000, 70_000_000))),
        )
        for leg in ("left", "right")
        for day in range(3653)
        for quarter in range(24, 88)
    )
    marks = ", ".join("?" * len(names))
    connection.executemany(f"INSERT INTO quarter_hours ({', '.join(names)}) VALUES ({marks})", rows)
    connection.commit()
    connection.close()
    with Store(home, clock=lambda: START, read_only=True) as store:
        month = cpu_s(lambda: store.days(date(2023, 3, 1), 31, BERLIN, 4), 50)
        return month, cpu_s(lambda: store.day(date(2023, 3, 26), BERLIN, 4), 50)


def main() -> None:
    """Print the table."""
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 300_000
    findings = walking(events)
    say = sys.stdout.write
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        ready = plain(folder, findings, rows_ready=True)
        built = plain(folder, findings, rows_ready=False)
        whole = stored(folder, findings)
        batched = stored(folder, findings, batches=200)
        say(f"{events} events, CPU seconds\n")
        say(f"  executemany, rows ready         {ready:7.3f}\n")
        say(f"  executemany, from contractions  {built:7.3f}\n")
        say(f"  store, one batch                {whole:7.3f}  {ready / whole:.2f}x  {built / whole:.2f}x\n")
        say(f"  store, 200 batches              {batched:7.3f}  {ready / batched:.2f}x  {built / batched:.2f}x\n")
        for per_quarter in (1, 43):
            month, day = ten_years(folder, per_quarter)
            total = per_quarter * 2 * 3653 * 64
            say(f"ten years, {total / 1e6:.1f} M events: month {month * 1e3:.2f} ms, day {day * 1e3:.2f} ms\n")


if __name__ == "__main__":
    main()
