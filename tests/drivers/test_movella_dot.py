"""The DOT decoder and scripts against bytes written by hand from the maker's specification."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from math import pi, radians

import numpy as np
import pytest

from analysis.samples import Modality, SampleBlock
from drivers.devices.movella_dot import DRIVER, check_message
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.dot_modes import MODES, angular_rate
from drivers.protocols.dot_session import BATTERY, CONTROL, DEVICE_CONTROL, HEADING, MESSAGES, PAYLOAD, REPORT
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Subscribe, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.movella_dot import VirtualMovellaDot
from drivers.virtual.nonsense import at_rest

ACC, GYR, MAG, QUAT = Modality.ACC, Modality.GYR, Modality.MAG, Modality.QUAT
EULER, FREE_ACC = Modality.EULER, Modality.FREE_ACC
PERIOD_US = 16667
SIZES = {
    2: 36, 3: 32, 4: 16, 5: 20, 6: 16, 7: 32, 16: 28, 18: 38, 19: 32, 20: 34, 21: 28, 22: 40, 23: 34, 24: 32, 26: 44,
}  # fmt: skip
"""Bytes of each open mode, from the specification's table."""
PADDED = {"short": 20, "medium": 40, "long": 63}

Q, E, F, A, G = (0.5, -0.5, 0.5, -0.5), (90.0, -45.0, 180.0), (0.1, 0.2, -0.3), (0.0, 0.0, 9.8125), (10.0, 0.0, -20.0)
T, V, M = (1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 0.1640625), (4096, -2048, 0)
TRUE = {
    QUAT: list(Q), EULER: [pi / 2, -pi / 4, pi], FREE_ACC: list(F), ACC: list(A), MAG: [40.0, -20.0, 0.0],
    GYR: [radians(10), 0.0, radians(-20)],
}  # fmt: skip
BODIES: Mapping[int, tuple[bytes, set[Modality]]] = {
    2: (struct.pack("<4f3fHBB", *Q, *F, 0x0201, 1, 0), {QUAT, FREE_ACC}),
    3: (struct.pack("<4f3f", *Q, *F), {QUAT, FREE_ACC}),
    4: (struct.pack("<3f", *E), {EULER}),
    5: (struct.pack("<4f", *Q), {QUAT}),
    6: (struct.pack("<3f", *F), {FREE_ACC}),
    7: (struct.pack("<3f3fHBB", *E, *F, 0, 0, 0), {EULER, FREE_ACC}),
    16: (struct.pack("<3f3f", *E, *F), {EULER, FREE_ACC}),
    20: (struct.pack("<3f3f3h", *A, *G, *M), {ACC, GYR, MAG}),
    21: (struct.pack("<3f3f", *A, *G), {ACC, GYR}),
    22: (struct.pack("<3f3f3f", *E, *F, *G), {EULER, FREE_ACC, GYR}),
    23: (struct.pack("<3f3f3h", *E, *F, *M), {EULER, FREE_ACC, MAG}),
    24: (struct.pack("<4f3f", *Q, *G), {QUAT, GYR}),
    26: (struct.pack("<4f3f3f", *Q, *A, *G), {QUAT, ACC, GYR}),
}


def payload(mode: int, body: bytes, stamp_us: int = 0, at_s: float = 0.0, *, padded: bool = True) -> RawPacket:
    size = PADDED[MODES[mode].payload] if padded else 0
    whole = (struct.pack("<I", stamp_us % 2**32) + body).ljust(size, b"\0")
    return RawPacket(round(at_s * 1e9), PAYLOAD[MODES[mode].payload], whole)


def decoded(
    packets: Sequence[RawPacket], mode: int = 21, errors: Sequence[str] = (), rate_hz: float | None = 60
) -> dict[Modality, SampleBlock]:
    decoder = DRIVER.decoder({"mode": mode, "rate_hz": rate_hz})
    blocks, refused = decoder.feed_many(packets)
    assert [error.reason for error in refused] == list(errors)
    found: dict[Modality, SampleBlock] = {}
    for block in blocks + decoder.finish():
        found[block.modality] = joined(found[block.modality], block) if block.modality in found else block
    return found


def stream(numbers: Sequence[int], start_us: int = 0, start_s: float = 0.0) -> list[RawPacket]:
    """Packets of mode 21 whose acc x is their number."""
    return [
        payload(21, struct.pack("<6f", n, 0, 0, 0, 0, 0), start_us + n * PERIOD_US, start_s + n * PERIOD_US / 1e6)
        for n in numbers
    ]


