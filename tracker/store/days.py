"""Days, hours and trends, read from the roll-up alone: any zone, any start of the day."""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from analysis.events import DELIBERATE, Kind, Leg
from tracker.store.civil import day_edges, hour_starts
from tracker.store.records import UNKNOWN_LEG, CountedEvent, DayChange, Rejected, leg_named
from tracker.store.rollup import COLUMNS
from tracker.store.sessions import when

_LEGS = (Leg.LEFT.value, Leg.RIGHT.value, UNKNOWN_LEG)
_QUARTER_S = 900
_WHOLE_US = 900_000_000

Counts = Mapping[Kind, int]


@dataclass(frozen=True, slots=True)
class LegDay:
    """What one leg did in a stretch of time, and how much of it was seen.

    Attributes:
        counts: contractions by kind; None where nothing was recorded that can be counted, which is not the same
            as none.
        recorded_s: seconds with samples, overlapping sessions counted once.
        worn_s: of these, seconds that could be counted and whose label is not `not_worn`.
        unknown_s: of these, seconds whose state is not known; all of what cannot be counted.
        gap_s: seconds within sessions of which no session has a sample.
        bounce_s: seconds of bouncing, which is not counted as contractions.
        longest_still_s: longest time worn without a contraction and without a gap; None where never worn.
    """

    counts: Counts | None = None
    recorded_s: float = 0.0
    worn_s: float = 0.0
    unknown_s: float = 0.0
    gap_s: float = 0.0
    bounce_s: float = 0.0
    longest_still_s: float | None = None

    @property
    def total(self) -> int | None:
        """All five kinds."""
        return None if self.counts is None else sum(self.counts.values())

    @property
    def deliberate(self) -> int | None:
        """Push-ups, raises and ankle pumps."""
        return None if self.counts is None else sum(self.counts[kind] for kind in DELIBERATE)

    def to_json(self) -> dict[str, Any]:
        """The numbers under the contract's keys."""
        return {
            "counts": _counts_json(self.counts),
            "total": self.total,
            "deliberate": self.deliberate,
            "recorded_s": self.recorded_s,
            "worn_s": self.worn_s,
            "unknown_s": self.unknown_s,
            "gap_s": self.gap_s,
            "bounce_s": self.bounce_s,
            "longest_still_s": self.longest_still_s,
        }


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the clock; `counts` is None where nothing was recorded in it that can be counted."""

    start: datetime
    counts: Counts | None
    worn_s: float
    recorded_s: float
    unknown_s: float

    def to_json(self) -> dict[str, Any]:
        """The keys of an entry of `hours`."""
        return {
            "start": self.start.isoformat(),
            "counts": _counts_json(self.counts),
            "worn_s": self.worn_s,
            "recorded_s": self.recorded_s,
            "unknown_s": self.unknown_s,
        }


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One civil day in one zone.

    Attributes:
        day: its date.
        zone: name of the zone.
        start: first instant, in that zone.
        end: first instant after it.
        legs: left and right, each counted by itself; `unknown` beside them where a session has no leg.
        leg: the leg that the headline is about: worn longer that day, left where both are equal; None where
            nothing was recorded, or nobody said which leg it was.
        headline: what that leg did.
        hours: the day's hours in order, of the headline's leg; empty where they were not asked for.
    """

    day: date
    zone: str
    start: datetime
    end: datetime
    legs: Mapping[str, LegDay]
    leg: Leg | None
    headline: LegDay
    hours: tuple[Hour, ...] = field(default=())

    @property
    def recorded(self) -> bool:
        """Whether anything was recorded that day."""
        return self.headline.recorded_s > 0

    def to_json(self) -> dict[str, Any]:
        """The keys of `soleus day --json`; without `hours` where they were not asked for."""
        hours = {"hours": [hour.to_json() for hour in self.hours]} if self.hours else {}
        return (
            {"day": self.day.isoformat(), "zone": self.zone, "leg": self.leg}
            | self.headline.to_json()
            | hours
            | {"legs": {name: leg.to_json() for name, leg in self.legs.items()}}
        )


def _counts_json(counts: Counts | None) -> dict[str, int] | None:
    return None if counts is None else {str(kind): count for kind, count in counts.items()}


def zone_name(zone: tzinfo) -> str:
    """`Europe/Berlin`, or what a fixed offset calls itself."""
    return getattr(zone, "key", None) or str(zone)


