"""`soleus recount`: the current algorithm over the recordings that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import click

from analysis.events import Kind, Leg
from analysis.rules import algorithm
from drivers.errors import RecordingError
from drivers.recording import open_recording
from tracker.cli import surroundings
from tracker.cli.faults import USAGE, say
from tracker.cli.keeping import keep_house
from tracker.cli.options import json_option
from tracker.cli.output import console, counted, print_json, table
from tracker.cli.progress import Bar
from tracker.counting import count
from tracker.errors import NothingFound
from tracker.intake import Intake, batch_of
from tracker.store import DayChange, SessionRecord, Store
from tracker.store.civil import day_start


@dataclass(slots=True)
class Recounted:
    """What a recount did."""

    sessions: list[int] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)
    damaged: dict[int, str] = field(default_factory=dict)
    changes: list[DayChange] = field(default_factory=list)


@click.command("recount")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="Only sessions of this day and later.")
@json_option
def command(since: datetime | None, as_json: bool) -> int:
    """Count kept recordings again with the current algorithm, and show what differs per day."""
    settings, zone = surroundings.settings(), surroundings.zone()
    low = None
    if since is not None:
        low = datetime.fromtimestamp(day_start(since.date(), zone, settings.day_start_hour), UTC)
    with surroundings.open_store() as store:
        with Intake(store):
            sessions = store.sessions(since=low)[::-1]
            if not sessions:
                raise NothingFound("there is no session to count again.")
            done = recount(store, sessions, zone, settings.day_start_hour)
        keep_house(store, settings)
    if as_json:
        print_json(_document(done))
    else:
        _print(done)
    for session_id, why in done.damaged.items():
        say(f"session {session_id} keeps its old counts: {why}")
    return USAGE if done.damaged else 0


def recount(store: Store, sessions: Sequence[SessionRecord], zone: tzinfo, start_hour: int) -> Recounted:
    """Counts sessions again, the oldest first, each in a transaction of its own."""
    done = Recounted()
    changes: list[DayChange] = []
    with Bar("recount") as bar:
        for number, session in enumerate(sessions):
            bar(number / len(sessions))
            changes += _one(store, session, zone, start_hour, done)
    done.changes = merged(changes)
    return done


def _one(store: Store, session: SessionRecord, zone: tzinfo, start_hour: int, done: Recounted) -> list[DayChange]:
    path = None if session.recording is None else store.home.root / session.recording
    if session.ended_at is None:
        done.skipped[session.id] = "it is being recorded"
        return []
    if path is None or not path.exists():
        done.skipped[session.id] = "its recording is not kept any more"
        return []
    try:
        with open_recording(path) as recording:
            facts = count(recording.blocks())
    except RecordingError as error:
        done.damaged[session.id] = str(error)
        return []
    if not facts.streams:
        done.skipped[session.id] = "no samples could be decoded from its recording"
        return []
    done.sessions.append(session.id)
    return store.recount(session.id, batch_of(facts), zone, start_hour)


def merged(changes: Sequence[DayChange]) -> list[DayChange]:
    """Changes of one day and leg as one, from the first count to the last; none where they cancel out."""
    days: dict[tuple[date, Leg | None], DayChange] = {}
    for change in changes:
        key = (change.day, change.leg)
        before = days[key].before if key in days else change.before
        days[key] = DayChange(change.day, change.leg, before, change.after)
    kept = [change for change in days.values() if change.before != change.after]
    return sorted(kept, key=lambda change: (change.day, str(change.leg)))


def _document(done: Recounted) -> dict[str, Any]:
    science = algorithm()
    skipped = done.skipped | done.damaged
    return {
        "algorithm": {
            "name": science.name,
            "version": science.version,
            "params_sha256": science.params_sha256,
        },
        "sessions": done.sessions,
        "skipped": [{"session": session, "reason": why} for session, why in skipped.items()],
        "changes": [change.to_json() for change in done.changes],
    }


def _print(done: Recounted) -> None:
    skipped = f", {counted(len(done.skipped), 'session')} without a recording left" if done.skipped else ""
    differ = f"{counted(len(done.changes), 'day')} changed" if done.changes else "no day changed"
    click.echo(f"{counted(len(done.sessions), 'session')} counted again{skipped}: {differ}.")
    if not done.changes:
        return
    names = [kind.replace("_", " ") for kind in Kind]
    rows = table("day", "leg", *names, numbers=tuple(names))
    for change in done.changes:
        rows.add_row(change.day.isoformat(), change.leg or "unknown", *(_difference(change, kind) for kind in Kind))
    console().print(rows)


def _difference(change: DayChange, kind: Kind) -> str:
    before, after = ("-" if side is None else f"{side[kind]:,}" for side in (change.before, change.after))
    return before if before == after else f"{before} -> {after}"
