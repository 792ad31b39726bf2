"""uMyo by Ultimate Robotics: one EMG channel with motion, over a connection or in its advertisements alone.

Connected (v3.1 firmware of 2026), notifications are told apart by their length. 20, 36, 52: index of the first sample
(uint32 little-endian), then 8, 16 or 24 int16 of EMG. 60: as 52, then a quaternion. 26: acc, gyro, magnetometer and
quaternion, int16, each 40 ms. EMG is ADC counts of unknown scale at about 1150 Hz; the index tells every loss.

Older firmware cannot be connected to. It advertises 15 bytes of its own in the place of a company's: data id, battery,
the spectrum's four components (the first by its high byte), muscle level m (m * m / 8) and a quaternion. A computer
hears some of them only. They are no EMG but its strength, in streams of their own, timed by their arrival.

Source: ultimaterobotics/uMyo at d3a14b3 (firmware v2.1 and v3.1), uMyo_BLE at 4944da4 (layouts: certain; acc 2 g and
gyro 500 deg/s over 28572 are the firmware's own scales). Inferred: 32767 as the quaternion's 1; the firmware writes
32000 as it stands, so that length is 0.977. The magnetometer is one of three kinds, so its scale is unknown. The
battery's millivolts are no percentage. Whether sensors ship with the new firmware is unknown. No published captures;
not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import radians

import numpy as np
import numpy.typing as npt

from analysis.samples import STANDARD_GRAVITY_MPS2, XYZ, FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream, ArrivalTimes
from drivers.clocks.device import DUPLICATE, nominal_rate_hz
from drivers.clocks.numbers import SILENT_NS, RunningNumber
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Advert, Driver, Facts
from drivers.errors import PacketError
from drivers.packets import ADVERTISEMENT, PacketBatch, RawPacket
from drivers.protocols import packet_columns as columns
from drivers.script import Script, Subscribe, Unsubscribe

TELEMETRY = "fc7a850d-c1a5-f61f-0da7-9995621fbd01"
NAME = "uMyo"
EMG_HZ, AUX_HZ = 1150.0, 25.0
ADVERT_BYTES = 15
_EMG_SAMPLES = {20: 8, 36: 16, 52: 24, 60: 24}
_QUAT_PACKET_BYTES, _QUAT_AT = 60, 52
_AUX_BYTES, _QUAT_BYTES, _INDEX_BYTES = 26, 8, 4
_KNOWN_SIZE = np.array([size in _EMG_SAMPLES or size == _AUX_BYTES for size in range(62)])
"""Which lengths there are; all beyond stand for the last."""
_ACC = 2 * STANDARD_GRAVITY_MPS2 / 32768
_GYR = radians(500) / 28572
_QUAT = 1 / 32767
_WXYZ = ("w", "x", "y", "z")
_SPECTRUM = ("0", "1", "2", "3")
_NONE = np.zeros(0, np.int64)

Shorts = npt.NDArray[np.int16]


class UmyoDecoder(BatchDecoder):
    """Decoder of one sensor's notifications and advertisements; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._axis = HostAxis()
        self._emg_hz = nominal_rate_hz(settings.get("rate_hz")) or EMG_HZ
        self._emg = ArrivalStream(self._axis, self._emg_hz)
        self._index = RunningNumber(1 << 32)
        self._quats = _Quats()
        self._aux = ArrivalStream(self._axis, AUX_HZ)
        self._heard = ArrivalTimes(self._axis)
        self._id = -1
        self._id_ns = 0

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        faults: Faults = []
        telemetry, size = self._sized(batch, faults)
        emg = telemetry[size != _AUX_BYTES]
        aux = telemetry[size == _AUX_BYTES]
        adverts = self._new_adverts(batch, faults)
        self._set_zero(batch, emg, aux, adverts)
        made = [
            *self._take_emg(batch, emg, faults),
            *self._aux_blocks(batch.arrival_ns[aux], _shorts(batch, aux, 0, _AUX_BYTES)),
            *self._advert_blocks(batch, adverts),
        ]
        return made, refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """What was held back because it was not clear yet whether samples were missing before it."""
        emg, aux = np.zeros((0, 1), np.int16), np.zeros((0, 13), np.int16)
        return [*self._emg_blocks(_NONE, _NONE, _NONE, emg, last=True), *self._aux_blocks(_NONE, aux, last=True)]

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _sized(self, batch: PacketBatch, faults: Faults) -> tuple[IntArray, IntArray]:
        """Places and sizes of the notifications whose length is one of the five; strangers are refused."""
        size = np.diff(batch.ends)
        faults.extend((i, "unknown characteristic") for i in columns.others(batch, TELEMETRY, ADVERTISEMENT))
        packet = columns.of(batch, TELEMETRY)
        fits = _KNOWN_SIZE[np.minimum(size[packet], _KNOWN_SIZE.size - 1)]
        if not fits.all():
            faults.extend((i, "unknown length") for i in packet[~fits].tolist())
            packet = packet[fits]
        return packet, size[packet]

    def _new_adverts(self, batch: PacketBatch, faults: Faults) -> IntArray:
        """Places of the advertisements whose data was not heard just before."""
        packet, odd = columns.sized(batch, columns.of(batch, ADVERTISEMENT), ADVERT_BYTES)
        faults.extend((i, "unknown length") for i in odd.tolist())
        if not packet.size:
            return packet
        number = np.frombuffer(batch.data, np.uint8)[batch.ends[packet]].astype(np.int64)
        arrival = batch.arrival_ns[packet]
        # In Python's own integers: two far arrivals may lie further apart than int64 reaches.
        again = np.flatnonzero(np.diff(number, prepend=self._id) == 0)
        before = {int(i): int(arrival[i - 1]) if i else self._id_ns for i in again}
        repeated = [i for i, before_ns in before.items() if abs(int(arrival[i]) - before_ns) < SILENT_NS]
        faults.extend((int(packet[i]), DUPLICATE) for i in repeated)
        self._id, self._id_ns = int(number[-1]), int(arrival[-1])
        return np.delete(packet, repeated)

    def _set_zero(self, batch: PacketBatch, emg: IntArray, aux: IntArray, adverts: IntArray) -> None:
        """The packet that came first sets the zero, whichever stream is taken first."""
        first = min((int(packet[0]) for packet in (emg, aux, adverts) if packet.size), default=None)
        if first is None or self._axis.zero_ns is not None:
            return
        self._axis.relative(batch.arrival_ns[first : first + 1])
        older = 0
        if emg.size and first == emg[0]:
            older = _EMG_SAMPLES[int(batch.ends[first + 1] - batch.ends[first])] - 1
        self._axis.zero_ns = -older * 1e9 / self._emg_hz

    def _take_emg(self, batch: PacketBatch, packet: IntArray, faults: Faults) -> list[SampleBlock]:
        size = batch.ends[packet + 1] - batch.ends[packet]
        count = (np.minimum(size, 52) - _INDEX_BYTES) // 2
        number = columns.gathered(batch.data, batch.ends[packet], _INDEX_BYTES).view("<u4").reshape(-1)
        arrival = batch.arrival_ns[packet]
        period_ns = np.full(packet.size, 1e9 / self._emg_hz)
        taken, missing, refused = self._index.judge(number.astype(np.int64), count, arrival, period_ns)
        faults.extend((int(packet[i]), why) for i, why in refused)
        if refused:
            packet, count, arrival, missing = packet[taken], count[taken], arrival[taken], missing[taken]
        last = np.cumsum(count)
        rows = np.empty((int(count.sum()), 1), np.int16)
        for samples in sorted(set(_EMG_SAMPLES.values())):
            these = np.flatnonzero(count == samples)
            if these.size == packet.size:
                rows = _shorts(batch, packet, _INDEX_BYTES, 2 * samples).reshape(-1, 1)
            elif these.size:
                place = (last[these] - samples)[:, None] + np.arange(samples)
                rows[place, 0] = _shorts(batch, packet[these], _INDEX_BYTES, 2 * samples)
        quats = np.flatnonzero(batch.ends[packet + 1] - batch.ends[packet] == _QUAT_PACKET_BYTES)
        self._quats.take(last[quats] - 1, _shorts(batch, packet[quats], _QUAT_AT, _QUAT_BYTES), len(rows))
        return self._emg_blocks(arrival, count, missing, rows)

    def _emg_blocks(
        self, arrival_ns: IntArray, count: IntArray, missing: IntArray, rows: Shorts, *, last: bool = False
    ) -> list[SampleBlock]:
        """EMG, and the quaternions that came with the last sample of their packets."""
        if not count.size and not last:
            return []
        known = self._emg.take(arrival_ns, count, missing, rows, last=last)
        if known is None:
            return []
        t_s, raw = known
        made = [_emg(t_s, raw, ("1",), rate_hz=self._emg_hz)]
        with_quat, quats = self._quats.release(t_s.size)
        if with_quat.size:
            made.append(SampleBlock(Modality.QUAT, t_s[with_quat], quats * np.float64(_QUAT), _WXYZ, stream="emg"))
        return made

    def _aux_blocks(self, arrival_ns: IntArray, rows: Shorts, *, last: bool = False) -> list[SampleBlock]:
        if not arrival_ns.size and not last:
            return []
        ones = np.ones_like(arrival_ns)
        known = self._aux.take(arrival_ns, ones, 0 * ones, rows, last=last)
        if known is None:
            return []
        t_s, raw = known
        return [
            SampleBlock(Modality.ACC, t_s, raw[:, 0:3] * _ACC, XYZ, AUX_HZ),
            SampleBlock(Modality.GYR, t_s, raw[:, 3:6] * _GYR, XYZ, AUX_HZ),
            SampleBlock(Modality.MAG, t_s, raw[:, 6:9].astype(np.float64), XYZ, AUX_HZ, unit="1"),
            SampleBlock(Modality.QUAT, t_s, raw[:, 9:13] * _QUAT, _WXYZ, AUX_HZ),
        ]

    def _advert_blocks(self, batch: PacketBatch, packet: IntArray) -> list[SampleBlock]:
        """Spectrum, muscle level and quaternion of advertisements."""
        if not packet.size:
            return []
        octets = columns.gathered(batch.data, batch.ends[packet], ADVERT_BYTES)
        t_s = self._heard.seconds(batch.arrival_ns[packet])
        high = octets.astype(np.int8).astype(np.float64) * 256
        words = np.ascontiguousarray(octets[:, 4:12]).view(">i2").astype(np.float64)
        level = octets[:, 3].astype(np.int64) ** 2 // 8
        quat = np.column_stack([words[:, 3], high[:, 12:15]]) * _QUAT
        return [
            _emg(t_s, np.column_stack([high[:, 2], words[:, :3]]), _SPECTRUM, "spectrum"),
            _emg(t_s, level[:, None], ("1",), "level"),
            SampleBlock(Modality.QUAT, t_s, quat, _WXYZ, stream="advertisement"),
        ]


