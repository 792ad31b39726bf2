"""Nordic Thingy:52, motion service: one sample a notification, no clock, no counter.

Raw motion is nine int16, little-endian: acc x y z (1024 = 1 g), gyro x y z (32 = 1 deg/s), compass x y z
(16 = 1 uT); the quaternion four int32 (2**30 = 1), w first; Euler angles three int32 (65536 = 1 deg), roll pitch
yaw. All come at one rate, which is kept in the device and is 10 Hz until somebody sets it. The accelerometer ends
at 2 g and the gyro's numbers at 1024 deg/s.

Source: NordicSemiconductor/Nordic-Thingy52-FW 2.2.0, `ble_tms.h`, `m_motion.c`, `drv_motion.c`, `thingy_config.h`
(layouts, scales, ranges, order: certain; other public clients scale otherwise and are wrong); that acc at rest is 1 g
with 1024: on a published capture. Inferred: that device information is read from the configuration service only.
Not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import radians

import numpy as np
import numpy.typing as npt

from analysis.samples import STANDARD_GRAVITY_MPS2, XYZ, FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream, HostTimes
from drivers.clocks.device import nominal_rate_hz
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Advert, Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import packet_columns as columns
from drivers.protocols.standard_gatt import battery_levels, read_battery
from drivers.script import DeviceRefusedError, Pause, Read, Script, Subscribe, Unsubscribe, Write


def _uuid(short: str) -> str:
    return f"ef68{short}-9b35-4933-9b10-52ffa9740042"


SERVICE = _uuid("0100")
"""The configuration service, which it advertises; the name is the wearer's own, the company id a chip maker's."""
FIRMWARE, CONFIG = _uuid("0107"), _uuid("0401")
QUAT, RAW, EULER = _uuid("0404"), _uuid("0406"), _uuid("0407")
NO_SAMPLES = {
    _uuid("0402"): 2, _uuid("0403"): 1, _uuid("0405"): 8, _uuid("0408"): 18, _uuid("0409"): 4, _uuid("040a"): 12,
}  # fmt: skip
"""Taps, orientation, steps, rotation matrix, heading, gravity -> bytes: kept in a recording, no samples."""

RATES_HZ = (10.0, 5.0, 20.0, 25.0, 50.0, 100.0, 200.0)
"""What a capture that states no rate is likely to run at, the factory setting first."""
_SLOWEST_HZ, _FASTEST_HZ = 5, 200
_CONFIG_BYTES, _RATE_AT = 9, 6
_REST_S = 0.3
"""It may restart when its features are switched too fast (release notes)."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Some columns of a packet that are one modality."""

    modality: Modality
    channels: tuple[str, ...]
    first: int
    scale: float

    def of(self, raw: npt.NDArray[np.signedinteger]) -> FloatArray:
        """(n, channels) values in SI units."""
        values: FloatArray = raw[:, self.first : self.first + len(self.channels)] * np.float64(self.scale)
        return values


@dataclass(frozen=True, slots=True)
class _Layout:
    """What the packets of a characteristic hold."""

    dtype: str
    size: int
    parts: tuple[_Part, ...]


_LAYOUTS = {
    RAW: _Layout("<i2", 18, (
        _Part(Modality.ACC, XYZ, 0, STANDARD_GRAVITY_MPS2 / 1024),
        _Part(Modality.GYR, XYZ, 3, radians(1) / 32),
        _Part(Modality.MAG, XYZ, 6, 1 / 16),
    )),
    QUAT: _Layout("<i4", 16, (_Part(Modality.QUAT, ("w", "x", "y", "z"), 0, 2.0**-30),)),
    EULER: _Layout("<i4", 12, (_Part(Modality.EULER, ("roll", "pitch", "yaw"), 0, radians(1) / 65536),)),
}  # fmt: skip


