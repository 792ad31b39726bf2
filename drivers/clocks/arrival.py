"""Time of samples whose device has no clock: a robust straight line through the arrivals. Knows no device.

A sample is placed by its number: start + number x period. Arrivals are late by anything from nothing to
seconds but never early, so the line follows the least delay of every stretch of a few seconds, by a
two-state Kalman filter (phase, period). It is causal, it never runs back, and it gives the same numbers
however the packets are cut: a stretch ends after a number of samples, not after a call.

A packet later than the line by more than `late_ns` is held back until it is known why: if the packets after
it catch up, it was delayed on its way and no time is missing; if for 0.3 s none does, samples are missing,
and the least delay of the held packets is the gap. Losses below the limit cannot be told from delay; the
line follows them within seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray

IntArray = npt.NDArray[np.int64]

SETTLE_NS = 300e6
"""So long after the least late of the held packets nothing may have caught up, for a gap to be declared.
Chosen: five of the longest bundles (60 ms) that phones were reported to make."""
LONGEST_HOLD_NS = 10e9
_CATCHES_UP_NS = 10e6
"""Packets that gain less are not catching up: 2 % of rate error gain 6 ms in 0.3 s."""
_GRAINED_NS = 1e9
"""Above this a gap is no loss of a few packets, and the grain means nothing."""
FEW_PACKETS = 3
"""So many must have come, too: slow sensors send less than one packet in 0.3 s."""
_NOISE_NS = 4e6
"""Standard deviation of the least delay of a stretch. Chosen on simulated arrivals, see the tests."""
_WANDER_NS = 3e6
"""How far the least delay moves from stretch to stretch: unseen losses, another connection interval."""
_FIRST_NOISE_NS = 20e6
"""Standard deviation of the first packet's delay: it may be the first of a bundle."""
_HELD_NOISE_NS = 8e6
"""The same for the least delay of the packets held before a gap was declared."""
_RATE_ERROR = 0.01
"""Standard deviation of a new sensor's rate from its nominal one."""
_RATE_WANDER = 5e-6
"""The same from stretch to stretch, by temperature."""
_FIRST_STRETCHES = 16
_FIRST_STRETCH_S, _STRETCH_S = 1.0, 4.0
_FURTHEST = 1 << 61
"""Arrivals beyond are nonsense, and sums could leave int64."""


@dataclass(slots=True)
class HostAxis:
    """The host's instant that all streams of a sensor count from.

    Attributes:
        base_ns: arrival of the first packet; lines are kept relative to it.
        zero_ns: its first sample, relative to base_ns; None before it.
    """

    base_ns: int | None = None
    zero_ns: float | None = None

    def relative(self, arrival_ns: IntArray) -> FloatArray:
        """Arrivals relative to the first packet's, which this sets."""
        clipped = np.clip(arrival_ns, -_FURTHEST, _FURTHEST)
        if self.base_ns is None:
            self.base_ns = int(clipped[0])
        return (clipped - self.base_ns).astype(np.float64)

    def seconds(self, line_ns: FloatArray) -> FloatArray:
        """Session seconds of instants on a line."""
        if self.zero_ns is None:
            raise ValueError("the session has no first sample yet")
        since = line_ns - self.zero_ns
        since /= 1e9
        return since

    @property
    def arrival_ns(self) -> int | None:
        """Host clock at second 0."""
        if self.base_ns is None or self.zero_ns is None:
            return None
        return self.base_ns + round(self.zero_ns)


