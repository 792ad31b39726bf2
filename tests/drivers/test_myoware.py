"""The MyoWare decoder against what the makers' sketches send."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.clocks.arrival import HostAxis
from drivers.clocks.arrival_streams import BundledStream
from drivers.devices.myoware import DRIVER, PERIPHERAL, SPARKFUN, UART
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.recording.block_groups import joined
from drivers.script import Subscribe, Unsubscribe
from drivers.virtual.conversation import Conversation
from drivers.virtual.myoware import Sketch, VirtualMyoware
from drivers.virtual.nonsense import at_rest

IRREGULAR = {"rate_hz": 100, "irregular": True}


def packet(payload: bytes, at_s: float = 0.0, uuid: str = PERIPHERAL) -> RawPacket:
    return RawPacket(round(at_s * 1e9), uuid, payload)


def decoded(packets: Sequence[RawPacket], errors: int = 0, **given: object) -> SampleBlock:
    decoder = DRIVER.decoder(given)
    blocks, refused = decoder.feed_many(packets)
    assert len(refused) == errors, [error.reason for error in refused]
    first, *others = blocks + decoder.finish()
    for block in others:
        first = joined(first, block)
    return first


@pytest.mark.parametrize(
    ("text", "number"),
    [(b"1234.00", 1234), (b"0.00", 0), (b"4095.00\n", 4095), (b"12.34\r\n", 12.34), (b"-3.25", -3.25), (b"17", 17),
     (b"-0.50\n", -0.5), (b"-4095.99", -4095.99),
     (b"0.5", 0.5), (b"1000000.25", 1000000.25), (b"2.50\0", 2.5), (b" 7.00", 7)],
)  # fmt: skip
@pytest.mark.parametrize("uuid", [PERIPHERAL, UART])
def test_a_text_is_one_number(text: bytes, number: float, uuid: str) -> None:
    block = decoded([packet(text, uuid=uuid)], rate_hz=100)
    assert block.values.tolist() == [[number]]
    assert (block.modality, block.unit, block.channels) == (Modality.EMG, "1", ("1",))
    assert block.t_s.tolist() == [0.0]


@pytest.mark.parametrize(
    ("payload", "values"), [(b"\x00", [0]), (b"\xff", [255]), (b"\x01\x02\x03\xff", [1, 2, 3, 255])]
)
def test_one_byte_is_one_muscle_and_four_are_four(payload: bytes, values: list[int]) -> None:
    block = decoded([packet(payload, uuid=SPARKFUN)], rate_hz=100)
    assert block.values.tolist() == [values]
    assert block.channels == tuple("1234"[: len(values)])


@pytest.mark.parametrize(
    ("payload", "uuid", "reason"),
    [
        (b"", PERIPHERAL, "not a number"),
        (b"nan", PERIPHERAL, "not a number"),
        (b"inf", UART, "not a number"),
        (b"1.2.3", UART, "not a number"),
        (b"12,34", PERIPHERAL, "not a number"),
        (b"-.25", PERIPHERAL, "not a number"),
        (b"--1.25", PERIPHERAL, "not a number"),
        (b"1-2.25", PERIPHERAL, "not a number"),
        (b"1e5", PERIPHERAL, "not a number"),
        (b"9" * 400, PERIPHERAL, "not a number"),
        (b"12\n13\n", UART, "not a number"),
        (b"\xff\xfe.\x80\x80", PERIPHERAL, "not a number"),
        (b"", SPARKFUN, "neither"),
        (b"\x01\x02", SPARKFUN, "neither"),
        (b"1.00", "x", "unknown characteristic"),
    ],
)
def test_what_is_none_of_these_is_refused(payload: bytes, uuid: str, reason: str) -> None:
    with pytest.raises(PacketError, match=reason):
        DRIVER.decoder({}).feed(packet(payload, uuid=uuid))


def test_a_stated_rate_is_followed_from_the_first_packet() -> None:
    """Bundles of three every 30 ms."""
    packets = [packet(b"%d.00" % i, 0.03 * (i // 3)) for i in range(300)]
    block = decoded(packets, rate_hz=100)
    assert np.diff(block.t_s) == pytest.approx(0.01, abs=0.001)
    assert block.values[:, 0].tolist() == list(range(300))


def test_without_a_rate_a_bundle_is_spread_over_the_time_since_the_one_before() -> None:
    sizes = [2, 3, 1, 4, 2, 2, 3] * 20
    packets = [packet(b"1.00", 0.03 * i + 0.001 * k) for i, size in enumerate(sizes) for k in range(size)]
    block = decoded(packets, **IRREGULAR)
    assert block.t_s.size == sum(sizes)
    ends = np.cumsum(sizes) - 1
    arrival_s = 0.03 * np.arange(len(sizes)) + 0.001 * (np.array(sizes) - 1)
    assert block.t_s[ends] == pytest.approx(arrival_s, abs=1e-6)
    assert np.diff(block.t_s).min() > 0.005


def test_a_gap_is_left_where_nothing_came() -> None:
    packets = [packet(b"1.00", at_s) for at_s in [*np.arange(0, 5, 0.01), *np.arange(9, 14, 0.01)]]
    t_s = decoded(packets, **IRREGULAR).t_s
    assert np.diff(t_s).max() == pytest.approx(4.01, abs=0.011)
    assert np.count_nonzero(np.diff(t_s) > 0.1) == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 3, 5, 30, 400, 5000, -20]), min_size=1, max_size=200),
    st.lists(st.integers(0, 200), max_size=6),
)
def test_any_cutting_and_any_arrivals_give_the_same_increasing_times(waits_ms: list[int], cuts: list[int]) -> None:
    arrival_ns = (np.cumsum(waits_ms) * 1_000_000).astype(np.int64)
    rows = np.arange(arrival_ns.size, dtype=np.float64)[:, None]
    outcomes = []
    for pieces in ([np.arange(arrival_ns.size)], np.split(np.arange(arrival_ns.size), sorted(cuts))):
        axis = HostAxis()
        axis.relative(arrival_ns[:1])
        axis.zero_ns = 0.0
        stream, none = BundledStream(axis, None), np.zeros(0, np.int64)
        made = [stream.take(arrival_ns[p], none, none, rows[p]) for p in pieces]
        made.append(stream.take(none, none, none, rows[:0], last=True))
        outcomes.append([np.concatenate(column) for column in zip(*[m for m in made if m], strict=True)])
    (one_s, one), (many_s, many) = outcomes
    assert one_s.tolist() == many_s.tolist()
    assert one.tolist() == many.tolist() == rows.tolist()
    assert (np.diff(one_s) > 0).all()


@pytest.mark.parametrize(
    ("advert", "known"),
    [
        (Advert("MyoWareSensor1"), True),
        (Advert("MyoW1", ("6e400001-b5a3-f393-e0a9-e50e24dcca9e",)), True),
        (Advert("MYOWARE1", ("19b10000-e8f2-537e-4f6c-d104768a1214",)), True),
        (Advert("left calf", ("ec3af789-2154-49f4-a9fc-bc6c88e9e930",)), True),
        (Advert("Nano33", ("19b10000-e8f2-537e-4f6c-d104768a1214",)), False),
        (Advert("Puck.js", ("6e400001-b5a3-f393-e0a9-e50e24dcca9e",)), False),
        (Advert("My Myo"), False),
        (Advert(), False),
    ],
)
def test_who_is_recognised(advert: Advert, known: bool) -> None:
    assert DRIVER.recognises(advert) is known


@pytest.mark.parametrize(
    ("sketch", "source"),
    [(Sketch.PERIPHERAL, PERIPHERAL), (Sketch.UART, UART), (Sketch.SINGLE, SPARKFUN), (Sketch.MULTI, SPARKFUN)],
)
def test_start_finds_out_which_sketch_it_is(sketch: Sketch, source: str) -> None:
    talk = Conversation(VirtualMyoware(sketch=sketch))
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    talk.carry_out(DRIVER.stop(granted))
    told = [step for step in talk.steps if isinstance(step, Subscribe | Unsubscribe)]
    assert told == [Subscribe(source), Unsubscribe(source)]
    assert (granted["rate_hz"], granted["irregular"]) == (200, True)


@pytest.mark.parametrize("sketch", list(Sketch))
def test_what_the_virtual_shield_sends_is_decoded_as_it_was(sketch: Sketch) -> None:
    talk = Conversation(VirtualMyoware(sketch=sketch))
    granted = talk.carry_out(DRIVER.start(DRIVER.defaults))
    given = list(at_rest(talk.sensor, talk.now_s, 5))
    for blocks in given:
        talk.stream(blocks)
    decoder = DRIVER.decoder(granted)
    made, errors = decoder.feed_many(talk.packets)
    assert errors == []
    truth = np.concatenate([b.values for portion in given for b in portion])
    found = np.concatenate([b.values for b in made + decoder.finish()])
    if sketch in (Sketch.SINGLE, Sketch.MULTI):
        truth = np.clip(np.rint(truth), 0, 255)
    assert found == pytest.approx(truth[:, : found.shape[1]], abs=0.00501)
