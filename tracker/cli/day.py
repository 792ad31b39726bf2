"""`soleus day`: what the calf did on one civil day, and how much of that day was seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import click

from analysis.events import DELIBERATE, Kind
from tracker.cli import surroundings
from tracker.cli.dates import Calendar, calendar, date_argument, day_named, day_start_option, long_date
from tracker.cli.figures import UNKNOWN, bar, number, share, span
from tracker.cli.options import json_option
from tracker.cli.output import KIND_NAMES, console, print_json
from tracker.store.days import DaySummary, Hour, LegDay

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_BAR = 16
_GAIT = (Kind.STEP, Kind.PEDAL)


@click.command("day")
@date_argument
@day_start_option
@json_option
def command(date: str | None, day_start: int | None, as_json: bool) -> int:
    """Show one day: what was counted, hour by hour, and how much of it was seen.

    DATE is 2026-05-01, today (as without DATE), yesterday, or a weekday, which is its last one.
    """
    days = calendar(day_start)
    day = day_named(date, days.today)
    with surroundings.open_store(read_only=True) as store:
        summary = store.day(day, days.zone, days.start_hour)
    if as_json:
        print_json(summary.to_json())
    elif summary.recorded:
        show(summary, days)
    else:
        click.echo(f"{long_date(day)}: nothing was recorded.")
    return 0 if summary.recorded else 1


def show(summary: DaySummary, days: Calendar) -> None:
    """A day for people, on stdout."""
    out = console()
    for part in _parts(summary, days):
        out.print(part)


def _parts(summary: DaySummary, days: Calendar) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    going_on = summary.start <= days.now < summary.end
    yield Text(f"{long_date(summary.day)}, {_leg_words(summary)}", style="bold")
    yield Text(f"{'so far, ' if going_on else ''}{summary.zone}", style="dim")
    for rows in (_counts(summary), _seen(summary, days), _hours(summary, days)):
        yield Padding(rows, (1, 0, 0, 2), expand=False)


def _leg_words(summary: DaySummary) -> str:
    return f"{summary.leg} leg" if summary.leg else "leg not named"


def _other(summary: DaySummary) -> tuple[str, LegDay] | None:
    """The other leg of the day, None where nothing of it was recorded."""
    headline = str(summary.leg) if summary.leg else "unknown"
    for name, leg in summary.legs.items():
        if name != headline and leg.recorded_s:
            return name, leg
    return None


def _grid(numbers: int) -> Table:
    """Rows without lines: a name, columns of numbers, a note."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=24, no_wrap=True)
    for _ in range(numbers):
        grid.add_column(justify="right", min_width=7, no_wrap=True)
    grid.add_column(style="dim")
    return grid


def _counts(summary: DaySummary) -> Table:
    """Contractions by kind, the headline's leg first, the other beside it where it was recorded."""
    other = _other(summary)
    legs = [summary.headline, *([other[1]] if other else [])]
    grid = _grid(len(legs))
    if other:
        names = [f"{summary.leg or 'unnamed'}", "unnamed" if other[0] == "unknown" else other[0]]
        grid.add_row("", *names, "", style="dim")
    for kind in DELIBERATE:
        grid.add_row(KIND_NAMES[kind], *(_count(leg, kind) for leg in legs), "")
    grid.add_row("deliberate", *(number(leg.deliberate) for leg in legs), "", style="bold")
    for kind in _GAIT:
        grid.add_row(KIND_NAMES[kind], *(_count(leg, kind) for leg in legs), "")
    grid.add_row("all contractions", *(number(leg.total) for leg in legs), "", style="bold")
    return grid


def _count(leg: LegDay, kind: Kind) -> str:
    return number(None if leg.counts is None else leg.counts[kind])


