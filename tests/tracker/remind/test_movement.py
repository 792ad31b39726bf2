"""What the engine is told of a leg: from the findings of a live session, and from the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from analysis.events import Algorithm, Contraction, Findings, Kind, Leg, State, StateSpan
from analysis.leg.gait import Gait
from analysis.leg.story import Teller, Wearer
from tracker.counting import Counting
from tracker.home import Home
from tracker.remind.decisions import Doing
from tracker.remind.movement import LegWatch, doing_of, legs_in_store, walked
from tracker.store import Batch, NewSession, Store

START = datetime(2026, 5, 4, 8, tzinfo=UTC)


def pump(peak_s: float, kind: Kind = Kind.SOLEUS_PUSHUP) -> Contraction:
    return Contraction(kind, peak_s - 0.4, peak_s, peak_s + 0.4, 0.9, "rise")


def watch(*found: Findings) -> LegWatch:
    made = LegWatch(Leg.LEFT)
    for one in found:
        made.take(one, START)
    return made


def test_only_pumps_pay_one_by_one() -> None:
    """Steps are no pumps, but are the last contraction; peaks are UTC to the microsecond."""
    made = watch(Findings((pump(10.25), pump(12.0, Kind.HEEL_RAISE), pump(14.0, Kind.STEP))))
    seen = made.seen(START + timedelta(seconds=20), silent_s=0.1, started_at=START, present=None)
    assert seen.contractions == (START.timestamp() + 10.25, START.timestamp() + 12.0)
    assert seen.last_contraction_s == START.timestamp() + 14.0


def test_ten_minutes_are_remembered() -> None:
    """The last contraction is known for longer."""
    made = watch(Findings((pump(10.0), pump(500.0))))
    seen = made.seen(START + timedelta(seconds=700), silent_s=0.1, started_at=START, present=None)
    assert seen.contractions == (START.timestamp() + 500.0,)
    later = made.seen(START + timedelta(seconds=7000), silent_s=0.1, started_at=START, present=None)
    assert (later.contractions, later.last_contraction_s) == ((), START.timestamp() + 500.0)


def test_walking_of_the_last_five_minutes() -> None:
    """Final walks and the one that goes on, overlaps counted once."""
    made = watch(Findings(spans=(StateSpan(State.WALKING, 0.0, 100.0), StateSpan(State.SEATED, 100.0, 200.0))))
    seen = made.seen(START + timedelta(seconds=350), silent_s=0.1, started_at=START, present=None)
    assert seen.walking_s == 50.0
    going_on = StateSpan(State.WALKING, 340.0, 395.0)
    seen = made.seen(START + timedelta(seconds=400), silent_s=0.1, started_at=START, present=going_on)
    assert (seen.doing, seen.walking_s) == (Doing.WALKING, 55.0)
    assert walked([(0.0, 50.0), (40.0, 60.0), (500.0, 600.0)], 90.0) == 60.0


@pytest.mark.parametrize(
    ("present", "silent_s", "expected"),
    [
        (StateSpan(State.SEATED, 0.0, 590.0), 0.2, Doing.STILL),
        (StateSpan(State.STANDING, 0.0, 590.0), 0.2, Doing.STILL),
        (StateSpan(State.NOT_WORN, 0.0, 590.0), 0.2, Doing.NOT_WORN),
        (StateSpan(State.UNKNOWN, 0.0, 590.0), 0.2, Doing.UNKNOWN),
        (StateSpan(State.SEATED, 0.0, 500.0), 0.2, Doing.UNKNOWN),
        (None, 0.2, Doing.UNKNOWN),
        (StateSpan(State.SEATED, 0.0, 590.0), 16.0, Doing.GAP),
        (StateSpan(State.SEATED, 0.0, 590.0), None, Doing.GAP),
    ],
)
def test_what_a_leg_does(present: StateSpan | None, silent_s: float | None, expected: Doing) -> None:
    """By the label that goes on; an old one says nothing, and without samples there is a gap."""
    seen = watch().seen(START + timedelta(seconds=600), silent_s=silent_s, started_at=START, present=present)
    assert seen.doing is expected
    unknown_start = watch().seen(START + timedelta(seconds=600), silent_s=0.1, started_at=None, present=present)
    assert unknown_start.doing is Doing.UNKNOWN


def test_a_leg_that_keeps_still_is_seen_before_its_stretch_ends() -> None:
    """Ten minutes seated are one stretch that is not final; `present` tells it within half a minute, then the walk."""
    rng = np.random.default_rng(3)
    recorded = (
        Teller(Wearer.anybody(rng), 50.0, rng).sit(600.0).stand_up().stand(3.0).walk(Gait(), 30).stand(3.0).record()
    )
    counting, told = Counting(), []
    for first in range(0, len(recorded.blocks[0]), 250):
        cut = [block.between(first, min(first + 250, len(block))) for block in recorded.blocks]
        counting.feed(*cut)
        now_s = float(cut[0].t_s[-1])
        present = counting.present()
        if present is not None:
            told.append((now_s, doing_of(present.state, now_s - present.end_s)))
    still = [doing for at_s, doing in told if 60 < at_s < 590]
    assert still.count(Doing.STILL) >= 0.95 * len(still)
    assert Doing.WALKING in [doing for at_s, doing in told if at_s > 610]


def test_from_the_store(tmp_path: Path) -> None:
    """Contractions, walks and the label of an open session; a still leg, whose label is not final, is unknown."""
    with Store(Home(tmp_path / "home"), clock=lambda: START) as store:
        assert legs_in_store(store, START) == ()
        session = store.begin(NewSession(START, Leg.RIGHT, sensor="calf"))
        spans = (StateSpan(State.SEATED, 0.0, 300.0), StateSpan(State.WALKING, 300.0, 380.0))
        found = Findings((pump(100.0), pump(250.0), pump(330.0, Kind.STEP)), spans)
        store.append(session, Batch(found, 0.0, 390.0, Algorithm("a", "1", "0")))
        (leg,) = legs_in_store(store, START + timedelta(seconds=395))
        assert (leg.leg, leg.doing, leg.walking_s) == (Leg.RIGHT, Doing.WALKING, 80.0)
        assert leg.contractions == (START.timestamp() + 100.0, START.timestamp() + 250.0)
        assert leg.last_contraction_s == START.timestamp() + 330.0
        store.append(session, Batch(Findings(), 390.0, 600.0, Algorithm("a", "1", "0")))
        (leg,) = legs_in_store(store, START + timedelta(seconds=602))
        assert leg.doing is Doing.UNKNOWN
        (leg,) = legs_in_store(store, START + timedelta(seconds=700))
        assert leg.doing is Doing.GAP
        store.finish(session, START + timedelta(seconds=600))
        assert legs_in_store(store, START + timedelta(seconds=700)) == ()
