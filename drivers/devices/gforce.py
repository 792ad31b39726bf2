"""OYMotion gForce armbands: eight EMG channels at up to 1000 Hz in 8 or 12 bits; they can vibrate. No clock.

EMG is 128 bytes a packet, sample by sample, channel by channel: 16 samples of 8 bits around 128, or 8 of 12 bits
(uint16) around 2048. Documents disagree about microvolts, so EMG is raw counts. acc, gyro and magnetometer are
int32 (65536 = 1 g, 1 deg/s, 1 uT), euler pitch roll yaw in degrees and the quaternion w x y z are float32.

Source: oymotion/gForceSDKPython at f20dc45, oymotion/gForceSDKCXX, oymotion/gForceDataProtocolSample (layouts:
certain); brainflow issue 703 and pull request 105 (acc and gyro disturb EMG, a rate may be lower than asked: tested by
third parties). Inferred: how wide the number of a packet is, and whether each type of packet has its own: the lesser
loss is believed. No published bytes; not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import radians

import numpy as np
import numpy.typing as npt

from analysis.samples import STANDARD_GRAVITY_MPS2, XYZ, FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream, HostTimes, Rows
from drivers.clocks.device import nominal_rate_hz
from drivers.clocks.numbers import RunningNumber
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import gforce_session as session
from drivers.protocols import packet_columns as columns
from drivers.protocols.gforce_frames import Assembly, Packets, numbers
from drivers.protocols.gforce_session import BATTERY, COMMAND, DATA, OK, RATES_HZ, EmgSettings
from drivers.protocols.packet_columns import Octets

EMG = 0x08
MOTION_RATES_HZ = (50.0, 10.0, 20.0, 25.0, 100.0, 200.0)
"""The rate of motion is not stated anywhere and read off the arrivals; the first is the maker's usual one."""


@dataclass(frozen=True, slots=True)
class _Motion:
    """Layout of one type of motion packet: as many numbers, of 4 bytes each, as it has channels."""

    modality: Modality
    layout: str
    scale: float
    channels: tuple[str, ...] = XYZ
    order: tuple[int, ...] = (0, 1, 2)


_FIXED = 1 / 65536
_MOTION = {
    0x01: _Motion(Modality.ACC, "<i4", STANDARD_GRAVITY_MPS2 * _FIXED),
    0x02: _Motion(Modality.GYR, "<i4", radians(1) * _FIXED),
    0x03: _Motion(Modality.MAG, "<i4", _FIXED),
    0x04: _Motion(Modality.EULER, "<f4", radians(1), ("roll", "pitch", "yaw"), (1, 0, 2)),
    0x05: _Motion(Modality.QUAT, "<f4", 1.0, ("w", "x", "y", "z"), (0, 1, 2, 3)),
}


_BODY = {kind: 4 * len(motion.channels) for kind, motion in _MOTION.items()}
_NONE = np.zeros(0, np.int64)
_NO_LOSS_KNOWN = 1 << 16


