"""The one place where samples go through the pipeline and facts are gathered: live, replay, batch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from analysis.events import Contraction, Findings, Gap, Rejection, StateSpan
from analysis.pipeline import Pipeline
from analysis.rules import algorithm
from analysis.samples import FloatArray, Modality, SampleBlock
from tracker.facts import LOWEST_EMG_HZ, LOWEST_RATE_HZ, Facts, StreamFacts, Uncountable, tiled
from tracker.samplefile.intervals import GAP_PERIODS, Intervals

RATE_SAMPLES = 200
"""The accelerometer's rate is judged by so many samples: 2 s at 100 Hz, 10 s at the lowest rate."""

UNDECIDED_S = 30.0
"""An accelerometer that gave fewer than `RATE_SAMPLES` samples in this time is too slow, or has stopped."""

_HELD_BEFORE_ACC_S = 10.0
_NOMINAL_SAMPLES = 2_000
_SHORTEST_GAP_S = 0.1
_ORDER = (Modality.ACC, Modality.GYR, Modality.EMG)

Group = tuple[SampleBlock, ...]


class Counting:
    """Counts one session, fed in any cutting: `feed` what comes, `finish`, then read `facts`."""

    def __init__(self, *, remember: bool = True) -> None:
        """A session of which nothing has come yet.

        Args:
            remember: keep all that was found for `facts`; a live session hands it on instead, and stays small.
        """
        self._remember = remember
        self._pipeline = Pipeline()
        self._streams: dict[tuple[Modality, str | None], _Stream] = {}
        self._held: list[Group] | None = []
        self._found = _Found()
        self._uncountable: Uncountable | None = None
        self._only_emg = False

    def feed(self, *blocks: SampleBlock) -> Findings:
        """Take blocks of one stretch of time together; empty ones are passed over.

        Returns:
            What became final.
        """
        group = tuple(block for block in blocks if len(block))
        for block in group:
            self._stream(block).note(block)
        if not group:
            return Findings()
        if self._held is None:
            return self._count([group])
        self._held.append(group)
        return self._release() if self._is_decided() else Findings()

    def finish(self) -> Findings:
        """What is still open when the session ends."""
        found = Findings() if self._held is None else self._release()
        if self._uncountable:
            return found
        return found + self._noted(self._pipeline.finish())

    def _noted(self, found: Findings) -> Findings:
        return self._found.take(found) if self._remember else found

    def preview(self) -> tuple[Contraction, ...]:
        """Contractions that are over but not final yet; they may still change or go."""
        return () if self._held is not None or self._uncountable else self._pipeline.preview()

    def present(self) -> StateSpan | None:
        """What the wearer does now, not final yet; None where it cannot be told, as by muscle alone."""
        return self._pipeline.present() if self.is_summed else None

    @property
    def facts(self) -> Facts:
        """Everything that is final and was remembered; whole once `finish` was called."""
        streams = _by_modality(self._streams.values())
        first_s = min((stream.first_s for stream in streams), default=0.0)
        last_s = max((stream.last_s for stream in streams), default=0.0)
        found = self._found.findings(self._gaps())
        spans = tiled(found.spans, first_s, last_s, found.gaps)
        whole = Findings(found.contractions, spans, found.rejections, found.gaps, found.bounce_s)
        return Facts(streams, whole, self._why_uncountable(), algorithm(), self._is_by_emg())

    @property
    def is_summed(self) -> bool | None:
        """Whether the kinds of this session have sums, `Facts.counts` later; None while that is not decided."""
        return None if self._held is not None else not (self._uncountable or self._is_by_emg())

    def _stream(self, block: SampleBlock) -> _Stream:
        return self._streams.setdefault((block.modality, block.stream), _Stream(block.modality))

    def _acc(self) -> _Stream | None:
        return next((seen for seen in self._streams.values() if seen.modality is Modality.ACC), None)

    def _emg(self) -> _Stream | None:
        """The fastest EMG that is quick enough to count with."""
        rates = [
            (rate_hz, stream)
            for stream in self._streams.values()
            if stream.modality is Modality.EMG and (rate_hz := stream.rate_hz(RATE_SAMPLES)) is not None
        ]
        rate_hz, stream = max(rates, key=lambda rate: rate[0], default=(0.0, None))
        return stream if rate_hz >= LOWEST_EMG_HZ else None

    def _is_by_emg(self) -> bool:
        return self._only_emg or (self._held is None and self._acc() is None)

    def _why_uncountable(self) -> Uncountable | None:
        """Why there are no counts; EMG alone counts once an electrode of the calf has had contact."""
        if self._uncountable is None and self._is_by_emg() and not self._pipeline.emg_usable_s:
            return Uncountable.TOO_SLOW if self._pipeline.emg_too_slow else Uncountable.NO_CONTACT
        return self._uncountable

    def _is_decided(self) -> bool:
        """Whether the accelerometer has shown its rate, or will not; forgets what no longer matters."""
        newest_s = max(stream.last_s for stream in self._streams.values())
        acc = self._acc()
        if acc is None:
            emg = self._emg()
            if emg is not None and newest_s - emg.first_s > _HELD_BEFORE_ACC_S:
                return True
            self._held = [
                group
                for group in self._held or ()
                if max(block.t_s[-1] for block in group) >= newest_s - _HELD_BEFORE_ACC_S
            ]
            return False
        return acc.samples >= RATE_SAMPLES or newest_s - acc.first_s > UNDECIDED_S

    def _release(self) -> Findings:
        """Decide whether this can be counted, and count what was held until then."""
        held, self._held = self._held or [], None
        acc = self._acc()
        rate_hz = acc.rate_hz(RATE_SAMPLES) if acc else None
        if rate_hz is None or rate_hz < LOWEST_RATE_HZ:
            self._only_emg = self._emg() is not None and acc is not None
            if self._emg() is None:
                slow = acc is not None or any(seen.modality is Modality.EMG for seen in self._streams.values())
                self._uncountable = Uncountable.TOO_SLOW if slow else Uncountable.NO_ACCELEROMETER
        return self._count(held)

    def _count(self, groups: list[Group]) -> Findings:
        found = Findings()
        if self._uncountable is None:
            for group in groups:
                chosen = [block for block in group if block.modality is Modality.EMG] if self._only_emg else group
                found = found + self._noted(self._pipeline.feed(*chosen))
        return found

    def _gaps(self) -> list[Gap] | None:
        """Gaps of the stream that shows them best, where the pipeline did not look for any."""
        is_seen = self._acc() is not None and not self._uncountable and not self._only_emg
        if is_seen or not self._streams:
            return None
        best = min(self._streams.values(), key=lambda stream: (_rank(stream.modality), -stream.samples))
        return best.gaps()


