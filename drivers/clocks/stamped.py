"""Streams whose packets carry the device's time of their last sample and no counter, on their way to blocks.

A packet's samples are spread over the time since the packet before, or, where one was lost, backward from their own
stamp: see `drivers.clocks.device.FramePlacer`. Knows no device.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray
from drivers.clocks.arrival import IntArray
from drivers.clocks.arrival_streams import Rows, sample_times
from drivers.clocks.counted import StampOrder
from drivers.clocks.device import FramePlacer

_USUAL_NS = 1e7
"""Sample period of a stream of one single packet, whose rate nobody stated."""


class StampedStream:
    """One stream: stamped packets in, samples with their device times out, in order."""

    def __init__(self, rate_hz: float | None) -> None:
        """A stream that nothing has come from yet.

        Args:
            rate_hz: nominal rate, None where nobody states it: its first packet then waits for the second.
        """
        self._order = StampOrder()
        self._placer = FramePlacer(1e9 / rate_hz if rate_hz else None)
        self._end: list[IntArray] = []
        self._count: list[IntArray] = []
        self._rows: list[Rows] = []
        self._held = 0

    def accept(self, end_ns: IntArray) -> tuple[npt.NDArray[np.bool_], list[tuple[int, str]]]:
        """Which packets are newer than all before them; the others, with the reason.

        Args:
            end_ns: (n,) device time of each packet's last sample, without wraps, in the order received.
        """
        return self._order.accept(end_ns)

    def take(self, end_ns: IntArray, count: IntArray, rows: Rows, *, last: bool = False) -> tuple[FloatArray, Rows]:
        """Takes accepted packets; (n,) device nanoseconds and (n, columns) of the samples whose time is known by now.

        Args:
            end_ns: (k,) device time of each last sample, increasing.
            count: (k,) samples of each packet, at least 1.
            rows: (sum of count, columns).
            last: no more packets will come.
        """
        if end_ns.size:
            self._end.append(end_ns)
            self._count.append(count)
            self._rows.append(rows)
            self._held += end_ns.size
        if not self._held or not (self._placer.has_rate or self._held > 1 or last):
            return np.zeros(0), rows[:0]
        end, counts, held = (_whole(parts) for parts in (self._end, self._count, self._rows))
        self._end, self._count, self._rows, self._held = [], [], [], 0
        return sample_times(*self._placer.place(end, counts, _USUAL_NS), counts), held


def _whole(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