class GforceDecoder(BatchDecoder):
    """Decoder of one armband's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._axis = HostAxis()
        self._rate_hz = nominal_rate_hz(settings.get("rate_hz"))
        self._layout = EmgSettings(0.0, session.ALL_CHANNELS, 12 if settings.get("emg_bits") == 12 else 8)
        self._emg: dict[int, ArrivalStream] = {}
        self._motion = {kind: ArrivalStream(self._axis, None, rates=MOTION_RATES_HZ) for kind in _MOTION}
        self._numbers = {kind: {width: RunningNumber(1 << 8 * width) for width in (1, 2)} for kind in (EMG, *_MOTION)}
        self._before: dict[int, int | None] = {1: None, 2: None}
        self._assembly = Assembly()
        self._battery = HostTimes(self._axis)

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        made: list[SampleBlock] = []
        errors: list[PacketError] = []
        at = 0
        for border in [*_layout_changes(batch), len(batch)]:
            part = batch.between(at, border)
            faults: Faults = []
            made += self._data_blocks(part, faults)
            self._take_others(part, faults)
            errors += refusals(part, faults)
            at = border
        return made + self._battery.release(), errors

    def finish(self) -> list[SampleBlock]:
        """What was held back because it was not clear yet whether samples were missing before it."""
        made = [block for mask in self._emg for block in self._emg_block(mask, _NONE, _NONE, _NONE, _NONE, last=True)]
        made += [block for kind in _MOTION for block in self._motion_block(kind, _NONE, _NONE, _NONE, last=True)]
        return made + self._battery.release(last=True)

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _take_others(self, batch: PacketBatch, faults: Faults) -> None:
        """Replies of the command characteristic, strangers."""
        for i in columns.others(batch, DATA):
            packet = batch[i]
            if packet.characteristic != COMMAND:
                faults.append((i, "unknown characteristic"))
            elif why := self._take_reply(packet):
                faults.append((i, why))

    def _take_reply(self, packet: RawPacket) -> str:
        """Battery and EMG settings; why the reply is refused, empty where it is not."""
        reply = packet.payload
        if len(reply) < 2:
            return "truncated reply"
        if reply[:2] == bytes((OK, session.GET_EMG)):
            layout = EmgSettings.told(reply)
            if layout is None:
                return "EMG settings that no armband has"
            self._layout = layout
            self._rate_hz = self._rate_hz or layout.rate_hz
        elif reply[:2] == bytes((OK, BATTERY)):
            if len(reply) != 3 or reply[2] > 100:
                return "battery level is not 0 to 100 percent"
            self._battery.take(Modality.BATTERY, ("battery",), packet.arrival_ns, [float(reply[2])])
        return ""

    def _data_blocks(self, batch: PacketBatch, faults: Faults) -> list[SampleBlock]:
        whole = self._assembly.whole(batch, columns.of(batch, DATA), faults)
        width = self._widths(whole, faults)
        self._set_zero(whole, width)
        number = numbers(whole, width)
        shared = self._passed_over(number, width)
        made: list[SampleBlock] = []
        for kind in (EMG, *_MOTION):
            packet = np.flatnonzero((whole.kind == kind) & (width >= 0)).astype(np.int64)
            if not packet.size:
                continue
            taken, missing, refused = self._judge(kind, whole, packet, width, number, shared)
            faults.extend((int(whole.place[packet[i]]), why) for i, why in refused)
            packet, missing = packet[taken], missing[taken]
            if not packet.size:
                continue
            arrival, first = whole.arrival_ns[packet], whole.first[packet] + width[packet]
            if kind == EMG:
                size = whole.size[packet] - width[packet]
                rows = self._counts(_bodies(whole.data, first, size))
                samples = size // self._frame_bytes
                made += self._emg_block(self._layout.mask, arrival, samples, missing * samples, rows)
            else:
                octets = columns.gathered(whole.data, first, _BODY[kind])
                rows = np.ascontiguousarray(octets).view(_MOTION[kind].layout)
                made += self._motion_block(kind, arrival, missing, rows)
        return made

    @property
    def _frame_bytes(self) -> int:
        """One sample of every channel."""
        return len(self._layout.channels) * (2 if self._layout.bits == 12 else 1)

    def _widths(self, whole: Packets, faults: Faults) -> IntArray:
        """(n,) bytes of each packet's number, 0..2; -1 where the packet is refused or holds no samples."""
        body = np.full(whole.kind.size, -1)
        for kind, size in _BODY.items():
            body[whole.kind == kind] = size
        width = np.where(body < 0, -1, whole.size - body)
        emg, frame = whole.kind == EMG, self._frame_bytes
        # Frames of one or two bytes leave no room to tell the width by: the narrow number is the default.
        over = whole.size % frame if frame > 2 else whole.numbered.astype(np.int64)
        width[emg] = np.where(whole.size > over, over, -2)[emg]
        known = emg | (body >= 0)
        least = whole.numbered.astype(np.int64)
        wrong = known & ((width < least) | (width > 2 * least))
        faults.extend((int(i), "wrong length for its type") for i in whole.place[wrong])
        width[wrong] = -1
        self._refuse_odd_floats(whole, width, faults)
        return width

    def _refuse_odd_floats(self, whole: Packets, width: IntArray, faults: Faults) -> None:
        for kind in (0x04, 0x05):
            packet = np.flatnonzero((whole.kind == kind) & (width >= 0)).astype(np.int64)
            if not packet.size:
                continue
            octets = columns.gathered(whole.data, whole.first[packet] + width[packet], _BODY[kind])
            odd = packet[~np.isfinite(np.ascontiguousarray(octets).view("<f4")).all(axis=1)]
            faults.extend((int(i), "not a number") for i in whole.place[odd])
            width[odd] = -1

    def _set_zero(self, whole: Packets, width: IntArray) -> None:
        """The packet that came first sets the zero, whichever stream is taken first."""
        sound = np.flatnonzero(width >= 0)
        if self._axis.zero_ns is not None or not sound.size:
            return
        first = int(sound[0])
        self._axis.relative(whole.arrival_ns[first : first + 1])
        older = 0
        if whole.kind[first] == EMG:
            older = (int(whole.size[first]) - int(width[first])) // self._frame_bytes - 1
        self._axis.zero_ns = -older * self._emg_period_ns

    @property
    def _emg_period_ns(self) -> float:
        return 1e9 / (self._rate_hz or RATES_HZ[0])

    def _passed_over(self, number: IntArray, width: IntArray) -> IntArray:
        """(n,) numbers between each packet and the one received before it, of whatever type."""
        over = np.full(number.size, _NO_LOSS_KNOWN)
        for wide in (1, 2):
            packet = np.flatnonzero(width == wide)
            if packet.size:
                before = self._before[wide]
                steps = np.diff(number[packet], prepend=number[packet[0]] if before is None else before)
                over[packet] = (steps - 1) % (1 << 8 * wide)
                self._before[wide] = int(number[packet[-1]])
        return over

    def _judge(
        self, kind: int, whole: Packets, packet: IntArray, width: IntArray, number: IntArray, shared: IntArray
    ) -> tuple[npt.NDArray[np.bool_], IntArray, list[tuple[int, str]]]:
        """Which packets of a type are new, how many are missing before each, and which are refused."""
        taken, missing = np.ones(packet.size, bool), np.zeros(packet.size, np.int64)
        refused: list[tuple[int, str]] = []
        for wide, running in self._numbers[kind].items():
            at = np.flatnonzero(width[packet] == wide)
            if not at.size:
                continue
            chosen = packet[at]
            samples = (whole.size[chosen] - wide) // self._frame_bytes if kind == EMG else np.ones_like(chosen)
            period_ns = self._emg_period_ns if kind == EMG else 1e9 / MOTION_RATES_HZ[0]
            taken[at], missing[at], odd = running.judge(
                number[chosen],
                np.ones_like(chosen),
                whole.arrival_ns[chosen],
                _times(samples, period_ns),
                shared[chosen],
            )
            refused += [(int(at[i]), why) for i, why in odd]
        return taken, missing, refused

    def _counts(self, octets: Octets) -> Rows:
        """(n, channels) EMG with the zero level removed."""
        if self._layout.bits == 12:
            return octets.view("<u2").reshape(-1, len(self._layout.channels)).astype(np.int32) - 2048
        return np.subtract(octets.reshape(-1, len(self._layout.channels)), 128, dtype=np.int16)

    def _emg_block(
        self, mask: int, arrival_ns: IntArray, count: IntArray, missing: IntArray, rows: Rows, *, last: bool = False
    ) -> list[SampleBlock]:
        stream = self._emg.get(mask)
        if stream is None:
            stream = self._emg[mask] = ArrivalStream(self._axis, self._rate_hz, rates=RATES_HZ)
        known = stream.take(arrival_ns, count, missing, rows, last=last)
        if known is None:
            return []
        channels = EmgSettings(0.0, mask, 8).channels
        return [SampleBlock(Modality.EMG, known[0], known[1].astype(np.float64), channels, stream.rate_hz, unit="1")]

    def _motion_block(
        self, kind: int, arrival_ns: IntArray, missing: IntArray, rows: Rows, *, last: bool = False
    ) -> list[SampleBlock]:
        motion, stream = _MOTION[kind], self._motion[kind]
        known = stream.take(arrival_ns, np.ones_like(arrival_ns), missing, rows, last=last)
        if known is None:
            return []
        values = known[1][:, motion.order].astype(np.float64) * motion.scale
        return [SampleBlock(motion.modality, known[0], values, motion.channels, stream.rate_hz)]


