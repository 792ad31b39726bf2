"""Contact of electrodes: each trouble is named, and good contact is not called bad."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from analysis.emg.contact import Contact
from analysis.emg.listening import Heard
from analysis.emg.simulated import Electrodes, Trouble, emg_of, pumps
from analysis.samples import SampleBlock

Hear = Callable[[SampleBlock], Heard]


def shares(heard: Heard, start_s: float, end_s: float, wanted: tuple[Contact, ...]) -> float:
    """Share of the windows within an interval whose first channel has one of the contacts."""
    inside = [span.contacts[0] for span in heard.contact if span.start_s >= start_s and span.end_s <= end_s]
    return sum(contact in wanted for contact in inside) / len(inside)


@pytest.mark.parametrize("seed", range(10_100, 10_108))
@pytest.mark.parametrize(
    ("what", "wanted"),
    [
        ("lifted", (Contact.LIFTED,)),
        ("flat", (Contact.FLAT,)),
    ],
)
@pytest.mark.parametrize("rate_hz", [250.0, 1000.0])
def test_trouble_is_named(
    rate_hz: float, what: str, wanted: tuple[Contact, ...], seed: int, hear: Hear, judging: Callable[[int], Generator]
) -> None:
    """Lift-off and a dead lead are seen in nine of ten windows; before them contact is usable."""
    rng = judging(seed)
    truth = pumps(10, 30.0, rng, start_s=8.0)
    trouble = Trouble(what, 0, truth[5].onset_s, truth[-1].end_s + 8.0)
    heard = hear(emg_of(truth, truth[-1].end_s + 8.0, Electrodes.anyhow(rng, rate_hz), rng, troubles=[trouble]))
    assert shares(heard, trouble.start_s, trouble.end_s, wanted) >= 0.9
    assert shares(heard, 0.0, trouble.start_s, (Contact.GOOD, Contact.HUM)) >= 0.95


@pytest.mark.parametrize("seed", range(10_100, 10_108))
def test_clipping_is_named(seed: int, hear: Hear, judging: Callable[[int], Generator]) -> None:
    """Windows in which a burst runs into the rail are clipped or ruined; bursts below it are not."""
    rng = judging(seed)
    truth = pumps(10, 30.0, rng, start_s=8.0)
    electrodes = Electrodes(most_uv=200.0, drift_uv=0.0, rail_uv=30.0 if seed % 2 else 5000.0)
    heard = hear(emg_of(truth, truth[-1].end_s + 8.0, electrodes, rng))
    clipped = [span.contacts[0] in (Contact.CLIPPED, Contact.RUINED) for span in heard.contact]
    tops = [any(s.start_s + 0.3 < e.peak_s < s.end_s - 0.3 for e in truth) for s in heard.contact]
    assert [c for c, top in zip(clipped, tops, strict=True) if top] == [bool(seed % 2)] * sum(tops)
    assert not any(c for c, s in zip(clipped, heard.contact, strict=True) if s.end_s < 7.5)


def test_hum_is_said_and_counted_with(hear: Hear, judging: Callable[[int], Generator]) -> None:
    """Hum louder than the resting muscle is named; bursts above it are found all the same."""
    rng = judging(10_110)
    truth = pumps(10, 30.0, rng)
    heard = hear(emg_of(truth, truth[-1].end_s + 8.0, Electrodes(hum_uv=40.0), rng))
    assert shares(heard, 0.0, 18.0, (Contact.HUM,)) >= 0.95
    assert sum(not burst.refused for burst in heard.bursts) == 10


def test_a_coarse_converter_is_not_clipped(hear: Hear, judging: Callable[[int], Generator]) -> None:
    """Eight bits at rest repeat their extremes; that is no fault of the electrode."""
    rng = judging(10_111)
    truth = pumps(10, 30.0, rng)
    electrodes = Electrodes(rate_hz=200.0, most_uv=100.0, step_uv=4.0, rail_uv=508.0)
    heard = hear(emg_of(truth, truth[-1].end_s + 8.0, electrodes, rng))
    assert {span.contacts[0] for span in heard.contact} <= {Contact.GOOD, Contact.HUM}
    assert sum(not burst.refused for burst in heard.bursts) == 10


def test_one_good_electrode_is_enough(hear: Hear, judging: Callable[[int], Generator]) -> None:
    """While the soleus electrode is off, the gastrocnemius counts; with none on the calf, nothing does."""
    rng = judging(10_112)
    truth = pumps(10, 30.0, rng)
    end_s = truth[-1].end_s + 8.0
    off = [Trouble("lifted", 0, 10.0, end_s)]
    heard = hear(emg_of(truth, end_s, Electrodes(), rng, ("soleus", "gastroc_med", "tib_ant"), off))
    assert sum(not burst.refused for burst in heard.bursts) == 10
    off.append(Trouble("flat", 1, 10.0, end_s))
    heard = hear(emg_of(truth, end_s, Electrodes(), rng, ("soleus", "gastroc_med", "tib_ant"), off))
    assert [burst for burst in heard.bursts if not burst.refused] == []
    assert not any(span.usable for span in heard.contact if 12.0 < span.start_s < end_s - 2.0)
    assert np.mean([span.usable for span in heard.contact]) < 0.5
