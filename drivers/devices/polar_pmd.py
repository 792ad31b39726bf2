"""Polar Verity Sense, OH1 and H10 over the PMD service: notifications -> samples in SI units.

Layouts are in `drivers.protocols.polar_frames`, control-point answers in `drivers.protocols.polar_control`,
sample times in `drivers.clocks.device`. Source: polarofficial/polar-ble-sdk at 8fb5311c (2026-05-29), "Online
measurement" (Aug 2024) and TimeSystemExplained.md. Seen on real bytes: PPG block layout only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.clocks.device import HIGHEST_STAMP_NS, FrameOrder, FramePlacer, SessionZero, nominal_rate_hz, spread
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import polar_session
from drivers.protocols.polar_control import CONTROL, DATA, ControlPoint
from drivers.protocols.polar_frames import (
    ACC,
    DELTA,
    GYRO,
    HEADER_BYTES,
    LAYOUTS,
    MAG,
    PPG,
    TYPE_NAME,
    IntArray,
    Layout,
    Words,
    content,
    within,
)  # fmt: skip
from drivers.protocols.standard_gatt import BATTERY_LEVEL, HEART_RATE, battery_percent, heart_rate_bpm, read_battery

POSSIBLE_RATES_HZ: dict[int, tuple[float, ...]] = {MAG: (10, 20, 50, 100), PPG: (55, 135)}
"""Rates of the measurements that do not share ACC's and GYRO's; `rate_hz` may be meant for those."""
USUAL_RATE_HZ = {ACC: 52.0, GYRO: 52.0, MAG: 50.0, PPG: 55.0}
USUAL_RAW_RATE_HZ = 200.0
"""Raw frames are the H10's, which streams at 200 Hz unless told otherwise."""
_CHUNK_BYTES = 1 << 20
_HELD_FRAMES = 8
"""So many frames wait for the rate of the stream that came first, then its usual rate is taken."""

_AUXILIARY = {
    BATTERY_LEVEL: (Modality.BATTERY, battery_percent),
    HEART_RATE: (Modality.HR, heart_rate_bpm),
}

Rate = Callable[[int], float | None]


