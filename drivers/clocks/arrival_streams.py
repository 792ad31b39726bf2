"""Streams without a device clock on their way from packets to blocks: held until their time is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import ArrivalClock, HostAxis, IntArray
from drivers.clocks.device import FramePlacer

Rows = npt.NDArray[Any]
"""(n, columns) raw numbers of n samples, as the packets hold them."""

_GUESS_NS, _GUESS_PACKETS = 1_000_000_000, 3
"""A rate that was not stated is read off the arrivals of so long and so many packets."""

_TOGETHER_NS = 4_000_000
"""Packets that come closer than this came with one event of the radio: it has one each 7.5 ms or more."""
_LARGEST_BUNDLE = 64
"""More are not awaited."""
_USUAL_HZ = 100.0

_APART_NS = 1000
"""Packets that come at the same instant are told apart by so much."""


class ArrivalStream:
    """One stream: packets in, samples with their times out, in order.

    Attributes:
        rate_hz: nominal rate; None until it has been stated or guessed.
    """

    def __init__(
        self,
        axis: HostAxis,
        rate_hz: float | None,
        *,
        rates: Sequence[float] = (),
        late_s: float = 0.08,
        grain: int = 0,
    ) -> None:
        """A stream that nothing has come from yet.

        Args:
            axis: shared by the streams of the sensor.
            rate_hz: nominal rate, None to guess it.
            rates: the rates the device can run at, to guess among; the first is its usual one.
            late_s: see `ArrivalClock`.
            grain: see `ArrivalClock`.
        """
        self.rate_hz = rate_hz
        self._axis, self._rates, self._late_s, self._grain = axis, rates, late_s, grain
        self._clock = self._made_clock(rate_hz) if rate_hz else None
        self._arrival: list[IntArray] = []
        self._missing: list[IntArray] = []
        self._counts: list[IntArray] = []
        self._rows: list[Rows] = []

    def take(
        self, arrival_ns: IntArray, count: IntArray, missing: IntArray, rows: Rows, *, last: bool = False
    ) -> tuple[FloatArray, Rows] | None:
        """Takes packets; (n,) session seconds and (n, columns) of the samples whose time is known by now.

        Args:
            arrival_ns: (k,) host nanoseconds.
            count: (k,) samples of each packet, at least 1.
            missing: (k,) samples known to be missing just before each.
            rows: (sum of count, columns).
            last: no more packets will come.
        """
        if arrival_ns.size:
            self._counts.append(count)
            self._rows.append(rows)
        if self._clock is None:
            if arrival_ns.size:
                self._arrival.append(arrival_ns)
                self._missing.append(missing)
            if not self._arrival or not self._guess(last=last):
                return None
            arrival_ns, missing = np.concatenate(self._arrival), np.concatenate(self._missing)
            count = np.concatenate(self._counts)
            self._arrival, self._missing = [], []
        if self._clock is None:
            return None
        return self._release(*self._clock.place(arrival_ns, count, missing, last=last))

    def _made_clock(self, rate_hz: float) -> ArrivalClock:
        return ArrivalClock(self._axis, 1e9 / rate_hz, self._late_s * 1e9, self._grain)

    def _release(self, start: FloatArray, step: FloatArray) -> tuple[FloatArray, Rows] | None:
        if not start.size:
            return None
        counts, rows = _whole(self._counts), _whole(self._rows)
        count = counts[: start.size]
        samples = int(count.sum())
        self._counts = [counts[start.size :]] if counts.size > start.size else []
        self._rows = [rows[samples:]] if len(rows) > samples else []
        return self._axis.seconds(sample_times(start, step, count)), rows[:samples]

    def _guess(self, *, last: bool) -> bool:
        """Finds the rate nearest to what came in the first second; the packets that follow change nothing."""
        arrival, count = np.concatenate(self._arrival), np.concatenate(self._counts)
        since = arrival - arrival[0]
        enough = np.flatnonzero(since[_GUESS_PACKETS:] >= _GUESS_NS)
        if not enough.size and not last:
            return False
        upto = _GUESS_PACKETS + int(enough[0]) if enough.size else arrival.size - 1
        elapsed_s, samples = float(since[upto]) / 1e9, float(count[1 : upto + 1].sum())
        self.rate_hz = self._rates[0]
        if elapsed_s > 0 and samples:
            measured = samples / elapsed_s
            self.rate_hz = min(self._rates, key=lambda rate: abs(log(rate / measured)))
        self._clock = self._made_clock(self.rate_hz)
        return True


class BundledStream:
    """A stream whose device keeps no pace: the samples of a bundle are spread over the time since the one before.

    A radio brings what was sent since its last event at once. A bundle is placed once the next one has begun; its
    last sample lies at its arrival, and where its samples would take much less than the time since the bundle before,
    they are placed backward from there, and a gap is left.

    Attributes:
        rate_hz: measured or usual rate.
    """

    def __init__(self, axis: HostAxis, rate_hz: float | None) -> None:
        """A stream that nothing has come from yet; `rate_hz` None where nothing is known."""
        self.rate_hz = rate_hz
        self._axis = axis
        self._usual_ns = 1e9 / (rate_hz or _USUAL_HZ)
        self._placer = FramePlacer(self._usual_ns)
        self._held_ns = np.zeros(0, np.int64)
        self._rows: list[Rows] = []
        self._last_ns: int | None = None

    def take(
        self, arrival_ns: IntArray, _count: IntArray, _missing: IntArray, rows: Rows, *, last: bool = False
    ) -> tuple[FloatArray, Rows] | None:
        """Takes packets of one sample each, as `ArrivalStream.take`; what is missing is not known."""
        if arrival_ns.size:
            self._rows.append(rows)
            self._held_ns = np.append(self._held_ns, self._axis.relative(arrival_ns).astype(np.int64))
        held = self._held_ns
        if not held.size:
            return None
        apart = np.diff(held, prepend=held[0]) > _TOGETHER_NS
        chain = np.arange(held.size) - np.maximum.accumulate(np.where(apart, np.arange(held.size), 0))
        begins = np.flatnonzero(chain % _LARGEST_BUNDLE == 0)
        ends = np.append(begins[1:], held.size) if last else begins[1:]
        if not ends.size:
            return None
        count = np.diff(np.append(0, ends)).astype(np.int64)
        until = int(ends[-1])
        start, step = self._placer.place(self._increasing(held, count, ends), count, self._usual_ns)
        self._held_ns, whole = held[until:], _whole(self._rows)
        self._rows = [whole[until:]] if len(whole) > until else []
        return self._axis.seconds(sample_times(start, step, count)), whole[:until]

    def _increasing(self, held: IntArray, count: IntArray, ends: IntArray) -> IntArray:
        """Arrival of each bundle's last packet, put off where its samples would lie closer than a microsecond."""
        room = np.cumsum(count) * _APART_NS
        latest = held[ends - 1] - room
        if self._last_ns is not None:
            latest[0] = max(int(latest[0]), self._last_ns)
        placed: IntArray = np.maximum.accumulate(latest) + room
        self._last_ns = int(placed[-1])
        return placed


