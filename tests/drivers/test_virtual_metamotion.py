"""The virtual MetaMotion board is as strict as its maker's library and its users say."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.virtual.metamotion import BATTERY_POINT, FIRMWARE_POINT, MODEL_POINT, NEWS, ORDERS, VirtualMetaMotion
from drivers.virtual.peripheral import AttError


def order(sensor: VirtualMetaMotion, *texts: str, at_s: float = 0.0) -> list[str]:
    return [n.payload.hex() for text in texts for n in sensor.write(ORDERS, bytes.fromhex(text), at_s)]


def listening(*texts: str, **settings: int) -> VirtualMetaMotion:
    sensor = VirtualMetaMotion(**settings)  # type: ignore[arg-type]
    sensor.subscribe(NEWS)
    order(sensor, *texts)
    return sensor


def moved(kind: Modality, count: int, value: float = 9.80665) -> SampleBlock:
    return SampleBlock(kind, (1 + np.arange(count)) / 50, np.tile([value, 0, 0], (count, 1)))


CONFIG, RUN = ("03032708", "13032700"), ("03020100", "030101")


@pytest.mark.parametrize(
    ("newer", "answers"),
    [
        (False, ["03800101", "13800001", "098000001c", "08800000", "1680"]),
        (True, ["03800400", "13800100", "098000001c", "08800000", "1680"]),
    ],
)
def test_discovery_is_answered_as_the_maker_s_tests_have_it(newer: bool, answers: list[str]) -> None:
    assert order(listening(newer=newer), "0380", "1380", "0980", "0880", "1680") == answers


def test_a_sensor_samples_once_set_enabled_started_and_somewhere_to_go() -> None:
    sensor = listening(*CONFIG)
    for text in ("031c01", "03020100", "030101"):
        assert sensor.rate_hz("acc") is None
        order(sensor, text)
    assert (sensor.rate_hz("acc"), sensor.rate_hz("gyr")) == (50, None)
    sent = sensor.sample([moved(Modality.ACC, 7)])
    assert [n.payload.hex() for n in sent] == ["031c" + "001000000000" * 3] * 2
    assert [n.t_s for n in sent] == [0.06, 0.12]


def test_the_boot_s_rate_is_not_what_anybody_wants() -> None:
    assert listening("031c01", *RUN).rate_hz("acc") == 12.5


@pytest.mark.parametrize(
    ("newer", "text"),
    [
        (False, "0303a708"),
        (False, "03032700"),
        (False, "03032108"),
        (True, "03032702"),
        (True, "0303a708"),
        (False, "13034700"),
        (False, "13032705"),
        (False, "0303270800"),
    ],
)
def test_a_setting_of_another_chip_is_ignored(newer: bool, text: str) -> None:
    sensor = listening("030401", "130501" if not newer else "130401", text, *RUN, "13020100", "130101", newer=newer)
    assert (sensor.rate_hz("acc"), sensor.rate_hz("gyr")) == (12.5, 25)


def test_a_running_sensor_takes_no_setting_and_outlives_the_link() -> None:
    sensor = listening(*CONFIG, "030401", *RUN)
    order(sensor, "03032808")
    assert sensor.rate_hz("acc") == 50
    sensor.disconnect()
    assert sensor.rate_hz("acc") is None
    sensor.subscribe(NEWS)
    assert sensor.rate_hz("acc") == 50
    order(sensor, "fe06")
    sensor.subscribe(NEWS)
    assert sensor.rate_hz("acc") == 50
    order(sensor, "fe01")
    sensor.subscribe(NEWS)
    assert sensor.rate_hz("acc") is None


def test_processors_pack_and_stamp() -> None:
    """A pair behind the clock at its second sample; 0.04 s are 27 ticks."""
    made = ("09020304ffa0100501", "09020903 00 a0113103", "09020304ffa0113003", "090301", "09070101", "09070201")
    sensor = listening(*CONFIG, clock_start_ticks=0x100)
    assert order(sensor, *made) == ["090200", "090201", "090202"]
    order(sensor, *RUN)
    sent = [n.payload.hex() for n in sensor.sample([moved(Modality.ACC, 4)])]
    one = "001000000000"
    numbered = [f"090302{i:02x}000000{one}" for i in range(4)]
    assert sent[0] == numbered[0]
    assert set(sent) == {*numbered, f"0903011b010000{one}{one}", f"09030136010000{one}{one}"}


@pytest.mark.parametrize(
    "text",
    [
        "0902", "09020304ffa01005", "09020304ff20100501", "09020304ffa0100502", "09021304ffa0100501",
        "0902090300a0113103", "09020304ffa0113203", "09020304ffa0123103",
    ],
)  # fmt: skip
def test_what_is_no_processor_is_not_made(text: str) -> None:
    assert order(listening(), text) == []


def test_room_for_processors_ends_and_is_made_again() -> None:
    sensor = listening(processors=1)
    assert order(sensor, "09020304ffa0113103", "09020304ffa0113103", "0908", "09020304ffa0113103") == ["090200"] * 2


def test_battery_temperature_and_interval() -> None:
    sensor = listening()
    assert order(sensor, "118c", "048101") == ["118c53aa0f", "048101f400"]
    order(sensor, "110906000c0000005802")
    assert sensor.interval.hex() == "06000c0000005802"
    assert sensor.read(BATTERY_POINT) == b"\x53"
    assert (sensor.read(MODEL_POINT), sensor.read(FIRMWARE_POINT)) == (b"5", b"1.5.0")


def test_light_and_motor() -> None:
    sensor = listening("0203020 21f000000fa000000f401000004".replace(" ", ""), "020101", "0801f8f40100")
    assert sensor.blinking[:3].hex() == "02021f"
    assert sensor.buzzes == [500]
    order(sensor, "020201")
    assert sensor.blinking == b""


def test_a_restart_sets_the_clock_back() -> None:
    sensor = listening("0380", clock_start_ticks=5000)
    order(sensor, "0380", at_s=10.0)
    assert sensor.ticks(10.0) == 5000 + 6826
    sensor.reboot()
    assert sensor.ticks(10.48) == 327


def test_what_does_not_exist_is_refused() -> None:
    sensor = VirtualMetaMotion()
    for attempt in (
        lambda: sensor.read(NEWS),
        lambda: sensor.subscribe(ORDERS),
        lambda: sensor.write(NEWS, b"\x03\x80", 0),
        lambda: sensor.write(ORDERS, b"\x03", 0),
        lambda: sensor.write(ORDERS, bytes(21), 0),
        lambda: order(sensor, "0380"),
    ):
        with pytest.raises(AttError):
            attempt()
