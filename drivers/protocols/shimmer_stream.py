"""The byte stream of a Shimmer3R cut into messages and data frames, and found again where bytes are missing. Sans-IO.

Frames have no checksum, and their preamble is 00, as common as any byte. What tells a frame is its clock: from one
frame to the next it goes on by the sampling divisor. A frame whose clock has gone on by more (samples are missing
before it) is believed once the next one follows it as it should, and so is one that is cut over notifications, of
which one may be missing. Where bytes are missing, the first three frames that fit are looked for. However
the notifications are batched, the same bytes give the same frames.

Inferred: all of this but the frames themselves; the maker's program believes two preambles a frame apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from drivers.clocks.device import DUPLICATE
from drivers.errors import PacketError
from drivers.protocols import packet_columns as columns
from drivers.protocols.packet_columns import IntArray, Octets
from drivers.protocols.shimmer_layout import CLOCK_HZ, CLOCK_WRAP, Op, Schema, message_bytes, read_inquiry

_LONGEST_STEP = 3 * CLOCK_HZ
"""A clock that goes on by more between two frames of one stretch is no clock."""
_FIRST_ROWS, _SEARCH_BYTES, _REMEMBERED = 64, 1 << 14, 64
NO_STREAM = "data before the inquiry that tells its channels"
OUT_OF_STEP = "bytes out of step"


@dataclass(frozen=True, slots=True, eq=False)
class Frames:
    """Consecutive frames.

    Attributes:
        schema: what is in them.
        octets: (n, frame_bytes).
        stamp: (n,) the device's clock, modulo 2**24.
        arrival: (n,) host nanoseconds of the notification that completed each.
        places: of the notifications because of which they are believed, in order.
    """

    schema: Schema
    octets: Octets
    stamp: IntArray
    arrival: IntArray
    places: IntArray


@dataclass(frozen=True, slots=True)
class Message:
    """An answer that is neither an acknowledgement nor an inquiry's."""

    content: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A notification that holds what cannot be read."""

    place: int
    why: str


Event = Frames | Message | Refused
Bools = npt.NDArray[np.bool_]


_OLD = -1
"""Place of a notification of an earlier batch."""


@dataclass(frozen=True, slots=True, eq=False)
class Notifications:
    """Notifications one after another, perhaps behind the bytes that were left over of earlier ones.

    Attributes:
        data: all bytes.
        starts, ends: (n,) bytes where each begins and ends.
        arrival: (n,) host nanoseconds.
        place: (n,) of each in its batch.
    """

    data: bytes
    starts: IntArray
    ends: IntArray
    arrival: IntArray
    place: IntArray

    @classmethod
    def none(cls) -> Notifications:
        """Not a byte."""
        empty = np.zeros(0, np.int64)
        return cls(b"", empty, empty, empty, empty)

    def after(self, rest: Notifications) -> Notifications:
        """The same behind bytes that were left over."""
        more = len(rest.data)
        return Notifications(
            rest.data + self.data,
            np.concatenate([rest.starts, self.starts + more]),
            np.concatenate([rest.ends, self.ends + more]),
            np.concatenate([rest.arrival, self.arrival]),
            np.concatenate([rest.place, self.place]),
        )

    def beyond(self, at: int) -> Notifications:
        """What is left over from this byte on."""
        first = int(np.searchsorted(self.ends, at, side="right"))
        starts, ends, arrival = self.starts[first:] - at, self.ends[first:] - at, self.arrival[first:]
        return Notifications(self.data[at:], np.maximum(starts, 0), ends, arrival, np.full(ends.size, _OLD))

    def of(self, at: int) -> int:
        """Index of the notification that holds this byte."""
        return int(np.searchsorted(self.ends, at, side="right"))

    def of_each(self, at: int, stride: int, count: int) -> IntArray:
        """(count,) index of the notifications that hold this byte and those a stride, two strides, ... behind it."""
        return columns.holders(self.ends, at, stride, count)

    def place_of(self, at: int) -> int:
        """Place of the notification that holds this byte."""
        return int(self.place[self.of(at)])

    def end_of(self, at: int) -> int:
        """Where the notification ends that holds this byte."""
        return int(self.ends[self.of(at)])

    def begins(self, at: int) -> bool:
        """Whether a notification of this batch begins with this byte."""
        return bool(((self.starts == at) & (self.place != _OLD)).any())

    def bare_answer(self, at: int) -> int:
        """Where the first notification from here on begins that is an acknowledgement alone; the end if none is."""
        single = (self.ends - self.starts == 1) & (self.starts >= at) & (self.place != _OLD)
        octets = np.frombuffer(self.data, np.uint8)
        found = [start for start in self.starts[single].tolist() if octets[start] == Op.DONE]
        return found[0] if found else len(self.data)


class _Mode(Enum):
    """What the next byte is expected to be."""

    TALK = 0
    """Of a message, or of the first frame."""
    FRAMES = 1
    LOST = 2


class FrameStream:
    """Cuts the stream; see the module."""

    def __init__(self) -> None:
        self.schema: Schema | None = None
        self._mode = _Mode.TALK
        self._rest = Notifications.none()
        self._last: int | None = None
        self._found = False
        self._answered = False
        self._recent: list[int] = []
        self._window = _FIRST_ROWS

    def begin(self) -> None:
        """After a long silence, perhaps over another link: what was begun does not go on."""
        self._rest, self._mode, self._last, self._found = Notifications.none(), _Mode.TALK, None, False
        self._recent = []

    def take(self, given: Notifications) -> list[Event]:
        """What these notifications bring, in the order of their bytes."""
        if not given.place.size:
            return []
        given = given.after(self._rest)
        made: list[Event] = []
        at = 0
        while at < len(given.data):
            before = at, self._mode
            if self._mode is _Mode.TALK:
                at = self._talk(given, at, made)
            elif self._mode is _Mode.FRAMES and self.schema is not None:
                at = self._frames(given, at, self.schema, made)
            else:
                at = self._search(given, at)
            if (at, self._mode) == before:
                break
        self._rest = given.beyond(at)
        return made

    def finish(self) -> Frames | None:
        """The last frame, which no other could confirm any more."""
        rest, self._rest = self._rest, Notifications.none()
        size = self.schema.frame_bytes if self.schema else 0
        if self.schema is None or self._mode is not _Mode.FRAMES or len(rest.data) < size or rest.data[0] != Op.DATA:
            return None
        octets = np.frombuffer(rest.data[:size], np.uint8).reshape(1, size)
        stamp, index = _stamps(octets), rest.of(size - 1)
        if self._last is None:
            believed = rest.of(0) == index
        else:
            step = (int(stamp[0]) - self._last) % CLOCK_WRAP
            believed = abs(step - self.schema.divisor) <= _tolerance(self.schema.divisor)
        if not believed:
            return None
        return Frames(self.schema, octets, stamp, rest.arrival[index : index + 1], np.zeros(0, np.int64))

    def _talk(self, given: Notifications, at: int, made: list[Event]) -> int:
        """A message, or the first frame; where the next byte is."""
        head = given.data[at]
        if head == Op.DATA and self.schema is not None:
            self._mode = _Mode.FRAMES
            return at
        size = None if head == Op.DATA else message_bytes(given.data[at : at + 12])
        if head == Op.INQUIRY and self.schema is not None and not self._answered:
            size = None  # bytes out of step would name other channels
        if size is None:
            made.append(Refused(given.place_of(at), NO_STREAM if head == Op.DATA else "unknown message"))
            if self.schema is None:
                return given.end_of(at)
            self._mode = _Mode.LOST
            return at + 1
        if not size or at + size > len(given.data):
            return at
        self._answered = head == Op.DONE
        self._hear(given.data[at : at + size], given.place_of(at + size - 1), made)
        return at + size

    def _hear(self, message: bytes, place: int, made: list[Event]) -> None:
        if message[0] == Op.INQUIRY:
            try:
                self.schema, self._last = read_inquiry(message), None
            except PacketError as error:
                made.append(Refused(place, error.reason))
        elif message[0] not in (Op.DONE, Op.REFUSED):
            made.append(Message(message))

    def _frames(self, given: Notifications, at: int, schema: Schema, made: list[Event]) -> int:
        """As many frames as can be believed; where the next byte is."""
        size = schema.frame_bytes
        if given.data[at] != Op.DATA:
            return self._interrupted(given, at, made)
        rows = min((len(given.data) - at) // size, self._window)
        if not rows:
            return at
        octets = np.frombuffer(given.data, np.uint8, rows * size, at).reshape(rows, size)
        stamp = _stamps(octets)
        first, index = (given.of_each(at + more, size, rows) for more in (0, size - 1))
        usual, confirmed, forward = self._believed(octets, stamp, schema.divisor, first == index)
        believed = usual | confirmed
        good = rows if believed.all() else int(believed.argmin())
        if good:
            by = index[:good] + 0
            by[confirmed[:good]] = index[1 : rows + 1][np.flatnonzero(confirmed[:good])]
            places = given.place[by[np.diff(by, prepend=-1) > 0]]
            made.append(Frames(schema, octets[:good], stamp[:good], given.arrival[index[:good]], places))
            self._last, self._found = int(stamp[good - 1]), False
            self._recent = [*self._recent, *stamp[max(good - _REMEMBERED, 0) : good].tolist()][-_REMEMBERED:]
            self._window = 2 * self._window if good >= rows - 1 else _FIRST_ROWS
            return at + good * size
        again = int(stamp[0]) in self._recent
        if rows == 1 and (forward or again):
            return at
        self._window = _FIRST_ROWS
        place = given.place_of(at + (2 if forward or again else 1) * size - 1)
        if again and octets[1, 0] == Op.DATA and self._follows(int(stamp[1]), int(stamp[0]), schema.divisor):
            made.append(Refused(place, DUPLICATE))
            return at + size
        made.append(Refused(place, OUT_OF_STEP))
        self._mode = _Mode.LOST
        return at + 1

    def _believed(self, octets: Octets, stamp: IntArray, divisor: int, whole: Bools) -> tuple[Bools, Bools, bool]:
        """Which rows are frames.

        Args:
            octets: (n, frame_bytes).
            stamp: (n,) their clocks.
            divisor: ticks from sample to sample.
            whole: (n,) whether one notification holds all of a row.

        Returns:
            (n,) believed by themselves; (n,) believed because of the next row; whether the first one's clock goes on.
        """
        preamble = octets[:, 0] == Op.DATA
        step = np.diff(stamp, prepend=np.int64(stamp[0] if self._last is None else self._last)) % CLOCK_WRAP
        usual = preamble & (np.abs(step - divisor) <= _tolerance(divisor))
        forward = preamble & (step > 0) & (step <= _LONGEST_STEP)
        if self._last is None:
            usual[0], forward[0] = False, preamble[0]
        elif self._found and (self._last - int(stamp[0])) % CLOCK_WRAP > _LONGEST_STEP:
            forward[0] = preamble[0]
        alone = usual & whole
        confirmed = np.zeros(stamp.size, bool)
        confirmed[:-1] = forward[:-1] & ~alone[:-1] & usual[1:]
        return alone, confirmed, bool(forward[0])

    def _follows(self, stamp: int, again: int, divisor: int) -> bool:
        """Whether a clock follows that of a repeated frame, or that of the last one believed."""
        before = (again, again if self._last is None else self._last)
        return any(abs((stamp - one) % CLOCK_WRAP - divisor) <= _tolerance(divisor) for one in before)

    def _interrupted(self, given: Notifications, at: int, made: list[Event]) -> int:
        """No frame where one should begin: an answer in between, or bytes are missing."""
        head = given.data[at]
        if head == Op.DONE:
            if not given.begins(at):
                return at + 1
            self._mode = _Mode.TALK
            return at
        size = message_bytes(given.data[at : at + 2]) if head == Op.IN_STREAM else None
        if size is None:
            made.append(Refused(given.place_of(at), OUT_OF_STEP))
            self._mode = _Mode.LOST
            return at + 1
        return at + size if size and at + size <= len(given.data) else at

    def _search(self, given: Notifications, at: int) -> int:
        """Three frames that follow each other as they should; else where to look on when more has come."""
        size, divisor = (self.schema.frame_bytes, self.schema.divisor) if self.schema else (1, 1)
        until = given.bare_answer(at)
        octets = np.frombuffer(given.data, np.uint8)
        while at + 3 * size <= until:
            first = np.arange(at, min(at + _SEARCH_BYTES, until - 3 * size + 1))
            for place in (0, size, 2 * size):
                first = first[octets[first + place] == Op.DATA]
            for place in (0, size):
                step = (_stamps_at(octets, first + place + size) - _stamps_at(octets, first + place)) % CLOCK_WRAP
                first = first[np.abs(step - divisor) <= _tolerance(divisor)]
            if first.size:
                self._mode, self._found = _Mode.FRAMES, True
                return int(first[0])
            at = min(at + _SEARCH_BYTES, until - 3 * size + 1)
        if until < len(given.data):
            self._mode = _Mode.TALK
            return until
        return at


def _tolerance(divisor: int) -> int:
    """Ticks that a sample may be early or late by: 6 %, at least two."""
    return max(2, divisor // 16)


def _stamps(octets: Octets) -> IntArray:
    """(n,) clocks of (n, size) bytes."""
    words = np.ndarray((len(octets),), "<u4", octets, 0, (octets.strides[0],))
    stamps: IntArray = (words >> 8).astype(np.int64)
    return stamps


def _stamps_at(octets: Octets, first: IntArray) -> IntArray:
    """(n,) clocks of the frames that begin at these bytes."""
    stamps: IntArray = (
        octets[first + 1].astype(np.int64)
        | octets[first + 2].astype(np.int64) << 8
        | octets[first + 3].astype(np.int64) << 16
    )
    return stamps
