"""The virtual DOT is as strict as the maker's specification says."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.movella_dot import (
    BATTERY_POINT,
    CONTROL_POINT,
    DEVICE_POINT,
    INFO_POINT,
    LONG_POINT,
    MEDIUM_POINT,
    SHORT_POINT,
    VirtualMovellaDot,
)
from drivers.virtual.peripheral import AttError


def measuring(mode: int, **settings: int) -> VirtualMovellaDot:
    sensor = VirtualMovellaDot(**settings)
    for point in (SHORT_POINT, MEDIUM_POINT, LONG_POINT):
        sensor.subscribe(point)
    sensor.write(CONTROL_POINT, bytes((1, 1, mode)), 0.0)
    return sensor


def level(count: int, from_s: float = 0.0) -> SampleBlock:
    return SampleBlock(Modality.ACC, from_s + np.arange(count) / 60, np.tile([0.0, 0.0, 9.8125], (count, 1)))


def test_a_rate_and_mode_21_are_one_padded_payload_a_sample() -> None:
    sensor = measuring(21, rate=60, clock_start_us=100)
    one, two = sensor.sample([level(2)])
    assert one.characteristic == MEDIUM_POINT
    assert one.payload == struct.pack("<I6f", 100, 0, 0, 9.8125, 0, 0, 0) + bytes(12)
    assert two.payload[:4] == struct.pack("<I", 16767)


@pytest.mark.parametrize(
    ("mode", "point", "size"), [(5, SHORT_POINT, 20), (20, MEDIUM_POINT, 40), (26, LONG_POINT, 63)]
)
def test_each_mode_has_its_characteristic(mode: int, point: str, size: int) -> None:
    kind = Modality.QUAT if mode == 5 else Modality.ACC
    values = np.zeros((1, 4 if mode == 5 else 3))
    names = ("w", "x", "y", "z") if mode == 5 else ("x", "y", "z")
    (sent,) = measuring(mode).sample([SampleBlock(kind, np.zeros(1), values, names)])
    assert (sent.characteristic, len(sent.payload)) == (point, size)


def test_rates_are_reported_for_what_the_mode_holds() -> None:
    sensor = measuring(19, rate=30)
    assert (sensor.rate_hz("acc"), sensor.rate_hz("gyr"), sensor.rate_hz("quat")) == (30, 30, None)
    assert VirtualMovellaDot().rate_hz("acc") is None


@pytest.mark.parametrize("text", ["", "0101", "01011500", "020115", "010215", "010101", "010111", "010119", "01011b"])
def test_what_is_no_control_is_refused(text: str) -> None:
    with pytest.raises(AttError):
        VirtualMovellaDot().write(CONTROL_POINT, bytes.fromhex(text), 0.0)


def test_the_rate_cannot_change_while_measuring_and_unvisited_fields_do_not_count() -> None:
    sensor = VirtualMovellaDot(rate=20)
    rate = bytearray(32)
    rate[24:26] = b"\x3c\x00"
    sensor.write(DEVICE_POINT, bytes(rate), 0.0)
    assert sensor.rate == 20
    rate[0] = 0x10
    sensor.write(DEVICE_POINT, bytes(rate), 0.0)
    assert sensor.rate == 60
    assert sensor.timeouts_s == (600, 1800)
    sensor.write(CONTROL_POINT, b"\x01\x01\x15", 0.0)
    with pytest.raises(AttError):
        sensor.write(DEVICE_POINT, bytes(rate), 0.0)
    with pytest.raises(AttError):
        sensor.write(CONTROL_POINT, b"\x01\x01\x14", 0.0)
    rate[24:26] = b"\x78\x00"
    sensor.write(CONTROL_POINT, b"\x01\x00\x15", 0.0)
    with pytest.raises(AttError):
        sensor.write(DEVICE_POINT, bytes(rate), 0.0)
    with pytest.raises(AttError):
        sensor.write(DEVICE_POINT, bytes(31), 0.0)


def test_it_falls_asleep_when_the_second_time_out_is_over() -> None:
    sensor = measuring(21)
    assert sensor.sample([level(1, 1799.0)])
    assert sensor.sample([level(1, 1801.0)]) == []
    assert sensor.rate_hz("acc") is None


def test_nobody_hears_a_payload_who_does_not_listen_to_its_characteristic() -> None:
    sensor = measuring(21)
    sensor.subscribe(MEDIUM_POINT, on=False)
    assert sensor.sample([level(3)]) == []


def test_a_measurement_outlives_the_link_and_not_a_restart() -> None:
    sensor = measuring(21)
    sensor.sample([level(60)])
    sensor.disconnect()
    assert sensor.read(CONTROL_POINT) == b"\x01\x01\x15"
    sensor.reboot()
    assert sensor.read(CONTROL_POINT) == b"\x01\x00\x15"
    assert sensor.stamp_us(59 / 60 + 1) == 1_000_000


def test_attributes() -> None:
    sensor = VirtualMovellaDot()
    assert len(sensor.read(INFO_POINT)) == 34
    assert len(sensor.read(DEVICE_POINT)) == 32
    assert sensor.read(BATTERY_POINT) == b"\x42\x00"
    for attempt in (
        lambda: sensor.read(MEDIUM_POINT),
        lambda: sensor.subscribe(CONTROL_POINT),
        lambda: sensor.write(MEDIUM_POINT, b"", 0.0),
    ):
        with pytest.raises(AttError):
            attempt()
