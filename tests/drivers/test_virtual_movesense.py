"""The virtual Movesense is as strict as the maker's document says."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.movesense import BATTERY_POINT, COMMAND_POINT, DATA_POINT, VirtualMovesense
from drivers.virtual.peripheral import AttError


def listening(**settings: int) -> VirtualMovesense:
    sensor = VirtualMovesense(**settings)  # type: ignore[arg-type]
    sensor.subscribe(DATA_POINT)
    return sensor


def order(sensor: VirtualMovesense, code: int, reference: int, path: str = "") -> list[str]:
    command = bytes((code, reference)) + path.encode()
    return [answer.payload.hex() for answer in sensor.write(COMMAND_POINT, command, 0.0)]


def level(count: int, from_s: float = 0.0, rate: float = 52.0) -> list[SampleBlock]:
    t_s = from_s + np.arange(count) / rate
    acc = SampleBlock(Modality.ACC, t_s, np.tile([0.0, 0.0, 9.80665], (count, 1)))
    return [acc, SampleBlock(Modality.GYR, t_s, np.tile([np.pi, 0.0, 0.0], (count, 1)))]


def test_hello_and_statuses() -> None:
    sensor = listening()
    assert bytes.fromhex(order(sensor, 0, 200)[0])[2:].split(b"\0")[:2] == [b"\x02214330002345", b"Movesense"]
    assert order(sensor, 1, 99, "/Meas/IMU6/52") == ["0163c800"]
    assert order(sensor, 1, 99, "/Meas/IMU6/52") == ["01639901"]
    assert order(sensor, 1, 98, "/Meas/Acc/104") == ["01629901"]
    assert order(sensor, 1, 98, "/Meas/Light/52") == ["01629401"]
    assert order(sensor, 1, 98, "/Meas/Magn/53") == ["01629401"]
    assert order(sensor, 4, 97, "/System/Energy/Level") == ["0161c8005b"]
    assert order(sensor, 9, 97) == ["01619001"]
    assert order(sensor, 2, 99) == ["0163c800"]
    assert order(sensor, 2, 99) == ["01639401"]


def test_reference_0_is_no_reference_and_nobody_hears_without_subscribing() -> None:
    assert order(listening(), 1, 0, "/Meas/Acc/52") == []
    assert order(VirtualMovesense(), 0, 1) == []


def test_four_subscriptions_and_no_more() -> None:
    sensor, old = listening(), listening(old=True)
    for reference in range(1, 5):
        order(sensor, 1, reference, "/Meas/Acc/52")
        assert order(old, 1, reference, "/Meas/Acc/52") == []
    assert order(sensor, 1, 5, "/Meas/Acc/52") == ["0105fb01"]
    assert order(old, 1, 5, "/Meas/Acc/52") == ["010501fb"]


def test_a_payload_is_a_stamp_and_one_array_after_the_other() -> None:
    sensor = listening(clock_start_ms=1000)
    order(sensor, 1, 99, "/Meas/IMU6/52")
    assert sensor.rate_hz("gyr") == 52
    (sent,) = sensor.sample(level(5))
    assert sent.payload[:2] == b"\x02\x63"
    assert sent.t_s == pytest.approx(3 / 52)
    stamp, *numbers = struct.unpack("<I24f", sent.payload[2:])
    assert stamp == 1000
    assert numbers == pytest.approx([0, 0, 9.80665] * 4 + [180, 0, 0] * 4)


@pytest.mark.parametrize(("mtu", "sizes"), [(161, [152, 48]), (103, [100, 100]), (23, [20, 20, 20])])
def test_long_payloads_are_split(mtu: int, sizes: list[int]) -> None:
    sensor = listening(mtu=mtu)
    order(sensor, 1, 99, "/Meas/IMU6/104")
    sent = sensor.sample(level(8, rate=104))
    assert [len(n.payload) for n in sent] == sizes
    assert [n.payload[0] for n in sent] == [2, 3, 4][: len(sizes)]


def test_old_firmware_cuts_them_off() -> None:
    sensor = listening(old=True)
    order(sensor, 1, 99, "/Meas/IMU6/104")
    assert [len(n.payload) for n in sensor.sample(level(8, rate=104))] == [158]


def test_samples_may_come_in_any_portions() -> None:
    whole, parts = listening(), listening()
    for sensor in (whole, parts):
        order(sensor, 1, 99, "/Meas/IMU6/52")
    blocks = level(50)
    sent = [n for at in range(0, 50, 3) for n in parts.sample([b.between(at, min(at + 3, 50)) for b in blocks])]
    assert sent == whole.sample(blocks)


def test_the_links_end_drops_all_subscriptions_and_a_restart_the_clock() -> None:
    sensor = listening(clock_start_ms=5000)
    order(sensor, 1, 99, "/Meas/IMU6/52")
    sensor.sample(level(8))
    sensor.disconnect()
    assert sensor.rate_hz("acc") is None
    sensor.reboot()
    assert sensor.stamp_ms(7 / 52 + 1.0) == 1000


def test_what_does_not_exist_is_refused() -> None:
    sensor = VirtualMovesense()
    for attempt in (
        lambda: sensor.read(DATA_POINT),
        lambda: sensor.read(BATTERY_POINT),
        lambda: sensor.subscribe(COMMAND_POINT),
        lambda: sensor.write(DATA_POINT, b"", 0),
    ):
        with pytest.raises(AttError):
            attempt()
