"""Properties of the Polar decoder that hold for any stream: cutting, damage, loss, what was encoded."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.devices.polar_pmd import PolarPmdDecoder
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.virtual.polar_models import (
    ACCELERATION,
    GYROSCOPE,
    H10,
    MAGNETOMETER,
    VERITY_SENSE,
    VERITY_SENSE_OLD,
    Model,
)
from drivers.virtual.polar_pmd import CONTROL_POINT, DATA_POINT, VirtualPolar

BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
HEART = "00002a37-0000-1000-8000-00805f9b34fb"

VERITY_START = {
    ACCELERATION: "0202 00013400 01011000 02010800 040103",
    GYROSCOPE: "0205 00013400 01011000 0201D007 040103",
    MAGNETOMETER: "0206 00013200 01011000 02013200 040103",
}
H10_START = {ACCELERATION: "0202 02010800 0001C800 01011000"}


def movement(seconds: float, rate_hz: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rest and swinging in turn, so that frames differ in size."""
    t_s = np.arange(int(seconds * rate_hz)) / rate_hz
    swing = np.sin(2 * np.pi * 1.3 * t_s) * (np.sin(t_s / 3) > 0)
    noise = np.random.default_rng(seed).normal(0, 0.05, (t_s.size, 3))
    return t_s, noise + swing[:, None] * [3.0, -1.0, 0.5]


def recorded(
    model: Model, seconds: float = 20.0, seed: int = 0, starts: dict[int, str] | None = None
) -> tuple[list[RawPacket], dict[int, np.ndarray]]:
    """Packets of a virtual sensor in the order sent, and the true samples."""
    sensor = VirtualPolar(model)
    sensor.subscribe(CONTROL_POINT)
    sensor.subscribe(DATA_POINT)
    packets: list[RawPacket] = []
    sent, truth = [], {}
    for measurement, text in (starts or (VERITY_START if model.compressed else H10_START)).items():
        answers = sensor.write(CONTROL_POINT, bytes.fromhex(text), 0.0)
        packets += [RawPacket(0, CONTROL_POINT, answer.payload) for answer in answers]
        rate_hz = {MAGNETOMETER: 50.0}.get(measurement, 52.0 if model.compressed else 200.0)
        t_s, values = movement(seconds, rate_hz, seed + measurement)
        truth[measurement] = values
        sent += sensor.fill(measurement, t_s + 0.003 * measurement, values, last=True)
    sent.sort(key=lambda notification: notification.t_s)
    packets += [RawPacket(round(n.t_s * 1e9) + 40_000_000, n.characteristic, n.payload) for n in sent]
    return packets, truth


Outcome = tuple[dict[Modality, tuple[bytes, bytes]], list[tuple[str, bytes]]]


def whole(parts: Sequence[SampleBlock]) -> dict[Modality, tuple[bytes, bytes]]:
    """All samples of each modality, as bytes."""
    found: dict[Modality, tuple[bytes, bytes]] = {}
    for block in parts:
        before = found.get(block.modality, (b"", b""))
        found[block.modality] = (before[0] + block.t_s.tobytes(), before[1] + block.values.tobytes())
    return found


def cut_and_decoded(packets: Sequence[RawPacket], cuts: Sequence[int], rate_hz: float | None) -> Outcome:
    decoder = PolarPmdDecoder({"rate_hz": rate_hz})
    blocks: list[SampleBlock] = []
    errors: list[PacketError] = []
    for first, last in pairwise([0, *sorted(cuts), len(packets)]):
        made, refused = decoder.feed_many(packets[first:last])
        blocks += made
        errors += refused
    return whole(blocks + decoder.finish()), [(error.reason, error.payload) for error in errors]


def one_by_one(packets: Sequence[RawPacket], rate_hz: float | None) -> Outcome:
    decoder = PolarPmdDecoder({"rate_hz": rate_hz})
    blocks: list[SampleBlock] = []
    errors: list[tuple[str, bytes]] = []
    for packet in packets:
        try:
            blocks += decoder.feed(packet)
        except PacketError as error:
            errors.append((error.reason, error.payload))
    return whole(blocks + decoder.finish()), errors


SESSION = recorded(VERITY_SENSE_OLD, 20.0)[0]


