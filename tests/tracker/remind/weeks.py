"""Random weeks of wear, gaps, movement and sleep, and the rules of reminders once more, written down the long way.

`Oracle` is the formulas of the documentation, computed from the whole history at each instant and not step by step: no
code of the engine, the ledger, the schedule or the civil days is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from analysis.events import Leg
from tracker.remind.decisions import Doing, LegSeen, Observation

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns", "UTC")
CLOCK_CHANGES = (date(2026, 3, 25), date(2026, 10, 21), date(2026, 3, 4), date(2026, 10, 28), date(2026, 4, 2))
"""A week from each of these on holds a change of the clocks somewhere in `ZONES`."""


@dataclass(frozen=True)
class Stretch:
    """Some minutes of a life; `pump_s`: seconds between contractions, None for none."""

    doing: Doing
    minutes: float
    pump_s: float | None = None
    locked: bool | None = False
    microphone: bool | None = False
    camera: bool | None = None
    do_not_disturb: bool | None = False
    busy: bool | None = None
    suspended: bool = False


flags = st.sampled_from((False, False, False, None, True))
stretches = st.builds(
    Stretch,
    doing=st.sampled_from((Doing.STILL,) * 6 + (Doing.WALKING, Doing.NOT_WORN, Doing.GAP, Doing.UNKNOWN)),
    minutes=st.sampled_from((0.5, 1, 2, 3, 5, 12, 31, 45, 90, 200)),
    pump_s=st.sampled_from((None, None, None, 3.0, 14.0, 40.0, 150.0)),
    locked=flags,
    microphone=flags,
    camera=flags,
    do_not_disturb=flags,
    busy=flags,
    suspended=st.sampled_from((False,) * 9 + (True,)),
)


@dataclass
class Week:
    """Seven days, made of stretches that come again and again, observed every `every_s` seconds."""

    zone: ZoneInfo
    first: date
    life: list[Stretch]
    every_s: float
    second_leg: int | None  # so many stretches later in the same life; None: one sensor

    def observations(self, days: int = 7) -> Iterator[Observation]:
        """In order, none while the machine is suspended; at night every ten minutes."""
        start = datetime(self.first.year, self.first.month, self.first.day, tzinfo=self.zone).timestamp()
        legs = [_Course(self.life, start, 0)]
        if self.second_leg is not None:
            legs.append(_Course(self.life, start, self.second_leg))
        at = start
        while at < start + days * 86_400:
            seen = tuple(course.seen(at, leg) for course, leg in zip(legs, (Leg.LEFT, Leg.RIGHT), strict=False))
            now = legs[0].now
            local = datetime.fromtimestamp(at, self.zone)
            if not now.suspended:
                yield Observation(
                    local, self.zone, seen, now.locked, now.do_not_disturb, now.microphone, now.camera, now.busy
                )
            at += 600 if local.hour < 5 else self.every_s


class _Course:
    """One leg's way through the stretches."""

    def __init__(self, life: list[Stretch], start: float, place: int) -> None:
        self.life, self.place = life, place % len(life)
        self.begun, self.until = start, start + life[self.place].minutes * 60
        self.peaks: list[float] = []
        self.walks: list[tuple[float, float]] = []
        self.pumped_to = start

    @property
    def now(self) -> Stretch:
        return self.life[self.place]

    def seen(self, at: float, leg: Leg) -> LegSeen:
        while at >= self.until:
            self._pump(self.until)
            self._walk(self.until)
            self.place = (self.place + 1) % len(self.life)
            self.begun = self.pumped_to = self.until
            self.until += self.now.minutes * 60
        self._pump(at)
        self.peaks = [peak for peak in self.peaks if peak > at - 600]
        self.walks = [walk for walk in self.walks if walk[1] > at - 300]
        walks = [*self.walks, (self.begun, at)] if self.now.doing is Doing.WALKING else self.walks
        walked_s = sum(end - max(begin, at - 300) for begin, end in walks if end > at - 300)
        return LegSeen(leg, self.now.doing, tuple(self.peaks), walked_s)

    def _pump(self, until: float) -> None:
        if self.now.pump_s is None or self.now.doing is not Doing.STILL:
            return
        number = int((self.pumped_to - self.begun) // self.now.pump_s) + 1
        while (peak := self.begun + number * self.now.pump_s) <= until:
            self.peaks.append(peak)
            number += 1
        self.pumped_to = until

    def _walk(self, until: float) -> None:
        if self.now.doing is Doing.WALKING:
            self.walks.append((self.begun, until))


weeks = st.builds(
    Week,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    first=st.sampled_from(CLOCK_CHANGES) | st.dates(date(2025, 1, 1), date(2027, 12, 1)),
    life=st.lists(stretches, min_size=1, max_size=25),
    every_s=st.sampled_from((45.0, 60.0, 60.0)),
    second_leg=st.none() | st.integers(1, 20),
)


@dataclass
class Oracle:
    """What should hold at each instant, from the documented formulas.

    Attributes:
        need_s, pay_s, credit_s, clear: N, N / M, the largest credit in seconds, and M.
        hours: for each weekday (start, end) in hours of the day.
        quiet: (start, end) in hours, every day.
        holidays: dates.
    """

    need_s: float
    pay_s: float
    credit_s: float
    clear: int
    hours: list[tuple[float, float] | None]
    quiet: list[tuple[float, float]]
    holidays: set[date]
    start_hour: int = 0
    debts: dict[str, float] = field(default_factory=dict)
    unseen: dict[str, float] = field(default_factory=dict)
    paid: dict[str, set[float]] = field(default_factory=dict)
    before: Observation | None = None

    def hour(self, seen: Observation) -> float:
        local = seen.now.astimezone(seen.zone)
        return local.hour + local.minute / 60 + local.second / 3600

    def in_hours(self, seen: Observation) -> bool:
        local = seen.now.astimezone(seen.zone)
        span = self.hours[local.weekday()]
        return local.date() not in self.holidays and span is not None and span[0] <= self.hour(seen) < span[1]

    def is_quiet(self, seen: Observation) -> bool:
        return any(start <= self.hour(seen) < end for start, end in self.quiet)

    def day(self, seen: Observation) -> date:
        """The wearer's civil day; `start_hour` lies after every change of the clocks."""
        return (seen.now.astimezone(seen.zone).replace(tzinfo=None) - timedelta(hours=self.start_hour)).date()

    def take(self, seen: Observation) -> None:
        """Bring the debts to this instant."""
        before, self.before = self.before, seen
        dt = (seen.now - before.now).total_seconds() if before else 0.0
        now_s = seen.now.timestamp()
        for leg in seen.legs:
            name = str(leg.leg)
            was = next((one.doing for one in before.legs if one.leg is leg.leg), Doing.GAP) if before else Doing.GAP
            there = [Doing.STILL, Doing.WALKING]
            known = was in there and leg.doing in there and dt <= 90
            known = known and before is not None and self.in_hours(before) and self.in_hours(seen)
            debt = self.debts.get(name, 0.0)
            if known:
                self.unseen[name] = 0.0
                debt += dt if was is leg.doing is Doing.STILL else 0.0
            else:
                self.unseen[name] = self.unseen.get(name, 0.0) + dt
                debt = 0.0 if self.unseen[name] > 120 else debt
                if leg.doing in there and self.in_hours(seen):
                    self.unseen[name] = 0.0
            debt = min(debt, self.need_s)
            for peak in leg.contractions:
                if peak in self.paid.setdefault(name, set()):
                    continue
                self.paid[name].add(peak)
                debt = max(debt - self.pay_s, -self.credit_s)
                if sum(peak - 300 < one <= peak for one in self.paid[name]) >= self.clear:
                    debt = min(debt, 0.0)
            if leg.walking_s >= 120:
                debt = min(debt, 0.0)
            self.paid[name] = {one for one in self.paid.get(name, set()) if one > now_s - 600}
            self.debts[name] = debt

    def owed(self) -> float | None:
        """Debt of the leg that counts."""
        if self.before is None or not self.in_hours(self.before):
            return None
        seen = [self.debts[str(leg.leg)] for leg in self.before.legs if leg.doing in (Doing.STILL, Doing.WALKING)]
        return min(seen, default=None)

    def stretch_is_over(self) -> bool:
        known = [self.debts[name] for name in self.debts if self.unseen[name] <= 120]
        return not known or min(known) <= 0

    def forbids(self) -> bool:
        """Whether schedule, leg or desktop forbid a message; snooze, cap and cool-down not among them."""
        seen = self.before
        if seen is None or not self.in_hours(seen) or self.is_quiet(seen):
            return True
        doings = {leg.doing for leg in seen.legs}
        if Doing.STILL not in doings or Doing.WALKING in doings:
            return True
        return bool(seen.locked or seen.do_not_disturb or seen.microphone or seen.camera or seen.busy)
