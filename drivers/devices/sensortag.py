"""TI SensorTag CC2650: acceleration, rotation and magnetic field in one small packet, ten times a second.

Data is 18 bytes, nine int16 little-endian: gyro x y z (32768 = 250 deg/s), acc x y z (32768 = the range), mag x y z
(32760 = 4912 uT). Configuration is a 16-bit word, little-endian: bits 0 to 2 the gyro's axes, 3 to 5 those of the
accelerometer, 6 the magnetometer, 7 wake on motion (left clear: with it, data ends when the leg is still), 8 and 9
the range, 0..3 = 2, 4, 8, 16 g. The period is a byte of 10 ms. No clock, no counter.

A motion sensor that is off, or starved by a weak cell, is read as zeros: nine zeros are no measurement, and the
sample is missing. The same nine numbers again within half a period are one packet delivered twice.

Source: sandeepmistry/node-sensortag at 3fb6609, IanHarvey/bluepy, FogLAMP's plugin, digitalhack/dhSensorTag2015
(layout, scales, order: agreed on by independent programs, no official sheet); zeros of a weak cell and a range that
stays as it was: users' reports (forum.43oh.com 8863, e2e.ti.com 452115). Inferred: the advertised service, and that a
fifth of a second without a packet is the longest delay. Not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import radians

import numpy as np
import numpy.typing as npt

from analysis.samples import STANDARD_GRAVITY_MPS2, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream, HostTimes
from drivers.clocks.device import DUPLICATE, nominal_rate_hz
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Advert, Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import packet_columns as columns
from drivers.protocols.full_scale import nearest
from drivers.protocols.packet_columns import Octets
from drivers.protocols.standard_gatt import battery_levels, read_battery
from drivers.script import DeviceRefusedError, Read, Script, Subscribe, Unsubscribe, Write

SERVICE, DATA, CONFIG, PERIOD = (f"f000aa8{i}-0451-4000-b000-000000000000" for i in range(4))
SHORT_SERVICE = "0000aa80-0000-1000-8000-00805f9b34fb"
"""As it is advertised: 16 bits."""
NAMES = ("CC2650 SensorTag", "SensorTag 2.0")

RATES_HZ = (10.0, 5.0, 2.0, 1.0, 0.5)
"""What is guessed among where nobody states the rate; its own default is 1."""
RANGES_G = (2.0, 4.0, 8.0, 16.0)
GYR_RANGES_DEG_S = (250.0, 500.0, 1000.0, 2000.0)
"""The sensor's; the maker's firmware runs it at the first only."""
_USUAL_G = 8.0
_DATA_BYTES = 18
_ALL_AXES = 0x7F
_MAG_UT = 4912 / 32760
_SHORTEST, _LONGEST = 10, 255
"""Period in 10 ms."""
_USUAL_PERIOD_NS = 100_000_000


class SensorTagDecoder(BatchDecoder):
    """Decoder of one sensor's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._axis = HostAxis()
        rate_hz = nominal_rate_hz(settings.get("rate_hz"))
        self._stream = ArrivalStream(self._axis, rate_hz, rates=RATES_HZ)
        self._battery = HostTimes(self._axis)
        range_g = nearest(RANGES_G, settings.get("acc_range_g"), _USUAL_G)
        range_deg_s = nearest(GYR_RANGES_DEG_S, settings.get("gyr_range_deg_s"), GYR_RANGES_DEG_S[0])
        self._acc = range_g * STANDARD_GRAVITY_MPS2 / 32768
        self._gyr = radians(range_deg_s) / 32768
        self._twice_ns = round(0.5e9 / rate_hz) if rate_hz else _USUAL_PERIOD_NS // 2
        self._last: tuple[int, Octets] | None = None
        self._measured = False

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a modality; refused packets in their order."""
        batch = PacketBatch.of(packets)
        faults = self._take_others(batch)
        packet, odd = columns.sized(batch, columns.of(batch, DATA), _DATA_BYTES)
        faults.extend((int(i), "not 18 bytes") for i in odd)
        arrival = batch.arrival_ns[packet]
        octets = columns.gathered(batch.data, batch.ends[packet], _DATA_BYTES)
        twice = self._twice(arrival, octets)
        faults.extend((int(i), DUPLICATE) for i in packet[twice])
        return self._blocks(*self._begun(arrival[~twice], octets[~twice])), refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """What was held back because it was not clear yet whether samples were missing before it."""
        return self._blocks(np.zeros(0, np.int64), np.zeros((0, _DATA_BYTES), np.uint8), last=True)

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _take_others(self, batch: PacketBatch) -> Faults:
        """Battery, and strangers."""
        levels, faults = battery_levels(batch, (DATA,))
        for arrival_ns, percent in levels:
            self._battery.take(Modality.BATTERY, ("battery",), arrival_ns, [percent])
        return faults

    def _twice(self, arrival: IntArray, octets: Octets) -> npt.NDArray[np.bool_]:
        """(n,) whether a packet is the one before once more."""
        twice = np.zeros(arrival.size, bool)
        if not arrival.size:
            return twice
        since = np.abs(np.diff(arrival.astype(np.float64)))
        twice[1:] = (octets[1:] == octets[:-1]).all(axis=1) & (since < self._twice_ns)
        if self._last is not None:
            before_ns, before = self._last
            twice[0] = bool((octets[0] == before).all()) and abs(int(arrival[0]) - before_ns) < self._twice_ns
        self._last = (int(arrival[-1]), octets[-1].copy())
        return twice

    def _begun(self, arrival: IntArray, octets: Octets) -> tuple[IntArray, Octets]:
        """Without the packets before the first measurement, so that it is the session's zero."""
        if self._measured or not arrival.size:
            return arrival, octets
        measured = octets.any(axis=1)
        self._measured = bool(measured.any())
        first = int(measured.argmax()) if self._measured else arrival.size
        return arrival[first:], octets[first:]

    def _blocks(self, arrival: IntArray, octets: Octets, *, last: bool = False) -> list[SampleBlock]:
        ones = np.ones(arrival.size, np.int64)
        known = self._stream.take(arrival, ones, np.zeros_like(ones), columns.shorts(octets), last=last)
        made = self._battery.release(last=last)
        if known is None:
            return made
        t_s, raw = known
        measured = raw.any(axis=1)
        if not measured.all():
            t_s, raw = t_s[measured], raw[measured]
        if not t_s.size:
            return made
        rate_hz = self._stream.rate_hz
        return [
            SampleBlock(Modality.ACC, t_s, raw[:, 3:6] * np.float64(self._acc), rate_hz=rate_hz),
            SampleBlock(Modality.GYR, t_s, raw[:, 0:3] * np.float64(self._gyr), rate_hz=rate_hz),
            SampleBlock(Modality.MAG, t_s, raw[:, 6:9] * np.float64(_MAG_UT), rate_hz=rate_hz),
            *made,
        ]


