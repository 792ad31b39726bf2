"""BITalino frames out of a stream of bytes that may be cut anywhere: CRC-4, alignment, channels. Sans-IO.

A frame is read from its end: sequence (4 bits) and CRC (4 bits), digital ports (4 bits), then the channels. The CRC is
of four bits, so it agrees by chance once in sixteen: a frame is taken where its sequence is the next one, or where
the frame behind it agrees too. Otherwise one byte is skipped.

Source: BITalinoWorld/revolution-python-api at 7128b3b, firmware-bitalino-revolution at 1097047 (certain). The rule of
two frames is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from drivers.packets import PacketBatch

IntArray = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]

FRAME_BYTES = {1: 3, 2: 4, 3: 6, 4: 7, 5: 8, 6: 8}
"""Active analog channels -> bytes of a frame."""
STALE_NS = 3_000_000_000
"""What a frame still lacks does not come after this: the link ended within it. The slowest rate is 1 Hz."""
_POLYNOMIAL = 0b10011


def crc4(data: bytes) -> int:
    """Remainder of these bytes divided by x^4 + x + 1, the first bit first."""
    left = 0
    for byte in data:
        for bit in range(7, -1, -1):
            left = left << 1 | byte >> bit & 1
            if left & 0x10:
                left ^= _POLYNOMIAL
    return left


def _tables(size: int) -> npt.NDArray[np.uint8]:
    """(size, 256) what each byte at each place of a frame adds to its remainder, the CRC's own nibble left out."""
    made = np.zeros((size, 256), np.uint8)
    for place in range(size):
        for byte in range(256):
            counted = byte & 0xF0 if place == size - 1 else byte
            made[place, byte] = crc4(bytes((counted,)) + bytes(size - 1 - place))
    return made


@dataclass(frozen=True, slots=True)
class Found:
    """Frames, in order.

    Attributes:
        octets: (n, size) their bytes.
        arrival_ns: (n,) of the notification that brought each one's last byte.
        begins: (n,) whether the link was silent, or nothing was known, before it.
    """

    octets: Octets
    arrival_ns: IntArray
    begins: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Stream:
    """Bytes that are searched: those left over, then those of new notifications.

    Attributes:
        octets: (n,) the bytes.
        ends: (k,) where each notification ends; of the bytes left over each stands for one.
        arrival_ns: (k,) of each notification.
        place: (k,) of each in its batch, -1 for what was left over.
    """

    octets: Octets
    ends: IntArray
    arrival_ns: IntArray
    place: IntArray

    def bringer(self, byte: IntArray) -> IntArray:
        """(n,) which notification brought each of these bytes."""
        return np.searchsorted(self.ends, byte, "right").astype(np.int64)


_NO_BYTES, _NO_TIMES = np.zeros(0, np.uint8), np.zeros(0, np.int64)
_SWEEP = 4096
"""So many positions are looked at together."""


