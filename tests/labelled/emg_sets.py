"""Labelled recordings of muscle alone: what an electrode on the calf hears while the foot pumps, or does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from analysis.emg.simulated import Electrodes, Trouble, emg_of, pumps, strides
from analysis.events import Contraction
from analysis.leg.story import Recorded

RATES_HZ = (200.0, 250.0, 500.0, 1000.0, 2000.0)
PLACES = (("soleus",), ("1",), ("soleus", "gastrocnemius"), ("1", "2"))
"""Electrodes by muscle, or somewhere on the calf."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the calf did, how long was recorded, what was wrong, and a stretch that holds no contraction of a pump."""

    truth: Sequence[Contraction]
    duration_s: float
    troubles: Sequence[Trouble] = ()
    stretch: tuple[str, float, float] | None = None


def emg_pumps(rng: Generator) -> Heard:
    """A dozen ankle pumps, 10 to 60 a minute, period spread by 5 to 25 %."""
    truth = pumps(12, float(rng.uniform(10.0, 60.0)), rng, irregularity=float(rng.uniform(0.05, 0.25)))
    return Heard(truth, truth[-1].end_s + 10.0)


def emg_rest(rng: Generator) -> Heard:
    """Ten minutes of rest in which the electrode lifts off twice, then six pumps."""
    truth = pumps(6, float(rng.uniform(20.0, 50.0)), rng, start_s=640.0)
    lifts = [Trouble("lifted", 0, at_s, at_s + 4.0) for at_s in rng.uniform(60.0, 560.0, 2)]
    return Heard(truth, truth[-1].end_s + 10.0, lifts, ("emg_rest", 10.0, 620.0))


def emg_walk(rng: Generator) -> Heard:
    """Forty strides, which muscle alone must not take for pumps, then six pumps."""
    walked = strides(40, float(rng.uniform(0.95, 1.4)), rng)
    end_s = walked[-1].end_s + 2.0
    pumped = pumps(6, float(rng.uniform(15.0, 40.0)), rng, start_s=end_s + 25.0)
    return Heard([*walked, *pumped], pumped[-1].end_s + 10.0, (), ("emg_walk", 15.0, end_s))


SETS: dict[str, Callable[[Generator], Heard]] = {"emg-pumps": emg_pumps, "emg-rest": emg_rest, "emg-walk": emg_walk}


def recorded(name: str, seed: int) -> tuple[Recorded, dict[str, object]]:
    """One recording of a set and its truth: skin, amplifier, room, rate and place by the seed."""
    rng = np.random.default_rng([seed, 2])
    heard = SETS[name](rng)
    electrodes = Electrodes.anyhow(rng, float(rng.choice(RATES_HZ)))
    places = PLACES[int(rng.integers(len(PLACES)))]
    block = emg_of(heard.truth, heard.duration_s, electrodes, rng, places, heard.troubles)
    document: dict[str, object] = {
        "condition": name,
        "person": f"seed-{seed}",
        "source": "simulated",
        "events": [
            {"kind": "ankle_pump", **{key: round(getattr(e, key), 4) for key in ("onset_s", "peak_s", "end_s")}}
            for e in heard.truth
            if e.kind == "ankle_pump"
        ],
    }
    if heard.stretch:
        label, start_s, end_s = heard.stretch
        document["intervals"] = [{"label": label, "start_s": round(start_s, 3), "end_s": round(end_s, 3)}]
    return Recorded((block,), tuple(heard.truth), ()), document
