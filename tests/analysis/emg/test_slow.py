"""Below 200 samples a second an envelope is counted with, and raw EMG is not: its bursts have no course there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from analysis.emg.simulated import Electrodes, emg_of, pumps
from analysis.samples import FloatArray, Modality, SampleBlock
from tracker.counting import count
from tracker.facts import Uncountable, why_uncountable


def inside(seed: int) -> SampleBlock:
    """Ten pumps as the electrode has them, 1000 samples a second."""
    rng = np.random.default_rng([seed, 9])
    truth = pumps(10, float(rng.uniform(12.0, 40.0)), rng)
    return emg_of(
        truth, truth[-1].end_s + 10.0, replace(Electrodes.anyhow(rng, 1000.0), offset_uv=0.0), rng, ("soleus",)
    )


def told(block: SampleBlock, values: FloatArray, rate_hz: float) -> SampleBlock:
    every = round(1000.0 / rate_hz)
    return SampleBlock(Modality.EMG, block.t_s[::every], values[::every], ("soleus",), rate_hz)


def raw(seed: int, rate_hz: float) -> SampleBlock:
    block = inside(seed)
    return told(block, block.values, rate_hz)


def enveloped(seed: int, rate_hz: float) -> SampleBlock:
    """What a sensor that takes mains out, rectifies and smooths by itself tells."""
    block = inside(seed)
    band = butter(2, [60.0, 400.0], "band", fs=1000.0, output="sos")
    smooth = butter(2, 4.0, fs=1000.0, output="sos")
    rectified = np.abs(sosfilt(band, block.values, axis=0))
    return told(block, sosfilt(smooth, rectified, axis=0), rate_hz)


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 125.0])
@pytest.mark.parametrize("seed", range(6))
def test_raw_emg_that_is_too_slow_is_unknown(seed: int, rate_hz: float) -> None:
    """Neither events nor sums, and the reason."""
    facts = count([(raw(seed, rate_hz),)])
    assert facts.uncountable is Uncountable.TOO_SLOW
    assert "samples a second" in str(why_uncountable(facts))
    assert facts.findings.contractions == ()


@pytest.mark.parametrize("rate_hz", [100.0])
def test_a_slow_envelope_counts(rate_hz: float) -> None:
    """Less well than raw EMG at its proper rate: 60 pumps of six people, within a fifth."""
    found = [count([(enveloped(seed, rate_hz),)]) for seed in range(6)]
    assert all(facts.uncountable is None for facts in found)
    assert 48 <= sum(len(facts.findings.contractions) for facts in found) <= 72


@pytest.mark.parametrize("clock", [0.96, 0.98, 1.02])
def test_a_slow_clock_is_not_a_slow_sensor(clock: float) -> None:
    """A sensor sold as 200 a second whose clock makes less, or more, of it gives raw EMG that counts."""
    found = []
    for seed in range(6):
        rng = np.random.default_rng([seed, 10])
        truth = pumps(10, float(rng.uniform(12.0, 40.0)), rng)
        electrodes = replace(Electrodes.anyhow(rng, 200.0), rate_hz=200.0 * clock)
        found.append(count([(emg_of(truth, truth[-1].end_s + 10.0, electrodes, rng, ("soleus",)),)]))
    assert all(facts.uncountable is None for facts in found)
    assert 54 <= sum(len(facts.findings.contractions) for facts in found) <= 66
