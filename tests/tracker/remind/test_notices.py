"""No data is news: each told once, with the fix, and taken back when it has ended."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from analysis.events import Leg
from tests.tracker.remind.conftest import BERLIN, Wearer
from tracker.remind.decisions import (
    Button,
    Doing,
    LegSeen,
    Notice,
    NoticeKind,
    Observation,
    RecorderSeen,
    SensorSeen,
    WithdrawNotice,
)

Make = Callable[..., Wearer]


def told(who: Wearer, minutes: float, **seen: Any) -> list[Notice | WithdrawNotice]:
    return [one for one in who.live(minutes, Doing.WALKING, **seen) if isinstance(one, Notice | WithdrawNotice)]


def sensor(**known: Any) -> dict[str, Any]:
    return {"sensors": (SensorSeen("calf", Leg.LEFT, **known),)}


def recorder(**known: Any) -> dict[str, Any]:
    return {"recorder": RecorderSeen(**known)}


@pytest.mark.parametrize(
    ("seen", "kind", "text", "fix"),
    [
        (sensor(silent_s=400.0), NoticeKind.SENSOR_SILENT, "calf has sent nothing for 7 minutes", "Switch it on"),
        (sensor(silent_s=400.0, battery_percent=9.0), NoticeKind.SENSOR_SILENT, "nothing", r"Charge it \(it had 9 %"),
        (sensor(battery_percent=14.0), NoticeKind.BATTERY_LOW, r"calf has 14 % left\.", "Charge it"),
        (sensor(battery_percent=40.0, battery_hours_left=1.5), NoticeKind.BATTERY_LOW, "until about 11:30", "Charge"),
        (recorder(running=False, why="no adapter."), NoticeKind.RECORDER_STOPPED, r"recorded \(no adapter\)", "start"),
        (recorder(disk_free_bytes=90_000_000), NoticeKind.DISK_FILLING, "90 MB left", "Free some room"),
        (recorder(disk_free_bytes=900_000_000, disk_bytes_per_day=3e8), NoticeKind.DISK_FILLING, "about 3 more days",
         "keep_days"),
        (recorder(disk_trouble="The disk is full."), NoticeKind.DISK_FILLING, "The disk is full", "Free some room"),
    ],
)  # fmt: skip
def test_each_is_told_once(wearer: Make, seen: dict[str, Any], kind: NoticeKind, text: str, fix: str) -> None:
    """However often it is seen, and taken back once when it has ended."""
    who = wearer()
    (notice,) = told(who, 90, **seen)
    assert isinstance(notice, Notice)
    assert notice.kind is kind
    assert re.search(text, notice.text)
    assert re.search(fix, notice.fix)
    well = sensor(silent_s=0.0, battery_percent=100.0) if "sensors" in seen else recorder(running=True)
    assert told(who, 10, **well) == [WithdrawNotice(notice.id)]


@pytest.mark.parametrize(
    "seen",
    [
        sensor(silent_s=200.0, battery_percent=50.0, battery_hours_left=9.0),
        sensor(silent_s=None),
        recorder(running=None),
        recorder(running=True, disk_free_bytes=10**12, disk_bytes_per_day=1e8),
        recorder(disk_free_bytes=600_000_000),
    ],
)
def test_what_is_well_or_not_known_is_no_news(wearer: Make, seen: dict[str, Any]) -> None:
    """Silence."""
    assert told(wearer(), 30, **seen) == []


def test_two_sensors_are_told_apart(wearer: Make) -> None:
    """Each has its own notice."""
    two = (SensorSeen("calf", Leg.LEFT, silent_s=400.0), SensorSeen("other", Leg.RIGHT, silent_s=400.0))
    assert [one.id for one in told(wearer(), 5, sensors=two)] == ["sensor_silent:calf", "sensor_silent:other"]


def test_a_wavering_level_is_one_low_battery(wearer: Make) -> None:
    """19, 21, 19 percent are told once; a charge ends it."""
    who = wearer()
    assert len(told(who, 2, **sensor(battery_percent=19.0))) == 1
    for level in (21.0, 19.0, 22.0, 20.0):
        assert told(who, 2, **sensor(battery_percent=level)) == []
    assert told(who, 2, **sensor(battery_percent=80.0)) == [WithdrawNotice("battery_low:calf")]


def test_what_comes_and_goes_is_told_once_an_hour(wearer: Make) -> None:
    """A sensor at the edge of its range is not told again and again."""
    who = wearer()
    found = []
    for _ in range(6):
        found += told(who, 7, **sensor(silent_s=400.0))
        found += told(who, 7, **sensor(silent_s=1.0))
    assert [type(one) for one in found].count(Notice) == 2


def test_notices_wait_for_the_end_of_a_call_and_of_the_night(wearer: Make) -> None:
    """They are held back by desktop and hours, and said afterwards if they are still true."""
    who = wearer()
    assert told(who, 30, microphone=True, **sensor(silent_s=400.0)) == []
    assert len(told(who, 1, microphone=False, **sensor(silent_s=400.0))) == 1
    night = wearer()
    late = night.now.replace(hour=23)
    for hours, expected in ((0, 0), (5, 0), (9.1, 1)):
        night.now = late + timedelta(hours=hours)
        night.observe(Observation(night.now, BERLIN, (LegSeen(Leg.LEFT, Doing.NOT_WORN),), **sensor(silent_s=400.0)))
        assert len(night.said) == expected


def test_snooze_and_cap_do_not_hold_them(wearer: Make) -> None:
    """That data is missing is no reminder."""
    who = wearer()
    who.answer(Button.NOT_TODAY)
    assert len(told(who, 1, **recorder(running=False))) == 1
