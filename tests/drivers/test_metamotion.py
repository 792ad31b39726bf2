"""The MetaMotion decoder against the packets of the maker's own tests, and its times over wrap, loss and restart."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.devices.metamotion import DRIVER
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.metamotion_layout import NOTIFY
from drivers.recording.block_groups import joined
from drivers.virtual.conversation import Conversation
from drivers.virtual.metamotion import VirtualMetaMotion
from drivers.virtual.nonsense import at_rest

G = 9.80665
TICK_S = 48 / 32768
BATTERY_POINT = "00002a19-0000-1000-8000-00805f9b34fb"
PACKED_ACC = "62B7 530D E9FD 16D0 4D0E 5702 8AFF A105 0A01"
PACKED_ACC_G = [[-4.539, 0.833, -0.131], [-2.995, 0.894, 0.146], [-0.029, 0.352, 0.065]]
PACKED_GYR = "0915 AD26 08DE 8A1A 0D26 65E4 8D20 AC27 73EC"
PACKED_GYR_DEG_S = [[164.177, 301.860, -265.122], [207.134, 296.982, -215.457], [254.055, 309.634, -152.591]]

Key = tuple[Modality, str | None]


def packet(text: str, at_s: float = 0.0, uuid: str = NOTIFY) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, bytes.fromhex(text))


def decoded(packets: list[RawPacket], errors: int = 0, **stated: object) -> dict[Key, SampleBlock]:
    decoder = DRIVER.decoder({"rate_hz": 100} | stated)
    blocks, refused = decoder.feed_many(packets)
    assert len(refused) == errors, [error.reason for error in refused]
    found: dict[Key, SampleBlock] = {}
    for block in blocks + decoder.finish():
        key = (block.modality, block.stream)
        found[key] = joined(found[key], block) if key in found else block
    return found


@pytest.mark.parametrize("register", ["1C", "05"])
def test_packed_acceleration_of_both_chips(register: str) -> None:
    block = decoded([packet(f"03{register} {PACKED_ACC}")], acc_range_g=8)[Modality.ACC, None]
    assert block.values / G == pytest.approx(np.array(PACKED_ACC_G), abs=6e-4)
    assert block.t_s == pytest.approx([0, 0.01, 0.02])


@pytest.mark.parametrize("register", ["07", "05"])
def test_packed_rotation_of_both_chips(register: str) -> None:
    block = decoded([packet(f"13{register} {PACKED_GYR}")], gyr_range_deg_s=1000)[Modality.GYR, None]
    assert np.degrees(block.values) == pytest.approx(np.array(PACKED_GYR_DEG_S), abs=6e-4)


@pytest.mark.parametrize("register", ["05", "04"])
def test_single_rotation_of_both_chips(register: str) -> None:
    block = decoded([packet(f"13{register} 3E43 FF7F 0080")], gyr_range_deg_s=500)[Modality.GYR, None]
    assert np.degrees(block.values[0]) == pytest.approx([262.409, 499.497, -499.512], abs=6e-4)


@pytest.mark.parametrize(("range_g", "steps"), [(2, 16384), (4, 8192), (8, 4096), (16, 2048)])
def test_single_acceleration_scales_with_the_range_that_was_asked_for(range_g: float, steps: int) -> None:
    block = decoded([packet("0304 E1B3 A124 B12E")], acc_range_g=range_g)[Modality.ACC, None]
    assert block.values[0] == pytest.approx(np.array([-19487, 9377, 11953]) * G / steps)


def test_magnetic_field_temperature_and_battery() -> None:
    found = decoded([
        packet("1505 4EF0 530A 7504"), packet("0481 00 0001", 0.1), packet("0481 01 AC00", 0.2),
        packet("118C 63 3410", 0.3), packet("46", 0.4, BATTERY_POINT),
    ])  # fmt: skip
    assert found[Modality.MAG, None].values.tolist() == [[-251.125, 165.1875, 71.3125]]
    assert found[Modality.TEMP, "0"].values.tolist() == [[32.0]]
    assert found[Modality.TEMP, "1"].values.tolist() == [[21.5]]
    assert found[Modality.BATTERY, None].values.tolist() == [[99.0]]
    assert found[Modality.BATTERY, "standard"].values.tolist() == [[70.0]]


def test_what_the_board_fuses_is_told_from_what_it_measures() -> None:
    found = decoded([
        packet("1904 203E53C5 0CFE7946 0CFE79C6 00"), packet("1905 7A569142 B46260C2 73340444 00"),
        packet("1906 00000242 CDCC6CC1 9A99ED41 03"), packet("1907 1B9B703F 8C5E4DBD 077F1DBE 78029ABE"),
        packet("1908 B1F9C541 44B9F1C2 1A2F04C2 B1F9C541"), packet("1909 EE20D33E B2930141 0459B0C0"),
        packet("190A 2FCA3940 86D46141 804C6EC0"), packet(f"031C {PACKED_ACC}"),
    ])  # fmt: skip
    assert found[Modality.ACC, "fusion"].values[0] / G == pytest.approx([-3.3799, 15.9995, -15.9995], abs=1e-4)
    assert np.degrees(found[Modality.GYR, "fusion"].values[0]) == pytest.approx([72.669, -56.096, 528.820], abs=1e-3)
    assert found[Modality.MAG, "fusion"].values[0] == pytest.approx([32.5, -14.8, 29.7], abs=1e-3)
    assert found[Modality.QUAT, None].values[0] == pytest.approx([0.940, -0.050, -0.154, -0.301], abs=1e-3)
    euler = found[Modality.EULER, None]
    assert euler.channels == ("roll", "pitch", "yaw")
    assert np.degrees(euler.values[0]) == pytest.approx([-33.046, -120.862, 24.747], abs=1e-3)
    assert found[Modality.FREE_ACC, None].values[0] / G == pytest.approx([0.296, 1.439, -0.380], abs=1e-3)
    assert len(found[Modality.ACC, None]) == 3
    assert len(found) == 7


def test_time_of_packed_packets_follows_the_rate_and_a_lost_link_is_a_gap() -> None:
    packets = [packet(f"031C {PACKED_ACC}", 0.03 * i) for i in range(400) if not 200 <= i < 300]
    t_s = decoded(packets)[Modality.ACC, None].t_s
    assert np.diff(t_s).max() == pytest.approx(3.01, abs=0.03)
    assert t_s[:6] == pytest.approx(np.arange(6) / 100, abs=1e-6)
    assert len(t_s) == 900


def test_an_unstated_rate_is_read_off_the_arrivals() -> None:
    block = decoded([packet(f"031C {PACKED_ACC}", 0.0602 * i) for i in range(30)], rate_hz=None)[Modality.ACC, None]
    assert block.rate_hz == 50


# --- packets that the board stamps

STAMPED = (
    "A6330D00 C100B12419CD", "AD330D00 D4001825C0CC", "B4330D00 C7000925B2CC", "BA330D00 C5001725BCCC",
    "C1330D00 D400E924E4CC", "C8330D00 AF00F724E3CC",
)  # fmt: skip


def test_single_samples_with_the_board_s_clock() -> None:
    """The maker's own test: a sample each 7, 7, 6, 7, 7 ticks. Nobody says that it is a clock."""
    packets = [packet("090200"), *(packet(f"090300 {text}", 0.01 * i) for i, text in enumerate(STAMPED))]
    block = decoded(packets, acc_range_g=2)[Modality.ACC, None]
    assert block.values[0] / G == pytest.approx([0.0118, 0.573, -0.795], abs=6e-4)
    assert block.t_s == pytest.approx(np.cumsum([0, 7, 7, 6, 7, 7]) * TICK_S, abs=1e-6)


