"""Movesense over its GATT SensorData Protocol (GSP): notifications -> samples in SI units.

A payload is a time stamp (uint32, milliseconds since the sensor's start, of the first sample) and one array of
float32 x y z a modality, one array after the other: acc m/s2, gyro deg/s, magn uT. Thirteen payloads a second.
The parts of a payload are put together in `drivers.protocols.movesense_frames`, the conversation is in
`drivers.protocols.movesense_session`.

Stamps are taken as those of the last sample, moved by the nominal period: at 2 % of rate error and eight samples
a payload the samples are then 0.14 periods off, all alike. A millisecond's step is far less than a period.

Source: movesense.com, "GATT SensorData Protocol" and copies of its sample `GATTSensorDataClient.cpp` (layout,
commands: certain); published payloads of acc, gyro, magn, IMU6, IMU9, HR and temperature with their values
(sensein/movesense-py at 9d6ab4f, `tests/fixtures/validation/fixture.json`), which a test holds against this
code. Inferred: samples a payload at 26 and from 208 Hz on, IMU6m. Not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isfinite, radians
from struct import unpack_from

import numpy as np

from analysis.samples import XYZ, FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis
from drivers.clocks.arrival_streams import HostTimes, sample_times
from drivers.clocks.counted import StampOrder, WrappingClock
from drivers.clocks.device import FramePlacer, nominal_rate_hz
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import movesense_session as session
from drivers.protocols import packet_columns as columns
from drivers.protocols.movesense_frames import (
    FIRST,
    HEADER_BYTES,
    RESULT,
    STAMP_BYTES,
    THIRD,
    Assembly,
    Frames,
    Parts,
    layout_of,
)
from drivers.protocols.movesense_session import DATA, ENERGY
from drivers.protocols.packet_columns import IntArray
from drivers.protocols.standard_gatt import BATTERY_LEVEL, battery_percent

_TICK_NS = 1_000_000
_SCALE = {Modality.ACC: 1.0, Modality.GYR: radians(1), Modality.MAG: 1.0}
_KELVIN = 273.15
_HEART, _TEMPERATURE = "/meas/hr", "/meas/temp"
_OK = b"\xc8\0"
"""Status 200."""


@dataclass(slots=True, eq=False)
class _Stream:
    """One subscription: its parts, the order of its payloads, and their times."""

    path: str
    assembly: Assembly
    placer: FramePlacer
    order: StampOrder = field(default_factory=StampOrder)
    ends: list[IntArray] = field(default_factory=list)
    counts: list[IntArray] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    since: int = 0
    arrival_ns: int = 0

    @property
    def period_ns(self) -> float:
        """Nominal sample period."""
        return 1e9 / self.assembly.layout.rate_hz

    def hold(self, frames: Sequence[Frames]) -> Faults:
        """Takes payloads; those refused, with the packet that completed them."""
        faults: Faults = []
        for _, alike in groupby(frames, lambda found: found.octets.shape[1]):
            faults.extend(self._hold_run(list(alike)))
        return faults

    def _hold_run(self, run: Sequence[Frames]) -> Faults:
        """Payloads of one length."""
        layout = self.assembly.layout
        octets, now_ns, packet, since, arrival_ns = (
            np.concatenate([getattr(found, name) for found in run]) if len(run) > 1 else getattr(run[0], name)
            for name in ("octets", "now_ns", "packet", "since", "arrival_ns")
        )
        count = (octets.shape[1] - STAMP_BYTES) // layout.sample_bytes
        raw = np.ascontiguousarray(octets[:, STAMP_BYTES:]).view("<f4")
        sound = np.flatnonzero(np.isfinite(raw).all(axis=1))
        faults = [(int(packet[i]), "a value that is no number") for i in np.setdiff1d(np.arange(len(raw)), sound)]
        end_ns = now_ns[sound] + round((count - 1) * self.period_ns)
        taken, refused = self.order.accept(end_ns)
        faults.extend((int(packet[sound[i]]), why) for i, why in refused)
        kept = sound[taken]
        if kept.size:
            if not self.ends:
                self.since, self.arrival_ns = int(since[kept[0]]), int(arrival_ns[kept[0]])
            self.ends.append(end_ns[taken])
            self.counts.append(np.full(kept.size, count))
            arrays = raw[kept].reshape(kept.size, len(layout.arrays), count, 3).swapaxes(1, 2)
            self.values.append(arrays.reshape(kept.size * count, -1).astype(np.float64))
        return [(place, why) for place, why in faults if place >= 0]

    def release(self) -> tuple[FloatArray, FloatArray]:
        """Device nanoseconds and (n, 3 x modalities) raw values of everything held."""
        end_ns, count, values = np.concatenate(self.ends), np.concatenate(self.counts), np.concatenate(self.values)
        self.ends, self.counts, self.values = [], [], []
        return sample_times(*self.placer.place(end_ns, count, self.period_ns), count), values


class MovesenseDecoder(BatchDecoder):
    """Decoder of one sensor's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._paths = paths_of(settings)
        rate_hz = nominal_rate_hz(settings.get("rate_hz"))
        layouts = {reference: layout_of(path, rate_hz) for reference, path in self._paths.items()}
        self._streams = {
            reference: _Stream(self._paths[reference], Assembly(layout), FramePlacer(1e9 / layout.rate_hz))
            for reference, layout in layouts.items()
            if layout is not None
        }
        measured = [modality for layout in layouts.values() if layout for modality in layout.arrays]
        self._alike = {modality for modality in measured if measured.count(modality) > 1}
        self._clock = WrappingClock(_TICK_NS)
        self._zero_ns: float | None = None
        self._axis = HostAxis()
        self._aside = HostTimes(self._axis)
        self._unsaid: list[SampleBlock] = []

    def feed(self, packet: RawPacket) -> list[SampleBlock]:
        """Samples this packet completes, its own and those of a payload that it shows to be complete.

        Raises:
            PacketError: the packet is refused; what it showed to be complete comes with the next one.
        """
        blocks, errors = self.feed_many((packet,))
        if errors:
            self._unsaid = blocks
            raise errors[0]
        return blocks

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        faults = self._take_others(batch)
        faults.extend(self._take_data(batch))
        return self._made(), refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """Payloads of unusual length that more parts might have followed."""
        for stream in self._streams.values():
            stream.hold(list(stream.assembly.finish()))
        return self._made(last=True)

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _take_others(self, batch: PacketBatch) -> Faults:
        """Battery, and strangers."""
        faults: Faults = []
        data = batch.names.index(DATA) if DATA in batch.names else -1
        for i in np.flatnonzero(batch.which != data).tolist():
            packet = batch[i]
            try:
                if packet.characteristic != BATTERY_LEVEL:
                    raise PacketError("unknown characteristic")
                self._note(Modality.BATTERY, packet.arrival_ns, battery_percent(packet.payload))
            except PacketError as error:
                faults.append((i, error.reason))
        return faults

    def _take_data(self, batch: PacketBatch) -> Faults:
        packet = columns.of(batch, DATA)
        size = np.diff(batch.ends)[packet]
        faults: Faults = [(int(i), "truncated packet") for i in packet[size < HEADER_BYTES]]
        packet = packet[size >= HEADER_BYTES]
        octets = np.frombuffer(batch.data, np.uint8)
        kind, reference = octets[batch.ends[packet]], octets[batch.ends[packet] + 1]
        motion = np.isin(reference, list(self._streams)) & (kind >= FIRST) & (kind <= THIRD)
        for i in packet[~motion].tolist():
            try:
                self._take_word(batch[i])
            except PacketError as error:
                faults.append((i, error.reason))
        packet, kind, reference = packet[motion], kind[motion], reference[motion]
        fits = (kind != FIRST) | (np.diff(batch.ends)[packet] >= HEADER_BYTES + STAMP_BYTES)
        faults.extend((int(i), "truncated packet") for i in packet[~fits])
        packet, kind, reference = packet[fits], kind[fits], reference[fits]
        now_ns = self._stamped(batch, packet, kind)
        for number in np.unique(reference).tolist():
            own = reference == number
            stream = self._streams[number]
            frames = list(stream.assembly.take(Parts(batch, packet[own], kind[own], now_ns[own])))
            faults.extend([*stream.assembly.faults, *stream.hold(frames)])
        return faults

    def _stamped(self, batch: PacketBatch, packet: IntArray, kind: IntArray) -> IntArray:
        """(n,) device time of each first part, all streams in the order received; 0 for the others."""
        now_ns = np.zeros(packet.size, np.int64)
        first = np.flatnonzero(kind == FIRST)
        heads = columns.gathered(batch.data, batch.ends[packet[first]] + HEADER_BYTES, STAMP_BYTES)
        stamp_ms = np.ascontiguousarray(heads).view("<u4")[:, 0].astype(np.int64)
        now_ns[first] = self._clock.unwrapped_ns(stamp_ms, batch.arrival_ns[packet[first]])
        return now_ns

    def _take_word(self, packet: RawPacket) -> None:
        """Answers to commands, and values without an array: heart rate, temperature, charge."""
        kind, reference, body = packet.payload[0], packet.payload[1], packet.payload[HEADER_BYTES:]
        path = self._paths.get(reference)
        if kind == RESULT:
            is_charge = path is not None and path.lower() == ENERGY.lower() and body[:2] == _OK
            if is_charge and len(body) == 3 and body[2] <= 100:
                self._note(Modality.BATTERY, packet.arrival_ns, float(body[2]))
            return
        if kind > THIRD or kind < FIRST:
            raise PacketError(f"unknown response {kind}")
        if path is None:
            raise PacketError(f"no stream is known for reference {reference}")
        if path.lower() not in (_HEART, _TEMPERATURE):
            raise PacketError(f"{path} is not decoded")
        if kind != FIRST or len(body) < 4:
            raise PacketError("truncated packet")
        (value,) = unpack_from("<f", body)
        if not isfinite(value):
            raise PacketError("a value that is no number")
        if path.lower() == _HEART:
            self._note(Modality.HR, packet.arrival_ns, value)
        else:
            self._note(Modality.TEMP, packet.arrival_ns, value - _KELVIN)

    def _note(self, modality: Modality, arrival_ns: int, value: float) -> None:
        self._aside.take(modality, (str(modality),), arrival_ns, [value])

    def _made(self, *, last: bool = False) -> list[SampleBlock]:
        made, self._unsaid = self._unsaid, []
        ready = [stream for stream in self._streams.values() if stream.ends]
        for stream in sorted(ready, key=lambda stream: stream.since):
            arrival_ns = stream.arrival_ns - round((int(stream.counts[0][0]) - 1) * stream.period_ns)
            times_ns, values = stream.release()
            if self._zero_ns is None:
                self._zero_ns = float(times_ns[0])
                self._axis.base_ns, self._axis.zero_ns = arrival_ns, 0.0
            t_s, layout = (times_ns - self._zero_ns) / 1e9, stream.assembly.layout
            for place, modality in enumerate(layout.arrays):
                own = values[:, 3 * place : 3 * place + 3] * _SCALE[modality]
                name = stream.path if modality in self._alike else None
                made.append(SampleBlock(modality, t_s, own, XYZ, layout.rate_hz, name))
        return made + self._aside.release(last=last)


