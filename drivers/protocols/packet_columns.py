"""Payloads of many packets as arrays, so that a day of them costs no Python object each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from drivers.packets import PacketBatch

IntArray = npt.NDArray[np.int64]
Octets = npt.NDArray[np.uint8]


def gathered(data: bytes, first: IntArray, size: int) -> Octets:
    """(n, size) bytes of the n records of one size that start at these bytes."""
    if not first.size:
        return np.zeros((0, size), np.uint8)
    if bool((np.diff(first) == size).all()):
        start = int(first[0])
        return np.frombuffer(data, np.uint8, size * first.size, start).reshape(-1, size)
    records = np.ndarray((len(data) - size + 1,), f"V{size}", buffer=data, strides=(1,))
    return np.ascontiguousarray(records[first]).view(np.uint8).reshape(-1, size)


def shorts(octets: Octets) -> npt.NDArray[np.int16]:
    """(n, size / 2) little-endian signed 16-bit numbers of (n, size) bytes."""
    return np.ascontiguousarray(octets).view("<i2")


def of(batch: PacketBatch, characteristic: str) -> IntArray:
    """Places of a characteristic's packets within a batch."""
    if characteristic not in batch.names:
        return np.zeros(0, np.int64)
    if len(batch.names) == 1:
        return np.arange(len(batch))
    return np.flatnonzero(batch.which == batch.names.index(characteristic)).astype(np.int64)


def others(batch: PacketBatch, *known: str) -> list[int]:
    """Places of the packets of characteristics that are none of these."""
    strange = [place for place, name in enumerate(batch.names) if name not in known]
    return np.flatnonzero(np.isin(batch.which, strange)).tolist() if strange else []


def holders(ends: IntArray, at: int, stride: int, count: int) -> IntArray:
    """Which notification holds this byte of a stream, and those a stride, two strides, ... behind it.

    Args:
        ends: (k,) where each notification ends within the stream.
        at: first byte.
        stride: bytes from one to the next.
        count: of bytes.

    Returns:
        (count,) indices of notifications.
    """
    first, last = np.searchsorted(ends, (at, at + stride * (count - 1)), "right").tolist()
    upto = np.concatenate([[0], (ends[first:last] - at + stride - 1) // stride, [count]])
    return np.repeat(np.arange(first, last + 1), np.diff(upto))


def sized(batch: PacketBatch, packet: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Those of these packets that have the size, and those that have not."""
    if not packet.size:
        return packet, packet
    fits = batch.ends[packet + 1] - batch.ends[packet] == size
    return packet[fits], packet[~fits]