@dataclass(slots=True, eq=False)
class _Stream:
    """One measurement's frames on their way to blocks."""

    measurement: int
    order: FrameOrder
    placer: FramePlacer
    layout: Layout
    usual_ns: float
    owns_zero: bool = False
    ends: list[IntArray] = field(default_factory=list)
    counts: list[IntArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    held: int = 0

    def hold(self, end: IntArray, count: IntArray, values: FloatArray) -> None:
        self.ends.append(end)
        self.counts.append(count)
        self.values.append(values)
        self.held += end.size

    def release(self, zero: SessionZero) -> tuple[FloatArray, FloatArray]:
        """Times and values of everything held."""
        end, count, values = (
            np.concatenate(self.ends),
            np.concatenate(self.counts),
            np.concatenate(self.values),
        )
        self.ends, self.counts, self.values, self.held = [], [], [], 0
        start, step = self.placer.place(end, count, self.usual_ns)
        if zero.zero_ns is None:
            zero.zero_ns = float(start[0] + step[0])
        return zero.seconds(spread(start, step, count, within(count))), values


class PolarPmdDecoder(BatchDecoder):
    """Decoder of one sensor's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._stated_rate = settings.get("rate_hz")
        self._control = ControlPoint()
        self._zero = SessionZero()
        self._streams: dict[int, _Stream] = {}
        self._waiting: list[tuple[Modality, int, float]] = []
        self._last_auxiliary: dict[Modality, int] = {}

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        made = _Made()
        faults: Faults = []
        for first, last in self._parts(batch):
            faults.extend((first + i, why) for i, why in self._take(batch.between(first, last), made))
        return made.blocks(self._rate_hz), refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """What was held back for want of a rate, at the device's usual one."""
        made = _Made()
        self._settle(made, usual=True)
        if self._zero.zero_ns is None and self._waiting:
            self._zero.arrival_ns, self._zero.zero_ns = self._waiting[0][1], 0.0
        self._settle_auxiliary(made)
        return made.blocks(self._rate_hz)

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        zero = self._zero
        return None if zero.zero_ns is None else zero.arrival_ns + round(zero.zero_ns)

    def _parts(self, batch: PacketBatch) -> Iterator[tuple[int, int]]:
        """Stretches that can be taken at once: single frames until the zero is known, then about 1 MB.

        A control-point answer stands alone, because it may change the conversion factor.
        """
        at = 0
        data = batch.which == (batch.names.index(DATA) if DATA in batch.names else -1)
        for frame in map(int, np.flatnonzero(data)):
            if self._zero.zero_ns is not None:
                break
            yield at, frame + 1
            at = frame + 1
        if CONTROL in batch.names:
            alone = np.flatnonzero(batch.which[at:] == batch.names.index(CONTROL)) + at
            borders = np.unique(np.concatenate([alone, alone + 1, [len(batch)]])).tolist()
        else:
            borders = [len(batch)]
        for border in borders:
            while at < border:
                full = int(np.searchsorted(batch.ends, batch.ends[at] + _CHUNK_BYTES))
                last = min(border, max(full, at + 1))
                yield from self._without_jumps(batch, at, last)
                at = last

    def _without_jumps(self, batch: PacketBatch, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Halves a stretch until no part holds a clock jump, save single packets.

        A jump is bridged by whichever stream shows it first, so streams must then go in packet order.
        """
        if last - first > 1 and self._may_jump(batch.between(first, last)):
            middle = (first + last) // 2
            yield from self._without_jumps(batch, first, middle)
            yield from self._without_jumps(batch, middle, last)
        else:
            yield first, last

    def _may_jump(self, batch: PacketBatch) -> bool:
        frames = _Frames(batch)
        for measurement in np.unique(frames.measurement).tolist():
            stream = self._streams.get(measurement)
            order = stream.order if stream else FrameOrder(self._zero)
            if order.may_jump(frames.stamp[frames.measurement == measurement]):
                return True
        return False

    def _take(self, batch: PacketBatch, made: _Made) -> Faults:
        """One stretch of packets."""
        faults = self._take_others(batch)
        frames = _Frames(batch)
        faults.extend(frames.faults)
        for measurement in np.unique(frames.measurement).tolist():
            faults.extend(self._take_measurement(frames, measurement))
        self._settle(made)
        self._settle_auxiliary(made)
        return faults

    def _take_others(self, batch: PacketBatch) -> Faults:
        """Everything that is not a data frame: control point, battery, heart rate, strangers."""
        faults: Faults = []
        data = batch.names.index(DATA) if DATA in batch.names else -1
        for i in np.flatnonzero(batch.which != data).tolist():
            packet = batch[i]
            try:
                self._take_other(packet)
            except PacketError as error:
                faults.append((i, error.reason))
        return faults

    def _take_other(self, packet: RawPacket) -> None:
        if packet.characteristic == CONTROL:
            self._control.read(packet.payload)
        elif packet.characteristic in _AUXILIARY:
            modality, read = _AUXILIARY[packet.characteristic]
            self._waiting.append((modality, packet.arrival_ns, read(packet.payload)))
        else:
            raise PacketError("unknown characteristic", packet.characteristic, packet.payload)

    def _take_measurement(self, frames: _Frames, measurement: int) -> Faults:
        """Frames of one measurement, in runs of one frame type (a sensor never changes it midway)."""
        own = np.flatnonzero(frames.measurement == measurement)
        kind = frames.kind[own]
        faults: Faults = []
        for run in np.split(own, np.flatnonzero(kind[1:] != kind[:-1]) + 1):
            layout = LAYOUTS.get((measurement, int(frames.kind[run[0]])))
            if layout is None:
                why = _why_unknown(measurement, int(frames.kind[run[0]]))
                faults.extend((int(i), why) for i in frames.packet[run])
            else:
                faults.extend(self._take_run(frames, run, measurement, layout))
        return faults

    def _take_run(self, frames: _Frames, run: IntArray, measurement: int, layout: Layout) -> Faults:
        first, end = frames.first[run] + HEADER_BYTES, frames.end[run]
        found = content(frames.words, first, end, layout, self._control.factor(measurement))
        faults = [(int(frames.packet[run[i]]), why) for i, why in found.faults]
        sound = np.flatnonzero(found.count)
        if not sound.size:
            return faults
        run, count, values = run[sound], found.count[sound], found.values
        stream = self._stream(measurement, layout)
        taken, moved, refused = stream.order.accept(frames.stamp[run], count, frames.arrival[run])
        faults.extend((int(frames.packet[run[i]]), why) for i, why in refused)
        if not taken.all():
            values = values[np.repeat(taken, count)]
        base = self._zero.base_ns or 0
        stream.hold(moved[taken] - base, count[taken], values)
        return faults

    def _stream(self, measurement: int, layout: Layout) -> _Stream:
        if measurement not in self._streams:
            rate_hz = self._rate_hz(measurement)
            usual_hz = USUAL_RATE_HZ[measurement] if layout.delta else USUAL_RAW_RATE_HZ
            self._streams[measurement] = _Stream(
                measurement,
                FrameOrder(self._zero),
                FramePlacer(1e9 / rate_hz if rate_hz else None),
                layout,
                1e9 / usual_hz,
                owns_zero=not self._streams,
            )
        return self._streams[measurement]

    def _rate_hz(self, measurement: int) -> float | None:
        return nominal_rate_hz(self._stated_rate, POSSIBLE_RATES_HZ.get(measurement, ()))

    def _settle(self, made: _Made, *, usual: bool = False) -> None:
        """Releases what can be placed; the stream that came first goes first, because it sets the zero."""
        others = [stream.held for stream in self._streams.values() if not stream.owns_zero]
        unsettled = self._zero.zero_ns is None and max(others, default=0) >= _HELD_FRAMES
        for stream in self._streams.values():
            known = stream.placer.has_rate or stream.held > 1
            if stream.owns_zero:
                known = known or unsettled
            elif self._zero.zero_ns is None:
                continue
            if stream.held and (known or usual):
                made.add(stream.measurement, stream.layout, *stream.release(self._zero))

    def _settle_auxiliary(self, made: _Made) -> None:
        """Battery and heart rate have no clock of their own: they follow the host's, tied to the zero."""
        if self._zero.zero_ns is None or not self._waiting:
            return
        for modality, arrival_ns, value in self._waiting:
            since_ns = arrival_ns - self._zero.arrival_ns - round(self._zero.zero_ns)
            if modality in self._last_auxiliary:
                since_ns = max(since_ns, self._last_auxiliary[modality] + 1000)
            self._last_auxiliary[modality] = since_ns
            made.auxiliary.setdefault(modality, []).append((since_ns / 1e9, value))
        self._waiting = []


class _Frames:
    """Headers of the data frames of a batch, as columns; those too short or with absurd stamps are faults."""

    def __init__(self, batch: PacketBatch) -> None:
        self.words = Words(batch.data)
        self.faults: Faults = []
        packet = np.zeros(0, np.int64)
        if DATA in batch.names:
            packet = np.flatnonzero(batch.which == batch.names.index(DATA))
        packet = self._keep(packet, np.diff(batch.ends)[packet] >= HEADER_BYTES, "truncated frame")
        stamp = self.words.at[batch.ends[packet] + 1]
        packet = self._keep(packet, stamp < HIGHEST_STAMP_NS, "impossible time stamp")
        self.packet: IntArray = packet
        self.first: IntArray = batch.ends[packet]
        self.end: IntArray = batch.ends[packet + 1]
        self.arrival: IntArray = batch.arrival_ns[packet]
        self.stamp: IntArray = self.words.at[self.first + 1].astype(np.int64)
        self.measurement = self.words.octets[self.first] & 0x3F
        self.kind = self.words.octets[self.first + HEADER_BYTES - 1]

    def _keep(self, packet: IntArray, sound: np.ndarray[tuple[int], np.dtype[np.bool_]], why: str) -> IntArray:
        self.faults.extend((int(i), why) for i in packet[~sound])
        return packet[sound]


class _Made:
    """Samples made so far, to be joined into one block a stream."""

    def __init__(self) -> None:
        self.parts: dict[int, tuple[Layout, list[FloatArray], list[FloatArray]]] = {}
        self.auxiliary: dict[Modality, list[tuple[float, float]]] = {}

    def add(self, measurement: int, layout: Layout, t_s: FloatArray, values: FloatArray) -> None:
        _, times, rows = self.parts.setdefault(measurement, (layout, [], []))
        times.append(t_s)
        rows.append(values)

    def blocks(self, rate_hz: Rate) -> list[SampleBlock]:
        made = [
            SampleBlock(
                layout.modality, np.concatenate(times), np.concatenate(rows), layout.channels,
                rate_hz(measurement),
            )
            for measurement, (layout, times, rows) in self.parts.items()
        ]  # fmt: skip
        for modality, rows_of in self.auxiliary.items():
            columns = np.array(rows_of, np.float64)
            made.append(SampleBlock(modality, columns[:, 0].copy(), columns[:, 1:].copy(), (str(modality),)))
        return made


def _why_unknown(measurement: int, kind: int) -> str:
    name = TYPE_NAME.get(measurement)
    if name is None:
        return f"unknown measurement type {measurement}"
    if not any(known == measurement for known, _ in LAYOUTS):
        return f"{name} is not decoded"
    packed = "compressed " if kind & DELTA else "raw "
    return f"unknown {packed}frame type {kind & 0x7F} of {name}"


DRIVER = Driver(
    name="polar-pmd",
    title="Polar Verity Sense, OH1 and H10",
    decoder=PolarPmdDecoder,
    recognises=polar_session.is_polar,
    start=polar_session.start,
    stop=polar_session.stop,
    defaults={"rate_hz": 52, "acc_range_g": 8, "gyr_range_deg_s": 2000},
    packet_interval_s=2.5,
    facts=Facts(
        measures="acc gyr (Verity Sense), acc (OH1, H10)",
        best_rate_hz=416,
        clock="ns, of the last sample",
        loss="clock",
        ranges="8 g, 2000 deg/s (16 g in SDK mode)",
        battery=True,
        vibrates=False,
        seen="frame layouts on published bytes",
        caution="52 Hz in normal mode (H10: 200 Hz, acc only); faster needs a Verity Sense in SDK mode, where heart "
        "rate stops.",
    ),
    battery=read_battery,
    least_mtu=232,
)
