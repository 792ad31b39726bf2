"""BITalino frames out of a stream of bytes that may be cut anywhere: CRC-4, alignment, channels. Sans-IO.

A frame is read from its end: sequence (4 bits) and CRC (4 bits), digital ports (4 bits), then the channels. The CRC is
of four bits, so it agrees by chance once in sixteen: a frame is taken where its sequence is the next one, or, at the
beginning and after a tear (bytes or frames are missing), where it and the two behind it agree and count up. Otherwise
one byte is skipped.

A tear costs the frames that it cut, and those behind it where the link ends before there are three. The bytes around it
pass for the due frame once in 256 times: then one more is taken for another. Three frames agree by chance once in a
million places, in which case false ones are taken until one does not agree, as fifteen in sixteen do not.

Source: BITalinoWorld/revolution-python-api at 7128b3b, firmware-bitalino-revolution at 1097047 (certain). The rule of
three frames is ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from drivers.packets import PacketBatch
from drivers.protocols import packet_columns as columns

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


@cache
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
        is_first: (n,) whether it is the first that its notification brought, or the first behind a tear.
    """

    octets: Octets
    arrival_ns: IntArray
    begins: npt.NDArray[np.bool_]
    is_first: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Stream:
    """Bytes that are searched: those left over, then those of new notifications.

    Attributes:
        octets: (n,) the bytes.
        ends: (k,) where each notification ends.
        arrival_ns: (k,) of each notification.
        place: (k,) of each in its batch, -1 for what was left over.
    """

    octets: Octets
    ends: IntArray
    arrival_ns: IntArray
    place: IntArray

    def beyond(self, at: int) -> _Stream:
        """What is left over from this byte on."""
        first = int(np.searchsorted(self.ends, at, "right"))
        ends = self.ends[first:] - at
        return _Stream(self.octets[at:].copy(), ends, self.arrival_ns[first:], np.full(ends.size, -1))

    def bringer(self, byte: IntArray) -> IntArray:
        """(n,) which notification brought each of these bytes."""
        return np.searchsorted(self.ends, byte, "right").astype(np.int64)

    def bringers(self, at: int, size: int, count: int) -> IntArray:
        """(count,) which notification brought the last byte of each of the frames of one size that begin here."""
        return columns.holders(self.ends, at + size - 1, size, count)


_NO_TIMES = np.zeros(0, np.int64)
_NOTHING = _Stream(np.zeros(0, np.uint8), _NO_TIMES, _NO_TIMES, _NO_TIMES)
_FIRST_RUN, _FIRST_SEARCH, _LONGEST_SWEEP = 1 << 10, 1 << 6, 1 << 16
"""So many frames, or positions, are looked at together: twice as many each time that they were not enough."""
_AGREEING = 3
"""So many frames in a row must agree before they are believed."""
_FURTHEST_NS = 1 << 61


