"""The Polar decoder against bytes written by hand from the sheet."""

from __future__ import annotations

import struct
from math import radians

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.devices.polar_pmd import DRIVER, PolarPmdDecoder
from drivers.errors import PacketError
from drivers.packets import RawPacket

CP = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
HEART = "00002a37-0000-1000-8000-00805f9b34fb"
G = 9.80665
T0 = 780_000_000_000_000_000


def data(measurement: int, kind: int, content: str | bytes, stamp_ns: int = T0) -> RawPacket:
    body = bytes.fromhex(content) if isinstance(content, str) else content
    return RawPacket((stamp_ns - T0) % 10**18, DATA, struct.pack("<BQB", measurement, stamp_ns, kind) + body)


def control(text: str) -> RawPacket:
    return RawPacket(0, CP, bytes.fromhex(text))


def decoded(*packets: RawPacket, rate_hz: float | None = 52) -> list[SampleBlock]:
    """Every packet alone, then what was held back."""
    decoder = DRIVER.decoder({"rate_hz": rate_hz})
    blocks = [block for packet in packets for block in decoder.feed(packet)]
    return blocks + decoder.finish()


def values(*packets: RawPacket) -> list[list[float]]:
    return [row for block in decoded(*packets) for row in block.values.tolist()]


def close(*rows: tuple[float, ...]) -> object:
    return [pytest.approx(row, rel=1e-12, abs=1e-12) for row in rows]


# --- raw frames


def test_raw_type_0_holds_8_bit_milli_g() -> None:
    assert values(data(2, 0, "01FF7F 800000")) == close((0.001 * G, -0.001 * G, 0.127 * G), (-0.128 * G, 0.0, 0.0))


def test_raw_type_1_holds_16_bit_milli_g_little_endian() -> None:
    """The sheet: `45 FF` is -187, whatever the vendor's document prints."""
    assert values(data(2, 1, "45FF E803 0080")) == close((-0.187 * G, G, -32.768 * G))


def test_raw_type_2_holds_24_bit_milli_g() -> None:
    assert values(data(2, 2, "E80300 FFFFFF 000080")) == close((G, -0.001 * G, -8388.608 * G))


# --- compressed frames

# Reference 100, -2, 0; one block of two samples at 3 bits: (1, -1, 2), (-4, 3, 0).
# Bits, least significant first: 100 111 010 | 001 110 000 -> 10011101 00011100 00 -> B9 38 00
THREE_BITS = "6400 FEFF 0000  03 02 B93800"
THREE_BITS_VALUES = [(100, -2, 0), (101, -3, 2), (97, 0, 2)]


def test_deltas_are_packed_least_significant_bit_first_and_add_up() -> None:
    rows = [tuple(v * G / 1000 for v in row) for row in THREE_BITS_VALUES]
    assert values(data(2, 0x81, THREE_BITS)) == close(*rows)


def test_compressed_type_0_is_g_times_the_factor_of_the_start_answer() -> None:
    factor = struct.unpack("<f", bytes.fromhex("40DA7F39"))[0]
    rows = [tuple(v * factor * G for v in row) for row in THREE_BITS_VALUES]
    assert values(control("F00202000005 01 40DA7F39"), data(2, 0x80, THREE_BITS)) == close(*rows)


def test_a_factor_belongs_to_its_measurement_and_may_be_absent() -> None:
    """Newer firmware states none: the factor is one. The accelerometer's is not the gyro's."""
    started = (control("F002020000 0501 40DA7F39"), control("F002050000"))
    rows = [tuple(radians(v) for v in row) for row in THREE_BITS_VALUES]
    assert values(*started, data(5, 0x80, THREE_BITS)) == close(*rows)


def test_a_lone_byte_in_a_start_answer_is_reserved() -> None:
    assert values(control("F0020200 00 01"), data(2, 1, "E803 0000 0000")) == close((G, 0, 0))


def test_an_answer_may_come_in_parts() -> None:
    """`more` is set: the bytes from index 5 of the next indication go on."""
    parts = (control("F002020001 0501 40DA"), control("F002020000 7F39"))
    factor = struct.unpack("<f", bytes.fromhex("40DA7F39"))[0]
    assert values(*parts, data(2, 0x80, "0100 0000 0000")) == close((factor * G, 0, 0))


def test_a_new_start_without_a_factor_forgets_the_old_one() -> None:
    started = (control("F002020000 0501 40DA7F39"), control("F002020000"))
    assert values(*started, data(2, 0x80, "0100 0000 0000")) == close((G, 0, 0))


