"""Cuts forgotten stretches out of a recording that is kept otherwise."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from drivers.errors import RecordingError
from drivers.packets import PacketBatch
from drivers.recording import Recording, RecordingWriter, open_recording
from drivers.rows import RowChunk

DELAY_NS = 2_000_000_000
"""A packet's samples were measured up to so long before it arrived: buffering in the sensor and the radio's
retries. Packets that arrive this long after the stretch are cut too. Chosen: the longest packet interval of the
supported sensors and one second of retries."""

_BATCHES_A_FLUSH = 500

Stretches = Sequence[tuple[float, float]]


def trim(path: Path, stretches: Stretches) -> None:
    """Rewrite a recording without some stretches; everything else keeps its session seconds.

    Rows go exactly. Of packets, those go that arrived in a stretch or up to `DELAY_NS` after it; the first of
    each characteristic stays, because the decoder's zero and settings come from it.

    Args:
        path: of the recording; replaced when the new one is complete.
        stretches: start and end in session seconds.

    Raises:
        RecordingError: the recording cannot be read; it is left as it was.
    """
    draft = path.with_name(f".trim-{uuid.uuid4().hex}.sqlite")
    try:
        with open_recording(path) as recording:
            _write_rest(recording, draft, stretches)
        for side in ("-wal", "-shm", "-journal"):
            path.with_name(path.name + side).unlink(missing_ok=True)
        draft.replace(path)
    finally:
        for left in path.parent.glob(f"{draft.name}*"):
            left.unlink(missing_ok=True)


def _write_rest(recording: Recording, draft: Path, stretches: Stretches) -> None:
    zero_ns = _zero_ns(recording)
    with RecordingWriter(draft, recording.header) as writer:
        for anchor in recording.anchors:
            writer.anchor(anchor)
        for write in recording.writes:
            writer.wrote(write.clock_ns, write.characteristic, write.payload)
        for chunk in recording.rows():
            for part in _rows_outside(chunk, stretches):
                writer.append_rows(part)
        seen: set[str] = set()
        for number, batch in enumerate(recording.batches(), 1):
            kept = _kept_packets(batch, zero_ns, stretches, seen)
            for first, last in _runs(kept):
                writer.append_many(batch.between(first, last))
            if number % _BATCHES_A_FLUSH == 0:
                writer.flush()


def _zero_ns(recording: Recording) -> int:
    """Arrival clock at session second 0; only decoding tells it."""
    if next(iter(recording.batches()), None) is None:
        return 0
    for _ in recording.blocks():
        pass
    zero_ns = recording.quality.zero_arrival_ns
    if zero_ns is None:
        raise RecordingError("no sample can be decoded, so no stretch of it can be found", recording.path)
    return zero_ns


def _rows_outside(chunk: RowChunk, stretches: Stretches) -> Iterator[RowChunk]:
    kept = np.ones(chunk.t_s.size, bool)
    for start_s, end_s in stretches:
        kept &= (chunk.t_s < start_s) | (chunk.t_s >= end_s)
    if kept.any():
        yield replace(chunk, t_s=chunk.t_s[kept], values=chunk.values[kept])


def _kept_packets(batch: PacketBatch, zero_ns: int, stretches: Stretches, seen: set[str]) -> npt.NDArray[np.bool_]:
    kept = np.ones(len(batch), bool)
    for start_s, end_s in stretches:
        low, high = zero_ns + round(start_s * 1e9), zero_ns + round(end_s * 1e9) + DELAY_NS
        kept &= (batch.arrival_ns < low) | (batch.arrival_ns >= high)
    for number, name in enumerate(batch.names):
        places = np.flatnonzero(batch.which == number)
        if name not in seen and places.size:
            kept[places[0]] = True
            seen.add(name)
    return kept


def _runs(kept: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and end of each run of packets that stay."""
    edges = [0, *(np.flatnonzero(np.diff(kept)) + 1).tolist(), len(kept)]
    return ((first, last) for first, last in pairwise(edges) if last > first and kept[first])
