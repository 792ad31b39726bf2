"""EMG beside a motion sensor on the same leg: which events the muscle confirms, and which bursts moved nothing.

An event of the motion sensor keeps its kind and gets the attribute `emg`: `agrees` (a burst with it), `silent` (good
contact, no burst: moved but did not contract) or `unknown`. A burst without such an event is counted once, by EMG: an
`ankle_pump` with the attribute `moved` (`no`: contracted without moving). Bursts among steps are the steps' own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from analysis.emg.bursts import Burst
from analysis.emg.contractions import (
    GAIT_LIKE,
    KIND_BY_EMG,
    KIND_KNOWN_AMONG_MOTION,
    KIND_KNOWN_BESIDE_MOTION,
    RhythmJudge,
    contraction_of,
    spectrum_of,
)
from analysis.emg.listening import ContactSpan, Listener
from analysis.emg.motion import NO_MOTION, Motion
from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.events import Contraction, Findings, Kind, Rejection
from analysis.samples import Modality, SampleBlock

PATIENCE_S = 9.5
"""So long after an event one sensor waits for the other's word, so that everything is final within 10 s."""

EMG_LAG_S = 6.0
"""EMG this far behind has stopped; bursts are judged without what might have followed."""

MEMORY_S = 40.0

LONGEST_S = 20.0
"""No burst, event or window that matters here is longer."""

T = TypeVar("T")


