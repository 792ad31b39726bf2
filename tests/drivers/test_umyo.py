"""The uMyo decoder against bytes written by hand from the maker's firmware."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import radians

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.devices.umyo import DRIVER, TELEMETRY, advertised
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import ADVERTISEMENT, RawPacket
from drivers.recording.block_groups import joined
from drivers.script import Subscribe, Unsubscribe
from drivers.virtual.conversation import Conversation
from drivers.virtual.nonsense import at_rest
from drivers.virtual.umyo import VirtualUmyo

G = 9.80665
EMG_HZ = 1150.0
# data id 7; battery 3870 mV; spectrum 2 * 256, 300, -2, 1000; level 40 * 40 / 8; w 0.5; x y z 64 -64 0 times 256
ADVERT = "07 BB 02 28 012C FFFE 03E8 4000 40 C0 00"

Key = tuple[Modality, str | None]


def packet(payload: bytes, at_s: float = 0.0, uuid: str = TELEMETRY) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, payload)


def emg(index: int, values: Sequence[int], quat: Sequence[int] = ()) -> bytes:
    return struct.pack(f"<I{len(values)}h{len(quat)}h", index % (1 << 32), *values, *quat)


def stream(indices: Sequence[int], start: int = 0) -> list[RawPacket]:
    """Packets of 24 by the number of their first sample, as they come at the nominal rate."""
    return [packet(emg(i, [i % 997] * 24), (i - start + 24) / EMG_HZ) for i in indices]


def decoded(packets: Sequence[RawPacket], errors: int = 0) -> dict[Key, SampleBlock]:
    decoder = DRIVER.decoder({})
    blocks, refused = decoder.feed_many(packets)
    assert len(refused) == errors
    found: dict[Key, SampleBlock] = {}
    for block in blocks + decoder.finish():
        key = (block.modality, block.stream)
        found[key] = joined(found[key], block) if key in found else block
    return found


@pytest.mark.parametrize("samples", [8, 16, 24])
def test_emg_is_an_index_and_signed_words(samples: int) -> None:
    values = [-32768, 32767, 1, *range(samples - 3)]
    block = decoded([packet(emg(5, values))])[Modality.EMG, None]
    assert block.values[:, 0].tolist() == values
    assert (block.unit, block.channels, block.rate_hz) == ("1", ("1",), EMG_HZ)
    assert block.t_s == pytest.approx(np.arange(samples) / EMG_HZ)


def test_sixty_bytes_end_in_a_quaternion_of_the_last_sample() -> None:
    packets = [packet(emg(24 * i, [i] * 24, (32767, 0, -16384, 8192)), 24 * (i + 1) / EMG_HZ) for i in range(3)]
    found = decoded(packets)
    quat = found[Modality.QUAT, "emg"]
    assert quat.values[0].tolist() == pytest.approx([1, 0, -16384 / 32767, 8192 / 32767])
    assert quat.t_s.tolist() == found[Modality.EMG, None].t_s[23::24].tolist()
    assert found[Modality.EMG, None].values[::24, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("cut", [1, 7, 400])
def test_a_quaternion_stays_with_its_sample_while_that_is_held_back(cut: int) -> None:
    """Packets of all lengths, a part of which come late and wait until it is known why."""
    packets, index = [], 0
    for place in range(400):
        samples = (8, 24, 16, 24)[place % 4]
        index += samples
        quat = (place, 0, 0, 0) if place % 4 == 1 else ()
        late_s = 0.5 if 200 <= place < 240 else 0.0
        packets.append(packet(emg(index - samples, [place] * samples, quat), index / EMG_HZ + late_s))
    decoder = DRIVER.decoder({})
    made = [block for at in range(0, 400, cut) for block in decoder.feed_many(packets[at : at + cut])[0]]
    made += decoder.finish()
    t_s, number, with_s, quat_w = (
        np.concatenate(part)
        for kind in (Modality.EMG, Modality.QUAT)
        for part in zip(*((b.t_s, b.values[:, 0]) for b in made if b.modality is kind), strict=True)
    )
    assert np.rint(quat_w * 32767).tolist() == list(range(1, 400, 4))
    assert len(number) == index
    ends = np.diff(number, append=400) > 0
    assert with_s.tolist() == t_s[ends & (number % 4 == 1)].tolist()


def test_twenty_six_bytes_are_motion() -> None:
    """1 g down -z; 500 deg/s is 28572; counts of the magnetometer; w first."""
    payload = struct.pack("<13h", 0, 16384, -16384, 28572, 0, -28572, 100, -200, 300, 32767, 0, 0, -32767)
    found = decoded([packet(payload, 0.1)])
    assert found[Modality.ACC, None].values.tolist() == [pytest.approx([0, G, -G])]
    assert found[Modality.GYR, None].values.tolist() == [pytest.approx([radians(500), 0, -radians(500)])]
    assert found[Modality.MAG, None].values.tolist() == [[100, -200, 300]]
    assert found[Modality.MAG, None].unit == "1"
    assert found[Modality.QUAT, None].values.tolist() == [[1, 0, 0, -1]]


def test_an_advertisement_is_spectrum_level_and_quaternion() -> None:
    found = decoded([packet(bytes.fromhex(ADVERT), uuid=ADVERTISEMENT)])
    spectrum, level = found[Modality.EMG, "spectrum"], found[Modality.EMG, "level"]
    assert spectrum.values.tolist() == [[512, 300, -2, 1000]]
    assert level.values.tolist() == [[200]]
    assert (spectrum.unit, spectrum.channels) == ("1", tuple("0123"))
    quat = found[Modality.QUAT, "advertisement"]
    assert quat.values.tolist() == [pytest.approx([16384 / 32767, 16384 / 32767, -16384 / 32767, 0])]
    assert level.t_s.tolist() == [0.0]


def advert(number: int, at_s: float) -> RawPacket:
    return packet(bytes((number % 256,)) + bytes.fromhex(ADVERT)[1:], at_s, ADVERTISEMENT)


def test_advertisements_are_timed_by_their_arrival_and_heard_once() -> None:
    heard = [advert(n, at_s) for n, at_s in ((3, 0.0), (3, 0.002), (5, 0.02), (5, 0.02), (5, 0.03), (5, 2.0), (6, 2.0))]
    block = decoded(heard, errors=3)[Modality.EMG, "level"]
    assert block.t_s == pytest.approx([0, 0.02, 2.0, 2.000001], abs=1e-9)


@pytest.mark.parametrize("start", [0, (1 << 32) - 24 * 50])
def test_the_index_wraps_and_tells_every_loss(start: int) -> None:
    indices = [start + 24 * i for i in range(400) if i % 50 not in (7, 8, 30)]
    t_s = decoded(stream(indices, start))[Modality.EMG, None].t_s
    assert t_s[::24] == pytest.approx((np.array(indices) - start) / EMG_HZ, abs=1 / EMG_HZ)


def test_a_gap_of_hours_is_right_to_a_sample() -> None:
    """The link was away for two hours, the index went on; the true rate is 1116 Hz."""
    indices = [24 * i for i in range(4000)] + [8_000_000 + 24 * i for i in range(100)]
    packets = [packet(emg(i, [0] * 24), (i + 24) / 1116) for i in indices]
    t_s = decoded(packets)[Modality.EMG, None].t_s
    assert np.diff(t_s).max() == pytest.approx((8_000_000 - 24 * 4000 + 1) / 1116, rel=1e-3)


def test_a_restart_is_a_gap_by_the_arrivals() -> None:
    before, after = stream([24 * i for i in range(500, 900)], 24 * 500), stream([24 * i for i in range(100)])
    packets = [*before, *(RawPacket(p.arrival_ns + 12_000_000_000, p.characteristic, p.payload) for p in after)]
    t_s = decoded(packets)[Modality.EMG, None].t_s
    assert t_s.size == 24 * 500
    assert np.diff(t_s).max() == pytest.approx(12 - 400 * 24 / EMG_HZ, abs=0.05)


def test_repeated_and_late_packets_are_refused() -> None:
    packets = stream([24 * i for i in range(100)])
    packets.insert(11, packets[10])
    packets[40], packets[41] = packets[41], packets[40]
    block = decoded(packets, errors=2)[Modality.EMG, None]
    assert block.values.shape == (24 * 99, 1)
    assert block.t_s[-1] == pytest.approx(2399 / EMG_HZ, abs=1 / EMG_HZ)


@pytest.mark.parametrize(
    ("size", "uuid", "reason"),
    [(0, TELEMETRY, "length"), (21, TELEMETRY, "length"), (64, TELEMETRY, "length"), (14, ADVERTISEMENT, "length"),
     (20, "x", "unknown characteristic")],
)  # fmt: skip
def test_what_is_none_of_these_is_refused(size: int, uuid: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(bytes(size), uuid=uuid))


def test_the_name_recognises_it_and_data_stands_in_a_company_s_place() -> None:
    payload = bytes.fromhex(ADVERT)
    seen = Advert("uMyo v2", manufacturer_data={0xBB07: payload[2:]})
    assert DRIVER.recognises(seen)
    assert advertised(seen) == payload
    assert advertised(Advert("uMyo v2", manufacturer_data={0x004C: b"\x10\x05"})) is None
    assert not DRIVER.recognises(Advert("myo", manufacturer_data={0xBB07: payload[2:]}))


def test_start_subscribes_and_stop_unsubscribes() -> None:
    talk = Conversation(VirtualUmyo())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.carry_out(DRIVER.stop(granted))
    assert talk.steps == [Subscribe(TELEMETRY), Unsubscribe(TELEMETRY)]
    assert granted["rate_hz"] == EMG_HZ


@pytest.mark.parametrize("quaternions", [False, True])
def test_what_the_virtual_sensor_sends_is_decoded_as_it_was(quaternions: bool) -> None:
    talk = Conversation(VirtualUmyo(quaternions=quaternions))
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    given = list(at_rest(talk.sensor, talk.now_s, 5))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made, errors = decoder.feed_many(talk.packets)
    assert errors == []
    made += decoder.finish()
    steps = {Modality.EMG: 0.5, Modality.ACC: G / 32768, Modality.GYR: radians(500) / 57144, Modality.MAG: 0.5}
    for kind, step in steps.items():
        truth = [b.values for portion in given for b in portion if b.modality is kind]
        if truth:
            found = np.concatenate([b.values for b in made if b.modality is kind])
            assert found == pytest.approx(np.concatenate(truth)[: len(found), : found.shape[1]], abs=1.001 * step)
