"""The Thingy:52 decoder and scripts against bytes written by hand from the maker's firmware."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import pi, radians

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.devices.thingy52 import CONFIG, DRIVER, EULER, QUAT, RAW, SERVICE
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.standard_gatt import BATTERY_LEVEL
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Subscribe, Unsubscribe, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.nonsense import at_rest
from drivers.virtual.peripheral import NO_SUCH, AttError, Notification
from drivers.virtual.thingy52 import VirtualThingy52

G = 9.80665
# acc 0, -512, 1024 = 0, -0.5, 1 g; gyro 32 = 1 deg/s, -3200, 32736 = 1023; compass 320 = 20 uT, 0, -688 = -43
SAMPLE = "0000 00FE 0004 2000 80F3 E07F 4001 0000 50FD"
STEPS = "ef680405-9b35-4933-9b10-52ffa9740042"
PERIOD_S = 0.02


def packet(text: str, at_s: float = 0.0, uuid: str = RAW) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, bytes.fromhex(text))


def decoded(
    packets: Sequence[RawPacket], rate_hz: float | None = 50, errors: Sequence[str] = ()
) -> dict[Modality, SampleBlock]:
    decoder = DRIVER.decoder({"rate_hz": rate_hz})
    blocks, refused = decoder.feed_many(packets)
    assert [error.reason for error in refused] == list(errors)
    found: dict[Modality, SampleBlock] = {}
    for block in blocks + decoder.finish():
        found[block.modality] = joined(found[block.modality], block) if block.modality in found else block
    return found


def test_raw_motion_is_acc_gyro_and_compass() -> None:
    found = decoded([packet(SAMPLE)])
    assert found[Modality.ACC].values.tolist() == [pytest.approx([0, -G / 2, G])]
    assert found[Modality.GYR].values.tolist() == [pytest.approx([radians(1), radians(-100), radians(1023)])]
    assert found[Modality.MAG].values.tolist() == [[20, 0, -43]]
    assert found[Modality.ACC].t_s.tolist() == [0.0]


def test_quaternion_and_euler_angles() -> None:
    quat = struct.pack("<4i", 2**29, -(2**29), 2**30, -(2**31)).hex()
    euler = struct.pack("<3i", 90 * 65536, -45 * 65536, 180 * 65536).hex()
    found = decoded([packet(quat, 0.0, QUAT), packet(euler, 0.005, EULER)])
    assert found[Modality.QUAT].values.tolist() == [[0.5, -0.5, 1, -2]]
    assert found[Modality.QUAT].channels == ("w", "x", "y", "z")
    assert found[Modality.EULER].values.tolist() == [pytest.approx([pi / 2, -pi / 4, pi])]
    assert found[Modality.EULER].channels == ("roll", "pitch", "yaw")
    assert found[Modality.EULER].t_s.tolist() == pytest.approx([0.005])


def test_without_a_clock_time_follows_the_rate_from_the_first_packet() -> None:
    """Three samples arrive together at a connection interval of 60 ms."""
    packets = [packet(SAMPLE, 1.0 + 0.06 * (i // 3)) for i in range(300)]
    t_s = decoded(packets)[Modality.ACC].t_s
    assert np.diff(t_s) == pytest.approx(PERIOD_S, abs=0.002)
    assert t_s[0] == 0.0


@pytest.mark.parametrize("rate_hz", [10, 50, 100, 200])
def test_an_unstated_rate_is_read_off_the_arrivals(rate_hz: float) -> None:
    packets = [packet(SAMPLE, i / rate_hz * 1.01) for i in range(600)]
    block = decoded(packets, None)[Modality.ACC]
    assert block.rate_hz == rate_hz
    assert len(block) == 600


def test_a_stall_is_a_gap_right_to_one_packet_interval() -> None:
    times_s = [PERIOD_S * i for i in range(1500)]
    packets = [packet(SAMPLE, t_s) for t_s in times_s if not 10 < t_s < 14.5]
    t_s = decoded(packets)[Modality.ACC].t_s
    assert t_s.size == len(packets)
    assert np.diff(t_s).max() == pytest.approx(4.5 + PERIOD_S, abs=PERIOD_S)


@pytest.mark.parametrize("interval_s", [0.0075, 0.03, 0.05])
def test_bundled_arrivals_and_a_stall_keep_times_right(interval_s: float) -> None:
    """The device's own rate is 1 % off."""
    dice = np.random.default_rng(5)
    taken_s = np.arange(1, 6001) * PERIOD_S * 1.01
    kept = ~((taken_s > 60) & (taken_s <= 63))
    arrival_s = np.ceil(taken_s / interval_s) * interval_s + dice.exponential(0.001, taken_s.size)
    arrival_s = np.maximum.accumulate(arrival_s)
    t_s = decoded([packet(SAMPLE, float(arrival_s[i])) for i in np.flatnonzero(kept)])[Modality.ACC].t_s
    late_s = t_s - taken_s[kept]
    assert late_s - np.median(late_s) == pytest.approx(0, abs=0.04)


