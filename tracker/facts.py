"""What is known about a recording once it has been counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import Any

from analysis.emg.fatigue import Fatigue, fatigue
from analysis.emg.rules import EMG_RULES
from analysis.events import Algorithm, Contraction, Findings, Gap, Kind, State, StateSpan
from analysis.samples import Modality

HOLE_S = 0.5
"""Labels that lie closer than this touch; a longer hole between two of them is unknown.
A little more than what the pipeline bridges (`analysis.grid.BREAK_S`)."""

LOWEST_RATE_HZ = 20.0
"""A quick heel raise lasts a third of a second: fewer samples a second do not show its course."""

LOWEST_EMG_HZ = EMG_RULES.least_rate_hz
"""Slower EMG does not show the course of a burst."""

MOTION = (Modality.ACC, Modality.GYR)
_DIGITS = 6


ONLY_EMG = "muscle alone tells that the calf contracts, not what the foot does: its events are kept, no kind is summed"
"""For people: why a recording without an accelerometer has events and no counts."""


class Uncountable(StrEnum):
    """Why nothing can be counted in a recording."""

    NO_ACCELEROMETER = "no_accelerometer"
    TOO_SLOW = "too_slow"
    NO_CONTACT = "no_contact"


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """One modality of a recording.

    Attributes:
        modality: what it measures.
        samples: how many, over all its streams.
        first_s: session second of the first.
        last_s: of the last.
        rate_hz: nominal rate of its fastest stream, None below two samples.
    """

    modality: Modality
    samples: int
    first_s: float
    last_s: float
    rate_hz: float | None


@dataclass(frozen=True, slots=True)
class Facts:
    """A recording and what the pipeline found in it.

    Attributes:
        streams: its modalities, motion first.
        findings: what was found; `spans` tile the time from the first sample to the last.
        uncountable: why nothing could be counted; None where counting was possible.
        algorithm: which science counted.
        only_emg: counted by muscle alone, which tells that the calf contracts and not what the foot does.
    """

    streams: tuple[StreamFacts, ...]
    findings: Findings
    uncountable: Uncountable | None
    algorithm: Algorithm
    only_emg: bool = False

    @property
    def first_s(self) -> float:
        """Session second of the first sample, 0 where there is none."""
        return min((stream.first_s for stream in self.streams), default=0.0)

    @property
    def last_s(self) -> float:
        """Session second of the last sample, 0 where there is none."""
        return max((stream.last_s for stream in self.streams), default=0.0)

    @property
    def duration_s(self) -> float:
        """From the first sample to the last."""
        return self.last_s - self.first_s

    @property
    def rate_hz(self) -> float | None:
        """Nominal rate of what is counted with: the accelerometer, else the fastest modality."""
        for stream in self.streams:
            if stream.modality is Modality.ACC:
                return stream.rate_hz
        return max((stream.rate_hz for stream in self.streams if stream.rate_hz), default=None)

    @property
    def modalities(self) -> tuple[str, ...]:
        """`imu` (accelerometer, gyroscope or both) and `emg`, as far as they are there."""
        seen = {stream.modality for stream in self.streams}
        found = {"imu": not seen.isdisjoint(MOTION), "emg": Modality.EMG in seen}
        return tuple(name for name, there in found.items() if there)

    @property
    def samples(self) -> int:
        """Rows over all modalities."""
        return sum(stream.samples for stream in self.streams)

    @property
    def gap_s(self) -> float:
        """Seconds without samples."""
        return sum((gap.end_s - gap.start_s for gap in self.findings.gaps), 0.0)

    @property
    def worn_s(self) -> float:
        """Recorded time that is not labelled not worn."""
        return max(0.0, self.duration_s - self.gap_s - self.time_in(State.NOT_WORN))

    @property
    def unknown_s(self) -> float:
        """Recorded time whose label is unknown."""
        return self.time_in(State.UNKNOWN)

    @property
    def counts(self) -> dict[Kind, int] | None:
        """Contractions of each kind; None where they could not be counted, which is not the same as none."""
        if self.uncountable or self.only_emg:
            return None
        counted = dict.fromkeys(Kind, 0)
        for event in self.findings.contractions:
            counted[event.kind] += 1
        return counted

    @property
    def known_counts(self) -> dict[Kind, int | None]:
        """Each kind's count, None where this recording cannot tell; by muscle alone only ankle pumps are told."""
        told: dict[Kind, int | None] = dict.fromkeys(Kind)
        if self.only_emg and not self.uncountable:
            told[Kind.ANKLE_PUMP] = sum(event.kind is Kind.ANKLE_PUMP for event in self.findings.contractions)
        told.update(self.counts or {})
        return told

    def mean_confidence(self, kind: Kind) -> float | None:
        """Mean confidence of the contractions of a kind, None where there are none."""
        seen = [event.confidence for event in self.findings.contractions if event.kind is kind]
        return sum(seen) / len(seen) if seen else None

    @property
    def fatigue(self) -> dict[str, Fatigue]:
        """How the median frequency of each EMG channel went, where there were contractions enough to tell."""
        events = self.findings.contractions
        channels = dict.fromkeys(str(e.attributes["channel"]) for e in events if "median_hz" in e.attributes)
        found = {channel: fatigue(events, channel) for channel in channels}
        return {channel: course for channel, course in found.items() if course is not None}

    def time_in(self, state: State) -> float:
        """Recorded seconds with this label."""
        spans = [span for span in self.findings.spans if span.state is state]
        return sum(span.end_s - span.start_s for span in spans) - _shared_s(spans, self.findings.gaps)

    def to_json(self) -> dict[str, Any]:
        """The keys of `soleus analyze --json`."""
        algorithm = self.algorithm
        return {
            "recording": self._recording_json(),
            "counts": {str(kind): count for kind, count in self.known_counts.items()},
            "events": [_event_json(n, event) for n, event in enumerate(self.findings.contractions, 1)],
            "states": [_span_json(span) for span in self.findings.spans],
            "bounce_s": None if self.uncountable else round(self.findings.bounce_s, _DIGITS),
            "algorithm": {
                "name": algorithm.name,
                "version": algorithm.version,
                "params_sha256": algorithm.params_sha256,
            },
            "fatigue": [_fatigue_json(channel, course) for channel, course in self.fatigue.items()],
        }

    def _recording_json(self) -> dict[str, Any]:
        return {
            "duration_s": round(self.duration_s, _DIGITS),
            "rate_hz": self.rate_hz,
            "modalities": list(self.modalities),
            "worn_s": round(self.worn_s, _DIGITS),
            "gap_s": round(self.gap_s, _DIGITS),
            "gaps": [
                {"start_s": round(gap.start_s, _DIGITS), "end_s": round(gap.end_s, _DIGITS)}
                for gap in self.findings.gaps
            ],
            "unknown_s": round(self.unknown_s, _DIGITS),
            "uncountable": self.uncountable,
            "first_s": round(self.first_s, _DIGITS),
            "last_s": round(self.last_s, _DIGITS),
            "streams": [
                {"modality": stream.modality, "samples": stream.samples, "rate_hz": stream.rate_hz}
                for stream in self.streams
            ],
        }


