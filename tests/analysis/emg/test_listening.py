"""A stream of EMG: any cutting, gain and offset give the same bursts; what is no muscle gives none."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.random import Generator

from analysis.emg.bursts import Burst
from analysis.emg.listening import Heard, Listener
from analysis.emg.simulated import Electrodes, Trouble, emg_of, pumps
from analysis.samples import Modality, SampleBlock

RATES_HZ = [200.0, 250.0, 500.0, 1000.0, 1400.0, 2000.0]


def with_losses(block: SampleBlock, rng: Generator, rate_hz: float) -> SampleBlock:
    """The block with samples, packets and whole seconds missing."""
    kept = np.ones(len(block), dtype=bool)
    for length in (1, 1, 5, round(0.04 * rate_hz), round(0.5 * rate_hz), round(3.0 * rate_hz)):
        first = int(rng.integers(len(block)))
        kept[first : first + length] = False
    return SampleBlock(Modality.EMG, block.t_s[kept], block.values[kept], block.channels)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(10_000, 10_400),
    rate_hz=st.sampled_from(RATES_HZ),
    cuts=st.lists(st.floats(0.0, 1.0), max_size=60),
)
@example(seed=10_242, rate_hz=250.0, cuts=[0.1875])  # a burst told at the end of a batch was told again, twice
def test_any_cutting_gives_the_same_to_the_bit(seed: int, rate_hz: float, cuts: list[float]) -> None:
    """Bursts and contact do not depend on how the stream came, with losses, gaps and bad contact in it."""
    rng = np.random.default_rng(seed)
    truth = pumps(5, 40.0, rng, start_s=6.0)
    troubles = [Trouble("lifted", 0, 8.0, 11.0), Trouble("flat", 1, 2.0, 4.0)]
    channels = ("soleus", "gastroc_med", "tib_ant")
    block = emg_of(truth, 22.0, Electrodes.anyhow(rng, rate_hz), rng, channels, troubles)
    block = with_losses(block, rng, rate_hz)
    listener, heard = Listener(), Heard()
    edges = sorted({0, len(block), *(int(cut * len(block)) for cut in cuts)})
    for first, last in pairwise(edges):
        heard = heard + listener.feed(block.between(first, last))
    heard = heard + listener.finish()
    whole = Listener()
    assert heard == whole.feed(block) + whole.finish()


def test_sample_by_sample(judging: Callable[[int], Generator]) -> None:
    """The finest cutting of all."""
    rng = judging(10_001)
    truth = pumps(3, 40.0, rng, start_s=5.0)
    block = emg_of(truth, 12.0, Electrodes.anyhow(rng, 200.0), rng)
    listener, heard = Listener(), Heard()
    for k in range(len(block)):
        heard = heard + listener.feed(block.between(k, k + 1))
    heard = heard + listener.finish()
    whole = Listener()
    assert heard == whole.feed(block) + whole.finish()
    assert len(heard.bursts) == 3


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(10_000, 10_400), gain=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3))
def test_gain_and_offset_do_not_matter(seed: int, gain: float, offset: float) -> None:
    """Raw counts and microvolts give the same bursts, wherever zero lies."""
    rng = np.random.default_rng(seed)
    truth = pumps(6, 30.0, rng, start_s=6.0)
    block = emg_of(truth, truth[-1].end_s + 6.0, Electrodes.anyhow(rng, 500.0), rng)
    counts = SampleBlock(Modality.EMG, block.t_s, (block.values + offset) * gain, block.channels, unit="1")

    def instants(block: SampleBlock) -> list[tuple[float, float, float]]:
        listener = Listener()
        bursts = (listener.feed(block) + listener.finish()).bursts
        return [(burst.onset_s, burst.end_s, round(burst.level, 6)) for burst in bursts if not burst.refused]

    assert instants(counts) == instants(block)


@pytest.mark.parametrize("rate_hz", [100.0, *RATES_HZ])
def test_silence_gives_none(
    rate_hz: float,
    block_of: Callable[..., SampleBlock],
    accepted: Callable[[SampleBlock], list[Burst]],
    judging: Callable[[int], Generator],
) -> None:
    """No signal at all, amplifier noise, and a converter too coarse for it: ten minutes without a burst."""
    noise = judging(10_010).normal(0.0, 1.0, round(600.0 * rate_hz))
    for samples in (np.zeros(noise.size), 3.0 * noise, np.rint(0.4 * noise)):
        assert accepted(block_of(samples, rate_hz)) == []


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("mains_hz", [50.02, 59.97])
def test_hum_alone_gives_none(
    rate_hz: float,
    mains_hz: float,
    block_of: Callable[..., SampleBlock],
    accepted: Callable[[SampleBlock], list[Burst]],
    judging: Callable[[int], Generator],
) -> None:
    """Mains with harmonics is taken out, steady or switched on and off with a lamp."""
    t_s = np.arange(round(240.0 * rate_hz)) / rate_hz
    hum = np.zeros(t_s.size)
    for number, size in ((1, 40.0), (2, 5.0), (3, 12.0)):
        if number * mains_hz < 0.45 * rate_hz:
            hum += size * np.sin(2.0 * np.pi * number * mains_hz * t_s + number)
    noise = judging(10_011).normal(0.0, 2.0, t_s.size)
    assert accepted(block_of(hum + noise, rate_hz)) == []
    assert accepted(block_of(hum * (t_s % 60.0 > 30.0) + noise, rate_hz)) == []


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_mains_is_found_from_the_signal(mains_hz: float, judging: Callable[[int], Generator]) -> None:
    """Fifty or sixty hertz, also while the muscle works."""
    rng = judging(10_012)
    truth = pumps(10, 40.0, rng)
    electrodes = Electrodes(mains_hz=mains_hz, hum_uv=15.0)
    listener = Listener()
    listener.feed(emg_of(truth, truth[-1].end_s, electrodes, rng))
    assert listener.mains_hz == (mains_hz,)


def test_too_slow_to_count_with(
    block_of: Callable[..., SampleBlock], hear: Callable[[SampleBlock], Heard], judging: Callable[[int], Generator]
) -> None:
    """Twenty samples a second give nothing, and do not hold anybody up."""
    block = block_of(judging(10_013).normal(size=2000), 20.0)
    assert hear(block) == Heard()
    listener = Listener()
    listener.feed(block)
    assert listener.until_s == np.inf


def test_what_is_no_emg_is_refused() -> None:
    """A listener fed with anything else was called wrongly."""
    with pytest.raises(ValueError, match="takes EMG"):
        Listener().feed(SampleBlock(Modality.ACC, np.zeros(1), np.zeros((1, 3))))


def test_bursts_are_final_within_ten_seconds(judging: Callable[[int], Generator]) -> None:
    """A burst is given out at most 6 s after its end."""
    rng = judging(10_014)
    truth = pumps(10, 20.0, rng)
    block = emg_of(truth, truth[-1].end_s + 15.0, Electrodes.anyhow(rng), rng)
    listener = Listener()
    lags = []
    for first in range(0, len(block), 100):
        heard = listener.feed(block.between(first, first + 100))
        lags += [block.t_s[min(first + 99, len(block) - 1)] - burst.end_s for burst in heard.bursts]
    assert len(lags) >= 10
    assert max(lags) < 6.0
