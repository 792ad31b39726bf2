"""`soleus week`: Monday to Sunday."""

from __future__ import annotations

from datetime import date as civil_date
from datetime import timedelta

import click

from tracker.cli.dates import calendar, date_argument, day_start_option, week_named
from tracker.cli.options import json_option
from tracker.cli.period import review

_WEEK = timedelta(days=7)


@click.command("week")
@date_argument
@day_start_option
@json_option
def command(date: str | None, day_start: int | None, as_json: bool) -> int:
    """Show a week, Monday to Sunday, a row a day, beside the week before.

    DATE is a day of that week (2026-05-01, today, yesterday, a weekday), or 2026-W18.
    """
    days = calendar(day_start)
    first = week_named(date, days.today)
    return review("week", _title, first, first + _WEEK, first - _WEEK, days, as_json)


def _title(first: civil_date) -> str:
    """`Week 10, 2 to 8 March 2026`."""
    last = first + timedelta(days=6)
    began = str(first.day)
    if first.month != last.month:
        began += f" {first:%B}"
    if first.year != last.year:
        began += f" {first.year}"
    return f"Week {first.isocalendar().week}, {began} to {last.day} {last:%B} {last.year}"
