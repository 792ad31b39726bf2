"""How long a calf has been still, as a debt: the formulas that the rules are made of.

Between two observations `dt` seconds apart, for each leg:

- **seen**: at both of them the leg is worn, labelled and recorded, the time lies in the hours of reminders, and `dt` is
  at most `LONGEST_STEP_S` (else the machine slept). A step that is not seen is unseen.
- **still**: seen, and at both ends not walking. The debt D grows by `dt`, up to N (minutes still until one is due).
- **walking**: seen, but not still. The debt does not grow.
- **unseen**: the debt does not grow. After more than `FORGET_S` seconds without a seen step it is 0, because the leg
  may have moved meanwhile; the credit goes, too.
- **credit**: each push-up, raise, ankle pump or pedal stroke takes `60 N / M` seconds off (M contractions are worth N
  minutes), down to no less than minus the largest credit.
- **cleared**: at a contraction that is the Mth within five minutes, and while two of the last five minutes were walked,
  D is at most 0.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from tracker.remind.decisions import Doing, LegSeen
from tracker.remind.state import Ledger

WINDOW_S = 300.0
"""The five minutes of the rules."""

WALK_CLEARS_S = 120.0
"""Two minutes of walking clear the debt. Source: breaks of so long had an effect in a trial (FACTS of the field: 2 min
every 20 min, n = 10, MSSE 2017;49:2119)."""

FORGET_S = 120.0
"""Unseen for longer than this, a leg may have walked enough to clear its debt; so there is none left to nag about."""

LONGEST_STEP_S = 90.0
"""Observations come at least every minute; a longer pause means that machine or program slept."""

MEMORY_S = 600.0
"""Contractions of so long are remembered, so that none pays twice."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The numbers of the rules at one instant.

    Attributes:
        need_s: debt at which a reminder is due.
        soon_s: debt at which the silent word before it comes.
        pay_s: what one contraction pays.
        credit_s: largest credit.
        clear: contractions within five minutes that clear the debt.
    """

    need_s: float
    soon_s: float
    pay_s: float
    credit_s: float
    clear: int


def advance(
    ledger: Ledger, seen: LegSeen, now_s: float, dt_s: float, was_awake: bool, is_awake: bool, terms: Terms
) -> tuple[Ledger, bool]:
    """The ledger at the next observation.

    Args:
        ledger: as of the last observation.
        seen: the leg now.
        now_s: seconds of UTC since 1970.
        dt_s: since the last observation, 0 or more.
        was_awake: whether the last observation lay in the hours of reminders.
        is_awake: whether this one does.
        terms: of the rules.

    Returns:
        The ledger, and whether the leg has just moved enough: the debt was cleared, or would have been.
    """
    doing, before = seen.doing, ledger.doing
    debt_s, unseen_s = ledger.debt_s, ledger.unseen_s
    seen_now = is_awake and (doing is Doing.STILL or doing is Doing.WALKING)
    if seen_now and was_awake and (before is Doing.STILL or before is Doing.WALKING) and dt_s <= LONGEST_STEP_S:
        if doing is Doing.STILL and before is Doing.STILL:
            debt_s += dt_s
        unseen_s = 0.0
    else:
        unseen_s += dt_s
        if unseen_s > FORGET_S:
            debt_s = 0.0
        if seen_now:
            unseen_s = 0.0
    if debt_s > terms.need_s:
        debt_s = terms.need_s
    counted, moved = ledger.counted, False
    if seen.contractions or counted:
        owed_s = debt_s
        debt_s, counted, moved = _paid(debt_s, counted, seen.contractions, now_s, terms)
        moved = moved or owed_s > 0.0 >= debt_s
    if seen.walking_s >= WALK_CLEARS_S:
        debt_s, moved = min(debt_s, 0.0), True
    return Ledger(ledger.leg, debt_s, unseen_s, doing, counted), moved


def _paid(
    debt_s: float, counted: tuple[float, ...], peaks: Sequence[float], now_s: float, terms: Terms
) -> tuple[float, tuple[float, ...], bool]:
    """Debt and memory after the contractions that have not paid yet, in order; whether one was the Mth."""
    oldest_s, cleared = now_s - MEMORY_S, False
    new = sorted(set(peaks).difference(counted))
    known = [peak for peak in counted if peak > oldest_s]
    for peak in new:
        if peak <= oldest_s:
            continue
        known.insert(bisect_right(known, peak), peak)
        debt_s = max(debt_s - terms.pay_s, -terms.credit_s)
        within = bisect_right(known, peak) - bisect_right(known, peak - WINDOW_S)
        if within >= terms.clear:
            debt_s, cleared = min(debt_s, 0.0), True
    return debt_s, tuple(known), cleared


def owing(ledgers: Sequence[Ledger]) -> Ledger | None:
    """The leg that counts: of those seen at this instant the one that owes least; None where none is seen.

    With a sensor on both legs a reminder comes only when neither has moved.
    """
    found: Ledger | None = None
    for ledger in ledgers:
        is_seen = ledger.doing is Doing.STILL or ledger.doing is Doing.WALKING
        if is_seen and (found is None or ledger.debt_s < found.debt_s):
            found = ledger
    return found


def is_over(ledgers: Sequence[Ledger]) -> bool:
    """Whether the still stretch has ended: some leg owes nothing, or none has been seen for too long."""
    known = [ledger for ledger in ledgers if ledger.unseen_s <= FORGET_S]
    return not known or min(ledger.debt_s for ledger in known) <= 0.0
