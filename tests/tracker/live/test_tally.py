"""Battery: when it is low, and when it will be empty."""

from __future__ import annotations

import pytest

from tracker.live.tally import Battery


def test_forecast() -> None:
    """Falling 10 percent an hour from 80: at 60 there are six hours left."""
    battery = Battery()
    for hour, percent in ((0, 80), (1, 70), (2, 60)):
        battery.hear(percent, hour * 3600.0)
    assert battery.hours_left == pytest.approx(6)
    assert not battery.is_low


def test_no_forecast_too_early() -> None:
    """A step of one percent says nothing."""
    battery = Battery()
    battery.hear(80, 0)
    battery.hear(79, 3600)
    assert battery.hours_left is None
    assert Battery().hours_left is None


def test_charging_begins_anew() -> None:
    """What was used before it was charged does not count."""
    battery = Battery()
    for hour, percent in ((0, 30), (2, 10), (3, 90), (4, 80)):
        battery.hear(percent, hour * 3600.0)
    assert battery.hours_left == pytest.approx(8)


def test_low() -> None:
    """At a fifth it is time to charge."""
    battery = Battery()
    battery.hear(20, 0)
    assert battery.is_low