@dataclass(slots=True)
class _Line:
    """Where the samples of the running stretch lie, and what is known of the true line.

    `start` + n x `step` is the time of its n-th sample (from 1), relative to the zero's base.
    """

    start: float
    step: float
    period: float
    nominal: float
    phase: float = 0.0
    var_phase: float = _FIRST_NOISE_NS**2
    cov: float = 0.0
    var_period: float = 0.0
    stretches: int = 0
    taken: int = 0
    least: float = np.inf
    least_at: int = 0
    length: int = field(init=False)
    """Samples of the running stretch."""

    def __post_init__(self) -> None:
        self._measure()

    def _measure(self) -> None:
        seconds = _FIRST_STRETCH_S if self.stretches < _FIRST_STRETCHES else _STRETCH_S
        self.length = max(1, round(seconds * 1e9 / self.nominal))

    def note(self, number: IntArray, behind: FloatArray) -> None:
        """Samples were taken; a full stretch is closed.

        Args:
            number: (n,) the packets' last samples within the stretch.
            behind: (n,) how late each packet came.
        """
        best = int(behind.argmin())
        if behind[best] < self.least:
            self.least, self.least_at = float(behind[best]), int(number[best])
        self.taken = int(number[-1])
        if self.taken >= self.length:
            self._close()

    def _close(self) -> None:
        """The stretch is full: learn from its least delay, and aim the next one at the true line."""
        if np.isfinite(self.least):
            self._learn(float(self.least_at))
        self._move_on(float(self.taken))

    def _learn(self, at: float) -> None:
        """Kalman update from the least delay, seen at the stretch's `at`-th sample."""
        seen = self.least + (self.step - self.period) * at - self.phase
        spread = self.var_phase + 2 * at * self.cov + at * at * self.var_period + _NOISE_NS**2
        gain_phase = (self.var_phase + at * self.cov) / spread
        gain_period = (self.cov + at * self.var_period) / spread
        self.phase += gain_phase * seen
        self.period += gain_period * seen
        self.period = min(max(self.period, 0.5 * self.nominal), 2 * self.nominal)
        seen_together = self.cov + at * self.var_period
        seen_phase = self.var_phase + at * self.cov
        self.var_phase -= gain_phase * seen_phase
        self.cov -= gain_phase * seen_together
        self.var_period -= gain_period * seen_together

    def _move_on(self, n: float) -> None:
        self.start += self.step * n
        self.phase += (self.period - self.step) * n
        self.var_phase += 2 * n * self.cov + n * n * self.var_period + _WANDER_NS**2
        self.cov += n * self.var_period
        self.var_period += (_RATE_WANDER * self.nominal) ** 2
        self.stretches += 1
        self._measure()
        self._aim()

    def _aim(self) -> None:
        aimed = self.period + self.phase / self.length
        self.step = min(max(aimed, 0.5 * self.period), 1.5 * self.period)
        self.taken, self.least, self.least_at = 0, np.inf, 0

    def jump(self, gap_ns: float) -> None:
        """Samples are missing: the next one comes later by so much."""
        self.start += self.step * self.taken + gap_ns
        self.phase, self.var_phase, self.cov = 0.0, _HELD_NOISE_NS**2, 0.0
        self._aim()


@dataclass(frozen=True, slots=True, eq=False)
class _Packets:
    """Packets held and new: arrival; samples up to and with each, those missing counted; own samples; limit."""

    arrival: FloatArray
    number: IntArray
    count: IntArray
    late: FloatArray

    def before(self, at: int) -> int:
        """Samples before packet `at`."""
        return int(self.number[at - 1]) if at else 0