def test_pairs_with_a_running_number() -> None:
    """The maker's own packet: two samples behind number 141. One packet that is missing leaves its two samples out."""
    body = "4EFF 35FD 7907 4DFF 35FD 7D07"
    packets = [packet(f"0902{i:02x}") for i in range(3)]
    packets += [packet(f"090301 {number:02x}000000 {body}", 0.02 * i) for i, number in enumerate((141, 142, 144, 145))]
    block = decoded(packets, acc_range_g=16)[Modality.ACC, None]
    assert block.values[0] == pytest.approx(np.array([-178, -715, 1913]) * G / 2048)
    assert block.t_s == pytest.approx(np.array([0, 1, 2, 3, 6, 7, 8, 9]) / 100)


def test_repeated_and_late_numbers_are_refused_and_one_of_another_processor_is_not_missed() -> None:
    def numbered(*numbers: int) -> list[RawPacket]:
        return [packet(f"090300 {n.to_bytes(4, 'little').hex()} 000000000008", 0.01 * i) for i, n in enumerate(numbers)]

    told = [packet("090200")]
    assert len(decoded(told + numbered(7, 8, 8, 10, 9, 11), 2)[Modality.ACC, None]) == 4
    assert len(decoded(told + numbered(7, 8, 8, 10, 9, 11), 2, accounter="count")[Modality.ACC, None]) == 4
    turned = decoded(told + numbered((1 << 32) - 2, (1 << 32) - 1, 0, 1), accounter="count")
    assert turned[Modality.ACC, None].t_s == pytest.approx([0, 0.01, 0.02, 0.03])
    later = [packet("090200", 0.05), *(packet(p.payload.hex(), 0.06 + 0.01 * i) for i, p in enumerate(numbered(0, 1)))]
    again = decoded([*told, *numbered(50, 51, 52, 53, 54), *later], accounter="count")
    assert again[Modality.ACC, None].t_s == pytest.approx(np.arange(7) / 100)