def _event_json(number: int, event: Contraction) -> dict[str, Any]:
    return {
        "id": number,
        "kind": event.kind,
        "onset_s": round(event.onset_s, _DIGITS),
        "peak_s": round(event.peak_s, _DIGITS),
        "end_s": round(event.end_s, _DIGITS),
        "confidence": round(event.confidence, _DIGITS),
        "rule": event.rule,
        "strength": event.strength,
        **event.attributes,
    }


def _fatigue_json(channel: str, course: Fatigue) -> dict[str, Any]:
    return {
        "channel": channel,
        "first_median_hz": round(course.first_hz, 1),
        "slope_hz_per_min": round(course.slope_hz_per_min, 3),
        "slope_se_hz_per_min": round(course.slope_se_hz_per_min, 3),
        "contractions": course.contractions,
        "tiring": course.is_tiring,
    }


def _span_json(span: StateSpan) -> dict[str, Any]:
    return {
        "state": span.state,
        "start_s": round(span.start_s, _DIGITS),
        "end_s": round(span.end_s, _DIGITS),
        "vehicle": span.vehicle,
    }


def why_uncountable(facts: Facts) -> str | None:
    """For people: why there are no counts; None where there are."""
    if facts.uncountable is Uncountable.NO_ACCELEROMETER:
        return "there is neither an accelerometer nor EMG in it, and contractions are counted from these"
    if facts.uncountable is Uncountable.NO_CONTACT:
        return "no electrode on the calf had contact, and there is no accelerometer in it to count with"
    if facts.uncountable is Uncountable.TOO_SLOW and all(s.modality is not Modality.ACC for s in facts.streams):
        return (
            f"its EMG gives {facts.rate_hz or 0.0:.3g} samples a second, and counting needs {EMG_RULES.raw_rate_hz:g} "
            f"or more, or an envelope of {LOWEST_EMG_HZ:g} or more"
        )
    if facts.uncountable is Uncountable.TOO_SLOW:
        return (
            f"its accelerometer gives {facts.rate_hz or 0.0:.3g} samples a second, "
            f"and counting needs {LOWEST_RATE_HZ:g} or more"
        )
    return None