class Thingy52Decoder(BatchDecoder):
    """Decoder of one device's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        rate_hz = nominal_rate_hz(settings.get("rate_hz"))
        self._axis = HostAxis()
        self._streams = {name: ArrivalStream(self._axis, rate_hz, rates=RATES_HZ) for name in _LAYOUTS}
        self._battery = HostTimes(self._axis)

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a modality; refused packets in their order."""
        batch = PacketBatch.of(packets)
        faults = self._take_others(batch)
        found: dict[str, IntArray] = {}
        for name, layout in _LAYOUTS.items():
            found[name], wrong = columns.sized(batch, columns.of(batch, name), layout.size)
            faults.extend((int(i), "truncated packet") for i in wrong)
        self._set_zero(batch, list(found.values()))
        made = [block for name, packet in found.items() for block in self._blocks(name, batch, packet)]
        return [*made, *self._battery.release()], refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """What was held back because it was not clear yet whether samples were missing before it."""
        empty, none = PacketBatch.of(()), np.zeros(0, np.int64)
        made = [block for name in _LAYOUTS for block in self._blocks(name, empty, none, last=True)]
        return [*made, *self._battery.release(last=True)]

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _take_others(self, batch: PacketBatch) -> Faults:
        """Battery, what is no sample, strangers."""
        levels, faults = battery_levels(batch, _LAYOUTS, NO_SAMPLES)
        for arrival_ns, percent in levels:
            self._battery.take(Modality.BATTERY, ("battery",), arrival_ns, [percent])
        return faults

    def _set_zero(self, batch: PacketBatch, found: Sequence[IntArray]) -> None:
        """The packet that came first sets the zero, whichever stream is taken first."""
        first = min((int(packet[0]) for packet in found if packet.size), default=None)
        if first is not None and self._axis.zero_ns is None:
            self._axis.relative(batch.arrival_ns[first : first + 1])
            self._axis.zero_ns = 0.0

    def _blocks(self, name: str, batch: PacketBatch, packet: IntArray, *, last: bool = False) -> list[SampleBlock]:
        """Samples of one characteristic whose time is known by now."""
        if not packet.size and not last:
            return []
        layout, stream = _LAYOUTS[name], self._streams[name]
        octets = columns.gathered(batch.data, batch.ends[packet], layout.size)
        rows = np.ascontiguousarray(octets).view(layout.dtype)
        one, none = np.ones(packet.size, np.int64), np.zeros(packet.size, np.int64)
        known = stream.take(batch.arrival_ns[packet], one, none, rows, last=last)
        if known is None:
            return []
        t_s, raw = known
        return [SampleBlock(p.modality, t_s, p.of(raw), p.channels, stream.rate_hz) for p in layout.parts]


def recognises(advert: Advert) -> bool:
    """The configuration service."""
    return SERVICE in advert.services


def start(settings: Settings) -> Script[Settings]:
    """Set the rate, leave the other settings as they are, read it back, listen to raw motion: that switches it on."""
    granted = dict(settings) | (yield from _firmware())
    asked = float(settings.get("rate_hz", 50))
    rate_hz = round(min(max(asked, _SLOWEST_HZ), _FASTEST_HZ))
    before = yield Read(CONFIG)
    if before is None or len(before) != _CONFIG_BYTES:
        raise DeviceRefusedError("the Thingy does not tell its motion settings; update its firmware")
    wanted = before[:_RATE_AT] + rate_hz.to_bytes(2, "little") + before[_RATE_AT + 2 :]
    if wanted != before:  # they are kept in flash, which wears
        yield Write(CONFIG, wanted)
        yield Pause(_REST_S)
        if (yield Read(CONFIG)) != wanted:
            raise DeviceRefusedError(f"the Thingy does not take {rate_hz} Hz; switch it off and on, then try again")
    yield Subscribe(RAW)
    return granted | {"rate_hz": float(rate_hz), "acc_range_g": 2.0, "gyr_range_deg_s": 1023.0}


def stop(settings: Settings) -> Script[None]:
    """It measures while somebody listens."""
    yield Unsubscribe(RAW)


def _firmware() -> Script[dict[str, str]]:
    version = yield Read(FIRMWARE)
    return {"firmware": ".".join(map(str, version))} if version and len(version) == 3 else {}


DRIVER = Driver(
    name="thingy52",
    title="Nordic Thingy:52",
    decoder=Thingy52Decoder,
    recognises=recognises,
    start=start,
    stop=stop,
    defaults={"rate_hz": 50},
    packet_interval_s=0.1,
    facts=Facts(
        measures="acc gyr mag",
        best_rate_hz=200,
        clock=None,
        loss=None,
        ranges="2 g, 1023 deg/s",
        battery=True,
        vibrates=False,
        seen="scale of acc on a published capture, the rest from documents; not on a device by us",
        caution="It measures up to 2 g only, so that hard steps are cut off, and has neither clock nor counter: losses "
        "under 0.1 s cannot be told from a late packet.",
    ),
    battery=read_battery,
)
