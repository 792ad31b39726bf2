"""Packs samples into Polar PMD data frames as a sensor does. Written from the sheet; knows no decoder."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

FRAME_BYTES = 232
_HEADER = 10
_BLOCK_SAMPLES = 16
_MOST_SAMPLES = 130
"""Longest frame reported from the field (gyro at rest)."""
RAW_SAMPLES = 36


@dataclass(frozen=True, slots=True)
class FrameFormat:
    """Byte 0 and byte 9 of a frame, and the size of a value in it.

    Attributes:
        measurement: type code.
        kind: frame type, bit 7 set where compressed.
        value_bytes: bytes of a raw or reference value.
        wraps: deltas wrap around at 32 bits (float bit patterns).
        least_bits: the sensor uses no shorter deltas. 3 is the least seen in the field.
    """

    measurement: int
    kind: int
    value_bytes: int = 2
    wraps: bool = False
    least_bits: int = 3

    @property
    def compressed(self) -> bool:
        """Whether bit 7 of the frame type is set."""
        return bool(self.kind & 0x80)


def header(form: FrameFormat, stamp_ns: int) -> bytes:
    """The ten bytes before the content."""
    return struct.pack("<BQB", form.measurement, stamp_ns, form.kind)


def raw_content(values: Ints) -> bytes:
    """(n, 3) integers as 16-bit little-endian samples."""
    return values.astype("<i2").tobytes()


def reference(values: Sequence[int], value_bytes: int) -> bytes:
    """First sample of a compressed frame."""
    return b"".join(value.to_bytes(value_bytes, "little", signed=True) for value in values)


def delta_block(rows: Sequence[Sequence[int]], bits: int) -> bytes:
    """One block: bit width, number of samples, then all deltas, least significant bit first."""
    mask, packed, at = (1 << bits) - 1, 0, 0
    for row in rows:
        for delta in row:
            packed |= (delta & mask) << at
            at += bits
    return bytes((bits, len(rows))) + packed.to_bytes((at + 7) // 8, "little")


def bits_needed(deltas: Ints) -> Ints:
    """(n,) smallest two's complement width that holds every channel's delta of that sample."""
    magnitude = np.where(deltas < 0, ~deltas, deltas).max(axis=1, initial=0)
    # frexp's exponent is the bit length; exact, since the magnitude is below 2**53.
    bits = np.frexp(magnitude.astype(np.float64))[1].astype(np.int64) + 1
    return np.where((deltas == 0).all(axis=1), 0, bits)


def deltas_of(values: Ints, *, wraps: bool) -> Ints:
    """(n - 1, channels) steps from sample to sample."""
    steps = np.diff(values, axis=0)
    return ((steps + (1 << 31)) & 0xFFFFFFFF) - (1 << 31) if wraps else steps


def cut(values: Ints, form: FrameFormat, *, last: bool) -> list[tuple[int, bytes]]:
    """Fills frames with these samples.

    Args:
        values: (n, channels) integers.
        form: what kind of frame.
        last: no more samples will come, so a frame that is not full is sent as well.

    Returns:
        For each frame: how many samples it took, and its content.
    """
    if not form.compressed:
        return _cut_raw(values, last=last)
    deltas = deltas_of(values, wraps=form.wraps)
    need = np.maximum(bits_needed(deltas), form.least_bits).tolist()
    rows, samples = deltas.tolist(), values.tolist()
    frames: list[tuple[int, bytes]] = []
    at = 0
    while at < len(samples):
        taken, full, content = _fill(samples[at], rows, need, at, form)
        if not full and not last:
            break
        frames.append((taken, content))
        at += taken
    return frames


def _cut_raw(values: Ints, *, last: bool) -> list[tuple[int, bytes]]:
    full = len(values) // RAW_SAMPLES * RAW_SAMPLES
    pieces = [values[at : at + RAW_SAMPLES] for at in range(0, len(values) if last else full, RAW_SAMPLES)]
    return [(len(piece), raw_content(piece)) for piece in pieces]


def _fill(
    first: Sequence[int], rows: Sequence[Sequence[int]], need: Sequence[int], at: int, form: FrameFormat
) -> tuple[int, bool, bytes]:
    """One frame from sample `at` on: samples taken, whether it is full, content."""
    channels = len(first)
    content = reference(first, form.value_bytes)
    taken = 1
    while taken < _MOST_SAMPLES:
        start = at + taken - 1
        count = min(_BLOCK_SAMPLES, _MOST_SAMPLES - taken, len(rows) - start)
        if count <= 0:
            return taken, False, content
        room = FRAME_BYTES - _HEADER - len(content) - 2
        while count > 0:
            bits = max(need[start : start + count])
            if bits * count * channels <= room * 8:
                break
            count = min(count - 1, max(0, room * 8 // (bits * channels)))
        if count <= 0:
            return taken, True, content
        content += delta_block(rows[start : start + count], bits)
        taken += count
    return taken, True, content
