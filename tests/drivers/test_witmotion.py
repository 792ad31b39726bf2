"""The WitMotion decoder and scripts against bytes written by hand from the vendor's documents."""

from __future__ import annotations

from math import pi, radians

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.devices.witmotion import DRIVER
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.nonsense import at_rest
from drivers.virtual.peripheral import Notification
from drivers.virtual.witmotion import COMMAND, STREAM, VirtualWitmotion

G = 9.80665
# acc 0, 0, 2048 = 1 g; gyro 16384 = 1000 deg/s, -16384, 0; roll 8192 = 45 deg, pitch -8192, yaw -32768 = -180 deg
FRAME = "5561 0000 0000 0008 0040 00C0 0000 0020 00E0 0080"
OTHER = "5561 0008 0000 0000 0000 0000 0000 0000 0000 0000"


def packet(text: str, at_s: float = 0.0, uuid: str = STREAM) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, bytes.fromhex(text))


def decoded(*packets: RawPacket, rate_hz: float | None = 100) -> dict[Modality, SampleBlock]:
    decoder = DRIVER.decoder({"rate_hz": rate_hz})
    blocks, errors = decoder.feed_many(packets)
    assert errors == []
    found: dict[Modality, SampleBlock] = {}
    for block in blocks + decoder.finish():
        found[block.modality] = joined(found[block.modality], block) if block.modality in found else block
    return found


def test_a_frame_is_acc_gyro_and_angles() -> None:
    found = decoded(packet(FRAME))
    assert found[Modality.ACC].values.tolist() == [pytest.approx([0, 0, G])]
    assert found[Modality.GYR].values.tolist() == [pytest.approx([radians(1000), radians(-1000), 0])]
    assert found[Modality.EULER].values.tolist() == [pytest.approx([pi / 4, -pi / 4, -pi])]
    assert found[Modality.EULER].channels == ("roll", "pitch", "yaw")
    assert found[Modality.ACC].t_s.tolist() == [0.0]


def test_without_a_clock_time_follows_the_rate_from_the_first_packet() -> None:
    found = decoded(packet(FRAME * 4, 1.0), packet(FRAME * 4, 1.04))
    assert found[Modality.ACC].t_s == pytest.approx(np.arange(8) / 100)


def test_an_unstated_rate_is_read_off_the_arrivals() -> None:
    packets = [packet(FRAME * 2, i * 0.0403) for i in range(100)]
    block = decoded(*packets, rate_hz=None)[Modality.ACC]
    assert block.rate_hz == 50
    assert block.t_s[1] - block.t_s[0] == pytest.approx(0.02)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 200), max_size=12))
def test_frames_may_be_cut_anywhere_and_noise_before_a_header_is_skipped(cuts: list[int]) -> None:
    stream = bytes.fromhex("AA 55 00 61" + FRAME + OTHER + "00FF" + FRAME * 3 + "55" + OTHER * 4)
    pieces = np.split(np.frombuffer(stream, np.uint8), sorted(cuts))
    decoder = DRIVER.decoder({"rate_hz": 100})
    blocks = decoder.feed_many([RawPacket(i, STREAM, p.tobytes()) for i, p in enumerate(pieces) if p.size])[0]
    rows = [row for b in blocks + decoder.finish() if b.modality is Modality.ACC for row in b.values.tolist()]
    one, other = [0, 0, pytest.approx(G)], [pytest.approx(G), 0, 0]
    assert rows == [one, other, one, one, one, other, other, other, other]


def test_a_header_inside_a_frame_is_data() -> None:
    inside = "5561 5561 0000 0000 0000 0000 0000 0000 0000 5571"
    assert decoded(packet(inside + FRAME))[Modality.ACC].values[0, 0] == pytest.approx(0x6155 / 32768 * 16 * G)


def test_the_rest_of_a_frame_is_not_awaited_over_a_lost_link() -> None:
    found = decoded(packet(FRAME, 0.0), packet(FRAME[:24], 0.04), packet(OTHER, 5.0))
    assert found[Modality.ACC].values.tolist() == [[0, 0, pytest.approx(G)], [pytest.approx(G), 0, 0]]


def test_a_reply_may_stand_between_frames_and_only_certain_registers_are_read() -> None:
    """0x3A: mag 100, -200, 300 steps of 0.013 uT (type 3), angles, then 0x40: 26.50 degC."""
    kind = "5571 7200 0300" + "0000" * 7
    reply = "5571 3A00 6400 38FF 2C01 0000 0000 0000 5A0A 0000"
    found = decoded(packet(FRAME + reply, 0.0), packet(kind, 0.01), packet(reply, 0.02))
    assert len(found[Modality.ACC]) == 1
    assert found[Modality.TEMP].values.tolist() == [[26.5], [26.5]]
    assert found[Modality.MAG].values.tolist() == [pytest.approx([1.3, -2.6, 3.9])]
    assert found[Modality.TEMP].t_s.tolist() == pytest.approx([0, 0.02])


