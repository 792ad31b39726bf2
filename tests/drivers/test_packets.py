"""A batch of packets is the packets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.packets import PacketBatch, RawPacket

PACKET = st.builds(RawPacket, st.integers(-(2**63), 2**63 - 1), st.sampled_from("abc"), st.binary(max_size=9))


@given(st.lists(PACKET, max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_a_batch_reads_as_its_packets(packets: list[RawPacket], first: int, last: int) -> None:
    batch = PacketBatch.of(packets)
    assert PacketBatch.of(batch) is batch
    assert list(batch) == packets == [batch[i] for i in range(len(batch))]
    assert list(batch[first:last]) == packets[first:last]
    assert list(batch[first:]) == packets[first:]
    assert list(PacketBatch.join([batch[:first], batch[first:]])) == packets


def test_only_batches_of_the_same_characteristics_are_joined() -> None:
    one, other = (PacketBatch.of([RawPacket(0, name, b"")]) for name in "ab")
    for batches in ([], [one, other]):
        with pytest.raises(ValueError, match="same characteristics"):
            PacketBatch.join(batches)


def test_a_batch_has_no_packet_beyond_its_end_and_no_steps() -> None:
    batch = PacketBatch.of([RawPacket(0, "a", b"1"), RawPacket(1, "a", b"2")])
    assert batch[-1].payload == b"2"
    with pytest.raises(IndexError):
        batch[2]
    with pytest.raises(ValueError, match="consecutive"):
        batch[::2]
