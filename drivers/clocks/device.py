"""Device clock -> session seconds, for frames stamped at their last sample. Knows no device.

Three steps, each of which gives the same numbers however the stream is cut: `FrameOrder` refuses repeated
and late frames and bridges clock jumps; `FramePlacer` spreads each frame's samples over the time since the
frame before, or, where a notification was lost, backward from its stamp; `SessionZero` is the one zero that
all streams of a sensor share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray

IntArray = npt.NDArray[np.int64]

CLOSEST_NS = 100_000
"""Samples closer together than this (10 kHz) come from a clock that was set back, not from a sensor."""
LATE_NS = 10_000_000_000
"""A frame older than its predecessor by less is late; by more, the device's clock was set back."""
LONGEST_GAP_NS = 24 * 3600 * 1_000_000_000
"""A step forward that exceeds the host's by more is a clock that was set, not a gap."""
HIGHEST_STAMP_NS = 1 << 62
"""146 years after the epoch: beyond it a stamp is nonsense, and sums could leave int64."""
_LONGEST_BRIDGE_NS = 7 * LONGEST_GAP_NS
_REMEMBERED = 16

DUPLICATE = "duplicate"
OUT_OF_ORDER = "out of order"
TOO_CLOSE = "time stamp too close to the frame before"


@dataclass(slots=True)
class SessionZero:
    """The clock that all streams of one sensor share.

    Attributes:
        offset_ns: added to device stamps; changes where the device's clock was set.
        base_ns: shifted stamp of the session's first frame, None before it.
        arrival_ns: host clock when that frame arrived.
        zero_ns: the session's first sample, relative to base_ns; None until its frame has been placed.
    """

    offset_ns: int = 0
    base_ns: int | None = None
    arrival_ns: int = 0
    zero_ns: float | None = None

    def seconds(self, relative_ns: FloatArray) -> FloatArray:
        """Session seconds of instants relative to base_ns."""
        if self.zero_ns is None:
            raise ValueError("the session has no first sample yet")
        return (relative_ns - self.zero_ns) / 1e9


@dataclass(slots=True)
class FrameOrder:
    """Which frames of one stream are taken, and their stamps on a clock without jumps."""

    zero: SessionZero
    offset_ns: int = 0
    last_ns: int | None = None
    _last_arrival_ns: int = 0
    _last_step_ns: float = 20e6
    _seen: int = -1
    _recent: list[int] = field(default_factory=list)

    def may_jump(self, stamp: IntArray) -> bool:
        """Whether any of these frames might show a clock that was set: they must then be taken singly."""
        if not stamp.size:
            return False
        moved = stamp + self.offset_ns
        last = int(moved[0]) if self.last_ns is None else self.last_ns
        before = np.maximum.accumulate(np.concatenate([[last], moved[:-1]]))
        longest = int(moved.max()) - last
        return bool((moved - before).min() <= -LATE_NS or longest >= LONGEST_GAP_NS - LATE_NS)

    def accept(
        self, stamp: IntArray, count: IntArray, arrival: IntArray
    ) -> tuple[npt.NDArray[np.bool_], IntArray, list[tuple[int, str]]]:
        """Judge frames in the order received.

        Args:
            stamp: (n,) device nanoseconds of each frame's last sample, 0 <= stamp < HIGHEST_STAMP_NS.
            count: (n,) samples of each frame, at least 1.
            arrival: (n,) host nanoseconds.

        Returns:
            (n,) taken; (n,) stamps without jumps (meaningful where taken); refused frames with their reason.
        """
        taken = np.ones(stamp.size, bool)
        taken[1:] = stamp[1:] != stamp[:-1]
        taken[0] = int(stamp[0]) != self._seen
        self._seen = int(stamp[-1])
        refused = [(int(i), DUPLICATE) for i in np.flatnonzero(~taken)]
        left = np.flatnonzero(taken)
        moved = np.zeros(stamp.size, np.int64)
        while left.size:
            sound = self._sound(stamp[left], count[left])
            run = left[:sound]
            moved[run] = stamp[run] + self.offset_ns
            self._remember(stamp[run], moved[run], count[run], arrival[run])
            if sound == left.size:
                break
            odd = left[sound]
            left = left[sound + 1 :]
            reason = self._judge(int(stamp[odd]), int(count[odd]), int(arrival[odd]))
            if reason:
                taken[odd] = False
                refused.append((int(odd), reason))
            else:
                one = np.array([odd])
                moved[one] = stamp[one] + self.offset_ns
                self._remember(stamp[one], moved[one], count[one], arrival[one])
        return taken, moved, sorted(refused)

    def _sound(self, stamp: IntArray, count: IntArray) -> int:
        """How many of these frames, from the first on, follow each other without anything odd."""
        if self.last_ns is None:
            self.offset_ns = self.zero.offset_ns
            first = int(stamp[0]) + self.offset_ns - int(count[0]) * CLOSEST_NS
        else:
            first = self.last_ns
        step = np.diff(stamp + self.offset_ns, prepend=np.int64(first))
        odd = np.flatnonzero((step < count * CLOSEST_NS) | (step > LONGEST_GAP_NS))
        return int(odd[0]) if odd.size else stamp.size

    def _remember(self, stamp: IntArray, moved: IntArray, count: IntArray, arrival: IntArray) -> None:
        if not stamp.size:
            return
        before = int(moved[-2]) if moved.size > 1 else self.last_ns
        self.last_ns = int(moved[-1])
        if before is not None:
            self._last_step_ns = (self.last_ns - before) / int(count[-1])
        self._last_arrival_ns = int(arrival[-1])
        self._recent = [*self._recent, *stamp[-_REMEMBERED:].tolist()][-_REMEMBERED:]
        if self.zero.base_ns is None:
            self.zero.base_ns = int(moved[0])
            self.zero.arrival_ns = int(arrival[0])

    def _judge(self, stamp: int, count: int, arrival: int) -> str | None:
        """Why an odd frame is refused; None where it is taken, the clock bridged if it was set."""
        last = self.last_ns or 0
        step = stamp + self.offset_ns - last
        if -LATE_NS < step < count * CLOSEST_NS:
            if stamp in self._recent:
                return DUPLICATE
            return OUT_OF_ORDER if step <= 0 else TOO_CLOSE
        # Another stream of this sensor may have met the same jump before.
        if count * CLOSEST_NS <= stamp + self.zero.offset_ns - last <= LONGEST_GAP_NS:
            self.offset_ns = self.zero.offset_ns
            return None
        waited = min(max(arrival - self._last_arrival_ns, 0), _LONGEST_BRIDGE_NS)
        if 0 < step <= waited + LONGEST_GAP_NS:
            return None
        usual = min(max(self._last_step_ns, CLOSEST_NS), 1e9)
        self.offset_ns = last + max(waited, int(count * usual) + 1) - stamp
        self.zero.offset_ns = self.offset_ns
        return None


