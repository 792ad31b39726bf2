"""Drivers of standard characteristics whose packets hold one number each."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from analysis.samples import Modality, SampleBlock
from drivers.clocks.arrival import HostAxis
from drivers.clocks.arrival_streams import HostTimes
from drivers.decoder import BatchDecoder, Settings
from drivers.driver import Driver, Facts
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.standard_gatt import read_battery
from drivers.script import Script, Subscribe, Unsubscribe


class ScalarDecoder(BatchDecoder):
    """One number a packet, timed by its arrival; see `drivers.decoder.Decoder`."""

    def __init__(self, characteristic: str, modality: Modality, read: Callable[[bytes], float]) -> None:
        """A decoder of one characteristic.

        Args:
            characteristic: UUID.
            modality: what the numbers are.
            read: payload -> number, or PacketError.
        """
        self._characteristic, self._modality, self._read = characteristic, modality, read
        self._axis = HostAxis()
        self._times = HostTimes(self._axis)

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets, one block; refused packets in their order."""
        errors = []
        for packet in packets:
            try:
                self._take(packet)
            except PacketError as error:
                errors.append(error)
        return self._times.release(last=True), errors

    def finish(self) -> list[SampleBlock]:
        """Nothing is ever held back."""
        return []

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first number."""
        return self._axis.arrival_ns

    def _take(self, packet: RawPacket) -> None:
        if packet.characteristic != self._characteristic:
            raise PacketError("unknown characteristic", packet.characteristic, packet.payload)
        self._times.take(self._modality, (str(self._modality),), packet.arrival_ns, [self._read(packet.payload)])


def scalar_driver(
    name: str, title: str, characteristic: str, modality: Modality, read: Callable[[bytes], float], *,
    packet_interval_s: float, extent: str,
) -> Driver:  # fmt: skip
    """Driver of one standard characteristic. Part of many sensors and none by itself: no advertisement is recognised.

    Args:
        name: of the driver.
        title: what it reads, for people.
        characteristic: UUID.
        modality: what the numbers are.
        read: payload -> number, or PacketError.
        packet_interval_s: how often a packet may be expected.
        extent: range of the numbers, for the table of sensors.
    """

    def start(settings: Settings) -> Script[Settings]:
        yield Subscribe(characteristic)
        return dict(settings)

    def stop(_settings: Settings) -> Script[None]:
        yield Unsubscribe(characteristic)

    return Driver(
        name=name,
        title=title,
        decoder=lambda settings: ScalarDecoder(characteristic, modality, read),
        recognises=lambda advert: False,
        start=start,
        stop=stop,
        defaults={},
        packet_interval_s=packet_interval_s,
        facts=Facts(str(modality), 1, None, None, extent, True, False, "documents"),
        battery=read_battery,
    )
