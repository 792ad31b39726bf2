"""The open do-it-yourself profile over the Nordic UART service, version 1: decoder and driver.

The byte layout is frozen in `soleus_nus.md` beside this file, with worked examples that a test holds against
this code; `soleus_nus_nano33ble.ino` is a reference sketch. Certain: the profile is this project's own. Not
run on hardware.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.clocks.arrival_streams import sample_times
from drivers.clocks.counted import CountedPlacer, WrappingClock
from drivers.clocks.device import DUPLICATE
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import nus_frames as frames
from drivers.protocols import nus_session as session
from drivers.protocols.nus_layout import TX, Kind, kind_of, read_hello, read_started, read_status
from drivers.protocols.packet_columns import IntArray

_USUAL_NS = {Kind.IMU: 1e7, Kind.EMG: 1e6}
"""Sample period of a stream of one single packet, whose rate nobody stated."""

Rows = npt.NDArray[Any]


@dataclass(slots=True, eq=False)
class _Stream:
    """Packets that wait for their sample period: one at most, the first."""

    placer: CountedPlacer = field(default_factory=CountedPlacer)
    end: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    count: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    counter: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))
    held: list[frames.Samples] = field(default_factory=list)

    def take(self, end: IntArray, found: frames.Samples) -> None:
        self.end = np.concatenate([self.end, end])
        self.count = np.concatenate([self.count, found.count])
        self.counter = np.concatenate([self.counter, found.counter])
        self.held.append(found)

    def release(self, usual_ns: float | None = None) -> tuple[FloatArray, list[frames.Samples]] | None:
        """Device nanoseconds of the samples held, and the samples; None while their period is not known."""
        if not self.end.size or (self.placer.period_ns is None and self.end.size < 2 and usual_ns is None):
            return None
        if self.end.size < 2 and self.placer.period_ns is None:
            self.placer.period_ns = usual_ns
        times = sample_times(*self.placer.place(self.end, self.count, self.counter), self.count)
        held = self.held
        empty = np.zeros(0, np.int64)
        self.end, self.count, self.counter, self.held = empty, empty, empty, []
        return times, held


class SoleusNusDecoder(BatchDecoder):
    """Decoder of one device's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._clock = WrappingClock()
        self._streams = {Kind.IMU: _Stream(), Kind.EMG: _Stream()}
        self._zero_ns: float | None = None
        self._zero_arrival_ns = 0
        self._boot: int | None = None
        self._waiting: list[tuple[int, int | None, float | None]] = []
        self._last_status_ns = self._seen_status_ns = -(1 << 62)

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        made = _Made()
        faults: Faults = []
        for first, last in self._parts(batch):
            faults.extend((first + i, why) for i, why in self._take(batch.between(first, last), made))
        return made.blocks(), refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """A packet that waited for a second one to tell the rate."""
        made = _Made()
        for kind, stream in self._streams.items():
            self._release(stream, made, _USUAL_NS[kind])
        if self._zero_ns is None and self._waiting:
            self._zero_ns = float(self._waiting[0][0])
        self._release_status(made)
        return made.blocks()

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return None if self._zero_ns is None else self._zero_arrival_ns

    def _parts(self, batch: PacketBatch) -> Iterator[tuple[int, int]]:
        """Stretches that can be taken at once; a packet that may change a clock, counter or rate stands alone."""
        lacking = [stream.placer.period_ns is None for stream in self._streams.values()]
        alone = frames.telling(batch, self._boot, lacking)
        at = 0
        for border in np.unique(np.concatenate([alone, alone + 1, [len(batch)]])).tolist():
            if border > at:
                yield at, border
                at = border

    def _take(self, batch: PacketBatch, made: _Made) -> Faults:
        headers = frames.Headers(batch)
        faults = [*headers.faults, *self._take_words(batch, headers)]
        now = self._clock.unwrapped_ns(headers.stamp_us, headers.arrival_ns)
        self._set_zero(headers, now)
        for kind, stream in self._streams.items():
            own = np.flatnonzero(headers.kind == kind)
            if own.size:
                taken, refused = stream.placer.accept(now[own])
                faults.extend((int(headers.packet[own[i]]), why) for i, why in refused)
                self._take_samples(headers, own[taken], now, stream)
            self._release(stream, made)
        for i in np.flatnonzero(headers.kind == Kind.STATUS).tolist():
            if int(now[i]) == self._seen_status_ns:
                faults.append((int(headers.packet[i]), DUPLICATE))
                continue
            self._seen_status_ns = int(now[i])
            status = read_status(batch[int(headers.packet[i])].payload)
            self._waiting.append((int(now[i]), status.percent, status.temp_c))
        self._release_status(made)
        return faults

    def _take_samples(self, headers: frames.Headers, own: IntArray, now: IntArray, stream: _Stream) -> None:
        """Packets of one stream in runs of one form, which a device does not change midway."""
        if not own.size:
            return
        form = headers.form[own]
        for run in np.split(own, np.flatnonzero(form[1:] != form[:-1]) + 1):
            stream.take(now[run], headers.samples(run))

    def _set_zero(self, headers: frames.Headers, now: IntArray) -> None:
        """The first sample of the packet that came first, as nearly as its rate is known by then."""
        data = np.flatnonzero(headers.kind != Kind.STATUS)
        if self._zero_ns is not None or not data.size:
            return
        first = int(data[0])
        kind = Kind(int(headers.kind[first]))
        period_ns = self._streams[kind].placer.period_ns or _USUAL_NS[kind]
        older_ns = (int(headers.count[first]) - 1) * period_ns
        self._zero_ns = float(now[first]) - older_ns
        self._zero_arrival_ns = int(headers.arrival_ns[first]) - round(older_ns)

    def _take_words(self, batch: PacketBatch, headers: frames.Headers) -> Faults:
        """Hello, answers, and what status says besides battery and temperature."""
        faults: Faults = []
        for i in headers.words.tolist():
            try:
                self._take_word(batch[i].payload)
            except PacketError as error:
                faults.append((i, error.reason))
        return faults

    def _take_word(self, payload: bytes) -> None:
        kind = kind_of(payload)
        if kind == Kind.HELLO:
            self._booted(read_hello(payload).boot)
        elif kind == Kind.STATUS:
            status = read_status(payload)
            self._booted(status.boot)
            for stream, rate_hz in zip(self._streams.values(), (status.imu_hz, status.emg_hz), strict=True):
                if rate_hz and stream.placer.period_ns is None:
                    stream.placer.period_ns = 1e9 / rate_hz
        elif kind == Kind.ANSWER and (started := read_started(payload)):
            for stream, rate_hz in zip(self._streams.values(), (started.imu_hz, started.emg_hz), strict=True):
                stream.placer.begin(1e9 / rate_hz if rate_hz else None)

    def _booted(self, boot: int) -> None:
        if self._boot not in (None, boot):
            self._clock.restart()
            for stream in self._streams.values():
                stream.placer.begin(None)
        self._boot = boot

    def _release(self, stream: _Stream, made: _Made, usual_ns: float | None = None) -> None:
        known = stream.release(usual_ns)
        if known is None or self._zero_ns is None:
            return
        times, held = known
        t_s, at = (times - self._zero_ns) / 1e9, 0
        for samples in held:
            for modality, channels, unit, values in samples.columns():
                made.add((modality, channels, unit), t_s[at : at + len(values)], values)
            at += int(samples.count.sum())

    def _release_status(self, made: _Made) -> None:
        if self._zero_ns is None:
            return
        for now_ns, percent, temp_c in self._waiting:
            if now_ns <= self._last_status_ns:
                continue
            self._last_status_ns = now_ns
            t_s = np.array([(now_ns - self._zero_ns) / 1e9])
            for modality, value in ((Modality.BATTERY, percent), (Modality.TEMP, temp_c)):
                if value is not None:
                    made.add((modality, (str(modality),), ""), t_s, np.array([[float(value)]]))
        self._waiting = []


