"""`soleus export`: samples of a session, events, or days, in files of the wearer."""

from __future__ import annotations

import csv
import io
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import click

from analysis.events import Gap, Kind
from tracker.cli import surroundings
from tracker.cli.options import FILE, force_option
from tracker.cli.output import counted, without_nan
from tracker.errors import ConfigError, NothingFound
from tracker.store import DaySummary, Store
from tracker.store.civil import day_of

DAY = click.DateTime(["%Y-%m-%d"])
EVENT_COLUMNS = (
    "id", "session", "leg", "kind", "onset", "peak", "end", "onset_s", "peak_s", "end_s",
    "confidence", "rule", "strength", "attributes", "algorithm_version",
)  # fmt: skip
DAY_COLUMNS = (
    "day", "zone", "leg", *(str(kind) for kind in Kind), "total", "deliberate",
    "recorded_s", "worn_s", "unknown_s", "gap_s", "bounce_s", "longest_still_s",
)  # fmt: skip


@click.command("export")
@click.option("--session", "session_id", type=int, help="Whose samples.")
@click.option("--samples", type=FILE, help="Write the session's samples (.csv, .csv.gz, .parquet).")
@click.option("--events", type=FILE, help="Write the events (.csv, .json).")
@click.option("--days", type=FILE, help="Write the daily summaries (.csv, .json).")
@click.option("--from", "first", type=DAY, metavar="DATE", help="First day of events and days, such as 2026-05-01.")
@click.option("--to", "last", type=DAY, metavar="DATE", help="Last day, included.")
@force_option
def command(
    session_id: int | None, samples: Path | None, events: Path | None, days: Path | None,
    first: datetime | None, last: datetime | None, force: bool,
) -> None:  # fmt: skip
    """Write samples of one session, events or daily summaries to a file that only you can read."""
    target = _only_one(samples, events, days)
    if (session_id is None) is (samples is not None):
        raise ConfigError("--samples and --session go together: give both, or another export.")
    if target.exists() and not force:
        raise ConfigError(f"{target} is there already: choose another name, or add --force to replace it.")
    with surroundings.open_store(read_only=True) as store:
        if session_id is not None:
            _export_samples(store, session_id, target)
            return
        wanted = _days_wanted(store, first, last)
        if events is not None:
            _export_events(store, wanted, events)
        else:
            _export_days(store, wanted, target)


def _only_one(*targets: Path | None) -> Path:
    given = [target for target in targets if target is not None]
    if len(given) != 1:
        raise ConfigError("choose one of --samples FILE, --events FILE and --days FILE.")
    return given[0]


def _export_samples(store: Store, session_id: int, target: Path) -> None:
    from drivers.recording import open_recording
    from tracker.samplefile import write_samples

    session = store.session(session_id)
    path = None if session.recording is None else store.home.root / session.recording
    if path is None or not path.exists():
        raise NothingFound(f"the recording of session {session_id} is not kept any more, only its counts are.")
    with open_recording(path) as recording:
        written = write_samples(target, without(recording.blocks(), session.forgotten))
    left_out = f" (left out: {', '.join(written.left_out)})" if written.left_out else ""
    click.echo(f"{target}: {counted(written.rows, 'row')} of session {session_id}{left_out}.")


def without(groups: Iterable[tuple[Any, ...]], forgotten: Sequence[Gap]) -> Iterator[tuple[Any, ...]]:
    """Blocks without the samples of forgotten stretches."""
    for group in groups:
        parts = list(group)
        for gap in forgotten:
            parts = [part for block in parts for part in _outside(block, gap)]
        if parts:
            yield tuple(parts)


def _outside(block: Any, gap: Gap) -> list[Any]:
    low, high = (int(block.t_s.searchsorted(edge)) for edge in (gap.start_s, gap.end_s))
    if low == high:
        return [block]
    return [part for part in (block.between(0, low), block.between(high, len(block))) if len(part)]


def _days_wanted(store: Store, first: datetime | None, last: datetime | None) -> tuple[date, int, tzinfo, int]:
    """First day, number of days, zone and start of the day; all days with sessions where none are named."""
    settings, zone = surroundings.settings(), surroundings.zone()
    sessions = store.sessions()
    if not sessions:
        raise NothingFound("nothing is stored yet: `soleus import` or `soleus record` brings something in.")
    edges = [
        day_of(session.started_at + timedelta(seconds=edge), zone, settings.day_start_hour)
        for session in sessions
        for edge in (session.first_s, session.last_s)
    ]
    low = first.date() if first else min(edges)
    high = last.date() if last else max(edges)
    if high < low:
        raise ConfigError("--to is before --from: exchange them.")
    return low, (high - low).days + 1, zone, settings.day_start_hour


def _export_events(store: Store, wanted: tuple[date, int, tzinfo, int], target: Path) -> None:
    first, number, zone, start_hour = wanted
    events = [
        event
        for day in (first + timedelta(days=count) for count in range(number))
        for event in store.events(day, zone, start_hour)
    ]
    _write(target, EVENT_COLUMNS, [event.to_json() for event in events], _event_row, "event")


def _event_row(event: dict[str, Any]) -> list[Any]:
    facts = json.dumps(event["attributes"]) if event["attributes"] else None
    return [facts if name == "attributes" else event[name] for name in EVENT_COLUMNS]


def _export_days(store: Store, wanted: tuple[date, int, tzinfo, int], target: Path) -> None:
    rows = [row for day in store.days(*wanted) for row in _leg_rows(day)]
    _write(target, DAY_COLUMNS, rows, lambda row: [row[name] for name in DAY_COLUMNS], "row")


def _leg_rows(day: DaySummary) -> Iterator[dict[str, Any]]:
    """One row a leg that was recorded that day; counts are empty where nothing could be counted."""
    for name, leg in day.legs.items():
        if leg.recorded_s:
            numbers = leg.to_json()
            counts = numbers.pop("counts") or dict.fromkeys(map(str, Kind))
            yield {"day": day.day.isoformat(), "zone": day.zone, "leg": name, **counts, **numbers}


def _write(
    target: Path,
    columns: Sequence[str],
    rows: Sequence[dict[str, Any]],
    cells: Callable[[dict[str, Any]], list[Any]],
    noun: str,
) -> None:
    """One table as CSV or JSON, by the name of the file."""
    if not rows:
        raise NothingFound("nothing was recorded in that time: choose other days with --from and --to.")
    kind = target.suffix.lower()
    if kind == ".json":
        text = json.dumps(without_nan(rows), allow_nan=False, indent=2) + "\n"
    elif kind == ".csv":
        lines = io.StringIO()
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(cells(row) for row in rows)
        text = lines.getvalue()
    else:
        raise ConfigError(f"{target}: the name must end in .csv or .json.")
    write_private(target, text)
    click.echo(f"{target}: {counted(len(rows), noun)}.")


def write_private(target: Path, text: str) -> None:
    """A file that only its owner can read, whole or not at all."""
    draft = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(target)
    except OSError as error:
        raise ConfigError(f"{target} cannot be written ({error.strerror}): choose another place.") from error
    finally:
        draft.unlink(missing_ok=True)
