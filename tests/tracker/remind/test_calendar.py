"""Busy times of an iCalendar file: recurrences, zones, exceptions, and files that are none."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from threading import Event
from zoneinfo import ZoneInfo

import pytest

from tracker.remind import calendar as calendar_module
from tracker.remind.calendar import Calendar, joined

BERLIN = ZoneInfo("Europe/Berlin")
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"
BERLIN_RULES = """BEGIN:VTIMEZONE
TZID:Mitteleuropa
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""


def event(*lines: str, uid: str = "1") -> str:
    return "\n".join(("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""))


def calendar(tmp_path: Path, *parts: str) -> Calendar:
    path = tmp_path / "busy.ics"
    path.write_text(HEAD + "".join(parts).replace("\n", "\r\n") + "END:VCALENDAR\r\n", encoding="utf-8")
    return Calendar(path)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def busy(found: Calendar, *moments: str) -> list[bool | None]:
    return [found.is_busy(at(moment), BERLIN) for moment in moments]


def test_an_event_in_utc(tmp_path: Path) -> None:
    """Its start is in it, its end is not."""
    found = calendar(tmp_path, event("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z"))
    times = ("2026-05-04T09:59", "2026-05-04T10:00", "2026-05-04T10:59", "2026-05-04T11:00")
    assert busy(found, *times) == [False, True, True, False]
    assert found.busy_until(at("2026-05-04T10:15"), BERLIN) == at("2026-05-04T11:00")
    assert found.busy_until(at("2026-05-04T11:15"), BERLIN) is None


def test_every_week_over_a_change_of_the_clocks(tmp_path: Path) -> None:
    """Ten on the wall's clock stays ten; one occurrence is left out, one is moved."""
    series = event(
        "DTSTART;TZID=Europe/Berlin:20260316T100000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=5",
        "EXDATE;TZID=Europe/Berlin:20260323T100000",
    )  # fmt: skip
    moved = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20260406T100000",
        "DTSTART;TZID=Europe/Berlin:20260406T150000",
        "DURATION:PT1H",
    )
    found = calendar(tmp_path, series, moved)
    days = ("2026-03-16", "2026-03-23", "2026-03-30", "2026-04-06", "2026-04-13", "2026-04-20")
    assert busy(found, *(f"{day}T10:30" for day in days)) == [True, False, True, False, True, False]
    assert busy(found, "2026-04-06T15:30", "2026-03-30T09:59") == [True, False]


def test_a_zone_of_the_files_own(tmp_path: Path) -> None:
    """A name that no database of zones has, with its rules in the file."""
    lines = ("DTSTART;TZID=Mitteleuropa:20260704T100000", "DTEND;TZID=Mitteleuropa:20260704T110000")
    found = calendar(tmp_path, BERLIN_RULES, event(*lines))
    assert busy(found, "2026-07-04T10:30", "2026-07-04T11:30", "2026-07-04T09:30") == [True, False, False]


def test_a_floating_time_is_on_the_wearers_clock(tmp_path: Path) -> None:
    """Ten is ten where the wearer is, also after a journey."""
    found = calendar(tmp_path, event("DTSTART:20260504T100000", "DTEND:20260504T110000"))
    tokyo = ZoneInfo("Asia/Tokyo")
    assert found.is_busy(at("2026-05-04T10:30"), BERLIN) is True
    assert found.is_busy(at("2026-05-04T10:30", tokyo), tokyo) is True
    assert found.is_busy(at("2026-05-04T10:30"), tokyo) is False


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z", "TRANSP:TRANSPARENT"),
        ("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z", "STATUS:CANCELLED"),
        ("DTSTART;VALUE=DATE:20260504", "DTEND;VALUE=DATE:20260505"),
        ("DTSTART:20260504T080000Z",),
        ("DTSTART:20000101T000000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"),
        ("DTSTART:20000101T000000Z", "DURATION:PT1H", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"),
    ],
)
def test_what_is_not_busy(tmp_path: Path, lines: tuple[str, ...]) -> None:
    """Free, cancelled, of a whole day, without a length, every second, or never; none takes long."""
    assert busy(calendar(tmp_path, event(*lines)), "2026-05-04T10:30") == [False]


def test_back_to_back_is_one_busy_time(tmp_path: Path) -> None:
    """A message comes after the last of them."""
    one = event("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z", uid="1")
    other = event("DTSTART:20260504T090000Z", "DTEND:20260504T093000Z", uid="2")
    found = calendar(tmp_path, one, other)
    assert found.busy_until(at("2026-05-04T10:15"), BERLIN) == at("2026-05-04T11:30")


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    """A new event counts at the next look; so does a file that comes back."""
    found = calendar(tmp_path)
    assert busy(found, "2026-05-04T10:30") == [False]
    calendar(tmp_path, event("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z"))
    os.utime(found.path, ns=(1, 1))
    assert busy(found, "2026-05-04T10:30") == [True]
    found.path.unlink()
    assert busy(found, "2026-05-04T10:30") == [None]
    assert "No such file" in found.trouble
    calendar(tmp_path)
    assert (busy(found, "2026-05-04T10:30"), found.trouble) == ([False], "")


def test_a_file_that_is_read_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for it: not known at first, known once the thread is done, the old times while it reads anew."""
    found = Calendar(calendar(tmp_path, event("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z")).path, beside=True)
    gate, parse = Event(), calendar_module._parse
    monkeypatch.setattr(calendar_module, "_parse", lambda path: gate.wait(60) and parse(path))
    for before in (None, True):
        assert busy(found, "2026-05-04T10:30") == [before]
        work = found._work
        assert work is not None
        gate.set()
        work.join()
        assert busy(found, "2026-05-04T10:30", "2026-05-04T11:30") == [True, False]
        gate.clear()
        os.utime(found.path, ns=(1, 1))


def test_days_ahead_are_laid_out_in_time(tmp_path: Path) -> None:
    """A year of days, looked at one after the other, forwards and back."""
    found = calendar(tmp_path, event("DTSTART:20260101T080000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY"))
    days = ("2026-01-05", "2026-01-06", "2026-01-07", "2026-12-30", "2026-02-01")
    assert busy(found, *(f"{day}T09:30" for day in days)) == [True] * 5
    assert busy(found, *(f"{day}T11:30" for day in days)) == [False] * 5


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no calendar", b"\xff\xfe\x00\x01" * 50, b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:20",
        b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", b"<html>sign in</html>",
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    """Busy is not known then, and the sentence names the file."""
    path = tmp_path / "broken.ics"
    path.write_bytes(content)
    found = Calendar(path)
    assert busy(found, "2026-05-04T10:30") == [None]
    assert found.trouble.startswith(f"The calendar {path} cannot be used (")
    assert found.trouble.count("\n") == 0


def test_one_bad_event_does_not_hide_the_others(tmp_path: Path) -> None:
    """A start that is no time is passed over."""
    bad = event("DTSTART:2026-99-99", "DTEND:x", uid="bad")
    good = event("DTSTART:20260504T080000Z", "DTEND:20260504T090000Z", uid="good")
    assert busy(calendar(tmp_path, bad, good), "2026-05-04T10:30") == [True]


def test_spans_are_joined() -> None:
    """Sorted, overlapping ones joined, empty ones left out."""
    assert joined([(5, 6), (1, 3), (2, 4), (4, 5), (9, 9), (8, 7)]) == [(1, 6)]
