"""Which of several sensors that are alike is the one in the hand: each streams for a moment, one is shaken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from analysis.samples import Modality, SampleBlock
from drivers.ble import Link, Radio
from drivers.decoder import Settings
from drivers.driver import Driver
from drivers.errors import LinkError
from drivers.packets import RawPacket
from tracker.sensors import Found

SHAKE_S = 5.0
STILL_MPS2 = 1.0
"""A sensor in a quiet hand moves less than this, one that is shaken much more. Chosen, not measured."""
CLEARLY = 3.0
"""The one that is shaken moves so many times as much as any other."""
_BY = (Modality.ACC, Modality.GYR, Modality.EMG)


@dataclass(slots=True)
class _Stream:
    """One candidate while it streams."""

    found: Found
    driver: Driver
    link: Link
    packets: list[RawPacket] = field(default_factory=list)
    settings: Settings | None = None


async def motions(
    radio: Radio, candidates: Sequence[Found], ready: Callable[[], None], seconds: float = SHAKE_S
) -> list[tuple[Found, float]]:
    """How much each candidate moves while all stream together, the most first.

    Args:
        radio: how they are reached; they are connected one at a time.
        candidates: sensors with a driver.
        ready: called once all stream and shaking is to begin.
        seconds: how long is listened.

    Returns:
        Spread of the acceleration in m/s2 (of the turn or the muscle where there is none); 0 for one that did
        not stream.
    """
    streams = [_stream_of(radio, found) for found in candidates if found.driver is not None]
    try:
        for stream in streams:
            await _start(stream)
        for stream in streams:
            stream.packets.clear()
        ready()
        await asyncio.sleep(seconds)
    finally:
        for stream in streams:
            await _end(stream)
    moved = [(stream.found, spread(_blocks(stream))) for stream in streams]
    return sorted(moved, key=lambda pair: -pair[1])


def picked(moved: Sequence[tuple[Found, float]]) -> Found | None:
    """The one that clearly moved more than all others; None where that cannot be said."""
    if not moved:
        return None
    (found, most), *others = moved
    next_most = max((much for _, much in others), default=0.0)
    return found if most > STILL_MPS2 and most > CLEARLY * next_most else None


def spread(blocks: Sequence[SampleBlock]) -> float:
    """Root of the summed variance over the channels of the best modality there is; 0 without samples."""
    for modality in _BY:
        values = [block.values for block in blocks if block.modality is modality and len(block)]
        if values:
            return float(np.sqrt(np.concatenate(values).var(axis=0).sum()))
    return 0.0


def _stream_of(radio: Radio, found: Found) -> _Stream:
    if found.driver is None:
        raise ValueError("no driver knows this candidate")
    heard: list[RawPacket] = []
    loop = asyncio.get_running_loop()
    link = Link(radio, found.sighting, arrival_ns=lambda: round(loop.time() * 1e9), on_packet=heard.append)
    return _Stream(found, found.driver, link, heard)


async def _start(stream: _Stream) -> None:
    """A candidate that cannot be connected or started is one that does not move."""
    with suppress(LinkError):
        await stream.link.open()
        stream.settings = await stream.link.run(stream.driver.start(stream.driver.defaults))


async def _end(stream: _Stream) -> None:
    if stream.settings is not None and not stream.link.lost.is_set():
        with suppress(LinkError):
            await stream.link.run(stream.driver.stop(stream.settings))
    await stream.link.close()


def _blocks(stream: _Stream) -> list[SampleBlock]:
    if stream.settings is None:
        return []
    decoder = stream.driver.decoder(stream.settings)
    blocks, _ = decoder.feed_many(stream.packets)
    return [*blocks, *decoder.finish()]
