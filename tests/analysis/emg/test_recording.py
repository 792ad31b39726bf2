"""The one real recording of calf EMG there is: judged, never tuned on, and too short to prove much."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.emg.bursts import Burst
from analysis.events import Kind
from analysis.pipeline import Pipeline
from analysis.samples import Modality, SampleBlock

FOLDER = "emg_calf_walk"


@pytest.fixture(scope="module")
def walk(test_data: Callable[[str], Path]) -> SampleBlock:
    """7.6 s of treadmill walking at 1 kHz, all five muscles."""
    path = test_data(f"{FOLDER}/ID0012_TW_01_emg.csv.gz")
    table = np.genfromtxt(path, delimiter=",", names=True)
    names = list(table.dtype.names or ())[1:]
    values = np.stack([table[name] for name in names], axis=1)
    return SampleBlock(Modality.EMG, table["t_s"].copy(), values, tuple(n.removesuffix("_uv") for n in names), 1000.0)


@pytest.fixture(scope="module")
def stances(test_data: Callable[[str], Path]) -> list[tuple[float, float]]:
    """The six labelled stances; one more burst comes before the first label."""
    table = np.loadtxt(test_data(f"{FOLDER}/ID0012_TW_01_cycles.csv"), delimiter=",", skiprows=1)
    return [(float(start_s), float(end_s)) for start_s, end_s in table]


def only(block: SampleBlock, channel: str) -> SampleBlock:
    at = block.channels.index(channel)
    return SampleBlock(block.modality, block.t_s, block.values[:, at : at + 1].copy(), (channel,), block.rate_hz)


def test_one_soleus_burst_a_stance(
    walk: SampleBlock,
    stances: list[tuple[float, float]],
    hear: Callable[..., object],
    accepted: Callable[..., list[Burst]],
) -> None:
    """Each labelled stance holds the peak of exactly one burst; besides there is the one before the first label."""
    bursts = accepted(only(walk, "soleus"))
    for start_s, end_s in stances:
        assert sum(start_s <= burst.peak_s <= end_s + 0.1 for burst in bursts) == 1
    assert 6 <= len(bursts) <= 7
    assert sum(burst.peak_s < stances[0][0] for burst in bursts) == len(bursts) - 6


def test_steps_are_not_claimed(walk: SampleBlock) -> None:
    """With EMG alone this walk gives no steps; five bursts are refused as gait-like, its two ends slip through.

    That the soleus leads where it is named was decided after this recording had been seen with all its channels.
    """
    pipeline = Pipeline()
    found = pipeline.feed(walk) + pipeline.finish()
    assert len(found.contractions) <= 2
    assert all(event.kind is Kind.ANKLE_PUMP for event in found.contractions)
    assert sum(r.rule == "emg_gait_like" for r in found.rejections) >= 5
