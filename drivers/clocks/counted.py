"""Time of samples whose device has a clock that wraps, and perhaps counts them. Knows no device.

`WrappingClock` makes one clock without wraps and jumps out of the stamps of all packets of a sensor, in the
order received; a wrap is told from a gap, and a restart from both, by the host's arrivals, which need to be
right to seconds only. `StampOrder` refuses what is not newer than all before it. `CountedPlacer` spreads each
packet's samples over the time since the packet before; the counter says how many samples are missing in
between.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray
from drivers.clocks.device import DUPLICATE, OUT_OF_ORDER

IntArray = npt.NDArray[np.int64]

_RESTART_NS = 10_000_000_000
"""A clock that differs from the host's by more since the packet before was restarted. No radio holds packets
back for so long."""
_SHORTEST_RUN_NS = 500_000_000
"""A clock that ran back by more, to a stamp no older than the wait for it, was restarted, too. Whoever streams has run
for longer; a packet that comes out of order just after a wrap has not run back so far."""
_LONGEST_WAIT_NS = 7 * 24 * 3600 * 1_000_000_000
_FURTHEST_NS = 1 << 61
_COUNTER = 1 << 16
_ODD_STEP = 0.2
"""A sample period further than this from the usual one means that the counter does not tell: restarted."""
_REMEMBERED = 16


@dataclass(slots=True)
class WrappingClock:
    """Device stamps -> nanoseconds since its first packet.

    Attributes:
        tick_ns: what the device counts in: microseconds unless stated.
        wrap: ticks after which it begins anew; at least a minute of them.
    """

    tick_ns: float = 1000
    wrap: int = 1 << 32
    _stamp: int | None = None
    _arrival: int = 0
    _now: int = 0
    _restarted: bool = False

    def restart(self) -> None:
        """The device says that it restarted: its next stamp follows the last by the host's clock."""
        self._restarted = True

    def unwrapped_ns(self, stamp: IntArray, arrival_ns: IntArray) -> IntArray:
        """(n,) nanoseconds of these stamps (ticks modulo `wrap`), in the order received."""
        if not stamp.size:
            return stamp
        arrival = self._ticks(np.clip(arrival_ns, -_FURTHEST_NS, _FURTHEST_NS))
        if self._stamp is None:
            self._stamp, self._arrival, self._restarted = int(stamp[0]), int(arrival[0]), False
        longest = int(_LONGEST_WAIT_NS // self.tick_ns)
        waited = np.diff(arrival, prepend=np.int64(self._arrival)).clip(-longest, longest)
        half = self.wrap // 2
        drift = (np.diff(stamp, prepend=np.int64(self._stamp)) - waited + half) % self.wrap - half
        step = waited + drift
        jumped = np.abs(drift) > _RESTART_NS // self.tick_ns
        jumped |= (step < -_SHORTEST_RUN_NS // self.tick_ns) & (stamp <= waited)
        jumped[0] |= self._restarted
        step[jumped] = np.maximum(waited[jumped], 1)
        now = self._now + np.cumsum(step)
        self._stamp, self._arrival = int(stamp[-1]), int(arrival[-1])
        self._now, self._restarted = int(now[-1]), False
        furthest = int(_FURTHEST_NS // self.tick_ns)
        bounded: IntArray | FloatArray = np.clip(now, -furthest, furthest) * self.tick_ns
        return bounded.astype(np.int64) if bounded.dtype.kind == "i" else np.rint(bounded).astype(np.int64)

    def _ticks(self, arrival_ns: IntArray) -> IntArray:
        if isinstance(self.tick_ns, int):
            return arrival_ns // self.tick_ns
        # Ten times as fast as `//`, and a tick more or less does not matter to a host's arrival.
        return np.floor(arrival_ns / self.tick_ns).astype(np.int64)


@dataclass(slots=True)
class StampOrder:
    """Which packets of one stream are taken: those newer than all before them."""

    _last_ns: int | None = None
    _recent: list[int] = field(default_factory=list)

    def accept(self, stamp_ns: IntArray) -> tuple[npt.NDArray[np.bool_], list[tuple[int, str]]]:
        """(n,) taken; the others, with the reason.

        Args:
            stamp_ns: (n,) time of each packet on a clock without wraps, in the order received.
        """
        if not stamp_ns.size:
            return np.zeros(0, bool), []
        last = np.int64(self._last_ns if self._last_ns is not None else -_FURTHEST_NS * 2)
        before = np.maximum.accumulate(np.concatenate([[last], stamp_ns[:-1]]))
        taken = stamp_ns > before
        if taken.all():
            self._last_ns, self._recent = int(stamp_ns[-1]), [*self._recent, *stamp_ns[-_REMEMBERED:].tolist()]
            self._recent = self._recent[-_REMEMBERED:]
            return taken, []
        known = np.concatenate([np.array(self._recent, np.int64), stamp_ns[taken]])
        upto = len(self._recent) + np.cumsum(taken)
        refused = []
        for i in np.flatnonzero(~taken).tolist():
            seen = known[max(0, int(upto[i]) - _REMEMBERED) : int(upto[i])]
            refused.append((i, DUPLICATE if int(stamp_ns[i]) in seen else OUT_OF_ORDER))
        if taken.any():
            self._last_ns, self._recent = int(known[-1]), known[-_REMEMBERED:].tolist()
        return taken, refused


@dataclass(slots=True)
class CountedPlacer:
    """Places the packets of one stream.

    Attributes:
        period_ns: usual sample period; None until it is stated or measured.
    """

    period_ns: float | None = None
    _last_ns: int | None = None
    _next: int | None = None
    _step_ns: float | None = None
    _order: StampOrder = field(default_factory=StampOrder)

    def begin(self, period_ns: float | None) -> None:
        """The stream was started: counter anew, perhaps another rate."""
        self._next = None
        if period_ns is not None:
            self.period_ns, self._step_ns = period_ns, None

    def accept(self, end_ns: IntArray) -> tuple[npt.NDArray[np.bool_], list[tuple[int, str]]]:
        """Which packets are newer than all before them; the others, with the reason.

        Args:
            end_ns: (n,) time of each packet's last sample, in the order received.
        """
        return self._order.accept(end_ns)

    def place(self, end_ns: IntArray, count: IntArray, counter: IntArray) -> tuple[FloatArray, FloatArray]:
        """Start and step of accepted packets: sample i (from 1) is at start + i x step.

        Args:
            end_ns: (n,) increasing.
            count: (n,) samples of each, at least 1.
            counter: (n,) number of each packet's first sample, modulo 65536.
        """
        if not end_ns.size:
            return np.zeros(0), np.zeros(0)
        if self._last_ns is None:
            return self._place_first(end_ns, count, counter)
        elapsed = np.diff(end_ns, prepend=np.int64(self._last_ns)).astype(np.float64)
        first = int(counter[0]) if self._next is None else self._next
        due = np.concatenate([[first], (counter + count)[:-1]])
        told = (count + (counter - due) % _COUNTER).astype(np.float64)
        restarted = np.zeros(end_ns.size, bool)
        restarted[0] = self._next is None
        step = self._steps(elapsed, count, told, restarted)
        self._last_ns, self._next = int(end_ns[-1]), int(counter[-1] + count[-1])
        return end_ns - count * step, step

    def _steps(
        self, elapsed: FloatArray, count: IntArray, told: FloatArray, restarted: npt.NDArray[np.bool_]
    ) -> FloatArray:
        """Sample periods; where the counter does not tell, the last that it told."""
        usual = self.period_ns or float(elapsed[0] / told[0])
        self.period_ns = usual
        turns = np.maximum(np.rint((elapsed / usual - told) / _COUNTER), 0)
        step = elapsed / (told + turns * _COUNTER)
        sound = (np.abs(step / usual - 1) <= _ODD_STEP) & ~restarted
        filled = np.concatenate([[self._step_ns or usual], step])
        latest = np.maximum.accumulate(np.where(sound, np.arange(1, step.size + 1), 0))
        self._step_ns = float(filled[latest[-1]])
        periods: FloatArray = np.minimum(filled[latest], elapsed / count)
        return periods

    def _place_first(self, end_ns: IntArray, count: IntArray, counter: IntArray) -> tuple[FloatArray, FloatArray]:
        if self.period_ns is None:
            if end_ns.size > 1:
                told = int(count[1] + (counter[1] - counter[0] - count[0]) % _COUNTER)
                self.period_ns = float(end_ns[1] - end_ns[0]) / told
            else:
                raise ValueError("one packet of unknown rate cannot be placed")
        self._last_ns, self._next = int(end_ns[0]), int(counter[0] + count[0])
        start, step = self.place(end_ns[1:], count[1:], counter[1:])
        first = float(end_ns[0]) - float(count[0]) * self.period_ns
        return np.concatenate([[first], start]), np.concatenate([[self.period_ns], step])
