"""The line through the least late arrivals: the clock's rate and the zero, however packets are delayed."""

from __future__ import annotations

import numpy as np
import pytest

from tracker.live.timebase import MOST_POINTS, TimeBase

BASE_NS = 5_000_000_000_000


def told(ppm: float, hours: float, *, seed: int = 1, outage: slice | None = None) -> TimeBase:
    """A packet a second; delays of 10 to 400 ms, most of them short; in an outage 5 s more."""
    rng = np.random.default_rng(seed)
    t_s = np.arange(0.0, hours * 3600, 1.0)
    delay_s = 0.01 + np.minimum(rng.exponential(0.05, t_s.size), 0.4)
    if outage:
        delay_s[outage] += 5.0
    arrival_s = t_s / (1 + ppm * 1e-6) + delay_s
    base = TimeBase()
    for at_s, there_s in zip(t_s.tolist(), arrival_s.tolist(), strict=True):
        base.add(at_s, BASE_NS + round(there_s * 1e9))
    return base


@pytest.mark.parametrize("ppm", [-200.0, -20.0, 0.0, 35.0, 200.0])
def test_rate_of_the_devices_clock(ppm: float) -> None:
    """Right to 2 ppm after an hour, and its points scatter by milliseconds."""
    fit = told(ppm, 1.0).fit()
    assert fit is not None
    assert fit.ppm == pytest.approx(ppm, abs=2)
    assert fit.error_ms < 10


def test_an_overloaded_radio_does_not_bend_it() -> None:
    """Ten minutes of an hour come five seconds late."""
    fit = told(35.0, 1.0, outage=slice(1000, 1600)).fit()
    assert fit is not None
    assert fit.ppm == pytest.approx(35.0, abs=5)


def test_zero_is_told_by_the_least_late() -> None:
    """The first packet's own delay does not matter."""
    zero_ns = told(0.0, 0.1, outage=slice(0, 3)).zero_ns
    assert zero_ns is not None
    assert (zero_ns - BASE_NS) / 1e6 == pytest.approx(10, abs=15)


def test_memory_is_bounded() -> None:
    """A day holds no more points than an hour, and the rate is right all the same."""
    base = told(80.0, 24.0)
    assert len(base._points) <= MOST_POINTS
    fit = base.fit()
    assert fit is not None
    assert fit.ppm == pytest.approx(80.0, abs=0.5)


def test_nothing_is_said_of_a_few_seconds() -> None:
    """No rate from too few stretches; no zero from nothing."""
    assert told(0.0, 0.01).fit() is None
    assert TimeBase().zero_ns is None
