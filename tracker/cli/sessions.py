"""`soleus sessions`: the recordings that are stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

import click

from analysis.events import DELIBERATE, Kind
from tracker.cli import surroundings
from tracker.cli.figures import UNKNOWN, clock_time, number, span
from tracker.cli.options import json_option
from tracker.cli.output import console, counted, print_json
from tracker.cli.tables import Rows
from tracker.store.records import SessionRecord

_NUMBERS = ("id", "length", "gaps", "deliberate", "steps")


@click.command("sessions")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the N latest.")
@json_option
def command(last: int | None, as_json: bool) -> int:
    """List the sessions, the latest first."""
    with surroundings.open_store(read_only=True) as store:
        found = store.sessions(limit=last)
    if as_json:
        print_json([session.to_json() for session in found])
    elif found:
        _show(found, surroundings.zone())
    else:
        click.echo("No session is stored yet: `soleus import` or `soleus record` brings one in.")
    return 0 if found else 1


def _show(found: Sequence[SessionRecord], zone: tzinfo) -> None:
    names = ("id", "began", "length", "leg", "from", "gaps", "deliberate", "steps")
    rows = Rows(names, _NUMBERS)
    for session in found:
        counts = session.counts
        rows.add(
            str(session.id),
            f"{session.started_at.astimezone(zone):%Y-%m-%d %H:%M}",
            clock_time(session.duration_s) if session.ended_at else "running",
            session.leg or "?",
            session.sensor or session.source or UNKNOWN,
            clock_time(session.gap_s) if session.gaps else "none",
            number(None if counts is None else sum(counts[kind] for kind in DELIBERATE)),
            number(None if counts is None else counts[Kind.STEP]),
        )
    out = console()
    rows.shorten(out.width, names.index("from"))
    out.print(rows.drawn())
    recorded_s = sum(session.duration_s - session.gap_s for session in found)
    out.print(f"\n{counted(len(found), 'session')}, {span(recorded_s)} recorded; lengths and gaps in hours:minutes.")
