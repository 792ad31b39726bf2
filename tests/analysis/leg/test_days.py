"""Days of a simulated wearer."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from analysis.events import Kind, State
from analysis.leg.days import HOUR_S, Habits, day, shifted, table_hour, worn_hour
from analysis.leg.story import Recorded, Wearer

RATE_HZ = 25.0


def wearer() -> Wearer:
    return Wearer.anybody(np.random.default_rng(10_300))


@pytest.fixture(scope="module")
def hour() -> Recorded:
    return worn_hour(wearer(), Habits(2.0, 30, 2.0, 2.0, 10), RATE_HZ, np.random.default_rng(10_300))


def test_an_hour_is_an_hour(hour: Recorded) -> None:
    """3,600 s at 25 Hz are 90,000 samples of each modality; spans end with them and truth does not go beyond."""
    assert [len(block) for block in hour.blocks] == [90_000, 90_000]
    assert hour.spans[-1].end_s == HOUR_S
    assert max(e.end_s for e in hour.truth) < HOUR_S


def test_spans_tile_the_hour(hour: Recorded) -> None:
    """Spans follow each other without a hole."""
    for before, after in pairwise(hour.spans):
        assert after.start_s == pytest.approx(before.end_s)


def test_the_hours_of_a_day_are_on_one_clock() -> None:
    """Hours follow each other sample by sample: on a table by night, worn by day."""
    habits = Habits(0.2, 5, 0.5, 0.0, 5)
    hours = list(islice(day(wearer(), habits, RATE_HZ, np.random.default_rng(10_301), worn=range(2, 4)), 4))
    assert [h.spans[0].state is State.NOT_WORN for h in hours] == [True, True, False, False]
    assert [h.blocks[0].t_s[0] for h in hours] == pytest.approx([0.0, 3600.0, 7200.0, 10800.0])
    for before, after in pairwise(hours):
        assert after.blocks[0].t_s[0] - before.blocks[0].t_s[-1] == pytest.approx(1.0 / RATE_HZ)


def test_a_later_story_is_the_same_story(hour: Recorded) -> None:
    """Shifting moves samples, truth and spans by one and the same time."""
    later = shifted(hour, 7200.0)
    np.testing.assert_allclose(later.blocks[0].t_s, hour.blocks[0].t_s + 7200.0)
    np.testing.assert_array_equal(later.blocks[0].values, hour.blocks[0].values)
    assert [e.peak_s for e in later.truth] == pytest.approx([e.peak_s + 7200.0 for e in hour.truth])
    assert later.spans[0].start_s == hour.spans[0].start_s + 7200.0


def test_habits_are_kept_on_average() -> None:
    """Sets and walks come as often as the habits say: their Poisson mean over 6 hours, within three deviations."""
    habits = Habits(0.0, 10, 1.0, 1.0, 4)
    rng = np.random.default_rng(10_302)
    truth = [e.kind for _ in range(6) for e in worn_hour(wearer(), habits, RATE_HZ, rng).truth]
    for kind in (Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE):
        assert truth.count(kind) / 4 == pytest.approx(6.0, abs=3 * np.sqrt(6.0))
    assert truth.count(Kind.STEP) == 0


def test_a_table_is_not_worn() -> None:
    """An hour on a table has one state and no truth."""
    told = table_hour(wearer(), RATE_HZ, np.random.default_rng(10_303))
    assert {s.state for s in told.spans} <= {State.NOT_WORN, State.SEATED}
    assert told.truth == ()