class _Quats:
    """Quaternions that came with an EMG sample each, until the time of that sample is known."""

    def __init__(self) -> None:
        self._with = _NONE
        self._rows: Shorts = np.zeros((0, 4), np.int16)
        self._held = 0

    def take(self, place: IntArray, rows: Shorts, samples: int) -> None:
        """Takes (k, 4) quaternions that came with these of so many samples."""
        if place.size:
            self._with, self._rows = np.append(self._with, self._held + place), np.concatenate([self._rows, rows])
        self._held += samples

    def release(self, samples: int) -> tuple[IntArray, Shorts]:
        """Which of the oldest so many samples have a quaternion, and (k, 4) the quaternions."""
        known = int(np.searchsorted(self._with, samples))
        place, rows = self._with[:known], self._rows[:known]
        self._with, self._rows, self._held = self._with[known:] - samples, self._rows[known:], self._held - samples
        return place, rows


def _emg(
    t_s: FloatArray, values: npt.NDArray[np.generic], channels: tuple[str, ...], stream: str | None = None,
    rate_hz: float | None = None,
) -> SampleBlock:  # fmt: skip
    return SampleBlock(Modality.EMG, t_s, values.astype(np.float64), channels, rate_hz, stream, "1")


def _shorts(batch: PacketBatch, packet: IntArray, first: int, size: int) -> Shorts:
    """(n, size / 2) numbers that lie at byte `first` of these packets."""
    return columns.shorts(columns.gathered(batch.data, batch.ends[packet] + first, size))


