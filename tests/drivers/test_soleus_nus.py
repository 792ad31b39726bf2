"""The open profile: its document, its code and its virtual device say the same, byte for byte."""

from __future__ import annotations

import re
from math import radians
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drivers.devices
from analysis.samples import Modality, SampleBlock
from drivers.decoder import HostZero
from drivers.devices.soleus_nus import DRIVER
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.protocols import nus_layout as layout
from drivers.recording.block_groups import joined
from drivers.script import DeviceRefusedError
from drivers.virtual.conversation import Conversation
from drivers.virtual.nonsense import at_rest
from drivers.virtual.peripheral import Notification
from drivers.virtual.soleus_nus import FROM_DEVICE, TO_DEVICE, VirtualSoleusNus

G = 9.80665
DOCUMENT = Path(next(iter(drivers.devices.__path__)), "soleus_nus.md").read_text("utf-8")
EXAMPLES = {name: bytes.fromhex(text) for name, text in re.findall(r"```hex ([\w-]+)\n(.*?)```", DOCUMENT, re.DOTALL)}


def packet(payload: bytes, at_s: float = 0.0) -> RawPacket:
    return RawPacket(round(at_s * 1e9), FROM_DEVICE, payload)


def decoded(*packets: RawPacket, errors: int = 0) -> dict[Modality, SampleBlock]:
    decoder = DRIVER.decoder({})
    blocks, refused = decoder.feed_many(packets)
    assert len(refused) == errors, [error.reason for error in refused]
    found: dict[Modality, SampleBlock] = {}
    for block in blocks + decoder.finish():
        found[block.modality] = joined(found[block.modality], block) if block.modality in found else block
    return found


# --- the worked examples of the document, expected values by hand


def test_all_examples_are_there() -> None:
    assert len(EXAMPLES) == 16
    assert len(EXAMPLES["imu-1"]) == len(EXAMPLES["emg-raw"]) == len(EXAMPLES["hello-answer"]) == 20


def test_imu_examples() -> None:
    """A start at 100 Hz, sample 65534 at 10 s, then three more over the counter's wrap."""
    found = decoded(*(packet(EXAMPLES[name]) for name in ("start-answer", "imu-1", "imu-3")))
    assert found[Modality.ACC].values.tolist() == [
        pytest.approx(row) for row in ([0, 0, G], [0, 0, G], [G / 2, 0, G], [-G / 2, 0, G])
    ]
    assert found[Modality.GYR].values[0].tolist() == pytest.approx([0, -radians(1638 * 2000 / 32768), 0])
    assert found[Modality.ACC].t_s.tolist() == pytest.approx([0, 0.01, 0.02, 0.03], abs=1e-9)


def test_emg_examples() -> None:
    two = decoded(packet(EXAMPLES["emg-packed"]))[Modality.EMG]
    assert (two.values.tolist(), two.unit, two.channels) == ([[2, -4], [6, -8]], "uV", ("1", "2"))
    raw = decoded(packet(EXAMPLES["emg-raw"]))[Modality.EMG]
    assert (raw.values.ravel().tolist(), raw.unit) == ([100, -100, 0, 1, -1, 32767], "1")


def test_status_example() -> None:
    found = decoded(*(packet(EXAMPLES[name]) for name in ("imu-1", "status-answer")))
    assert found[Modality.BATTERY].values.tolist() == [[80]]
    assert found[Modality.TEMP].values.tolist() == [[29.5]]
    assert found[Modality.TEMP].t_s.tolist() == [0]
    status = layout.read_status(EXAMPLES["status-answer"])
    assert status == layout.Status(80, 29.5, 10_000_000, 100, 0, 0, 0x1234)


def test_hello_and_start_examples() -> None:
    assert layout.read_hello(EXAMPLES["hello-answer"]) == layout.Hello(
        "1.0", True, True, 0, True, False, 0x1234, 400, 0, (1, 2, 3, 4), (0, 1, 2, 3, 4)
    )
    started = layout.Started(1, 100, 0, 3, 4, 0)
    assert layout.read_started(EXAMPLES["start-answer"]) == started
    assert layout.start_command(started) == EXAMPLES["start"]
    assert layout.buzz_command(500) == EXAMPLES["buzz"]


def test_the_virtual_device_sends_the_examples() -> None:
    sensor = VirtualSoleusNus()
    sensor.subscribe(FROM_DEVICE)

    def answers(name: str, at_s: float = 0.0) -> bytes:
        (only,) = sensor.write(TO_DEVICE, EXAMPLES[name], at_s)
        return only.payload

    assert answers("start") == EXAMPLES["start-answer"]
    for name in ("buzz", "unknown"):
        assert answers(name) == EXAMPLES[f"{name}-answer"]
    assert answers("status", 10.0) == EXAMPLES["status-answer"]
    assert answers("stop") == EXAMPLES["stop-answer"]
    vibrates = bytearray(EXAMPLES["hello-answer"])
    vibrates[10] = 0x1B
    assert answers("hello") == bytes(vibrates)


