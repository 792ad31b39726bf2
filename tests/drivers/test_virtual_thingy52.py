"""The virtual Thingy:52 is as strict as the maker's firmware."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import AttError
from drivers.virtual.thingy52 import (
    BATTERY_POINT,
    EULER_POINT,
    MOTION_POINT,
    QUATERNION_POINT,
    RAW_POINT,
    VirtualThingy52,
)


def motion(count: int, g: float = 1.0, deg_s: float = 0.0) -> list[SampleBlock]:
    t_s = np.arange(count) / 50
    acc = SampleBlock(Modality.ACC, t_s, np.tile([0.0, 0.0, g * 9.80665], (count, 1)))
    gyr = SampleBlock(Modality.GYR, t_s, np.tile([np.radians(deg_s), 0.0, 0.0], (count, 1)))
    return [acc, gyr]


def test_the_factory_settings_are_those_of_the_document() -> None:
    assert VirtualThingy52().read(MOTION_POINT).hex() == "e803f401f4010a0001"


def test_listening_switches_it_on_at_its_rate() -> None:
    sensor = VirtualThingy52(rate=50)
    assert sensor.rate_hz("acc") is None
    sensor.subscribe(RAW_POINT)
    assert [sensor.rate_hz(kind) for kind in ("acc", "gyr", "mag", "quat")] == [50, 50, 50, None]
    (sent,) = sensor.sample(motion(1, deg_s=-1.0))
    assert sent.payload == struct.pack("<9h", 0, 0, 1024, -32, 0, 0, 0, 0, 0)
    sensor.subscribe(RAW_POINT, on=False)
    assert sensor.sample(motion(1)) == []


@pytest.mark.parametrize(("g", "raw"), [(1.99, 2038), (2.5, 2047), (-16, -2048)])
def test_the_accelerometer_ends_at_2_g(g: float, raw: int) -> None:
    sensor = VirtualThingy52()
    sensor.subscribe(RAW_POINT)
    (sent,) = sensor.sample(motion(1, g))
    assert struct.unpack("<9h", sent.payload)[2] == raw


@pytest.mark.parametrize(("deg_s", "raw"), [(1023, 32736), (1500, 32736), (-1500, -32768)])
def test_the_gyro_s_field_ends_at_1023_and_1024(deg_s: float, raw: int) -> None:
    sensor = VirtualThingy52()
    sensor.subscribe(RAW_POINT)
    (sent,) = sensor.sample(motion(1, deg_s=deg_s))
    assert struct.unpack("<9h", sent.payload)[3] == raw


def test_quaternion_and_euler_are_fixed_point() -> None:
    sensor = VirtualThingy52()
    sensor.subscribe(QUATERNION_POINT)
    sensor.subscribe(EULER_POINT)
    at_s = np.zeros(1)
    quat = SampleBlock(Modality.QUAT, at_s, np.array([[1.0, 0.0, -0.5, 0.0]]), ("w", "x", "y", "z"))
    euler = SampleBlock(Modality.EULER, at_s, np.array([[np.pi, 0.0, -np.pi / 2]]), ("roll", "pitch", "yaw"))
    sent = {n.characteristic: n.payload for n in sensor.sample([quat, euler])}
    assert sent[QUATERNION_POINT] == struct.pack("<4i", 2**30, 0, -(2**29), 0)
    assert sent[EULER_POINT] == struct.pack("<3i", 180 * 65536, 0, -90 * 65536)


@pytest.mark.parametrize(
    "text",
    ["", "e803f401f4010a00", "e803f401f401040001", "e803f401f401c90001", "6300f401f4010a0001", "e803f401f4010a0002"],
)
def test_settings_of_another_length_or_out_of_range_are_refused(text: str) -> None:
    sensor = VirtualThingy52()
    with pytest.raises(AttError):
        sensor.write(MOTION_POINT, bytes.fromhex(text), 0.0)
    assert sensor.settings[3] == 10


def test_the_links_end_switches_it_off_and_settings_outlive_the_power() -> None:
    sensor = VirtualThingy52()
    sensor.subscribe(RAW_POINT)
    sensor.write(MOTION_POINT, bytes.fromhex("e803f401f401640001"), 0.0)
    sensor.disconnect()
    assert sensor.rate_hz("acc") is None
    sensor.reboot()
    sensor.subscribe(RAW_POINT)
    assert sensor.rate_hz("acc") == 100


def test_attributes() -> None:
    sensor = VirtualThingy52()
    assert sensor.read(BATTERY_POINT) == b"\x3a"
    for attempt in (
        lambda: sensor.read(RAW_POINT),
        lambda: sensor.subscribe(MOTION_POINT),
        lambda: sensor.write(RAW_POINT, b"", 0.0),
    ):
        with pytest.raises(AttError):
            attempt()
