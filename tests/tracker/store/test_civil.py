"""Civil days over every change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.store.civil import QUARTER_S, day_edges, day_of, day_start, hour_starts

ZONES = sorted(
    name for name in available_timezones() if "/" in name and not name.startswith(("Etc", "posix", "right", "System"))
)


def hours_of(day: date, name: str, start_hour: int = 0) -> list[str]:
    zone = ZoneInfo(name)
    return [start.isoformat() for start in hour_starts(*day_edges(day, 1, zone, start_hour), zone)]


@pytest.mark.parametrize(
    ("day", "name", "hours", "seconds"),
    [
        (date(2026, 3, 29), "Europe/Berlin", 23, 23 * 3600),
        (date(2026, 10, 25), "Europe/Berlin", 25, 25 * 3600),
        (date(2026, 7, 1), "Asia/Kolkata", 24, 24 * 3600),
        (date(2026, 7, 1), "Asia/Kathmandu", 24, 24 * 3600),
        (date(2018, 11, 4), "America/Sao_Paulo", 23, 23 * 3600),  # the clock jumps over midnight
        (date(2018, 2, 17), "America/Sao_Paulo", 25, 25 * 3600),
        (date(2026, 11, 1), "America/Havana", 25, 25 * 3600),  # midnight twice
        (date(2026, 4, 5), "Australia/Lord_Howe", 25, 24 * 3600 + 1800),
        (date(2026, 10, 4), "Australia/Lord_Howe", 24, 23 * 3600 + 1800),
        (date(2011, 12, 30), "Pacific/Apia", 0, 0),  # the day that never was
    ],
)
def test_known_days(day: date, name: str, hours: int, seconds: int) -> None:
    """Days on which clocks change have the hours that their clocks show."""
    start, end = day_edges(day, 1, ZoneInfo(name))
    assert (len(hours_of(day, name)), end - start) == (hours, seconds)


def test_repeated_hour_shows_both_offsets() -> None:
    """The hour that comes twice is two hours, told apart by their offsets."""
    assert hours_of(date(2026, 10, 25), "Europe/Berlin")[2:4] == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
    ]


def test_day_may_start_at_four() -> None:
    """With the day starting at four, the change at two belongs to the day before."""
    assert len(hours_of(date(2026, 3, 28), "Europe/Berlin", 4)) == 23
    assert hours_of(date(2026, 3, 29), "Europe/Berlin", 4)[0] == "2026-03-29T04:00:00+02:00"


@pytest.mark.parametrize("start_hour", [0, 4])
def test_every_zone_tiles_the_years(start_hour: int) -> None:
    """In every zone of the tz database, days since 1972 follow each other and are at most 26 h long."""
    for name in ZONES[::7] if start_hour else ZONES:
        zone = ZoneInfo(name)
        for year in (1987, 2011, 2026):
            edges = day_edges(date(year, 1, 1), 366, zone, start_hour)
            assert edges == sorted(edges)
            assert max(b - a for a, b in pairwise(edges)) <= 26 * 3600, name


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(1973, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001
    st.integers(0, 23),
)
def test_day_holds_its_instants(name: str, moment: datetime, start_hour: int) -> None:
    """An instant lies within the day that it is said to belong to, whose hours tile the day."""
    zone = ZoneInfo(name)
    instant = moment.replace(tzinfo=UTC)
    day = day_of(instant, zone, start_hour)
    start, end = day_edges(day, 1, zone, start_hour)
    assert start <= instant.timestamp() < end
    starts = [int(hour.timestamp()) for hour in hour_starts(start, end, zone)]
    assert starts[0] == start
    assert all(0 < later - earlier <= 3600 for earlier, later in zip(starts, [*starts[1:], end], strict=True))


@given(st.sampled_from(ZONES), st.dates(date(1973, 1, 1), date(2037, 1, 1)), st.integers(0, 23))
def test_day_starts_when_the_clock_first_shows_it(name: str, day: date, start_hour: int) -> None:
    """Before its start the clock shows a time before the start hour; from it on, that hour or later."""
    zone = ZoneInfo(name)
    start = day_start(day, zone, start_hour)
    wall = datetime(day.year, day.month, day.day, start_hour)  # noqa: DTZ001
    before = datetime.fromtimestamp(start - QUARTER_S, zone).replace(tzinfo=None)
    at = datetime.fromtimestamp(start + QUARTER_S, zone).replace(tzinfo=None)
    assert before < wall
    assert at >= wall - timedelta(hours=1)  # a clock put back within the quarter-hour shows the hour again


def test_start_hour_is_an_hour() -> None:
    """A start hour beyond the clock is a bug of the caller."""
    with pytest.raises(ValueError, match="0 to 23"):
        day_start(date(2026, 1, 1), ZoneInfo("UTC"), 24)