def _seen(summary: DaySummary, days: Calendar) -> Table:
    """How much of the day the numbers are about."""
    other = _other(summary)
    legs = [summary.headline, *([other[1]] if other else [])]
    length_s = max(_length_s(summary, days), *(leg.recorded_s + leg.gap_s for leg in legs))
    whole = "of the day so far" if summary.start <= days.now < summary.end else "of the day"
    whose = f"{summary.leg or 'unnamed'}: " if other else ""
    worn, recorded = (share(part, length_s) for part in (summary.headline.worn_s, summary.headline.recorded_s))
    rows = (
        ("worn", [leg.worn_s for leg in legs], f"{whose}{worn} {whole}"),
        ("recorded", [leg.recorded_s for leg in legs], f"{whose}{recorded}, worn or not"),
        ("state unknown", [leg.unknown_s for leg in legs], _unknown_note(legs)),
        ("gaps while recording", [leg.gap_s for leg in legs], "not seen"),
        ("not recorded", [length_s - leg.recorded_s - leg.gap_s for leg in legs], "not seen"),
        ("longest still stretch", [leg.longest_still_s for leg in legs], "worn, no contraction, no gap"),
        ("bouncing", [leg.bounce_s for leg in legs], "not counted"),
    )
    grid = _grid(len(legs))
    for name, values, note in rows:
        grid.add_row(name, *(span(value) for value in values), note)
    return grid


def _unknown_note(legs: list[LegDay]) -> str:
    if any(leg.recorded_s and leg.counts is None for leg in legs):
        return "seen, but it could not be counted"
    return "seen, but not told apart"


def _length_s(summary: DaySummary, days: Calendar) -> float:
    """Seconds of the day that have passed. By instants: two times of one zone subtract as their hands do."""
    start_s, end_s = summary.start.timestamp(), summary.end.timestamp()
    return max(0.0, min(end_s, days.now.timestamp()) - start_s)


def _hours(summary: DaySummary, days: Calendar) -> Table:
    """A row an hour; hours in which nothing was recorded or counted are one row where they follow each other."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    for width, right in ((2, False), (_BAR, False), (6, True), (_BAR, False), (6, True), (8, True)):
        grid.add_column(min_width=width, justify="right" if right else "left", no_wrap=True)
    grid.add_row("hour", "deliberate", "", "steps and strokes", "", "worn", style="dim")
    tops = [max((_sum(hour, kinds) for hour in summary.hours), default=0) for kinds in (DELIBERATE, _GAIT)]
    offsets = len({hour.start.utcoffset() for hour in summary.hours}) > 1
    shown = [hour for hour in summary.hours if hour.start <= days.now or hour.recorded_s]
    for why_not, run in groupby(shown, _why_no_counts):
        hours = list(run)
        if why_not:
            grid.add_row(_hour_range(hours, offsets), why_not, "", "", "", UNKNOWN, style="dim")
            continue
        for hour in hours:
            grid.add_row(_hour_name(hour, offsets), *_hour_cells(hour, tops))
    return grid


def _why_no_counts(hour: Hour) -> str:
    """What stands in the place of counts, "" where there are some."""
    if not hour.recorded_s:
        return "not recorded"
    return "not countable" if hour.counts is None else ""


def _sum(hour: Hour, kinds: tuple[Kind, ...]) -> int:
    return 0 if hour.counts is None else sum(hour.counts[kind] for kind in kinds)


def _hour_cells(hour: Hour, tops: list[int]) -> Iterator[str]:
    for kinds, top in zip((DELIBERATE, _GAIT), tops, strict=True):
        counted = _sum(hour, kinds)
        yield bar(counted, top, _BAR)
        yield number(counted)
    yield span(hour.worn_s)


def _hour_name(hour: Hour, offsets: bool) -> str:
    """`02`, with the offset on days on which the clocks change."""
    return f"{hour.start:%H}{hour.start.isoformat()[-6:] if offsets else ''}"


def _hour_range(hours: list[Hour], offsets: bool) -> str:
    first, last = (_hour_name(hour, offsets) for hour in (hours[0], hours[-1]))
    return first if len(hours) == 1 else f"{first} – {last}"
