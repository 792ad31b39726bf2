"""MbientLab MetaMotion R, RL and S: acc and gyro, in pairs with the board's clock, or three to a packet without one.

All packets come over one characteristic: module, register, content. What a register holds: see
`drivers.protocols.metamotion_frames`. Plain packets have neither clock nor counter, so their time follows the rate
and the arrivals. A packet of a data processor begins with the processor's number and 32 bits of the board's clock
(ticks of 48/32768 s, at the last sample) or a running number, as it was made; the board names each new processor, in
the order they were asked for: first the accelerometer's, then the gyroscope's, and of two for one sensor the second
gives the data. Which of the two the 32 bits are is told by the settings, or else by how they grow.

Source: mbientlab/MetaWear-SDK-Cpp at f67699e (layouts, scales, commands: certain; decoded here against the packets of
its tests). Inferred: how a clock is told from a running number, and which sensor a foreign capture's processors
belong to. Not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream, HostTimes
from drivers.clocks.counted import WrappingClock
from drivers.clocks.device import DUPLICATE, OUT_OF_ORDER, nominal_rate_hz
from drivers.clocks.numbers import RunningNumber
from drivers.clocks.stamped import StampedStream
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import metamotion_frames as frames
from drivers.protocols import metamotion_layout as layout
from drivers.protocols import metamotion_session as session
from drivers.protocols.full_scale import nearest
from drivers.protocols.metamotion_frames import Found, Frames, Source
from drivers.protocols.metamotion_layout import NOTIFY
from drivers.protocols.standard_gatt import battery_levels, read_battery

RATES_HZ: tuple[float, ...] = (100.0, 50.0, 25.0, 200.0, 400.0, 12.5)
"""What is guessed among where nobody states the rate, the usual one of packed data first."""
MAG_RATES_HZ: tuple[float, ...] = (10.0, 25.0, 20.0, 15.0, 30.0, 8.0, 6.0, 2.0)
"""The magnetometer's own, its usual preset first."""
_FUSED_HZ, _FUSED_MAG_HZ = 100.0, 25.0
_STAMPED = (Source.ACC, Source.GYR)
"""In the order their processors are asked for."""
_TURN = 1 << 32
_NONE: IntArray = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Packets:
    """Packets of one stream: place in the batch, arrival, samples of each; raw samples; clock or running number."""

    place: IntArray
    arrival: IntArray
    count: IntArray
    rows: npt.NDArray[Any]
    stamp: IntArray

    def only(self, taken: npt.NDArray[np.bool_]) -> _Packets:
        """Some of them."""
        if taken.all():
            return self
        rows = self.rows[np.repeat(taken, self.count)]
        stamp = self.stamp[taken] if self.stamp.size else self.stamp
        return _Packets(self.place[taken], self.arrival[taken], self.count[taken], rows, stamp)


