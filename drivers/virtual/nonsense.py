"""Packets that no sensor sends, and packets of a sensor at rest: what the conformance kit feeds to decoders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from analysis.samples import STANDARD_GRAVITY_MPS2, UNIT, XYZ, FloatArray, Modality, SampleBlock
from drivers.packets import RawPacket
from drivers.virtual.peripheral import Peripheral

_AT_REST: dict[Modality, tuple[float, ...]] = {
    Modality.ACC: (0.0, 0.0, STANDARD_GRAVITY_MPS2),
    Modality.FREE_ACC: (0.0, 0.0, 0.0),
    Modality.GYR: (0.0, 0.0, 0.0),
    Modality.MAG: (20.0, 0.0, -43.0),
    Modality.QUAT: (1.0, 0.0, 0.0, 0.0),
    Modality.EULER: (0.0, 0.0, 0.0),
    Modality.EMG: (0.0,) * 8,
    Modality.TEMP: (30.0,),
}
_CHANNELS = {
    Modality.QUAT: ("w", "x", "y", "z"),
    Modality.EULER: ("roll", "pitch", "yaw"),
    Modality.EMG: tuple("12345678"),
    Modality.TEMP: ("temp",),
}
_NOISE = {Modality.EMG: 20.0, Modality.ACC: 0.02, Modality.GYR: 0.002}
"""Standard deviations: a muscle's noise, and what a good sensor shows on a table."""
PORTION_S = 0.25


def at_rest(sensor: Peripheral, from_s: float, seconds: float, seed: int = 0) -> Iterator[list[SampleBlock]]:
    """Samples of everything that streams, of a sensor that lies still, a quarter of a second at a time.

    Args:
        sensor: its `rate_hz` says what streams.
        from_s: the sensor's second of the first sample.
        seconds: how long.
        seed: of the noise.
    """
    dice = np.random.default_rng(seed)
    rates = {kind: rate for kind in _AT_REST if (rate := sensor.rate_hz(str(kind)))}
    sent = dict.fromkeys(rates, 0)
    for portion in range(1, round(seconds / PORTION_S) + 1):
        blocks = []
        for kind, rate in rates.items():
            last = int(portion * PORTION_S * rate)
            t_s: FloatArray = from_s + np.arange(sent[kind], last) / rate
            sent[kind] = last
            noise = dice.normal(0.0, 1.0, (t_s.size, len(_AT_REST[kind]))) * _NOISE.get(kind, 0.0)
            channels = _CHANNELS.get(kind, XYZ)
            blocks.append(SampleBlock(kind, t_s, noise + _AT_REST[kind], channels, rate, unit=UNIT[kind]))
        yield [block for block in blocks if len(block)]


def random_packets(
    like: Sequence[RawPacket], characteristics: Sequence[str], count: int, seed: int
) -> list[RawPacket]:  # fmt: skip
    """Noise of any length, half of it behind the first bytes of a real packet.

    Args:
        like: real packets, may be empty.
        characteristics: where the noise claims to come from.
        count: how many.
        seed: of the dice.
    """
    dice = np.random.default_rng([seed, 1])
    made, arrival_ns = [], 0
    for _ in range(count):
        arrival_ns += _wait_ns(dice)
        payload = dice.bytes(int(dice.integers(0, 2 if dice.random() < 0.1 else 260)))
        name = str(dice.choice(list(characteristics)))
        if like and dice.random() < 0.5:
            model = like[int(dice.integers(len(like)))]
            name, payload = model.characteristic, model.payload[: int(dice.integers(1, 11))] + payload
        made.append(RawPacket(arrival_ns, name, payload))
    return made


def mutated_packets(like: Sequence[RawPacket], count: int, seed: int) -> list[RawPacket]:
    """Real packets with bytes changed, cut off, added, repeated, or under another's name.

    Args:
        like: real packets; none give none.
        count: how many.
        seed: of the dice.
    """
    if not like:
        return []
    dice = np.random.default_rng([seed, 2])
    made, arrival_ns = [], 0
    for place in range(count):
        arrival_ns += _wait_ns(dice)
        model = like[place % len(like) if dice.random() < 0.8 else int(dice.integers(len(like)))]
        payload = bytearray(model.payload)
        for _ in range(int(dice.integers(0, 4)) if payload else 0):
            payload[int(dice.integers(len(payload)))] = int(dice.integers(256))
        luck = dice.random()
        if luck < 0.2:
            del payload[int(dice.integers(len(payload) + 1)) :]
        elif luck < 0.3:
            payload += dice.bytes(int(dice.integers(1, 30)))
        name = model.characteristic if luck < 0.95 else like[int(dice.integers(len(like)))].characteristic
        made.append(RawPacket(arrival_ns, name, bytes(payload)))
    return made


def _wait_ns(dice: np.random.Generator) -> int:
    """Mostly milliseconds, sometimes nothing, seldom seconds."""
    luck = dice.random()
    if luck < 0.2:
        return 0
    return int(dice.integers(0, 10_000_000_000 if luck > 0.995 else 50_000_000))
