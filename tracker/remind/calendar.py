"""Busy times of a local iCalendar file: when the wearer does not want to be interrupted.

Busy is an event with a start and an end that is not cancelled, not marked as free, and not of whole days. Events of
whole days are left out because most are birthdays and holidays. Times without a zone are on the wearer's clock.
Source: RFC 5545, 3.6.1 (event), 3.8.2.7 (transparency), 3.8.1.11 (status), 3.3.5 (floating time).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

AHEAD_S = 36 * 3600
"""Busy times are laid out so far ahead, and anew before half of it is over."""

LONGEST_BYTES = 30_000_000
"""A larger file is refused: it would be parsed for minutes while a message waits."""

Span = tuple[float, float]
"""Start and end, seconds of UTC since 1970."""


class Calendar:
    """The busy times of one file. It is read again when it changes; nothing of it is kept but times.

    Attributes:
        trouble: why the file cannot be used, as a sentence; empty where all is well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        self._stamp: tuple[int, int] | None = None
        self._laid_out: Span = (0.0, 0.0)
        self._zone: tzinfo | None = None
        self._busy: list[Span] = []
        self._parsed: Any = None

    def is_busy(self, now: datetime, zone: tzinfo) -> bool | None:
        """Whether a busy time runs at an aware instant; None where the file cannot be used."""
        self._bring_up_to_date(now.timestamp(), zone)
        return None if self.trouble else self._until(now.timestamp()) is not None

    def busy_until(self, now: datetime, zone: tzinfo) -> datetime | None:
        """When the busy time that runs ends, back-to-back ones joined; None where none runs."""
        self._bring_up_to_date(now.timestamp(), zone)
        until_s = self._until(now.timestamp())
        return None if until_s is None else datetime.fromtimestamp(until_s, zone)

    def _until(self, now_s: float) -> float | None:
        place = bisect_right(self._busy, (now_s, float("inf"))) - 1
        return self._busy[place][1] if place >= 0 and now_s < self._busy[place][1] else None

    def _bring_up_to_date(self, now_s: float, zone: tzinfo) -> None:
        try:
            stat = self.path.stat()
        except OSError as error:
            self._fail(error.strerror or "it is not there")
            return
        stamp = (stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            self._stamp, self._laid_out, self._parsed, self.trouble = stamp, (0.0, 0.0), None, ""
        begin_s, end_s = self._laid_out
        fresh = begin_s <= now_s < end_s - AHEAD_S / 2 and zone == self._zone
        if fresh or self.trouble:
            return
        try:
            if stat.st_size > LONGEST_BYTES:
                raise ValueError(f"it is larger than {LONGEST_BYTES // 1_000_000} MB")
            if self._parsed is None:
                self._parsed = _parse(self.path)
            self._busy = joined(_spans(self._parsed, datetime.fromtimestamp(now_s, zone), zone))
        except ModuleNotFoundError:
            self._fail("this needs the packages icalendar and recurring-ical-events")
        except Exception as error:  # any of the parsers' own errors: whatever a file holds, reminders go on
            self._fail(str(error) or type(error).__name__)
        else:
            self._laid_out, self._zone = (now_s, now_s + AHEAD_S), zone

    def _fail(self, why: str) -> None:
        reason = " ".join(why.split())[:120].rstrip(".")
        self.trouble = f"The calendar {self.path} cannot be used ({reason}): busy times are not known."
        self._busy, self._laid_out = [], (0.0, 0.0)


def _parse(path: Path) -> Any:
    import icalendar  # 0.2 s: not before a calendar is asked

    found = icalendar.Calendar.from_ical(path.read_bytes(), multiple=True)
    if not found:
        raise ValueError("there is no calendar in it")
    return found


def _spans(calendars: Iterable[Any], now: datetime, zone: tzinfo) -> Iterator[Span]:
    """Busy times from a day ago, in which what runs now began, or runs on, until `AHEAD_S` ahead."""
    import recurring_ical_events

    first, last = now - timedelta(days=1), now + timedelta(seconds=AHEAD_S)
    for calendar in calendars:
        for event in recurring_ical_events.of(calendar, skip_bad_series=True).between(first, last):
            start, end = event.start, event.end
            if _is_busy(event) and isinstance(start, datetime) and isinstance(end, datetime):
                yield _instant(start, zone), _instant(end, zone)


def _is_busy(event: Any) -> bool:
    status, transparency = (str(event.get(name, "")).upper() for name in ("STATUS", "TRANSP"))
    return status != "CANCELLED" and transparency != "TRANSPARENT"


def _instant(moment: datetime, zone: tzinfo) -> float:
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp()


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch or overlap joined, empty ones left out."""
    merged: list[Span] = []
    for start_s, end_s in sorted(spans):
        if start_s >= end_s:
            continue
        if merged and start_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end_s, merged[-1][1]))
        else:
            merged.append((start_s, end_s))
    return merged
