"""Civil days and their hours as instants, right over every change of the clocks.

A day starts at the first instant at which the clock shows its start hour, or a later time where the clock
jumps over it. So days tile time without overlap, and last 23, 24 or 25 hours (23.5 or 24.5 on Lord Howe
Island, none at all where a country moved over the date line). Edges lie on quarter-hours of UTC, which is
exact for every zone since 1972; an earlier local mean time is rounded down to one, and days still add up.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

QUARTER_S = 900


def day_start(day: date, zone: tzinfo, start_hour: int = 0) -> int:
    """Instant at which a civil day begins.

    Args:
        day: its date.
        zone: whose clock is meant.
        start_hour: 0..23, the hour at which the wearer's day begins.

    Returns:
        Seconds of UTC since 1970, a whole number of quarter-hours.
    """
    if not 0 <= start_hour <= 23:
        raise ValueError(f"a day starts at an hour from 0 to 23, not {start_hour}")
    wall = datetime.combine(day, time(start_hour), zone)
    first = int(wall.timestamp())
    later = datetime.fromtimestamp(first, zone)
    if later.replace(tzinfo=None) == wall.replace(tzinfo=None):
        return first // QUARTER_S * QUARTER_S
    # The clock jumps over the start hour: the day begins with the jump, which lies between the two readings.
    return _jump(int(wall.replace(fold=1).timestamp()), first, zone) // QUARTER_S * QUARTER_S


def _jump(before: int, after: int, zone: tzinfo) -> int:
    """First second of the new offset; the offset changes once in before..after."""
    old = datetime.fromtimestamp(before, zone).utcoffset()
    while after - before > 1:
        middle = (before + after) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after


def day_edges(first: date, days: int, zone: tzinfo, start_hour: int = 0) -> list[int]:
    """Starts of consecutive days and the end of the last: `days` + 1 instants, never decreasing."""
    return [day_start(first + timedelta(days=number), zone, start_hour) for number in range(days + 1)]


def hour_starts(start_s: int, end_s: int, zone: tzinfo) -> list[datetime]:
    """The hours that the clock shows within a day, in order, each with its offset.

    An hour that is shown twice is two hours with two offsets; one that is jumped over is missing.
    """
    hours: list[datetime] = []
    shown = None
    for instant in range(start_s, end_s, QUARTER_S):
        local = datetime.fromtimestamp(instant, zone)
        label = (local.date(), local.hour, local.utcoffset())
        if label != shown:
            hours.append(local)
            shown = label
    return hours


def day_of(moment: datetime, zone: tzinfo, start_hour: int = 0) -> date:
    """The civil day that an aware instant belongs to."""
    local = moment.astimezone(zone)
    day = (local.replace(tzinfo=None) - timedelta(hours=start_hour)).date()
    instant = moment.timestamp()
    # Near a change of the clocks the date on the clock can be one off from the tiling of days.
    if instant < day_start(day, zone, start_hour):
        return day - timedelta(days=1)
    while instant >= day_start(day + timedelta(days=1), zone, start_hour):
        day += timedelta(days=1)
    return day


def later(start: datetime, by_s: float) -> datetime:
    """An instant some seconds of true time later, in the same zone."""
    return (start.astimezone(UTC) + timedelta(seconds=by_s)).astimezone(start.tzinfo)
