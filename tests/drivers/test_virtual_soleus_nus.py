"""The virtual device of the open profile keeps the document's order of events."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import AttError
from drivers.virtual.soleus_nus import FROM_DEVICE, TO_DEVICE, VirtualSoleusNus

START = "02 03 6400 E803 03 04 01"


def listening(**settings: int) -> VirtualSoleusNus:
    sensor = VirtualSoleusNus(**settings)  # type: ignore[arg-type]
    sensor.subscribe(FROM_DEVICE)
    return sensor


def order(sensor: VirtualSoleusNus, text: str, t_s: float = 0.0) -> str:
    (answer,) = sensor.write(TO_DEVICE, bytes.fromhex(text), t_s)
    return answer.payload.hex()


def level(count: int, from_s: float = 0.0) -> SampleBlock:
    return SampleBlock(Modality.ACC, from_s + np.arange(count) / 100, np.zeros((count, 3)))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", "150001"),
        ("07", "150701"),
        ("0100", "150102"),
        ("0201", "150202"),
        ("02 00 0000 0000 00 00 00", "150203"),
        (START, "150203"),
    ],
)
def test_a_wrong_command_gets_its_answer(text: str, answer: str) -> None:
    assert order(listening(), text) == answer


def test_nothing_is_answered_or_sent_before_somebody_listens() -> None:
    sensor = VirtualSoleusNus()
    with pytest.raises(AttError):
        order(sensor, "01")
    sensor.subscribe(FROM_DEVICE)
    assert sensor.sample([level(100)]) == []


def test_a_running_device_is_not_started_again_and_stops_with_the_link() -> None:
    sensor = listening(emg_channels=1)
    assert order(sensor, START)[:6] == "150200"
    assert order(sensor, START) == "150204"
    assert (sensor.rate_hz("acc"), sensor.rate_hz("emg")) == (100, 1000)
    sensor.disconnect()
    assert sensor.rate_hz("acc") is None


@pytest.mark.parametrize(("mtu", "size"), [(23, 20), (60, 56), (247, 128)])
def test_packets_are_full_or_a_tenth_of_a_second_old(mtu: int, size: int) -> None:
    sensor = listening(mtu=mtu)
    order(sensor, "02 01 6400 0000 03 04 00")
    assert {len(n.payload) for n in sensor.sample([level(60)])} == {size}


def test_status_comes_every_ten_seconds() -> None:
    sensor = listening()
    order(sensor, "02 01 6400 0000 03 04 00")
    sent = [n for i in range(300) for n in sensor.sample([level(10, i / 10)]) if n.payload[0] == 0x13]
    assert len(sent) == 2


def test_a_restart_changes_the_boot_number_and_sets_the_clock_back() -> None:
    sensor = listening(clock_start_us=77)
    order(sensor, "04", 5.0)
    sensor.reboot()
    assert (sensor.boot, sensor.stamp_us(6.0)) == (0x1235, 1_000_000)


def test_what_does_not_exist_is_refused() -> None:
    sensor = VirtualSoleusNus()
    for attempt in (
        lambda: sensor.read(FROM_DEVICE),
        lambda: sensor.subscribe(TO_DEVICE),
        lambda: sensor.write(FROM_DEVICE, b"", 0),
    ):
        with pytest.raises(AttError):
            attempt()
