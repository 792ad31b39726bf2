"""Weeks and months: a row a day, sums, and how they compare with the week or month before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from analysis.events import DELIBERATE, Kind
from tracker.cli import surroundings
from tracker.cli.dates import Calendar, short_date
from tracker.cli.figures import UNKNOWN, bar, change, clock_time, number
from tracker.cli.output import SHORT_NAMES, console, print_json
from tracker.cli.tables import Rows
from tracker.store.days import DaySummary, LegDay

if TYPE_CHECKING:
    from rich.table import Table

_BAR = 24


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive days that are shown together.

    Attributes:
        title: what the stretch is called, such as `May 2026`.
        noun: week or month.
        days: one summary a day, without hours.
    """

    title: str
    noun: str
    days: Sequence[DaySummary]

    @property
    def sums(self) -> LegDay:
        """Over the headline of each day."""
        return summed(day.headline for day in self.days)

    @property
    def days_recorded(self) -> int:
        """Days on which something was recorded."""
        return sum(day.recorded for day in self.days)

    def to_json(self) -> dict[str, Any]:
        """First and last day, sums, and how much was seen."""
        return {
            "from": self.days[0].day.isoformat(),
            "to": self.days[-1].day.isoformat(),
            "days_recorded": self.days_recorded,
            "sums": self.sums.to_json(),
        }


def summed(days: Iterable[LegDay]) -> LegDay:
    """Sums of what is known; no counts where nothing was recorded on any day, and the longest of the still times."""
    legs = list(days)
    counted = [leg.counts for leg in legs if leg.counts is not None]
    still = [leg.longest_still_s for leg in legs if leg.longest_still_s is not None]
    return LegDay(
        counts={kind: sum(counts[kind] for counts in counted) for kind in Kind} if counted else None,
        recorded_s=sum(leg.recorded_s for leg in legs),
        worn_s=sum(leg.worn_s for leg in legs),
        unknown_s=sum(leg.unknown_s for leg in legs),
        gap_s=sum(leg.gap_s for leg in legs),
        bounce_s=sum(leg.bounce_s for leg in legs),
        longest_still_s=max(still, default=None),
    )


def review(
    noun: str, title: Callable[[date], str], first: date, after: date, before: date, days: Calendar, as_json: bool
) -> int:
    """Shows the days first..after beside those of before..first.

    Args:
        noun: week or month.
        title: what the stretch that begins on a day is called.
        first: its first day.
        after: the day after its last.
        before: first day of the stretch before.
        days: whose days are meant.
        as_json: for programs, not for people.

    Returns:
        The exit code: 1 where nothing was recorded.
    """
    with surroundings.open_store(read_only=True) as store:
        seen = store.days(before, (after - before).days, days.zone, days.start_hour)
    edge = (first - before).days
    old, new = Stretch(title(before), noun, seen[:edge]), Stretch(title(first), noun, seen[edge:])
    if as_json:
        print_json(_document(new, old))
    elif new.days_recorded:
        _show(new, old, days)
    else:
        click.echo(f"{new.title}: nothing was recorded.")
    return 0 if new.days_recorded else 1


def _document(new: Stretch, old: Stretch) -> dict[str, Any]:
    legs = dict.fromkeys(name for day in new.days for name in day.legs)
    return {
        **new.to_json(),
        "zone": new.days[0].zone,
        "legs": {name: summed(day.legs[name] for day in new.days if name in day.legs).to_json() for name in legs},
        "days": [day.to_json() for day in new.days],
        "before": old.to_json(),
    }


def _show(new: Stretch, old: Stretch, days: Calendar) -> None:
    from rich.text import Text

    out = console()
    past = [day for day in new.days if day.day <= days.today or day.recorded]
    so_far = ", so far" if new.days[0].day <= days.today < new.days[-1].day else ""
    out.print(Text(f"{new.title}{so_far}", style="bold"))
    out.print(Text(f"{new.days[0].zone}; each day by the leg worn longer; still: longest; hours:minutes", style="dim"))
    for rows in (_rows(past, new.sums, out.width), _trend(new, old)):
        out.print()
        out.print(rows)


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    cell: Callable[[LegDay], str]


def _columns(sums: LegDay, width: int) -> list[_Column]:
    """What there is room for; pedal strokes where there are any."""
    kinds = DELIBERATE if width >= 104 else ()
    gait = [Kind.STEP, *([Kind.PEDAL] if sums.counts and sums.counts[Kind.PEDAL] else [])]
    return [
        _Column("deliberate", lambda leg: number(leg.deliberate)),
        *(_Column(SHORT_NAMES[kind], _counter(kind)) for kind in kinds),
        *(_Column("steps" if kind is Kind.STEP else "strokes", _counter(kind)) for kind in gait),
        _Column("worn", lambda leg: clock_time(leg.worn_s)),
        _Column("recorded", lambda leg: clock_time(leg.recorded_s)),
        _Column("gaps", lambda leg: clock_time(leg.gap_s)),
        _Column("still", lambda leg: clock_time(leg.longest_still_s)),
    ]


def _counter(kind: Kind) -> Callable[[LegDay], str]:
    return lambda leg: number(None if leg.counts is None else leg.counts[kind])


def _rows(days: Sequence[DaySummary], sums: LegDay, width: int) -> Table:
    """A row a day and the sums."""
    columns = _columns(sums, width)
    names = tuple(column.title for column in columns)
    rows = Rows(("day", "leg", "", *names), names)
    for day in days:
        if day.recorded:
            rows.add(short_date(day.day), day.leg or "?", "", *(column.cell(day.headline) for column in columns))
        else:
            rows.add(short_date(day.day), UNKNOWN, "", *(UNKNOWN for _ in names), style="dim")
    rows.breaks.add(len(days) - 1)
    rows.add("together", "", "", *(column.cell(sums) for column in columns), style="bold")
    bar_width = min(_BAR, rows.room(width, 2))
    top = max((day.headline.deliberate or 0 for day in days), default=0)
    for cells, day in zip(rows.cells, days, strict=False):
        cells[2] = bar(day.headline.deliberate or 0, top, bar_width)
    return rows.drawn()


def _trend(new: Stretch, old: Stretch) -> Table:
    """Sums beside those of the stretch before, and by the hour, which is fair however long the sensor was worn."""
    names = (f"this {new.noun}", f"{new.noun} before", "change")
    rows = Rows(("", *names), names)
    sums = (new.sums, old.sums)
    deliberate = [leg.deliberate for leg in sums]
    steps = [None if leg.counts is None else leg.counts[Kind.STEP] for leg in sums]
    for name, counts in (("deliberate", deliberate), ("steps", steps)):
        hourly = [_hourly(count, leg.worn_s) for count, leg in zip(counts, sums, strict=True)]
        rows.add(name, *map(number, counts), change(*counts))
        rows.add(
            f"{name} an hour worn", *(UNKNOWN if rate is None else f"{rate:,.1f}" for rate in hourly), change(*hourly)
        )
    worn = [leg.worn_s if leg.recorded_s else None for leg in sums]
    rows.add("worn", *map(clock_time, worn), change(*worn))
    rows.add("days recorded", *(f"{side.days_recorded} of {len(side.days)}" for side in (new, old)), "")
    return rows.drawn()


def _hourly(count: int | None, worn_s: float) -> float | None:
    return None if count is None or not worn_s else count * 3600 / worn_s