def recognises(advert: Advert) -> bool:
    """The name alone: what stands in the place of a company is data."""
    return bool(advert.name and advert.name.startswith(NAME))


def advertised(advert: Advert) -> bytes | None:
    """The 15 bytes of data in an advertisement; None where it holds none.

    They begin in the place of the company's number, little-endian, which therefore is another each time.
    """
    for company, rest in reversed(list(advert.manufacturer_data.items())):
        if len(rest) == ADVERT_BYTES - 2:
            return company.to_bytes(2, "little") + rest
    return None


def start(settings: Settings) -> Script[Settings]:
    """Subscribe. A sensor that lacks the characteristic has older firmware, and is listened to."""
    yield Subscribe(TELEMETRY)
    return dict(settings) | {"rate_hz": EMG_HZ, "acc_range_g": 2.0, "gyr_range_deg_s": 500.0}


def stop(settings: Settings) -> Script[None]:
    """It streams while somebody listens."""
    yield Unsubscribe(TELEMETRY)


DRIVER = Driver(
    name="umyo",
    title="uMyo",
    decoder=UmyoDecoder,
    recognises=recognises,
    start=start,
    stop=stop,
    defaults={"rate_hz": EMG_HZ},
    packet_interval_s=0.1,
    facts=Facts(
        measures="emg acc gyr mag quat",
        best_rate_hz=EMG_HZ,
        clock=None,
        loss="sample index",
        ranges="2 g, 500 deg/s; EMG in raw counts",
        battery=False,
        vibrates=False,
        seen="documents; not on a device by us",
        caution="Motion is limited to 2 g; with firmware before 2026 only the strength of the EMG is heard, "
        "a part of it, and nothing tells what was missed.",
    ),
    least_mtu=64,
    advertised=advertised,
)
