"""Data packets of MetaWear boards as columns: which stream, how many samples, their raw numbers. No clock. Sans-IO.

Source: mbientlab/MetaWear-SDK-Cpp at f67699e (certain). A register and a size tell the packet, whatever the chip.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from math import radians
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.samples import STANDARD_GRAVITY_MPS2, XYZ, FloatArray, Modality
from drivers.packets import PacketBatch
from drivers.protocols import packet_columns as columns
from drivers.protocols.metamotion_layout import NOTIFY, PACKED, READ, TIMED, Module, Processor
from drivers.protocols.packet_columns import IntArray
from drivers.protocols.polar_frames import within

_FUSION = "fusion"
_SHORTS, _FLOATS = "<i2", "<f4"


@dataclass(frozen=True, slots=True)
class Layout:
    """One stream of a board.

    Attributes:
        modality: what it is.
        channels: names of the columns of its samples.
        form: of each number.
        bytes: of a sample, whatever follows its numbers included.
        scale: SI units a step; the accelerometer's and the gyroscope's follow their range and are 0 here.
        stream: tells what the board computes from what it measures.
        order: where the channels stand among a sample's numbers.
    """

    modality: Modality
    channels: tuple[str, ...] = XYZ
    form: str = _SHORTS
    bytes: int = 6
    scale: float = 0.0
    stream: str | None = None
    order: tuple[int, ...] = (0, 1, 2)

    def values(self, rows: npt.NDArray[Any], scale: float) -> FloatArray:
        """(n, channels) in SI units."""
        wanted = rows if self.order == tuple(range(rows.shape[1])) else rows[:, self.order]
        scaled: FloatArray = wanted * np.float64(scale)
        return scaled


class Source(Enum):
    """The streams of a board."""

    ACC = Layout(Modality.ACC)
    GYR = Layout(Modality.GYR)
    MAG = Layout(Modality.MAG, scale=1 / 16)
    FUSED_ACC = Layout(Modality.ACC, XYZ, _FLOATS, 13, STANDARD_GRAVITY_MPS2 / 1000, _FUSION)
    FUSED_GYR = Layout(Modality.GYR, XYZ, _FLOATS, 13, radians(1), _FUSION)
    FUSED_MAG = Layout(Modality.MAG, XYZ, _FLOATS, 13, 1.0, _FUSION)
    QUAT = Layout(Modality.QUAT, ("w", "x", "y", "z"), _FLOATS, 16, 1.0, None, (0, 1, 2, 3))
    EULER = Layout(Modality.EULER, ("roll", "pitch", "yaw"), _FLOATS, 16, radians(1), None, (2, 1, 3))
    FREE_ACC = Layout(Modality.FREE_ACC, XYZ, _FLOATS, 12, 1.0)


_REGISTERS: Mapping[tuple[int, int], tuple[Source, tuple[int, ...]]] = {
    (Module.ACC, 0x04): (Source.ACC, (1,)),
    (Module.ACC, 0x05): (Source.ACC, (PACKED,)),
    (Module.ACC, 0x1C): (Source.ACC, (PACKED,)),
    (Module.GYR, 0x04): (Source.GYR, (1,)),
    (Module.GYR, 0x05): (Source.GYR, (1, PACKED)),
    (Module.GYR, 0x07): (Source.GYR, (PACKED,)),
    (Module.MAG, 0x05): (Source.MAG, (1,)),
    (Module.MAG, 0x09): (Source.MAG, (PACKED,)),
    (Module.FUSION, 0x04): (Source.FUSED_ACC, (1,)),
    (Module.FUSION, 0x05): (Source.FUSED_GYR, (1,)),
    (Module.FUSION, 0x06): (Source.FUSED_MAG, (1,)),
    (Module.FUSION, 0x07): (Source.QUAT, (1,)),
    (Module.FUSION, 0x08): (Source.EULER, (1,)),
    (Module.FUSION, 0x0A): (Source.FREE_ACC, (1,)),
}
HEADER_BYTES, STAMP_BYTES = 2, 4


def _code(module: int, register: int, size: int) -> int:
    return module << 16 | register << 8 | size


_DATA = {
    _code(module, register, HEADER_BYTES + count * source.value.bytes): (source, count)
    for (module, register), (source, counts) in _REGISTERS.items()
    for count in counts
}
STAMPED = {
    _code(Module.PROCESSOR, Processor.NOTIFY, HEADER_BYTES + 1 + STAMP_BYTES + count * 6): count for count in (1, TIMED)
}
"""Packets of a data processor that begin with clock or counter -> samples in them."""
ADDED = _code(Module.PROCESSOR, Processor.ADD, 3)
"""A board says that it has made a processor."""
BATTERY = _code(Module.SETTINGS, READ | 0x0C, 5)
TEMPERATURE = _code(Module.TEMP, READ | 0x01, 5)
_GRAVITY = _code(Module.FUSION, 0x09, 14)
_SWITCH = _code(Module.SWITCH, 0x01, 3)
_SILENT = frozenset({ADDED, BATTERY, TEMPERATURE, _GRAVITY, _SWITCH})
"""No samples of a stream: told apart elsewhere, or of no modality."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Packets of one stream.

    Attributes:
        packet: (n,) places within the batch.
        count: (n,) samples of each.
        header: bytes before the first sample.
    """

    packet: IntArray
    count: IntArray
    header: int

    def only(self, chosen: npt.NDArray[Any]) -> Found:
        """Some of them."""
        return Found(self.packet[chosen], self.count[chosen], self.header)


class Frames:
    """What the packets of a batch are.

    Attributes:
        batch: the packets.
        codes: (n,) module, register and size of each packet; -1 for another characteristic's and for fragments.
        faults: (place, reason) of each refused packet.
        sources: the streams with packets here.
        stamped: packets with the board's clock or counter.
    """

    def __init__(self, batch: PacketBatch, codes: IntArray) -> None:
        """What `codes_of` found.

        Args:
            batch: the packets.
            codes: theirs.
        """
        self.batch = batch
        self.codes = codes
        kinds = np.unique(self.codes).tolist()
        self.faults: list[tuple[int, str]] = []
        for kind in kinds:
            why = _why_refused(kind)
            if why:
                own = np.flatnonzero(self.codes == kind)
                self.faults.extend((i, why) for i in own.tolist() if _of_board(batch, i))
        grouped: dict[Source, list[int]] = {}
        for kind in kinds:
            if kind in _DATA:
                grouped.setdefault(_DATA[kind][0], []).append(kind)
        self.sources = {
            source: self._found({kind: _DATA[kind][1] for kind in own}, HEADER_BYTES) for source, own in grouped.items()
        }
        stamped = {kind: STAMPED[kind] for kind in kinds if kind in STAMPED}
        self.stamped = self._found(stamped, HEADER_BYTES + 1 + STAMP_BYTES)

    def _found(self, counts: Mapping[int, int], header: int) -> Found:
        packet = np.flatnonzero(np.isin(self.codes, list(counts)))
        count = np.zeros(packet.size, np.int64)
        for kind, samples in counts.items():
            count[self.codes[packet] == kind] = samples
        return Found(packet.astype(np.int64), count, header)

    def places(self, code: int) -> IntArray:
        """Places of one kind of packet."""
        return np.flatnonzero(self.codes == code).astype(np.int64)

    def ids(self, found: Found) -> IntArray:
        """(n,) processor of each stamped packet."""
        octets = np.frombuffer(self.batch.data, np.uint8)
        return octets[self.batch.ends[found.packet] + HEADER_BYTES].astype(np.int64)

    def stamps(self, found: Found) -> IntArray:
        """(n,) clock or counter of each stamped packet, modulo 2**32."""
        at = self.batch.ends[found.packet] + HEADER_BYTES + 1
        octets = np.ascontiguousarray(columns.gathered(self.batch.data, at, STAMP_BYTES))
        return octets.view("<u4").reshape(-1).astype(np.int64)

    def rows(self, source: Source, found: Found) -> npt.NDArray[Any]:
        """(sum of count, numbers) raw samples."""
        layout = source.value
        first = self.batch.ends[found.packet] + found.header
        if not found.packet.size:
            octets = np.zeros((0, layout.bytes), np.uint8)
        elif int(found.count.max()) == int(found.count.min()):
            most = int(found.count[0])
            octets = columns.gathered(self.batch.data, first, layout.bytes * most).reshape(-1, layout.bytes)
        else:
            first = np.repeat(first, found.count) + layout.bytes * within(found.count)
            octets = columns.gathered(self.batch.data, first, layout.bytes)
        width = len(layout.order) if layout.form == _SHORTS else layout.bytes // 4
        size = np.dtype(layout.form).itemsize
        return np.ascontiguousarray(octets[:, : width * size]).view(layout.form)


def codes_of(batch: PacketBatch) -> IntArray:
    """(n,) module, register and size of each packet of a board; -1 for what has no such thing."""
    size = np.diff(batch.ends)
    own = batch.which == (batch.names.index(NOTIFY) if NOTIFY in batch.names else -1)
    sound = own & (size >= HEADER_BYTES)
    octets = np.frombuffer(batch.data + b"\0\0", np.uint8)
    at = np.where(sound, batch.ends[:-1], 0)
    module, register = octets[at].astype(np.int64), octets[at + 1].astype(np.int64)
    codes: IntArray = module << 16 | register << 8 | np.minimum(size, 0xFF)
    return np.where(sound, codes, -1)


def _of_board(batch: PacketBatch, i: int) -> bool:
    return batch[i].characteristic == NOTIFY


def _why_refused(code: int) -> str:
    """Empty where a packet is what it should be: samples, a reply, or an event without samples."""
    if code < 0:
        return "truncated packet"
    module, register = code >> 16, code >> 8 & 0xFF
    if code in _DATA or code in STAMPED or code in _SILENT:
        return ""
    if module not in list(Module):
        return "unknown module"
    if register & READ and (module, register) not in _MEASURED:
        return ""
    return "unknown register or size"


_MEASURED = {(Module.SETTINGS, READ | 0x0C), (Module.TEMP, READ | 0x01)}
"""Replies with a measurement, whose size must be right."""
