"""The conformance kit: what every driver must do, checked without a radio, for own and plugged-in drivers.

A driver's virtual sensor is the module `drivers/virtual/<name>.py` with `VIRTUAL`, a callable that makes a
`Peripheral`; another package names its own by an entry point of the group `soleus.virtual`. A driver without
one is checked as far as that goes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from itertools import islice
from typing import cast

import numpy as np

import drivers.virtual
from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray, Modality, SampleBlock
from drivers import registry
from drivers.decoder import Decoder, Settings
from drivers.driver import Advert, Driver
from drivers.errors import LinkError, PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.script import Script, Subscribe
from drivers.virtual.conversation import Conversation
from drivers.virtual.nonsense import at_rest, mutated_packets, random_packets
from drivers.virtual.peripheral import Peripheral

VIRTUAL_ENTRY_POINT_GROUP = "soleus.virtual"
"""Another package adds a virtual sensor with an entry point of this group: name = driver name."""

_INTERVAL_NS = 30_000_000
"""A usual connection interval: what is sent within it arrives at one instant."""

_STREAM_S = 30.0
_UNFILLED_S = 5.0
"""So much may still wait in the sensor for its packet to fill: Polar's are the largest."""
_GRAVITY_TOLERANCE_MPS2 = 0.2
_STILL_RAD_S = 0.02
_LONGEST_SCRIPT = 500
_STRANGERS = (
    Advert("A telephone", manufacturer_data={0x004C: b"\x10\x05\x03"}),
    Advert("Heart strap", services=("0000180d-0000-1000-8000-00805f9b34fb",)),
    Advert("WTVB01-BT50", services=("0000ffe5-0000-1000-8000-00805f9a34fb",)),
    Advert(None, service_data={"0000fe2c-0000-1000-8000-00805f9b34fb": b"\0"}),
    Advert(),
)
"""Who else is in a room."""

Outcome = tuple[dict[tuple[str, ...], tuple[bytes, bytes]], list[tuple[str, bytes]]]


@dataclass(frozen=True, slots=True)
class Check:
    """One result: what was checked, whether the driver passed, and one sentence about what was seen."""

    name: str
    passed: bool
    sentence: str


@dataclass(slots=True)
class _Bench:
    """A driver on the bench, with its virtual sensor and what it streamed there."""

    driver: Driver
    packets: int
    seed: int
    virtual: Callable[[], Peripheral] | None
    granted: Settings = field(default_factory=dict)
    streamed: list[RawPacket] = field(default_factory=list)
    sampled: dict[str, int] = field(default_factory=dict)
    stopped: str = ""


class _Failed(Exception):  # noqa: N818
    """A check did not pass; the text is its sentence."""


def check(name: str, *, packets: int = 2000, seed: int = 0) -> list[Check]:
    """Runs the kit on one driver.

    Args:
        name: the driver.
        packets: how many random packets, and again how many mutated ones.
        seed: of the dice.

    Returns:
        Results in the order they were made; a check that could not be made is not among them.

    Raises:
        UnknownDriverError: there is no such driver.
    """
    bench = _Bench(registry.driver(name), packets, seed, virtual_of(name))
    return [_made(title, judge, bench) for title, judge in _checks(bench)]


def virtual_of(name: str) -> Callable[[], Peripheral] | None:
    """What makes a driver's virtual sensor, None where there is none."""
    for point in entry_points(group=VIRTUAL_ENTRY_POINT_GROUP):
        if point.name == name:
            return cast("Callable[[], Peripheral]", point.load())
    module = f"{drivers.virtual.__name__}.{name.replace('-', '_')}"
    if not name.replace("-", "").isidentifier() or find_spec(module) is None:
        return None
    return cast("Callable[[], Peripheral] | None", getattr(import_module(module), "VIRTUAL", None))


