"""Movella (Xsens) DOT: one sample a notification, with a microsecond clock that wraps around after 71.6 minutes.

Which fields a notification holds follows from the payload mode that was started; the modes are in
`drivers.protocols.dot_modes`, the conversation in `drivers.protocols.dot_session`. Nothing is counted: a lost
notification shows as a step of the clock by several periods. Messages (sync, recording) are framed by a checksum:
all bytes sum to zero modulo 256.

Source: "Xsens DOT BLE Services Specifications" XD0506P rev. F and C (layouts, modes, clock: certain);
two published notifications of mode 6 (protobioengineering/xsens-dot-python-examples at 3ddc1b2), which a test holds
against this code. Inferred: that no open mode carries a counter, and the layout of mode 26. Not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analysis.samples import Modality, SampleBlock
from drivers.clocks.arrival import HostAxis
from drivers.clocks.arrival_streams import HostTimes
from drivers.clocks.counted import StampOrder, WrappingClock
from drivers.clocks.device import nominal_rate_hz
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import dot_session as session
from drivers.protocols import packet_columns as columns
from drivers.protocols.dot_modes import CLOSED, MODES, STAMP_BYTES, columns_of
from drivers.protocols.dot_session import BATTERY, HEADING, MESSAGES, PAYLOAD, REPORT, USUAL_RATE_HZ
from drivers.protocols.packet_columns import IntArray
from drivers.protocols.standard_gatt import battery_percent

NO_SAMPLES = frozenset({REPORT, HEADING})
"""Button and power reports: kept in a recording, no fault of the stream."""


class MovellaDotDecoder(BatchDecoder):
    """Decoder of one sensor's packets; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        stated = settings.get("mode")
        self._number = stated if isinstance(stated, int) else None
        self._mode = MODES.get(self._number) if self._number is not None else None
        self._rate_hz = nominal_rate_hz(settings.get("rate_hz"))
        self._clock = WrappingClock()
        self._order = StampOrder()
        self._axis = HostAxis()
        self._battery = HostTimes(self._axis)
        self._zero_ns: int | None = None

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a modality; refused packets in their order."""
        batch = PacketBatch.of(packets)
        faults = self._take_others(batch)
        made = self._take_payloads(batch, faults)
        return [*made, *self._battery.release()], refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """Battery levels of a session without samples; nothing else is ever held back."""
        return self._battery.release(last=True)

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _take_others(self, batch: PacketBatch) -> Faults:
        """Everything but the mode's payloads."""
        own = PAYLOAD[self._mode.payload] if self._mode else ""
        place = batch.names.index(own) if own in batch.names else -1
        faults: Faults = []
        for i in np.flatnonzero(batch.which != place).tolist():
            try:
                self._take_other(batch[i])
            except PacketError as error:
                faults.append((i, error.reason))
        return faults

    def _take_other(self, packet: RawPacket) -> None:
        if packet.characteristic == BATTERY:
            if len(packet.payload) != 2:
                raise PacketError("battery is not two bytes")
            percent = battery_percent(packet.payload[:1])
            self._battery.take(Modality.BATTERY, ("battery",), packet.arrival_ns, [percent])
        elif packet.characteristic == MESSAGES:
            check_message(packet.payload)
        elif packet.characteristic in PAYLOAD.values():
            raise PacketError(self._why_not())
        elif packet.characteristic not in NO_SAMPLES:
            raise PacketError("unknown characteristic")

    def _why_not(self) -> str:
        """Why a payload is not decoded."""
        if self._mode is not None:
            return f"not the characteristic of payload mode {self._number}"
        if self._number is None:
            return "the payload mode that was started is not known"
        return f"payload mode {self._number} is {'a closed format' if self._number in CLOSED else 'not known'}"

    def _take_payloads(self, batch: PacketBatch, faults: Faults) -> list[SampleBlock]:
        if self._mode is None:
            return []
        packet = columns.of(batch, PAYLOAD[self._mode.payload])
        size = np.diff(batch.ends)[packet]
        faults.extend((int(i), "truncated packet") for i in packet[size < self._mode.size])
        packet = packet[size >= self._mode.size]
        octets = columns.gathered(batch.data, batch.ends[packet], self._mode.size)
        now_ns = self._clock.unwrapped_ns(_stamps(octets), batch.arrival_ns[packet])
        sound, found = columns_of(self._mode, octets, self._rate_hz or USUAL_RATE_HZ)
        faults.extend((int(i), "a value that is no number") for i in packet[~sound])
        taken, refused = self._order.accept(now_ns[sound])
        own = np.flatnonzero(sound)
        faults.extend((int(packet[own[i]]), why) for i, why in refused)
        kept = own[taken]
        if not kept.size:
            return []
        if self._zero_ns is None:
            self._zero_ns = int(now_ns[kept[0]])
            self._axis.base_ns, self._axis.zero_ns = int(batch.arrival_ns[packet[kept[0]]]), 0.0
        t_s = (now_ns[kept] - self._zero_ns) / 1e9
        whole = kept.size == len(octets)
        return [
            SampleBlock(modality, t_s, values if whole else values[kept], channels, self._rate_hz)
            for modality, channels, values in found
        ]


def _stamps(octets: npt.NDArray[np.uint8]) -> IntArray:
    """(n,) microseconds modulo 2**32."""
    return np.ascontiguousarray(octets[:, :STAMP_BYTES]).view("<u4")[:, 0].astype(np.int64)


def check_message(payload: bytes) -> None:
    """A message is MID, LEN, LEN bytes and a checksum; what follows is padding.

    Raises:
        PacketError: truncated, or the bytes do not sum to zero.
    """
    if len(payload) < 3 or len(payload) < 3 + payload[1]:
        raise PacketError("truncated message")
    if sum(payload[: 3 + payload[1]]) % 256:
        raise PacketError("wrong checksum of a message")


DRIVER = Driver(
    name="movella-dot",
    title="Movella (Xsens) DOT",
    decoder=MovellaDotDecoder,
    recognises=session.recognises,
    start=session.start,
    stop=session.stop,
    defaults={"rate_hz": 60, "mode": session.USUAL_MODE},
    packet_interval_s=0.05,
    facts=Facts(
        measures="acc gyr",
        best_rate_hz=60,
        clock="us, of the sample",
        loss="clock",
        ranges="16 g, 2000 deg/s",
        battery=True,
        vibrates=False,
        seen="mode 6 on published bytes, the other modes from documents; not on a device by us",
        caution="60 Hz is its limit by radio, and while it is recorded from it does not switch itself off: end the "
        "recording before you put it away.",
    ),
    battery=session.battery,
    least_mtu=43,
)
