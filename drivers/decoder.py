"""The shape of every device decoder. Sans-IO."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from analysis.samples import SampleBlock
from drivers.errors import PacketError
from drivers.packets import RawPacket

Settings = Mapping[str, Any]
"""What the start request asked for: keys of CONTRACT.md, `drivers decode`; every key optional."""


class Decoder(Protocol):
    """Bytes of one device in, samples in SI units out. `t_s` is device seconds from its first sample."""

    def feed(self, packet: RawPacket) -> list[SampleBlock]:
        """Samples this packet completes; empty list = need more.

        Raises:
            PacketError: the packet is refused; the decoder stays usable and nothing else is lost.
        """
        ...

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same to the bit for many packets at once, neighbouring blocks of a stream joined."""
        ...

    def finish(self) -> list[SampleBlock]:
        """Samples still held back when no further packet will come."""
        ...


@runtime_checkable
class HostZero(Protocol):
    """A decoder that knows where its zero lies on the host's clock."""

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample. Late by the first packet's latency."""
        ...


Faults = list[tuple[int, str]]
"""Place of a refused packet in its batch, and why."""


def refusals(packets: Sequence[RawPacket], faults: Iterable[tuple[int, str]]) -> list[PacketError]:
    """The refused packets of a batch, in their order."""
    return [PacketError(why, packets[place].characteristic, packets[place].payload) for place, why in sorted(faults)]


class BatchDecoder(ABC):
    """A decoder that takes packets by the batch; one packet is a batch of one."""

    def feed(self, packet: RawPacket) -> list[SampleBlock]:
        """Samples this packet completes.

        Raises:
            PacketError: the packet is refused; nothing else is lost.
        """
        blocks, errors = self.feed_many((packet,))
        if errors:
            raise errors[0]
        return blocks

    @abstractmethod
    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block a stream; refused packets in their order."""