def _checks(bench: _Bench) -> Iterator[tuple[str, Callable[[_Bench], str]]]:
    yield "describes itself", _describes
    yield "recognises its advert", _recognises
    if bench.virtual:
        yield "starts", _starts
        yield "streams", _streams
        yield "units at rest", _units
        yield "stops", _stops
        yield "starts again", _starts_again
    yield "times increase", _times
    yield "one by one as many at once", _any_cutting
    yield "survives nonsense", _survives


def _made(title: str, judge: Callable[[_Bench], str], bench: _Bench) -> Check:
    try:
        return Check(title, True, judge(bench))
    except _Failed as failed:
        return Check(title, False, str(failed))
    except Exception as error:
        return Check(title, False, f"raised {type(error).__name__}: {error}")


def _describes(bench: _Bench) -> str:
    driver = bench.driver
    if driver.packet_interval_s <= 0 or driver.facts.best_rate_hz <= 0 or not driver.facts.measures:
        raise _Failed("packet interval, best rate or what it measures is missing")
    if driver.facts.battery != (driver.battery is not None) or driver.facts.vibrates != (driver.buzz is not None):
        raise _Failed("its facts and its scripts disagree about battery or vibration")
    return f"{driver.name}: {driver.title}, measures {driver.facts.measures}"


def _recognises(bench: _Bench) -> str:
    recognises = bench.driver.recognises
    others = [(name, advert_of(make())) for name in registry.names() if (make := virtual_of(name))]
    claimed = [name for name, advert in others if name != bench.driver.name and recognises(advert)]
    claimed += [str(advert.name) for advert in _STRANGERS if recognises(advert)]
    if claimed:
        raise _Failed(f"claims devices that are not its own: {', '.join(claimed)}")
    if bench.virtual is None:
        return "claims no other's advertisement"
    if not recognises(advert_of(bench.virtual())):
        raise _Failed("does not recognise its own virtual sensor's advertisement")
    return "knows its own advertisement and claims no other's"


def advert_of(sensor: Peripheral) -> Advert:
    """What a scan sees of a virtual sensor."""
    return Advert(sensor.local_name, tuple(sensor.advertised_services), dict(sensor.manufacturer_data))


def _starts(bench: _Bench) -> str:
    talk = Conversation(_sensor(bench))
    try:
        bench.granted = talk.carry_out(bench.driver.start(bench.driver.defaults))
    except LinkError as error:
        raise _Failed(f"its virtual sensor could not be started: {error}") from error
    for blocks in at_rest(talk.sensor, talk.now_s, _STREAM_S, bench.seed):
        for block in blocks:
            bench.sampled[str(block.modality)] = bench.sampled.get(str(block.modality), 0) + len(block)
        talk.stream(blocks)
    bench.streamed = list(talk.packets)
    bench.stopped = _stop(bench, talk)
    if not bench.sampled:
        raise _Failed("its virtual sensor streams nothing after the start script")
    rate_hz = f" at {bench.granted['rate_hz']:g} Hz" if "rate_hz" in bench.granted else ""
    return f"{len(talk.steps)} steps from connected to stopped, streams {' '.join(bench.sampled)}{rate_hz}"


def _stop(bench: _Bench, talk: Conversation) -> str:
    """Stops, and says what is wrong with that; empty where nothing is."""
    try:
        talk.carry_out(bench.driver.stop(bench.granted))
    except LinkError as error:
        return f"the stop script failed: {error}"
    heard = len(talk.packets)
    for modality in bench.sampled:
        t_s = talk.now_s + np.arange(1, 500) / 100
        talk.stream([SampleBlock(Modality(modality), t_s, np.zeros((t_s.size, 3)))])
    if len(talk.packets) > heard:
        return "it still streams after the stop script"
    return ""


def _streams(bench: _Bench) -> str:
    blocks, errors = _decoded(bench)
    if not blocks:
        raise _Failed("nothing was streamed that could be decoded")
    if errors:
        raise _Failed(f"{len(errors)} of its sensor's packets were refused, the first because: {errors[0].reason}")
    got: dict[str, int] = {}
    for block in blocks:
        got[str(block.modality)] = got.get(str(block.modality), 0) + len(block)
    for modality, count in bench.sampled.items():
        least = count * (1 - _UNFILLED_S / _STREAM_S)
        if not least <= got.get(modality, 0) <= count:
            raise _Failed(f"{count} {modality} samples were taken and {got.get(modality, 0)} decoded")
    return f"{sum(got.values())} samples of {' '.join(got)} out of {len(bench.streamed)} packets, none refused"