def _times(count: IntArray, period_ns: float) -> FloatArray:
    return count.astype(np.float64) * period_ns


def _layout_changes(batch: PacketBatch) -> list[int]:
    """Places just behind the replies that tell how EMG is sampled."""
    head = bytes((OK, session.GET_EMG))
    return [i + 1 for i in columns.of(batch, COMMAND).tolist() if batch[i].payload[:2] == head]


def _bodies(data: bytes, first: IntArray, size: IntArray) -> Octets:
    """All bytes of these bodies, one after another."""
    if bool((size == size[0]).all()):
        return columns.gathered(data, first, int(size[0])).reshape(-1)
    joined = b"".join([data[at : at + length] for at, length in zip(first.tolist(), size.tolist(), strict=True)])
    return np.frombuffer(joined, np.uint8)


DRIVER = Driver(
    name="gforce",
    title="OYMotion gForce armbands",
    decoder=GforceDecoder,
    recognises=session.recognises,
    start=session.start,
    stop=session.stop,
    defaults={"rate_hz": 500, "emg_bits": 8},
    packet_interval_s=0.1,
    facts=Facts(
        measures="emg x8",
        best_rate_hz=1000,
        clock=None,
        loss="counter",
        ranges="EMG in raw counts, 8 or 12 bits",
        battery=True,
        vibrates=True,
        seen="documents; not on a device by us",
        caution="Made for forearms: a large calf needs an extension, EMG has no physical unit, and motion is left off "
        "because it disturbs EMG.",
    ),
    battery=session.battery,
    buzz=session.buzz,
)
