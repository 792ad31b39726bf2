"""The Shimmer3R decoder and scripts against bytes written by hand from the maker's program."""

from __future__ import annotations

from math import radians

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.devices.shimmer3r import DRIVER
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols.shimmer_layout import COMMAND, NOTIFY, Calibration, read_inquiry
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError, Pause, Subscribe, Unsubscribe, Write
from drivers.virtual.conversation import Conversation
from drivers.virtual.nonsense import at_rest
from drivers.virtual.peripheral import Notification
from drivers.virtual.shimmer3r import VirtualShimmer3R

G = 9.80665
SETUP = "08 00 00 01 01 00 00"
"""Wide range 8 g, gyroscope code 4 = 2000 deg/s (bits 34, 16, 17: 1, 0, 0), supply of ExG on."""
# 204.8 Hz = 160 ticks; wide-range acc, gyro, ExG1 of 24 bits
INQUIRY = f"02 A000 {SETUP.replace('01 01', '01 04')} 09 01 040506 0A0B0C 1D1E1F"
GYRO_ONLY = "02 8002 00000000000000 03 01 0A0B0C"
"""The maker's own test: 640 ticks = 51.2 Hz."""

Key = tuple[Modality, str | None]


def packet(text: str, at_s: float = 0.0, uuid: str = NOTIFY) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, bytes.fromhex(text))


def frame(ticks: int, x: int = 0, emg: tuple[int, int] = (0, 0)) -> bytes:
    """A frame of everything; `x` is the accelerometer's raw x."""
    muscle = b"\x80" + b"".join((count & 0xFFFFFF).to_bytes(3, "big") for count in emg)
    return b"\0" + (ticks % (1 << 24)).to_bytes(3, "little") + x.to_bytes(2, "little", signed=True) + bytes(10) + muscle


def decoded(packets: list[RawPacket], errors: int | None = 0) -> dict[Key, SampleBlock]:
    decoder = DRIVER.decoder({})
    blocks, refused = decoder.feed_many(packets)
    assert errors is None or len(refused) == errors, [error.reason for error in refused]
    found: dict[Key, SampleBlock] = {}
    for block in blocks + decoder.finish():
        key = (block.modality, block.stream)
        found[key] = joined(found[key], block) if key in found else block
    return found