def read_day(connection: sqlite3.Connection, day: date, zone: tzinfo, start_hour: int = 0) -> DaySummary:
    """One day with its hours."""
    return _with_hours(connection, read_days(connection, day, 1, zone, start_hour)[0], zone)


def read_days(
    connection: sqlite3.Connection, first: date, days: int, zone: tzinfo, start_hour: int = 0
) -> list[DaySummary]:
    """Consecutive days from `first` on, without their hours."""
    edges = day_edges(first, days, zone, start_hour)
    seen = leg_days(connection, edges)
    return [
        _summary(first + timedelta(days=number), zone, edges[number : number + 2], seen[number])
        for number in range(days)
    ]


def _summary(day: date, zone: tzinfo, edges: Sequence[int], seen: Mapping[str, LegDay]) -> DaySummary:
    legs = {name: seen.get(name, LegDay()) for name in _LEGS if name != UNKNOWN_LEG or name in seen}
    # max keeps the first of equals, and _LEGS puts left before right before unknown.
    name = max(legs, key=lambda leg: (legs[leg].worn_s, legs[leg].recorded_s, legs[leg].gap_s))
    start, end = (datetime.fromtimestamp(edge, zone) for edge in edges)
    leg = leg_named(name) if legs[name].recorded_s else None
    return DaySummary(day, zone_name(zone), start, end, legs, leg, legs[name])


def _with_hours(connection: sqlite3.Connection, summary: DaySummary, zone: tzinfo) -> DaySummary:
    start_s, end_s = int(summary.start.timestamp()), int(summary.end.timestamp())
    starts = hour_starts(start_s, end_s, zone)
    seen = leg_days(connection, [*(int(start.timestamp()) for start in starts), end_s])
    name = UNKNOWN_LEG if summary.leg is None else str(summary.leg)
    hours = []
    for number, start in enumerate(starts):
        leg = seen[number].get(name, LegDay())
        hours.append(Hour(start, leg.counts, leg.worn_s, leg.recorded_s, leg.unknown_s))
    return DaySummary(
        summary.day, summary.zone, summary.start, summary.end,
        summary.legs, summary.leg, summary.headline, tuple(hours),
    )  # fmt: skip


def leg_days(connection: sqlite3.Connection, edges: Sequence[int]) -> list[dict[str, LegDay]]:
    """What each leg did between consecutive instants.

    Args:
        connection: may be read-only.
        edges: seconds of UTC since 1970, on quarter-hours, never decreasing.

    Returns:
        One entry a stretch, legs without any row left out.
    """
    still = _longest_still(connection, edges)
    seen: list[dict[str, LegDay]] = [{} for _ in edges[1:]]
    for leg in _LEGS:
        # One indexed read a stretch: grouping all stretches in one statement would sort every row first.
        for number, (low, high) in enumerate(pairwise(edges)):
            rows, *sums = connection.execute(_SUMS, (leg, low, high)).fetchone()
            if rows:
                seen[number][leg] = _leg_day(sums, still.get((number, leg), 0))
    return seen


_SUMS = (
    f"SELECT COUNT(*), {', '.join(f'SUM({name})' for name in COLUMNS)} FROM quarter_hours "
    "WHERE leg = ? AND start_utc_s >= ? AND start_utc_s < ?"
)


def _leg_day(sums: Sequence[int], still_us: int) -> LegDay:
    *counts, recorded_us, countable_us, worn_us, unknown_us, gap_us, bounce_us = sums
    return LegDay(
        counts=dict(zip(Kind, counts, strict=True)) if countable_us else None,
        recorded_s=recorded_us / 1e6,
        worn_s=worn_us / 1e6,
        unknown_s=unknown_us / 1e6,
        gap_s=gap_us / 1e6,
        bounce_s=bounce_us / 1e6,
        longest_still_s=still_us / 1e6 if worn_us else None,
    )


