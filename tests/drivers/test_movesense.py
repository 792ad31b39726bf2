"""The Movesense decoder and scripts against published payloads and bytes written by hand from the documents."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import radians

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.devices.movesense import DRIVER
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.movesense_session import COMMAND, DATA
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.movesense import VirtualMovesense
from drivers.virtual.nonsense import at_rest, mutated_packets
from drivers.virtual.peripheral import Notification

ACC, GYR, MAG = Modality.ACC, Modality.GYR, Modality.MAG
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"

# Published payloads of a real sensor and what its maker's tool made of them (sensein/movesense-py at 9d6ab4f).
ACC_52 = "03de010055ab8bbf69f78d4081dd0a412b1387bf975a8d4020840b41e79190bf076d8e401bf10a412b1387bf316e8d40b9660b41"
GYRO_52 = "03de0100295c8f3f666606c03e0a57beae47a13f85eb01c0295c8fbeae47a13fc3f5e8bf295c8fbe295c8f3f85ebf1bf3e0a57be"
MAGN_13 = "aca10200de9cfe41708636c2a5026cc1"
IMU6_52 = (
    "aca1020094b578bf399b8840cdb20d4155ff7cbf6a60884092c70c4182627cbfa2e988405da00c418bf871bf71248940c38c0c41"
    "48e17abf713daabf3333b3bec3f568bf713daabf3e0ad7beae4721bff628bcbf3e0ad7beae4721bf3333b3bf3e0ad7be"
)
IMU9_52 = IMU6_52 + ("de9cfe41708636c2a5026cc10a4a0a42750733c293a355c19bc8fd411b8938c287f75fc17cfef541ff742fc2475774c1")
TEMP, HR = "337399432f8c0300", "4dbe84428803"
ECG = "eadc0100000000000000ffffeeff15004800fcfe66ff68047b02c9f514f8671fd856c76f"

ACC_VALUES = [
    [-1.0911661386489868, 4.436451435089111, 8.679078102111816],
    [-1.0552724599838257, 4.417308330535889, 8.719757080078125],
    [-1.1294525861740112, 4.450809001922607, 8.683863639831543],
    [-1.0552724599838257, 4.419701099395752, 8.712578773498535],
]
GYRO_DEG_S = [
    [1.1200000047683716, -2.0999999046325684, -0.21000000834465027],
    [1.2599999904632568, -2.0299999713897705, -0.2800000011920929],
    [1.2599999904632568, -1.8200000524520874, -0.2800000011920929],
    [1.1200000047683716, -1.8899999856948853, -0.21000000834465027],
]
IMU_ACC_LAST = [-0.9451987147331238, 4.285698413848877, 8.7843656539917]
IMU_GYRO_FIRST_DEG_S = [-0.9800000190734863, -1.3300000429153442, -0.3499999940395355]
IMU_MAGN = [[31.826595306396484, -45.63128662109375, -14.750645637512207],
            [30.74925994873047, -43.864253997802734, -15.271307945251465]]  # fmt: skip


def packet(kind: int, reference: int, body: str | bytes, at_s: float = 0.0) -> RawPacket:
    body = bytes.fromhex(body) if isinstance(body, str) else body
    return RawPacket(round(at_s * 1e9), DATA, bytes((kind, reference)) + body)


def payload(stamp_ms: int, samples: int, arrays: int = 2, first: float = 0.0) -> bytes:
    """Array a, sample i, axis j holds first + 100 a + i + j / 10."""
    place = np.arange(arrays)[:, None, None] * 100.0 + np.arange(samples)[:, None] + np.arange(3) / 10 + first
    return struct.pack("<I", stamp_ms % 2**32) + place.astype("<f4").tobytes()


def decoded(
    packets: Sequence[RawPacket], streams: dict[str, str], errors: Sequence[str] = ()
) -> dict[tuple[Modality, str | None], SampleBlock]:
    decoder = DRIVER.decoder({"streams": streams})
    blocks, refused = decoder.feed_many(packets)
    assert [error.reason for error in refused] == list(errors)
    found: dict[tuple[Modality, str | None], SampleBlock] = {}
    for block in blocks + decoder.finish():
        key = (block.modality, block.stream)
        found[key] = joined(found[key], block) if key in found else block
    return found


def imu6(stamps_ms: Sequence[int], samples: int = 4) -> list[RawPacket]:
    return [packet(2, 7, payload(stamp, samples), stamp / 1000) for stamp in stamps_ms]


IMU6 = {"7": "/Meas/IMU6/52"}


def test_published_acc_and_gyro_are_what_the_makers_tool_made_of_them() -> None:
    found = decoded([packet(2, 1, ACC_52), packet(2, 2, GYRO_52)], {"1": "/Meas/Acc/52", "2": "/Meas/Gyro/52"})
    assert found[ACC, None].values.tolist() == ACC_VALUES
    assert found[GYR, None].values == pytest.approx(np.radians(GYRO_DEG_S), rel=1e-12)
    assert found[ACC, None].t_s == pytest.approx(np.arange(4) / 52, abs=1e-9)
    assert found[GYR, None].t_s.tolist() == found[ACC, None].t_s.tolist()


def test_published_imu9_holds_one_array_after_the_other() -> None:
    found = decoded([packet(2, 9, IMU9_52)], {"9": "/Meas/IMU9/52"})
    assert found[ACC, None].values[-1].tolist() == IMU_ACC_LAST
    assert found[GYR, None].values[0] == pytest.approx(np.radians(IMU_GYRO_FIRST_DEG_S))
    assert found[MAG, None].values[[0, 3]].tolist() == IMU_MAGN


def test_published_magn_heart_rate_and_temperature() -> None:
    streams = {"1": "/Meas/Magn/13", "2": "/Meas/HR", "3": "/Meas/Temp"}
    found = decoded([packet(2, 1, MAGN_13), packet(2, 2, HR, 0.5), packet(2, 3, TEMP, 0.6)], streams)
    assert found[MAG, None].values.tolist() == IMU_MAGN[:1]
    assert found[Modality.HR, None].values[0, 0] == pytest.approx(66.3717, abs=1e-4)
    assert found[Modality.TEMP, None].values[0, 0] == pytest.approx(306.9 - 273.15, abs=1e-3)
    assert found[Modality.HR, None].t_s.tolist() == [0.5]


@pytest.mark.parametrize("cut", [4, 50, 100, 148, 150, 195])
def test_two_parts_make_one_payload_wherever_the_cut_is(cut: int) -> None:
    """196 bytes at 104 Hz; after 100 and 148 bytes the first part looks whole, and is not."""
    bodies = [payload(77 * i, 8) for i in range(3)]
    parts = [p for i, b in enumerate(bodies) for p in (packet(2, 4, b[:cut], i), packet(3, 4, b[cut:], i))]
    found = decoded(parts, {"4": "/Meas/IMU6/104"})
    assert found[ACC, None].values[:, 0].tolist() == [*range(8)] * 3
    assert found[GYR, None].values[8:16, 2] == pytest.approx(np.radians(100.2 + np.arange(8)))


def test_parts_of_two_streams_may_come_between_each_other() -> None:
    one, two = payload(0, 16, 1), payload(1, 16, 1, 0.5)
    packets = [packet(2, 5, one[:150]), packet(2, 6, two[:150]), packet(3, 6, two[150:]), packet(3, 5, one[150:])]
    found = decoded(packets, {"5": "/Meas/Acc/208", "6": "/Meas/Gyro/208"})
    assert found[GYR, None].t_s[0] == 0.0
    assert found[ACC, None].t_s[0] == pytest.approx(-0.001)
    assert found[ACC, None].values[:, 0].tolist() == [*range(16)]


def test_a_lost_part_costs_its_own_payload_and_no_other() -> None:
    bodies = [payload(77 * i, 8, first=i * 10) for i in range(6)]
    parts = [p for i, b in enumerate(bodies) for p in (packet(2, 4, b[:150], i), packet(3, 4, b[150:], i))]
    del parts[8], parts[3]
    found = decoded(parts, {"4": "/Meas/IMU6/104"}, ["a further part without a first"])
    assert (found[ACC, None].values[::8, 0] / 10).tolist() == [0, 2, 3, 5]
    assert found[ACC, None].t_s[::8] == pytest.approx([0, 0.154, 0.231, 0.385], abs=0.002)


def test_a_payload_of_another_length_is_taken_when_the_next_one_begins() -> None:
    """A firmware that sends four samples a payload at 104 Hz."""
    packets = [packet(2, 4, payload(round(38.46 * i), 4), i / 26) for i in range(20)]
    t_s = decoded(packets, {"4": "/Meas/IMU6/104"})[ACC, None].t_s
    assert t_s == pytest.approx(np.arange(80) / 104, abs=0.002)


def test_two_streams_of_one_kind_are_told_apart_by_their_path() -> None:
    streams = {"1": "/Meas/Acc/52", "7": "/meas/imu6/52"}
    found = decoded([packet(2, 1, ACC_52), packet(2, 7, IMU6_52)], streams)
    assert set(found) == {(ACC, "/Meas/Acc/52"), (ACC, "/meas/imu6/52"), (GYR, None)}


def test_times_follow_the_clock_of_the_first_sample() -> None:
    """Stamps are cut to milliseconds; the true rate is 51 Hz."""
    stamps = [int(1000 * 4 * i / 51) for i in range(500)]
    t_s = decoded(imu6(stamps), IMU6)[ACC, None].t_s
    assert t_s == pytest.approx(np.arange(2000) / 51, abs=0.004)


@pytest.mark.parametrize("start_ms", [2**32 - 5000, 2**32 - 77, 2**31])
def test_the_clock_wraps_around_after_49_days(start_ms: int) -> None:
    packets = [
        RawPacket(p.arrival_ns - start_ms * 1_000_000, p.characteristic, p.payload)
        for p in imu6([start_ms + 77 * i for i in range(200)])
    ]
    assert np.diff(decoded(packets, IMU6)[ACC, None].t_s) == pytest.approx(0.01925, abs=1e-3)


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_lost_payloads_leave_a_gap_of_their_samples(lost: int) -> None:
    packets = imu6([int(1000 * 4 * i / 52) for i in range(200)])
    del packets[100 : 100 + lost]
    t_s = decoded(packets, IMU6)[ACC, None].t_s
    truth = np.delete(np.arange(800) / 52, np.arange(400, 400 + 4 * lost))
    assert t_s == pytest.approx(truth, abs=0.002)


@pytest.mark.parametrize("ran_s", [3, 3000])
def test_a_restart_goes_on_by_the_hosts_clock(ran_s: int) -> None:
    before = imu6([int(ran_s * 1000 + 1000 * 4 * i / 52) for i in range(20)])
    after = [
        RawPacket(before[-1].arrival_ns + 3_000_000_000 + p.arrival_ns, DATA, p.payload)
        for p in imu6([1500 + int(1000 * 4 * i / 52) for i in range(20)])
    ]
    t_s = decoded(before + after, IMU6)[ACC, None].t_s
    assert t_s.size == 160
    assert t_s[80] - t_s[76] == pytest.approx(4.5, abs=0.02)


def test_repeated_and_late_payloads_are_refused() -> None:
    packets = imu6([0, 77, 154, 231])
    packets += [packets[3], packets[1]]
    assert len(decoded(packets, IMU6, ["duplicate", "duplicate"])[ACC, None]) == 16
    packets = [*imu6([0, 154]), *imu6([77])]
    assert len(decoded(packets, IMU6, ["out of order"])[ACC, None]) == 8


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (RawPacket(0, "x", b""), "unknown characteristic"),
        (RawPacket(0, BATTERY, b"\x65"), "above 100"),
        (RawPacket(0, DATA, b"\x02"), "truncated"),
        (packet(2, 7, "0000"), "truncated"),
        (packet(2, 99, IMU6_52), "no stream is known for reference 99"),
        (packet(2, 8, ECG), "/Meas/Ecg/200/mV is not decoded"),
        (packet(3, 7, "00"), "without a first"),
        (packet(7, 7, "00"), "unknown response 7"),
        (packet(2, 9, "0000C07F8803"), "no number"),
        (packet(2, 7, IMU6_52[:8] + "0000C07F" + IMU6_52[16:]), "no number"),
    ],
)
def test_what_is_none_of_these_is_refused(sent: RawPacket, reason: str) -> None:
    decoder = DRIVER.decoder({"streams": IMU6 | {"8": "/Meas/Ecg/200/mV", "9": "/Meas/HR"}})
    with pytest.raises(PacketError, match=reason):
        decoder.feed(sent)
    assert len(decoder.feed(packet(2, 7, IMU6_52))) == 2


def test_settings_that_make_no_sense_know_no_stream() -> None:
    for streams in (None, 7, [], {"0": "/Meas/Acc/52"}, {"x": "/Meas/Acc/52"}, {"7": 5}, {"256": "/Meas/Acc/52"}):
        with pytest.raises(PacketError):
            DRIVER.decoder({"streams": streams}).feed(packet(2, 7, ACC_52))


def test_answers_are_no_samples_and_the_charge_is() -> None:
    answers = [packet(1, 0, b"Hello"), packet(1, 7, "c800"), packet(1, 7, "01fb"), packet(2, 7, IMU6_52, 1.0)]
    found = decoded([*answers, packet(1, 3, "c8005b", 2.0)], IMU6 | {"3": "/System/Energy/Level"})
    assert found[Modality.BATTERY, None].values.tolist() == [[91.0]]
    assert found[Modality.BATTERY, None].t_s[0] == pytest.approx(1.0 + 3 / 52)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.integers(1, 400), max_size=30))
def test_any_cutting_of_split_and_damaged_payloads_gives_the_same(seed: int, sizes: list[int]) -> None:
    bodies = [payload(77 * i, 8, first=i) for i in range(40)]
    sound = [p for i, b in enumerate(bodies) for p in (packet(2, 4, b[:150], i / 13), packet(3, 4, b[150:], i / 13))]
    packets = sound + mutated_packets(sound, 200, seed) + sound
    whole, parts = (DRIVER.decoder({"streams": {"4": "/Meas/IMU6/104"}}) for _ in range(2))
    expected, refused = whole.feed_many(packets)
    made: list[SampleBlock] = []
    errors: list[str] = []
    at = 0
    for size in [*sizes, len(packets)]:
        blocks, faults = parts.feed_many(packets[at : at + size])
        made, errors, at = made + blocks, errors + [fault.reason for fault in faults], at + size
    for kind in (ACC, GYR):
        one, other = (
            np.concatenate([np.column_stack([b.t_s, b.values]) for b in blocks if b.modality is kind])
            for blocks in (expected + whole.finish(), made + parts.finish())
        )
        assert one.tobytes() == other.tobytes()
    assert errors == [error.reason for error in refused]


@pytest.mark.parametrize(
    ("advert", "known"),
    [
        (Advert("Movesense 214330002345"), True),
        (Advert(None, ("0000fdf3-0000-1000-8000-00805f9b34fb",)), True),
        (Advert(None, ("0000fe06-0000-1000-8000-00805f9b34fb",), {0x009F: b""}), True),
        (Advert(None, ("0000fe06-0000-1000-8000-00805f9b34fb",)), False),
        (Advert("Suunto 9", manufacturer_data={0x009F: b"\0"}), False),
    ],
)
def test_who_is_recognised(advert: Advert, known: bool) -> None:
    assert DRIVER.recognises(advert) is known


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        (52, ["/Meas/IMU6/52"]),
        (100, ["/Meas/IMU6/104"]),
        (10, ["/Meas/IMU6/13"]),
        (208, ["/Meas/Acc/208", "/Meas/Gyro/208"]),
    ],
)
def test_start_says_hello_and_subscribes_at_the_nearest_rate(asked: float, paths: list[str]) -> None:
    talk = Conversation(VirtualMovesense())
    granted = talk.carry_out(DRIVER.start({"rate_hz": asked}))
    sent = [step.payload for step in talk.steps if isinstance(step, Write) and step.characteristic == COMMAND]
    assert [command[2:].decode() for command in sent] == ["", *paths]
    assert [command[0] for command in sent] == [0, *[1] * len(paths)]
    assert list(granted["streams"].values()) == [*paths, "/System/Energy/Level"]
    assert (granted["serial"], granted["firmware"]) == ("214330002345", "GSP 2.1.0")


def test_stop_unsubscribes_each_stream_by_its_reference() -> None:
    sensor = VirtualMovesense()
    talk = Conversation(sensor)
    granted = talk.carry_out(DRIVER.start({"rate_hz": 208}))
    talk.steps.clear()
    talk.carry_out(DRIVER.stop(granted))
    assert [s.payload.hex() for s in talk.steps if isinstance(s, Write)] == ["0232", "0233"]
    assert sensor.rate_hz("acc") is None


class Deaf(VirtualMovesense):
    """Its first two answers are lost."""

    lost = 2

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        answers = super().write(characteristic, payload, t_s)
        if answers and self.lost:
            self.lost -= 1
            return []
        return answers


def test_commands_whose_answer_is_lost_are_repeated() -> None:
    talk = Conversation(Deaf())
    assert talk.carry_out(DRIVER.start(DRIVER.defaults))["serial"] == "214330002345"


class Streaming(VirtualMovesense):
    """Answers a subscription with its first two payloads, as old firmware does."""

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        answers = super().write(characteristic, payload, t_s)
        if payload[0] != 1 or answers:
            return answers
        t = t_s + np.arange(16) / 104
        return self.sample([SampleBlock(kind, t, np.zeros((16, 3))) for kind in (ACC, GYR)])


def test_old_firmware_that_cuts_payloads_off_is_run_at_half_the_rate() -> None:
    sensor = Streaming(old=True)
    talk = Conversation(sensor)
    granted = talk.carry_out(DRIVER.start({"rate_hz": 104}))
    assert granted["rate_hz"] == 52
    assert sensor.rate_hz("acc") == 52
    assert "firmware" not in granted


def test_taken_places_and_unknown_measurements_are_said_in_a_sentence() -> None:
    for old in (True, False):
        sensor = VirtualMovesense(old=old)
        sensor.subscribe(DATA)
        for reference in range(1, 5):
            sensor.write(COMMAND, bytes((1, reference)) + b"/Meas/Magn/13", 0.0)
        with pytest.raises(DeviceRefusedError, match="close other programs"):
            Conversation(sensor).carry_out(DRIVER.start(DRIVER.defaults))
    sensor = VirtualMovesense()
    sensor.subscribe(DATA)
    sensor.write(COMMAND, bytes((1, 1)) + b"/Meas/Acc/13", 0.0)
    with pytest.raises(DeviceRefusedError, match="409"):
        Conversation(sensor).carry_out(DRIVER.start(DRIVER.defaults))


@pytest.mark.parametrize("standard", [True, False])
def test_the_charge_is_read_where_it_is(standard: bool) -> None:
    talk = Conversation(VirtualMovesense(standard_battery=standard))
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert DRIVER.battery is not None
    assert talk.carry_out(DRIVER.battery()) == 91


@pytest.mark.parametrize(("rate_hz", "mtu"), [(52, 161), (104, 161), (104, 247), (104, 100), (208, 161)])
def test_what_the_virtual_sensor_sends_is_decoded_as_it_was(rate_hz: float, mtu: int) -> None:
    talk = Conversation(VirtualMovesense(mtu=mtu))
    granted = talk.carry_out(DRIVER.start({"rate_hz": rate_hz}))
    given = list(at_rest(talk.sensor, talk.now_s, 10))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made, errors = decoder.feed_many(talk.packets)
    assert errors == []
    for kind in (ACC, GYR):
        truth = np.concatenate([b.values for portion in given for b in portion if b.modality is kind])
        taken_s = np.concatenate([b.t_s for portion in given for b in portion if b.modality is kind])
        found = joined_all(made + decoder.finish(), kind)
        assert found.values == pytest.approx(truth[: len(found)], abs=1e-6)
        assert found.t_s == pytest.approx(taken_s[: len(found)] - taken_s[0], abs=0.0021)
        assert len(truth) - len(found) < 16


def joined_all(blocks: Sequence[SampleBlock], kind: Modality) -> SampleBlock:
    own = [block for block in blocks if block.modality is kind]
    whole = own[0]
    for block in own[1:]:
        whole = joined(whole, block)
    return whole


def test_radians() -> None:
    """90 deg/s is a right angle a second."""
    body = struct.pack("<I3f", 0, 90, -180, 0)
    values = decoded([packet(2, 1, body)], {"1": "/Meas/Gyro/13"})[GYR, None].values
    assert values.tolist() == [pytest.approx([radians(90), radians(-180), 0])]
