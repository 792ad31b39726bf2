"""Days as people name them."""

from __future__ import annotations

from datetime import date

import pytest

from tracker.cli.dates import day_named, long_date, month_named, short_date, week_named
from tracker.errors import ConfigError

TODAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        (None, "2026-03-04"),
        ("today", "2026-03-04"),
        ("Yesterday", "2026-03-03"),
        ("wednesday", "2026-03-04"),
        ("thursday", "2026-02-26"),
        ("tue", "2026-03-03"),
        (" 2026-01-31 ", "2026-01-31"),
    ],
)
def test_days(name: str | None, day: str) -> None:
    """A weekday is its last one, today included."""
    assert day_named(name, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("name", "day"), [(None, "2026-03-02"), ("2026-01-01", "2025-12-29"), ("2026-w18", "2026-04-27")]
)
def test_weeks(name: str | None, day: str) -> None:
    """A week begins on Monday."""
    assert week_named(name, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("name", "day"), [(None, "2026-03-01"), ("2026-01-31", "2026-01-01"), ("2025-12", "2025-12-01")]
)
def test_months(name: str | None, day: str) -> None:
    """A month is named by one of its days or by itself."""
    assert month_named(name, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize("name", ["", "m", "tod", "2026-13-01", "13.5.2026", "2026", "1969-12-31", "2200-01-01"])
def test_no_days(name: str) -> None:
    """What is no day is refused."""
    with pytest.raises(ConfigError):
        day_named(name, TODAY)


@pytest.mark.parametrize(("named", "name"), [(week_named, "2026-W60"), (month_named, "2026-13")])
def test_the_sentence_has_what_was_written(named: object, name: str) -> None:
    """Not what was made of it."""
    with pytest.raises(ConfigError, match=f"^'{name}' is not a day"):
        named(name, TODAY)  # type: ignore[operator]


def test_written() -> None:
    """Day before month, in words."""
    assert (long_date(TODAY), short_date(TODAY)) == ("Wednesday 4 March 2026", "Wed  4 Mar")
