"""Reminders as a program sees them that is not the service: read from the store, nothing changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from tracker.remind import adaptive, engine
from tracker.remind.calendar import Calendar
from tracker.remind.decisions import Observation
from tracker.remind.engine import Rules
from tracker.remind.explain import SEEN_S, Why, explain
from tracker.remind.forbidding import shown_today
from tracker.remind.ledger import owing
from tracker.remind.reminders import restored
from tracker.remind.settings import RemindSettings
from tracker.remind.state import Reminder, State
from tracker.store import Store


@dataclass(frozen=True, slots=True)
class Glance:
    """What is known at one instant.

    Attributes:
        state: the engine's, with the answers that wait for it.
        rules: the wearer's.
        seen: the instant, and what the calendar says.
        last: the newest reminder.
        trouble: why the calendar cannot be used; empty where all is well.
    """

    state: State
    rules: Rules
    seen: Observation
    last: Reminder | None
    trouble: str = ""

    @property
    def is_watched(self) -> bool:
        """Whether the engine is at work."""
        at_s = self.state.at_s
        return at_s is not None and -SEEN_S < self.seen.now.timestamp() - at_s < SEEN_S

    def why(self) -> Why:
        """The last and the next one, in a sentence each."""
        why = explain(self.state, self.seen, self.rules, self.last, self.trouble)
        return why if self.is_watched else replace(why, due_at=None)

    def to_json(self) -> dict[str, Any]:
        """The keys of `soleus remind status --json`; null for what is not known, since nobody watches."""
        leg = owing(self.state.ledgers) if self.is_watched else None
        settings, now_s = self.rules.settings, self.seen.now.timestamp()
        local = self.seen.now.astimezone(self.seen.zone)
        due_at = self.why().due_at
        return {
            "on": settings.on,
            "watching": self.is_watched,
            "leg": None if leg is None or leg.leg == "unknown" else leg.leg,
            "doing": {one.leg: str(one.doing) for one in self.state.ledgers} if self.is_watched else {},
            "still_s": None if leg is None else round(max(leg.debt_s, 0.0), 3),
            "credit_s": None if leg is None else round(max(-leg.debt_s, 0.0), 3),
            "due_after_s": self.rules.terms[local.hour].need_s,
            "next_due": None if due_at is None else due_at.isoformat(timespec="seconds"),
            "held_back_by": self.state.holding if self.is_watched else None,
            "shown_today": shown_today(self.state.shown, self.seen.now, self.seen.zone, settings),
            "daily_cap": settings.daily_cap,
            "snoozed_until": _time(self.state.snoozed_until_s, now_s, self.seen.zone),
            "not_before": _time(self.state.off_until_s, now_s, self.seen.zone),
            "badge": self.state.badge is not None,
            "calendar": None if settings.calendar is None else str(settings.calendar),
            "busy": self.seen.busy,
            "adaptive": settings.adaptive,
            "trouble": self.trouble or None,
        }


def _time(at_s: float, now_s: float, zone: tzinfo) -> str | None:
    return datetime.fromtimestamp(at_s, zone).isoformat(timespec="seconds") if at_s > now_s else None


def glance(store: Store, settings: RemindSettings, now: datetime, zone: tzinfo) -> Glance:
    """What the store, the rules and the calendar say at an instant."""
    state, waiting = restored(store)
    for _, at, given in waiting:
        state = engine.answer(state, given, at, zone, settings).state
    calendar = None if settings.calendar is None else Calendar(settings.calendar)
    busy = None if calendar is None else calendar.is_busy(now, zone)
    last = next(iter(store.reminders(limit=1)), None)
    rules = rules_now(store, settings, now, zone)
    return Glance(state, rules, Observation(now, zone, busy=busy), last, calendar.trouble if calendar else "")


def rules_now(store: Store, settings: RemindSettings, now: datetime, zone: tzinfo) -> Rules:
    """The rules, moved by what was learned where they are adaptive."""
    if not settings.adaptive:
        return Rules.of(settings)
    return Rules.of(settings, adaptive.still_minutes(store.reminders(since=now - adaptive.MEMORY), settings, zone))
