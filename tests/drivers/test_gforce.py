"""The gForce decoder and scripts against bytes written by hand from the maker's SDK."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import pi, radians

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.devices.gforce import DRIVER
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Subscribe, Unsubscribe, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.gforce import COMMAND, DATA, VirtualGforce
from drivers.virtual.nonsense import at_rest

G = 9.80665
BYTES = bytes(range(100, 228))
EIGHT_BIT = b"\x08" + BYTES
LONG = "gForcePro+ 3.4.5 of 2021-05-01"


def packet(payload: bytes, at_s: float = 0.0, uuid: str = DATA) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, payload)


def decoded(packets: Sequence[RawPacket], errors: int = 0, **given: object) -> dict[Modality, SampleBlock]:
    decoder = DRIVER.decoder({"rate_hz": 500, **given})
    blocks, refused = decoder.feed_many(packets)
    assert len(refused) == errors
    found: dict[Modality, SampleBlock] = {}
    for block in blocks + decoder.finish():
        found[block.modality] = joined(found[block.modality], block) if block.modality in found else block
    return found


def numbered(numbers: Sequence[int], kind: int = 0x88, width: int = 1) -> list[RawPacket]:
    """EMG packets every 32 ms by their number, each told from the others by its first byte."""
    return [
        packet(bytes((kind,)) + (n % (1 << 8 * width)).to_bytes(width, "little") + bytes((n % 251,)) + bytes(127), t)
        for n, t in zip(numbers, np.array(numbers) * 0.032, strict=True)
    ]


def test_eight_bit_emg_is_sample_by_sample_channel_by_channel_around_128() -> None:
    block = decoded([packet(EIGHT_BIT)])[Modality.EMG]
    assert block.values.shape == (16, 8)
    assert block.values[0].tolist() == [-28, -27, -26, -25, -24, -23, -22, -21]
    assert block.values[15, 7] == 99
    assert block.t_s == pytest.approx(np.arange(16) / 500)
    assert (block.unit, block.channels, block.rate_hz) == ("1", tuple("12345678"), 500)


def test_twelve_bit_emg_is_words_around_2048() -> None:
    words = [0, 2047, 2048, 2049, 4095, 1, 2, 3, *range(56)]
    block = decoded([packet(b"\x08" + struct.pack("<64H", *words))], emg_bits=12)[Modality.EMG]
    assert block.values.shape == (8, 8)
    assert block.values[0].tolist() == [-2048, -1, 0, 1, 2047, -2047, -2046, -2045]


@pytest.mark.parametrize(("head", "size"), [("88 05", 128), ("88 0501", 128), ("08", 16), ("08", 48), ("88 FF", 16)])
def test_the_length_tells_how_wide_the_number_is(head: str, size: int) -> None:
    block = decoded([packet(bytes.fromhex(head) + BYTES[:size])])[Modality.EMG]
    assert block.values.reshape(-1).tolist() == [byte - 128.0 for byte in BYTES[:size]]


def test_motion_is_fixed_point_and_floats() -> None:
    """1 g down -z, 90 deg/s, 48 uT; pitch 30, roll 90, yaw -180 degrees; w first."""
    found = decoded(
        [
            packet(b"\x01" + struct.pack("<3i", 0, 32768, -65536)),
            packet(b"\x02" + struct.pack("<3i", 90 * 65536, 0, -1), 0.001),
            packet(b"\x03" + struct.pack("<3i", 48 * 65536, -65536, 0), 0.002),
            packet(b"\x04" + struct.pack("<3f", 30, 90, -180), 0.003),
            packet(b"\x85\x07" + struct.pack("<4f", 0.5, -0.5, 0.5, 0.5), 0.004),
        ]
    )
    assert found[Modality.ACC].values.tolist() == [pytest.approx([0, G / 2, -G])]
    assert found[Modality.GYR].values.tolist() == [pytest.approx([pi / 2, 0, -radians(1) / 65536])]
    assert found[Modality.MAG].values.tolist() == [[48, -1, 0]]
    assert found[Modality.EULER].channels == ("roll", "pitch", "yaw")
    assert found[Modality.EULER].values.tolist() == [pytest.approx([pi / 2, pi / 6, -pi])]
    assert found[Modality.QUAT].values.tolist() == [[0.5, -0.5, 0.5, 0.5]]
    assert found[Modality.QUAT].t_s.tolist() == pytest.approx([0.004])


@pytest.mark.parametrize("room", [20, 18, 60])
def test_parts_count_down_to_0_and_make_one_packet(room: int) -> None:
    pieces = [EIGHT_BIT[at : at + room] for at in range(0, 129, room)]
    parts = [packet(bytes((0xFF, len(pieces) - 1 - i)) + piece) for i, piece in enumerate(pieces)]
    assert (
        decoded([*parts, *parts])[Modality.EMG].values.tolist()
        == decoded([packet(EIGHT_BIT), packet(EIGHT_BIT)])[Modality.EMG].values.tolist()
    )


def parts_of(first: int) -> list[RawPacket]:
    whole = b"\x08" + bytes((first,)) * 128
    return [packet(bytes((0xFF, 7 - i)) + whole[18 * i : 18 * i + 18]) for i in range(8)]


@pytest.mark.parametrize(("lost", "refused"), [((3,), 4), ((7,), 0), ((0,), 1), ((2, 3), 4), ((0, 7), 0)])
def test_a_lost_part_costs_its_packet_and_no_other(lost: tuple[int, ...], refused: int) -> None:
    torn = [part for i, part in enumerate(parts_of(2)) if i not in lost]
    block = decoded([*parts_of(1), *torn, *parts_of(3), *parts_of(4)], errors=refused)[Modality.EMG]
    assert block.values[::16, 0].tolist() == [-127, -125, -124]


@pytest.mark.parametrize("width", [1, 2])
def test_numbers_wrap_and_tell_loss_to_the_packet(width: int) -> None:
    start = (1 << 8 * width) - 30
    numbers = [n for n in range(start, start + 400) if n not in (start + 20, start + 28, start + 29, start + 31)]
    arrivals = numbered(numbers, width=width)
    t_s = decoded(arrivals)[Modality.EMG].t_s
    assert t_s[::16] - t_s[0] == pytest.approx((np.array(numbers) - start) * 0.032, abs=0.002)


def test_repeated_and_late_packets_are_refused() -> None:
    packets = numbered(range(60))
    packets.insert(11, packets[10])
    packets[20], packets[21] = packets[21], packets[20]
    values = decoded(packets, errors=2)[Modality.EMG].values[::16, 0]
    assert values.size == 59
    assert (np.diff(values) > 0).all()


def test_types_may_share_a_number_or_have_their_own() -> None:
    """EMG and quaternions in turn: neither way is a packet taken for missing."""
    quat = struct.pack("<4f", 1, 0, 0, 0)
    for shared in (True, False):
        packets = []
        for i in range(300):
            mine, other = (2 * i, 2 * i + 1) if shared else (i, i + 77)
            packets.append(packet(bytes((0x88, mine % 256)) + BYTES, i * 0.032))
            packets.append(packet(bytes((0x85, other % 256)) + quat, i * 0.032 + 0.01))
        t_s = decoded(packets)[Modality.EMG].t_s
        assert t_s[-1] == pytest.approx(4799 / 500, abs=0.002)


def test_a_stall_without_numbers_is_a_gap_right_to_one_packet() -> None:
    packets = [packet(EIGHT_BIT, i * 0.032) for i in range(600) if not 200 < i < 300]
    t_s = decoded(packets)[Modality.EMG].t_s
    assert np.diff(t_s).max() == pytest.approx(99 * 0.032 + 0.002, abs=0.032)


def test_what_the_band_says_of_its_settings_is_believed() -> None:
    """Rate 250, channels 1 2 3 4, 12 bits; nothing was stated."""
    decoder = DRIVER.decoder({})
    decoder.feed(packet(bytes.fromhex("0046 FA00 0F00 80 0C"), uuid=COMMAND))
    body = struct.pack("<64H", *range(2048, 2112))
    made = decoder.feed(packet(b"\x08" + body, 0.1)) + decoder.finish()
    (block,) = (block for block in made if block.modality is Modality.EMG)
    assert (block.channels, block.rate_hz) == (tuple("1234"), 250)
    assert block.values[1].tolist() == [4, 5, 6, 7]


def test_battery_comes_as_a_reply_and_other_replies_are_no_samples() -> None:
    replies = [packet(bytes.fromhex(text), 0.5, COMMAND) for text in ("000840", "0106", "004F", "FF0100", "0024")]
    found = decoded([packet(EIGHT_BIT), *replies])
    assert found[Modality.BATTERY].values.tolist() == [[64.0]]
    assert found[Modality.BATTERY].t_s[0] == pytest.approx(0.53)


@pytest.mark.parametrize(
    ("payload", "uuid", "reason"),
    [
        (b"", DATA, "empty"),
        (EIGHT_BIT[:-1], DATA, "wrong length"),
        (b"\x88" + BYTES, DATA, "wrong length"),
        (b"\x08", DATA, "wrong length"),
        (b"\x01" + bytes(13), DATA, "wrong length"),
        (b"\x05" + struct.pack("<4f", 1, 0, 0, float("nan")), DATA, "not a number"),
        (b"\x04" + struct.pack("<3f", 1, 0, float("inf")), DATA, "not a number"),
        (b"\xff\x01", DATA, "truncated"),
        (b"\x00", COMMAND, "truncated"),
        (b"\x00\x08\x65", COMMAND, "percent"),
        (b"\x00\x46\x00\x00\xff\x00\x80\x08", COMMAND, "no armband"),
        (b"\x00", "x", "unknown characteristic"),
    ],
)
def test_what_is_none_of_these_is_refused(payload: bytes, uuid: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(payload, uuid=uuid))


@pytest.mark.parametrize("text", ["06" + "00" * 36, "0703", "0B01", "0C41", "0900", "87 05 02"])
def test_what_holds_no_samples_is_let_pass(text: str) -> None:
    assert DRIVER.decoder({}).feed(packet(bytes.fromhex(text))) == []


@pytest.mark.parametrize(
    ("advert", "known"),
    [
        (Advert("gForcePro+(7F)"), True),
        (Advert("OHand-1"), True),
        (Advert(None, ("0000ffd0-0000-1000-8000-00805f9b34fb",)), True),
        (Advert("My Myo"), False),
        (Advert(), False),
    ],
)
def test_who_is_recognised(advert: Advert, known: bool) -> None:
    assert DRIVER.recognises(advert) is known


def started(sensor: VirtualGforce, **wanted: object) -> tuple[list[object], dict[str, object]]:
    talk = Conversation(sensor)
    granted = talk.carry_out(DRIVER.start({**DRIVER.defaults, **wanted}))
    told = [s.payload.hex() if isinstance(s, Write) else s for s in talk.steps if isinstance(s, Write | Subscribe)]
    return told, dict(granted)


def test_start_is_quiet_settings_number_stream_listen() -> None:
    told, granted = started(VirtualGforce(switch=0x80))
    settings = ["3ff401ff008008", "46", "2601"]
    assert told == [Subscribe(COMMAND), "06", "4f00000000", *settings, "4f80000000", Subscribe(DATA)]
    assert granted == {"rate_hz": 500.0, "emg_bits": 8, "numbered": True, "firmware": "3.2.1"}


@pytest.mark.parametrize(
    ("sensor", "wanted", "granted"),
    [
        (VirtualGforce(firmware=b"\x01\x02\x03\x04"), {"emg_bits": 12}, (500, 12, True, "1.2.3.4")),
        (VirtualGforce(bits=(8,), number_bytes=0), {"emg_bits": 12}, (500, 8, False, "3.2.1")),
        (VirtualGforce(), {"rate_hz": 900}, (1000, 8, True, "3.2.1")),
        (VirtualGforce(), {"rate_hz": 900, "emg_bits": 12}, (500, 12, True, "3.2.1")),
        (VirtualGforce(mtu=23, firmware=LONG.encode()), {}, (500, 8, True, LONG)),
    ],
)  # fmt: skip
def test_what_the_band_can_is_granted(sensor: VirtualGforce, wanted: dict[str, object], granted: tuple[object]) -> None:
    given = started(sensor, **wanted)[1]
    assert tuple(given[key] for key in ("rate_hz", "emg_bits", "numbered", "firmware")) == granted


def test_a_band_that_refuses_is_told_in_a_sentence() -> None:
    with pytest.raises(DeviceRefusedError, match="does not take 500 Hz"):
        started(VirtualGforce(bits=()))
    with pytest.raises(DeviceRefusedError, match="8 or 12 bits, not 16"):
        started(VirtualGforce(), emg_bits=16)


def test_stop_is_not_listening_then_quiet() -> None:
    sensor = VirtualGforce()
    talk = Conversation(sensor)
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.steps.clear()
    talk.carry_out(DRIVER.stop(granted))
    assert talk.steps == [Unsubscribe(DATA), Write(COMMAND, bytes.fromhex("4f00000000")), Unsubscribe(COMMAND)]
    assert sensor.switch == 0


def test_it_buzzes_and_tells_its_battery_while_it_streams() -> None:
    sensor = VirtualGforce()
    talk = Conversation(sensor)
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert DRIVER.battery is not None
    assert DRIVER.buzz is not None
    assert talk.carry_out(DRIVER.battery()) == 64
    talk.carry_out(DRIVER.buzz())
    assert [on for _, on in sensor.buzzes] == [True, False]
    assert sensor.buzzes[1][0] - sensor.buzzes[0][0] == pytest.approx(0.5)


@pytest.mark.parametrize("mtu", [23, 247])
@pytest.mark.parametrize("bits", [8, 12])
def test_what_the_virtual_band_sends_is_decoded_as_it_was(mtu: int, bits: int) -> None:
    talk = Conversation(VirtualGforce(mtu=mtu))
    granted = talk.carry_out(DRIVER.start({"emg_bits": bits}))
    given = list(at_rest(talk.sensor, talk.now_s, 5))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made, errors = decoder.feed_many(talk.packets)
    assert errors == []
    truth = np.concatenate([b.values for portion in given for b in portion])
    found = np.concatenate([b.values for b in made + decoder.finish() if b.modality is Modality.EMG])
    assert found == pytest.approx(truth[: len(found)], abs=0.5001)
    assert len(truth) - len(found) < 16


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([0, 1, 2, 3, 5, 7, 0xFF]), max_size=30), st.lists(st.integers(0, 30), max_size=4))
def test_parts_in_any_order_are_put_together_the_same_in_any_cutting(indices: list[int], cuts: list[int]) -> None:
    packets = [packet(bytes((0xFF, index)) + BYTES[index : index + 9], i * 0.01) for i, index in enumerate(indices)]
    whole, parts = DRIVER.decoder({}), DRIVER.decoder({})
    expected = [error.reason for error in whole.feed_many(packets)[1]]
    pieces = np.split(np.arange(len(packets)), sorted(cuts))
    assert [e.reason for p in pieces for e in parts.feed_many([packets[i] for i in p])[1]] == expected