def _whole(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def sample_times(start: FloatArray, step: FloatArray, count: IntArray) -> FloatArray:
    """(sum of count,) times: sample i (from 1) of a packet is at start + i x step."""
    most = int(count.max())
    if most == int(count.min()):
        places: FloatArray = step[:, None] * np.arange(1, most + 1)
        places += start[:, None]
        return places.reshape(-1)
    ends = np.cumsum(count)
    times = np.arange(1, int(ends[-1]) + 1, dtype=np.float64)
    times -= np.repeat((ends - count).astype(np.float64), count)
    times *= np.repeat(step, count)
    times += np.repeat(start, count)
    return times


_Kind = tuple[Modality, str | None]


@dataclass(slots=True)
class HostTimes:
    """Values that come now and then and have no time but their arrival: battery, temperature, replies."""

    axis: HostAxis
    _waiting: list[tuple[_Kind, tuple[str, ...], int, Sequence[float]]] = field(default_factory=list)
    _last_ns: dict[_Kind, float] = field(default_factory=dict)

    def take(
        self,
        modality: Modality,
        channels: tuple[str, ...],
        arrival_ns: int,
        row: Sequence[float],
        stream: str | None = None,
    ) -> None:
        """One row of values; `stream` tells two of one kind apart."""
        self._waiting.append(((modality, stream), channels, arrival_ns, row))

    def release(self, *, last: bool = False) -> list[SampleBlock]:
        """One block a modality and stream, once the session has a zero; at least a microsecond apart."""
        if self.axis.zero_ns is None and last and self._waiting:
            self.axis.relative(np.array([self._waiting[0][2]]))
            self.axis.zero_ns = 0.0
        if self.axis.zero_ns is None or not self._waiting:
            return []
        made: dict[_Kind, tuple[tuple[str, ...], list[float], list[Sequence[float]]]] = {}
        for kind, channels, arrival_ns, row in self._waiting:
            when = float(self.axis.relative(np.array([arrival_ns]))[0]) - self.axis.zero_ns
            if kind in self._last_ns:
                when = max(when, self._last_ns[kind] + max(1e3, abs(self._last_ns[kind]) * 1e-12))
            self._last_ns[kind] = when
            _, times, rows = made.setdefault(kind, (channels, [], []))
            times.append(when / 1e9)
            rows.append(row)
        self._waiting = []
        return [
            SampleBlock(modality, np.array(times), np.array(rows, np.float64), channels, stream=stream)
            for (modality, stream), (channels, times, rows) in made.items()
        ]


@dataclass(slots=True)
class ArrivalTimes:
    """Samples that are timed by their arrival alone, because nothing tells their rate; a microsecond apart at least."""

    axis: HostAxis
    _last_ns: int | None = None

    def seconds(self, arrival_ns: IntArray) -> FloatArray:
        """(n,) session seconds of packets of one sample each; the session's first sample sets its zero."""
        if not arrival_ns.size:
            return np.zeros(0)
        since = self.axis.relative(arrival_ns).astype(np.int64)
        if self.axis.zero_ns is None:
            self.axis.zero_ns = float(since[0])
        rank = np.arange(since.size) * _APART_NS
        first = since[0] if self._last_ns is None else max(int(since[0]), self._last_ns + _APART_NS)
        since[0] = first
        spread_ns: IntArray = np.maximum.accumulate(since - rank) + rank
        self._last_ns = int(spread_ns[-1])
        return self.axis.seconds(spread_ns.astype(np.float64))
