"""Movesense GSP notifications -> whole frames of one subscription, however they were split. No clock.

A notification is a byte for what it is, the client's reference, and a part of a payload. A payload longer than
the firmware's limit comes in two or three parts. How long it is follows from path and rate; a payload of another
length is taken once the next one begins, if it holds whole samples. Nothing relies on where the cut is.

Source: see `drivers.devices.movesense`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from analysis.samples import Modality
from drivers.packets import PacketBatch
from drivers.protocols.packet_columns import IntArray, gathered

RESULT, FIRST, SECOND, THIRD = 1, 2, 3, 4
"""What a notification is: byte 0."""
HEADER_BYTES, STAMP_BYTES = 2, 4
PACKETS_HZ = 13
"""The sensor sends so many payloads a second, whatever the rate (at 26 and from 208 Hz on: inferred)."""
_ARRAYS = {
    "acc": (Modality.ACC,),
    "gyro": (Modality.GYR,),
    "magn": (Modality.MAG,),
    "imu6": (Modality.ACC, Modality.GYR),
    "imu6m": (Modality.ACC, Modality.MAG),
    "imu9": (Modality.ACC, Modality.GYR, Modality.MAG),
}
_ROW_BYTES = 12
_LONGEST_BYTES = 8192
_STALE_NS = 1_000_000_000
"""A part that comes so long after the first one belongs to another payload: the link broke in between."""
_NO_FIRST = "a further part without a first"

Octets = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Layout:
    """What a subscription's payloads hold: a time stamp, then one array of x y z a modality.

    Attributes:
        arrays: the modalities, in order.
        rate_hz: of the path.
    """

    arrays: tuple[Modality, ...]
    rate_hz: float

    @property
    def sample_bytes(self) -> int:
        """Bytes of one sample of all modalities."""
        return _ROW_BYTES * len(self.arrays)

    @property
    def usual_bytes(self) -> int:
        """Length of a payload at this rate."""
        return STAMP_BYTES + max(1, round(self.rate_hz / PACKETS_HZ)) * self.sample_bytes

    def is_whole(self, size: int) -> bool:
        """Whether so many bytes are a stamp and whole samples."""
        return size > STAMP_BYTES and (size - STAMP_BYTES) % self.sample_bytes == 0


def layout_of(path: str, rate_hz: float | None) -> Layout | None:
    """Layout of a path such as `/Meas/IMU6/104`, None where it is not motion or its rate is not known.

    Args:
        path: as subscribed; case does not matter.
        rate_hz: where the path states none.
    """
    found = re.fullmatch(r"/?meas/(\w+)(?:/(\d{1,5}))?/?", path.strip().lower())
    if found is None or found[1] not in _ARRAYS:
        return None
    rate = float(found[2]) if found[2] else rate_hz
    return Layout(_ARRAYS[found[1]], rate) if rate else None


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Data notifications of one reference, as columns in the order received.

    Attributes:
        batch: the packets.
        packet: (n,) places within it.
        kind: (n,) FIRST, SECOND or THIRD.
        now_ns: (n,) device time; of first parts only, 0 for the others.
    """

    batch: PacketBatch
    packet: IntArray
    kind: IntArray
    now_ns: IntArray

    @property
    def first(self) -> IntArray:
        """(n,) byte of the batch at which each part's payload begins."""
        begin: IntArray = self.batch.ends[self.packet] + HEADER_BYTES
        return begin

    @property
    def size(self) -> IntArray:
        """(n,) payload bytes of each."""
        sizes: IntArray = self.batch.ends[self.packet + 1] - self.first
        return sizes


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Whole payloads of one length.

    Attributes:
        octets: (n, length) bytes.
        now_ns: (n,) device time of the first sample of each.
        packet: (n,) the packet that completed each; -1 where only the next one showed that it was complete.
        since: (n,) the packet at which each was known to be complete; -1 where none came any more.
        arrival_ns: (n,) host time of the last part of each.
    """

    octets: Octets
    now_ns: IntArray
    packet: IntArray
    since: IntArray
    arrival_ns: IntArray


@dataclass(slots=True)
class Assembly:
    """Puts one subscription's parts together; remembers what is not complete yet."""

    layout: Layout
    _body: bytes = b""
    _is_open: bool = False
    _now_ns: int = 0
    _arrival_ns: int = 0
    _last_arrival_ns: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    """Refused parts of the batch that was taken last: place and reason."""

    def take(self, parts: Parts) -> Iterator[Frames]:
        """Whole payloads, in order; runs of a usual kind at once."""
        self.faults = []
        starts = np.flatnonzero(parts.kind == FIRST)
        first_start = int(starts[0]) if starts.size else parts.kind.size
        for at in range(first_start):
            yield from self._take_one(parts, at)
        if not starts.size:
            return
        ends = np.append(starts[1:], parts.kind.size)
        usual = self._usual(parts, starts, ends - starts)
        self._refuse_extra(parts, starts, usual)
        kept = ~self._is_lost(parts, starts, ends - starts, usual)
        starts, ends, usual = starts[kept], ends[kept], usual[kept]
        for run in np.split(np.arange(starts.size), np.flatnonzero(np.diff(usual)) + 1):
            begin = starts[run]
            if not usual[run[0]]:
                for at in range(int(begin[0]), int(ends[run[-1]])):
                    yield from self._take_one(parts, at)
                continue
            yield from self._close(int(parts.packet[begin[0]]))
            if usual[run[0]] < 0:
                yield _singles(parts, begin, self.layout.usual_bytes)
            else:
                yield _pairs(parts, begin, int(usual[run[0]]), self.layout.usual_bytes)

    def finish(self) -> Iterator[Frames]:
        """What was held back because more parts might have come."""
        yield from self._close(-1)

    def _usual(self, parts: Parts, starts: IntArray, count: IntArray) -> IntArray:
        """(n,) for each first part: -1 whole by itself, size of the first of two parts, 0 anything else."""
        size, whole = parts.size, self.layout.usual_bytes
        own = size[starts]
        second = np.minimum(starts + 1, size.size - 1)
        arrival_ns = parts.batch.arrival_ns[parts.packet]
        waited = arrival_ns[second] - arrival_ns[starts]
        paired = (count > 1) & (parts.kind[second] == SECOND) & (own + size[second] == whole)
        paired &= (own < whole) & (waited <= _STALE_NS)
        kinds: IntArray = np.where(own == whole, -1, np.where(paired, own, 0))
        return kinds

    def _refuse_extra(self, parts: Parts, starts: IntArray, usual: IntArray) -> None:
        """Further parts behind a payload that is complete: the first part of theirs was lost."""
        group = np.cumsum(parts.kind == FIRST) - 1
        place = np.arange(group.size) - starts[group]
        extra = (group >= 0) & (usual[group] != 0) & (place >= np.where(usual[group] < 0, 1, 2))
        self.faults.extend((int(i), _NO_FIRST) for i in parts.packet[extra])

    def _is_lost(self, parts: Parts, starts: IntArray, count: IntArray, usual: IntArray) -> npt.NDArray[np.bool_]:
        """(n,) whether nothing will come of a first part: the next one follows, and it holds no whole samples."""
        body = parts.size[starts] - STAMP_BYTES
        lost: npt.NDArray[np.bool_] = (usual == 0) & (count == 1) & (body % self.layout.sample_bytes != 0)
        lost[[0, -1]] = False  # the first may close what is open, the last may still be continued
        return lost

    def _take_one(self, parts: Parts, at: int) -> Iterator[Frames]:
        packet = int(parts.packet[at])
        payload = parts.batch.data[int(parts.first[at]) : int(parts.batch.ends[packet + 1])]
        arrival_ns = int(parts.batch.arrival_ns[packet])
        if parts.kind[at] == FIRST:
            yield from self._close(packet)
            self._body, self._is_open = payload, True
            self._now_ns, self._arrival_ns = int(parts.now_ns[at]), arrival_ns
        elif not self._is_open:
            self.faults.append((packet, _NO_FIRST))
            return
        elif arrival_ns - self._arrival_ns > _STALE_NS or len(self._body) + len(payload) > _LONGEST_BYTES:
            self._is_open = False
            self.faults.append((packet, "a further part that belongs to no first"))
            return
        else:
            self._body += payload
        self._last_arrival_ns = arrival_ns
        if len(self._body) == self.layout.usual_bytes:
            self._is_open = False
            yield self._frame(packet, packet)

    def _close(self, since: int) -> Iterator[Frames]:
        """The next payload begins: one of another length than usual is complete, or has lost a part."""
        if self._is_open and self.layout.is_whole(len(self._body)):
            yield self._frame(-1, since)
        self._is_open = False

    def _frame(self, packet: int, since: int) -> Frames:
        octets = np.frombuffer(self._body, np.uint8).reshape(1, -1)
        columns = (np.array([number]) for number in (self._now_ns, packet, since, self._last_arrival_ns))
        return Frames(octets, *columns)


def _singles(parts: Parts, begin: IntArray, length: int) -> Frames:
    packet = parts.packet[begin]
    octets = gathered(parts.batch.data, parts.first[begin], length)
    return Frames(octets, parts.now_ns[begin], packet, packet, parts.batch.arrival_ns[packet])


def _pairs(parts: Parts, begin: IntArray, cut: int, length: int) -> Frames:
    data, first = parts.batch.data, parts.first
    head, tail = gathered(data, first[begin], cut), gathered(data, first[begin + 1], length - cut)
    packet = parts.packet[begin + 1]
    octets = np.concatenate([head, tail], axis=1)
    return Frames(octets, parts.now_ns[begin], packet, packet, parts.batch.arrival_ns[packet])
