"""Busy times of a local iCalendar file: when the wearer does not want to be interrupted.

Busy is an event with a start and an end that is not cancelled, not marked as free, not of whole days, and does not come
again within a day. Events of whole days are left out because most are birthdays and holidays. Times without a zone are
on the wearer's clock.
Source: RFC 5545, 3.6.1 (event), 3.8.2.7 (transparency), 3.8.1.11 (status), 3.3.5 (floating time).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from threading import Thread
from typing import Any

AHEAD_S = 36 * 3600
"""Busy times are laid out so far ahead, and anew before half of it is over."""

LONGEST_BYTES = 20_000_000
"""A larger file is refused. Twice as much as ten years of a full calendar."""

_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")

Span = tuple[float, float]
"""Start and end, seconds of UTC since 1970."""


@dataclass(frozen=True, slots=True)
class _Laid:
    """What became of a file: its busy times over a stretch of time, or why there are none."""

    stamp: tuple[int, int]
    parsed: Any = None
    busy: tuple[Span, ...] = ()
    over: Span = (0.0, 0.0)
    zone: tzinfo | None = None
    why: str = ""


class Calendar:
    """The busy times of one file. It is read again when it changes; nothing of it is kept but times.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, *, beside: bool = False) -> None:
        """Reads nothing yet.

        Args:
            path: an iCalendar file.
            beside: read in a thread of its own, because a large file takes seconds: until that is done, what was
                known before holds, and at first nothing is known.
        """
        self.path = path
        self._beside = beside
        self._laid: _Laid | None = None
        self._missing = ""
        self._work: Thread | None = None

    @property
    def trouble(self) -> str:
        """Why the file cannot be used, as a sentence; empty where all is well, or that is not known yet."""
        why = self._missing or (self._laid.why if self._laid else "")
        reason = " ".join(why.split())[:120].rstrip(".")
        return f"The calendar {self.path} cannot be used ({reason}): busy times are not known." if why else ""

    def is_busy(self, now: datetime, zone: tzinfo) -> bool | None:
        """Whether a busy time runs at an aware instant; None where that is not known."""
        self._bring_up_to_date(now.timestamp(), zone)
        return None if self._laid is None or self.trouble else self._until(now.timestamp()) is not None

    def busy_until(self, now: datetime, zone: tzinfo) -> datetime | None:
        """When the busy time that runs ends, back-to-back ones joined; None where none runs."""
        self._bring_up_to_date(now.timestamp(), zone)
        until_s = self._until(now.timestamp())
        return None if until_s is None else datetime.fromtimestamp(until_s, zone)

    def _until(self, now_s: float) -> float | None:
        busy = self._laid.busy if self._laid else ()
        place = bisect_right(busy, (now_s, float("inf"))) - 1
        return busy[place][1] if place >= 0 and now_s < busy[place][1] else None

    def _bring_up_to_date(self, now_s: float, zone: tzinfo) -> None:
        if self._work is not None and self._work.is_alive():
            return
        self._work = None
        try:
            stat = self.path.stat()
        except OSError as error:
            self._laid, self._missing = None, error.strerror or "it is not there"
            return
        stamp, laid, self._missing = (stat.st_mtime_ns, stat.st_size), self._laid, ""
        if laid is not None and laid.stamp == stamp:
            begin_s, end_s = laid.over
            if laid.why or (begin_s <= now_s < end_s - AHEAD_S / 2 and zone == laid.zone):
                return
        parsed = laid.parsed if laid is not None and laid.stamp == stamp else None
        if self._beside:
            self._work = Thread(target=self._lay, args=(stamp, parsed, now_s, zone), daemon=True)
            self._work.start()
        else:
            self._lay(stamp, parsed, now_s, zone)

    def _lay(self, stamp: tuple[int, int], parsed: Any, now_s: float, zone: tzinfo) -> None:
        try:
            if stamp[1] > LONGEST_BYTES:
                raise ValueError(f"it is larger than {LONGEST_BYTES // 1_000_000} MB")
            parsed = parsed or _parse(self.path)
            busy = joined(_spans(parsed, datetime.fromtimestamp(now_s, zone), zone))
            self._laid = _Laid(stamp, parsed, tuple(busy), (now_s, now_s + AHEAD_S), zone)
        except Exception as error:  # any of the parsers' own errors: whatever a file holds, reminders go on
            self._laid = _Laid(stamp, why=str(error) or type(error).__name__)


def _parse(path: Path) -> Any:
    import icalendar  # 0.2 s: not before a calendar is asked

    found = icalendar.Calendar.from_ical(path.read_bytes(), multiple=True)
    if not found:
        raise ValueError("there is no calendar in it")
    for calendar in found:
        calendar.subcomponents = [part for part in calendar.subcomponents if not _comes_too_often(part)]
    return found


def _comes_too_often(part: Any) -> bool:
    """Whether it comes again within the day: no meeting does, and laying out years of seconds would take minutes."""
    rules = part.get("RRULE", [])
    rules = rules if isinstance(rules, list) else [rules]
    return any(str(often).upper() in _TOO_OFTEN for rule in rules for often in rule.get("FREQ", []))


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
