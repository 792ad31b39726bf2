"""What holds a message back: one rule after the other, the first that holds is named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from functools import lru_cache

from tracker.remind.decisions import Doing, Observation
from tracker.remind.settings import RemindSettings
from tracker.remind.state import Rule, State
from tracker.store.civil import QUARTER_S, day_of, day_start

_HELD_BY = {Doing.NOT_WORN: Rule.NOT_WORN, Doing.GAP: Rule.GAP, Doing.UNKNOWN: Rule.UNKNOWN}

_LONGEST_DAY_S = 50 * 3600
"""More than any civil day lasts: older messages are of another day, whatever the zone."""


def forbidding(state: State, seen: Observation, local: datetime, rules: RemindSettings) -> Rule | None:
    """The first rule that holds a due message back at this instant, None where none does.

    Args:
        state: its shown messages, snooze and "not today".
        seen: what is known now.
        local: the same instant on the wearer's clock.
        rules: the wearer's.
    """
    now_s = seen.now.timestamp()
    if now_s < state.off_until_s:
        return Rule.NOT_TODAY
    if now_s < state.snoozed_until_s:
        return Rule.SNOOZED
    return (
        by_schedule(local, rules)
        or _by_leg(seen)
        or (Rule.DAILY_CAP if is_enough(state.shown, seen.now, seen.zone, rules) else None)
        or by_desktop(seen)
    )


def by_schedule(local: datetime, rules: RemindSettings) -> Rule | None:
    """Holiday, out of hours, quiet."""
    week = rules.schedule
    if week.is_holiday(local):
        return Rule.HOLIDAY
    if not week.is_awake(local):
        return Rule.OUT_OF_HOURS
    return Rule.QUIET if week.is_quiet(local) else None


def _by_leg(seen: Observation) -> Rule | None:
    doings = [leg.doing for leg in seen.legs]
    if Doing.STILL not in doings:
        if Doing.WALKING in doings:
            return Rule.WALKING
        return next((rule for doing, rule in _HELD_BY.items() if doing in doings), Rule.GAP)
    if Doing.WALKING in doings:
        return Rule.WALKING
    return Rule.MOVING if any(leg.active for leg in seen.legs) else None


def is_enough(shown: Sequence[float], now: datetime, zone: tzinfo, rules: RemindSettings) -> bool:
    """Whether the wearer's day, in this zone, has had its messages."""
    if len(shown) < rules.daily_cap or shown[-rules.daily_cap] < now.timestamp() - _LONGEST_DAY_S:
        return False
    return shown_today(shown, now, zone, rules) >= rules.daily_cap


def shown_today(shown: Sequence[float], now: datetime, zone: tzinfo, rules: RemindSettings) -> int:
    """Messages of the wearer's day that is going on, in this zone."""
    begun_s = _day_begun_s(int(now.timestamp() // QUARTER_S), zone, rules.day_start_hour)
    return sum(at >= begun_s for at in shown)


@lru_cache(maxsize=8)
def _day_begun_s(quarter: int, zone: tzinfo, start_hour: int) -> int:
    """Start of the wearer's day that a quarter-hour of UTC lies in; days begin on quarter-hours."""
    moment = datetime.fromtimestamp(quarter * QUARTER_S, zone)
    return day_start(day_of(moment, zone, start_hour), zone, start_hour)


def by_desktop(seen: Observation) -> Rule | None:
    """Locked, do not disturb, microphone, camera, busy."""
    if seen.locked:
        return Rule.LOCKED
    if seen.do_not_disturb:
        return Rule.DO_NOT_DISTURB
    if seen.microphone:
        return Rule.MICROPHONE
    if seen.camera:
        return Rule.CAMERA
    return Rule.BUSY if seen.busy else None


def forbids_all(seen: Observation, local: datetime, rules: RemindSettings) -> bool:
    """Whether nothing at all may be said at this instant, notices included."""
    return by_schedule(local, rules) is not None or by_desktop(seen) is not None
