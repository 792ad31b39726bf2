"""Rhythm: what looks like strides or bounce is refused, the rest is a plantar flexion of lowered confidence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.emg.bursts import Burst
from analysis.emg.contact import Contact
from analysis.emg.contractions import KIND_BY_EMG, KIND_KNOWN_AMONG_MOTION, RhythmJudge, confidence, contraction_of
from analysis.emg.fatigue import fatigue
from analysis.emg.muscles import Muscle
from analysis.events import Kind


def bursts(period_s: float, count: int, *, length_s: float = 0.25, lateness: float = 0.0) -> list[Burst]:
    """Bursts of one shape in a rhythm."""
    return [
        Burst(k * period_s, k * period_s + 0.7 * length_s, k * period_s + length_s, "soleus", 20.0, 80.0, 0.5,
              {Muscle.SOLEUS: 0.5}, lateness)
        for k in range(count)
    ]  # fmt: skip


def refusals(given: list[Burst]) -> list[str]:
    judge = RhythmJudge()
    judge.add(given)
    return [burst.refused for burst in judge.judged(float("inf"))]


def test_a_calm_rhythm_is_kept() -> None:
    """Pumps of one shape at 40 a minute, and a single one."""
    assert refusals(bursts(1.5, 10, length_s=0.8)) == [""] * 10
    assert refusals(bursts(1.0, 1)) == [""]


def test_strides() -> None:
    """Four bursts that lean to push-off in the rhythm of strides are gait-like; three are not a walk."""
    assert refusals(bursts(1.1, 6, length_s=0.6, lateness=0.08)) == ["emg_gait_like"] * 6
    assert refusals(bursts(1.1, 3, length_s=0.6, lateness=0.08)) == [""] * 3
    assert refusals(bursts(2.0, 6, length_s=1.2, lateness=0.08)) == [""] * 6


def test_bounce() -> None:
    """Three or more faster than 130 a minute are bounce; two are not."""
    assert refusals(bursts(0.4, 5)) == ["emg_bounce"] * 5
    assert refusals(bursts(0.4, 2)) == ["", ""]


def test_two_streams_hear_one_contraction() -> None:
    """Of overlapping bursts the first stands for all."""
    one = bursts(2.0, 3)
    other = [replace(burst, onset_s=burst.onset_s + 0.05, channel="gastroc_med") for burst in one]
    assert refusals([*one, *other]) == ["", "emg_same"] * 3


@pytest.mark.parametrize("until_s", [0.0, 5.0, 7.3, 20.0])
def test_judged_in_parts(until_s: float) -> None:
    """What is judged early is judged as it is when everything is known."""
    given = bursts(1.1, 12, length_s=0.6, lateness=0.08)
    judge = RhythmJudge()
    judge.add(burst for burst in given if burst.end_s < until_s)
    early = judge.judged(until_s)
    judge.add(burst for burst in given if burst.end_s >= until_s)
    assert [burst.refused for burst in early + judge.judged(float("inf"))] == refusals(given)


def test_confidence_and_claims() -> None:
    """Confidence grows with the burst, falls with bad contact, and with what is known of the kind."""
    (burst,) = bursts(1.0, 1)
    faint, hum = replace(burst, ratio=3.3), replace(burst, contact=Contact.HUM)
    assert confidence(faint, 1.0) < confidence(hum, 1.0) < confidence(burst, 1.0) <= 1.0
    event = contraction_of(burst, KIND_BY_EMG, "emg_burst", emg="alone")
    assert event.kind is Kind.ANKLE_PUMP
    assert event.confidence == confidence(burst, 1.0)
    assert confidence(burst, KIND_KNOWN_AMONG_MOTION) <= KIND_KNOWN_AMONG_MOTION
    assert event.strength == 0.5
    assert event.attributes["soleus_level"] == 0.5
    assert event.attributes["strength_unit"] == "share_of_own_emg_maximum"


def test_fatigue_is_a_falling_median_frequency() -> None:
    """A fall of 6 Hz a minute is found as such; few contractions, or none with a spectrum, say nothing."""
    falling = [replace(b, median_hz=95.0 - b.peak_s / 10.0 + 0.2 * (k % 3 - 1)) for k, b in enumerate(bursts(2.0, 30))]
    tired = [contraction_of(burst, KIND_BY_EMG, "emg_burst") for burst in falling]
    found = fatigue(tired, "soleus")
    assert found is not None
    assert found.slope_hz_per_min == pytest.approx(-6.0, abs=0.3)
    assert found.is_tiring
    assert found.contractions == 30
    assert found.first_hz == pytest.approx(95.0, abs=0.3)
    assert fatigue(tired[:7], "soleus") is None
    assert fatigue(tired, "gastroc_med") is None
    assert fatigue([contraction_of(burst, KIND_BY_EMG, "emg_burst") for burst in bursts(2.0, 30)], "soleus") is None
