"""The virtual SensorTag is as strict as the programs that talk to the real one found it."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import AttError
from drivers.virtual.sensortag import BATTERY, FIRMWARE, INTERVAL, MEASURED, SWITCHES, VirtualSensorTag


def switched(text: str = "7F02", **settings: int) -> VirtualSensorTag:
    sensor = VirtualSensorTag(**settings)  # type: ignore[arg-type]
    sensor.write(SWITCHES, bytes.fromhex(text), 0.0)
    sensor.subscribe(MEASURED)
    return sensor


def moved(count: int = 1) -> list[SampleBlock]:
    t_s = np.arange(count) / 10
    rows = ((Modality.ACC, 9.80665), (Modality.GYR, radians(125)), (Modality.MAG, 4912 / 32760))
    return [SampleBlock(kind, t_s, np.full((count, 3), value)) for kind, value in rows]


def test_it_measures_once_a_second_until_told_otherwise_and_only_for_a_listener() -> None:
    assert VirtualSensorTag().rate_hz("acc") is None
    sensor = VirtualSensorTag()
    sensor.subscribe(MEASURED)
    assert (sensor.rate_hz("acc"), sensor.sample(moved())) == (None, [])
    assert switched().rate_hz("acc") == 1
    sensor = switched()
    sensor.write(INTERVAL, b"\x0a", 0.0)
    assert [sensor.rate_hz(kind) for kind in ("acc", "gyr", "mag", "temp")] == [10, 10, 10, None]


@pytest.mark.parametrize(
    ("word", "packet"),
    [
        ("7F02", "0040 0040 0040 0010 0010 0010 0100 0100 0100"),
        ("7F00", "0040 0040 0040 0040 0040 0040 0100 0100 0100"),
        ("3803", "0000 0000 0000 0008 0008 0008 0000 0000 0000"),
        ("0100", "0000 0000 0040 0000 0000 0000 0000 0000 0000"),
        ("2000", "0000 0000 0000 0040 0000 0000 0000 0000 0000"),
        ("027F", "0000 0040 0000 0000 0000 0000 0000 0000 0000"),
    ],
)
def test_an_axis_that_is_off_is_zero_and_a_word_the_wrong_way_round_is_mostly_off(word: str, packet: str) -> None:
    (sent,) = switched(word).sample(moved())
    assert sent.payload == bytes.fromhex(packet)


def test_read_gives_the_last_measurement_and_zeros_when_off() -> None:
    sensor = switched()
    (*_, last) = sensor.sample(moved(3))
    assert sensor.read(MEASURED) == last.payload
    assert sensor.read(SWITCHES) == b"\x7f\x02"
    sensor.write(SWITCHES, b"\0\0", 0.0)
    assert sensor.read(MEASURED) == bytes(18)
    assert sensor.sample(moved(3)) == []


def test_a_range_may_be_stuck_and_a_weak_cell_reads_as_zeros() -> None:
    assert switched(stuck_range=0).read(SWITCHES) == b"\x7f\x00"
    (sent,) = switched(starved=1).sample(moved())
    assert sent.payload == bytes(18)


def test_the_link_s_end_switches_it_off() -> None:
    sensor = switched()
    sensor.disconnect()
    sensor.subscribe(MEASURED)
    assert sensor.rate_hz("acc") is None
    assert sensor.read(INTERVAL) == b"\x64"


def test_what_is_wrong_or_does_not_exist_is_refused() -> None:
    sensor = VirtualSensorTag()
    assert sensor.read(BATTERY) == b"\x47"
    assert sensor.read(FIRMWARE).startswith(b"1.40")
    for attempt in (
        lambda: sensor.read("x"),
        lambda: sensor.subscribe(SWITCHES),
        lambda: sensor.write(MEASURED, bytes(18), 0),
        lambda: sensor.write(SWITCHES, b"\x7f", 0),
        lambda: sensor.write(INTERVAL, b"\x09", 0),
        lambda: sensor.write(INTERVAL, b"\x0a\x00", 0),
    ):
        with pytest.raises(AttError):
            attempt()