def tiled(spans: Sequence[StateSpan], first_s: float, last_s: float, gaps: Sequence[Gap]) -> tuple[StateSpan, ...]:
    """Labels without holes and overlaps from the first sample to the last.

    Neighbours closer than `HOLE_S` touch; a gap longer than that, and time that nobody labelled, is unknown.

    Args:
        spans: labels in order of time.
        first_s: first sample.
        last_s: last sample.
        gaps: stretches without samples, in order of time.

    Returns:
        Spans that tile first_s..last_s, no two neighbours alike; empty where there is no time.
    """
    tiles: list[StateSpan] = []
    waiting = iter(spans)
    span = next(waiting, None)
    for start_s, end_s, seen in _stretches(first_s, last_s, gaps):
        at_s = start_s
        while seen and span is not None and span.start_s < end_s:
            if span.start_s - at_s > HOLE_S:
                _add(tiles, StateSpan(State.UNKNOWN, at_s, span.start_s))
                at_s = span.start_s
            until_s = min(span.end_s, end_s)
            _add(tiles, StateSpan(span.state, at_s, until_s, span.vehicle))
            at_s = max(at_s, until_s)
            if span.end_s > end_s + HOLE_S:
                break
            span = next(waiting, None)
        _close(tiles, start_s, at_s, end_s)
    return tuple(tiles)


def _stretches(first_s: float, last_s: float, gaps: Sequence[Gap]) -> Iterator[tuple[float, float, bool]]:
    """Time cut at long gaps: start, end, whether it was seen."""
    long = [gap for gap in gaps if gap.end_s - gap.start_s > HOLE_S]
    edges = [first_s, *(edge for gap in long for edge in (gap.start_s, gap.end_s)), last_s]
    for number, (start_s, end_s) in enumerate(pairwise(edges)):
        if end_s > start_s:
            yield start_s, end_s, number % 2 == 0


def _close(tiles: list[StateSpan], start_s: float, at_s: float, end_s: float) -> None:
    """Fill a stretch up to its end, with its last label where little is missing."""
    if end_s <= at_s:
        return
    if at_s > start_s and end_s - at_s <= HOLE_S:
        last = tiles[-1]
        tiles[-1] = StateSpan(last.state, last.start_s, end_s, last.vehicle)
    else:
        _add(tiles, StateSpan(State.UNKNOWN, at_s, end_s))


def _add(tiles: list[StateSpan], span: StateSpan) -> None:
    if span.end_s <= span.start_s:
        return
    if tiles and (tiles[-1].state, tiles[-1].vehicle) == (span.state, span.vehicle):
        span = StateSpan(span.state, tiles[-1].start_s, span.end_s, span.vehicle)
        tiles.pop()
    tiles.append(span)


def _shared_s(spans: Sequence[StateSpan], gaps: Sequence[Gap]) -> float:
    """Seconds that lie both in a span and in a gap; both in order of time."""
    shared_s = 0.0
    first = 0
    for span in spans:
        while first < len(gaps) and gaps[first].end_s <= span.start_s:
            first += 1
        for gap in gaps[first:]:
            if gap.start_s >= span.end_s:
                break
            shared_s += min(gap.end_s, span.end_s) - max(gap.start_s, span.start_s)
    return shared_s