# --- time


def imu(number: int, clock_us: int, samples: int = 1, at_s: float | None = None) -> RawPacket:
    head = b"\x11\x43" + (number % 65536).to_bytes(2, "little") + (clock_us % (1 << 32)).to_bytes(4, "little")
    return packet(head + bytes(12 * samples), clock_us / 1e6 if at_s is None else at_s)


def times(*packets: RawPacket, errors: int = 0) -> np.ndarray:
    return decoded(*packets, errors=errors)[Modality.ACC].t_s


def test_clock_and_counter_wrap_without_a_trace() -> None:
    start_us = (1 << 32) - 500_000
    packets = [imu(65500 + 10 * i, start_us + 100_000 * i, 10) for i in range(20)]
    assert times(*packets) == pytest.approx(np.arange(200) / 100, abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.booleans(), min_size=4, max_size=60), st.integers(1, 10), st.integers(0, 2**32 - 1))
def test_loss_leaves_the_others_at_their_times_to_a_microsecond(kept: list[bool], size: int, start: int) -> None:
    kept[:2] = [True, True]
    packets = [imu(size * (i + 1), start + size * 10_000 * (i + 1), size) for i in range(len(kept))]
    truth = (np.arange(size * len(kept)) / 100).reshape(-1, size)[np.array(kept)]
    assert times(*(p for p, stays in zip(packets, kept, strict=True) if stays)) == pytest.approx(
        truth.ravel(), abs=2e-6
    )


def test_a_gap_longer_than_the_clock_s_and_the_counter_s_turn() -> None:
    """Three hours: the clock wraps twice, the counter sixteen times."""
    away = 10_800_000_000
    packets = [imu(10 * i, 100_000 * i, 10) for i in range(1, 9)]
    packets += [imu(10 * i + away // 10_000, 100_000 * i + away, 10) for i in range(9, 19)]
    t_s = times(*packets)
    assert np.diff(t_s)[79] == pytest.approx(10_800.01, abs=1e-6)
    assert np.delete(np.diff(t_s), 79) == pytest.approx(0.01, abs=1e-6)


def test_a_restart_is_bridged_by_the_host_s_clock() -> None:
    """With hello or without it, even within seconds of the first start."""
    before = [imu(10 * i, 100_000 * i, 10) for i in range(1, 31)]
    hello = bytearray(EXAMPLES["hello-answer"])
    other = bytes((*hello[:12], 0x35, *hello[13:]))
    after = [imu(10 * (i - 1), 50_000 + 100_000 * i, 10, 8.0 + 0.1 * i) for i in range(1, 31)]
    t_s = times(packet(bytes(hello)), *before, packet(other, 7.9), *after)
    assert np.diff(t_s).max() == pytest.approx(5.1 - 0.09, abs=1e-6)
    late = [imu(10 * i, 100_000 * i, 10) for i in range(200, 231)]
    t_s = times(*late, *(RawPacket(p.arrival_ns + 30_000_000_000, p.characteristic, p.payload) for p in after))
    assert len(t_s) == 610
    assert np.diff(t_s).max() == pytest.approx(15.1 - 0.09, abs=1e-6)


def test_repeated_and_late_packets_are_refused() -> None:
    packets = [imu(10 * i, 100_000 * i, 10) for i in range(1, 9)]
    order = [packets[i] for i in (0, 1, 1, 2, 4, 3, 2, 5, 6, 7)]
    decoder = DRIVER.decoder({})
    blocks, errors = decoder.feed_many(order)
    assert [error.reason for error in errors] == ["duplicate", "out of order", "duplicate"]
    t_s = np.concatenate([b.t_s for b in blocks if b.modality is Modality.ACC])
    assert np.diff(t_s).max() == pytest.approx(0.11, abs=1e-6)


def test_the_zero_lies_at_the_first_sample_on_the_host_s_clock() -> None:
    decoder = DRIVER.decoder({})
    decoder.feed_many([packet(EXAMPLES["start-answer"], 4.9), imu(0, 0, 10, 5.0)])
    assert isinstance(decoder, HostZero)
    assert decoder.zero_arrival_ns == 4_910_000_000


# --- refusals


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("21" + "00" * 19, "another version"),
        ("1143", "truncated"),
        ("11430000 00000000", "truncated"),
        ("11430000 00000000" + "00" * 13, "truncated"),
        ("11480000 00000000" + "00" * 12, "unknown form"),
        ("11830000 00000000" + "00" * 12, "unknown form"),
        ("12990000 00000000" + "00" * 4, "truncated"),
        ("1350", "truncated status"),
        ("1365" + "00" * 14, "above 100"),
        ("14" + "00" * 19, "no hello"),
        ("1502", "truncated answer"),
        ("150200 01", "truncated answer"),
    ],
)
def test_packets_that_break_the_layout_are_refused(text: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(bytes.fromhex(text)))


