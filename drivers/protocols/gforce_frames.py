"""gForce data packets: parts put together, header and body told apart. Sans-IO.

A packet is [type, body], or, where packets are numbered, [type + 80, number, body] with a number of one byte or two:
the length tells. One that is longer than the link carries comes in parts [FF, index, bytes], index down to 0.

Source: oymotion/gForceSDKPython at f20dc45, oymotion/SynchroniSDKPython (certain); that the length tells the size of
the number: inferred.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from drivers.clocks.device import DUPLICATE
from drivers.decoder import Faults
from drivers.packets import PacketBatch
from drivers.protocols.gforce_session import PARTIAL

IntArray = npt.NDArray[np.int64]

HEADLESS = "part of a packet whose beginning is missing"
_NUMBERED = 0x80


@dataclass(frozen=True, slots=True)
class Packets:
    """Whole data packets, as columns.

    Attributes:
        place: (n,) in the batch, of the packet or its last part.
        arrival_ns: (n,).
        kind: (n,) type without the bit that says numbered.
        numbered: (n,) whether that bit is set.
        first: (n,) where the byte after the type lies in `data`.
        size: (n,) bytes after the type.
        data: all bytes.
    """

    place: IntArray
    arrival_ns: IntArray
    kind: IntArray
    numbered: npt.NDArray[np.bool_]
    first: IntArray
    size: IntArray
    data: bytes


@dataclass(slots=True)
class Assembly:
    """Puts parts together; what is missing of a packet costs that packet."""

    _parts: list[bytes] = field(default_factory=list)
    _due: int = -1
    _lost: bool = False
    _seen: bytes = b""

    def whole(self, batch: PacketBatch, packet: IntArray, faults: Faults) -> Packets:
        """Whole packets out of these notifications of a batch.

        Args:
            batch: notifications of any characteristics.
            packet: (n,) those of the data characteristic.
            faults: gets what is refused.
        """
        size = np.diff(batch.ends)[packet]
        faults.extend((int(i), "empty packet") for i in packet[size == 0])
        packet = packet[size > 0]
        head = np.frombuffer(batch.data, np.uint8)[batch.ends[packet]].astype(np.int64)
        is_part = head == PARTIAL
        place, first, last = packet, batch.ends[packet], batch.ends[packet + 1]
        data = batch.data
        if is_part.any():
            done = self._join(batch, packet[is_part], faults)
            ends = len(data) + np.cumsum([0, *(len(whole) for _, whole in done)])
            data += b"".join([whole for _, whole in done])
            place = np.concatenate([packet[~is_part], np.array([i for i, _ in done], np.int64)])
            first = np.concatenate([first[~is_part], ends[:-1]])
            last = np.concatenate([last[~is_part], ends[1:]])
            order = np.argsort(place, kind="stable")
            place, first, last = place[order], first[order], last[order]
        kind = np.frombuffer(data, np.uint8)[first].astype(np.int64)
        return Packets(
            place, batch.arrival_ns[place], kind & ~_NUMBERED, kind >= _NUMBERED, first + 1, last - first - 1, data
        )

    def _join(self, batch: PacketBatch, parts: IntArray, faults: Faults) -> list[tuple[int, bytes]]:
        """Place of the last part and bytes of each packet that is complete."""
        done = []
        for i in parts.tolist():
            payload = batch.data[batch.ends[i] : batch.ends[i + 1]]
            try:
                whole = self._take(payload)
            except ValueError as error:
                faults.append((i, str(error)))
                continue
            if whole:
                done.append((i, whole))
        return done

    def _take(self, payload: bytes) -> bytes:
        """The packet that this part completes; empty where more must come.

        Raises:
            ValueError: the part is refused; the text says why.
        """
        if len(payload) < 3:
            raise ValueError("truncated packet")
        if payload == self._seen:
            raise ValueError(DUPLICATE)
        self._seen = payload
        index = payload[1]
        if index != self._due:
            # An index that is higher than the one awaited begins another packet; a lower one tells of a loss.
            self._lost = index < self._due
            self._parts.clear()
        self._due = index - 1
        if self._lost:
            self._lost = index > 0
            self._parts.clear()
            raise ValueError(HEADLESS)
        self._parts.append(payload[2:])
        if index:
            return b""
        whole = b"".join(self._parts)
        self._parts.clear()
        return whole


def numbers(packets: Packets, width: IntArray) -> IntArray:
    """(n,) number of each packet, 0 where it has none.

    Args:
        packets: whole packets.
        width: (n,) bytes of each one's number, 0..2.
    """
    octets = np.frombuffer(packets.data + b"\0\0", np.uint8)
    low, high = (octets[packets.first + at].astype(np.int64) for at in (0, 1))
    found: IntArray = np.where(width > 0, low, 0) + np.where(width > 1, high << 8, 0)
    return found
