"""Running numbers of a device without a clock: what is missing before each packet. Knows no device.

A number counts packets, or samples, and wraps. The host's arrivals say whether it can be believed: what it calls
missing cannot take longer than the time that has passed. A number that does not fit is that of a repeated or a
late packet, or of a device that has restarted; then only the arrivals tell how much is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray
from drivers.clocks.device import DUPLICATE, OUT_OF_ORDER

IntArray = npt.NDArray[np.int64]

SILENT_NS = 1_000_000_000
"""After so long without a packet the link may be another one, and the device's number with it."""
_HELD_NS = 2_000_000_000
"""So long a radio may have held the packet before back. Chosen: four times the longest stall that a full send queue
of the devices known here explains."""
_RATE_ERROR = 0.1
"""A device's rate may differ from the nominal one by so much."""
_LONG_TURN_NS = 600_000_000_000
"""A number that comes round so seldom is right after any silence, unless the device has restarted."""


@dataclass(frozen=True, slots=True)
class _Taken:
    """The last packet that was taken: its number, the next one's, and when it came."""

    number: int
    due: int
    arrival_ns: int


@dataclass(slots=True)
class RunningNumber:
    """The number of one stream, in the order received.

    Attributes:
        modulus: the number wraps here.
    """

    modulus: int
    _last: _Taken | None = None

    def judge(
        self, number: IntArray, count: IntArray, arrival_ns: IntArray, unit_ns: FloatArray,
        shared: IntArray | None = None,
    ) -> tuple[npt.NDArray[np.bool_], IntArray, list[tuple[int, str]]]:  # fmt: skip
        """Which packets are new, and how much is missing just before each.

        Args:
            number: (n,) of each packet, 0 <= number < modulus.
            count: (n,) the next packet's is higher by so much; at least 1.
            arrival_ns: (n,) host nanoseconds.
            unit_ns: (n,) usual time from one number to the next.
            shared: (n,) how many numbers were passed over since the packet received just before, of whatever
                stream, where streams may share one number; the lesser loss is believed. Anything beyond the
                modulus means none was received.

        Returns:
            (n,) taken; (n,) missing numbers; refused packets with their reason.
        """
        size = number.size
        taken, missing = np.ones(size, bool), np.zeros(size, np.int64)
        refused: list[tuple[int, str]] = []
        if not size:
            return taken, missing, refused
        if self._last is None:
            self._last = _Taken(int(number[0]), int(number[0]), int(arrival_ns[0]))
        due = np.concatenate([[self._last.due], (number + count)[:-1]])
        odd = np.flatnonzero((number - due) % self.modulus)
        at = int(odd[0]) if odd.size else size
        while at < size:
            if at and taken[at - 1]:
                self._last = _Taken(int(number[at - 1]), int(number[at - 1] + count[at - 1]), int(arrival_ns[at - 1]))
            over = self.modulus if shared is None else int(shared[at])
            why, missing[at] = self._judge(int(number[at]), int(arrival_ns[at]), float(unit_ns[at]), over)
            if why:
                taken[at] = False
                refused.append((at, why))
                at += 1  # it has not been compared with its true predecessor
            else:
                border = int(np.searchsorted(odd, at, "right"))
                at = int(odd[border]) if border < odd.size else size
        if taken[-1]:
            self._last = _Taken(int(number[-1]), int(number[-1] + count[-1]), int(arrival_ns[-1]))
        return taken, missing, refused

    def _judge(self, number: int, arrival_ns: int, unit_ns: float, over: int) -> tuple[str, int]:
        """Why a packet is refused, or how much is missing before it."""
        last = self._last or _Taken(number, number, arrival_ns)
        missing = min((number - last.due) % self.modulus, over)
        waited_ns = max(arrival_ns - last.arrival_ns, 0)
        turn_ns = self.modulus * unit_ns
        if waited_ns > SILENT_NS and turn_ns < _LONG_TURN_NS:
            return "", 0
        held_ns = min(_HELD_NS, turn_ns / 4)
        if missing * unit_ns <= waited_ns * (1 + _RATE_ERROR) + held_ns:
            return "", missing
        if waited_ns > SILENT_NS:
            return "", 0
        if number == last.number:
            return DUPLICATE, 0
        back_ns = (last.due - number) % self.modulus * unit_ns
        return (OUT_OF_ORDER, 0) if back_ns <= 2 * held_ns else ("", 0)