def streamed(frames: list[bytes], size: int, start_ticks: int = 0) -> list[RawPacket]:
    """An inquiry's answer, then these frames cut into notifications of a size, as they come about."""
    whole = b"".join(frames)
    ends = range(size, len(whole) + size, size)
    arrivals = [0.03 + 160 / 32768 * (min(end, len(whole)) // len(frames[0])) for end in ends]
    cut = [whole[end - size : end] for end in ends]
    told = [packet("FF" + INQUIRY), packet("FF", 0.01)]
    return told + [RawPacket(round(t * 1e9), NOTIFY, part) for t, part in zip(arrivals, cut, strict=True)]


def test_what_an_inquiry_tells() -> None:
    schema = read_inquiry(bytes.fromhex(INQUIRY))
    assert (schema.rate_hz, schema.frame_bytes, schema.exg_power) == (204.8, 23, True)
    assert {field.group.name: field.code for field in schema.fields} == {"WR_ACC": 2, "GYR": 4, "EMG": 0}
    assert read_inquiry(bytes.fromhex(GYRO_ONLY)).rate_hz == pytest.approx(51.2)


def test_a_frame_is_acceleration_rotation_and_muscle_in_the_axes_of_the_case() -> None:
    """1 g is 418 x 9.80665 steps at 8 g; x and y of that accelerometer are exchanged, all axes the other way round."""
    text = "00 010203  F6FF 0000 FDEF  0000 B20D 0E00  80 000002 FFFFFE"
    found = decoded([packet("FF"), packet(INQUIRY), packet("FF" + text)])
    assert found[Modality.ACC, None].values[0] == pytest.approx([0, 10 / 418, 4099 / 418], abs=1e-6)
    assert found[Modality.GYR, None].values[0] == pytest.approx([0, radians(3506 * 0.07), -radians(14 * 0.07)])
    assert found[Modality.EMG, None].values.tolist() == [[2, -2]]
    assert (found[Modality.EMG, None].unit, found[Modality.EMG, None].channels) == ("1", ("1", "2"))
    assert found[Modality.ACC, None].t_s.tolist() == [0]


def test_the_maker_s_inquiry_of_a_gyroscope_alone() -> None:
    found = decoded([packet("FF" + GYRO_ONLY), packet("00 000000 0100 0000 0000 00 800200 0200 0000 0000", 0.02)])
    assert np.degrees(found[Modality.GYR, None].values[:, 0]) == pytest.approx([-0.004375, -0.00875])
    assert found[Modality.GYR, None].t_s.tolist() == pytest.approx([0, 640 / 32768])


def test_two_accelerometers_other_channels_and_ppg() -> None:
    """Low noise, wide range, battery, high g (12 bits, offset 10), 16-bit ExG, PPG; status bytes are no samples."""
    asked = "02 A000 00000000000000 10 01 000102 03 040506 141516 1D2324 12 1C 20"
    data = "00 000000  8806 0000 0000  FFFF  0000 0000 77F9  00A0 00A0 0140  80 0005 FFFB  0900  1234 81"
    found = decoded([packet("FF" + asked), packet(data)])
    assert found[Modality.ACC, "low noise"].values[0] == pytest.approx([-1, 0, 0])
    assert found[Modality.ACC, "wide range"].values[0] == pytest.approx([0, 0, 1673 / 1671])
    assert found[Modality.ACC, "high g"].values[0] == pytest.approx([0, 0, -10])
    assert found[Modality.EMG, None].values.tolist() == [[5, -5]]
    assert found[Modality.PPG, None].values.tolist() == [[9]]


def test_a_sensor_s_own_calibration_is_used_where_it_can_be_of_this_range() -> None:
    """Offset 100, sensitivity 400, the usual alignment: 500 raw on x are -1 m/s2 on y."""
    own = "1B" + "006400000000" + "019001900190" + "009C00" + "9C0000" + "00009C"
    other = own.replace("019001900190", "064006400640")
    row = frame(0, 500).hex()
    found = decoded([packet("FF" + own), packet("FF" + INQUIRY), packet(row)])
    assert found[Modality.ACC, None].values[0] == pytest.approx([0, -1, 0])
    for block in (other, "1B" + "FF" * 21, "1B" + "00" * 21):
        found = decoded([packet("FF" + block), packet("FF" + INQUIRY), packet(row)])
        assert found[Modality.ACC, None].values[0] == pytest.approx([0, -500 / 418, 0])


# --- the stream of bytes


@pytest.mark.parametrize("size", [1, 7, 20, 23, 42, 46, 100, 244])
def test_frames_may_be_cut_anywhere(size: int) -> None:
    packets = streamed([frame(160 * i, i + 1, (i, -i)) for i in range(60)], size)
    found = decoded(packets)
    assert found[Modality.EMG, None].values.tolist() == [[i, -i] for i in range(60)]
    assert found[Modality.ACC, None].t_s == pytest.approx(np.arange(60) * 160 / 32768)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(2, 40), max_size=4), st.sampled_from([20, 23, 42, 100, 244]), st.booleans())