@dataclass(slots=True)
class Alignment:
    """Where the next frame begins; any cutting of the stream gives the same frames.

    Attributes:
        size: bytes of a frame.
    """

    size: int
    _rest: Octets = field(default_factory=lambda: _NO_BYTES)
    _rest_ns: IntArray = field(default_factory=lambda: _NO_TIMES)
    _due: int | None = None
    _heard_ns: int | None = None
    _is_new: bool = True
    _table: npt.NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        self._table = _tables(self.size)

    def feed(self, batch: PacketBatch, packet: IntArray) -> tuple[Found, list[int]]:
        """Frames that these notifications complete, and the places of those that only made bytes be skipped.

        Args:
            batch: notifications of any characteristics.
            packet: (n,) those that hold frames, none empty.
        """
        parts: list[Found] = []
        useless: list[int] = []
        for run, is_late in self._runs(batch, packet):
            freed = self._flush() if is_late else []
            found, skipped, useful = self._search(self._stream(batch, run))
            # What a silence set free was decided by the notification that ended it.
            useful |= {int(run[0])} if freed else set()
            parts += [*freed, *found]
            useless += sorted(skipped - useful)
        return self._joined(parts), useless

    def finish(self) -> Found:
        """The last frame, which no other has confirmed."""
        return self._joined(self._flush())

    def _runs(self, batch: PacketBatch, packet: IntArray) -> list[tuple[IntArray, bool]]:
        """Notifications between which the link was never silent for long, and whether it was before each run."""
        times = batch.arrival_ns[packet].tolist()
        if not times:
            return []
        before = [times[0] if self._heard_ns is None else self._heard_ns, *times[:-1]]
        self._heard_ns = times[-1]
        late = [i for i, (now, then) in enumerate(zip(times, before, strict=True)) if abs(now - then) > STALE_NS]
        borders = [0, *(i for i in late if i), len(times)]
        return [(packet[first:last], first in late) for first, last in pairwise(borders)]

    def _stream(self, batch: PacketBatch, packet: IntArray) -> _Stream:
        size, left = np.diff(batch.ends)[packet], self._rest.size
        data = b"".join([batch.data[batch.ends[i] : batch.ends[i + 1]] for i in packet.tolist()])
        return _Stream(
            np.concatenate([self._rest, np.frombuffer(data, np.uint8)]),
            np.concatenate([np.arange(1, left + 1), left + np.cumsum(size)]),
            np.concatenate([self._rest_ns, batch.arrival_ns[packet]]),
            np.concatenate([np.full(left, -1), packet]),
        )

    def _search(self, stream: _Stream) -> tuple[list[Found], set[int], set[int]]:
        """Frames; places of the notifications that made bytes be skipped, and of those that brought frames."""
        found: list[Found] = []
        skipped: set[int] = set()
        useful: set[int] = set()
        at, last, latest = 0, stream.octets.size - self.size, 0
        while at <= last:
            run = self._due_run(stream.octets, at, last)
            if run:
                ends = np.maximum(at + self.size * np.arange(1, run + 1) - 1, latest)
                found.append(self._taken(stream, at, run))
                useful |= _places(stream, ends)
                at += run * self.size
                continue
            step, decided, is_sure = self._seek(stream.octets, at, last)
            if step:
                # What waited behind an undecided byte was decided with it.
                decided = np.maximum(np.maximum.accumulate(decided), latest)
                latest = int(decided[-1])
                skipped |= _places(stream, decided)
                self._due = None
            at += step
            if is_sure is None:
                break
            if is_sure:
                found.append(self._taken(stream, at, 1))
                latest = max(latest, at + 2 * self.size - 1)
                useful |= _places(stream, np.array([latest]))
                at += self.size
        bringer = stream.bringer(np.arange(at, stream.octets.size))
        self._rest, self._rest_ns = stream.octets[at:].copy(), stream.arrival_ns[bringer]
        return found, skipped, useful

    def _due_run(self, octets: Octets, at: int, last: int) -> int:
        """How many frames follow from here whose sequence is the one that is due."""
        if self._due is None:
            return 0
        agrees, sequence = self._looked(octets, at, self.size, min((last - at) // self.size + 1, _SWEEP))
        good = agrees & (sequence == (self._due + np.arange(agrees.size)) % 16)
        return agrees.size if good.all() else int(good.argmin())

    def _seek(self, octets: Octets, at: int, last: int) -> tuple[int, IntArray, bool | None]:
        """Bytes to skip to the next frame that another confirms; which byte decided each; whether it is there.

        The third is True at a confirmed frame, None at one whose successor must be awaited, False where there is none
        within reach.
        """
        size = self.size
        agrees, sequence = self._looked(octets, at, 1, min(last - at + 1, _SWEEP + size))
        seen = min(last - at + 1, _SWEEP)
        behind = np.arange(seen) + size
        known = behind < agrees.size
        follows = np.minimum(behind, agrees.size - 1)
        confirmed = known & agrees[follows] & (sequence[follows] == (sequence[:seen] + 1) % 16)
        hopeful = agrees[:seen] & (confirmed | ~known)
        step = int(hopeful.argmax()) if hopeful.any() else seen
        passed = np.arange(step)
        decided = at + passed + np.where(agrees[:step], 2 * size, size) - 1
        if step == seen:
            return step, decided, False
        return step, decided, True if confirmed[step] else None

    def _looked(self, octets: Octets, at: int, stride: int, count: int) -> tuple[npt.NDArray[np.bool_], IntArray]:
        """Whether the CRC agrees, and the sequence, of the frames that begin every `stride` bytes from here."""
        left = np.zeros(count, np.uint8)
        for place in range(self.size):
            left ^= self._table[place][octets[at + place :: stride][:count]]
        tail = octets[at + self.size - 1 :: stride][:count]
        return left == tail & 0x0F, (tail >> 4).astype(np.int64)

    def _taken(self, stream: _Stream, at: int, count: int) -> Found:
        octets = stream.octets[at : at + count * self.size].reshape(count, self.size)
        begins = np.zeros(count, bool)
        begins[0], self._is_new = self._is_new, False
        self._due = (int(octets[-1, -1]) >> 4) + 1 & 0x0F
        ends = at + self.size * np.arange(1, count + 1) - 1
        return Found(octets, stream.arrival_ns[stream.bringer(ends)], begins)

    def _flush(self) -> list[Found]:
        """The frame that still waits to be confirmed, if its CRC agrees; nothing is known afterwards."""
        rest, times = self._rest, self._rest_ns
        freed = []
        if rest.size >= self.size and self._looked(rest, 0, 1, 1)[0][0]:
            freed.append(Found(rest[None, : self.size], times[self.size - 1 : self.size], np.array([self._is_new])))
        self._rest, self._rest_ns, self._due, self._is_new = _NO_BYTES, _NO_TIMES, None, True
        return freed

    def _joined(self, parts: list[Found]) -> Found:
        empty = Found(np.zeros((0, self.size), np.uint8), _NO_TIMES, np.zeros(0, bool))
        columns = [(part.octets, part.arrival_ns, part.begins) for part in (empty, *parts)]
        octets, arrival_ns, begins = zip(*columns, strict=True)
        return Found(np.concatenate(octets), np.concatenate(arrival_ns), np.concatenate(begins))


def _places(stream: _Stream, byte: IntArray) -> set[int]:
    """Places of the notifications that brought these bytes."""
    return set(np.unique(stream.place[stream.bringer(byte)]).tolist())