def _units(bench: _Bench) -> str:
    said = []
    for block in _decoded(bench)[0]:
        values = block.values
        if not np.isfinite(values).all():
            raise _Failed(f"{block.modality} holds values that are not finite")
        if block.modality is Modality.ACC:
            size = float(np.linalg.norm(values, axis=1).mean())
            if abs(size - STANDARD_GRAVITY_MPS2) > _GRAVITY_TOLERANCE_MPS2:
                raise _Failed(f"at rest it measures {size:.3f} m/s2 instead of 9.807")
            said.append(f"{size:.3f} m/s2")
        if block.modality is Modality.GYR:
            fastest = float(np.abs(values.mean(axis=0)).max())
            if fastest > _STILL_RAD_S:
                raise _Failed(f"at rest it turns at {fastest:.3f} rad/s")
            said.append(f"{fastest:.4f} rad/s")
        if block.modality is Modality.QUAT and np.abs(np.linalg.norm(values, axis=1) - 1).max() > 0.01:
            raise _Failed("its quaternions are not of length 1")
    return f"at rest it measures {', '.join(said) or 'finite values'}"


def _stops(bench: _Bench) -> str:
    if bench.stopped:
        raise _Failed(bench.stopped)
    return "nothing is sent after the stop script"


def _starts_again(bench: _Bench) -> str:
    """A session that died leaves the sensor as it was; the next one must get it to stream."""
    talk = Conversation(_sensor(bench))
    talk.carry_out(bench.driver.start(bench.driver.defaults))
    talk.sensor.disconnect()
    again = Conversation(talk.sensor, talk.now_s + 60)
    try:
        again.carry_out(bench.driver.start(bench.driver.defaults))
    except LinkError as error:
        raise _Failed(f"a sensor that a dead session left streaming cannot be started: {error}") from error
    for blocks in at_rest(again.sensor, again.now_s, _STREAM_S / 3, bench.seed):
        again.stream(blocks)
    if not again.packets:
        raise _Failed("a sensor that a dead session left streaming sends nothing")
    return "a sensor that a dead session left streaming is started anew"


def _times(bench: _Bench) -> str:
    seen: dict[tuple[str, ...], float] = {}
    for packets in (bench.streamed, _nonsense(bench)):
        decoder, seen = bench.driver.decoder(bench.granted), {}
        parts = [decoder.feed_many(packets[at : at + 50])[0] for at in range(0, len(packets), 50)]
        for block in [block for part in parts for block in part] + decoder.finish():
            _increases(block, seen)
    return f"strictly increasing and finite in {len(seen)} streams, nonsense among them"


def _increases(block: SampleBlock, seen: dict[tuple[str, ...], float]) -> None:
    if not len(block):
        raise _Failed("a block without samples")
    t_s: FloatArray = np.concatenate([[seen.get(_key(block), -np.inf)], block.t_s])
    if not np.isfinite(block.t_s).all() or not (np.diff(t_s) > 0).all():
        raise _Failed(f"times of {block.modality} do not increase strictly")
    seen[_key(block)] = float(block.t_s[-1])


