"""What a device sends, before anybody has interpreted it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import numpy.typing as npt

ADVERTISEMENT = "advertisement"
"""Stands for the characteristic of data that came in an advertisement."""


@dataclass(frozen=True, slots=True)
class RawPacket:
    """One notification as it arrived.

    Attributes:
        arrival_ns: nanoseconds on the host's monotonic clock.
        characteristic: lower-case 128-bit UUID, or "advertisement".
        payload: the bytes.
    """

    arrival_ns: int
    characteristic: str
    payload: bytes


@dataclass(frozen=True, slots=True, eq=False)
class PacketBatch(Sequence[RawPacket]):
    """Many packets as columns, so that a day of them costs no Python object each.

    Reads as a sequence of `RawPacket`; decoders that work on whole arrays take the columns.

    Attributes:
        arrival_ns: (n,) int64.
        names: the characteristics that occur.
        which: (n,) index into `names`.
        ends: (n + 1,) int64; packet i is `data[ends[i]:ends[i + 1]]`.
        data: all payloads, one after another.
    """

    arrival_ns: npt.NDArray[np.int64]
    names: tuple[str, ...]
    which: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]
    data: bytes

    @classmethod
    def of(cls, packets: Sequence[RawPacket]) -> PacketBatch:
        """Columns of these packets; a batch is given back as it is."""
        if isinstance(packets, PacketBatch):
            return packets
        index = {name: i for i, name in enumerate(dict.fromkeys([p.characteristic for p in packets]))}
        return cls.from_columns(
            np.array([p.arrival_ns for p in packets], np.int64),
            tuple(index),
            np.array([index[p.characteristic] for p in packets], np.int32),
            [p.payload for p in packets],
        )

    @classmethod
    def from_columns(
        cls,
        arrival_ns: npt.NDArray[np.int64],
        names: tuple[str, ...],
        which: npt.NDArray[np.int32],
        payloads: Sequence[bytes],
    ) -> PacketBatch:
        """A batch whose payloads are still apart."""
        ends = np.zeros(len(payloads) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, payloads), np.int64, len(payloads)), out=ends[1:])
        return cls(arrival_ns, names, which, ends, b"".join(payloads))

    @classmethod
    def join(cls, batches: Sequence[PacketBatch]) -> PacketBatch:
        """One batch of several that share their `names`.

        Raises:
            ValueError: none given, or their names differ.
        """
        if not batches or any(batch.names != batches[0].names for batch in batches):
            raise ValueError("batches to join need the same characteristics")
        if len(batches) == 1:
            return batches[0]
        sizes = np.concatenate([np.diff(batch.ends) for batch in batches])
        return cls(
            np.concatenate([batch.arrival_ns for batch in batches]),
            batches[0].names,
            np.concatenate([batch.which for batch in batches]),
            np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)]),
            b"".join([batch.data for batch in batches]),
        )

    def __len__(self) -> int:
        return self.arrival_ns.size

    @overload
    def __getitem__(self, index: int) -> RawPacket: ...
    @overload
    def __getitem__(self, index: slice) -> PacketBatch: ...
    def __getitem__(self, index: int | slice) -> RawPacket | PacketBatch:
        if isinstance(index, slice):
            first, last, step = index.indices(len(self))
            if step != 1:
                raise ValueError("a batch is cut only into consecutive packets")
            return self.between(first, max(first, last))
        i = range(len(self))[index]
        return RawPacket(
            int(self.arrival_ns[i]),
            self.names[self.which[i]],
            self.data[self.ends[i] : self.ends[i + 1]],
        )

    def __iter__(self) -> Iterator[RawPacket]:
        ends = self.ends.tolist()
        columns = zip(self.arrival_ns.tolist(), self.which.tolist(), ends, ends[1:], strict=False)
        for arrival_ns, which, start, end in columns:
            yield RawPacket(arrival_ns, self.names[which], self.data[start:end])

    def between(self, first: int, last: int) -> PacketBatch:
        """Packets first (included) to last (excluded)."""
        start, end = int(self.ends[first]), int(self.ends[last])
        return PacketBatch(
            self.arrival_ns[first:last],
            self.names,
            self.which[first:last],
            self.ends[first : last + 1] - start,
            self.data[start:end],
        )
