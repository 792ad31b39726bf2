"""The virtual BITalino is as strict as the maker's firmware."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.bitalino import COMMANDS, FRAMES, VirtualBitalino
from drivers.virtual.peripheral import AttError


def emg(count: int) -> SampleBlock:
    return SampleBlock(Modality.EMG, np.arange(count) / 1000, np.zeros((count, 1)), ("1",))


def listening(**given: bool) -> VirtualBitalino:
    sensor = VirtualBitalino(**given)  # type: ignore[arg-type]
    sensor.subscribe(FRAMES)
    return sensor


def order(sensor: VirtualBitalino, text: str) -> list[str]:
    """Commands 0.1 s apart; the replies."""
    heard = []
    for at, byte in enumerate(bytes.fromhex(text)):
        heard += sensor.write(COMMANDS, bytes((byte,)), 0.1 * at)
    return [one.payload.hex() for one in heard]


def test_nothing_streams_before_it_is_told_to_and_after_it_is_told_not_to() -> None:
    sensor = listening()
    assert sensor.sample([emg(20)]) == []
    order(sensor, "C305")
    assert len(sensor.sample([emg(20)])) == 3
    sensor.write(COMMANDS, b"\x00", 9.0)
    assert sensor.rate_hz("emg") is None


def test_frames_are_cut_at_twenty_bytes_and_count_to_sixteen() -> None:
    sensor = listening()
    order(sensor, "C305")
    whole = b"".join(n.payload for n in sensor.sample([emg(40)]))
    assert len(whole) == 120
    assert [byte >> 4 for byte in whole[2::3]] == [i % 16 for i in range(40)]
    assert whole[:2].hex() == "0008"


def test_version_and_state_are_told_while_idle_only() -> None:
    sensor = listening()
    version, state = order(sensor, "070B")
    assert bytes.fromhex(version) == b"BITalino_v5.2\n"
    assert len(state) == 2 * 17
    assert state[24:28] == "bc02"
    assert order(listening(streaming=True), "070B") == []
    assert len(order(VirtualBitalino(version=b"BITalino_v4.2\n"), "0B")) == 0


def test_commands_that_come_too_close_are_lost() -> None:
    sensor = listening()
    assert sensor.write(COMMANDS, b"\x07", 0.0)
    assert sensor.write(COMMANDS, b"\x07", 0.05) == []
    assert sensor.write(COMMANDS, b"\x07", 0.2)


def test_zero_while_idle_sets_the_battery_threshold() -> None:
    sensor = listening()
    order(sensor, "FC00")
    assert sensor.threshold == 0


def test_it_goes_on_without_a_link_and_not_after_it_was_off() -> None:
    sensor = listening()
    order(sensor, "8305")
    sensor.disconnect()
    assert sensor.rate_hz("emg") is None
    sensor.subscribe(FRAMES)
    assert sensor.rate_hz("emg") == 100
    sensor.reboot()
    sensor.subscribe(FRAMES)
    assert sensor.rate_hz("emg") is None


def test_attributes() -> None:
    sensor = VirtualBitalino()
    for attempt in (
        lambda: sensor.read(FRAMES),
        lambda: sensor.subscribe("x"),
        lambda: sensor.write(FRAMES, b"", 0.0),
    ):
        with pytest.raises(AttError):
            attempt()