@dataclass(slots=True)
class Alignment:
    """Where the next frame begins; any cutting of the stream gives the same frames.

    Attributes:
        size: bytes of a frame.
    """

    size: int
    _rest: _Stream = _NOTHING
    _due: int | None = None
    _heard_ns: int | None = None
    _is_new: bool = True
    _is_torn: bool = False
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
            found, refuted = self._search(self._stream(batch, run))
            # What a silence set free was decided by the notification that ended it.
            useless += sorted(refuted - ({int(run[0])} if freed else set()))
            parts += [*freed, *found]
        return self._joined(parts), useless

    def finish(self) -> Found:
        """The last frames, which no other has confirmed."""
        return self._joined(self._flush())

    def _runs(self, batch: PacketBatch, packet: IntArray) -> list[tuple[IntArray, bool]]:
        """Notifications between which the link was never silent for long, and whether it was before each run."""
        if not packet.size:
            return []
        times = np.clip(batch.arrival_ns[packet], -_FURTHEST_NS, _FURTHEST_NS)
        heard_ns = times[0] if self._heard_ns is None else np.int64(self._heard_ns)
        late = np.flatnonzero(np.abs(np.diff(times, prepend=heard_ns)) > STALE_NS).tolist()
        self._heard_ns = int(times[-1])
        borders = [0, *(i for i in late if i), packet.size]
        return [(packet[first:last], first in late) for first, last in pairwise(borders)]

    def _stream(self, batch: PacketBatch, packet: IntArray) -> _Stream:
        starts, ends = batch.ends[packet], batch.ends[packet + 1]
        size, rest = ends - starts, self._rest
        if int(size.sum()) == int(ends[-1] - starts[0]):
            data = batch.data[int(starts[0]) : int(ends[-1])]
        else:
            data = b"".join([batch.data[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)])
        return _Stream(
            np.concatenate([rest.octets, np.frombuffer(data, np.uint8)]),
            np.concatenate([rest.ends, rest.octets.size + np.cumsum(size)]),
            np.concatenate([rest.arrival_ns, batch.arrival_ns[packet]]),
            np.concatenate([rest.place, packet]),
        )

    def _search(self, stream: _Stream) -> tuple[list[Found], set[int]]:
        """Frames; places of the notifications that only made bytes be skipped."""
        found: list[Found] = []
        skipped: list[IntArray] = []
        useful: list[IntArray] = []
        at, last, latest, reach = 0, stream.octets.size - self.size, 0, _FIRST_RUN
        before = -1
        while at <= last:
            run = self._due_run(stream.octets, at, last, reach)
            if run:
                bringer = stream.bringers(at, self.size, run)
                found.append(self._taken(stream, at, bringer, before))
                before = int(bringer[-1])
                useful.append(np.maximum(bringer, stream.bringer(np.array([latest]))))
                at += run * self.size
                reach = min(2 * reach, _LONGEST_SWEEP) if run == reach else _FIRST_SEARCH
                continue
            step, decided, is_sure = self._seek(stream.octets, at, last, reach)
            self._is_torn |= self._due is not None or step > 0
            if step:
                # What waited behind an undecided byte was decided with it.
                decided = np.maximum(np.maximum.accumulate(decided), latest)
                latest = int(decided[-1])
                skipped.append(stream.bringer(decided))
                self._due = None
            at += step
            reach = _FIRST_RUN if is_sure else min(2 * reach, _LONGEST_SWEEP)
            if is_sure is None:
                break
            if is_sure:
                latest = max(latest, at + _AGREEING * self.size - 1)
                self._due, before = int(stream.octets[at + self.size - 1]) >> 4, -1
        self._rest = stream.beyond(at)
        return found, _places(stream, skipped) - _places(stream, useful) if skipped else set()

    def _due_run(self, octets: Octets, at: int, last: int, reach: int) -> int:
        """How many frames follow from here whose sequence is the one that is due."""
        if self._due is None:
            return 0
        agrees, sequence = self._looked(octets, at, self.size, min((last - at) // self.size + 1, reach))
        due = (np.arange(self._due & 0x0F, (self._due & 0x0F) + agrees.size) & 0x0F).astype(np.uint8)
        good = agrees & (sequence == due)
        return agrees.size if good.all() else int(good.argmin())

    def _seek(self, octets: Octets, at: int, last: int, reach: int) -> tuple[int, IntArray, bool | None]:
        """Bytes to skip to the next frame that others confirm; which byte decided each; whether it is there.

        The third is True at a confirmed frame, None at one whose successors must be awaited, False where there is none
        within reach.
        """
        more = (_AGREEING - 1) * self.size
        agrees, sequence = self._looked(octets, at, 1, min(last - at + 1, reach + more))
        seen = min(last - at + 1, reach)
        refuted_by = np.zeros(seen, np.int64)
        for behind in range(0, more + 1, self.size):
            known = max(min(seen, agrees.size - behind), 0)
            counted = sequence[behind : behind + known] - sequence[:known] & 0x0F
            fits = agrees[behind : behind + known] & (counted == behind // self.size)
            refuted_by[:known] = np.where(fits | (refuted_by[:known] > 0), refuted_by[:known], behind + self.size)
        hopeful = refuted_by == 0
        step = int(hopeful.argmax()) if hopeful.any() else seen
        decided = at + np.arange(step) + refuted_by[:step] - 1
        if step == seen:
            return step, decided, False
        return step, decided, True if step + more < agrees.size else None

    def _looked(
        self, octets: Octets, at: int, stride: int, count: int
    ) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.uint8]]:
        """Whether the CRC agrees, and the sequence, of the frames that begin every `stride` bytes from here."""
        left = np.zeros(count, np.uint8)
        for place in range(self.size):
            left ^= self._table[place].take(octets[at + place :: stride][:count])
        tail = octets[at + self.size - 1 :: stride][:count]
        sequence: npt.NDArray[np.uint8] = tail >> np.uint8(4)
        return left == tail & 0x0F, sequence

    def _taken(self, stream: _Stream, at: int, bringer: IntArray, before: int) -> Found:
        octets = stream.octets[at : at + bringer.size * self.size].reshape(bringer.size, self.size)
        begins = np.zeros(bringer.size, bool)
        begins[0], self._is_new, self._is_torn = self._is_new, False, False
        self._due = (int(octets[-1, -1]) >> 4) + 1 & 0x0F
        return Found(octets, stream.arrival_ns[bringer], begins, np.diff(bringer, prepend=before) != 0)

    def _flush(self) -> list[Found]:
        """Frames that still wait to be confirmed, unless behind a tear; nothing is known afterwards."""
        rest, freed = self._rest, []
        whole = rest.octets.size // self.size
        if whole and not self._is_torn and self._looked(rest.octets, 0, 1, 1)[0][0]:
            freed.append(self._taken(rest, 0, rest.bringers(0, self.size, whole), -1))
        self._rest, self._due, self._is_new, self._is_torn = _NOTHING, None, True, False
        return freed

    def _joined(self, parts: list[Found]) -> Found:
        if len(parts) == 1:
            return parts[0]
        no = np.zeros(0, bool)
        every = [Found(np.zeros((0, self.size), np.uint8), _NO_TIMES, no, no), *parts]
        return Found(
            np.concatenate([part.octets for part in every]),
            np.concatenate([part.arrival_ns for part in every]),
            np.concatenate([part.begins for part in every]),
            np.concatenate([part.is_first for part in every]),
        )


def _places(stream: _Stream, bringers: list[IntArray]) -> set[int]:
    """Places of these notifications."""
    several = np.concatenate([_NO_TIMES, *bringers])
    return set(stream.place[several[np.diff(several, prepend=-1) != 0]].tolist())