@pytest.mark.parametrize("mode", BODIES)
@pytest.mark.parametrize("padded", [True, False])
def test_every_field_of_every_open_mode(mode: int, padded: bool) -> None:
    body, measured = BODIES[mode]
    found = decoded([payload(mode, body, padded=padded)], mode)
    assert set(found) == measured
    for modality in measured:
        assert found[modality].values.tolist() == [pytest.approx(TRUE[modality], rel=1e-6)], modality
        assert found[modality].t_s.tolist() == [0.0]
    if QUAT in found:
        assert found[QUAT].channels == ("w", "x", "y", "z")


@pytest.mark.parametrize(("mode", "size"), SIZES.items())
def test_sizes_are_those_of_the_table(mode: int, size: int) -> None:
    assert MODES[mode].size == size
    with pytest.raises(PacketError, match="truncated"):
        DRIVER.decoder({"mode": mode}).feed(RawPacket(0, PAYLOAD[MODES[mode].payload], bytes(size - 1)))


def test_published_free_acceleration_is_padded_to_20_bytes_and_16667_us_apart() -> None:
    """Two notifications of a real sensor (protobioengineering/xsens-dot-python-examples at 3ddc1b2)."""
    texts = ["D8052244 AF964040 6B2AA740 5ADD14C0 00000000", "F3462244 0DA53C40 9C13A640 F01009C0 00000000"]
    found = decoded([RawPacket(0, PAYLOAD["short"], bytes.fromhex(text)) for text in texts], 6)
    expected = np.array([[3.009197, 5.223928, -2.3260102], [2.947574, 5.1898937, -2.1416588]])
    assert found[FREE_ACC].values == pytest.approx(expected, rel=1e-6)
    assert found[FREE_ACC].t_s.tolist() == [0, 0.016667]


@pytest.mark.parametrize(("mode", "mag"), [(18, True), (19, False)])
def test_deltas_are_mean_acceleration_and_angular_rate_of_their_period(mode: int, mag: bool) -> None:
    """A turn of 3 degrees about z in 1/60 s is 180 deg/s; 0.1640625 m/s gained is 9.84375 m/s2."""
    turn = np.cos(radians(1.5)), 0.0, 0.0, np.sin(radians(1.5))
    body = struct.pack("<4f3f", *turn, *V) + (struct.pack("<3h", *M) if mag else b"")
    found = decoded([payload(mode, body)], mode)
    assert found[GYR].values.tolist() == [pytest.approx([0, 0, pi], rel=1e-5)]
    assert found[ACC].values.tolist() == [pytest.approx([0, 0, 9.84375])]
    assert (MAG in found) is mag


def test_angular_rate_of_no_turn_and_of_either_sign() -> None:
    turns = np.array([T, [-1, 0, 0, 0], [0, 0, 0, 0], [-np.cos(0.1), 0, -np.sin(0.1), 0], [0, 2, 0, 0]])
    rates = angular_rate(turns, 10)
    assert rates == pytest.approx(np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 2, 0], [10 * pi, 0, 0]]))


@pytest.mark.parametrize("start_us", [2**32 - 5 * PERIOD_US, 2**32 - 1, 2**31])
def test_the_clock_wraps_around_after_71_minutes(start_us: int) -> None:
    t_s = decoded(stream(range(400), start_us))[ACC].t_s
    assert t_s == pytest.approx(np.arange(400) * PERIOD_US / 1e6, abs=1e-9)


def test_a_gap_over_the_wrap_is_right_to_one_period() -> None:
    numbers = [*range(100), *range(100 + 60 * 3600, 200 + 60 * 3600)]
    t_s = decoded(stream(numbers, 2**32 - 10 * PERIOD_US))[ACC].t_s
    assert t_s == pytest.approx(np.array(numbers) * PERIOD_US / 1e6, abs=1e-6)


def test_lost_packets_leave_their_gap() -> None:
    numbers = np.delete(np.arange(1000), [5, 100, 101, 500, 999])
    found = decoded(stream(numbers.tolist()))[ACC]
    assert found.values[:, 0].tolist() == numbers.tolist()
    assert found.t_s == pytest.approx(numbers * PERIOD_US / 1e6, abs=1e-9)


