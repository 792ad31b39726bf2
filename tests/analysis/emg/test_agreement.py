"""EMG and a motion sensor on one leg: one stream of contractions, each once, with agreement noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from analysis.emg.simulated import Electrodes, emg_of, pumps
from analysis.events import Contraction, Findings, Kind
from analysis.leg.gait import Gait
from analysis.leg.movements import Raises
from analysis.leg.story import Recorded, Teller
from analysis.pipeline import Pipeline
from analysis.samples import SampleBlock


@pytest.fixture(scope="module")
def outing(teller: Callable[..., Teller]) -> tuple[Recorded, list[Contraction]]:
    """Push-ups, a long rest with eight isometric contractions in it, a walk, a rest."""
    story = teller(10_500).sit(20.0).pushups(Raises(8, 35.0, np.radians(28.0))).sit(60.0)
    story.stand_up().stand(4.0).walk(Gait(1.1, 1.1, 1.0), 12).stand(6.0).sit_down().sit(20.0)
    told = story.record()
    rest_s = max(event.end_s for event in told.truth if event.kind is Kind.SOLEUS_PUSHUP) + 12.0
    return told, pumps(8, 25.0, np.random.default_rng(10_501), rest_s)


def emg_for(told: Recorded, *truth: Contraction) -> SampleBlock:
    end_s = float(told.blocks[0].t_s[-1])
    ordered = sorted(truth, key=lambda event: event.onset_s)
    return emg_of(ordered, end_s, Electrodes(), np.random.default_rng(10_502))


def said(found: Findings) -> Counter[tuple[str, object, object]]:
    return Counter((e.kind.value, e.attributes.get("emg"), e.attributes.get("moved")) for e in found.contractions)


def test_each_contraction_once(outing: tuple[Recorded, list[Contraction]], count: Callable[..., Findings]) -> None:
    """Push-ups and steps are confirmed, isometric contractions are reported as such, nothing is counted twice."""
    told, isometric = outing
    plain = Counter(event.kind.value for event in count(*told.blocks).contractions)
    found = said(count(*told.blocks, emg_for(told, *told.truth, *isometric)))
    confirmed = {key: n for key, n in found.items() if key[1] != "silent"}
    assert confirmed == {
        ("soleus_pushup", "agrees", None): plain["soleus_pushup"],
        ("step", "agrees", None): plain["step"],
        ("ankle_pump", "agrees", "no"): 8,
    }


def test_moved_but_did_not_contract(outing: tuple[Recorded, list[Contraction]], count: Callable[..., Findings]) -> None:
    """A silent muscle under good electrodes is said to be silent; the count of the motion sensor stays."""
    told, _ = outing
    found = said(count(*told.blocks, emg_for(told)))
    assert {word for _, word, _ in found} == {"silent"}
    assert sum(found.values()) == len(count(*told.blocks).contractions)


def test_no_contact_no_word(outing: tuple[Recorded, list[Contraction]], count: Callable[..., Findings]) -> None:
    """A dead lead neither agrees nor is silent."""
    told, _ = outing
    block = emg_for(told)
    dead = SampleBlock(block.modality, block.t_s, np.zeros_like(block.values), block.channels)
    assert {word for _, word, _ in said(count(*told.blocks, dead))} == {"unknown"}


def test_any_cutting_of_both(outing: tuple[Recorded, list[Contraction]], count: Callable[..., Findings]) -> None:
    """Packets of both sensors, however long, give the events of the whole, each final within 10 s of its end."""
    told, isometric = outing
    blocks = (*told.blocks, emg_for(told, *told.truth, *isometric))
    whole = count(*blocks)
    rng = np.random.default_rng(10_503)
    pipeline, found, at_s = Pipeline(), Findings(), 0.0
    while at_s < blocks[0].t_s[-1]:
        until_s = at_s + float(rng.uniform(0.05, 1.0))
        new = pipeline.feed(*(b.between(*np.searchsorted(b.t_s, [at_s, until_s]).tolist()) for b in blocks))
        assert all(until_s - event.end_s <= 10.0 + 1.0 for event in new.contractions)
        found, at_s = found + new, until_s
    found = found + pipeline.finish()
    assert sorted(found.contractions, key=lambda event: event.peak_s) == list(whole.contractions)


def test_a_band_put_on_later(outing: tuple[Recorded, list[Contraction]], count: Callable[..., Findings]) -> None:
    """Events from before the first EMG carry no word on it."""
    told, _ = outing
    block = emg_for(told, *told.truth)
    later = block.between(60_000, len(block))
    events = count(*told.blocks, later).contractions
    assert all(("emg" in event.attributes) == (event.end_s >= 60.0) for event in events)
