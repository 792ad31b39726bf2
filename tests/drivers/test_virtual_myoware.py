"""The virtual MyoWare shield sends what the makers' sketches send."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.myoware import Sketch, VirtualMyoware
from drivers.virtual.peripheral import AttError

VALUES = SampleBlock(Modality.EMG, np.array([0.0, 0.01]), np.array([[12.5, 300], [0, 7.0]]), ("1", "2"))


@pytest.mark.parametrize(
    ("sketch", "said"),
    [
        (Sketch.PERIPHERAL, [b"12.50", b"0.00"]),
        (Sketch.UART, [b"12.50\n", b"0.00\n"]),
        (Sketch.SINGLE, [b"\x0c", b"\x00"]),
        (Sketch.MULTI, [b"\x0c\xff\x00\x00", b"\x00\x07\x00\x00"]),
    ],
)
def test_each_sketch_says_its_numbers_while_somebody_listens(sketch: Sketch, said: list[bytes]) -> None:
    sensor = VirtualMyoware(sketch=sketch)
    assert sensor.rate_hz("emg") is None
    assert sensor.sample([VALUES]) == []
    sensor.subscribe(sensor.point)
    assert [n.payload for n in sensor.sample([VALUES])] == said
    if sketch is not Sketch.UART:
        assert sensor.read(sensor.point) == said[-1]
    sensor.reboot()
    assert sensor.sample([VALUES]) == []


def test_attributes() -> None:
    sensor, uart = VirtualMyoware(), VirtualMyoware(sketch=Sketch.UART)
    assert uart.write("6e400002-b5a3-f393-e0a9-e50e24dcca9e", b"x", 0.0) == []
    for attempt in (
        lambda: sensor.read("x"),
        lambda: uart.read(uart.point),
        lambda: sensor.subscribe("x"),
        lambda: sensor.write(sensor.point, b"", 0.0),
    ):
        with pytest.raises(AttError):
            attempt()