@pytest.mark.parametrize("ran_s", [2, 2000])
def test_a_restart_goes_on_by_the_hosts_clock(ran_s: int) -> None:
    before = stream(range(60), ran_s * 10**6)
    after = stream(range(60), 1_500_000, before[-1].arrival_ns / 1e9 + 4)
    t_s = decoded(before + after)[ACC].t_s
    assert t_s.size == 120
    assert t_s[60] - t_s[59] == pytest.approx(4.0, abs=0.02)
    assert np.diff(t_s[60:]) == pytest.approx(0.016667)


def test_repeated_and_late_packets_are_refused() -> None:
    packets = stream([0, 1, 2, 4, 4, 1, 3, 5])
    found = decoded(packets, errors=["duplicate", "duplicate", "out of order"])
    assert found[ACC].values[:, 0].tolist() == [0, 1, 2, 4, 5]


@pytest.mark.parametrize(
    ("sent", "mode", "reason"),
    [
        (RawPacket(0, "x", b""), 21, "unknown characteristic"),
        (RawPacket(0, PAYLOAD["short"], bytes(20)), 21, "not the characteristic of payload mode 21"),
        (RawPacket(0, PAYLOAD["medium"], bytes(40)), None, "mode that was started is not known"),
        (RawPacket(0, PAYLOAD["medium"], bytes(40)), 1, "mode 1 is a closed format"),
        (RawPacket(0, PAYLOAD["medium"], bytes(40)), 8, "mode 8 is not known"),
        (payload(21, bytes.fromhex("0000A07F") + bytes(20)), 21, "no number"),
        (payload(21, bytes.fromhex("0000807F") + bytes(20)), 21, "no number"),
        (RawPacket(0, BATTERY, b"\x42"), 21, "not two bytes"),
        (RawPacket(0, BATTERY, b"\x65\x00"), 21, "above 100"),
        (RawPacket(0, MESSAGES, bytes.fromhex("02020300FA")), 21, "checksum"),
    ],
)
def test_what_is_none_of_these_is_refused(sent: RawPacket, mode: int | None, reason: str) -> None:
    decoder = DRIVER.decoder({"mode": mode} if mode is not None else {})
    with pytest.raises(PacketError, match=reason):
        decoder.feed(sent)
    if mode == 21:
        assert len(decoder.feed(payload(21, BODIES[21][0], 5))) == 2


@pytest.mark.parametrize("text", ["02020300F9", "020102FB", "020108F5", "02020300F9" + "00" * 155])
def test_messages_of_the_specification_sum_to_zero(text: str) -> None:
    check_message(bytes.fromhex(text))
    assert decoded([RawPacket(0, MESSAGES, bytes.fromhex(text))]) == {}


@pytest.mark.parametrize("text", ["", "0202", "02030300F9", "020102FA", "02010300F9"])
def test_messages_that_are_cut_off_or_do_not_sum_to_zero_are_refused(text: str) -> None:
    with pytest.raises(PacketError, match="message"):
        check_message(bytes.fromhex(text))


def test_reports_are_no_samples_and_battery_is() -> None:
    said = [RawPacket(0, REPORT, b"\x05" + bytes(35)), RawPacket(0, HEADING, b"\x01"), *stream([0])]
    found = decoded([*said, RawPacket(500_000_000, BATTERY, b"\x42\x01")])
    assert found[Modality.BATTERY].values.tolist() == [[66.0]]
    assert found[Modality.BATTERY].t_s.tolist() == [0.5]


@pytest.mark.parametrize(
    ("advert", "known"),
    [
        (Advert("Xsens DOT"), True),
        (Advert("Movella DOT"), True),
        (Advert("left shank", manufacturer_data={0x0886: b"\0"}), True),
        (Advert(None, ("15171000-4947-11e9-8646-d663bd873d93",)), True),
        (Advert("Polka DOT"), False),
    ],
)
def test_who_is_recognised(advert: Advert, known: bool) -> None:
    assert DRIVER.recognises(advert) is known


def writes(talk: Conversation) -> list[tuple[str, str]]:
    return [(s.characteristic, s.payload.hex()) for s in talk.steps if isinstance(s, Write)]


