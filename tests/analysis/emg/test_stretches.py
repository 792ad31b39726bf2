"""Stretches: short gaps are bridged by a straight line, long ones start anew."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.emg.stretches import Rows, Stretches, rate_of
from analysis.samples import FloatArray, Modality, SampleBlock


def rows_of(t_s: FloatArray) -> list[Rows]:
    stretches = Stretches()
    rows = stretches.feed(SampleBlock(Modality.EMG, t_s, 10.0 * t_s[:, None], ("soleus",)))
    return rows + stretches.finish()


def test_a_short_gap_is_bridged() -> None:
    """Twenty samples lost at 1 kHz are drawn in, and nothing ends."""
    t_s = np.delete(np.arange(3000) / 1000.0, slice(1500, 1520))
    rows = rows_of(t_s)
    assert [(row.begins, row.ends) for row in rows] == [(True, False), (False, True)]
    assert np.allclose(rows[0].t_s, np.arange(3000) / 1000.0)
    assert np.allclose(rows[0].values[:, 0], 10.0 * rows[0].t_s)


def test_a_long_gap_starts_anew() -> None:
    """Half a second lost: two stretches, no sample invented."""
    t_s = np.delete(np.arange(3000) / 1000.0, slice(1500, 2000))
    rows = rows_of(t_s)
    assert [(row.t_s.size, row.begins, row.ends) for row in rows] == [
        (1500, True, True),
        (1000, True, False),
        (0, False, True),
    ]


@pytest.mark.parametrize("rate_hz", [25.0, 200.0, 1150.0, 2000.0])
def test_rate(rate_hz: float) -> None:
    """The rate is learned from the first second, lost samples left out."""
    t_s = np.arange(round(2 * rate_hz)) / rate_hz
    assert rate_of(t_s) == pytest.approx(rate_hz)
    assert rate_of(np.delete(t_s, slice(8, 12))) == pytest.approx(rate_hz)


def test_late_samples_are_passed_over() -> None:
    """A sample that is not later than the one before brings nothing; one sample alone has no rate."""
    stretches = Stretches()
    block = SampleBlock(Modality.EMG, np.arange(300) / 200.0, np.zeros((300, 1)), ("1",))
    assert sum(row.t_s.size for row in stretches.feed(block)) == 300
    assert stretches.feed(block) == []
    assert rate_of(np.zeros(1)) is None
