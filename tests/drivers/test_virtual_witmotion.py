"""The virtual WitMotion sensor is as strict as the vendor's documents say."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import AttError
from drivers.virtual.witmotion import COMMAND, STREAM, VirtualWitmotion


def listening(**settings: int) -> VirtualWitmotion:
    sensor = VirtualWitmotion(**settings)
    sensor.subscribe(STREAM)
    return sensor


def order(sensor: VirtualWitmotion, text: str, t_s: float = 0.0) -> list[str]:
    return [n.payload.hex() for n in sensor.write(COMMAND, bytes.fromhex(text), t_s)]


def level(count: int) -> list[SampleBlock]:
    return [SampleBlock(Modality.ACC, np.arange(count) / 100, np.tile([0, 0, 9.80665], (count, 1)))]


def test_it_streams_at_its_default_of_10_hz_as_soon_as_somebody_listens() -> None:
    assert VirtualWitmotion().rate_hz("acc") is None
    assert listening().rate_hz("acc") == 10
    (sent, *_) = listening().sample(level(1))
    assert sent.payload.hex() == "5561" + "000000000008" + "00" * 12


@pytest.mark.parametrize(("code", "mtu", "frames"), [(9, 247, 4), (8, 247, 2), (7, 247, 1), (9, 23, 1), (9, 63, 3)])
def test_frames_are_bundled_by_rate_and_mtu(code: int, mtu: int, frames: int) -> None:
    sensor = listening(rate_code=code, mtu=mtu)
    assert {len(n.payload) for n in sensor.sample(level(24))} == {20 * frames}


def test_samples_may_come_in_any_portions() -> None:
    whole, parts = listening(rate_code=9), listening(rate_code=9)
    block = level(50)[0]
    sent = [n for at in range(0, 50, 3) for n in parts.sample([block.between(at, min(at + 3, 50))])]
    assert sent == whole.sample([block])


def test_registers_are_read_eight_at_a_time_and_the_battery_reads_zero_at_first() -> None:
    sensor = listening()
    assert order(sensor, "FFAA270300") == ["55710300" + "0600" + "0000" * 7]
    assert order(sensor, "FFAA276400") == ["55716400" + "0000" * 8]
    assert order(sensor, "FFAA276400")[0][8:12] == "8b01"


def test_a_rate_outlives_the_power_and_other_registers_need_unlocking() -> None:
    sensor = listening()
    order(sensor, "FFAA030900")
    order(sensor, "FFAA240100")
    sensor.reboot()
    sensor.subscribe(STREAM)
    assert sensor.rate_hz("acc") == 100
    assert sensor.registers[0x24] == 0
    order(sensor, "FFAA6988B5", 1.0)
    order(sensor, "FFAA240100", 2.0)
    assert sensor.registers[0x24] == 1
    order(sensor, "FFAA1F0500", 12.0)
    assert 0x1F not in sensor.registers


def test_what_is_no_command_is_ignored_and_register_2_silences() -> None:
    sensor = listening(rate_code=9)
    for text in ("", "FFAA", "FFAA0309", "00AA030600", "FFAA030A00"):
        assert order(sensor, text) == []
    assert sensor.rate_hz("acc") == 100
    order(sensor, "FFAA020000")
    assert sensor.sample(level(10)) == []


def test_what_does_not_exist_is_refused() -> None:
    sensor = VirtualWitmotion()
    for attempt in (
        lambda: sensor.read(STREAM),
        lambda: sensor.subscribe(COMMAND),
        lambda: sensor.write(STREAM, b"", 0),
        lambda: order(sensor, "FFAA270300"),
    ):
        with pytest.raises(AttError):
            attempt()
