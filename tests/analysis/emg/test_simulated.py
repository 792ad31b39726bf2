"""Judged on simulated electrodes whose seeds tuning never saw: pumps are counted, and timed well."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.random import Generator

from analysis.emg.bursts import Burst
from analysis.emg.simulated import Electrodes, Trouble, emg_of, pumps, strides
from analysis.events import Contraction, Kind
from analysis.pipeline import Pipeline
from analysis.samples import SampleBlock

SEEDS = range(10_200, 10_230)


def matched(truth: Sequence[Contraction], found: Sequence[Contraction | Burst]) -> list[tuple[int, int]]:
    """One-to-one pairs within 0.3 s of the instant of greatest plantar flexion, nearest first."""
    pairs = sorted(
        (abs(one.peak_s - other.peak_s), i, j)
        for i, one in enumerate(truth)
        for j, other in enumerate(found)
        if abs(one.peak_s - other.peak_s) <= 0.3
    )
    taken: list[tuple[int, int]] = []
    for _, i, j in pairs:
        if all(i != a and j != b for a, b in taken):
            taken.append((i, j))
    return taken


def test_pumps_with_emg_alone(judging: Callable[[int], Generator]) -> None:
    """Ankle pumps of 10 to 60 a minute at 1 kHz: F1 of at least 0.95, as a whole pipeline counts them."""
    hits = said = true = 0
    for seed in SEEDS:
        rng = judging(seed)
        truth = pumps(12, float(rng.uniform(10.0, 60.0)), rng)
        block = emg_of(truth, truth[-1].end_s + 10.0, Electrodes.anyhow(rng), rng)
        pipeline = Pipeline()
        found = (pipeline.feed(block) + pipeline.finish()).contractions
        assert {event.kind for event in found} <= {Kind.ANKLE_PUMP}
        hits, said, true = hits + len(matched(truth, found)), said + len(found), true + len(truth)
    assert 2 * hits / (said + true) >= 0.95


@pytest.mark.parametrize("rate_hz", [200.0, 250.0, 500.0, 2000.0])
def test_pumps_at_other_rates(
    rate_hz: float, judging: Callable[[int], Generator], accepted: Callable[[SampleBlock], list[Burst]]
) -> None:
    """The same from 200 Hz to 2 kHz."""
    hits = said = true = 0
    for seed in SEEDS[::3]:
        rng = judging(seed)
        truth = pumps(12, float(rng.uniform(12.0, 60.0)), rng)
        found = accepted(emg_of(truth, truth[-1].end_s + 10.0, Electrodes.anyhow(rng, rate_hz), rng))
        hits, said, true = hits + len(matched(truth, found)), said + len(found), true + len(truth)
    assert 2 * hits / (said + true) >= 0.95


def test_onset_and_peak_are_well_timed(
    judging: Callable[[int], Generator], accepted: Callable[[SampleBlock], list[Burst]]
) -> None:
    """Onsets within the 40 +- 99 ms published for Teager-Kaiser thresholds (FACTS, section 7); peaks within 0.1 s."""
    onsets, peaks = [], []
    for seed in SEEDS:
        rng = judging(seed)
        electrodes = Electrodes.anyhow(rng)
        truth = pumps(10, float(rng.uniform(15.0, 60.0)), rng)
        found = accepted(emg_of(truth, truth[-1].end_s + 10.0, electrodes, rng))
        for i, j in matched(truth, found):
            onsets.append(found[j].onset_s - (truth[i].onset_s - electrodes.delay_s))
            peaks.append(abs(found[j].peak_s - truth[i].peak_s))
    assert abs(float(np.mean(onsets))) <= 0.04
    assert float(np.std(onsets)) <= 0.099
    assert float(np.median(peaks)) <= 0.1


def test_strides_are_neither_steps_nor_pumps(judging: Callable[[int], Generator]) -> None:
    """With EMG alone a walk is refused as gait-like: at most one burst in ten slips through, at its ends."""
    said = refused = 0
    for seed in SEEDS[::3]:
        rng = judging(seed)
        truth = strides(20, float(rng.uniform(0.95, 1.4)), rng)
        pipeline = Pipeline()
        block = emg_of(truth, truth[-1].end_s + 10.0, Electrodes.anyhow(rng), rng)
        found = pipeline.feed(block) + pipeline.finish()
        said += len(found.contractions)
        refused += sum(r.rule == "emg_gait_like" for r in found.rejections)
    assert refused >= 180
    assert said <= 20


def test_the_shin_beside_the_calf_is_not_counted(
    judging: Callable[[int], Generator], accepted: Callable[[SampleBlock], list[Burst]]
) -> None:
    """Dorsiflexion heard through the skin by the calf's electrodes is no contraction of the calf."""
    rng = judging(10_300)
    truth = pumps(10, 30.0, rng)
    block = emg_of(truth, truth[-1].end_s + 10.0, Electrodes(crosstalk=0.05), rng, ("soleus", "tib_ant"))
    swapped = SampleBlock(block.modality, block.t_s, block.values[:, ::-1].copy(), block.channels, block.rate_hz)
    assert len(accepted(block)) == 10
    assert accepted(swapped) == []


def test_troubles_are_seeded(judging: Callable[[int], Generator]) -> None:
    """The same seed gives the same electrodes to the bit."""

    def once() -> SampleBlock:
        rng = judging(10_301)
        truth = pumps(3, 30.0, rng, start_s=3.0)
        return emg_of(truth, 12.0, Electrodes.anyhow(rng), rng, troubles=[Trouble("lifted", 0, 1.0, 2.0)])

    assert (once().values == once().values).all()
