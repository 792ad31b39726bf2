"""The words the science answers in."""

from __future__ import annotations

import dataclasses

import pytest

from analysis.events import DELIBERATE, Contraction, Findings, Gap, Kind, Rejection, State, StateSpan


def test_the_five_kinds() -> None:
    """The kinds are the five words of the contract; three of them are made on purpose."""
    assert [k.value for k in Kind] == ["soleus_pushup", "heel_raise", "ankle_pump", "step", "pedal"]
    assert [k.value for k in DELIBERATE] == ["soleus_pushup", "heel_raise", "ankle_pump"]


def test_findings_add_up_in_order() -> None:
    """Findings of successive steps are joined in the order they came, and their seconds of bounce add."""
    event = Contraction(Kind.STEP, 1.0, 1.5, 2.0, 0.9, "swing")
    first = Findings((event,), (StateSpan(State.SEATED, 0.0, 2.0),), (), (Gap(2.0, 3.0),), 1.5)
    second = Findings((), (StateSpan(State.UNKNOWN, 3.0, 4.0),), (Rejection(3.5, "bounce"),), (), 0.5)
    assert first + second == Findings(
        (event,),
        (StateSpan(State.SEATED, 0.0, 2.0), StateSpan(State.UNKNOWN, 3.0, 4.0)),
        (Rejection(3.5, "bounce"),),
        (Gap(2.0, 3.0),),
        2.0,
    )
    assert first + Findings() == first == Findings() + first


def test_events_cannot_be_changed() -> None:
    """A contraction is never retracted or edited, its attributes included."""
    event = Contraction(Kind.STEP, 1.0, 1.5, 2.0, 0.9, "swing")
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.peak_s = 2.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        event.attributes["gait"] = "run"  # type: ignore[index]
