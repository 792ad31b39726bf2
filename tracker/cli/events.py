"""`soleus events`: each contraction of a day that counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date as civil_date

import click

from analysis.events import Kind
from tracker.cli import surroundings
from tracker.cli.dates import Calendar, calendar, date_argument, day_named, day_start_option, long_date
from tracker.cli.explain import explain_event, explain_instant
from tracker.cli.figures import UNKNOWN
from tracker.cli.options import json_option, leg_option
from tracker.cli.output import counted, print_json
from tracker.errors import ConfigError
from tracker.store.records import CountedEvent


@click.command("events")
@date_argument
@click.option("--kind", type=click.Choice([str(kind) for kind in Kind]), help="Only this kind.")
@leg_option
@click.option("--rejected", is_flag=True, help="How many candidates each rule refused, instead.")
@click.option("--explain", "event_id", metavar="ID", help="Why this event was counted: signal, measures, limits.")
@click.option("--at", "instant", metavar="TIME", help="Why something was, or was not, counted then: 14:30:05.")
@day_start_option
@json_option
def command(
    date: str | None, kind: str | None, leg: str | None, rejected: bool, event_id: str | None, instant: str | None,
    day_start: int | None, as_json: bool,
) -> int:  # fmt: skip
    """List the contractions of a day: when, which kind, how sure, by which rule.

    DATE is 2026-05-01, today (as without DATE), yesterday, or a weekday, which is its last one.
    """
    days = calendar(day_start)
    day = day_named(date, days.today)
    if sum((rejected, event_id is not None, instant is not None)) > 1:
        raise ConfigError("choose one of --rejected, --explain ID and --at TIME.")
    if event_id is not None:
        return explain_event(event_id, days, as_json)
    if instant is not None:
        return explain_instant(instant, day, days, leg, as_json)
    if rejected:
        if kind is not None:
            raise ConfigError("a refused candidate is of no kind: leave out --kind or --rejected.")
        return _rejected(day, days, leg, as_json)
    with surroundings.open_store(read_only=True) as store:
        found = store.events(day, days.zone, days.start_hour)
        recorded = bool(found) or store.day(day, days.zone, days.start_hour).recorded
    found = [event for event in found if kind in (None, event.kind) and leg in (None, event.leg)]
    if as_json:
        print_json([event.to_json() for event in found])
    elif found:
        click.echo("\n".join(_lines(found)))
        click.echo(f"\n{long_date(day)}: {counted(len(found), 'contraction')}.")
    else:
        click.echo(f"{long_date(day)}: {'no such contraction' if recorded else 'nothing was recorded'}.")
    return 0 if found else 1


def _rejected(day: civil_date, days: Calendar, leg: str | None, as_json: bool) -> int:
    """What looked like a contraction and was refused, by rule: why something was not counted."""
    with surroundings.open_store(read_only=True) as store:
        found = [one for one in store.rejections(day, days.zone, days.start_hour) if leg in (None, one.leg)]
    if as_json:
        print_json([one.to_json() for one in found])
    elif found:
        for one in found:
            click.echo(f"{one.candidates:>8,}  {(one.leg or '?'):5}  {one.rule.replace('_', ' ')}")
        refused = counted(sum(one.candidates for one in found), "candidate")
        click.echo(f"\n{long_date(day)}: {refused} refused.")
    else:
        click.echo(f"{long_date(day)}: no candidate was refused.")
    return 0 if found else 1


def _lines(events: Sequence[CountedEvent]) -> list[str]:
    """Fixed columns; written at once, because a day holds ten thousand steps and more."""
    offsets = len({event.peak.utcoffset() for event in events}) > 1
    rows = [_cells(event, offsets) for event in events]
    heads = ("time", "kind", "leg", "sure", "lasts", "strength", "rule")
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads) - 1)]
    flush = (str.ljust, str.ljust, str.ljust, str.rjust, str.rjust, str.rjust)

    def line(row: Sequence[str]) -> str:
        cells = [place(cell, width) for place, cell, width in zip(flush, row, widths, strict=False)]
        return "  ".join([*cells, row[-1]]).rstrip()

    return [click.style(line(heads), bold=True), *map(line, rows)]


def _cells(event: CountedEvent, offsets: bool) -> tuple[str, ...]:
    clock = f"{event.peak:%H:%M:%S}.{event.peak.microsecond // 100_000}"
    gait = event.attributes.get("gait")
    return (
        f"{clock}{event.peak.isoformat()[-6:] if offsets else ''}",
        f"{event.kind.replace('_', ' ')}{f' ({gait})' if gait else ''}",
        event.leg or "?",
        f"{100 * event.confidence:.0f} %",
        f"{event.end_s - event.onset_s:.2f} s",
        _strength(event),
        event.rule.replace("_", " "),
    )


def _strength(event: CountedEvent) -> str:
    if event.strength is None:
        return UNKNOWN
    unit = event.attributes.get("strength_unit", "")
    return f"{event.strength:.3g} {unit}".strip()