@dataclass(slots=True)
class ArrivalClock:
    """Places the packets of one stream on the host's clock.

    Attributes:
        zero: shared by all streams of the sensor.
        nominal_ns: sample period that was asked for.
        late_ns: a packet later than this, and than two packets' time, is held back.
        grain: samples that losses come in multiples of, where something else tells the rest; 0 = any.
    """

    zero: HostAxis
    nominal_ns: float
    late_ns: float = 80e6
    grain: int = 0
    _line: _Line | None = None
    _held: tuple[FloatArray, IntArray, IntArray] = field(
        default_factory=lambda: (np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    )
    _sure: int = 0
    """So many of the next packets are known not to follow a gap."""

    def place(
        self, arrival_ns: IntArray, count: IntArray, missing: IntArray, *, last: bool = False
    ) -> tuple[FloatArray, FloatArray]:
        """Start and step of the packets whose place is known by now, oldest first.

        Args:
            arrival_ns: (n,) host nanoseconds.
            count: (n,) samples of each, at least 1.
            missing: (n,) samples known to be missing just before each.
            last: no more packets will come, so nothing is held back.

        Returns:
            (k,) start, (k,) step, nanoseconds from the zero's base: sample i (from 1) of a packet is at
            start + i x step. k <= packets given and held before; the others stay held.
        """
        if arrival_ns.size:
            new = (self.zero.relative(arrival_ns), count, missing)
            arrival, count, missing = (np.concatenate(pair) for pair in zip(self._held, new, strict=True))
        else:
            arrival, count, missing = self._held
        stream = _Packets(arrival, np.cumsum(count + missing), count, self._late(count))
        placed = np.empty((2, arrival.size))
        if arrival.size and self._line is None:
            self._begin(float(arrival[0]), int(count[0]))
        at = 0
        while at < arrival.size:
            end = self._run(stream, at, placed)
            if end == at and not self._judge(stream, at, last=last):
                break
            at = end
        self._held = (arrival[at:], count[at:], missing[at:])
        return placed[0, :at], placed[1, :at]

    def _late(self, count: IntArray) -> FloatArray:
        limits: FloatArray = np.maximum(self.late_ns, 2 * self.nominal_ns * count)
        return limits

    def _begin(self, arrival: float, count: int) -> None:
        first = arrival - count * self.nominal_ns
        line = _Line(first, self.nominal_ns, self.nominal_ns, self.nominal_ns)
        line.var_period = (_RATE_ERROR * self.nominal_ns) ** 2
        self._line = line
        if self.zero.zero_ns is None:
            self.zero.zero_ns = first + self.nominal_ns

    def _run(self, stream: _Packets, at: int, placed: FloatArray) -> int:
        """Places packets from `at` up to the end of the stretch or the next late one, which is given back."""
        line, sure = self._require(), self._sure
        base = stream.before(at) - line.taken
        full = int(np.searchsorted(stream.number, base + line.length)) + 1
        number = stream.number[at:full] - base
        behind = stream.arrival[at:full] - (line.start + line.step * number)
        late = np.flatnonzero(behind[sure:] > stream.late[at + sure : full])
        end = number.size
        if late.size:
            end = sure + int(late[0])
            number, behind = number[:end], behind[:end]
        if not end:
            return at
        if sure:  # known to be late: they say nothing about the line
            behind = np.where(behind > stream.late[at : at + end], np.inf, behind)
        np.multiply(line.step, number - stream.count[at : at + end], out=placed[0, at : at + end])
        placed[0, at : at + end] += line.start
        placed[1, at : at + end] = line.step
        self._sure = max(sure - end, 0)
        line.note(number, behind)
        return at + end

    def _judge(self, stream: _Packets, at: int, *, last: bool) -> bool:
        """Why packet `at` is late: whether that is known by now. Jumps over a gap."""
        line = self._require()
        base = stream.before(at) - line.taken
        mark, mark_ns = np.inf, 0.0
        lateness: list[float] = []
        first = float(stream.arrival[at])
        for i in range(at, stream.arrival.size):
            arrival = float(stream.arrival[i])
            behind = arrival - (line.start + line.step * float(stream.number[i] - base))
            self._sure = i - at + 1
            if behind <= stream.late[i]:
                return True
            lateness.append(behind)
            if behind < mark - _CATCHES_UP_NS:
                mark, mark_ns = behind, arrival
            settled = self._sure >= FEW_PACKETS and arrival - mark_ns >= SETTLE_NS
            if settled or arrival - first >= LONGEST_HOLD_NS:
                self._jump(stream, at, lateness)
                return True
        if last:
            self._jump(stream, at, lateness)
        else:
            self._sure = 0
        return last

    def _jump(self, stream: _Packets, at: int, lateness: Sequence[float]) -> None:
        """Samples are missing before packet `at`; where none from some packet on is as early, another gap is there."""
        behind = np.minimum.accumulate(np.array(lateness)[::-1])[::-1]
        least = float(behind[0])
        again = behind > least + stream.late[at : at + behind.size]
        self._sure = int(again.argmax()) if again.any() else behind.size
        self._require().jump(self._grained(least))

    def _grained(self, gap_ns: float) -> float:
        grain_ns = self.grain * self._require().period
        if not grain_ns or gap_ns > _GRAINED_NS:
            return gap_ns
        return round(gap_ns / grain_ns) * grain_ns

    def _require(self) -> _Line:
        if self._line is None:
            raise ValueError("the line has no first packet yet")
        return self._line
