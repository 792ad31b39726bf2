"""Thalmic Myo armband: eight EMG channels at 200 Hz, orientation and motion at 50 Hz; it can vibrate.

EMG comes by four characteristics in turn, two samples of eight int8 each, the older first: raw counts, for
which the maker states no physical unit. A packet that is not the next in turn tells how many are missing,
except whole turns of four, which show as 40 ms of delay that does not go away. Motion is a quaternion
w x y z (int16, 16384 = 1), acc (2048 = 1 g) and gyro (16 = 1 deg/s) in 20 bytes. No clock, no counter.

Source: thalmiclabs/myo-bluetooth at c79c1a5, `myohw.h` (layouts, commands: certain); that numbers are
little-endian although the header says otherwise, the rate of each characteristic and the hidden filtered
stream: tested by third parties (PerlinWarp/pyomyo at 6c1728e, iomz/dl-myo at c385880). Inferred: the order of
the turn, and all loss detection. Not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import radians
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream, HostTimes
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Driver, Facts, KeepAwake
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import myo_session as session
from drivers.protocols import packet_columns as columns
from drivers.protocols.myo_session import CLASSIFIER, EMG, FILTERED, FIRMWARE, IMU, INFO, MOTION
from drivers.protocols.standard_gatt import battery_levels, read_battery

EMG_HZ, IMU_HZ = 200.0, 50.0
CHANNELS = tuple("12345678")
_EMG_BYTES, _IMU_BYTES, _FILTERED_BYTES = 16, 20, 17
_TURN_NS = 40_000_000
_QUAT = 1 / 16384
_ACC = STANDARD_GRAVITY_MPS2 / 2048
_GYR = radians(1) / 16
_WXYZ = ("w", "x", "y", "z")
NO_SAMPLES = frozenset({CLASSIFIER, MOTION, FIRMWARE, INFO})
"""Events, and what the start reads: kept in a recording, no fault of the stream."""

Known = tuple[FloatArray, npt.NDArray[Any]]


class MyoDecoder(BatchDecoder):
    """Decoder of one armband's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._axis = HostAxis()
        # 30 ms: less than a lost turn's 40. Grain: eight samples, one turn.
        self._emg = ArrivalStream(self._axis, EMG_HZ, late_s=0.03, grain=8)
        self._imu = ArrivalStream(self._axis, IMU_HZ)
        self._filtered = ArrivalStream(self._axis, IMU_HZ)
        self._battery = HostTimes(self._axis)
        self._turn = -1
        self._seen = RawPacket(0, "", b"")

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        faults = self._take_others(batch)
        emg, turn = self._sound_emg(batch, faults)
        imu, short = columns.sized(batch, columns.of(batch, IMU), _IMU_BYTES)
        filtered, cut = columns.sized(batch, columns.of(batch, FILTERED), _FILTERED_BYTES)
        faults.extend((int(i), "truncated packet") for i in (*short, *cut))
        self._set_zero(batch, emg, imu, filtered)
        made = [
            *self._emg_blocks(batch, emg, turn),
            *self._imu_blocks(batch, imu),
            *self._filtered_blocks(batch, filtered),
            *self._battery.release(),
        ]
        return made, refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """What was held back because it was not clear yet whether samples were missing before it."""
        empty, none = PacketBatch.of(()), np.zeros(0, np.int64)
        return [
            *self._emg_blocks(empty, none, none, last=True),
            *self._imu_blocks(empty, none, last=True),
            *self._filtered_blocks(empty, none, last=True),
            *self._battery.release(last=True),
        ]

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _take_others(self, batch: PacketBatch) -> Faults:
        """Battery, events that are no samples, strangers."""
        levels, faults = battery_levels(batch, {*EMG, IMU, FILTERED}, dict.fromkeys(NO_SAMPLES))
        for arrival_ns, percent in levels:
            self._battery.take(Modality.BATTERY, ("battery",), arrival_ns, [percent])
        return faults

    def _sound_emg(self, batch: PacketBatch, faults: Faults) -> tuple[IntArray, IntArray]:
        """Places of the EMG packets that are whole and no repetition, and each one's turn, 0..3."""
        turns = np.array([EMG.index(name) if name in EMG else -1 for name in batch.names], np.int64)
        if (turns < 0).all():
            none = np.zeros(0, np.int64)
            return none, none
        turn = turns[batch.which]
        packet, short = columns.sized(batch, np.flatnonzero(turn >= 0), _EMG_BYTES)
        faults.extend((int(i), "truncated packet") for i in short)
        if not packet.size:
            return packet, packet
        turn = turn[packet]
        again = np.flatnonzero(turn == np.concatenate([[self._turn], turn[:-1]]))
        repeated = [i for i in again.tolist() if self._repeats(batch, packet, i)]
        self._seen = batch[int(packet[-1])]
        if not repeated:
            return packet, turn
        faults.extend((int(packet[i]), "duplicate") for i in repeated)
        return np.delete(packet, repeated), np.delete(turn, repeated)

    def _repeats(self, batch: PacketBatch, packet: IntArray, i: int) -> bool:
        """Whether an EMG packet out of turn is the one before once more; a true one would be a turn later."""
        this, before = batch[int(packet[i])], batch[int(packet[i - 1])] if i else self._seen
        return this.payload == before.payload and this.arrival_ns - before.arrival_ns < _TURN_NS

    def _set_zero(self, batch: PacketBatch, *streams: IntArray) -> None:
        """The packet that came first sets the zero, whichever stream is taken first."""
        first = min((int(packet[0]) for packet in streams if packet.size), default=None)
        if first is None or self._axis.zero_ns is not None:
            return
        self._axis.relative(batch.arrival_ns[first : first + 1])
        older_ns = 1e9 / EMG_HZ if streams[0].size and first == streams[0][0] else 0.0
        self._axis.zero_ns = -older_ns

    def _emg_blocks(
        self, batch: PacketBatch, packet: IntArray, turn: IntArray, *, last: bool = False
    ) -> list[SampleBlock]:
        if not packet.size and not last:
            return []
        missing = 2 * ((turn - 1 - np.concatenate([[self._turn], turn[:-1]])) % 4)[: turn.size]
        if turn.size:
            if self._turn < 0:
                missing[0] = 0
            self._turn = int(turn[-1])
        octets = columns.gathered(batch.data, batch.ends[packet], _EMG_BYTES)
        rows = octets.view(np.int8).reshape(-1, 8)
        known = self._emg.take(batch.arrival_ns[packet], np.full(packet.size, 2), missing, rows, last=last)
        if known is None:
            return []
        return [SampleBlock(Modality.EMG, known[0], known[1].astype(np.float64), CHANNELS, EMG_HZ, unit="1")]

    def _imu_blocks(self, batch: PacketBatch, packet: IntArray, *, last: bool = False) -> list[SampleBlock]:
        if not packet.size and not last:
            return []
        rows = columns.shorts(columns.gathered(batch.data, batch.ends[packet], _IMU_BYTES))
        known = self._imu.take(batch.arrival_ns[packet], *_single(packet), rows, last=last)
        if known is None:
            return []
        t_s, raw = known
        return [
            SampleBlock(Modality.QUAT, t_s, raw[:, :4] * _QUAT, _WXYZ, IMU_HZ),
            SampleBlock(Modality.ACC, t_s, raw[:, 4:7] * _ACC, rate_hz=IMU_HZ),
            SampleBlock(Modality.GYR, t_s, raw[:, 7:] * _GYR, rate_hz=IMU_HZ),
        ]

    def _filtered_blocks(self, batch: PacketBatch, packet: IntArray, *, last: bool = False) -> list[SampleBlock]:
        if not packet.size and not last:
            return []
        octets = columns.gathered(batch.data, batch.ends[packet], _FILTERED_BYTES)
        rows = np.ascontiguousarray(octets[:, :16]).view("<u2")
        known = self._filtered.take(batch.arrival_ns[packet], *_single(packet), rows, last=last)
        if known is None:
            return []
        values = known[1].astype(np.float64)
        return [SampleBlock(Modality.EMG, known[0], values, CHANNELS, IMU_HZ, "filtered", "1")]


def _single(packet: IntArray) -> tuple[IntArray, IntArray]:
    """Counts and missing samples of packets that hold one sample each and tell no loss."""
    return np.ones(packet.size, np.int64), np.zeros(packet.size, np.int64)


DRIVER = Driver(
    name="myo",
    title="Thalmic Myo armband",
    decoder=MyoDecoder,
    recognises=session.recognises,
    start=session.start,
    stop=session.stop,
    defaults={"rate_hz": 200, "emg_mode": "raw"},
    packet_interval_s=0.05,
    facts=Facts(
        measures="emg x8, acc gyr quat",
        best_rate_hz=EMG_HZ,
        clock=None,
        loss="turn of four",
        ranges="16 g, 2000 deg/s; EMG in raw counts",
        battery=True,
        vibrates=True,
        seen="documents and published client tests; not on a device by us",
        caution="Made for forearms: a large calf needs an extension, EMG has no physical unit, and it is sold "
        "second-hand only.",
    ),
    battery=read_battery,
    keep_awake=(KeepAwake(60.0, session.STAY_AWAKE),),
    buzz=session.buzz,
)
