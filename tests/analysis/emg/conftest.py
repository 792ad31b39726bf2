"""Listening to whole blocks, and simulated electrodes with seeds that were never used for tuning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from analysis.emg.bursts import Burst
from analysis.emg.listening import Heard, Listener
from analysis.samples import FloatArray, Modality, SampleBlock

Hear = Callable[[SampleBlock], Heard]
BlockOf = Callable[..., SampleBlock]


@pytest.fixture(scope="session")
def hear() -> Hear:
    """Everything a listener finds in one block."""

    def heard(block: SampleBlock) -> Heard:
        listener = Listener()
        return listener.feed(block) + listener.finish()

    return heard


@pytest.fixture(scope="session")
def accepted(hear: Hear) -> Callable[[SampleBlock], list[Burst]]:
    """Bursts that nothing speaks against."""
    return lambda block: [burst for burst in hear(block).bursts if not burst.refused]


@pytest.fixture(scope="session")
def block_of() -> BlockOf:
    """One-channel EMG of samples (n,) at a rate."""

    def block(samples: FloatArray, rate_hz: float, channel: str = "soleus", unit: str = "") -> SampleBlock:
        t_s = np.arange(samples.size) / rate_hz
        return SampleBlock(Modality.EMG, t_s, samples[:, None], (channel,), rate_hz, unit=unit)

    return block


@pytest.fixture(scope="session")
def judging() -> Callable[[int], Generator]:
    """Chance from a seed for judging (10,000 and above)."""

    def rng(seed: int) -> Generator:
        assert seed >= 10_000, "seeds below belong to tuning"
        return np.random.default_rng(seed)

    return rng