def recognises(advert: Advert) -> bool:
    """Its service or its name; the maker's company id is every TI chip's."""
    return SERVICE in advert.services or SHORT_SERVICE in advert.services or advert.name in NAMES


def start(settings: Settings) -> Script[Settings]:
    """Period, configuration read back, then data: old firmware keeps the range it has."""
    asked_hz = nominal_rate_hz(settings.get("rate_hz")) or RATES_HZ[0]
    period = min(max(round(100 / asked_hz), _SHORTEST), _LONGEST)
    wanted_g = nearest(RANGES_G, settings.get("acc_range_g"), _USUAL_G)
    word = _ALL_AXES | RANGES_G.index(wanted_g) << 8
    yield Write(PERIOD, bytes((period,)))
    yield Write(CONFIG, word.to_bytes(2, "little"))
    told = yield Read(CONFIG)
    if told is not None and len(told) == 2:
        word = int.from_bytes(told, "little")
    if word & _ALL_AXES != _ALL_AXES:
        raise DeviceRefusedError(
            "the SensorTag does not switch its motion sensor on; put a fresh cell in, then try again"
        )
    yield Subscribe(DATA)
    granted = {"rate_hz": 100 / period, "acc_range_g": RANGES_G[word >> 8 & 3], "gyr_range_deg_s": GYR_RANGES_DEG_S[0]}
    return dict(settings) | granted


def stop(settings: Settings) -> Script[None]:
    """Everything off, to spare the cell."""
    yield Write(CONFIG, bytes(2))
    yield Unsubscribe(DATA)


DRIVER = Driver(
    name="sensortag",
    title="TI SensorTag CC2650",
    decoder=SensorTagDecoder,
    recognises=recognises,
    start=start,
    stop=stop,
    defaults={"rate_hz": 10, "acc_range_g": 8},
    packet_interval_s=0.1,
    facts=Facts(
        measures="acc gyr mag",
        best_rate_hz=10,
        clock=None,
        loss=None,
        ranges="16 g, 250 deg/s",
        battery=True,
        vibrates=False,
        seen="published programs that agree; no official sheet, not on a device by us",
        caution="Ten samples a second and 250 deg/s are too slow and too small to count a calf by: for trying things "
        "out only, and a weak coin cell makes it freeze or read zero.",
    ),
    battery=read_battery,
)
