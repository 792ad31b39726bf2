"""A MetaMotion board is discovered, cleared, configured, made to blink, and stopped in the maker's order."""

from __future__ import annotations

import pytest

from drivers.devices.metamotion import DRIVER
from drivers.driver import Advert
from drivers.protocols import metamotion_layout as layout
from drivers.protocols.metamotion_layout import COMMAND, NOTIFY
from drivers.script import DeviceRefusedError, Subscribe, Unsubscribe, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.metamotion import VirtualMetaMotion
from drivers.virtual.peripheral import Notification

SERVICE = "326a9000-85cb-9195-d9dd-464cfbbae75a"
CLEAR_R = ["030100", "03020001", "030400", "031c00", "130100", "13020001", "130500", "130700", "0908"]
CLEAR_S = ["030100", "03020001", "030400", "030500", "130100", "13020001", "130400", "130500", "0908"]
DISCOVER = ["0380", "1380", "0980"]
FASTER = "110906000c0000005802"
TIMED_R = [
    "0902 0304 ff a0 10 05 01", "0902 0903 00 a0 11 31 03", "0902 1305 ff a0 10 05 01", "0902 0903 02 a0 11 31 03",
    "090301", "09070101", "09070301",
]  # fmt: skip
GO = ["13020100", "130101", "03020100", "030101"]


def written(talk: Conversation) -> list[str]:
    return [step.payload.hex() for step in talk.steps if isinstance(step, Write)]


def started(talk: Conversation, **asked: object) -> list[str]:
    talk.steps.clear()
    talk.carry_out(DRIVER.start(asked))
    assert talk.steps[:3] == [Write(COMMAND, b"\x13\x01\0"), Write(COMMAND, b"\x03\x01\0"), Subscribe(NOTIFY)]
    return written(talk)[2:]


def test_pairs_with_the_board_s_clock_on_a_bmi160() -> None:
    """50 Hz, 8 g, 2000 deg/s; accounters behind packers as the maker's tests write them; gyroscope first."""
    commands = started(Conversation(VirtualMetaMotion()), rate_hz=50)
    config = ["03032708", "13032700"]
    timed = [text.replace(" ", "") for text in TIMED_R]
    assert commands == [*DISCOVER, *CLEAR_R, FASTER, *config, *timed, *GO]


def test_packed_packets_on_a_bmi270_above_50_hz() -> None:
    commands = started(Conversation(VirtualMetaMotion(newer=True)), rate_hz=100, acc_range_g=16, gyr_range_deg_s=500)
    config = ["0303a803", "13032802"]
    assert commands == [*DISCOVER, *CLEAR_S, FASTER, *config, "030501", "130501", *GO]


def test_no_room_for_processors_falls_back_to_packed_packets() -> None:
    talk = Conversation(VirtualMetaMotion(processors=3))
    commands = started(talk, rate_hz=50)
    assert commands[-7:] == ["0908", "031c01", "130701", *GO]
    assert (talk.sensor.rate_hz("acc"), talk.sensor.rate_hz("gyr")) == (50, 50)


@pytest.mark.parametrize(
    ("rate_hz", "range_g", "older", "newer"),
    [(25, 2, "03032603", "0303a600"), (50, 4, "03032705", "0303a701"), (200, 16, "0303290c", "0303a903")],
)
def test_the_accelerometer_s_setting(rate_hz: float, range_g: float, older: str, newer: str) -> None:
    assert layout.acc_config(1, rate_hz, range_g).hex() == older
    assert layout.acc_config(4, rate_hz, range_g).hex() == newer


def test_the_gyroscope_s_setting_as_in_the_maker_s_tests() -> None:
    assert layout.gyr_config(200, 2000).hex() == "13032900"
    assert layout.gyr_config(100, 250).hex() == "13032803"
    assert layout.gyr_config(50, 125).hex() == "13032704"