SPOIL = st.lists(
    st.tuples(
        st.sampled_from(["lose", "repeat", "swap", "bit", "short", "clock", "battery", "heart"]),
        st.integers(0, 10**6),
        st.integers(-(10**17), 10**17),
        st.binary(max_size=6),
    ),
    max_size=8,
)
"""What goes wrong, where, by how much, and with which bytes."""


def spoilt(accidents: list[tuple[str, int, int, bytes]]) -> list[RawPacket]:
    """The session with packets lost, repeated, swapped, damaged, clocks set, and others in between."""
    packets = list(SESSION)
    for accident, where, amount, content in accidents:
        i = where % (len(packets) - 1)
        packet = packets[i]
        size = len(packet.payload)
        match accident:
            case "lose":
                del packets[i]
            case "repeat":
                packets.insert(i + 1 + amount % 9, packet)
            case "swap":
                packets[i : i + 2] = packets[i + 1], packet
            case "bit" if size:
                changed = bytearray(packet.payload)
                changed[amount // 8 % size] ^= 1 << amount % 8
                packets[i] = RawPacket(packet.arrival_ns, packet.characteristic, bytes(changed))
            case "short":
                kept = packet.payload[: amount % (size + 1)]
                packets[i] = RawPacket(packet.arrival_ns, packet.characteristic, kept)
            case "clock":
                packets[i:] = [clock_set(p, amount) for p in packets[i:]]
            case "battery" | "heart":
                name = BATTERY if accident == "battery" else HEART
                packets.insert(i, RawPacket(packet.arrival_ns, name, content))
    return packets


def clock_set(packet: RawPacket, by_ns: int) -> RawPacket:
    if packet.characteristic != DATA_POINT or len(packet.payload) < 9:
        return packet
    stamp = (int.from_bytes(packet.payload[1:9], "little") + by_ns) % (1 << 64)
    payload = packet.payload[:1] + stamp.to_bytes(8, "little") + packet.payload[9:]
    return RawPacket(packet.arrival_ns, packet.characteristic, payload)


@settings(max_examples=150, deadline=None)
@example(
    # The clock is set in the batch in which the gyro's stream begins.
    [("repeat", 216750, 52072064611125770, b""), ("repeat", 903056, -47501499046437969, b""),
     ("clock", 86823, 68221545641744576, b"")],
    [], 52,
)  # fmt: skip
@given(SPOIL, st.lists(st.integers(0, len(SESSION) - 8), max_size=6), st.sampled_from([52, None]))
def test_any_cutting_gives_the_same_to_the_bit(
    accidents: list[tuple[str, int, int, bytes]], cuts: list[int], rate_hz: float | None
) -> None:
    packets = spoilt(accidents)
    expected = one_by_one(packets, rate_hz)
    assert cut_and_decoded(packets, (), rate_hz) == expected
    assert cut_and_decoded(packets, cuts, rate_hz) == expected
    assert cut_and_decoded(PacketBatch.of(packets), cuts, rate_hz) == expected


@settings(max_examples=150, deadline=None)
@given(SPOIL)
def test_times_of_every_stream_increase_whatever_happens(
    accidents: list[tuple[str, int, int, bytes]],
) -> None:
    packets = spoilt(accidents)
    decoder = PolarPmdDecoder({})
    blocks = decoder.feed_many(packets)[0] + decoder.finish()
    for modality, (times, values) in whole(blocks).items():
        t_s = np.frombuffer(times)
        assert (np.diff(t_s) > 0).all(), modality
        assert np.isfinite(t_s).all()
        assert np.isfinite(np.frombuffer(values)).all()


def random_packets(rng: np.random.Generator, count: int) -> list[RawPacket]:
    """Half noise behind a plausible header, half real frames with bytes changed or cut off."""
    packets = []
    for i in range(count):
        match int(rng.integers(4)):
            case 0:
                payload = rng.bytes(int(rng.integers(0, 40)))
            case 1:
                head = struct.pack(
                    "<BQB", rng.choice([1, 2, 5, 6]), 10**18 + i * 10**7, rng.choice([0, 1, 2, 128, 129])
                )
                payload = head + rng.bytes(int(rng.integers(0, 230)))
            case _:
                spoilt = bytearray(SESSION[int(rng.integers(len(SESSION)))].payload)
                for _ in range(int(rng.integers(0, 4))):
                    spoilt[int(rng.integers(len(spoilt)))] = int(rng.integers(256))
                payload = bytes(spoilt[: int(rng.integers(len(spoilt) + 1))])
        name = str(rng.choice([DATA_POINT, DATA_POINT, DATA_POINT, CONTROL_POINT, BATTERY, HEART, "x"]))
        packets.append(RawPacket(int(rng.integers(0, 10**12)), name, payload))
    return packets


def test_any_bytes_only_ever_raise_packet_error() -> None:
    """Nothing but PacketError, and a sound stream afterwards is still decoded."""
    packets = random_packets(np.random.default_rng(7), 3000)
    expected = one_by_one(packets, None)
    assert cut_and_decoded(packets, range(0, 3000, 257), None) == expected
    assert expected[1]
    decoder = PolarPmdDecoder({"rate_hz": 52})
    decoder.feed_many(packets)
    blocks, errors = decoder.feed_many(SESSION)
    assert sum(map(len, blocks)) > 1000
    assert len(errors) < 40


@pytest.mark.parametrize(
    ("model", "measurement", "modality", "step"),
    [
        (VERITY_SENSE, ACCELERATION, Modality.ACC, 9.80665e-3),
        (VERITY_SENSE_OLD, ACCELERATION, Modality.ACC, 9.80665 * 0.000244),
        (H10, ACCELERATION, Modality.ACC, 9.80665e-3),
        (VERITY_SENSE, GYROSCOPE, Modality.GYR, np.radians(2000 / 32768)),
        (VERITY_SENSE_OLD, GYROSCOPE, Modality.GYR, np.radians(2000 / 32768)),
        (VERITY_SENSE, MAGNETOMETER, Modality.MAG, 0.1),
        (VERITY_SENSE_OLD, MAGNETOMETER, Modality.MAG, 100 * 50 / 32768),
    ],
)
def test_what_a_sensor_encodes_is_decoded_to_its_own_quantisation(
    model: Model, measurement: int, modality: Modality, step: float
) -> None:
    starts = {measurement: (VERITY_START if model.compressed else H10_START)[measurement]}
    packets, truth = recorded(model, 30.0, starts=starts)
    decoder = PolarPmdDecoder({})
    blocks, errors = decoder.feed_many(packets)
    (block,) = blocks + decoder.finish()
    assert errors == []
    assert block.modality is modality
    assert block.values == pytest.approx(truth[measurement], abs=step * 0.5000001)
    rate_hz = {MAGNETOMETER: 50}.get(measurement, 52 if model.compressed else 200)
    # The zero takes the first frame's step, which the 30.5 us steps of the clock blur.
    assert block.t_s == pytest.approx(np.arange(len(block)) / rate_hz, abs=1e-4)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([52, None]), st.floats(0.01, 0.2))
