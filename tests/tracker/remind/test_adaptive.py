"""Adaptive reminders: within the limits, towards the hours in which they work, and forgotten when asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.remind.adaptive import LEAST, still_minutes, worked
from tracker.remind.decisions import Rung
from tracker.remind.settings import RemindSettings
from tracker.remind.state import End, Reminder

RULES = RemindSettings(adaptive=True)
DAY = datetime(2026, 5, 4, tzinfo=UTC)


def message(hour: int, good: bool | None, day: int = 0, rung: Rung = Rung.GENTLE) -> Reminder:
    shown_s = (DAY + timedelta(days=day, hours=hour)).timestamp()
    moved_s = shown_s + 120 if good else None
    contractions = None if good is None else 25 * good
    return Reminder(
        1, rung, "left", shown_s, 1800.0, shown_s, None, None, None, contractions, moved_s, End.MOVED if good else None
    )


def test_what_worked_means() -> None:
    """Cleared within five minutes; not known where the five minutes were not seen; badges are not asked."""
    assert worked(message(9, good=True)) is True
    assert worked(message(9, good=False)) is False
    assert worked(message(9, good=None)) is None
    assert worked(message(9, good=True, rung=Rung.BADGE)) is None
    late = message(9, good=True)
    assert worked(replace(late, moved_s=(late.shown_s or 0) + 600)) is False
    assert worked(replace(late, shown_s=None)) is None


def test_nothing_is_learned_from_few() -> None:
    """N at every hour."""
    few = [message(9, good=True, day=day) for day in range(LEAST - 1)]
    assert still_minutes(few, RULES, UTC) == (30.0,) * 24


def test_the_formula() -> None:
    """Twenty that worked at nine and none of twenty at fifteen: p = 1/2, p(9) = 24/28, p(15) = 4/28."""
    past = [message(hour, good=hour == 9, day=day) for day in range(20) for hour in (9, 15)]
    wide = replace(RULES, adaptive_least_min=1.0, adaptive_most_min=600.0)
    found = still_minutes(past, wide, UTC)
    assert found[9] == pytest.approx(30.0 * 0.5 / (24 / 28))
    assert found[15] == pytest.approx(30.0 * 0.5 / (4 / 28))
    assert found[12] == 30.0
    assert still_minutes(past, RULES, UTC)[9] == 20.0
    assert still_minutes(past, RULES, UTC)[15] == 60.0


def test_a_reset_forgets() -> None:
    """What was shown before it is not learned from."""
    past = [message(hour, good=hour == 9, day=day) for day in range(20) for hour in (9, 15)]
    after = replace(RULES, adaptive_since=DAY + timedelta(days=19))
    assert still_minutes(past, after, UTC) == (30.0,) * 24


messages = st.builds(
    message, hour=st.integers(0, 23), good=st.sampled_from((True, False, None)), day=st.integers(0, 50)
)


@given(st.lists(messages, max_size=80), st.floats(5.0, 30.0), st.floats(30.0, 200.0))
def test_no_hour_leaves_the_limits(past: list[Reminder], low: float, high: float) -> None:
    """Whatever has happened."""
    rules = replace(RULES, adaptive_least_min=low, adaptive_most_min=high)
    assert all(low <= minutes <= high for minutes in still_minutes(past, rules, UTC))