class _Stream:
    """What is known about one stream."""

    def __init__(self, modality: Modality) -> None:
        self.modality = modality
        self.samples = 0
        self.first_s = self.last_s = 0.0
        self._head = np.zeros(0)
        self._pauses: list[FloatArray] = []

    def note(self, block: SampleBlock) -> None:
        """The next samples, in order of time."""
        t_s = block.t_s
        if not self.samples:
            self.first_s = self.last_s = float(t_s[0])
        if self._head.size < _NOMINAL_SAMPLES:
            self._head = np.concatenate([self._head, t_s[: _NOMINAL_SAMPLES - self._head.size]])
        before = np.concatenate([[self.last_s], t_s[:-1]])
        long = np.flatnonzero(t_s - before > _SHORTEST_GAP_S)
        if long.size:
            self._pauses.append(np.stack([before[long], t_s[long]], axis=1))
        self.samples += t_s.size
        self.last_s = float(t_s[-1])

    def rate_hz(self, samples: int = _NOMINAL_SAMPLES) -> float | None:
        """Nominal rate by the first samples, however they were cut."""
        intervals = Intervals()
        intervals.add(self._head[:samples])
        return intervals.rate_hz()

    def gaps(self) -> list[Gap]:
        """Pauses that are long for this stream's rate."""
        rate_hz = self.rate_hz()
        if rate_hz is None or not self._pauses:
            return []
        pauses = np.concatenate(self._pauses)
        long = pauses[pauses[:, 1] - pauses[:, 0] > GAP_PERIODS / rate_hz]
        return [Gap(start_s, end_s) for start_s, end_s in long.tolist()]


class _Found:
    """Findings gathered one by one; joining tuples again and again would cost more with every hour."""

    def __init__(self) -> None:
        self._contractions: list[Contraction] = []
        self._spans: list[StateSpan] = []
        self._rejections: list[Rejection] = []
        self._gaps: list[Gap] = []
        self._bounce_s = 0.0

    def take(self, found: Findings) -> Findings:
        self._contractions += found.contractions
        self._spans += found.spans
        self._rejections += found.rejections
        self._gaps += found.gaps
        self._bounce_s += found.bounce_s
        return found

    def findings(self, gaps: list[Gap] | None) -> Findings:
        contractions = sorted(self._contractions, key=lambda event: (event.peak_s, event.kind))
        seen = self._gaps if gaps is None else gaps
        return Findings(tuple(contractions), tuple(self._spans), tuple(self._rejections), tuple(seen), self._bounce_s)


def count(groups: Iterable[Group]) -> Facts:
    """Facts of a whole recording, given as groups of blocks that cover the same stretch of time."""
    counting = Counting()
    for group in groups:
        counting.feed(*group)
    counting.finish()
    return counting.facts


def _by_modality(streams: Iterable[_Stream]) -> tuple[StreamFacts, ...]:
    """Streams of one modality together, motion first."""
    seen: dict[Modality, list[_Stream]] = {}
    for stream in streams:
        seen.setdefault(stream.modality, []).append(stream)
    return tuple(
        StreamFacts(
            modality,
            sum(stream.samples for stream in same),
            min(stream.first_s for stream in same),
            max(stream.last_s for stream in same),
            max((rate_hz for stream in same if (rate_hz := stream.rate_hz())), default=None),
        )
        for modality, same in sorted(seen.items(), key=lambda item: _rank(item[0]))
    )


def _rank(modality: Modality) -> int:
    return _ORDER.index(modality) if modality in _ORDER else len(_ORDER)
