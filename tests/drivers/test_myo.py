"""The Myo decoder and scripts against bytes written by hand from the maker's header file."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.devices.myo import DRIVER
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.myo_session import EMG, FILTERED, IMU
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Subscribe, Unsubscribe, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.myo import VirtualMyo
from drivers.virtual.nonsense import at_rest

G = 9.80665
PAIR = "0001 02FF 7F80 0500 0A0B 0C0D 0E0F 1011"
OLDER, NEWER = [0, 1, 2, -1, 127, -128, 5, 0], [10, 11, 12, 13, 14, 15, 16, 17]
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"

Key = tuple[Modality, str | None]


def packet(uuid: str, text: str, at_s: float = 0.0) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, bytes.fromhex(text))


def decoded(packets: list[RawPacket], errors: int = 0) -> dict[Key, SampleBlock]:
    decoder = DRIVER.decoder({})
    blocks, refused = decoder.feed_many(packets)
    assert len(refused) == errors
    found: dict[Key, SampleBlock] = {}
    for block in blocks + decoder.finish():
        key = (block.modality, block.stream)
        found[key] = joined(found[key], block) if key in found else block
    return found


def turns(count: int) -> list[RawPacket]:
    """So many EMG packets, each told from the others by its first number."""
    return [packet(EMG[i % 4], f"{i % 100:02x}" + "00" * 15, 0.01 * i) for i in range(count)]


def test_emg_is_two_samples_of_eight_raw_counts_the_older_first() -> None:
    block = decoded([packet(EMG[0], PAIR)])[Modality.EMG, None]
    assert block.values.tolist() == [OLDER, NEWER]
    assert block.unit == "1"
    assert block.channels == tuple("12345678")
    assert block.t_s.tolist() == pytest.approx([0, 0.005])


def test_motion_is_quaternion_acc_and_gyro() -> None:
    """W 1, x -0.5, y 0, z 0.25; 1 g down -z; 16 deg/s, -16 deg/s, 0."""
    found = decoded([packet(IMU, "0040 00E0 0000 0010 0000 0000 00F8 0001 00FF 0000")])
    assert found[Modality.QUAT, None].values.tolist() == [[1, -0.5, 0, 0.25]]
    assert found[Modality.ACC, None].values.tolist() == [pytest.approx([0, 0, -G])]
    assert found[Modality.GYR, None].values.tolist() == [pytest.approx([radians(16), radians(-16), 0])]


def test_the_hidden_filtered_stream_is_told_apart() -> None:
    block = decoded([packet(FILTERED, "0100 0200 0300 0400 0500 0600 0700 FFFF 00")])[Modality.EMG, "filtered"]
    assert block.values.tolist() == [[1, 2, 3, 4, 5, 6, 7, 65535]]


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_packets_missing_from_the_turn_leave_a_gap_of_their_samples(lost: int) -> None:
    packets = turns(400)
    del packets[101 : 101 + lost]
    t_s = decoded(packets)[Modality.EMG, None].t_s
    assert np.diff(t_s).max() == pytest.approx(0.005 * (1 + 2 * lost), abs=1e-6)
    assert t_s[-1] == pytest.approx(0.005 * 799, abs=1e-6)


@pytest.mark.parametrize("lost", [4, 8, 12, 6])
def test_whole_turns_that_are_missing_are_told_by_the_arrivals(lost: int) -> None:
    packets = turns(400)
    del packets[101 : 101 + lost]
    t_s = decoded(packets)[Modality.EMG, None].t_s
    assert np.diff(t_s).max() == pytest.approx(0.005 * (1 + 2 * lost), abs=1e-3)


def test_a_repeated_packet_is_refused_once() -> None:
    packets = turns(20)
    packets.insert(8, packets[7])
    assert len(decoded(packets, errors=1)[Modality.EMG, None]) == 40


def test_a_stall_with_the_link_up_is_a_gap_right_to_one_packet() -> None:
    packets = [p for p in turns(2000) if not 5 < p.arrival_ns / 1e9 < 8]
    t_s = decoded(packets)[Modality.EMG, None].t_s
    assert np.diff(t_s).max() == pytest.approx(3.0, abs=0.02)


def test_events_are_no_samples_and_battery_is() -> None:
    said = [packet(f"d506{short}-a904-deb9-4748-2c7f4a124842", "030100") for short in ("0103", "0101", "0201")]
    events = [*said, packet(EMG[0], PAIR)]
    found = decoded([*events, packet(BATTERY, "46", 0.5)])
    assert found[Modality.BATTERY, None].values.tolist() == [[70.0]]
    assert found[Modality.BATTERY, None].t_s[0] == pytest.approx(0.505)


@pytest.mark.parametrize(
    ("uuid", "text", "reason"),
    [
        (EMG[2], PAIR[:-2], "truncated"),
        (IMU, "00", "truncated"),
        (FILTERED, "", "truncated"),
        (BATTERY, "65", "above 100"),
        ("x", "00", "unknown characteristic"),
    ],
)
def test_what_is_none_of_these_is_refused(uuid: str, text: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(uuid, text))


def test_the_control_service_recognises_it_and_the_name_does_not() -> None:
    service = "d5060001-a904-deb9-4748-2c7f4a124842"
    assert DRIVER.recognises(Advert(None, (service,)))
    assert not DRIVER.recognises(Advert("My Myo"))


@pytest.mark.parametrize(("mode", "code"), [("raw", "03"), ("filtered", "02")])
def test_start_forbids_sleep_subscribes_all_and_sets_the_mode_last(mode: str, code: str) -> None:
    talk = Conversation(VirtualMyo())
    granted = talk.carry_out(DRIVER.start({"emg_mode": mode}))
    told = [s.payload.hex() if isinstance(s, Write) else s for s in talk.steps if isinstance(s, Write | Subscribe)]
    assert told == ["090101", *map(Subscribe, EMG), Subscribe(IMU), f"0103{code}0100"]
    assert (granted["firmware"], granted["serial"]) == ("1.5.1970", "11-22-33-44-55-66")


def test_stop_is_mode_off_unsubscribe_sleep_allowed() -> None:
    sensor = VirtualMyo()
    talk = Conversation(sensor)
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.steps.clear()
    talk.carry_out(DRIVER.stop(granted))
    assert [s.payload.hex() for s in talk.steps if isinstance(s, Write)] == ["0103000000", "090100"]
    assert [s.characteristic for s in talk.steps if isinstance(s, Unsubscribe)] == [*EMG, IMU]
    assert not sensor.modes.never_sleeps


def test_old_firmware_is_refused_in_a_sentence() -> None:
    with pytest.raises(DeviceRefusedError, match=r"0\.8\.18 is too old; update it"):
        Conversation(VirtualMyo(firmware=(0, 8, 18, 2))).carry_out(DRIVER.start(DRIVER.defaults))


def test_an_unknown_mode_is_refused_in_a_sentence() -> None:
    with pytest.raises(DeviceRefusedError, match="use raw or filtered"):
        Conversation(VirtualMyo()).carry_out(DRIVER.start({"emg_mode": "loud"}))


def test_it_buzzes_stays_awake_and_tells_its_battery() -> None:
    sensor = VirtualMyo()
    talk = Conversation(sensor, 7.0)
    assert DRIVER.buzz is not None
    assert DRIVER.battery is not None
    talk.carry_out(DRIVER.buzz())
    assert sensor.buzzes == [7.0]
    assert talk.carry_out(DRIVER.battery()) == 70
    (awake,) = DRIVER.keep_awake
    assert isinstance(awake.step, Write)
    sensor.write(awake.step.characteristic, awake.step.payload, 0.0)
    assert sensor.modes.never_sleeps


def test_what_the_virtual_band_sends_is_decoded_as_it_was() -> None:
    talk = Conversation(VirtualMyo())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    given = list(at_rest(talk.sensor, talk.now_s, 10))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made = decoder.feed_many(talk.packets)[0] + decoder.finish()
    for kind, step in ((Modality.EMG, 0.5), (Modality.ACC, G / 4096), (Modality.GYR, radians(1) / 32)):
        truth = np.concatenate([b.values for portion in given for b in portion if b.modality is kind])
        found = np.concatenate([b.values for b in made if b.modality is kind])
        assert found == pytest.approx(truth, abs=step * 1.001)


@pytest.mark.parametrize("interval_s", [0.0075, 0.03, 0.05])
def test_bundled_arrivals_and_scattered_loss_leave_every_gap_right(interval_s: float) -> None:
    """An hour's worth of trouble in two minutes: 1 % lost, one stall, packets that wait for the next event."""
    dice = np.random.default_rng(3)
    taken_s = np.arange(1, 12001) * 0.01
    kept = (dice.random(taken_s.size) > 0.01) & ~((taken_s > 60) & (taken_s <= 63))
    arrival_s = np.ceil(taken_s / interval_s) * interval_s + dice.exponential(0.001, taken_s.size)
    arrival_ns = (np.maximum.accumulate(arrival_s) * 1e9).astype(np.int64)
    packets = [
        RawPacket(int(arrival_ns[i]), EMG[i % 4], int(i).to_bytes(4, "little") + bytes(12))
        for i in np.flatnonzero(kept)
    ]
    t_s = decoded(packets)[Modality.EMG, None].t_s[1::2]
    assert np.diff(t_s) == pytest.approx(np.diff(taken_s[kept]), abs=0.005)
