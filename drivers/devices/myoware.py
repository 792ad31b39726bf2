"""MyoWare 2.0 with the Wireless Shield, running one of the makers' example sketches: one muscle, or four. No clock.

Told apart by what the device has: Advancer's peripheral and UART sketches send a number as text, the second with a line
feed; SparkFun's send one byte, or four of them (A0 in the lowest). Which output is wired (envelope, rectified, raw) and
whether it is counts or millivolts the sketch does not say, so numbers are given as they come, without a unit.

The sketch's loop sets the rate, and nobody else: 10 to 200 Hz, irregular. A radio brings samples in bundles. Where no
rate is stated, the samples of a bundle are spread over the time since the one before.

Source: AdvancerTechnologies/MyoWare-Arduino-Library at 2c2bcb9, sparkfun/SparkFun_MyoWare_Code_Examples at 2493e63
(certain for the sketches as published; anybody may change them). Inferred: the rates, and that the characteristic of
SparkFun's can be read. No published captures; not run on a device by us.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream, BundledStream
from drivers.clocks.device import nominal_rate_hz
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Advert, Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import packet_columns as columns
from drivers.script import Expect, Pause, Read, Script, Subscribe, Unsubscribe

PERIPHERAL_SERVICE = "ec3af789-2154-49f4-a9fc-bc6c88e9e930"
PERIPHERAL = "f3a56edf-8f1e-4533-93bf-5601b2e91308"
UART = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
SPARKFUN = "19b10001-e8f2-537e-4f6c-d104768a1214"
NAME = "MYOW"
USUAL_HZ = 200.0
"""Of the peripheral sketch, whose loop waits for nothing; SparkFun's wait 10 ms."""
_SAMPLES_OF_BYTES = (1, 4)
_NUMBER = re.compile(rb"\s*[+-]?\d{1,9}(\.\d{1,9})?\s*\0?")
_MEASURE_S = 1.0
_MOST_MEASURED = 250


