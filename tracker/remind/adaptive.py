"""Adaptive reminders: sooner in the hours of the day in which they work, later in those in which they do not.

A message *worked* when the leg cleared its debt within five minutes of it. For hour h of the wearer's clock, with n
messages of which s worked, and p of all messages having worked:

    p(h) = (s + K p) / (n + K)            K = `PRIOR` messages' worth of belief that all hours are alike
    N(h) = N p / p(h), held within the wearer's limits

So an hour about which nothing is known keeps N, and no hour leaves the limits. Nothing is learned before `LEAST`
messages, nor from what is older than `MEMORY`, nor from what came before the wearer's last reset.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, tzinfo

from tracker.remind.decisions import Rung
from tracker.remind.ledger import WINDOW_S
from tracker.remind.settings import RemindSettings
from tracker.remind.state import Reminder

PRIOR = 8.0
"""Chosen: about a week of one message a day at that hour, so that one bad day changes little."""

LEAST = 20
"""Chosen: two days at the usual rate; with fewer, p itself is a guess."""

MEMORY = timedelta(days=56)
"""Chosen: eight weeks, four times each weekday on either side of a change of habits."""

LATE_S = 30.0
"""What moved the leg becomes final, and is observed, a little later."""

HOURS = 24


def worked(reminder: Reminder) -> bool | None:
    """Whether the leg cleared its debt within five minutes; None where nobody can say."""
    if reminder.shown_s is None or reminder.rung not in (Rung.GENTLE, Rung.AGAIN):
        return None
    if reminder.moved_s is not None:
        return reminder.moved_s - reminder.shown_s <= WINDOW_S + LATE_S
    return None if reminder.contractions is None else False


def still_minutes(reminders: Iterable[Reminder], rules: RemindSettings, zone: tzinfo) -> tuple[float, ...]:
    """N of each hour of the wearer's clock, minutes.

    Args:
        reminders: of the last `MEMORY`, in any order.
        rules: N and its limits.
        zone: whose hours.
    """
    since_s = rules.adaptive_since.timestamp() if rules.adaptive_since else 0.0
    shown, good = [0] * HOURS, [0] * HOURS
    for one in reminders:
        did = worked(one)
        if did is None or one.shown_s is None or one.shown_s < since_s:
            continue
        hour = datetime.fromtimestamp(one.shown_s, zone).hour
        shown[hour] += 1
        good[hour] += did
    return _moved(shown, good, rules)


def _moved(shown: Sequence[int], good: Sequence[int], rules: RemindSettings) -> tuple[float, ...]:
    if sum(shown) < LEAST or not sum(good):
        return (rules.still_min,) * HOURS
    usual = sum(good) / sum(shown)
    low, high = rules.adaptive_least_min, rules.adaptive_most_min
    found = []
    for n, s in zip(shown, good, strict=True):
        share = (s + PRIOR * usual) / (n + PRIOR)
        found.append(min(max(rules.still_min * usual / share, low), high))
    return tuple(found)
