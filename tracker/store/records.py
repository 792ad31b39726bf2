"""What is put into the store and what comes out of it, apart from days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from analysis.events import Algorithm, Findings, Gap, Kind, Leg

UNKNOWN_LEG = "unknown"


def leg_name(leg: Leg | None) -> str:
    """The leg as the database keeps it; None (nobody said which) is `unknown`."""
    return UNKNOWN_LEG if leg is None else str(leg)


def leg_named(name: str) -> Leg | None:
    """The opposite of `leg_name`."""
    return None if name == UNKNOWN_LEG else Leg(name)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A paired sensor under its nickname; `last_seen_at` is aware."""

    nick: str
    name: str
    address: str
    driver: str
    leg: Leg | None
    place: str | None = None
    battery_percent: float | None = None
    firmware: str | None = None
    last_seen_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """The keys of `soleus sensors --json`."""
        return {
            "nick": self.nick,
            "name": self.name,
            "address": self.address,
            "driver": self.driver,
            "leg": self.leg,
            "place": self.place,
            "battery_percent": self.battery_percent,
            "firmware": self.firmware,
            "last_seen": self.last_seen_at.isoformat() if self.last_seen_at else None,
        }


@dataclass(frozen=True, slots=True)
class NewSession:
    """One sensor's recording, as it begins or as a file brings it.

    Attributes:
        started_at: aware; the instant of session second 0, in the zone of the place and time of recording.
        leg: None where nobody said which.
        sensor: nickname of the sensor, None for a file.
        source: name of the imported file, None for a sensor.
        recording: the recording file, absolute or relative to the home.
        content_key: digest of content, prefix, leg and start; the same key is stored once. None for a live
            session.
        rank: who is preferred where sessions of one leg overlap, the smaller first (0: motion, 1: muscle
            only).
        first_s: session second of the first sample.
        file_key: digest of the bytes of the imported file and of everything said about it; a shortcut to the
            content key of a file that comes again.
        uid: name that is the same wherever the session is stored; the content key if there is one.
    """

    started_at: datetime
    leg: Leg | None
    sensor: str | None = None
    source: str | None = None
    recording: Path | None = None
    content_key: str | None = None
    rank: int = 0
    first_s: float = 0.0
    file_key: str | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a recording amounts to so far; whole-session numbers, not differences."""

    samples: int = 0
    packets: int = 0
    packet_errors: int = 0
    duplicates: int = 0
    reconnects: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What the pipeline found while it read from_s..until_s; storing it again changes nothing.

    Attributes:
        findings: final findings; labels and events may reach back before `from_s`.
        from_s: end of the batch before, or the session's first sample.
        until_s: last sample read. The session is recorded up to here.
        algorithm: which science found it.
        countable: whether contractions can be counted in this session, now that so much of it is known; None
            where nobody said: then it is countable once something of it was labelled or counted.
    """

    findings: Findings
    from_s: float
    until_s: float
    algorithm: Algorithm
    countable: bool | None = None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A stored session.

    `counts` are its own, also where another session of the leg is preferred; None where it cannot be counted.
    """

    id: int
    uid: str
    origin: str
    sensor: str | None
    source: str | None
    leg: Leg | None
    started_at: datetime
    zone: str
    ended_at: datetime | None
    first_s: float
    last_s: float
    totals: Totals
    gaps: tuple[Gap, ...]
    counts: Mapping[Kind, int] | None
    recording: str | None
    content_key: str | None
    algorithm: Algorithm | None
    forgotten: tuple[Gap, ...] = ()

    @property
    def duration_s(self) -> float:
        """From the first sample to the last."""
        return self.last_s - self.first_s

    @property
    def gap_s(self) -> float:
        """Seconds without samples."""
        return sum(gap.end_s - gap.start_s for gap in self.gaps)

    def to_json(self) -> dict[str, Any]:
        """The keys of `soleus sessions --json`, with the source of an import and the forgotten stretches."""
        return {
            "id": self.id,
            "sensor": self.sensor,
            "source": self.source,
            "leg": self.leg,
            "started_at": self.started_at.isoformat(),
            "ended_at": self.ended_at.isoformat() if self.ended_at else None,
            "duration_s": round(self.duration_s, 6),
            "samples": self.totals.samples,
            "packets": self.totals.packets,
            "packet_errors": self.totals.packet_errors,
            "duplicates": self.totals.duplicates,
            "gap_s": round(self.gap_s, 6),
            "gaps": _spans(self.gaps),
            "forgotten": _spans(self.forgotten),
            "reconnects": self.totals.reconnects,
            "counts": {str(kind): None if self.counts is None else self.counts[kind] for kind in Kind},
            "recording": self.recording,
        }


def _spans(gaps: tuple[Gap, ...]) -> list[dict[str, float]]:
    return [{"start_s": gap.start_s, "end_s": gap.end_s} for gap in gaps]


@dataclass(frozen=True, slots=True)
class CountedEvent:
    """A contraction that counts, with the session it comes from; times are aware, in the zone asked for."""

    session_id: int
    leg: Leg | None
    kind: Kind
    onset: datetime
    peak: datetime
    end: datetime
    onset_s: float
    peak_s: float
    end_s: float
    confidence: float
    rule: str
    strength: float | None
    attributes: Mapping[str, str | float]
    algorithm_version: str

    @property
    def id(self) -> str:
        """Stays the same for as long as the session and the finding do."""
        return f"{self.session_id}-{self.kind}-{round(self.peak_s * 1000)}"

    def to_json(self) -> dict[str, Any]:
        """One event of `soleus events --json`."""
        return {
            "id": self.id,
            "session": self.session_id,
            "leg": self.leg,
            "kind": str(self.kind),
            "onset": self.onset.isoformat(),
            "peak": self.peak.isoformat(),
            "end": self.end.isoformat(),
            "onset_s": self.onset_s,
            "peak_s": self.peak_s,
            "end_s": self.end_s,
            "confidence": self.confidence,
            "rule": self.rule,
            "strength": self.strength,
            "attributes": dict(self.attributes),
            "algorithm_version": self.algorithm_version,
        }


@dataclass(frozen=True, slots=True)
class Rejected:
    """How many candidates one rule refused."""

    rule: str
    leg: Leg | None
    candidates: int

    def to_json(self) -> dict[str, Any]:
        """One entry of `soleus events --rejected --json`."""
        return {"rule": self.rule, "leg": self.leg, "candidates": self.candidates}


@dataclass(frozen=True, slots=True)
class DayChange:
    """How a day's counts of one leg differ after a recount."""

    day: date
    leg: Leg | None
    before: Mapping[Kind, int] | None
    after: Mapping[Kind, int] | None

    def to_json(self) -> dict[str, Any]:
        """Both counts, null where nothing was recorded."""
        sides = {"before": self.before, "after": self.after}
        return {"day": self.day.isoformat(), "leg": self.leg} | {
            name: None if counts is None else {str(kind): count for kind, count in counts.items()}
            for name, counts in sides.items()
        }


@dataclass(frozen=True, slots=True)
class Operation:
    """An import, a correction or a deletion, as `undo` names it."""

    id: int
    kind: str
    summary: str
    done_at: datetime
    before: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """What was done and when."""
        return {
            "id": self.id,
            "kind": self.kind,
            "summary": self.summary,
            "done_at": self.done_at.isoformat(),
        }
