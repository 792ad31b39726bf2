"""The virtual Myo is as strict as the maker's header file says."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.myo import BATTERY_POINT, COMMAND_POINT, EMG_POINTS, IMU_POINT, VirtualMyo
from drivers.virtual.peripheral import AttError


def emg(count: int) -> SampleBlock:
    values = np.arange(count * 8).reshape(count, 8) % 100 - 50.0
    return SampleBlock(Modality.EMG, np.arange(count) / 200, values, tuple("12345678"), unit="1")


def streaming(mode: str = "0103030100") -> VirtualMyo:
    sensor = VirtualMyo()
    for point in (*EMG_POINTS, IMU_POINT):
        sensor.subscribe(point)
    sensor.write(COMMAND_POINT, bytes.fromhex(mode), 0.0)
    return sensor


@pytest.mark.parametrize("text", ["", "01", "0103", "01030301", "010303010000", "0103040100", "0103030101", "0502FFFF"])
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(AttError):
        VirtualMyo().write(COMMAND_POINT, bytes.fromhex(text), 0.0)


def test_nothing_streams_before_the_mode_and_only_what_is_subscribed_is_sent() -> None:
    sensor = VirtualMyo()
    sensor.subscribe(EMG_POINTS[1])
    assert sensor.sample([emg(8)]) == []
    sensor.write(COMMAND_POINT, bytes.fromhex("0103030000"), 0.0)
    assert [n.characteristic for n in sensor.sample([emg(16)])] == [EMG_POINTS[1]] * 2
    assert sensor.rate_hz("acc") is None


def test_characteristics_take_turns_in_any_portions() -> None:
    whole, parts = streaming(), streaming()
    block = emg(21)
    sent = [n for at in range(0, 21, 3) for n in parts.sample([block.between(at, at + 3)])]
    assert sent == whole.sample([block])
    assert [EMG_POINTS.index(n.characteristic) for n in sent] == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    assert sent[0].payload == (np.arange(16) - 50).astype(np.int8).tobytes()


def test_the_link_s_end_reverts_the_settings() -> None:
    sensor = streaming()
    sensor.disconnect()
    assert sensor.rate_hz("emg") is None


def test_deep_sleep_ends_everything() -> None:
    sensor = streaming()
    sensor.write(COMMAND_POINT, b"\x04\x00", 0.0)
    assert sensor.sample([emg(8)]) == []


def test_attributes() -> None:
    sensor = VirtualMyo()
    assert sensor.read(BATTERY_POINT) == b"\x46"
    for attempt in (
        lambda: sensor.read(COMMAND_POINT),
        lambda: sensor.subscribe(COMMAND_POINT),
        lambda: sensor.write(IMU_POINT, b"", 0.0),
    ):
        with pytest.raises(AttError):
            attempt()