class MetaMotionDecoder(BatchDecoder):
    """Decoder of one board's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._rate_hz = nominal_rate_hz(settings.get("rate_hz"))
        self._scales = {
            Source.ACC: layout.acc_scale(nearest(layout.ACC_RANGES_G, settings.get("acc_range_g"), layout.USUAL_G)),
            Source.GYR: layout.gyr_scale(
                nearest(layout.GYR_RANGES_DEG_S, settings.get("gyr_range_deg_s"), layout.USUAL_DEG_S)
            ),
        }
        stated = settings.get("accounter")
        self._counts: bool | None = stated == "count" if stated in ("time", "count") else None
        self._axis = HostAxis()
        self._plain: dict[Source, ArrivalStream] = {}
        self._timed = {source: StampedStream(self._rate_hz) for source in _STAMPED}
        rate_hz = self._rate_hz or RATES_HZ[0]
        self._numbered = {source: ArrivalStream(self._axis, rate_hz) for source in _STAMPED}
        self._numbers = {source: RunningNumber(_TURN) for source in _STAMPED}
        self._others = HostTimes(self._axis)
        self._clock = WrappingClock(layout.TICK_NS)
        self._clock_zero_ns: float | None = None
        self._added: list[int] = []
        self._undecided: list[tuple[Source, _Packets]] = []
        self._ways: dict[Source, str] = {}

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        made = _Made(self._scales)
        faults: Faults = []
        codes = frames.codes_of(batch)
        for first, last in self._parts(codes):
            found = Frames(batch.between(first, last), codes[first:last])
            faults.extend((first + i, why) for i, why in self._take(found, made))
        return made.blocks() + self._others.release(), refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """What was held back because its time was not clear yet."""
        made = _Made(self._scales)
        self._decide(made, counts=bool(self._counts))
        for source in self._plain:
            self._place_plain(source, _nothing(), made, last=True)
        for source in _STAMPED:
            self._place_numbered(source, _nothing(), made, last=True)
            self._place_timed(source, _nothing(), _NONE, made, last=True)
        return made.blocks() + self._others.release(last=True)

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _parts(self, codes: IntArray) -> Iterator[tuple[int, int]]:
        """Stretches that can be taken at once: what may change how the following packets are read stands alone."""
        added = np.flatnonzero(codes == frames.ADDED)
        telling = np.flatnonzero(np.isin(codes, (frames.ADDED, *frames.STAMPED)))
        at = 0
        while at < codes.size:
            alone = telling if self._counts is None else added
            border = int(np.searchsorted(alone, at))
            end = int(alone[border]) if border < alone.size else codes.size
            yield at, max(end, at + 1)
            at = max(end, at + 1)

    def _take(self, found: Frames, made: _Made) -> Faults:
        faults = [*found.faults, *self._take_others(found)]
        plain, stamped = self._sound(found, faults), self._owned(found, faults)
        self._begin(plain, stamped if self._counts is not None else {})
        for source, own in plain.items():
            self._place_plain(source, own, made)
        if stamped and self._counts is None:
            (only,) = stamped.items()
            faults.extend(self._learn(*only, made))
        elif stamped:
            faults.extend(self._take_known(stamped, made))
        return faults

    def _sound(self, found: Frames, faults: Faults) -> dict[Source, _Packets]:
        """Packets without clock or number."""
        plain = {}
        for source, whole in found.sources.items():
            own = _packets(found.batch, whole, found.rows(source, whole))
            if own.rows.dtype.kind == "f":
                sound = np.isfinite(own.rows).all(axis=1)
                faults.extend((int(i), "a number that is none") for i in own.place[~sound])
                own = own.only(sound)
            if own.place.size:
                plain[source] = own
        return plain

    def _owned(self, found: Frames, faults: Faults) -> dict[Source, _Packets]:
        """Packets with the board's clock or a running number, by sensor."""
        whole = found.stamped
        if not whole.packet.size:
            return {}
        ids = found.ids(whole)
        owner = np.zeros(ids.size, np.int64)
        form = ids << 2 | whole.count
        for one in np.unique(form).tolist():
            owner[form == one] = self._owner(one >> 2, one & 3)
        faults.extend((int(i), "of a processor that nobody asked for") for i in whole.packet[owner < 0])
        stamped = {}
        for rank in np.unique(owner[owner >= 0]).tolist():
            own = whole.only(owner == rank)
            stamped[_STAMPED[rank]] = _packets(found.batch, own, found.rows(_STAMPED[rank], own), found.stamps(own))
        return stamped

    def _take_others(self, found: Frames) -> Faults:
        """New processors, battery, temperature, strangers."""
        faults: Faults = []
        batch = found.batch
        for i in found.places(frames.ADDED).tolist():
            self._add(batch[i].payload[2])
        for i in np.flatnonzero(np.isin(found.codes, (frames.BATTERY, frames.TEMPERATURE))).tolist():
            arrival_ns, content = int(batch.arrival_ns[i]), batch[i].payload[2:]
            if found.codes[i] == frames.TEMPERATURE:
                celsius = int.from_bytes(content[1:], "little", signed=True) / 8
                self._others.take(Modality.TEMP, ("temp",), arrival_ns, [celsius], str(content[0]))
            elif content[0] <= 100:
                self._others.take(Modality.BATTERY, ("battery",), arrival_ns, [float(content[0])])
            else:
                faults.append((i, "battery level above 100 percent"))
        return faults + self._take_strangers(batch)

    def _take_strangers(self, batch: PacketBatch) -> Faults:
        """Everything of another characteristic."""
        levels, faults = battery_levels(batch, (NOTIFY,))
        for arrival_ns, percent in levels:
            self._others.take(Modality.BATTERY, ("battery",), arrival_ns, [percent], "standard")
        return faults

    def _add(self, processor: int) -> None:
        """The board has made a processor; one that is not above the last begins another set."""
        if self._added and processor <= self._added[-1]:
            self._added = []
        if not self._added:
            self._numbers = {source: RunningNumber(_TURN) for source in _STAMPED}
        self._added.append(processor)

    def _owner(self, processor: int, count: int) -> int:
        """Place among `_STAMPED` of the sensor whose samples a processor gives, -1 where that cannot be told."""
        if processor not in self._added:
            return processor if not self._added and processor < len(_STAMPED) else -1
        rank = self._added.index(processor) // (2 if count == layout.TIMED else 1)
        return rank if rank < len(_STAMPED) else -1

    def _learn(self, source: Source, packet: _Packets, made: _Made) -> Faults:
        """Takes a packet while nobody knows whether its 32 bits are a clock."""
        before = next((held for held_source, held in reversed(self._undecided) if held_source is source), None)
        grown = 1 if before is None else int(packet.stamp[0] - before.stamp[0]) % _TURN
        if not 0 < grown < _TURN // 2:
            return [(int(packet.place[0]), OUT_OF_ORDER if grown else DUPLICATE)]
        self._ways.setdefault(source, "timed")
        self._undecided.append((source, packet))
        if before is not None:
            ticks = int(packet.count[0]) * 1e9 / (self._rate_hz or RATES_HZ[0]) / layout.TICK_NS
            self._decide(made, counts=2 * grown < ticks)
        return []

    def _decide(self, made: _Made, *, counts: bool) -> None:
        """It is known what the 32 bits are: what was held because of it goes its way."""
        held, self._undecided = self._undecided, []
        if held:
            self._counts = counts
        for source, packet in held:
            self._begin({}, {source: packet})
            self._take_known({source: packet}, made)

    def _take_known(self, stamped: dict[Source, _Packets], made: _Made) -> Faults:
        """Packets of both sensors; the refused ones."""
        faults: Faults = []
        if self._counts:
            for source, own in stamped.items():
                faults.extend(self._take_numbered(source, own, made))
            return faults
        received = np.argsort(np.concatenate([own.place for own in stamped.values()]))
        stamp, arrival = (
            np.concatenate([column(own) for own in stamped.values()])[received]
            for column in (attrgetter("stamp"), attrgetter("arrival"))
        )
        now = np.empty_like(stamp)
        now[received] = self._clock.unwrapped_ns(stamp, arrival)
        if self._clock_zero_ns is None:
            since_ns = float(self._axis.relative(arrival[:1])[0]) - (self._axis.zero_ns or 0.0)
            self._clock_zero_ns = float(now[received[0]]) - since_ns
        for source, own in stamped.items():
            end_ns, now = now[: own.place.size], now[own.place.size :]
            taken, refused = self._timed[source].accept(end_ns)
            faults.extend((int(own.place[i]), why) for i, why in refused)
            self._place_timed(source, own.only(taken), end_ns[taken], made)
        return faults

    def _take_numbered(self, source: Source, own: _Packets, made: _Made) -> Faults:
        unit_ns: FloatArray = own.count.astype(np.float64) * (1e9 / (self._rate_hz or RATES_HZ[0]))
        ones = np.ones_like(own.count)
        taken, missing, refused = self._numbers[source].judge(own.stamp, ones, own.arrival, unit_ns)
        faults = [(int(own.place[i]), why) for i, why in refused]
        self._place_numbered(source, own.only(taken), made, missing=missing[taken] * own.count[taken])
        return faults

    def _begin(self, plain: dict[Source, _Packets], stamped: dict[Source, _Packets]) -> None:
        """The packet that came first is the session's zero; the way a sensor's samples come first is its usual one."""
        firsts = [(int(own.place[0]), source, "plain", own) for source, own in plain.items()]
        firsts += [(int(own.place[0]), source, "timed", own) for source, own in stamped.items()]
        for _, source, way, own in sorted(firsts, key=lambda first: first[0]):
            self._ways.setdefault(source, way)
            if self._axis.zero_ns is None:
                rate_hz = self._plain_stream(source).rate_hz if way == "plain" else self._rate_hz
                self._axis.relative(own.arrival[:1])
                self._axis.zero_ns = -(int(own.count[0]) - 1) * 1e9 / (rate_hz or RATES_HZ[0])

    def _plain_stream(self, source: Source) -> ArrivalStream:
        if source not in self._plain:
            rate_hz, rates = self._rate_hz, RATES_HZ
            if source is Source.MAG:
                rate_hz, rates = nominal_rate_hz(rate_hz, MAG_RATES_HZ), MAG_RATES_HZ
            elif source is Source.FUSED_MAG:
                rate_hz = _FUSED_MAG_HZ
            elif source not in _STAMPED:
                rate_hz = rate_hz or _FUSED_HZ
            self._plain[source] = ArrivalStream(self._axis, rate_hz, rates=rates)
        return self._plain[source]

    def _place_plain(self, source: Source, own: _Packets, made: _Made, *, last: bool = False) -> None:
        stream = self._plain_stream(source)
        known = stream.take(own.arrival, own.count, np.zeros_like(own.count), own.rows, last=last)
        if known is not None:
            made.add(source, self._name(source, "plain"), stream.rate_hz, *known)

    def _place_numbered(
        self, source: Source, own: _Packets, made: _Made, *, missing: IntArray = _NONE, last: bool = False
    ) -> None:
        stream = self._numbered[source]
        known = stream.take(own.arrival, own.count, missing, own.rows, last=last)
        if known is not None:
            made.add(source, self._name(source, "timed"), self._rate_hz, *known)

    def _place_timed(self, source: Source, own: _Packets, end_ns: IntArray, made: _Made, *, last: bool = False) -> None:
        now, rows = self._timed[source].take(end_ns, own.count, own.rows, last=last)
        if now.size:
            t_s = (now - (self._clock_zero_ns or 0.0)) / 1e9
            made.add(source, self._name(source, "timed"), self._rate_hz, t_s, rows)

    def _name(self, source: Source, way: str) -> str | None:
        """What tells samples from those of the same sensor that come another way; nothing where there is one way."""
        return source.value.stream if self._ways.get(source, way) == way else way