def test_a_board_that_a_dead_session_left_running_is_cleared_first() -> None:
    talk = Conversation(VirtualMetaMotion())
    started(talk, rate_hz=100)
    talk.sensor.disconnect()
    started(talk, rate_hz=50, acc_range_g=2)
    assert talk.sensor.rate_hz("acc") == 50


def test_settings_that_were_granted_may_be_asked_for_again() -> None:
    talk = Conversation(VirtualMetaMotion())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert talk.carry_out(DRIVER.start(granted)) == granted
    assert granted["accounter"] == "time"


def test_stop_clears_the_board_and_has_it_end_the_link() -> None:
    talk = Conversation(VirtualMetaMotion())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.steps.clear()
    talk.carry_out(DRIVER.stop(granted))
    assert written(talk) == [*CLEAR_R, "fe06"]
    assert talk.steps[-2:] == [Unsubscribe(NOTIFY), Write(COMMAND, b"\xfe\x06", response=False)]
    talk.sensor.subscribe(NOTIFY)
    assert talk.sensor.rate_hz("acc") is None


class NoGyro(VirtualMetaMotion):
    """Says that it has none."""

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        if payload == b"\x13\x80":
            return [Notification(t_s, characteristic.replace("9001", "9006"), b"\x13\x80")]
        return super().write(characteristic, payload, t_s)


def test_a_board_without_gyroscope_gives_acceleration() -> None:
    talk = Conversation(NoGyro())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert talk.sensor.rate_hz("acc") == 50
    assert talk.sensor.rate_hz("gyr") is None
    assert granted["gyr_chip"] is None
    talk.carry_out(DRIVER.stop(granted))
    assert talk.sensor.rate_hz("acc") is None


class Older(VirtualMetaMotion):
    """Has the accelerometer of the first boards."""

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        answers = super().write(characteristic, payload, t_s)
        return [Notification(t_s, n.characteristic, b"\x03\x80\x00\x00") if n.payload[:2] == b"\x03\x80" else n
                for n in answers]  # fmt: skip


def test_what_a_dead_session_left_running_is_halted_before_anybody_listens() -> None:
    talk = Conversation(VirtualMetaMotion())
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.sensor.disconnect()
    script = DRIVER.start(DRIVER.defaults)
    for step in (next(script), next(script)):
        assert isinstance(step, Write)
        talk.sensor.write(step.characteristic, step.payload, 1.0)
    talk.sensor.subscribe(NOTIFY)
    assert (talk.sensor.rate_hz("acc"), talk.sensor.rate_hz("gyr")) == (None, None)


class Mute(VirtualMetaMotion):
    """Answers nothing."""

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        return []


@pytest.mark.parametrize(("board", "found"), [(Older(), "number 0"), (Mute(), "none that answers")])
def test_another_board_is_refused_in_a_sentence(board: VirtualMetaMotion, found: str) -> None:
    with pytest.raises(DeviceRefusedError, match=rf"accelerometer \({found}\) is not one of a MetaMotion R, RL or S"):
        Conversation(board).carry_out(DRIVER.start(DRIVER.defaults))


@pytest.mark.parametrize("motor", [True, False])
def test_its_reminder_is_a_blink_and_a_buzz_where_a_motor_is_fitted(motor: bool) -> None:
    sensor = VirtualMetaMotion(motor=motor)
    talk = Conversation(sensor)
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert DRIVER.buzz is not None
    assert DRIVER.battery is not None
    talk.carry_out(DRIVER.buzz())
    assert sensor.blinking[:4] == bytes((2, 2, 31, 0))
    assert sensor.buzzes == ([500] if motor else [])
    assert talk.carry_out(DRIVER.battery()) == 83


def test_the_service_is_what_it_is_recognised_by() -> None:
    assert DRIVER.recognises(Advert("my leg", (SERVICE,)))
    assert not DRIVER.recognises(Advert("MetaWear"))