def _longest_still(connection: sqlite3.Connection, edges: Sequence[int]) -> dict[tuple[int, str], int]:
    """(stretch, leg) -> microseconds; goes on over the edges of quarter-hours, not of stretches."""
    longest: dict[tuple[int, str], int] = {}
    for leg in _LEGS:
        rows = connection.execute(
            "SELECT start_utc_s, still_first_us, still_longest_us, still_last_us FROM quarter_hours "
            "WHERE leg = ? AND start_utc_s >= ? AND start_utc_s < ? AND still_longest_us > 0 "
            "ORDER BY start_utc_s",
            (leg, edges[0], edges[-1]),
        ).fetchall()
        number, end, best, run, follows = -1, edges[0], 0, 0, -1
        for start, first, inside, last in rows:
            if start >= end:
                longest[number, leg] = best
                number = bisect_right(edges, start) - 1
                end = edges[number + 1]
                best = run = 0
            elif start != follows:
                run = 0
            follows = start + _QUARTER_S
            if first == _WHOLE_US:
                run += first
            else:
                if inside > best:
                    best = inside
                if run + first > best:
                    best = run + first
                run = last
            if run > best:
                best = run
        longest[number, leg] = best
    return longest


def counted_events(connection: sqlite3.Connection, start_s: int, end_s: int, zone: tzinfo) -> Iterator[CountedEvent]:
    """The contractions that count between two instants, in order of their peaks.

    Args:
        connection: may be read-only.
        start_s: seconds of UTC since 1970, included.
        end_s: excluded; an event belongs to the instant of its peak.
        zone: zone of the times returned.
    """
    rows = connection.execute(
        "SELECT e.session_id, t.leg, e.kind, e.onset_utc_us, e.peak_utc_us, e.end_utc_us, "
        "e.onset_s, e.peak_s, e.end_s, e.confidence, e.rule, e.strength, e.attributes, a.version "
        "FROM stretches t CROSS JOIN events e JOIN algorithms a ON a.id = e.algorithm_id "
        "WHERE t.leg IN ('left', 'right', 'unknown') AND t.start_utc_us >= ? AND t.start_utc_us < ? "
        "AND e.session_id = t.session_id "
        "AND e.peak_utc_us >= t.start_utc_us AND e.peak_utc_us < t.end_utc_us ORDER BY e.peak_utc_us, t.leg",
        (start_s * 1_000_000, end_s * 1_000_000),
    )
    for (
        session_id,
        leg,
        kind,
        *times,
        onset_s,
        peak_s,
        end_s,
        confidence,
        rule,
        strength,
        facts,
        version,
    ) in rows:
        onset, peak, end = (when(us).astimezone(zone) for us in times)
        yield CountedEvent(
            session_id=session_id,
            leg=leg_named(leg),
            kind=Kind(kind),
            onset=onset,
            peak=peak,
            end=end,
            onset_s=onset_s,
            peak_s=peak_s,
            end_s=end_s,
            confidence=confidence,
            rule=rule,
            strength=strength,
            attributes=json.loads(facts) if facts else {},
            algorithm_version=version,
        )


def rejections(connection: sqlite3.Connection, start_s: int, end_s: int) -> list[Rejected]:
    """How many candidates each rule refused between two quarter-hours, by leg, the most first."""
    rows = connection.execute(
        "SELECT r.rule, s.leg, SUM(r.candidates) FROM sessions s JOIN rejections r ON r.session_id = s.id "
        "WHERE s.deleted_at IS NULL AND s.last_utc_us >= :start AND s.first_utc_us < :end "
        "AND s.started_utc_us + r.start_s * 1e6 >= :start AND s.started_utc_us + r.start_s * 1e6 < :end "
        "AND NOT EXISTS (SELECT 1 FROM forgotten f WHERE f.session_id = s.id "
        "AND r.start_s >= f.start_s AND r.start_s < f.end_s) GROUP BY r.rule, s.leg ORDER BY 3 DESC, 1, 2",
        {"start": start_s * 1_000_000, "end": end_s * 1_000_000},
    )
    return [Rejected(rule, leg_named(leg), candidates) for rule, leg, candidates in rows]


def changes(
    first: date, leg: str, before: Sequence[Mapping[str, LegDay]], after: Sequence[Mapping[str, LegDay]]
) -> list[DayChange]:
    """The days of one leg whose counts differ; both lists begin with the day `first`."""
    differing = []
    for number, sides in enumerate(zip(before, after, strict=True)):
        old, new = (side.get(leg, LegDay()).counts for side in sides)
        if old != new:
            differing.append(DayChange(first + timedelta(days=number), leg_named(leg), old, new))
    return differing