def test_lost_repeated_and_late_frames_leave_the_others_times(seed: int, rate_hz: float | None, share: float) -> None:
    """Right to one sample period, as long as the frames around the start arrive."""
    packets, _ = recorded(VERITY_SENSE_OLD, 60.0, seed=seed % 5, starts={2: VERITY_START[2]})
    rng = np.random.default_rng(seed)
    complete = PolarPmdDecoder({"rate_hz": rate_hz}).feed_many(packets)[0][0]
    kept = list(packets[:4])
    for packet in packets[4:]:
        luck = rng.random()
        if luck > share:
            kept.append(packet)
        if luck > 1 - share / 2:
            kept.append(packet)
        if luck > 1 - share / 4 and len(kept) > 6:
            kept[-1], kept[-3] = kept[-3], kept[-1]
    (block,) = PolarPmdDecoder({"rate_hz": rate_hz}).feed_many(kept)[0]
    rows = [row.tobytes() for row in complete.values]
    often = Counter(rows)
    place = {row: t for row, t in zip(rows, complete.t_s.tolist(), strict=True) if often[row] == 1}
    told_apart = [(t, place.get(row.tobytes())) for t, row in zip(block.t_s, block.values, strict=True)]
    off = [t - true for t, true in told_apart if true is not None]
    assert len(off) > 0.9 * len(block)
    assert np.abs(off).max() < 1 / 52
