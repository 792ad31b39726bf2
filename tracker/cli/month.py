"""`soleus month`: a month of the calendar."""

from __future__ import annotations

from datetime import date as civil_date
from datetime import timedelta

import click

from tracker.cli.dates import calendar, date_argument, day_start_option, month_named
from tracker.cli.options import json_option
from tracker.cli.period import review


@click.command("month")
@date_argument
@day_start_option
@json_option
def command(date: str | None, day_start: int | None, as_json: bool) -> int:
    """Show a month, a row a day, beside the month before.

    DATE is a day of that month (2026-05-01, today, yesterday, a weekday), or 2026-05.
    """
    days = calendar(day_start)
    first = month_named(date, days.today)
    after = (first + timedelta(days=31)).replace(day=1)
    before = (first - timedelta(days=1)).replace(day=1)
    return review("month", _title, first, after, before, days, as_json)


def _title(first: civil_date) -> str:
    return f"{first:%B} {first.year}"
