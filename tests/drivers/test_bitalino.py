"""The BITalino decoder and scripts against frames written by hand from the maker's firmware."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.devices.bitalino import COMMANDS, DRIVER, FRAMES
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.bitalino_frames import crc4
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Subscribe, Unsubscribe, Write
from drivers.virtual.bitalino import VirtualBitalino
from drivers.virtual.conversation import Conversation
from drivers.virtual.nonsense import at_rest

FULL_UV = 3.3e6 / 1009


def sealed(octets: str) -> bytes:
    """A frame whose CRC nibble is put in."""
    raw = bytes.fromhex(octets)
    return raw[:-1] + bytes((raw[-1] | crc4(raw),))


def frame(sequence: int, raw: int = 512) -> bytes:
    """One channel: the last byte sequence and CRC, before it the upper four bits, before that the lower six."""
    return sealed(f"{(raw & 0x3F) << 2:02x}{raw >> 6:02x}{sequence % 16 << 4:02x}")


def packet(payload: bytes, at_s: float = 0.0, uuid: str = FRAMES) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, payload)


def decoded(packets: Sequence[RawPacket], errors: int = 0, **given: object) -> SampleBlock:
    decoder = DRIVER.decoder({"rate_hz": 1000, "channels": 1, **given})
    blocks, refused = decoder.feed_many(packets)
    assert len(refused) == errors, [error.reason for error in refused]
    first, *others = blocks + decoder.finish()
    for block in others:
        first = joined(first, block)
    return first


def raw_of(block: SampleBlock) -> list[int]:
    return [round((value / FULL_UV + 0.5) * 1024) for value in block.values[:, 0].tolist()]


def stream(count: int, size: int = 20, rate_hz: float = 1000, start: int = 0) -> list[RawPacket]:
    """Frames one behind the other, their number as the channel's value, cut into pieces that come as they fill."""
    whole = b"".join(frame(i, i % 1024) for i in range(start, start + count))
    return [
        packet(whole[at : at + size], (start + min(at + size, len(whole)) / 3) / rate_hz)
        for at in range(0, len(whole), size)
    ]


def test_the_crc_is_that_of_the_firmware() -> None:
    """By hand: x^4 leaves x + 1, and x^8 its square x^2 + 1."""
    assert [crc4(bytes((b,))) for b in (0x00, 0x01, 0x10, 0x20, 0x40, 0x80)] == [0, 1, 3, 6, 12, 11]
    assert crc4(b"\x01\x00") == 5


@pytest.mark.parametrize(
    ("channels", "octets", "raw"),
    [
        (1, "FC 0F 00", [1023]),
        (1, "04 08 00", [513]),
        (2, "FF 03 00 00", [0, 1023]),
        (2, "01 02 08 00", [512, 513]),
        (3, "40 80 00 00 00 00", [0, 0, 513]),
        (4, "10 20 00 00 00 00 00", [0, 0, 0, 513]),
        (5, "C0 0F 00 00 00 00 00 00", [0, 0, 0, 0, 63]),
        (6, "21 08 00 00 00 00 00 00", [0, 0, 0, 0, 32, 33]),
        (6, "00 00 00 00 00 00 F0 00", [0, 0, 0, 0, 0, 0]),
    ],
)
def test_channels_are_read_from_the_end_of_the_frame(channels: int, octets: str, raw: list[int]) -> None:
    block = decoded([packet(sealed(octets))], channels=channels)
    bits = [10, 10, 10, 10, 6, 6][:channels]
    expected = [(value / 2**width - 0.5) * FULL_UV for value, width in zip(raw, bits, strict=True)]
    assert block.values.tolist() == [pytest.approx(expected)]
    assert (block.modality, block.unit) == (Modality.EMG, "uV")
    assert block.channels == tuple("123456"[:channels])
    assert block.t_s.tolist() == [0.0]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 244])
def test_a_notification_may_hold_several_frames_or_a_part_of_one(size: int) -> None:
    block = decoded(stream(100, size))
    assert raw_of(block) == list(range(100))
    assert block.t_s[-1] - block.t_s[0] == pytest.approx(0.099, abs=0.002)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=20), st.integers(0, 299), st.integers(1, 40))