_WINDOW = 7


@dataclass(slots=True)
class FramePlacer:
    """Times of the samples within frames whose stamp is that of the last sample.

    Normally a frame's samples are spread evenly since the frame before (the official rule). Where the time
    since then exceeds what its samples take at the tracked rate, a notification was lost in between: the
    samples are placed backward from the stamp, and a gap is left. The tracked rate comes from the steps of
    the last seven frames: the median of those near the nominal rate, or, where there are none, the lower
    quartile of all, because a lost frame only ever lengthens a step.

    Source: the even spread is Polar's (TimeSystemExplained.md); the rule for a lost frame is ours [I], because
    the official one stretches a frame over the gap (polar-ble-sdk issue 775). Its threshold follows the frame's
    own size (half a sample and a tenth of the frame), because frames differ in size sixfold.
    """

    nominal_ns: float | None = None
    _last: int | None = None
    _steps: list[float] = field(default_factory=list)

    @property
    def has_rate(self) -> bool:
        """Whether a single frame can be placed."""
        return self.nominal_ns is not None or self._last is not None

    def place(self, end: IntArray, count: IntArray, usual_ns: float) -> tuple[FloatArray, FloatArray]:
        """Start and step of each frame: its sample i (from 1) is at start + i * step.

        Args:
            end: (n,) nanoseconds of the last samples, relative to any fixed instant, increasing.
            count: (n,) samples of each.
            usual_ns: step of a lone first frame of unknown rate.
        """
        if not end.size:
            return np.zeros(0), np.zeros(0)
        if self._last is None:
            return self._place_first(end, count, usual_ns)
        step_ns = np.diff(end, prepend=np.int64(self._last))
        start, step = (end - step_ns).astype(np.float64), step_ns / count
        past = np.concatenate([self._steps, step])
        self._last, self._steps = int(end[-1]), past[-_WINDOW:].tolist()
        shortest = past[: end.size].copy()
        for back in range(1, _WINDOW):
            np.minimum(shortest, past[back : back + end.size], out=shortest)
        for i in np.flatnonzero(_is_gap(step_ns, count, shortest)):
            tracked = self._tracked(past[i : i + _WINDOW])
            if _is_gap(step_ns[i], count[i], tracked):
                start[i], step[i] = end[i] - count[i] * tracked, tracked
        return start, step

    def _place_first(self, end: IntArray, count: IntArray, usual_ns: float) -> tuple[FloatArray, FloatArray]:
        first = self.nominal_ns
        if first is None:
            first = float(end[1] - end[0]) / float(count[1]) if end.size > 1 else usual_ns
        # A stated rate is worth a window of steps; a single measured one may hide a loss and counts once.
        unknown = [first] if self.nominal_ns is not None else [np.inf]
        self._last, self._steps = int(end[0]), [*unknown * (_WINDOW - 1), first]
        start, step = self.place(end[1:], count[1:], usual_ns)
        return (
            np.concatenate([[float(end[0]) - float(count[0]) * first], start]),
            np.concatenate([[first], step]),
        )

    def _tracked(self, steps: FloatArray) -> float:
        steps = np.sort(steps[np.isfinite(steps)])
        if self.nominal_ns is not None:
            near = steps[np.abs(steps / self.nominal_ns - 1) < 0.1]
            if near.size:
                return float(near[(near.size - 1) // 2])
        return float(steps[(steps.size - 1) // 4])


def _is_gap(step_ns: npt.ArrayLike, count: npt.ArrayLike, tracked: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    size, period = np.asarray(count, np.float64), np.asarray(tracked, np.float64)
    return np.asarray(np.asarray(step_ns) - size * period > (0.5 + 0.1 * size) * period)


def spread(start: FloatArray, step: FloatArray, count: IntArray, place: IntArray) -> FloatArray:
    """(sum of count,) time of each sample; `place` is its place within its frame, from 0."""
    return np.repeat(start, count) + np.repeat(step, count) * (place + 1)


def nominal_rate_hz(stated: object, allowed: Sequence[float] = ()) -> float | None:
    """A rate out of settings, None where it is no usable number or the measurement cannot run at it."""
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not 0.01 <= stated <= 10_000:
        return None
    return float(stated) if not allowed or stated in allowed else None