def test_start_sets_rate_and_time_outs_subscribes_and_starts_last() -> None:
    """X stays ten minutes, Y is put out: power saving would end the session after half an hour."""
    talk = Conversation(VirtualMovellaDot())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    control = "140000" + "0a000000" + "00" * 17 + "3c00" + "00" * 6
    assert writes(talk) == [(DEVICE_CONTROL, control), (CONTROL, "010115")]
    places = [type(step) for step in talk.steps]
    assert places.index(Subscribe) == len(places) - 3
    assert (granted["firmware"], granted["product"]) == ("2.4.1", "XS-T02")
    assert granted["timeouts_s"] == [600, 1800]
    assert (granted["rate_hz"], granted["mode"]) == (60, 21)


@pytest.mark.parametrize(("asked", "set_to"), [(60, "3c00"), (100, "3c00"), (26, "1e00"), (11, "0a00"), (0.5, "0100")])
def test_the_nearest_rate_is_set(asked: float, set_to: str) -> None:
    talk = Conversation(VirtualMovellaDot())
    talk.carry_out(DRIVER.start({"rate_hz": asked}))
    assert writes(talk)[0][1][48:52] == set_to


@pytest.mark.parametrize("mode", [1, 17, 25, 8])
def test_a_mode_that_cannot_be_decoded_is_refused_in_a_sentence(mode: int) -> None:
    with pytest.raises(DeviceRefusedError, match=f"payload mode {mode} is"):
        Conversation(VirtualMovellaDot()).carry_out(DRIVER.start({"mode": mode}))


def test_a_measurement_that_a_dead_session_left_is_ended_in_its_own_mode_first() -> None:
    sensor = VirtualMovellaDot()
    Conversation(sensor).carry_out(DRIVER.start({"mode": 5}))
    sensor.disconnect()
    talk = Conversation(sensor)
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert [text for where, text in writes(talk) if where == CONTROL] == ["010005", "010115"]


class Stubborn(VirtualMovellaDot):
    """Keeps its rate, or its state."""

    keeps = DEVICE_CONTROL

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[object]:  # type: ignore[override]
        return [] if characteristic == self.keeps else super().write(characteristic, payload, t_s)  # type: ignore[return-value]


@pytest.mark.parametrize(("keeps", "said"), [(DEVICE_CONTROL, "does not take 60 Hz"), (CONTROL, "does not start acc")])
def test_what_it_does_not_take_is_said_in_a_sentence(keeps: str, said: str) -> None:
    sensor = Stubborn()
    sensor.keeps = keeps
    with pytest.raises(DeviceRefusedError, match=said):
        Conversation(sensor).carry_out(DRIVER.start(DRIVER.defaults))


def test_the_wearers_time_outs_are_put_back_at_the_end_even_after_a_lost_link() -> None:
    sensor = VirtualMovellaDot()
    granted = Conversation(sensor).carry_out(DRIVER.start(DRIVER.defaults))
    sensor.disconnect()
    talk = Conversation(sensor)
    granted = {**granted, **talk.carry_out(DRIVER.start(granted))}
    assert sensor.timeouts_s == (600, 0)
    talk.carry_out(DRIVER.stop(granted))
    assert sensor.timeouts_s == (600, 1800)
    assert not sensor.measuring


def test_it_streams_on_after_the_half_hour_of_its_own_time_out() -> None:
    talk = Conversation(VirtualMovellaDot())
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    later = SampleBlock(ACC, np.array([4000.0]), np.array([[0.0, 0.0, 9.8]]))
    talk.stream([later])
    assert len(talk.packets) == 1


def test_the_battery_is_its_own_characteristic() -> None:
    assert DRIVER.battery is not None
    assert Conversation(VirtualMovellaDot(battery_percent=7)).carry_out(DRIVER.battery()) == 7


@pytest.mark.parametrize("mode", sorted(MODES))
def test_what_the_virtual_sensor_sends_is_decoded_as_it_was(mode: int) -> None:
    talk = Conversation(VirtualMovellaDot(clock_start_us=2**32 - 4_000_000))
    granted = talk.carry_out(DRIVER.start({"mode": mode}))
    given = list(at_rest(talk.sensor, talk.now_s, 8))
    for blocks in given:
        talk.stream(blocks)
    made, errors = DRIVER.decoder(granted).feed_many(talk.packets)
    assert errors == []
    assert made
    for block in made:
        truth = [b for portion in given for b in portion if b.modality is block.modality]
        tolerance = 0.01 if block.modality is MAG else 2e-5
        assert block.values == pytest.approx(np.concatenate([b.values for b in truth]), abs=tolerance)
        taken_s = np.concatenate([b.t_s for b in truth])
        assert block.t_s == pytest.approx(taken_s - taken_s[0], abs=2e-6)
