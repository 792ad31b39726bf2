"""The virtual gForce armband is as strict as the maker's SDK says."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.gforce import COMMAND, DATA, VirtualGforce
from drivers.virtual.peripheral import AttError


def emg(count: int) -> SampleBlock:
    values = np.arange(count * 8).reshape(count, 8) % 100 - 50.0
    return SampleBlock(Modality.EMG, np.arange(count) / 500, values, tuple("12345678"), unit="1")


def listening(**given: int) -> VirtualGforce:
    sensor = VirtualGforce(**given)  # type: ignore[arg-type]
    sensor.subscribe(COMMAND)
    return sensor


def reply(sensor: VirtualGforce, text: str) -> str:
    (one,) = sensor.write(COMMAND, bytes.fromhex(text), 0.0)
    return one.payload.hex()


def test_every_request_has_a_reply_with_its_status() -> None:
    sensor = listening()
    assert reply(sensor, "06") == "0006" + b"3.2.1".hex()
    assert reply(sensor, "08") == "000840"
    assert reply(sensor, "46") == "0046f401ff008008"
    assert reply(sensor, "0800") == "0208"
    assert reply(sensor, "99") == "0199"
    assert reply(sensor, "2402") == "0224"
    assert reply(sensor, "4f00") == "024f"


@pytest.mark.parametrize("text", ["e903ff008008", "f401fe008008", "f401ff007f08", "f401ff00800a", "8a02ff00800c", "f4"])
def test_settings_that_it_does_not_know_are_refused(text: str) -> None:
    assert reply(listening(), "3f" + text) == "023f"


def test_settings_fail_while_it_streams() -> None:
    sensor = listening(switch=0x80)
    assert reply(sensor, "3ff401ff00800c") == "033f"
    reply(sensor, "4f00000000")
    assert reply(sensor, "3ff401ff00800c") == "003f"


def test_nothing_is_sent_unless_it_is_switched_on_and_somebody_listens() -> None:
    sensor = listening()
    sensor.subscribe(DATA)
    assert sensor.sample([emg(32)]) == []
    reply(sensor, "4f80000000")
    assert len(sensor.sample([emg(32)])) == 2
    sensor.disconnect()
    assert sensor.sample([emg(32)]) == []
    sensor.subscribe(DATA)
    assert sensor.rate_hz("emg") == 500
    sensor.reboot()
    sensor.subscribe(DATA)
    assert sensor.rate_hz("emg") is None


def test_nobody_hears_a_reply_that_nobody_subscribed_to() -> None:
    assert VirtualGforce().write(COMMAND, b"\x08", 0.0) == []


def test_packets_have_their_size_their_number_and_fit_the_link() -> None:
    sensor = listening(number_bytes=2)
    sensor.subscribe(DATA)
    reply(sensor, "2601")
    reply(sensor, "4f80000000")
    first, second = sensor.sample([emg(32)])
    assert (first.payload[:3].hex(), second.payload[:3].hex()) == ("880000", "880100")
    assert first.payload[3:11] == bytes(range(78, 86))
    assert len(first.payload) == 131
    assert first.t_s == pytest.approx(15 / 500)
    sensor.mtu = 23
    parts = [n.payload for n in sensor.sample([emg(16)])]
    assert [part[:2].hex() for part in parts] == [f"ff{i:02x}" for i in range(7, -1, -1)]
    assert b"".join(part[2:] for part in parts)[:3].hex() == "880200"


def test_samples_may_come_in_any_portions() -> None:
    whole, parts = listening(switch=0x80), listening(switch=0x80)
    for sensor in (whole, parts):
        sensor.subscribe(DATA)
    block = emg(100)
    sent = [n for at in range(0, 100, 7) for n in parts.sample([block.between(at, min(at + 7, 100))])]
    assert sent == whole.sample([block])


def test_attributes() -> None:
    sensor = VirtualGforce()
    for attempt in (
        lambda: sensor.read(COMMAND),
        lambda: sensor.subscribe("x"),
        lambda: sensor.write(DATA, b"", 0.0),
    ):
        with pytest.raises(AttError):
            attempt()
