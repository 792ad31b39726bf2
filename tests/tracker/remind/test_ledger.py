"""The formulas of debt, credit, walking and unseen time, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.events import Leg
from tracker.remind.decisions import Doing, LegSeen
from tracker.remind.ledger import FORGET_S, Terms, advance, is_over, owing
from tracker.remind.state import Ledger

TERMS = Terms(need_s=1800.0, soon_s=1800.0, pay_s=90.0, credit_s=900.0, clear=20)
NOW = 1_780_000_000.0


def after(
    ledger: Ledger, doing: Doing = Doing.STILL, *, dt_s: float = 60.0, peaks: tuple[float, ...] = (),
    walking_s: float = 0.0, was_awake: bool = True, is_awake: bool = True, now_s: float = NOW,
) -> tuple[Ledger, bool]:  # fmt: skip
    return advance(ledger, LegSeen(Leg.LEFT, doing, peaks, walking_s), now_s, dt_s, was_awake, is_awake, TERMS)


def still(debt_s: float, **more: Any) -> Ledger:
    return Ledger("left", debt_s, doing=Doing.STILL, **more)


@pytest.mark.parametrize(
    ("before", "now", "dt_s", "expected"),
    [
        (Doing.STILL, Doing.STILL, 60.0, 660.0),
        (Doing.STILL, Doing.WALKING, 60.0, 600.0),
        (Doing.WALKING, Doing.STILL, 60.0, 600.0),
        (Doing.STILL, Doing.GAP, 60.0, 600.0),
        (Doing.NOT_WORN, Doing.STILL, 60.0, 600.0),
        (Doing.STILL, Doing.UNKNOWN, 60.0, 600.0),
        (Doing.STILL, Doing.STILL, 91.0, 600.0),
        (Doing.STILL, Doing.STILL, 121.0, 0.0),
        (Doing.STILL, Doing.GAP, 121.0, 0.0),
    ],
)
def test_only_still_seen_time_builds_debt(before: Doing, now: Doing, dt_s: float, expected: float) -> None:
    """Both ends of a step must be still; a pause of the machine is unseen, and more than two minutes forget."""
    assert after(Ledger("left", 600.0, doing=before), now, dt_s=dt_s)[0].debt_s == expected


def test_time_asleep_builds_none() -> None:
    """Out of the hours at either end a step is unseen."""
    for was_awake, is_awake in ((False, True), (True, False), (False, False)):
        assert after(still(600.0), was_awake=was_awake, is_awake=is_awake)[0].debt_s == 600.0
    asleep = after(still(600.0), is_awake=False)[0]
    for _ in range(2):
        asleep = after(asleep, was_awake=False, is_awake=False)[0]
    assert (asleep.debt_s, asleep.unseen_s) == (0.0, 180.0)


def test_unseen_time_adds_up_until_the_leg_is_seen() -> None:
    """Two minutes unseen keep the debt, more do not; a seen step begins anew."""
    gone = after(still(600.0), Doing.GAP)[0]
    assert after(gone, Doing.GAP)[0].debt_s == 600.0
    back = after(gone, Doing.STILL)[0]
    assert (back.debt_s, back.unseen_s) == (600.0, 0.0)
    assert after(after(gone, Doing.GAP)[0], Doing.STILL)[0].debt_s == 0.0
    assert FORGET_S == 120.0


def test_the_debt_ends_at_n() -> None:
    """However long a message is held back, the first contractions postpone it."""
    assert after(still(1790.0))[0].debt_s == 1800.0
    assert after(still(1800.0), peaks=(NOW - 1,), dt_s=5)[0].debt_s == 1710.0


def test_each_contraction_pays_once() -> None:
    """A peak that is told again and again pays N / M minutes once, in whatever order they come."""
    paid = after(still(1000.0), peaks=(NOW - 5, NOW - 3))[0]
    assert paid.debt_s == 1060.0 - 2 * 90.0
    again = after(paid, peaks=(NOW - 5, NOW - 4, NOW - 3), now_s=NOW + 60)[0]
    assert again.debt_s == paid.debt_s + 60 - 90.0
    assert again.counted == (NOW - 5, NOW - 4, NOW - 3)


def test_peaks_are_forgotten_after_ten_minutes() -> None:
    """Older ones do not pay, and are not remembered."""
    assert after(still(1000.0), peaks=(NOW - 601,))[0].debt_s == 1060.0
    assert after(still(0.0, counted=(NOW - 601, NOW - 599)))[0].counted == (NOW - 599,)


def test_pumping_ahead_is_credit_up_to_its_limit() -> None:
    """Forty contractions without debt give the largest credit, fifteen minutes."""
    ahead = after(still(0.0), peaks=tuple(NOW - 40 + n for n in range(40)), dt_s=0.0)[0]
    assert ahead.debt_s == -900.0
    assert after(ahead)[0].debt_s == -840.0


def test_m_contractions_in_five_minutes_clear() -> None:
    """Twenty within five minutes clear whatever is owed; spread over more they only pay."""
    quick = tuple(NOW - 280 + 14 * n for n in range(20))
    ledger, moved = after(still(1800.0), peaks=quick)
    assert (ledger.debt_s, moved) == (0.0, True)
    slow = tuple(NOW - 570 + 30 * n for n in range(19))
    ledger, moved = after(still(1800.0), peaks=slow)
    assert (ledger.debt_s, moved) == (1800.0 - 19 * 90.0, False)


def test_two_minutes_of_walking_clear() -> None:
    """Within the last five; less does not, and a credit stays."""
    assert after(still(900.0), walking_s=119.0)[0].debt_s == 960.0
    assert after(still(900.0), walking_s=120.0) == (Ledger("left", 0.0, 0.0, Doing.STILL), True)
    assert after(still(-300.0), walking_s=300.0, dt_s=0.0)[0].debt_s == -300.0


def test_of_two_legs_the_one_that_moved_counts() -> None:
    """The least debt of the legs that are seen; nothing where none is."""
    left, right = still(1800.0), Ledger("right", 200.0, doing=Doing.STILL)
    assert owing((left, right)) is right
    assert owing((left, Ledger("right", 200.0, doing=Doing.GAP))) is left
    assert owing((Ledger("left", 5.0, doing=Doing.UNKNOWN),)) is None


def test_a_stretch_is_over_when_some_leg_owes_nothing() -> None:
    """Or when none has been seen for more than two minutes."""
    assert is_over(())
    assert is_over((still(1800.0), Ledger("right", 0.0, doing=Doing.STILL)))
    assert not is_over((still(1800.0), Ledger("right", 0.0, 121.0)))
    assert not is_over((Ledger("left", 1800.0, 120.0),))
    assert is_over((Ledger("left", 1800.0, 121.0),))
