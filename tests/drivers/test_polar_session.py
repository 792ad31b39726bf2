"""The Polar scripts against a virtual sensor that is as strict as the real one."""

from __future__ import annotations

import pytest

from drivers.devices.polar_pmd import DRIVER
from drivers.script import DeviceRefusedError, Expect, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.peripheral import Notification
from drivers.virtual.polar_models import H10, VERITY_SENSE, VERITY_SENSE_OLD, Model
from drivers.virtual.polar_pmd import CONTROL_POINT, DATA_POINT, VirtualPolar

USUAL = {"rate_hz": 52, "acc_range_g": 8, "gyr_range_deg_s": 2000}


def writes(talk: Conversation) -> list[str]:
    return [step.payload.hex() for step in talk.steps if isinstance(step, Write)]


@pytest.mark.parametrize("model", [VERITY_SENSE, VERITY_SENSE_OLD])
def test_a_verity_sense_streams_both_at_52_hz_without_sdk_mode(model: Model) -> None:
    """Known-good starts of the vendor's document; its order of items is free."""
    talk = Conversation(VirtualPolar(model))
    assert talk.carry_out(DRIVER.start(USUAL)) == USUAL | {"sdk_mode": False}
    assert writes(talk) == ["06", "0102", "0105", "0102", "02020001340001011000020108000401" + "03", "0105",
                            "020500013400010110000201d007040103"]  # fmt: skip
    assert (talk.sensor.rate_hz("acc"), talk.sensor.rate_hz("gyr")) == (52, 52)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ({"rate_hz": 208}, {"rate_hz": 208, "acc_range_g": 2, "gyr_range_deg_s": 250}),
        ({"acc_range_g": 16}, {"rate_hz": 26, "acc_range_g": 16, "gyr_range_deg_s": 250}),
        (USUAL | {"rate_hz": 1000}, USUAL | {"rate_hz": 416}),
    ],
)
def test_what_only_sdk_mode_offers_switches_it_on(asked: dict[str, float], granted: dict[str, float]) -> None:
    sensor = VirtualPolar()
    talk = Conversation(sensor)
    assert talk.carry_out(DRIVER.start(asked)) == granted | {"sdk_mode": True}
    assert sensor.sdk_mode
    talk.carry_out(DRIVER.stop({"sdk_mode": True}))
    assert not sensor.sdk_mode
    assert not sensor.streaming


def test_sdk_mode_left_on_is_switched_off_although_streams_run() -> None:
    sensor = VirtualPolar()
    Conversation(sensor).carry_out(DRIVER.start({"rate_hz": 416}))
    sensor.disconnect()
    assert sensor.sdk_mode
    assert sensor.streaming == {2, 5}
    granted = Conversation(sensor).carry_out(DRIVER.start(USUAL))
    assert granted == USUAL | {"sdk_mode": False}
    assert sensor.rate_hz("acc") == 52


def test_an_h10_streams_acc_alone_at_the_nearest_rate() -> None:
    sensor = VirtualPolar(H10)
    talk = Conversation(sensor)
    assert talk.carry_out(DRIVER.start(USUAL)) == USUAL | {"rate_hz": 50}
    assert "06" not in writes(talk)
    assert sensor.streaming == {2}


def test_streams_that_a_dead_session_left_are_started_anew() -> None:
    sensor = VirtualPolar()
    Conversation(sensor).carry_out(DRIVER.start(USUAL))
    sensor.disconnect()
    talk = Conversation(sensor)
    talk.carry_out(DRIVER.start(USUAL))
    assert "0302" in writes(talk)
    assert sensor.streaming == {2, 5}


def test_too_small_packets_for_sdk_mode_fall_back_to_normal_mode() -> None:
    """At an MTU of 23 answers come in parts, too."""
    sensor = VirtualPolar(mtu=23)
    granted = Conversation(sensor).carry_out(DRIVER.start(USUAL | {"rate_hz": 208}))
    assert granted == USUAL | {"sdk_mode": False}
    assert sensor.streaming == {2, 5}


def test_a_sensor_in_its_charger_is_one_sentence_with_the_fix() -> None:
    with pytest.raises(DeviceRefusedError, match=r"in its charger\); take it out of its charger$"):
        Conversation(VirtualPolar(in_charger=True)).carry_out(DRIVER.start(USUAL))


class Answers(VirtualPolar):
    """Answers every command with these bytes."""

    def __init__(self, answer: str, features: bytes = b"\x0f\x04\x00") -> None:
        super().__init__(Model("Odd", "0", features, {}))
        self.answer = answer

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        said = bytes.fromhex(self.answer.replace("CC", payload[:2].hex()))
        return [Notification(t_s, CONTROL_POINT, said)] if said else []


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("", "does not answer"),
        ("F0 CC 00 00 0002", "nonsense"),
        ("F0 CC 00 00 0000", "offers no rate"),
        ("F0 CC 00 00", "offers no rate"),
        ("F0 CC 63", "status 99"),
    ],
)
def test_odd_answers_are_one_sentence(answer: str, sentence: str) -> None:
    with pytest.raises(DeviceRefusedError, match=sentence):
        Conversation(Answers(answer)).carry_out(DRIVER.start(USUAL))


def test_a_sensor_without_movement_is_refused() -> None:
    with pytest.raises(DeviceRefusedError, match="offers no movement"):
        Conversation(Answers("", b"\x0f\x01\x00")).carry_out(DRIVER.start(USUAL))


def test_stop_stops_and_unsubscribes_even_when_nothing_runs() -> None:
    sensor = VirtualPolar()
    talk = Conversation(sensor)
    granted = talk.carry_out(DRIVER.start(USUAL))
    for _ in range(2):
        talk.sensor.subscribe(CONTROL_POINT)
        talk.sensor.subscribe(DATA_POINT)
        talk.carry_out(DRIVER.stop(granted))
    assert not sensor.streaming
    assert [step.timeout_s for step in talk.steps if isinstance(step, Expect)][-1] == 3.0


def test_the_battery_is_read() -> None:
    assert DRIVER.battery is not None
    assert Conversation(VirtualPolar(battery_percent=41)).carry_out(DRIVER.battery()) == 41


def test_a_reboot_ends_everything_and_sets_the_clock_back() -> None:
    sensor = VirtualPolar()
    Conversation(sensor, 50.0).carry_out(DRIVER.start({"rate_hz": 208}))
    sensor.reboot()
    assert not sensor.streaming
    assert not sensor.sdk_mode
    assert sensor.stamp_ns(51.0) == 599_616_001_000_000_000