@pytest.mark.parametrize(
    "text",
    [
        "0F6E02" + "00" * 14,
        "F0020206",
        "F00202000001",
        "0102",
        "0105 02",
        "F005000000 024506",
        "F00302000000",
    ],
)
def test_what_a_control_point_may_say_is_never_an_error(text: str) -> None:
    assert decoded(control(text)) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("F00202", "truncated"),
        ("77", "unknown control point"),
        ("F002020000 0501 40DA", "truncated settings"),
        ("F002020000 09010203", "settings list"),
        ("F002020000 0501 0000C07F", "factor out of range"),
        ("F002020000 0501 00000000", "factor out of range"),
    ],
)
def test_a_control_point_answer_that_cannot_be_read_is_refused(text: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        decoded(control(text))


def test_several_blocks_go_on_from_each_other() -> None:
    """The reference is not repeated: +1 three times in two blocks of 8 bits."""
    frame = data(2, 0x81, "0000 0000 0000  08 02 010000 010000  08 01 010000")
    assert values(frame) == close(*[(v * G / 1000, 0, 0) for v in (0, 1, 2, 3)])


def test_a_delta_of_no_bits_is_zero() -> None:
    assert values(data(2, 0x81, "0500 0000 0000  00 03")) == close(*[(0.005 * G, 0, 0)] * 4)


def test_a_delta_may_have_32_bits() -> None:
    frame = data(2, 0x81, "0000 0000 0000  20 01 FFFFFFFF E8030000 00000080")
    assert values(frame)[1] == pytest.approx([-G / 1000, G, -(2**31) * G / 1000])


def test_float_bit_patterns_wrap_around_at_32_bits() -> None:
    """From -1.0 (BF800000) to 1.0 (3F800000) is 2**31, which as a delta is -2**31."""
    minus_one, one = struct.pack("<f", -1.0), struct.pack("<f", 1.0)
    delta = struct.pack("<i", -(2**31))
    frame = data(5, 0x81, minus_one + one + minus_one + b"\x20\x01" + delta + bytes(4) + delta)
    assert values(frame) == close((radians(-1), radians(1), radians(-1)), (radians(1), radians(1), radians(1)))


def test_a_float_that_is_no_number_is_refused() -> None:
    for bad in ("nan", "inf", "-inf"):
        with pytest.raises(PacketError, match="not a number"):
            decoded(data(5, 0x81, struct.pack("<fff", 0.0, float(bad), 0.0)))


def test_magnetometer_type_0_is_gauss_times_factor() -> None:
    block = decoded(data(6, 0x80, "0200 0000 FFFF"), rate_hz=None)[0]
    assert block.modality is Modality.MAG
    assert block.values.tolist() == close((200.0, 0.0, -100.0))


def test_the_fourth_magnetometer_channel_is_its_calibration_and_dropped() -> None:
    block = decoded(data(6, 0x81, "E803 0000 18FC 0300  04 01 1112"), rate_hz=None)[0]
    assert block.values.tolist() == close((100.0, 0.0, -100.0), (100.1, 0.1, -99.8))


def test_ppg_frames_have_four_channels_of_three_bytes() -> None:
    block = decoded(data(1, 0x80, "010000 FFFFFF 000001 000080  0A 00"), rate_hz=None)[0]
    assert (block.modality, block.unit) == (Modality.PPG, "1")
    assert block.values.tolist() == [[1.0, -1.0, 65536.0, -8388608.0]]


def test_the_published_size_of_a_ppg_frame_fits() -> None:
    """219 bytes: 10 header, 12 reference, one block of 39 deltas at 10 bits, nothing left over."""
    content = bytes(12) + b"\x0a\x27" + bytes(195)
    assert len(content) + 10 == 219
    assert len(decoded(data(1, 0x80, content), rate_hz=None)[0]) == 40


@pytest.mark.parametrize(
    ("packet", "reason"),
    [
        (data(0, 0, "000000"), "ECG"),
        (data(3, 0, "000000000000"), "PPI"),
        (data(2, 3, "000000"), "raw frame type 3 of ACC"),
        (data(2, 0x82, "000000000000"), "compressed frame type 2 of ACC"),
        (data(5, 0, "000000000000"), "raw frame type 0 of GYRO"),
        (data(63, 0, "00"), "unknown measurement type 63"),
        (data(2, 1, ""), "without samples"),
        (data(2, 1, "0000000000"), "truncated"),
        (data(2, 0x81, "0000000000"), "truncated"),
        (data(2, 0x81, "000000000000 08"), "truncated"),
        (data(2, 0x81, "000000000000 08 01 0102"), "truncated"),
        (data(2, 0x81, "000000000000 21 01" + "00" * 20), "more than 32 bits"),
        (data(2, 0x81, "000000000000" + "00FF" * 100), "more samples"),
        (RawPacket(0, DATA, b"\x02\x00"), "truncated"),
        (RawPacket(0, DATA, b""), "truncated"),
        (data(2, 1, "000000000000", (1 << 64) - 1), "impossible time"),
        (RawPacket(0, "0000ffff-0000-1000-8000-00805f9b34fb", b"\x01"), "unknown characteristic"),
        (RawPacket(0, BATTERY, b"\x65"), "above 100"),
        (RawPacket(0, BATTERY, b""), "not one byte"),
        (RawPacket(0, HEART, b"\x01\x50"), "truncated heart rate"),
        (RawPacket(0, HEART, b""), "empty heart rate"),
    ],
)
def test_what_the_sheet_does_not_allow_is_refused(packet: RawPacket, reason: str) -> None:
    with pytest.raises(PacketError, match=reason) as caught:
        PolarPmdDecoder({}).feed(packet)
    assert (caught.value.characteristic, caught.value.payload) == (packet.characteristic, packet.payload)


def test_a_refused_packet_costs_nothing_else() -> None:
    good = [data(2, 1, "E803 0000 0000", T0 + i * 20_000_000) for i in range(4)]
    bad = data(2, 0x81, "00", T0 + 30_000_000)
    blocks, errors = PolarPmdDecoder({"rate_hz": 50}).feed_many([*good[:2], bad, *good[2:]])
    assert [error.payload for error in errors] == [bad.payload]
    assert np.concatenate([block.t_s for block in blocks]) == pytest.approx([0, 0.02, 0.04, 0.06])


# --- battery and heart rate


def test_battery_and_heart_rate_follow_the_host_s_clock_from_the_first_sample() -> None:
    blocks = decoded(
        data(2, 1, "E80300000000" * 2),
        RawPacket(1_000_000_000, BATTERY, b"\x57"),
        RawPacket(2_000_000_000, HEART, b"\x00\x48"),
        RawPacket(3_000_000_000, HEART, bytes.fromhex("19 4801 1000 0004")),
        rate_hz=50,
    )
    battery, heart = blocks[1], blocks[2:]
    assert (battery.unit, battery.values.tolist()) == ("percent", [[87.0]])
    assert battery.t_s.tolist() == pytest.approx([1.02])
    assert [block.values.tolist() for block in heart] == [[[72.0]], [[328.0]]]


def test_battery_alone_starts_at_its_own_first_packet() -> None:
    block = decoded(RawPacket(5_000_000_000, BATTERY, b"\x01"), RawPacket(7_000_000_000, BATTERY, b"\x02"))[0]
    assert block.t_s.tolist() == [0.0, 2.0]


# --- times


def raw(count: int, stamp_ns: int) -> RawPacket:
    return data(2, 1, bytes(6 * count), stamp_ns)


def times(*packets: RawPacket, rate_hz: float | None = None) -> list[float]:
    return [t for block in decoded(*packets, rate_hz=rate_hz) for t in block.t_s.tolist()]


def test_the_stamp_is_the_last_sample_s() -> None:
    """With a known rate the first frame lies backward from its stamp; its first sample is the zero."""
    assert times(raw(3, T0), rate_hz=50) == pytest.approx([0, 0.02, 0.04])


def test_the_first_frame_waits_for_the_second_where_no_rate_is_stated() -> None:
    decoder = PolarPmdDecoder({})
    assert decoder.feed(raw(2, T0)) == []
    block = decoder.feed(raw(4, T0 + 40_000_000))[0]
    assert block.t_s == pytest.approx([0, 0.01, 0.02, 0.03, 0.04, 0.05])
    assert block.rate_hz is None


def test_a_lone_frame_gets_the_device_s_usual_rate_in_the_end() -> None:
    assert times(data(2, 0x81, THREE_BITS)) == pytest.approx([0, 1 / 52, 2 / 52])


def test_streams_share_one_zero() -> None:
    """The gyro's first frame ends 10 ms after the accelerometer's."""
    blocks = decoded(raw(2, T0), data(5, 0x80, "000000000000", T0 + 10_000_000), rate_hz=50)
    assert [block.t_s.tolist() for block in blocks] == [pytest.approx([0, 0.02]), pytest.approx([0.03])]


def test_a_stream_that_is_ready_waits_for_the_zero_but_not_for_ever() -> None:
    """ACC's one frame sets the zero, at its usual rate once eight of the gyro's wait for it."""
    decoder = PolarPmdDecoder({})
    decoder.feed(data(2, 0x81, THREE_BITS))
    made = [decoder.feed(data(5, 0x80, "000000000000", T0 + i * 20_000_000 + 5_000_000)) for i in range(10)]
    assert [len(blocks) for blocks in made] == [0] * 7 + [2, 1, 1]
    assert made[7][0].t_s == pytest.approx([0, 1 / 52, 2 / 52])
    assert made[7][1].t_s == pytest.approx(2 / 52 + 0.005 + 0.02 * np.arange(8))


def test_frames_normally_share_out_the_time_since_the_one_before() -> None:
    assert times(raw(2, T0), raw(2, T0 + 41_000_000), rate_hz=50) == pytest.approx([0, 0.02, 0.0405, 0.061])


PERIOD_NS = 20_000_000


def stream(*counts: int) -> list[RawPacket]:
    """Frames of a 50 Hz sensor."""
    ends = np.cumsum(counts) - 1
    return [raw(count, T0 + int(end) * PERIOD_NS) for count, end in zip(counts, ends, strict=True)]


@pytest.mark.parametrize("rate_hz", [50, None])
@pytest.mark.parametrize("counts", [(36,) * 8, (71, 20, 130, 20, 64, 130, 21, 90), (1,) * 8])
def test_a_lost_frame_leaves_a_gap_and_the_others_their_times(counts: tuple[int, ...], rate_hz: float | None) -> None:
    for lost in range(3, 8):
        frames = stream(*counts)
        starts = np.cumsum(counts) - counts
        kept = [i for i in range(8) if i != lost]
        truth = np.concatenate([np.arange(starts[i], starts[i] + counts[i]) for i in kept]) * 0.02
        assert times(*(frames[i] for i in kept), rate_hz=rate_hz) == pytest.approx(truth, abs=1e-9)


def test_a_rate_stated_wrongly_is_found_out() -> None:
    """26 Hz was asked for, the frames say 50: after the first few they are believed."""
    found = times(*stream(*(36,) * 20), rate_hz=26)
    assert np.diff(found)[36:] == pytest.approx(0.02)


def test_a_frame_that_comes_twice_is_dropped() -> None:
    """At once or after others: its samples were counted."""
    first, second, third = stream(4, 4, 4)
    decoder = PolarPmdDecoder({"rate_hz": 50})
    for packet, repeated in ((first, [first]), (second, [second, first]), (third, [first, second, third])):
        assert len(decoder.feed(packet)[0]) == 4
        for again in repeated:
            with pytest.raises(PacketError) as caught:
                decoder.feed(again)
            assert caught.value.reason == "duplicate"
    assert decoder.feed(raw(4, T0 + 15 * PERIOD_NS))[0].t_s == pytest.approx([0.24, 0.26, 0.28, 0.30])


def test_a_frame_that_comes_late_is_refused_and_leaves_a_gap() -> None:
    first, second, third, fourth = stream(4, 4, 4, 4)
    blocks, errors = PolarPmdDecoder({"rate_hz": 50}).feed_many([first, third, second, fourth])
    assert [error.reason for error in errors] == ["out of order"]
    assert blocks[0].t_s == pytest.approx(np.array([0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15]) * 0.02)


@pytest.mark.parametrize("jump_ns", [-(10**17), -11_000_000_000, 10**17])
def test_a_clock_that_is_set_is_bridged_by_the_host_s(jump_ns: int) -> None:
    """Both streams of the sensor go on, still aligned with each other."""
    packets = []
    for i in range(10):
        jump = jump_ns if i > 4 else 0
        for measurement, late in ((2, 0), (5, 7_000_000)):
            stamp = T0 + i * 80_000_000 + late
            payload = data(measurement, 0x80, "000000000000 00 03", stamp + jump).payload
            packets.append(RawPacket(stamp - T0, DATA, payload))
    blocks, errors = PolarPmdDecoder({"rate_hz": 50}).feed_many(packets)
    assert errors == []
    acc, gyr = blocks
    assert acc.t_s == pytest.approx(np.arange(40) * 0.02)
    assert gyr.t_s == pytest.approx(np.arange(40) * 0.02 + 0.007)


def test_a_night_without_the_sensor_is_a_gap() -> None:
    night_ns = 8 * 3600 * 10**9
    found = times(raw(2, T0), raw(2, T0 + 40_000_000), raw(2, T0 + night_ns), rate_hz=50)
    assert found[-1] - found[3] == pytest.approx(8 * 3600 - 0.04)


def test_the_decoder_knows_its_zero_on_the_host_s_clock() -> None:
    decoder = PolarPmdDecoder({"rate_hz": 50})
    assert decoder.zero_arrival_ns is None
    decoder.feed(RawPacket(10**12, DATA, raw(51, T0).payload))
    assert decoder.zero_arrival_ns == 10**12 - 10**9