def test_events_are_no_samples_and_battery_is() -> None:
    found = decoded([packet("0100000010270000", 0.0, STEPS), packet(SAMPLE), packet("3a", 0.4, BATTERY_LEVEL)])
    assert set(found) == {Modality.ACC, Modality.GYR, Modality.MAG, Modality.BATTERY}
    assert found[Modality.BATTERY].values.tolist() == [[58.0]]
    assert found[Modality.BATTERY].t_s.tolist() == pytest.approx([0.4])


@pytest.mark.parametrize(
    ("text", "uuid", "reason"),
    [
        (SAMPLE[:-2], RAW, "truncated"),
        (SAMPLE + "00", RAW, "truncated"),
        ("00" * 15, QUAT, "truncated"),
        ("", EULER, "truncated"),
        ("0100", STEPS, "truncated"),
        ("65", BATTERY_LEVEL, "above 100"),
        ("00", CONFIG, "unknown characteristic"),
    ],
)
def test_what_is_none_of_these_is_refused(text: str, uuid: str, reason: str) -> None:
    decoder = DRIVER.decoder({"rate_hz": 50})
    with pytest.raises(PacketError, match=reason):
        decoder.feed(packet(text, 0.0, uuid))
    assert len(decoder.feed(packet(SAMPLE, 0.02))) == 3


@pytest.mark.parametrize(
    ("advert", "known"),
    [
        (Advert("left", (SERVICE,)), True),
        (Advert("Thingy:53"), False),
        (Advert("a mouse", manufacturer_data={0x0059: b"\0\0\0\0"}), False),
    ],
)
def test_the_service_recognises_it_and_the_chip_maker_does_not(advert: Advert, known: bool) -> None:
    assert DRIVER.recognises(advert) is known


@pytest.mark.parametrize(("asked", "granted"), [(50, 50), (100, 100), (1000, 200), (1, 5), (52.4, 52)])
def test_start_sets_the_rate_alone_and_then_listens(asked: float, granted: int) -> None:
    sensor = VirtualThingy52()
    sensor.settings = (1234, 600, 700, 10, 0)
    talk = Conversation(sensor)
    settings = talk.carry_out(DRIVER.start({"rate_hz": asked}))
    (write,) = [step for step in talk.steps if isinstance(step, Write)]
    assert write.payload == struct.pack("<4HB", 1234, 600, 700, granted, 0)
    assert talk.steps[-1] == Subscribe(RAW)
    assert (settings["rate_hz"], settings["firmware"], settings["acc_range_g"]) == (granted, "2.2.0", 2)


def test_a_rate_that_is_set_already_is_not_written_to_flash_again() -> None:
    talk = Conversation(VirtualThingy52(rate=50))
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert not [step for step in talk.steps if isinstance(step, Write)]


def test_stop_no_longer_listens() -> None:
    talk = Conversation(VirtualThingy52())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.steps.clear()
    talk.carry_out(DRIVER.stop(granted))
    assert talk.steps == [Unsubscribe(RAW)]


class Stubborn(VirtualThingy52):
    """Keeps its rate."""

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        return []


class Mute(VirtualThingy52):
    """Has no motion settings."""

    def read(self, characteristic: str) -> bytes:
        if characteristic == CONFIG:
            raise AttError(NO_SUCH, "none")
        return super().read(characteristic)


@pytest.mark.parametrize(("sensor", "said"), [(Stubborn(), "does not take 50 Hz"), (Mute(), "update its firmware")])
def test_what_it_does_not_take_is_said_in_a_sentence(sensor: VirtualThingy52, said: str) -> None:
    with pytest.raises(DeviceRefusedError, match=said):
        Conversation(sensor).carry_out(DRIVER.start(DRIVER.defaults))


def test_the_battery_is_the_standard_one() -> None:
    assert DRIVER.battery is not None
    assert Conversation(VirtualThingy52()).carry_out(DRIVER.battery()) == 58


def test_what_the_virtual_sensor_sends_is_decoded_as_it_was() -> None:
    talk = Conversation(VirtualThingy52())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.sensor.subscribe(QUAT)
    talk.sensor.subscribe(EULER)
    given = list(at_rest(talk.sensor, talk.now_s, 10))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made = decoder.feed_many(talk.packets)[0] + decoder.finish()
    steps = {Modality.ACC: G / 1024, Modality.GYR: radians(1) / 32, Modality.MAG: 1 / 16}
    for kind in (*steps, Modality.QUAT, Modality.EULER):
        truth = np.concatenate([b.values for portion in given for b in portion if b.modality is kind])
        found = np.concatenate([b.values for b in made if b.modality is kind])
        assert found == pytest.approx(truth, abs=steps.get(kind, 1e-7))
