"""Rate and gaps of a stream, over any cutting."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.samplefile.intervals import Intervals


@given(st.lists(st.integers(1, 5000), min_size=2, max_size=50), st.integers(1, 49))
def test_any_cutting_gives_the_same_rate_and_gaps(steps: list[int], cut: int) -> None:
    """Two pieces give what one gives."""
    t_s = np.cumsum(steps) / 1024.0
    one, two = Intervals(), Intervals()
    one.add(t_s)
    two.add(t_s[:cut])
    two.add(t_s[cut:])
    assert (two.rate_hz(), two.samples) == (one.rate_hz(), one.samples)
    assert two.gaps() == pytest.approx(one.gaps())


def test_too_few_samples() -> None:
    """One sample has no rate and no gap."""
    intervals = Intervals()
    intervals.add(np.array([1.0]))
    assert (intervals.rate_hz(), intervals.gaps()) == (None, (0, 0.0))