def test_quaternion_and_battery_of_replies() -> None:
    quat = "5571 5100 0040 0000 00C0 FF7F" + "0000" * 4
    empty, volt = "5571 6400" + "0000" * 8, "5571 6400 7D01" + "0000" * 7
    found = decoded(packet(FRAME), packet(quat, 0.01), packet(empty, 0.02), packet(volt, 0.03))
    assert found[Modality.QUAT].values.tolist() == [[0.5, 0, -0.5, pytest.approx(32767 / 32768)]]
    assert found[Modality.BATTERY].values.tolist() == [[50.0]]


def test_the_characteristic_of_another_base_is_the_same() -> None:
    assert decoded(packet(FRAME, uuid="0000ffe4-0000-1000-8000-00805f9b34fb"))


@pytest.mark.parametrize(
    ("text", "uuid", "reason"),
    [("", STREAM, "empty"), ("0102030405", STREAM, "no frame"), (FRAME, COMMAND, "unknown characteristic")],
)
def test_what_holds_no_frame_is_refused(text: str, uuid: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(text, uuid=uuid))


def test_link_loss_is_a_gap_right_to_one_packet_interval() -> None:
    times = [0.04 * i for i in range(500)]
    packets = [packet(FRAME * 4, t) for t in times if not 8 < t < 11.5]
    t_s = decoded(*packets)[Modality.ACC].t_s
    assert np.diff(t_s).max() == pytest.approx(0.01 + 3.48, abs=0.04)
    assert t_s.size == 4 * len(packets)


@pytest.mark.parametrize(
    ("advert", "known"),
    [
        (Advert("WT901BLE67"), True),
        (Advert("renamed", services=("0000ffe5-0000-1000-8000-00805f9b34fb",)), True),
        (Advert("WTVB01-BT50", services=("0000ffe5-0000-1000-8000-00805f9a34fb",)), False),
        (Advert("Polar H10"), False),
        (Advert(), False),
    ],
)
def test_who_is_recognised(advert: Advert, known: bool) -> None:
    assert DRIVER.recognises(advert) is known


@pytest.mark.parametrize(("asked", "code"), [(100, 9), (52, 8), (200, 9), (10, 6)])
def test_the_rate_is_set_on_every_connection_and_read_back(asked: float, code: int) -> None:
    talk = Conversation(VirtualWitmotion())
    for _ in range(2):
        granted = talk.carry_out(DRIVER.start({"rate_hz": asked}))
        talk.sensor.disconnect()
    writes = [step.payload.hex() for step in talk.steps if isinstance(step, Write)]
    assert writes == [f"ffaa030{code}00", "ffaa270300"] * 2
    assert granted["rate_hz"] == {9: 100, 8: 50, 6: 10}[code]


class Stubborn(VirtualWitmotion):
    """Keeps its rate."""

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        return [] if payload[2] == 3 else super().write(characteristic, payload, t_s)


def test_a_rate_that_is_not_taken_is_said_in_a_sentence() -> None:
    with pytest.raises(DeviceRefusedError, match="does not take 100 Hz"):
        Conversation(Stubborn()).carry_out(DRIVER.start(DRIVER.defaults))


@pytest.mark.parametrize(("voltage", "percent"), [(396, 100), (395, 90), (381, 50), (340, 5), (339, 0)])
def test_the_battery_is_asked_again_while_it_reads_zero(voltage: int, percent: int) -> None:
    talk = Conversation(VirtualWitmotion(voltage=voltage))
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert DRIVER.battery is not None
    assert talk.carry_out(DRIVER.battery()) == percent


@pytest.mark.parametrize("mtu", [23, 247])
def test_what_the_virtual_sensor_sends_is_decoded_to_its_own_quantisation(mtu: int) -> None:
    talk = Conversation(VirtualWitmotion(mtu=mtu))
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    given = list(at_rest(talk.sensor, talk.now_s, 10))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder({"rate_hz": 100})
    blocks = decoder.feed_many(talk.packets)[0] + decoder.finish()
    truth = np.concatenate([b.values for portion in given for b in portion if b.modality is Modality.ACC])
    found = np.concatenate([b.values for b in blocks if b.modality is Modality.ACC])
    assert found == pytest.approx(truth[: len(found)], abs=16 * G / 32768)
    assert len(truth) - len(found) < 4
