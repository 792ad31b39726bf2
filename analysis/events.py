"""What the science says happened: contractions, states, refused candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """The five kinds of calf-pump contraction that are counted."""

    SOLEUS_PUSHUP = "soleus_pushup"
    HEEL_RAISE = "heel_raise"
    ANKLE_PUMP = "ankle_pump"
    STEP = "step"
    PEDAL = "pedal"


DELIBERATE = (Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE, Kind.ANKLE_PUMP)
"""Kinds made on purpose; steps would swamp them in a common total."""


class Leg(StrEnum):
    """The leg a sensor is strapped to."""

    LEFT = "left"
    RIGHT = "right"


class State(StrEnum):
    """What the wearer was doing. `UNKNOWN` is an answer, never a synonym of sitting or of zero."""

    SEATED = "seated"
    STANDING = "standing"
    LYING = "lying"
    WALKING = "walking"
    RUNNING = "running"
    CYCLING = "cycling"
    NOT_WORN = "not_worn"
    UNKNOWN = "unknown"


_NOTHING: Mapping[str, str | float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Contraction:
    """One counted contraction; onset < peak < end, counted once, never retracted.

    Attributes:
        kind: which movement it was.
        onset_s: start of plantar flexion, session seconds.
        peak_s: greatest plantar flexion as far as the sensor can tell; for steps the mid-swing of the leg.
        end_s: back at rest (for steps: foot down again).
        confidence: 0..1, the probability that a contraction of this kind happened here.
        rule: name of the rule that accepted it.
        strength: size in the terms of `attributes["strength_unit"]`, None where the sensor cannot tell.
        attributes: further facts, such as gait = walk | run | stairs.
    """

    kind: Kind
    onset_s: float
    peak_s: float
    end_s: float
    confidence: float
    rule: str
    strength: float | None = None
    attributes: Mapping[str, str | float] = field(default_factory=lambda: _NOTHING)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A candidate that was refused, and the rule that refused it."""

    peak_s: float
    rule: str


@dataclass(frozen=True, slots=True)
class StateSpan:
    """One label over one interval. Spans of a session tile its recorded time; gaps lie between spans."""

    state: State
    start_s: float
    end_s: float
    vehicle: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """No sample seen: from the last sample before to the first sample after."""

    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Findings:
    """What one step of the pipeline found; everything in it is final."""

    contractions: tuple[Contraction, ...] = ()
    spans: tuple[StateSpan, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    gaps: tuple[Gap, ...] = ()
    bounce_s: float = 0.0

    def __add__(self, other: Findings) -> Findings:
        return Findings(
            self.contractions + other.contractions,
            self.spans + other.spans,
            self.rejections + other.rejections,
            self.gaps + other.gaps,
            self.bounce_s + other.bounce_s,
        )


@dataclass(frozen=True, slots=True)
class Algorithm:
    """Which science produced an event: its name, version and the digest of its parameters."""

    name: str
    version: str
    params_sha256: str