class _Made:
    """Samples made so far, to be joined into one block a stream."""

    def __init__(self) -> None:
        self._parts: dict[tuple[Modality, tuple[str, ...], str], list[tuple[FloatArray, FloatArray]]] = {}

    def add(self, key: tuple[Modality, tuple[str, ...], str], t_s: FloatArray, values: FloatArray) -> None:
        self._parts.setdefault(key, []).append((t_s, values))

    def blocks(self) -> list[SampleBlock]:
        return [
            SampleBlock(modality, _whole([t for t, _ in parts]), _whole([v for _, v in parts]), channels, unit=unit)
            for (modality, channels, unit), parts in self._parts.items()
        ]


def _whole(parts: list[FloatArray]) -> FloatArray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


DRIVER = Driver(
    name="soleus-nus",
    title="Arduino Nano 33 BLE, XIAO Sense, M5Stick, Puck.js with the soleus sketch",
    decoder=SoleusNusDecoder,
    recognises=session.recognises,
    start=session.start,
    stop=session.stop,
    defaults={"rate_hz": 100, "acc_range_g": 8, "gyr_range_deg_s": 2000, "emg_rate_hz": 1000},
    packet_interval_s=0.2,
    facts=Facts(
        measures="acc gyr, emg x1-8",
        best_rate_hz=1000,
        clock="us, of the last sample",
        loss="counter",
        ranges="as the board offers, up to 128 g, 16000 deg/s",
        battery=True,
        vibrates=True,
        seen="virtual sensor only; the sketch was not run on hardware",
        caution="You build it yourself: strap, cell and sketch are yours.",
    ),
    battery=session.battery,
    buzz=session.buzz,
)

__all__ = ["DRIVER", "TX", "SoleusNusDecoder"]
