"""WitMotion WT901BLE family: a byte stream of 20-byte frames, no clock, no counter.

Data frame `55 61`, then int16 little-endian acc x y z (32768 = 16 g), gyro x y z (2000 deg/s), roll pitch
yaw (180 deg). Register reply `55 71 REG REG`, then the eight registers from REG on. Frames may be cut
anywhere over notifications: bytes are skipped up to a header, 20 are awaited, and nothing is looked for
inside a frame. There is no checksum.

Source: WITMOTION/WitBluetooth_BWT901BLE5_0 at 9efaab0 and the vendor's "BLE 5.0 Protocol" (layouts, commands:
certain); LiDline/witmotion_WT901BLECL_py, vrublack/WT901BLECL, getdoover/witmotion-sensors and public test
files of WT901BLE67/68 (behaviour: tested by third parties). Inferred: matching characteristics by their
16-bit prefix, because the base UUID differs by revision. Decoder not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import radians

import numpy as np
import numpy.typing as npt

from analysis.samples import STANDARD_GRAVITY_MPS2, XYZ, FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream, HostTimes
from drivers.clocks.device import nominal_rate_hz
from drivers.decoder import BatchDecoder, Settings
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import witmotion_session as session
from drivers.protocols.packet_columns import gathered, shorts
from drivers.protocols.witmotion_session import FRAME_BYTES, NOTIFY_PREFIX, words_of

RATES_HZ = (10.0, 0.2, 0.5, 1.0, 2.0, 5.0, 20.0, 50.0, 100.0, 200.0)
"""What a device may run at, the factory default first."""
ANGLES = ("roll", "pitch", "yaw")
_DATA, _REPLY = b"\x55\x61", b"\x55\x71"
_ACC = 16 * STANDARD_GRAVITY_MPS2 / 32768
_GYR = radians(2000) / 32768
_ANGLE = radians(180) / 32768
_STALE_NS = 1_000_000_000
"""A frame whose rest does not come within this was cut by the link's end, not by the radio's packets."""
_MAG_UT = {2: 0.15, 3: 0.013, 4: 0.058, 5: 0.098, 7: 0.02}
"""Magnetometer type (register 0x72) -> uT a step; type 6 is left out because sources differ."""
_TEMP, _MAG, _QUAT, _MAG_TYPE, _VOLTAGE = 0x40, 0x3A, 0x51, 0x72, 0x64

Counts = list[IntArray]


class WitmotionDecoder(BatchDecoder):
    """Decoder of one sensor's notifications; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._axis = HostAxis()
        self._stream = ArrivalStream(self._axis, nominal_rate_hz(settings.get("rate_hz")), rates=RATES_HZ)
        self._replies = HostTimes(self._axis)
        self._partial = b""
        self._partial_ns = 0
        self._mag_type = 0

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a modality; refused packets in their order."""
        batch = PacketBatch.of(packets)
        taken = _Taken()
        errors: list[PacketError] = []
        odd = np.flatnonzero(~_whole_frames(batch))
        at = 0
        while at < len(batch):
            border = int(np.searchsorted(odd, at))
            end = int(odd[border]) if border < odd.size else len(batch)
            if end > at and not self._partial:
                taken.add_whole(batch.between(at, end))
                at = end
                continue
            try:
                self._take_one(batch[at], taken)
            except PacketError as error:
                errors.append(error)
            at += 1
        return self._blocks(taken), errors

    def finish(self) -> list[SampleBlock]:
        """What was held back because it was not clear yet whether samples were missing before it."""
        return self._blocks(_Taken(), last=True)

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _take_one(self, packet: RawPacket, taken: _Taken) -> None:
        """One notification through the byte-stream parser."""
        if not packet.characteristic.startswith(NOTIFY_PREFIX):
            raise PacketError("unknown characteristic", packet.characteristic, packet.payload)
        if not packet.payload:
            raise PacketError("empty notification", packet.characteristic, packet.payload)
        if abs(packet.arrival_ns - self._partial_ns) > _STALE_NS:
            self._partial = b""
        frames, self._partial = cut_frames(self._partial + packet.payload)
        self._partial_ns = packet.arrival_ns
        if not frames and not self._partial:
            raise PacketError("no frame in it", packet.characteristic, packet.payload)
        data = [frame for frame in frames if frame[:2] == _DATA]
        if data:
            taken.add(np.array([packet.arrival_ns]), np.array([len(data)]), b"".join(data))
        for frame in frames:
            if frame[:2] == _REPLY:
                self._take_reply(frame, packet.arrival_ns)

    def _take_reply(self, frame: bytes, arrival_ns: int) -> None:
        """Registers whose meaning is certain; the others are left alone."""
        words = words_of(frame)
        self._mag_type = words.get(_MAG_TYPE, self._mag_type)
        if _TEMP in words:
            self._replies.take(Modality.TEMP, ("temp",), arrival_ns, [words[_TEMP] / 100])
        if words.get(_VOLTAGE, 0) > 0:
            percent = float(session.percent_of(words[_VOLTAGE]))
            self._replies.take(Modality.BATTERY, ("battery",), arrival_ns, [percent])
        mag, quat = ([words.get(first + i) for i in range(n)] for first, n in ((_MAG, 3), (_QUAT, 4)))
        if None not in mag and self._mag_type in _MAG_UT:
            scale = _MAG_UT[self._mag_type]
            self._replies.take(Modality.MAG, XYZ, arrival_ns, [scale * (word or 0) for word in mag])
        if None not in quat:
            unit = [(word or 0) / 32768 for word in quat]
            self._replies.take(Modality.QUAT, ("w", "x", "y", "z"), arrival_ns, unit)

    def _blocks(self, taken: _Taken, *, last: bool = False) -> list[SampleBlock]:
        arrival, count, rows = taken.columns()
        known = self._stream.take(arrival, count, np.zeros_like(count), rows, last=last)
        made = self._replies.release(last=last)
        if known is None:
            return made
        t_s, raw = known
        return [
            SampleBlock(Modality.ACC, t_s, _scaled(raw[:, 0:3], _ACC), rate_hz=self._stream.rate_hz),
            SampleBlock(Modality.GYR, t_s, _scaled(raw[:, 3:6], _GYR), rate_hz=self._stream.rate_hz),
            SampleBlock(Modality.EULER, t_s, _scaled(raw[:, 6:9], _ANGLE), ANGLES, self._stream.rate_hz),
            *made,
        ]


def cut_frames(stream: bytes) -> tuple[list[bytes], bytes]:
    """Complete frames of a byte stream, and the beginning of one that is not complete."""
    frames: list[bytes] = []
    at = 0
    while (at := stream.find(0x55, at)) >= 0:
        if at + 1 < len(stream) and stream[at + 1] not in (_DATA[1], _REPLY[1]):
            at += 1
        elif at + FRAME_BYTES > len(stream):
            return frames, stream[at:]
        else:
            frames.append(stream[at : at + FRAME_BYTES])
            at += FRAME_BYTES
    return frames, b""


def _whole_frames(batch: PacketBatch) -> npt.NDArray[np.bool_]:
    """(n,) whether a notification holds data frames and nothing else: almost all do."""
    fits = np.array([name.startswith(NOTIFY_PREFIX) for name in batch.names], bool)[batch.which]
    size = np.diff(batch.ends)
    fits &= (size > 0) & (size % FRAME_BYTES == 0)
    header = np.frombuffer(batch.data, np.uint8)
    packet = np.flatnonzero(fits)
    deepest = int(size[packet].max()) // FRAME_BYTES if packet.size else 0
    for depth in range(deepest):
        packet = packet[size[packet] > depth * FRAME_BYTES]
        at = batch.ends[packet] + depth * FRAME_BYTES
        fits[packet] &= (header[at] == _DATA[0]) & (header[at + 1] == _DATA[1])
    return fits


class _Taken:
    """Data frames found so far: arrival and number of frames by packet, and the frames."""

    def __init__(self) -> None:
        self._parts: list[tuple[IntArray, IntArray, bytes]] = []

    def add(self, arrival_ns: IntArray, count: IntArray, frames: bytes) -> None:
        self._parts.append((arrival_ns, count, frames))

    def add_whole(self, batch: PacketBatch) -> None:
        """Notifications that hold nothing but data frames."""
        self.add(batch.arrival_ns, np.diff(batch.ends) // FRAME_BYTES, batch.data)

    def columns(self) -> tuple[IntArray, IntArray, npt.NDArray[np.int16]]:
        """(k,) arrivals, (k,) frames of each, (n, 9) raw numbers."""
        if not self._parts:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 9), np.int16)
        arrival, count = (np.concatenate([part[i] for part in self._parts]) for i in (0, 1))
        frames = b"".join([part[2] for part in self._parts])
        first = np.arange(0, len(frames), FRAME_BYTES)
        return arrival, count, shorts(gathered(frames, first, FRAME_BYTES))[:, 1:]


def _scaled(raw: npt.NDArray[np.int16], scale: float) -> FloatArray:
    return raw * np.float64(scale)


DRIVER = Driver(
    name="witmotion",
    title="WitMotion WT901BLE family",
    decoder=WitmotionDecoder,
    recognises=session.recognises,
    start=session.start,
    stop=session.stop,
    defaults={"rate_hz": 100},
    packet_interval_s=0.1,
    facts=Facts(
        measures="acc gyr euler",
        best_rate_hz=100,
        clock=None,
        loss=None,
        ranges="16 g, 2000 deg/s",
        battery=True,
        vibrates=False,
        seen="documents and published captures; not on a device by us",
        caution="Without clock and counter, losses under 0.1 s cannot be told from a late packet; "
        "times are then off by up to that for some seconds.",
    ),
    battery=session.battery,
)
