"""A stable name for what a recording contains, whatever it was cut into when it was written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from drivers.packets import PacketBatch
from drivers.rows import RowChunk


class ContentDigest:
    """SHA-256 over packets (arrival, characteristic, bytes) and rows (columns, times, values)."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._columns: tuple[str, ...] = ()
        self._parts = {
            name: hashlib.sha256() for name in ("arrival", "characteristic", "size", "payload", "t_s", "values")
        }

    def add_packets(self, batch: PacketBatch) -> None:
        """The next packets."""
        # Characteristics count in the order in which they first occur, not as this batch numbers them.
        present, first = np.unique(batch.which, return_index=True)
        order = np.zeros(len(batch.names), np.int64)
        for which in present[np.argsort(first)].tolist():
            order[which] = self._names.setdefault(batch.names[which], len(self._names))
        self._parts["arrival"].update(batch.arrival_ns.astype("<i8").tobytes())
        self._parts["characteristic"].update(order[batch.which].astype("<u4").tobytes())
        self._parts["size"].update(np.diff(batch.ends).astype("<u4").tobytes())
        self._parts["payload"].update(batch.data)

    def add_rows(self, chunk: RowChunk) -> None:
        """The next rows. Any NaN is the same missing value."""
        self._columns = chunk.columns
        values = np.where(np.isnan(chunk.values), np.nan, chunk.values)
        self._parts["t_s"].update(chunk.t_s.astype("<f8").tobytes())
        self._parts["values"].update(values.astype("<f8").tobytes())

    def hexdigest(self) -> str:
        """64 hexadecimal digits."""
        whole = hashlib.sha256(repr((tuple(self._names), self._columns)).encode())
        for name, part in self._parts.items():
            whole.update(name.encode() + part.digest())
        return whole.hexdigest()


def content_digest(packets: Iterable[PacketBatch] = (), rows: Iterable[RowChunk] = ()) -> str:
    """The digest of these packets and rows."""
    digest = ContentDigest()
    for batch in packets:
        digest.add_packets(batch)
    for chunk in rows:
        digest.add_rows(chunk)
    return digest.hexdigest()