def paths_of(settings: Settings) -> dict[int, str]:
    """Reference -> path of the subscriptions that a session was started with; what makes no sense is left out."""
    stated = settings.get("streams")
    pairs: Iterable[tuple[object, object]] = stated.items() if isinstance(stated, Mapping) else ()
    return {
        int(str(reference)): path
        for reference, path in pairs
        if isinstance(path, str) and str(reference).isdecimal() and 0 < int(str(reference)) < 256
    }


DRIVER = Driver(
    name="movesense",
    title="Movesense (firmware with the GATT SensorData Protocol)",
    decoder=MovesenseDecoder,
    recognises=session.recognises,
    start=session.start,
    stop=session.stop,
    defaults={"rate_hz": 52},
    packet_interval_s=0.08,
    facts=Facts(
        measures="acc gyr",
        best_rate_hz=208,
        clock="ms, of the first sample",
        loss="clock",
        ranges="as its firmware sets it",
        battery=True,
        vibrates=False,
        seen="payloads on published bytes; split ones, commands and 208 Hz from documents; not on a device by us",
        caution="It needs a firmware with the GATT SensorData Protocol, which also sets the range; some firmwares "
        "switch it off when it is left alone, and touching its studs wakes it.",
    ),
    battery=session.battery,
    least_mtu=105,
)