def test_any_cutting_gives_the_same_frames_and_a_tear_costs_few(cuts: list[int], torn: int, lost: int) -> None:
    whole = b"".join(frame(i, i) for i in range(100))
    whole = whole[:torn] + whole[torn + lost :]
    pieces = np.split(np.frombuffer(whole, np.uint8), sorted(cuts))
    packets = [packet(piece.tobytes(), i / 1000) for i, piece in enumerate(pieces) if piece.size]
    found = []
    for groups in ([packets], [[one] for one in packets]):
        decoder = DRIVER.decoder({"rate_hz": 1000})
        rows = [block for group in groups for block in decoder.feed_many(group)[0]] + decoder.finish()
        found.append([value for block in rows for value in raw_of(block)])
    assert found[0] == found[1]
    check_a_tear(found[0], torn, lost)


@pytest.mark.parametrize("lost", [0, 0.05])
def test_times_are_the_same_in_any_cutting_where_several_notifications_come_at_once(lost: float) -> None:
    """A radio brings what was sent since its last event, here of 30 ms, at one instant."""
    dice = np.random.default_rng(2)
    sent = [piece for piece in stream(4000) if dice.random() >= lost]
    packets = [RawPacket(-(-p.arrival_ns // 30_000_000) * 30_000_000, p.characteristic, p.payload) for p in sent]
    times = []
    for size in (1, 3, 100, len(packets)):
        decoder = DRIVER.decoder({"rate_hz": 1000})
        parts = [decoder.feed_many(packets[at : at + size])[0] for at in range(0, len(packets), size)]
        blocks = [block for part in [*parts, decoder.finish()] for block in part]
        times.append(b"".join(block.t_s.tobytes() for block in blocks))
    assert len(set(times)) == 1


def check_a_tear(found: list[int], torn: int, lost: int) -> None:
    """Bytes are gone out of 100 frames of three: which others went with the frames that they were of.

    The bytes around a tear pass for the frame that is due once in 256 times: it then stands for a true one, so one
    may be wrong. Nothing is believed before three frames agree, so up to two are lost where there are no more than
    two before the tear, or behind it. No more than that can go: three false ones would have to agree.
    """
    cut = len(range(torn // 3, -(-min(torn + lost, 300) // 3)))
    fewest_together = min(torn // 3, 100 - torn // 3 - cut)
    assert len(found) >= 100 - cut - (1 if fewest_together >= 3 else 2)
    assert len(set(found) - set(range(100))) <= 1


@pytest.mark.parametrize("lost", [1, 20])
def test_no_tear_costs_more(lost: int) -> None:
    """At every place. Where two agreeing frames were enough, a tear cost up to twelve."""
    whole = b"".join(frame(i, i) for i in range(100))
    for torn in range(298 - lost):
        found = decoded([packet(whole[:torn] + whole[torn + lost :])])
        check_a_tear(raw_of(found), torn, lost)


def test_two_frames_that_agree_by_chance_behind_a_tear_are_not_believed() -> None:
    """Their numbers follow each other and their CRCs are right, but what comes then does not go on from them."""
    before, behind = [frame(i, 100) for i in range(10)], [frame(i, i) for i in range(12, 40)]
    false = [frame(5), frame(6)]
    found = raw_of(decoded([packet(b"".join([*before, b"\xa5", *false, *behind]))]))
    assert found == [100] * 10 + list(range(12, 40))


def test_the_sequence_tells_what_is_missing() -> None:
    numbers = [i for i in range(600) if i % 100 not in (50, 51, 52, 70)]
    packets = [packet(frame(i, i), i * 0.01) for i in numbers]
    block = decoded(packets, rate_hz=100)
    assert raw_of(block) == numbers
    assert np.diff(block.t_s) == pytest.approx(np.diff(numbers) * 0.01, abs=1e-3)


@pytest.mark.parametrize("lost", [16, 32, 20])
def test_whole_turns_are_told_by_the_arrivals(lost: int) -> None:
    numbers = [i for i in range(600) if not 300 <= i < 300 + lost]
    block = decoded([packet(frame(i, i), i * 0.01) for i in numbers], rate_hz=100)
    assert np.diff(block.t_s).max() == pytest.approx(0.01 * (lost + 1), abs=0.002)


def test_a_silence_ends_the_frame_that_was_cut() -> None:
    before, after = stream(100), stream(100, start=6000)
    block = decoded([*before[:9], *after])
    assert raw_of(block) == [*range(60), *(i % 1024 for i in range(6000, 6100))]
    assert np.diff(block.t_s).max() == pytest.approx(5.94, abs=0.02)


def test_a_repeated_notification_is_refused_once() -> None:
    packets = stream(100)
    packets.insert(7, packets[6])
    assert raw_of(decoded(packets, errors=1)) == list(range(100))


def test_replies_between_the_frames_are_no_frames() -> None:
    state = bytes.fromhex("0002 0000 0000 0000 0000 0000 BC02 00 00 00".replace(" ", ""))
    state = state[:-1] + bytes((crc4(state),))
    packets = [packet(b"BITalino_v5.2\n"), packet(state, 0.1), *stream(40, start=500)]
    assert raw_of(decoded(packets)) == list(range(500, 540))


@pytest.mark.parametrize("size", [16, 17])
def test_frames_are_no_replies_though_one_crc_fits_their_notification(size: int) -> None:
    """One in sixteen of the notifications that are as long as a state; here at each place of the stream."""
    whole = b"".join(frame(i, i) for i in range(100))
    for at in range(60):
        pieces = (whole[:at], whole[at : at + size], whole[at + size :])
        assert raw_of(decoded([packet(piece) for piece in pieces if piece])) == list(range(100))


@pytest.mark.parametrize(
    ("payload", "uuid", "reason"),
    [(b"", FRAMES, "empty"), (b"\x01\x02\x03\x04\x05", FRAMES, "no frame"), (frame(0), "x", "unknown")],
)
def test_what_holds_no_frame_is_refused(payload: bytes, uuid: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(payload, uuid=uuid))


def test_what_the_command_characteristic_says_is_let_pass() -> None:
    assert DRIVER.decoder({}).feed(packet(b"BITalino_v5.2\n", uuid=COMMANDS)) == []


def test_an_unstated_rate_is_read_off_the_arrivals() -> None:
    packets = [packet(frame(i), i * 0.0101) for i in range(300)]
    assert decoded(packets, rate_hz=None).rate_hz == 100


@pytest.mark.parametrize(
    ("advert", "known"),
    [
        (Advert("BITalino BLE"), True),
        (Advert("my bitalino-31"), True),
        (Advert(None, ("c566488a-0882-4e1b-a6d0-0b717e652234",)), True),
        (Advert("MuscleBAN"), False),
        (Advert(), False),
    ],
)
def test_who_is_recognised(advert: Advert, known: bool) -> None:
    assert DRIVER.recognises(advert) is known


@pytest.mark.parametrize(("asked", "channels", "rate", "go"), [(1000, 1, "c3", "05"), (120, 6, "83", "fd")])
def test_start_is_stop_version_state_rate_go(asked: float, channels: int, rate: str, go: str) -> None:
    talk = Conversation(VirtualBitalino(streaming=True))
    granted = talk.carry_out(DRIVER.start({"rate_hz": asked, "channels": channels}))
    told = [s.payload.hex() if isinstance(s, Write) else s for s in talk.steps if isinstance(s, Write | Subscribe)]
    assert told == ["00", Subscribe(FRAMES), Subscribe(COMMANDS), "07", "0b", rate, go]
    assert (granted["firmware"], granted["battery_raw"], granted["channels"]) == ("5.2", 700, channels)


def test_old_firmware_has_no_state_and_silent_firmware_starts_all_the_same() -> None:
    for version, firmware in ((b"BITalino_v3.1\n", "3.1"), (b"", None)):
        granted = Conversation(VirtualBitalino(version=version)).carry_out(DRIVER.start(DRIVER.defaults))
        assert (granted["firmware"], granted["battery_raw"]) == (firmware, None)


def test_too_many_channels_are_refused_in_a_sentence() -> None:
    with pytest.raises(DeviceRefusedError, match="1 to 6 channels, not 7"):
        Conversation(VirtualBitalino()).carry_out(DRIVER.start({"channels": 7}))


def test_stop_is_stop_then_not_listening() -> None:
    talk = Conversation(VirtualBitalino())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.steps.clear()
    talk.carry_out(DRIVER.stop(granted))
    assert [s.payload.hex() for s in talk.steps if isinstance(s, Write)] == ["00"]
    assert [s.characteristic for s in talk.steps if isinstance(s, Unsubscribe)] == [FRAMES, COMMANDS]


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6])
def test_what_the_virtual_board_sends_is_decoded_as_it_was(channels: int) -> None:
    talk = Conversation(VirtualBitalino())
    granted = talk.carry_out(DRIVER.start({"rate_hz": 1000, "channels": channels}))
    given = list(at_rest(talk.sensor, talk.now_s, 3))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made, errors = decoder.feed_many(talk.packets)
    assert errors == []
    truth = np.concatenate([b.values for portion in given for b in portion])
    found = np.concatenate([b.values for b in made + decoder.finish()])
    assert len(truth) - len(found) in range(8)
    steps = FULL_UV / np.array([1024, 1024, 1024, 1024, 64, 64])[:channels]
    assert (np.abs(found - truth[: len(found), :channels]) <= 0.5001 * steps).all()
