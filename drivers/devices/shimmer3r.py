"""Shimmer3R: two channels of EMG and motion, each sample with the sensor's own clock.

All comes as one stream of bytes, which `drivers.protocols.shimmer_stream` cuts; what is in a frame, the sensor tells
by its answer to an inquiry. EMG is in raw counts of 24 bits, for its gain is not read. The clock (24 bits, 32768 Hz)
comes round every 512 s; the host's arrivals tell how often.

Source: ShimmerResearch/shimmer-web-sdk at 4ae69dc (messages, frames, calibration: certain). Inferred: how frames are
found again after a loss, that notifications may cut frames anywhere, and that writes while it streams are not needed.
Not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.counted import StampOrder, WrappingClock
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import packet_columns as columns
from drivers.protocols import shimmer_layout as layout
from drivers.protocols import shimmer_session as session
from drivers.protocols.shimmer_layout import CALIBRATED, CLOCK_HZ, CLOCK_WRAP, NOTIFY, Calibration, Group, Op
from drivers.protocols.shimmer_stream import Frames, FrameStream, Message, Notifications, Refused

_SILENT_NS = 1_000_000_000
"""After so long the link may be another one; a frame's rest does not come later."""
_OTHER_RANGE = 1.25
"""A calibration further from the usual one than this factor is of another range."""


class Shimmer3RDecoder(BatchDecoder):
    """Decoder of one sensor's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._stream = FrameStream()
        self._clock = WrappingClock(1e9 / CLOCK_HZ, CLOCK_WRAP)
        self._newer = StampOrder()
        self._axis = HostAxis()
        self._zero_ns = 0
        self._own: dict[Group, Calibration] = {}
        self._heard_ns: int | None = None

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        made = _Made()
        packet = columns.of(batch, NOTIFY)
        faults: Faults = [(int(i), "unknown characteristic") for i in np.delete(np.arange(len(batch)), packet)]
        empty = batch.ends[packet] == batch.ends[packet + 1]
        faults.extend((int(i), "empty notification") for i in packet[empty])
        for number, stretch in enumerate(self._stretches(batch, packet[~empty])):
            if number:
                self._stream.begin()
            faults.extend(self._take_stretch(_notifications(batch, stretch), made))
        return made.blocks(), refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """The last frame, which no other could confirm."""
        made = _Made()
        last = self._stream.finish()
        if last is not None:
            self._take(last, made)
        return made.blocks()

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _stretches(self, batch: PacketBatch, packet: IntArray) -> list[IntArray]:
        """Places of notifications without a long silence between them; the stream begins anew after each."""
        if not packet.size:
            return []
        arrival = np.clip(batch.arrival_ns[packet], -(1 << 61), 1 << 61)
        heard = np.diff(arrival, prepend=np.int64(arrival[0] if self._heard_ns is None else self._heard_ns))
        silent = np.flatnonzero(np.abs(heard) > _SILENT_NS)
        self._heard_ns = int(arrival[-1])
        return np.split(packet, silent)

    def _take_stretch(self, given: Notifications, made: _Made) -> Faults:
        """What these notifications bring. One that brings a frame is not refused for what else it holds."""
        refused: dict[int, str] = {}
        useful: list[IntArray] = []
        for event in self._stream.take(given):
            if isinstance(event, Refused):
                refused.setdefault(event.place, event.why)
            elif isinstance(event, Message):
                self._hear(event.content)
            else:
                useful.append(event.places)
                self._take(event, made)
        if not refused:
            return []
        brought = set(np.concatenate([np.zeros(0, np.int64), *useful]).tolist())
        return [(place, why) for place, why in refused.items() if place not in brought]

    def _take(self, frames: Frames, made: _Made) -> None:
        """Frames on the session's clock, in physical units; one that a clock set back would put earlier is left out."""
        now = self._clock.unwrapped_ns(frames.stamp, frames.arrival)
        taken, _ = self._newer.accept(now)
        if not taken.any():
            return
        octets = frames.octets if taken.all() else frames.octets[taken]
        if self._axis.zero_ns is None:
            self._axis.relative(frames.arrival[taken][:1])
            self._axis.zero_ns, self._zero_ns = 0.0, int(now[taken][0])
        t_s = (now[taken] - self._zero_ns) / 1e9
        for field in frames.schema.fields:
            raw = layout.numbers(octets, field)
            calibration = self._calibration(field.group, field.code)
            values = raw if calibration is None else calibration.applied(raw)
            made.add((field.group, frames.schema.stream(field.group), frames.schema.rate_hz), t_s, values)

    def _hear(self, message: bytes) -> None:
        """A sensor's own calibration; other answers tell nothing about samples."""
        group = CALIBRATED.get(Op(message[0]))
        calibration = layout.read_calibration(message) if group else None
        if group and calibration:
            self._own[group] = calibration

    def _calibration(self, group: Group, code: int) -> Calibration | None:
        """A sensor's own calibration if it can be of this range, else the usual one of its kind."""
        usual, own = layout.usual(group, code), self._own.get(group)
        if usual is None or own is None:
            return usual
        ratio = float(np.linalg.norm(own.matrix) / np.linalg.norm(usual.matrix))
        return own if 1 / _OTHER_RANGE < ratio < _OTHER_RANGE else usual


class _Made:
    """Samples made so far, to be joined into one block a stream."""

    def __init__(self) -> None:
        self._parts: dict[tuple[Group, str | None, float, int], list[tuple[FloatArray, FloatArray]]] = {}

    def add(self, key: tuple[Group, str | None, float], t_s: FloatArray, values: FloatArray) -> None:
        self._parts.setdefault((*key, values.shape[1]), []).append((t_s, values))

    def blocks(self) -> list[SampleBlock]:
        made = []
        for (group, stream, rate_hz, width), parts in self._parts.items():
            modality, _, channels = group.value
            times, values = (_whole([part[i] for part in parts]) for i in (0, 1))
            unit = "1" if modality is Modality.EMG else ""
            made.append(SampleBlock(modality, times, values, channels[:width], rate_hz, stream, unit))
        return made


def _whole(parts: list[FloatArray]) -> FloatArray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _notifications(batch: PacketBatch, packet: IntArray) -> Notifications:
    """These packets' bytes, one after another."""
    if not packet.size:
        return Notifications.none()
    starts, ends = batch.ends[packet], batch.ends[packet + 1]
    whole = int((ends - starts).sum()) == int(ends[-1] - starts[0])
    data = (
        batch.data[int(starts[0]) : int(ends[-1])]
        if whole
        else b"".join([batch.data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)])
    )
    size = np.cumsum(ends - starts)
    return Notifications(data, size - (ends - starts), size, batch.arrival_ns[packet], packet)


DRIVER = Driver(
    name="shimmer3r",
    title="Shimmer3R with ExG",
    decoder=Shimmer3RDecoder,
    recognises=session.recognises,
    start=session.start,
    stop=session.stop,
    defaults={"rate_hz": session.USUAL_HZ, "acc_range_g": 8, "gyr_range_deg_s": 2000, "emg": True},
    packet_interval_s=0.1,
    least_mtu=64,
    facts=Facts(
        measures="emg x2, acc gyr",
        best_rate_hz=1024,
        clock="1/32768 s, of each sample",
        loss="clock",
        ranges="16 g, 4000 deg/s; EMG in raw counts",
        battery=False,
        vibrates=False,
        seen="the maker's program only; not on a device by us",
        caution="EMG needs the unit with ExG and its electrodes and has no physical unit here; the battery cannot be "
        "read, so charge it every day.",
    ),
)