def _any_cutting(bench: _Bench) -> str:
    """Also where a host hands over at once what came within one interval of the connection."""
    nonsense = _nonsense(bench)
    packets = nonsense[:1000] + nonsense[-1000:] + bench.streamed
    together = [
        RawPacket(p.arrival_ns // _INTERVAL_NS * _INTERVAL_NS, p.characteristic, p.payload) for p in bench.streamed
    ]
    for stream in (packets, together):
        expected = _one_by_one(bench.driver.decoder(bench.granted), stream)
        for size in (1, 7, len(stream) or 1):
            for given in (stream, PacketBatch.of(stream)):
                if _at_once(bench.driver.decoder(bench.granted), given, size) != expected:
                    raise _Failed(f"{size} packets at once decode differently from one by one")
    return f"{len(packets)} packets decode to the same bits however they are cut"


def _survives(bench: _Bench) -> str:
    """Nothing but PacketError, and a sound stream afterwards is still decoded."""
    packets = _nonsense(bench)
    decoder = bench.driver.decoder(bench.granted)
    refused = 0
    for packet in packets:
        try:
            decoder.feed(packet)
        except PacketError as error:
            refused += 1
            if not error.reason:
                raise _Failed("a PacketError without a reason") from error
    bench.driver.decoder({}).feed_many(packets)
    later_ns = packets[-1].arrival_ns + 60_000_000_000 if packets else 0
    sound = [RawPacket(p.arrival_ns + later_ns, p.characteristic, p.payload) for p in bench.streamed]
    samples = sum(len(block) for block in decoder.feed_many(sound)[0] + decoder.finish())
    if samples < 0.5 * sum(bench.sampled.values()):
        raise _Failed(f"after nonsense, only {samples} of {sum(bench.sampled.values())} sound samples were decoded")
    return f"{len(packets)} random and damaged packets, {refused} refused by PacketError, no other error"


def _sensor(bench: _Bench) -> Peripheral:
    if bench.virtual is None:
        raise _Failed("there is no virtual sensor")
    return bench.virtual()


def _decoded(bench: _Bench) -> tuple[list[SampleBlock], list[PacketError]]:
    decoder = bench.driver.decoder(bench.granted)
    blocks, errors = decoder.feed_many(bench.streamed)
    return blocks + decoder.finish(), errors


def _nonsense(bench: _Bench) -> list[RawPacket]:
    real = bench.streamed
    names = {packet.characteristic for packet in real} | set(_subscribed(bench.driver.start(bench.driver.defaults)))
    noise = random_packets(real, [*sorted(names), "advertisement", "no-such"], bench.packets, bench.seed)
    last_ns = noise[-1].arrival_ns if noise else 0
    damaged = mutated_packets(real or noise, bench.packets, bench.seed)
    return noise + [RawPacket(p.arrival_ns + last_ns, p.characteristic, p.payload) for p in damaged]


def _subscribed(script: Script[Settings]) -> Iterable[str]:
    """What a start script subscribes to, though nobody answers."""

    def steps() -> Iterator[str]:
        try:
            for step in islice(script, _LONGEST_SCRIPT):
                if isinstance(step, Subscribe):
                    yield step.characteristic
        except LinkError:
            return

    return list(steps())


def _key(block: SampleBlock) -> tuple[str, ...]:
    return (str(block.modality), block.stream or "", block.unit, *block.channels)


def _whole(blocks: Sequence[SampleBlock]) -> dict[tuple[str, ...], tuple[bytes, bytes]]:
    """All samples of each stream, as bytes."""
    found: dict[tuple[str, ...], tuple[list[bytes], list[bytes]]] = {}
    for block in blocks:
        times, values = found.setdefault(_key(block), ([], []))
        times.append(block.t_s.tobytes())
        values.append(block.values.tobytes())
    return {key: (b"".join(times), b"".join(values)) for key, (times, values) in found.items()}


def _one_by_one(decoder: Decoder, packets: Sequence[RawPacket]) -> Outcome:
    blocks: list[SampleBlock] = []
    errors = []
    for packet in packets:
        try:
            blocks += decoder.feed(packet)
        except PacketError as error:
            errors.append((error.reason, error.payload))
    return _whole(blocks + decoder.finish()), errors


def _at_once(decoder: Decoder, packets: Sequence[RawPacket], size: int) -> Outcome:
    blocks: list[SampleBlock] = []
    errors = []
    for at in range(0, len(packets), size):
        made, refused = decoder.feed_many(packets[at : at + size])
        blocks += made
        errors += [(error.reason, error.payload) for error in refused]
    return _whole(blocks + decoder.finish()), errors