def test_lost_notifications_cost_their_frames_and_invent_none(lost: list[int], size: int, doubled: bool) -> None:
    truth = {i: i * 160 / 32768 for i in range(200)}
    packets = streamed([frame(160 * i, i, (i, 3 * i)) for i in range(200)], size)
    for i in sorted({place for place in lost if place < len(packets) - 1}, reverse=True):
        if doubled:
            packets.insert(i, packets[i])
        else:
            del packets[i]
    block = decoded(packets, None)[Modality.EMG, None]
    numbers = block.values[:, 0].astype(int).tolist()
    assert numbers == sorted(set(numbers))
    assert block.values[:, 1].tolist() == [3 * number for number in numbers]
    assert block.t_s == pytest.approx([truth[number] - truth[numbers[0]] for number in numbers])
    # Each notification touches so many frames, and one more is needed to be sure.
    assert len(numbers) >= 200 - len(set(lost)) * (size // 23 + 4)


def test_answers_between_frames_are_no_frames() -> None:
    frames = [frame(160 * i, i, (i, 0)) for i in range(40)]
    whole = b"".join(frames[:10]) + b"\x8a\x71\x01" + b"".join(frames[10:20]) + b"\xff" + b"".join(frames[20:])
    told = [packet("FF" + INQUIRY), RawPacket(10**7, NOTIFY, whole[:250]), RawPacket(2 * 10**7, NOTIFY, whole[250:])]
    assert len(decoded(told)[Modality.EMG, None]) == 40


def test_the_clock_wraps_without_a_trace() -> None:
    start = (1 << 24) - 1000
    t_s = decoded(streamed([frame(start + 160 * i) for i in range(100)], 230))[Modality.ACC, None].t_s
    assert t_s == pytest.approx(np.arange(100) * 160 / 32768)


def test_a_gap_longer_than_the_clock_s_turn_and_a_restart() -> None:
    """Half an hour is three turns and a half; a restart is bridged by the host's clock."""

    def some(from_ticks: int, at_s: float) -> RawPacket:
        return RawPacket(round(at_s * 1e9), NOTIFY, b"".join(frame(from_ticks + 160 * i) for i in range(10)))

    told = [packet("FF" + INQUIRY), some(0, 1.0), some(1800 * 32768, 1801.2), some(5, 1900.0)]
    t_s = decoded(told)[Modality.ACC, None].t_s
    assert len(t_s) == 30
    assert t_s[10] == pytest.approx(1800)
    assert t_s[20] - t_s[19] == pytest.approx(98.8, abs=0.001)


def test_the_link_s_end_cuts_a_frame_off() -> None:
    frames = [frame(160 * i, i) for i in range(10)]
    packets = streamed(frames, 23)[:-1]
    packets.append(RawPacket(packets[-1].arrival_ns + 10, NOTIFY, frames[9][:11]))
    later = [RawPacket(9 * 10**9, NOTIFY, frame(32768 * 9 + 160 * i)) for i in range(10)]
    assert len(decoded(packets + later)[Modality.ACC, None]) == 19


@pytest.mark.parametrize(
    ("text", "uuid", "reason"),
    [
        ("", NOTIFY, "empty"),
        ("00 000000", NOTIFY, "before the inquiry"),
        ("3D00", NOTIFY, "unknown message"),
        ("02 0000 00000000000000 01 01 04", NOTIFY, "without a rate"),
        ("02 A000 00000000000000 01 01 99", NOTIFY, "unknown size"),
        ("02 A000 00000000000000 00 01", NOTIFY, "unknown size"),
        ("FF", COMMAND, "unknown characteristic"),
    ],
)
def test_what_is_none_of_these_is_refused(text: str, uuid: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(text, uuid=uuid))


# --- conversation


def written(talk: Conversation) -> list[str]:
    return [step.payload.hex() for step in talk.steps if isinstance(step, Write)]


@pytest.mark.parametrize(
    ("asked", "commands"),
    [
        ({}, ["05a000", "0902", "4904", "5e01", "08501000"]),
        ({"rate_hz": 51.2, "acc_range_g": 16, "gyr_range_deg_s": 500, "emg": False},
         ["058002", "0903", "4902", "5e00", "08401000"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize(("mtu", "together"), [(23, True), (23, False), (247, True), (45, False)])
def test_start_stops_sets_asks_and_starts(
    asked: dict[str, object], commands: list[str], mtu: int, together: bool
) -> None:  # fmt: skip
    talk = Conversation(VirtualShimmer3R(mtu=mtu, together=together))
    granted = talk.carry_out(DRIVER.start(asked))
    assert written(talk) == ["20", "2e", *commands, "1c", "16", "01", "07"]
    assert isinstance(talk.steps[1], Pause)
    assert talk.steps[2] == Subscribe(NOTIFY)
    assert granted["rate_hz"] == asked.get("rate_hz", 204.8)
    assert granted["firmware"] == "1.0.22"
    assert granted["gyr_range_deg_s"] == asked.get("gyr_range_deg_s", 2000)
    talk.steps.clear()
    assert talk.carry_out(DRIVER.start(granted)) == granted


def test_stop_stops_and_unsubscribes() -> None:
    talk = Conversation(VirtualShimmer3R())
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.steps.clear()
    talk.carry_out(DRIVER.stop(granted))
    assert written(talk) == ["20"]
    assert talk.steps[-1] == Unsubscribe(NOTIFY)
    assert not talk.sensor.streams


class Mute(VirtualShimmer3R):
    """Answers nothing."""

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        return []


class Stubborn(VirtualShimmer3R):
    """Does not take sensors."""

    def _obey(self, op: int, rest: bytes) -> bytes | None:
        return None if op == 0x08 else super()._obey(op, rest)


class Confused(VirtualShimmer3R):
    """Names no channel."""

    def _inquiry(self) -> bytes:
        return bytes.fromhex("02 A000 00000000000000 00 01")


class Still(VirtualShimmer3R):
    """Streams its gyroscope alone."""

    def _inquiry(self) -> bytes:
        return bytes.fromhex(GYRO_ONLY)


@pytest.mark.parametrize(
    ("sensor", "sentence"),
    [
        (Mute(), "does not answer; switch it off and on"),
        (Stubborn(), "refuses command 08; update its firmware"),
        (Confused(), "which channels it streams"),
        (Still(), "does not stream acceleration"),
    ],
)
def test_another_device_is_refused_in_a_sentence(sensor: VirtualShimmer3R, sentence: str) -> None:
    with pytest.raises(DeviceRefusedError, match=sentence):
        Conversation(sensor).carry_out(DRIVER.start(DRIVER.defaults))


def test_who_is_recognised() -> None:
    assert DRIVER.recognises(Advert(None, ("65333333-a115-11e2-9e9a-0800200ca100",)))
    assert DRIVER.recognises(Advert("Shimmer3R-0A1B"))
    assert not DRIVER.recognises(Advert("Shimmer3-0A1B"))


def test_a_calibration_rounds_the_same_however_the_stream_is_cut() -> None:
    dice = np.random.default_rng(1)
    own = Calibration(dice.normal(size=3), dice.normal(size=(3, 3)))
    raw = np.rint(dice.normal(0, 1000, (400, 3)))
    whole = own.applied(raw)
    assert whole == pytest.approx((raw - own.offset) @ own.matrix.T)
    for size in (1, 2, 3, 5, 8, 13, 64, 100):
        parts = [own.applied(raw[at : at + size]) for at in range(0, 400, size)]
        assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize("mtu", [23, 45, 247])
def test_what_the_virtual_sensor_sends_is_decoded_to_its_own_quantisation(mtu: int) -> None:
    own = bytes.fromhex("000000000000" + "019A019A019A" + "009C00" + "9C0000" + "00009C")
    for calibration, factor in ((b"\xff" * 21, 1.0), (own, 418 / 410)):
        talk = Conversation(
            VirtualShimmer3R(mtu=mtu, clock_start_ticks=(1 << 24) - 70000, calibration=calibration)
        )  # fmt: skip
        granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
        given_ = list(at_rest(talk.sensor, talk.now_s, 4))
        for blocks in given_:
            talk.stream(blocks)
        decoder = DRIVER.decoder(granted)
        made, errors = decoder.feed_many(talk.packets)
        made += decoder.finish()
        assert errors == []
        steps = {Modality.ACC: 1 / 418, Modality.GYR: radians(0.07), Modality.EMG: 1.0}
        for kind, step in steps.items():
            truth = np.concatenate([b.values for portion in given_ for b in portion if b.modality is kind])
            found = np.concatenate([b.values for b in made if b.modality is kind])
            scale = factor if kind is Modality.ACC else 1.0
            assert found == pytest.approx(scale * truth[: len(found), : found.shape[1]], abs=0.51 * step * scale)
            assert len(truth) - len(found) < 15
            t_s = np.concatenate([b.t_s for b in made if b.modality is kind])
            assert t_s == pytest.approx(np.arange(len(t_s)) / 204.8, abs=1e-4)