class _Made:
    """Samples made so far, to be joined into one block a stream."""

    def __init__(self, scales: dict[Source, float]) -> None:
        self._scales = scales
        self._parts: dict[tuple[Source, str | None], tuple[float | None, list[FloatArray], list[npt.NDArray[Any]]]] = {}

    def add(
        self, source: Source, name: str | None, rate_hz: float | None, t_s: FloatArray, rows: npt.NDArray[Any]
    ) -> None:
        _, times, raw = self._parts.setdefault((source, name), (rate_hz, [], []))
        times.append(t_s)
        raw.append(rows)

    def blocks(self) -> list[SampleBlock]:
        made = []
        for (source, name), (rate_hz, times, raw) in self._parts.items():
            kind = source.value
            values = kind.values(_whole(raw), self._scales.get(source, kind.scale))
            made.append(SampleBlock(kind.modality, _whole(times), values, kind.channels, rate_hz, name))
        return made


def _whole(parts: list[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _packets(batch: PacketBatch, found: Found, rows: npt.NDArray[Any], stamp: IntArray = _NONE) -> _Packets:
    return _Packets(found.packet, batch.arrival_ns[found.packet], found.count, rows, stamp)


def _nothing() -> _Packets:
    return _Packets(_NONE, _NONE, _NONE, np.zeros((0, 3), np.int16), _NONE)


DRIVER = Driver(
    name="metamotion",
    title="MbientLab MetaMotion R, RL and S",
    decoder=MetaMotionDecoder,
    recognises=session.recognises,
    start=session.start,
    stop=session.stop,
    defaults={"rate_hz": session.TIMED_HZ, "acc_range_g": layout.USUAL_G, "gyr_range_deg_s": layout.USUAL_DEG_S},
    packet_interval_s=0.05,
    facts=Facts(
        measures="acc gyr",
        best_rate_hz=200,
        clock="1.46 ms, of the last sample, up to 50 Hz",
        loss="clock",
        ranges="16 g, 2000 deg/s",
        battery=True,
        vibrates=True,
        seen="packets of the maker's own tests; not on a device by us",
        caution="After a link that broke it goes on measuring until it is found again, which empties its cell; its "
        "reminder is a blink, and a buzz only where a motor is fitted.",
    ),
    battery=read_battery,
    buzz=session.buzz,
)
