"""Content of Polar PMD data frames: bytes of many frames at once -> sample values. No clock, no state.

Source: polarofficial/polar-ble-sdk at 8fb5311c, `technical_documentation/online_measurement.pdf` (Aug 2024)
and the PMD client of its Android sources. Marks: [C] certain, official; [V] verified on published bytes;
[I] inferred.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import radians

import numpy as np
import numpy.typing as npt

from analysis.samples import STANDARD_GRAVITY_MPS2, XYZ, FloatArray, Modality

IntArray = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

HEADER_BYTES = 10
DELTA = 0x80
MAX_SAMPLES = 10_000
"""More than any frame can honestly hold: 232 bytes of 1-bit deltas are 576 samples. Guards the memory."""
PAD_BYTES = 8
"""Zero bytes wanted after the last payload, so that a 64-bit word can be read at any of its bytes."""

ECG, PPG, ACC, PPI, GYRO, MAG = 0, 1, 2, 3, 5, 6
TYPE_NAME = {
    ECG: "ECG", PPG: "PPG", ACC: "ACC", PPI: "PPI", GYRO: "GYRO", MAG: "MAG", 7: "skin temperature",
    9: "SDK mode", 10: "location", 11: "pressure", 12: "temperature", 13: "offline recording",
    14: "offline heart rate",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How the content of one combination of measurement type and frame type is read.

    Attributes:
        modality: what the samples become.
        wide: channels in the frame; those beyond `channels` are read and dropped.
        width_bytes: whole bytes of a raw value, or of a reference value before deltas.
        delta: compressed; the device's conversion factor then applies.
        scale: value (times factor) -> SI.
        floats: values are float32 bit patterns.
        channels: names of the channels kept.
    """

    modality: Modality
    wide: int
    width_bytes: int
    delta: bool
    scale: float
    floats: bool = False
    channels: tuple[str, ...] = XYZ


_MILLI_G = STANDARD_GRAVITY_MPS2 / 1000
_GAUSS_UT = 100.0

LAYOUTS: dict[tuple[int, int], Layout] = {
    (ACC, 0): Layout(Modality.ACC, 3, 1, False, _MILLI_G),
    (ACC, 1): Layout(Modality.ACC, 3, 2, False, _MILLI_G),
    (ACC, 2): Layout(Modality.ACC, 3, 3, False, _MILLI_G),
    (ACC, DELTA | 0): Layout(Modality.ACC, 3, 2, True, STANDARD_GRAVITY_MPS2),
    (ACC, DELTA | 1): Layout(Modality.ACC, 3, 2, True, _MILLI_G),
    (GYRO, DELTA | 0): Layout(Modality.GYR, 3, 2, True, radians(1)),
    (GYRO, DELTA | 1): Layout(Modality.GYR, 3, 4, True, radians(1), floats=True),
    (MAG, DELTA | 0): Layout(Modality.MAG, 3, 2, True, _GAUSS_UT),
    (MAG, DELTA | 1): Layout(Modality.MAG, 4, 2, True, _GAUSS_UT / 1000),
    # Block layout and the 12-byte reference are [V] on one complete frame; that it is type 0 is [I].
    (PPG, DELTA | 0): Layout(
        Modality.PPG, 4, 3, True, 1.0, channels=("ppg1", "ppg2", "ppg3", "ambient")
    ),
}  # fmt: skip
"""(measurement type, byte 9) -> layout. Whatever is not here is refused, never guessed."""


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What many frames of one layout hold.

    Attributes:
        count: (frames,) samples of each frame; 0 where it was refused.
        values: (sum of count, channels) in SI, frame after frame.
        faults: (frame, reason) of each refused one, in order.
    """

    count: IntArray
    values: FloatArray
    faults: list[tuple[int, str]]


class Words:
    """Payload bytes, readable as little-endian 64-bit words at any byte."""

    def __init__(self, data: bytes) -> None:
        self.octets: Bytes = np.frombuffer(data + bytes(PAD_BYTES), np.uint8)
        unaligned = np.ndarray((len(data) + 1,), "<u8", buffer=self.octets.data, strides=(1,))
        self.at: npt.NDArray[np.uint64] = np.ascontiguousarray(unaligned)

    def signed(self, first_bit: IntArray, bits: IntArray | int) -> IntArray:
        """Two's complement numbers of `bits` bits (0..32), least significant bit first."""
        word = self.at.take(first_bit >> 3) >> (first_bit & 7).astype(np.uint64)
        raw = word.astype(np.int64) & ((1 << np.asarray(bits, np.int64)) - 1)
        sign = (1 << np.asarray(bits, np.int64)) >> 1
        return (raw ^ sign) - sign


def content(words: Words, first: IntArray, end: IntArray, layout: Layout, factor: float) -> Content:
    """Samples of many frames of one layout.

    Args:
        words: the payloads.
        first: (frames,) byte at which each frame's content starts (after its header).
        end: (frames,) byte after each frame.
        layout: the layout they share.
        factor: conversion factor the device gave for this measurement; compressed frames only.
    """
    if layout.delta:
        count, rows, faults = _delta_rows(words, first, end, layout)
    else:
        count, rows, faults = _raw_rows(words, first, end, layout)
    rows = rows[:, : len(layout.channels)]
    if layout.floats:
        return _float_content(count, rows, faults, factor * layout.scale)
    scale = factor * layout.scale if layout.delta else layout.scale
    return Content(count, rows * np.float64(scale), _listed(faults))