class MyowareDecoder(BatchDecoder):
    """Decoder of one shield's notifications; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._axis = HostAxis()
        rate_hz = nominal_rate_hz(settings.get("rate_hz"))
        is_paced = rate_hz is not None and not settings.get("irregular")
        self._streams: dict[int, ArrivalStream | BundledStream] = {
            channels: ArrivalStream(self._axis, rate_hz) if is_paced else BundledStream(self._axis, rate_hz)
            for channels in _SAMPLES_OF_BYTES
        }

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
        batch = PacketBatch.of(packets)
        faults: Faults = []
        strange = columns.others(batch, PERIPHERAL, UART, SPARKFUN)
        faults.extend((i, "unknown characteristic") for i in strange)
        texts, numbers = self._texts(batch, faults)
        octets = columns.of(batch, SPARKFUN)
        single, others = columns.sized(batch, octets, 1)
        multi, odd = columns.sized(batch, others, 4)
        faults.extend((i, "neither one byte nor four") for i in odd.tolist())
        ones = np.concatenate([texts, single])
        values = np.concatenate([numbers, columns.gathered(batch.data, batch.ends[single], 1)[:, 0]])
        order = np.argsort(ones, kind="stable")
        ones, values = ones[order], values[order]
        self._set_zero(batch, ones, multi)
        fours = columns.gathered(batch.data, batch.ends[multi], 4).astype(np.float64)
        made = [*self._block(batch.arrival_ns[ones], values[:, None]), *self._block(batch.arrival_ns[multi], fours)]
        return made, refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """What was held back because it was not clear yet when it was taken."""
        none = np.zeros(0, np.int64)
        return [
            block for n in _SAMPLES_OF_BYTES for block in self._block(none, np.zeros((0, n)), last=True)
        ]  # fmt: skip

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _texts(self, batch: PacketBatch, faults: Faults) -> tuple[IntArray, FloatArray]:
        """Places of the texts that are numbers, and the numbers."""
        packet = np.concatenate([columns.of(batch, PERIPHERAL), columns.of(batch, UART)])
        numbers = np.full(packet.size, np.nan)
        size = np.diff(batch.ends)[packet]
        for length in range(4, 13):
            these = np.flatnonzero(size == length)
            if these.size:
                numbers[these] = plain_numbers(columns.gathered(batch.data, batch.ends[packet[these]], length))
        for i in np.flatnonzero(np.isnan(numbers)).tolist():
            payload = batch.data[batch.ends[packet[i]] : batch.ends[packet[i] + 1]]
            if _NUMBER.fullmatch(payload):
                numbers[i] = float(payload.rstrip(b"\0"))
            else:
                faults.append((int(packet[i]), "not a number"))
        sound = ~np.isnan(numbers)
        return packet[sound], numbers[sound]

    def _set_zero(self, batch: PacketBatch, *streams: IntArray) -> None:
        """The packet that came first sets the zero, whichever stream is taken first."""
        first = min((int(packet[0]) for packet in streams if packet.size), default=None)
        if first is not None and self._axis.zero_ns is None:
            self._axis.relative(batch.arrival_ns[first : first + 1])
            self._axis.zero_ns = 0.0

    def _block(self, arrival_ns: IntArray, rows: FloatArray, *, last: bool = False) -> list[SampleBlock]:
        channels = rows.shape[1]
        if not arrival_ns.size and not last:
            return []
        ones = np.ones_like(arrival_ns)
        stream = self._streams[channels]
        known = stream.take(arrival_ns, ones, 0 * ones, rows, last=last)
        if known is None:
            return []
        names = tuple(str(i + 1) for i in range(channels))
        return [SampleBlock(Modality.EMG, known[0], known[1].astype(np.float64), names, stream.rate_hz, unit="1")]


def plain_numbers(octets: npt.NDArray[np.uint8]) -> FloatArray:
    """(n,) numbers of (n, length) texts such as -123.45, with or without a line feed; NaN where it is not as plain."""
    made = np.full(len(octets), np.nan)
    ends_line, is_negative = octets[:, -1] == 0x0A, octets[:, 0] == 0x2D
    for sign, signed in ((1, ~is_negative), (-1, is_negative)):
        for last, ended in ((octets.shape[1], ~ends_line), (octets.shape[1] - 1, ends_line)):
            place = np.flatnonzero(signed & ended)
            text = octets[place, int(sign < 0) : last]
            if not place.size or text.shape[1] < 4:
                continue
            plain, number = np.ones(place.size, bool), np.zeros(place.size, np.int64)
            for at, column in enumerate(np.ascontiguousarray(text.T)):
                if at == text.shape[1] - 3:
                    plain &= column == 0x2E
                else:
                    digit = column - np.uint8(0x30)
                    plain &= digit <= 9
                    number = number * 10 + digit
            made[place[plain]] = sign * (number[plain] / 100)
    return made


def recognises(advert: Advert) -> bool:
    """The maker's service, or a name that begins as the sketches' do: their other services are anybody's."""
    return PERIPHERAL_SERVICE in advert.services or (advert.name or "").upper().startswith(NAME)


def start(settings: Settings) -> Script[Settings]:
    """See which sketch it runs, listen, and measure its rate: nobody can set it."""
    if (yield Read(PERIPHERAL)) is not None:
        source = PERIPHERAL
    else:
        source = SPARKFUN if (yield Read(SPARKFUN)) is not None else UART
    yield Subscribe(source)
    yield Pause(_MEASURE_S)
    heard = 0
    while heard < _MOST_MEASURED and (yield Expect(source, lambda _: True, 0.0)) is not None:
        heard += 1
    rate_hz = heard / _MEASURE_S if heard > 1 else float(settings.get("rate_hz", USUAL_HZ))
    return dict(settings) | {"rate_hz": rate_hz, "irregular": True, "source": source}


def stop(settings: Settings) -> Script[None]:
    """It streams while somebody listens."""
    yield Unsubscribe(str(settings.get("source", PERIPHERAL)))


DRIVER = Driver(
    name="myoware",
    title="MyoWare 2.0 with Wireless Shield",
    decoder=MyowareDecoder,
    recognises=recognises,
    start=start,
    stop=stop,
    defaults={"rate_hz": USUAL_HZ},
    packet_interval_s=0.2,
    facts=Facts(
        measures="emg",
        best_rate_hz=200,
        clock=None,
        loss=None,
        ranges="raw numbers of the sketch",
        battery=False,
        vibrates=False,
        seen="documents; not on a device by us",
        caution="Without clock and counter its samples are timed by their arrival, losses do not show, and after a "
        "lost link the shield may need its reset button.",
    ),
)