def pair(sensor: int, number: int, clock_s: float, arrival_s: float | None = None, start_ticks: int = 0) -> RawPacket:
    """Two samples at 50 Hz, the second at `clock_s`; told by their x."""
    ticks = (start_ticks + int(clock_s / TICK_S)) % (1 << 32)
    samples = b"".join((2 * number + i).to_bytes(2, "little") + bytes(4) for i in (0, 1))
    payload = bytes((9, 3, 2 * sensor + 1)) + ticks.to_bytes(4, "little") + samples
    return RawPacket(round((clock_s if arrival_s is None else arrival_s) * 1e9), NOTIFY, payload)


MADE = [packet(f"0902{i:02x}") for i in range(4)]
OWN = {"rate_hz": 50, "acc_range_g": 8, "gyr_range_deg_s": 2000, "accounter": "time"}


def times(*packets: RawPacket, errors: int = 0) -> np.ndarray:
    return decoded([*MADE, *packets], errors, **OWN)[Modality.ACC, None].t_s


def test_both_sensors_share_the_board_s_clock() -> None:
    packets = [p for i in range(50) for p in (pair(1, i, 1 + 0.04 * i), pair(0, i, 1.005 + 0.04 * i))]
    found = decoded([*MADE, *packets], **OWN)
    assert found[Modality.GYR, None].t_s[0] == 0
    assert found[Modality.ACC, None].t_s - found[Modality.GYR, None].t_s == pytest.approx(0.005, abs=0.003)
    assert found[Modality.ACC, None].values[:, 0] == pytest.approx(np.arange(100) * G / 4096)


def test_the_clock_wraps_without_a_trace() -> None:
    start = (1 << 32) - int(1 / TICK_S)
    t_s = times(*(pair(0, i, 0.04 * i, start_ticks=start) for i in range(100)))
    assert t_s == pytest.approx(np.arange(200) / 50, abs=0.003)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.booleans(), min_size=4, max_size=60))
def test_loss_leaves_the_others_at_their_times(kept: list[bool]) -> None:
    kept[:2] = [True, True]
    t_s = times(*(pair(0, i, 0.04 * i) for i, stays in enumerate(kept) if stays))
    truth = (np.arange(2 * len(kept)) / 50).reshape(-1, 2)[np.array(kept)].ravel()
    assert t_s == pytest.approx(truth, abs=0.004)


def test_a_gap_longer_than_the_radio_holds_is_right_by_the_board_s_clock() -> None:
    before = [pair(0, i, 0.04 * i) for i in range(25)]
    after = [pair(0, 25 + i, 7200 + 0.04 * i, 7200.5 + 0.04 * i) for i in range(25)]
    assert np.diff(times(*before, *after)).max() == pytest.approx(7200 - 24 * 0.04 - 0.02, abs=0.003)