_TRUNCATED, _NO_SAMPLES, _TOO_MANY, _BITS, _NOT_A_NUMBER = 1, 2, 3, 4, 5
_REASON = {
    _TRUNCATED: "truncated frame",
    _NO_SAMPLES: "frame without samples",
    _TOO_MANY: "more samples than a frame can hold",
    _BITS: "delta of more than 32 bits",
    _NOT_A_NUMBER: "value that is not a number",
}


def _listed(faults: npt.NDArray[np.uint8]) -> list[tuple[int, str]]:
    return [(int(i), _REASON[int(faults[i])]) for i in np.flatnonzero(faults)]


def _raw_rows(
    words: Words, first: IntArray, end: IntArray, layout: Layout
) -> tuple[IntArray, IntArray, npt.NDArray[np.uint8]]:
    size = layout.wide * layout.width_bytes
    count, rest = np.divmod(end - first, size)
    faults = np.zeros(first.size, np.uint8)
    faults[count > MAX_SAMPLES] = _TOO_MANY
    faults[rest != 0] = _TRUNCATED
    faults[end == first] = _NO_SAMPLES
    count[faults != 0] = 0
    bit = (np.repeat(first, count) + size * within(count)) * 8
    width = 8 * layout.width_bytes
    rows = np.empty((bit.size, layout.wide), np.int64)
    for channel in range(layout.wide):
        rows[:, channel] = words.signed(bit + channel * width, width)
    return count, rows, faults


def within(count: IntArray) -> IntArray:
    """0, 1, ... count[0] - 1, 0, 1, ... count[1] - 1, ...: place of each sample within its frame."""
    total = int(count.sum())
    if total == count.size:
        return np.zeros(total, np.int64) if bool((count == 1).all()) else _within(count, total)
    return _within(count, total)


def _within(count: IntArray, total: int) -> IntArray:
    return np.arange(total, dtype=np.int64) - np.repeat(np.cumsum(count) - count, count)


def _delta_rows(
    words: Words, first: IntArray, end: IntArray, layout: Layout
) -> tuple[IntArray, IntArray, npt.NDArray[np.uint8]]:
    """References and deltas of all frames, summed up within each frame as exact integers."""
    blocks = _block_headers(words, first + layout.wide * layout.width_bytes, end, layout.wide)
    faults = blocks.faults
    count = np.where(faults == 0, 1 + np.bincount(blocks.frame, blocks.count, first.size).astype(np.int64), 0)
    faults[count > MAX_SAMPLES] = _TOO_MANY
    count[count > MAX_SAMPLES] = 0
    good = count > 0
    kept = good[blocks.frame]
    n, bits = blocks.count[kept], blocks.bits[kept]
    row_bits = np.repeat(bits, n)
    bit = np.repeat(blocks.first_bit[kept], n) + row_bits * (layout.wide * within(n))

    start = np.cumsum(count) - count
    is_delta = np.ones(int(count.sum()), bool)
    is_delta[start[good]] = False
    rows = np.empty((is_delta.size, len(layout.channels)), np.int64)
    width = 8 * layout.width_bytes
    for channel in range(rows.shape[1]):
        step = np.empty(is_delta.size, np.int64)
        step[is_delta] = words.signed(bit + row_bits * channel, row_bits)
        step[start[good]] = words.signed(first[good] * 8 + channel * width, width)
        total = np.cumsum(step)
        before = total[start[good]] - step[start[good]]
        np.subtract(total, np.repeat(before, count[good]), out=rows[:, channel])
    return count, rows, faults


@dataclass(frozen=True, slots=True, eq=False)
class _Blocks:
    """Delta blocks in the order of their frames; `faults` is one code a frame, 0 = none."""

    frame: IntArray
    bits: IntArray
    count: IntArray
    first_bit: IntArray
    faults: npt.NDArray[np.uint8]


def _block_headers(words: Words, at: IntArray, end: IntArray, wide: int) -> _Blocks:
    """Walks the block headers of all frames in lock-step: one turn reads the next block of each."""
    faults = np.zeros(at.size, np.uint8)
    faults[at > end] = _TRUNCATED
    frame = np.flatnonzero(at < end)
    at, end = at[frame], end[frame]
    turns: list[tuple[IntArray, IntArray, IntArray, IntArray]] = []
    while frame.size:
        bits = words.octets[at].astype(np.int64)
        count = words.octets[at + 1].astype(np.int64)
        body = at + 2
        at = body + (bits * count * wide + 7) // 8
        faults[frame[at > end]] = _TRUNCATED
        faults[frame[bits > 32]] = _BITS
        sound = (at <= end) & (bits <= 32)
        turns.append((frame[sound], bits[sound], count[sound], body[sound] * 8))
        more = sound & (at < end)
        frame, at, end = frame[more], at[more], end[more]
    empty = np.zeros(0, np.int64)
    columns = [np.concatenate(column) for column in zip(*turns, strict=True)] or [empty] * 4
    order = np.argsort(columns[0], kind="stable")
    in_order = [column[order] for column in columns]
    return _Blocks(in_order[0], in_order[1], in_order[2], in_order[3], faults)


def _float_content(
    count: IntArray, rows: IntArray, faults: npt.NDArray[np.uint8], scale: float
) -> Content:  # fmt: skip
    """Bit patterns wrap around at 32 bits, and are read as float32 after the deltas were added."""
    patterns = np.ascontiguousarray(rows & 0xFFFFFFFF).astype(np.uint32)
    values = patterns.view(np.float32)
    finite = np.isfinite(values).all(axis=1)
    if not finite.all():
        owner = np.repeat(np.arange(count.size), count)
        faults[owner[~finite]] = _NOT_A_NUMBER
        values = values[faults[owner] == 0]
        count = np.where(faults == 0, count, 0)
    return Content(count, values.astype(np.float64) * np.float64(scale), _listed(faults))
