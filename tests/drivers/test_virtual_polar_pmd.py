"""The virtual Polar sensor is as strict as the sheet says the real one is."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from drivers.virtual.peripheral import AttError
from drivers.virtual.polar_frames import FrameFormat, bits_needed, cut, delta_block
from drivers.virtual.polar_models import ACCELERATION, GYROSCOPE, H10, VERITY_SENSE, VERITY_SENSE_OLD, Model
from drivers.virtual.polar_pmd import BATTERY_POINT, CONTROL_POINT, DATA_POINT, VirtualPolar

ACC_START = "02020001340001011000020108000401 03"
GYRO_START = "0205 00013400 01011000 0201D007 040103"
H10_START = "0202 02010800 0001C800 01011000"


def subscribed(model: Model = VERITY_SENSE, **settings: int) -> VirtualPolar:
    sensor = VirtualPolar(model, **settings)  # type: ignore[arg-type]
    sensor.subscribe(CONTROL_POINT)
    sensor.subscribe(DATA_POINT)
    return sensor


def answer(sensor: VirtualPolar, text: str) -> str:
    (only,) = sensor.write(CONTROL_POINT, bytes.fromhex(text), 0.0)
    return only.payload.hex()


@pytest.mark.parametrize(
    ("model", "start", "expected"),
    [
        (VERITY_SENSE, ACC_START, "f002020000"),
        (VERITY_SENSE_OLD, ACC_START, "f002020000050140da7f39"),
        (H10, H10_START, "f00202000001"),
    ],
)
def test_the_known_good_starts_are_answered_as_published(model: Model, start: str, expected: str) -> None:
    assert answer(subscribed(model), start) == expected


def test_it_names_itself_and_its_features() -> None:
    sensor = VirtualPolar(H10, "12345678")
    assert sensor.local_name == "Polar H10 12345678"
    assert sensor.read(CONTROL_POINT).hex() == "0f05" + "00" * 15
    assert sensor.read(BATTERY_POINT) == b"\x57"
    assert VirtualPolar().read(CONTROL_POINT).startswith(b"\x0f\x6e")


@pytest.mark.parametrize("left_out", [CONTROL_POINT, DATA_POINT])
def test_a_write_before_both_subscriptions_is_refused(left_out: str) -> None:
    sensor = subscribed()
    sensor.subscribe(left_out, on=False)
    with pytest.raises(AttError):
        sensor.write(CONTROL_POINT, bytes.fromhex(ACC_START), 0.0)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("09 02", 1),
        ("02 3F", 2),
        ("02 03", 3),
        ("02", 4),
        ("0202 0001", 4),
        ("0202", 5),
        ("0202 00013400 01011000 02010800", 5),
        ("0202 0002 3400 3400 01011000 02010800 040103", 5),
        ("0202 00013400 01010E00 02010800 040103", 7),
        ("0202 0001C800 01011000 02010800 040103", 8),
        ("0202 00013400 01011000 02010900 040103", 9),
        ("0202 00013400 01011000 02010800 040104", 11),
        ("0302", 6),
        ("0309", 6),
    ],
)
def test_a_wrong_command_gets_its_status(text: str, status: int) -> None:
    sensor = subscribed()
    assert bytes.fromhex(answer(sensor, text))[3] == status
    assert not sensor.streaming


def test_a_running_stream_cannot_be_started_again_until_stopped() -> None:
    sensor = subscribed()
    answers = [answer(sensor, text) for text in (ACC_START, ACC_START, "0302", ACC_START)]
    assert [text[6:8] for text in answers] == ["00", "06", "00", "00"]


def test_sdk_mode_needs_silence_and_offers_more() -> None:
    sensor = subscribed()
    answer(sensor, ACC_START)
    assert answer(sensor, "0209") == "f002090c"
    answer(sensor, "0302")
    assert answer(sensor, "0209") == "f002090000"
    assert answer(sensor, "0102") == "f001020000" + (
        "0005" "1a00" "3400" "6800" "d000" "a001" "0101" "1000" "0204" "0200" "0400" "0800" "1000" "040103"
    )  # fmt: skip
    assert answer(sensor, "06") == "f00600000001"[:10] + "01"


def test_a_small_mtu_gives_answers_in_parts_and_no_sdk_start() -> None:
    sensor = subscribed(mtu=23)
    answer(sensor, "0209")
    parts = sensor.write(CONTROL_POINT, b"\x01\x02", 0.0)
    assert [part.payload[4] for part in parts] == [1, 0]
    assert answer(sensor, ACC_START)[6:8] == "0a"


def test_streams_outlive_the_link_and_a_stop_by_itself_says_so() -> None:
    sensor = subscribed()
    answer(sensor, ACC_START)
    sensor.disconnect()
    assert sensor.streaming == {ACCELERATION}
    assert sensor.fill(ACCELERATION, np.arange(500) / 52, np.zeros((500, 3))) == []
    assert sensor.drop_streams() == [b"\x01\x02"]
    assert sensor.drop_streams() == []


def test_nothing_is_sent_before_the_start() -> None:
    assert subscribed().fill(GYROSCOPE, np.arange(500) / 52, np.zeros((500, 3))) == []


def test_h10_frames_hold_36_samples_and_are_226_bytes() -> None:
    sensor = subscribed(H10)
    answer(sensor, H10_START)
    t_s, values = np.arange(80) / 200, np.full((80, 3), 9.80665)
    sent = sensor.fill(ACCELERATION, t_s, values)
    assert [len(n.payload) for n in sent] == [226, 226]
    assert sent[0].payload[:1] + sent[0].payload[9:16] == bytes.fromhex("02 01 E803 E803 E803")
    assert sent[0].t_s == pytest.approx(35 / 200)


def test_frames_fill_up_to_232_bytes_and_samples_may_come_in_any_portions() -> None:
    rng = np.random.default_rng(0)
    t_s, values = np.arange(3000) / 52, rng.normal(0, 1, (3000, 3))
    made = []
    for portion in (3000, 7):
        sensor = subscribed()
        answer(sensor, ACC_START)
        made.append(
            [
                n.payload
                for at in range(0, 3000, portion)
                for n in sensor.fill(ACCELERATION, t_s[at : at + portion], values[at : at + portion])
            ]
        )
    assert made[0] == made[1]
    assert max(map(len, made[0])) <= 232
    assert np.median([len(payload) for payload in made[0]]) > 220


def test_values_are_clipped_at_the_range() -> None:
    sensor = subscribed(H10)
    answer(sensor, H10_START)
    (sent,) = sensor.fill(ACCELERATION, np.zeros(1), np.array([[1e3, -1e3, 0.0]]), last=True)
    assert struct.unpack("<hhh", sent.payload[10:]) == (8000, -8000, 0)


def test_the_clock_steps_in_32768ths_and_drifts() -> None:
    sensor = VirtualPolar(clock_start_ns=1000, drift_ppm=20)
    assert sensor.stamp_ns(0) == 1000
    assert sensor.stamp_ns(1 / 32768) == 1000 + 30517
    assert sensor.stamp_ns(86400) - 86_400_000_000_000 == pytest.approx(1.728e9, abs=31e3)


def test_bits_are_packed_least_significant_first() -> None:
    """By hand: 3 bits of 1, -1, 2, -4, 3, 0."""
    assert delta_block([(1, -1, 2), (-4, 3, 0)], 3).hex() == "0302b93800"


def test_the_width_of_a_delta_is_the_least_that_holds_it() -> None:
    deltas = np.array([[0], [1], [-1], [-2], [2], [3], [-4], [-5], [2**31 - 1], [-(2**31)]])
    assert bits_needed(deltas).tolist() == [0, 2, 1, 2, 3, 3, 3, 4, 32, 32]


def test_a_sensor_at_rest_needs_no_bits_where_it_may() -> None:
    frames = cut(np.zeros((40, 3), np.int64), FrameFormat(2, 0x81, least_bits=0), last=True)
    assert frames == [(40, bytes(6) + b"\x00\x10\x00\x10\x00\x07")]