def test_a_restart_is_bridged_by_the_host_s_clock() -> None:
    before = [pair(0, i, 500 + 0.04 * i) for i in range(50)]
    after = [pair(0, i, 2 + 0.04 * i, 510 + 0.04 * i) for i in range(50)]
    t_s = times(*before, *MADE, *after)
    assert len(t_s) == 200
    assert np.diff(t_s).max() == pytest.approx(510 - 501.96 - 0.02, abs=0.003)


def test_repeated_and_late_packets_are_refused() -> None:
    packets = [pair(0, i, 0.04 * i) for i in range(8)]
    order = [packets[i] for i in (0, 1, 1, 2, 4, 3, 2, 5, 6, 7)]
    t_s = times(*order, errors=3)
    assert len(t_s) == 14
    assert np.diff(t_s).max() == pytest.approx(0.06, abs=0.003)


def test_plain_packets_beside_stamped_ones_are_a_stream_of_their_own() -> None:
    packets = [pair(0, i, 0.04 * i) for i in range(8)] + [packet(f"031C {PACKED_ACC}", 0.3)]
    found = decoded([*MADE, *packets], **OWN)
    assert (len(found[Modality.ACC, None]), len(found[Modality.ACC, "plain"])) == (16, 3)


@pytest.mark.parametrize(
    ("text", "uuid", "reason"),
    [
        ("", NOTIFY, "truncated"),
        ("03", NOTIFY, "truncated"),
        ("0304 0000", NOTIFY, "unknown register or size"),
        ("0399", NOTIFY, ""),
        ("AA01", NOTIFY, "unknown module"),
        ("118C 65 0000", NOTIFY, "above 100"),
        ("118C 63", NOTIFY, "unknown register or size"),
        ("0481 00", NOTIFY, "unknown register or size"),
        ("1907 0000C07F 00000000 00000000 00000000", NOTIFY, "a number that is none"),
        ("090309 00000000 000000000000", NOTIFY, "nobody asked for"),
        ("0304 000000000000", "x", "unknown characteristic"),
        ("65", BATTERY_POINT, "above 100"),
    ],
)
def test_what_is_none_of_these_is_refused(text: str, uuid: str, reason: str) -> None:
    decoder = DRIVER.decoder({})
    if not reason:
        assert decoder.feed(packet(text, uuid=uuid)) == []
        return
    with pytest.raises(PacketError, match=reason):
        decoder.feed(packet(text, uuid=uuid))


@pytest.mark.parametrize("odd", [None, "8", True, float("nan"), -3, 1e9, [1]])
def test_settings_that_make_no_sense_do_no_harm(odd: object) -> None:
    decoder = DRIVER.decoder({"rate_hz": odd, "acc_range_g": odd, "gyr_range_deg_s": odd, "accounter": odd})
    blocks = decoder.feed_many([packet(f"031C {PACKED_ACC}")])[0] + decoder.finish()
    assert [len(block) for block in blocks] == [3]


@pytest.mark.parametrize("newer", [False, True])
@pytest.mark.parametrize(("rate_hz", "processors"), [(50, 28), (50, 3), (100, 28), (25, 0), (200, 28)])
def test_what_the_virtual_board_sends_is_decoded_to_its_own_quantisation(
    newer: bool, rate_hz: float, processors: int
) -> None:
    talk = Conversation(VirtualMetaMotion(newer=newer, processors=processors, clock_start_ticks=(1 << 32) - 3000))
    granted = talk.carry_out(DRIVER.start({"rate_hz": rate_hz, "acc_range_g": 4, "gyr_range_deg_s": 500}))
    assert (granted["accounter"] == "time") is (rate_hz <= 50 and processors > 3)
    given = list(at_rest(talk.sensor, talk.now_s, 12))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made, errors = decoder.feed_many(talk.packets)
    made += decoder.finish()
    assert errors == []
    for kind, step in ((Modality.ACC, 4 * G / 32768), (Modality.GYR, radians(1) / 65.6)):
        truth = np.concatenate([b.values for portion in given for b in portion if b.modality is kind])
        found = np.concatenate([b.values for b in made if b.modality is kind])
        t_s = np.concatenate([b.t_s for b in made if b.modality is kind])
        assert found == pytest.approx(truth[: len(found)], abs=0.501 * step)
        assert len(truth) - len(found) < 3
        assert t_s == pytest.approx(np.arange(len(t_s)) / rate_hz, abs=0.004)
