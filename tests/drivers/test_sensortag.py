"""The SensorTag decoder and scripts against bytes written by hand from the layout that public programs agree on."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.devices.sensortag import CONFIG, DATA, DRIVER, PERIOD
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Read, Subscribe, Unsubscribe, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.nonsense import at_rest
from drivers.virtual.sensortag import VirtualSensorTag

G = 9.80665
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
# gyro 16384 = 125 deg/s, -16384, 1; acc 0, 0, 4096 = 1 g at 8 g; mag 32760 = 4912 uT, -32760, 0
PACKET = "0040 00C0 0100 0000 0000 0010 F87F 0880 0000"
ZEROS = "00" * 18


def packet(text: str, at_s: float = 0.0, uuid: str = DATA) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, bytes.fromhex(text))


def numbered(number: int, at_s: float) -> RawPacket:
    """A packet told from its neighbours by its gyro."""
    return RawPacket(round(at_s * 1e9), DATA, number.to_bytes(2, "little") + bytes.fromhex(PACKET)[2:])


def decoded(*packets: RawPacket, errors: int = 0, **settings: float) -> dict[Modality, SampleBlock]:
    decoder = DRIVER.decoder({"rate_hz": 10, "acc_range_g": 8} | settings)
    blocks, refused = decoder.feed_many(packets)
    assert len(refused) == errors
    found: dict[Modality, SampleBlock] = {}
    for block in blocks + decoder.finish():
        found[block.modality] = joined(found[block.modality], block) if block.modality in found else block
    return found


def test_a_packet_is_gyro_acc_and_magnetic_field() -> None:
    found = decoded(packet(PACKET))
    assert found[Modality.GYR].values.tolist() == [pytest.approx([radians(125), radians(-125), radians(250) / 32768])]
    assert found[Modality.ACC].values.tolist() == [pytest.approx([0, 0, G])]
    assert found[Modality.MAG].values.tolist() == [pytest.approx([4912, -4912, 0])]
    assert found[Modality.ACC].t_s.tolist() == [0.0]


@pytest.mark.parametrize(("range_g", "measured_g"), [(2, 0.25), (4, 0.5), (8, 1), (16, 2)])
def test_acceleration_scales_with_the_range_that_was_asked_for(range_g: float, measured_g: float) -> None:
    found = decoded(packet(PACKET), acc_range_g=range_g)
    assert found[Modality.ACC].values[0, 2] == pytest.approx(measured_g * G)


def test_the_gyro_of_another_firmware_scales_with_its_range() -> None:
    found = decoded(packet(PACKET), gyr_range_deg_s=2000)
    assert found[Modality.GYR].values[0, 0] == pytest.approx(radians(1000))


@pytest.mark.parametrize("odd", [None, "8", True, float("nan"), float("inf"), -3, 1e9])
def test_settings_that_make_no_sense_do_no_harm(odd: object) -> None:
    decoder = DRIVER.decoder({"rate_hz": odd, "acc_range_g": odd, "gyr_range_deg_s": odd})
    blocks = decoder.feed_many([packet(PACKET)])[0] + decoder.finish()
    assert {block.modality for block in blocks} == {Modality.ACC, Modality.GYR, Modality.MAG}


def test_time_follows_the_rate_from_the_first_packet() -> None:
    found = decoded(*(numbered(i, 3 + 0.1 * i) for i in range(40)))
    assert found[Modality.ACC].t_s == pytest.approx(np.arange(40) / 10)


def test_an_unstated_rate_is_read_off_the_arrivals() -> None:
    packets = [numbered(i, 1.01 * i) for i in range(8)]
    decoder = DRIVER.decoder({})
    blocks = decoder.feed_many(packets)[0] + decoder.finish()
    assert {block.rate_hz for block in blocks} == {1.0}


def test_nine_zeros_are_no_measurement_and_the_others_keep_their_times() -> None:
    """A sensor that is off, or starved by its cell, reads as zeros; before the first measurement they are no zero."""
    packets = [numbered(i, 0.1 * i) for i in range(60)]
    for i in (0, 1, 30, 31, 32, 33, 59):
        packets[i] = packet(ZEROS, 0.1 * i)
    found = decoded(*packets)
    t_s = found[Modality.ACC].t_s
    assert t_s == pytest.approx(np.array([i for i in range(2, 59) if not 30 <= i <= 33]) * 0.1 - 0.2)
    assert len(found[Modality.MAG]) == 53
    assert decoded(packet(ZEROS), packet(ZEROS, 0.1)) == {}


def test_a_field_of_zeros_beside_others_is_a_measurement() -> None:
    found = decoded(packet("0000 0000 0000 0000 0000 0010 0000 0000 0000"))
    assert found[Modality.GYR].values.tolist() == found[Modality.MAG].values.tolist() == [[0, 0, 0]]


def test_the_same_packet_again_at_once_is_refused_and_later_it_is_a_sample() -> None:
    doubled = [numbered(i // 2, 0.1 * (i // 2) + 0.001 * (i % 2)) for i in range(20)]
    assert decoded(*doubled, errors=10)[Modality.ACC].t_s == pytest.approx(np.arange(10) / 10)
    still = [packet(PACKET, 0.1 * i) for i in range(20)]
    assert len(decoded(*still)[Modality.ACC]) == 20
    decoder = DRIVER.decoder({"rate_hz": 10})
    decoder.feed(doubled[0])
    with pytest.raises(PacketError, match="duplicate"):
        decoder.feed(doubled[1])


def test_link_loss_is_a_gap_right_to_one_packet_interval() -> None:
    packets = [numbered(i, 0.1 * i) for i in range(600) if not 200 <= i < 255]
    t_s = decoded(*packets)[Modality.ACC].t_s
    assert t_s.size == 545
    assert np.diff(t_s).max() == pytest.approx(5.6, abs=0.1)
    assert t_s[-1] == pytest.approx(59.9, abs=0.1)


def test_the_battery_is_a_stream_of_its_own() -> None:
    found = decoded(packet(PACKET), packet("47", 0.5, BATTERY))
    assert found[Modality.BATTERY].values.tolist() == [[71.0]]
    assert found[Modality.BATTERY].t_s.tolist() == pytest.approx([0.5])


@pytest.mark.parametrize(
    ("text", "uuid", "reason"),
    [
        ("", DATA, "not 18 bytes"),
        (PACKET + "00", DATA, "not 18 bytes"),
        (PACKET, CONFIG, "unknown characteristic"),
        ("65", BATTERY, "above 100"),
    ],
)
def test_what_is_no_packet_is_refused(text: str, uuid: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(text, uuid=uuid))


@pytest.mark.parametrize(
    ("advert", "known"),
    [
        (Advert("CC2650 SensorTag"), True),
        (Advert("SensorTag 2.0"), True),
        (Advert(None, services=("f000aa80-0451-4000-b000-000000000000",)), True),
        (Advert(None, services=("0000aa80-0000-1000-8000-00805f9b34fb",)), True),
        (Advert("TI BLE Sensor Tag", manufacturer_data={0x000D: b"\x03\x00\x00"}), False),
        (Advert(), False),
    ],
)
def test_who_is_recognised(advert: Advert, known: bool) -> None:
    assert DRIVER.recognises(advert) is known


@pytest.mark.parametrize(
    ("asked", "period", "word", "granted_hz"),
    [
        ({"rate_hz": 10, "acc_range_g": 8}, "0a", "7f02", 10),
        ({"rate_hz": 100, "acc_range_g": 16}, "0a", "7f03", 10),
        ({"rate_hz": 1, "acc_range_g": 2}, "64", "7f00", 1),
        ({"rate_hz": 0.02, "acc_range_g": 5}, "ff", "7f01", 100 / 255),
        ({}, "0a", "7f02", 10),
    ],
)
def test_start_is_period_configuration_data(
    asked: dict[str, float], period: str, word: str, granted_hz: float
) -> None:  # fmt: skip
    talk = Conversation(VirtualSensorTag())
    granted = talk.carry_out(DRIVER.start(asked))
    assert talk.steps == [
        Write(PERIOD, bytes.fromhex(period)), Write(CONFIG, bytes.fromhex(word)), Read(CONFIG), Subscribe(DATA),
    ]  # fmt: skip
    assert granted["rate_hz"] == granted_hz
    assert granted["gyr_range_deg_s"] == 250


def test_a_range_that_old_firmware_keeps_is_the_range_that_is_granted() -> None:
    granted = Conversation(VirtualSensorTag(stuck_range=0)).carry_out(DRIVER.start(DRIVER.defaults))
    assert granted["acc_range_g"] == 2


class Dead(VirtualSensorTag):
    """Takes the switches and keeps them off."""

    def read(self, characteristic: str) -> bytes:
        return bytes(2) if characteristic == CONFIG else super().read(characteristic)


def test_a_motion_sensor_that_stays_off_is_said_in_a_sentence() -> None:
    with pytest.raises(DeviceRefusedError, match="does not switch its motion sensor on; put a fresh cell in"):
        Conversation(Dead()).carry_out(DRIVER.start(DRIVER.defaults))


def test_stop_switches_everything_off() -> None:
    talk = Conversation(VirtualSensorTag())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.steps.clear()
    talk.carry_out(DRIVER.stop(granted))
    assert talk.steps == [Write(CONFIG, b"\0\0"), Unsubscribe(DATA)]
    assert DRIVER.battery is not None
    assert talk.carry_out(DRIVER.battery()) == 71


@pytest.mark.parametrize("range_g", [2, 4, 8, 16])
def test_what_the_virtual_tag_sends_is_decoded_to_its_own_quantisation(range_g: float) -> None:
    talk = Conversation(VirtualSensorTag())
    granted = talk.carry_out(DRIVER.start({"rate_hz": 10, "acc_range_g": range_g}))
    given = list(at_rest(talk.sensor, talk.now_s, 10))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made = decoder.feed_many(talk.packets)[0] + decoder.finish()
    steps = {Modality.ACC: range_g * G / 32768, Modality.GYR: radians(250) / 32768, Modality.MAG: 4912 / 32760}
    for kind, step in steps.items():
        truth = np.concatenate([b.values for portion in given for b in portion if b.modality is kind])
        found = np.concatenate([b.values for b in made if b.modality is kind])
        assert found == pytest.approx(truth, abs=0.501 * step)


def test_a_starved_tag_gives_nothing_rather_than_zeros() -> None:
    talk = Conversation(VirtualSensorTag(starved=True))
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    for blocks in at_rest(talk.sensor, talk.now_s, 5):
        talk.stream(blocks)
    assert len(talk.packets) == 50
    decoder = DRIVER.decoder(granted)
    assert (decoder.feed_many(talk.packets), decoder.finish()) == (([], []), [])
