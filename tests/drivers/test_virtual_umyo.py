"""The virtual uMyo sends what the maker's firmware sends."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.packets import ADVERTISEMENT
from drivers.virtual.peripheral import AttError
from drivers.virtual.umyo import NAME_POINT, TELEMETRY, VirtualUmyo


def emg(count: int) -> SampleBlock:
    values = (np.arange(count)[:, None] * 7) % 100 - 50.0
    return SampleBlock(Modality.EMG, np.arange(count) / 1150, values, ("1",), unit="1")


def listening(**given: bool) -> VirtualUmyo:
    sensor = VirtualUmyo(**given)  # type: ignore[arg-type]
    sensor.subscribe(TELEMETRY)
    return sensor


def test_nothing_streams_before_somebody_listens_nor_after() -> None:
    sensor = VirtualUmyo()
    assert sensor.rate_hz("emg") is None
    assert sensor.sample([emg(48)]) == []
    sensor.subscribe(TELEMETRY)
    assert len(sensor.sample([emg(48)])) == 2
    sensor.disconnect()
    assert sensor.sample([emg(48)]) == []


def test_emg_is_twenty_four_samples_behind_their_index() -> None:
    first, second = listening().sample([emg(50)])
    assert struct.unpack("<I24h", first.payload) == (0, *(emg(24).values[:, 0].astype(int)))
    assert struct.unpack("<I", second.payload[:4]) == (24,)
    assert second.t_s == pytest.approx(47 / 1150)


def test_samples_may_come_in_any_portions() -> None:
    for whole, parts in ((listening(), listening()), (VirtualUmyo(connectable=False), VirtualUmyo(connectable=False))):
        block = emg(500)
        sent = [n for at in range(0, 500, 7) for n in parts.sample([block.between(at, min(at + 7, 500))])]
        assert sent == whole.sample([block])


def test_with_quaternions_the_packet_is_sixty_bytes_and_there_is_no_other_motion() -> None:
    sensor = listening(quaternions=True)
    quat = SampleBlock(Modality.QUAT, np.zeros(1), np.array([[0.6, 0, 0.8, 0]]), ("w", "x", "y", "z"))
    (sent,) = sensor.sample([quat, emg(24)])
    assert struct.unpack("<4h", sent.payload[52:]) == (19660, 0, 26214, 0)
    assert (sensor.rate_hz("acc"), sensor.rate_hz("quat")) == (None, 25)


def test_motion_is_twenty_six_bytes() -> None:
    acc = SampleBlock(Modality.ACC, np.zeros(1), np.array([[0, 0, 9.80665]]))
    (sent,) = listening().sample([acc])
    assert struct.unpack("<13h", sent.payload) == (0, 0, 16384, *[0] * 10)


def test_older_firmware_only_advertises_and_its_data_is_its_company() -> None:
    sensor = VirtualUmyo(connectable=False)
    assert sensor.services == {}
    sent = sensor.sample([emg(8 * 9)])
    assert [n.characteristic for n in sent] == [ADVERTISEMENT] * 3
    assert [n.payload[:2].hex() for n in sent] == ["03bb", "06bb", "09bb"]
    assert {len(n.payload) for n in sent} == {15}
    ((company, rest),) = sensor.manufacturer_data.items()
    assert company.to_bytes(2, "little") + rest == sent[-1].payload
    with pytest.raises(AttError):
        sensor.subscribe(TELEMETRY)


def test_attributes() -> None:
    sensor = VirtualUmyo()
    sensor.write(NAME_POINT, b"calf", 0.0)
    assert sensor.read(NAME_POINT) == b"calf"
    for attempt in (
        lambda: sensor.read("x"),
        lambda: sensor.subscribe("x"),
        lambda: sensor.write(TELEMETRY, b"", 0.0),
        lambda: sensor.write(NAME_POINT, bytes(17), 0.0),
    ):
        with pytest.raises(AttError):
            attempt()
