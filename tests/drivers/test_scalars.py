"""Battery level and heart rate decode by themselves."""

from __future__ import annotations

import pytest

from drivers import registry
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.standard_gatt import BATTERY_LEVEL, HEART_RATE


@pytest.mark.parametrize(
    ("name", "uuid", "payloads", "values"),
    [
        ("battery", BATTERY_LEVEL, ["64", "00", "63"], [100, 0, 99]),
        ("heart-rate", HEART_RATE, ["0048", "012C01", "18 50 E803 0004"], [72, 300, 80]),
    ],
)
def test_numbers_follow_the_arrivals(name: str, uuid: str, payloads: list[str], values: list[float]) -> None:
    decoder = registry.driver(name).decoder({})
    packets = [RawPacket(10**12 + i * 10**9, uuid, bytes.fromhex(text)) for i, text in enumerate(payloads)]
    (block,), errors = decoder.feed_many(packets)
    assert errors == []
    assert block.values.ravel().tolist() == values
    assert block.t_s.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("name", "uuid", "text"),
    [("battery", BATTERY_LEVEL, "65"), ("battery", HEART_RATE, "64"), ("heart-rate", HEART_RATE, "01 48")],
)
def test_what_is_no_such_number_is_refused_and_costs_nothing_else(name: str, uuid: str, text: str) -> None:
    decoder = registry.driver(name).decoder({})
    with pytest.raises(PacketError):
        decoder.feed(RawPacket(0, uuid, bytes.fromhex(text)))
    assert decoder.finish() == []


@pytest.mark.parametrize("name", ["battery", "heart-rate"])
def test_two_in_one_instant_are_told_apart(name: str) -> None:
    driver = registry.driver(name)
    uuid = {"battery": BATTERY_LEVEL, "heart-rate": HEART_RATE}[name]
    payload = {"battery": b"\x10", "heart-rate": b"\x00\x10"}[name]
    (block,), _ = driver.decoder({}).feed_many([RawPacket(5, uuid, payload)] * 2)
    assert 0 < block.t_s[1] - block.t_s[0] < 1e-5