class Agreement:
    """Joins the events of both sensors into one stream, each contraction once.

    Attributes:
        usable_s: seconds in which some calf channel could be counted with.
    """

    def __init__(self, rules: EmgRules = EMG_RULES) -> None:
        self._rules = rules
        self._listeners: dict[str | None, Listener] = {}
        self._judge = RhythmJudge(rules)
        self._bursts: list[Burst] = []  # every burst of the last while, for events of the motion sensor
        self._judged: list[Burst] = []  # waiting for the motion sensor
        self._events: list[Contraction] = []  # waiting for EMG
        self._past: list[Contraction] = []  # given out
        self._motion = NO_MOTION
        self._contact: list[ContactSpan] = []
        self._first_s = float("inf")  # of the EMG
        self._newest_s = -float("inf")  # of anything
        self.usable_s = 0.0

    @property
    def too_slow(self) -> bool:
        """All EMG is raw, and slower than raw EMG can be counted with."""
        return self.heard and all(listener.too_slow for listener in self._listeners.values())

    @property
    def heard(self) -> bool:
        """EMG was seen."""
        return bool(self._listeners)

    def listen(self, blocks: Sequence[SampleBlock]) -> None:
        """Take the EMG among some blocks; note how far time has come."""
        for block in blocks:
            if len(block):
                self._newest_s = max(self._newest_s, float(block.t_s[-1]))
            if block.modality is Modality.EMG and len(block):
                self._first_s = min(self._first_s, float(block.t_s[0]))
                listener = self._listeners.setdefault(block.stream, Listener(self._rules))
                heard = listener.feed(block)
                self._note(heard.bursts, heard.contact)

    def join(self, found: Findings, motion: Motion) -> Findings:
        """Findings of the motion sensor with what EMG has to say; some events wait for the other sensor."""
        self._motion = self._motion + motion
        if not self.heard:
            self._past = _with(self._past, found.contractions, _peak_of_event)
            self._forget()
            return found
        self._events += found.contractions
        return self._settle(found, ends=False)

    def finish(self, found: Findings, motion: Motion) -> Findings:
        """Likewise when the session ends; nothing waits any longer."""
        for listener in self._listeners.values():
            heard = listener.finish()
            self._note(heard.bursts, heard.contact)
        self._events += found.contractions
        self._motion = self._motion + motion
        return self._settle(found, ends=True) if self.heard else found

    def _note(self, bursts: tuple[Burst, ...], contact: tuple[ContactSpan, ...]) -> None:
        self._judge.add(bursts)
        self._bursts = _with(self._bursts, bursts, _onset_of_burst)
        self._contact = _with(self._contact, contact, _start_of_span)
        self.usable_s += sum((span.end_s - span.start_s for span in contact if span.usable), 0.0)
        if self.too_slow:
            self.usable_s = 0.0  # rest at such a rate was no evidence of rest

    def _settle(self, found: Findings, *, ends: bool) -> Findings:
        emg_s = min((listener.until_s for listener in self._listeners.values()), default=-float("inf"))
        late_s = float("inf") if ends else self._newest_s - PATIENCE_S
        self._judged += self._judge.judged(float("inf") if ends else max(emg_s, self._newest_s - EMG_LAG_S))
        events = self._release_events(max(emg_s, late_s))
        alone, refused = self._release_bursts(max(self._motion.until_s - self._rules.peak_after_s, late_s))
        self._forget()
        contractions = tuple(sorted([*events, *alone], key=_peak_of_event))
        return replace(found, contractions=contractions, rejections=found.rejections + tuple(refused))

    def _release_events(self, until_s: float) -> list[Contraction]:
        """Events of the motion sensor that EMG can no longer change, with its word on them."""
        ready: list[Contraction] = []
        waiting: list[Contraction] = []
        for event in self._events:
            is_ready = event.end_s + self._rules.near_s <= until_s or self._is_early(event)
            (ready if is_ready else waiting).append(event)
        self._events = waiting
        self._past = _with(self._past, ready, _peak_of_event)
        return [replace(event, attributes={**event.attributes, **self._word_on(event)}) for event in ready]

    def _is_early(self, event: Contraction) -> bool:
        """It was over before the first EMG."""
        return event.end_s < self._first_s

    def _word_on(self, event: Contraction) -> dict[str, str | float]:
        if self._is_early(event):
            return {}
        near = _near(self._bursts, _onset_of_burst, event.onset_s, event.end_s + self._rules.near_s)
        bursts = [burst for burst in near if burst.refused in ("", GAIT_LIKE) and self._is_with(burst, event)]
        if bursts:
            strongest = max(bursts, key=lambda burst: burst.level)
            return {"emg": "agrees", "emg_level": round(strongest.level, 3), **spectrum_of(strongest)}
        spans = _near(self._contact, _start_of_span, event.onset_s, event.end_s)
        seen_s = sum(
            max(0.0, min(span.end_s, event.end_s) - max(span.start_s, event.onset_s)) for span in spans if span.usable
        )
        return {"emg": "silent" if seen_s > 0.5 * (event.end_s - event.onset_s) else "unknown"}

    def _is_with(self, burst: Burst, event: Contraction) -> bool:
        near_s = self._rules.near_s
        return burst.onset_s < event.end_s + near_s and burst.end_s > event.onset_s - near_s

    def _release_bursts(self, until_s: float) -> tuple[list[Contraction], list[Rejection]]:
        """Judged bursts that the motion sensor can no longer claim: contractions by EMG, and refusals."""
        kept: list[Contraction] = []
        refused: list[Rejection] = []
        waiting: list[Burst] = []
        for burst in self._judged:
            if burst.end_s > until_s:
                waiting.append(burst)
                continue
            known = self._known(burst)
            if any(self._is_with(burst, event) for event in known):
                continue
            verdict = self._alone(burst, known)
            if isinstance(verdict, Rejection):
                refused.append(verdict)
            else:
                kept.append(verdict)
        self._judged = waiting
        return kept, refused

    def _known(self, burst: Burst) -> list[Contraction]:
        """Events of the motion sensor that are surely known when the burst is decided, however time was cut."""
        last_s = burst.end_s + self._rules.peak_after_s
        near = (*_near(self._past, _peak_of_event, burst.onset_s, last_s), *self._events)
        return [event for event in near if event.peak_s < last_s]

    def _alone(self, burst: Burst, known: Sequence[Contraction]) -> Contraction | Rejection:
        """A burst that no event of the motion sensor goes with."""
        frames = self._motion.during(burst.onset_s, burst.end_s)
        moved = bool(frames.any())
        if burst.refused and (burst.refused != GAIT_LIKE or moved or not frames.size):
            return Rejection(burst.peak_s, burst.refused)
        if any(self._is_walking(event, burst) for event in known):
            return Rejection(burst.peak_s, "emg_among_steps")
        if not frames.size:
            return contraction_of(burst, KIND_BY_EMG, "emg_burst", emg="alone")
        kind_known = KIND_KNOWN_AMONG_MOTION if moved else KIND_KNOWN_BESIDE_MOTION
        return contraction_of(burst, kind_known, "emg_beside_motion", emg="agrees", moved="yes" if moved else "no")

    def _is_walking(self, event: Contraction, burst: Burst) -> bool:
        gait = event.kind in (Kind.STEP, Kind.PEDAL)
        return gait and abs(event.peak_s - burst.peak_s) < self._rules.walking_s

    def _forget(self) -> None:
        past_s = min(self._newest_s, self._motion.until_s) if self._motion.end_s.size else self._newest_s
        past_s -= MEMORY_S
        self._bursts = [burst for burst in self._bursts if burst.end_s > past_s]
        self._past = [event for event in self._past if event.end_s > past_s]
        self._contact = [span for span in self._contact if span.end_s > past_s]
        self._motion = self._motion.since(past_s)


def _onset_of_burst(burst: Burst) -> float:
    return burst.onset_s


def _start_of_span(span: ContactSpan) -> float:
    return span.start_s


def _peak_of_event(event: Contraction) -> float:
    return event.peak_s


def _with(items: list[T], new: Sequence[T], start_of: Callable[[T], float]) -> list[T]:
    """Items in order of time with some more."""
    return sorted([*items, *new], key=start_of) if new else items


def _near(items: Sequence[T], start_of: Callable[[T], float], start_s: float, end_s: float) -> Sequence[T]:
    """Of items in order of their start those that may overlap an interval."""
    first = bisect_left(items, start_s - LONGEST_S, key=start_of)
    return items[first : bisect_left(items, end_s, key=start_of)]
