"""Packets of the open profile `soleus-nus` as columns: headers and sample values of many at once. No clock.

Layout: `devices/soleus_nus.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.samples import XYZ, FloatArray, Modality
from drivers.packets import PacketBatch
from drivers.protocols.nus_layout import (
    HEADER_BYTES,
    IMU_SAMPLE_BYTES,
    LARGEST_SCALE,
    NO_GYRO,
    NO_UNIT,
    STATUS_BYTES,
    TX,
    VERSION,
    Kind,
    acc_scale,
    emg_scale,
    gyr_scale,
)
from drivers.protocols.packet_columns import IntArray, gathered, of, shorts
from drivers.protocols.polar_frames import Words, within

_HEAD = VERSION << 4
_DATA = (Kind.IMU, Kind.EMG)
CHANNELS = tuple("12345678")

Column = tuple[Modality, tuple[str, ...], str, FloatArray]
"""Modality, channels, unit ("" = the modality's own) and (n, channels) values."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What packets of one form hold.

    Attributes:
        count: (packets,) samples of each.
        counter: (packets,) number of each first sample.
        kind: IMU or EMG.
        form: byte 1 of the packets.
        raw: (sum of count, columns) integers.
    """

    count: IntArray
    counter: IntArray
    kind: int
    form: int
    raw: npt.NDArray[Any]

    def columns(self) -> Iterator[Column]:
        """The samples in SI units, by modality."""
        if self.kind == Kind.IMU:
            yield Modality.ACC, XYZ, "", self.raw[:, :3] * np.float64(acc_scale(self.form & 0x0F))
            if self.form >> 4 != NO_GYRO:
                yield Modality.GYR, XYZ, "", self.raw[:, 3:] * np.float64(gyr_scale(self.form >> 4))
        else:
            code = self.form >> 4
            unit, scale = ("1", 1.0) if code == NO_UNIT else ("", emg_scale(code))
            yield Modality.EMG, CHANNELS[: self.raw.shape[1]], unit, self.raw * np.float64(scale)


class Headers:
    """Headers of the packets with a clock (IMU, EMG, status), as columns.

    Attributes:
        faults: (place, reason) of each refused packet.
        words: (k,) places of hello, answer and status packets.
        packet: (n,) places of the packets with a clock, in the order received; the other columns go with it.
        kind: (n,) IMU, EMG or STATUS.
        form: (n,) byte 1.
        count: (n,) samples; 0 for status.
        stamp_us: (n,) device microseconds of the last sample, modulo 2**32.
        arrival_ns: (n,) host nanoseconds.
    """

    def __init__(self, batch: PacketBatch) -> None:
        self._batch = batch
        octets = np.frombuffer(batch.data + b"\0\0", np.uint8)
        strange = np.flatnonzero(batch.which != _place_of_tx(batch))
        self.faults: list[tuple[int, str]] = [(int(i), "unknown characteristic") for i in strange]
        packet = of(batch, TX)
        size, head = np.diff(batch.ends)[packet], octets[batch.ends[packet]].astype(np.int64)
        packet, size, head = self._keep(packet, size > 0, "empty packet", packet, size, head)
        packet, size, head = self._keep(packet, head >> 4 == VERSION, "another version's packet", packet, size, head)
        kind = head & 0x0F
        self.words: IntArray = packet[(kind == Kind.HELLO) | (kind == Kind.ANSWER) | (kind == Kind.STATUS)]
        clocked = np.isin(kind, (*_DATA, Kind.STATUS))
        packet, size, kind = packet[clocked], size[clocked], kind[clocked]
        form = octets[batch.ends[packet] + 1].astype(np.int64)
        count, sound = _counts(kind, size, form)
        data = kind != Kind.STATUS
        self.faults.extend((int(i), "truncated packet or unknown form") for i in packet[~sound & data])
        sound &= data | ((size >= STATUS_BYTES) & ((form <= 100) | (form == 0xFF)))
        self.packet: IntArray = packet[sound]
        self.kind, self.form, self.count = kind[sound], form[sound], count[sound]
        head_bytes = np.ascontiguousarray(gathered(batch.data, batch.ends[self.packet], HEADER_BYTES))
        self.counter: IntArray = head_bytes.view("<u2")[:, 1].astype(np.int64)
        self.stamp_us: IntArray = head_bytes.view("<u4")[:, 1].astype(np.int64)
        self.arrival_ns: IntArray = batch.arrival_ns[self.packet]

    def _keep(self, packet: IntArray, sound: npt.NDArray[np.bool_], why: str, *columns: IntArray) -> Sequence[IntArray]:
        self.faults.extend((int(i), why) for i in packet[~sound])
        return [column[sound] for column in columns]

    def samples(self, run: IntArray) -> Samples:
        """Raw samples of packets (places within these columns) that share kind and form."""
        kind, form = int(self.kind[run[0]]), int(self.form[run[0]])
        first, count = self._batch.ends[self.packet[run]] + HEADER_BYTES, self.count[run]
        if kind == Kind.IMU:
            raw = self._fixed(first, count, IMU_SAMPLE_BYTES)
        elif form & 0x08:
            raw = self._packed(first, count, (form & 7) + 1)
        else:
            raw = self._fixed(first, count, 2 * ((form & 7) + 1))
        return Samples(count, self.counter[run], kind, form, raw)

    def _fixed(self, first: IntArray, count: IntArray, size: int) -> npt.NDArray[Any]:
        """Samples of so many bytes, 16-bit numbers."""
        most = int(count.max())
        if most == int(count.min()):
            return shorts(gathered(self._batch.data, first, size * most)).reshape(-1, size // 2)
        return shorts(gathered(self._batch.data, np.repeat(first, count) + size * within(count), size))

    def _packed(self, first: IntArray, count: IntArray, channels: int) -> npt.NDArray[Any]:
        """12-bit numbers, least significant bit first."""
        words = Words(self._batch.data)
        bit = np.repeat(first * 8, count) + 12 * channels * within(count)
        return np.column_stack([words.signed(bit + 12 * channel, 12) for channel in range(channels)])


def telling(batch: PacketBatch, boot: int | None, lacking: Sequence[bool]) -> IntArray:
    """Places of packets that may change how the following ones are read.

    Args:
        batch: the packets.
        boot: the boot number known so far.
        lacking: whether the IMU's and the EMG's sample period is not known yet.
    """
    packet = of(batch, TX)
    packet = packet[np.diff(batch.ends)[packet] > 0]
    octets = np.frombuffer(batch.data, np.uint8)
    head = octets[batch.ends[packet]]
    words = packet[(head == _HEAD | Kind.HELLO) | (head == _HEAD | Kind.ANSWER)]
    status = packet[(head == _HEAD | Kind.STATUS) & (np.diff(batch.ends)[packet] >= STATUS_BYTES)]
    fields = shorts(gathered(batch.data, batch.ends[status], STATUS_BYTES)).view("<u2")
    tells = fields[:, 7] != boot if boot is not None else np.ones(status.size, bool)
    for place, lacks in zip((4, 5), lacking, strict=True):
        if lacks:
            tells = tells | (fields[:, place] > 0)
    return np.sort(np.concatenate([words, status[tells]]))


def _place_of_tx(batch: PacketBatch) -> int:
    return batch.names.index(TX) if TX in batch.names else -1


def _counts(kind: IntArray, size: IntArray, form: IntArray) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """(n,) samples of IMU and EMG packets, and whether size and form go together."""
    room = size - HEADER_BYTES
    channels = (form & 7) + 1
    bits = np.where(form & 8, 12, 16) * channels
    imu = kind == Kind.IMU
    count = np.where(imu, room // IMU_SAMPLE_BYTES, room * 8 // bits)
    needed = np.where(imu, count * IMU_SAMPLE_BYTES, (count * bits + 7) // 8)
    gyro = form >> 4
    known = np.where(imu, ((form & 15) <= LARGEST_SCALE) & ((gyro <= LARGEST_SCALE) | (gyro == NO_GYRO)), True)
    sound = (count > 0) & (needed == room) & known & (kind != Kind.STATUS)
    return np.where(sound, count, 0), sound | (kind == Kind.STATUS)