def test_unknown_types_and_further_bytes_are_skipped() -> None:
    later = EXAMPLES["status-answer"] + b"\x01\x02"
    assert set(decoded(packet(b"\x1f\x01\x02"), packet(EXAMPLES["imu-1"]), packet(later))) >= {Modality.BATTERY}


def test_a_device_without_gyroscope_gives_none() -> None:
    no_gyro = b"\x11\xf3" + EXAMPLES["imu-1"][2:]
    assert set(decoded(packet(no_gyro))) == {Modality.ACC}


# --- conversation


@pytest.mark.parametrize(
    ("mtu", "channels", "packed"), [(23, 0, False), (23, 8, True), (247, 8, False), (185, 3, True)]
)
def test_what_a_device_sends_is_decoded_to_its_own_quantisation(mtu: int, channels: int, packed: bool) -> None:
    sensor = VirtualSoleusNus(
        mtu=mtu, emg_channels=channels, packed=packed, emg_code=6, clock_start_us=2**32 - 5 * 10**6
    )
    talk = Conversation(sensor)
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    given = list(at_rest(sensor, talk.now_s, 12))
    for blocks in given:
        talk.stream(blocks)
    assert max(len(p.payload) for p in talk.packets) <= mtu - 3
    decoder = DRIVER.decoder(granted)
    made, errors = decoder.feed_many(talk.packets)
    made += decoder.finish()
    assert errors == []
    kinds = [(Modality.ACC, 8 * G / 65536), (Modality.GYR, radians(2000) / 65536)]
    for kind, step in kinds + ([(Modality.EMG, 0.125)] if channels else []):
        truth = np.concatenate([b.values for portion in given for b in portion if b.modality is kind])
        found = np.concatenate([b.values for b in made if b.modality is kind])
        t_s = np.concatenate([b.t_s for b in made if b.modality is kind])
        assert found == pytest.approx(truth[: len(found), : found.shape[1]], abs=step * 1.001)
        assert len(truth) - len(found) < 130
        assert np.diff(t_s) == pytest.approx(1 / sensor.rate_hz(str(kind)), abs=3e-6)  # type: ignore[operator]


def test_a_stranger_on_the_same_service_is_refused_in_a_sentence() -> None:
    class Echo(VirtualSoleusNus):
        def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
            return [Notification(t_s, FROM_DEVICE, b"\x14>")]

    with pytest.raises(DeviceRefusedError, match="for something else"):
        Conversation(Echo()).carry_out(DRIVER.start(DRIVER.defaults))


@pytest.mark.parametrize(
    ("hello", "sentence"), [("2400736F6C657573", "version 2"), ("1400736F6C657573", "cannot be read")]
)
def test_another_version_is_refused_in_a_sentence(hello: str, sentence: str) -> None:
    class Other(VirtualSoleusNus):
        def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
            return [Notification(t_s, FROM_DEVICE, bytes.fromhex(hello))]

    with pytest.raises(DeviceRefusedError, match=sentence):
        Conversation(Other()).carry_out(DRIVER.start(DRIVER.defaults))


def test_the_service_makes_a_candidate() -> None:
    assert DRIVER.recognises(Advert("Puck.js 1234", ("6e400001-b5a3-f393-e0a9-e50e24dcca9e",)))
    assert not DRIVER.recognises(Advert("soleus"))


def test_streams_that_run_are_stopped_and_started_anew() -> None:
    sensor = VirtualSoleusNus()
    for _ in range(2):
        Conversation(sensor).carry_out(DRIVER.start({"rate_hz": 52}))
    assert sensor.rate_hz("acc") == 52


def test_battery_and_vibration() -> None:
    sensor = VirtualSoleusNus(battery_percent=33)
    talk = Conversation(sensor)
    talk.carry_out(DRIVER.start(DRIVER.defaults))
    assert DRIVER.battery is not None
    assert DRIVER.buzz is not None
    assert talk.carry_out(DRIVER.battery()) == 33
    talk.carry_out(DRIVER.buzz())
    assert sensor.buzzes == [500]
