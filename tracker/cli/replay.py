"""`soleus replay`: a file played through the live path, packet by packet."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np

from analysis.events import Contraction, Findings
from analysis.samples import SampleBlock
from drivers import registry
from drivers.errors import PacketError, RecordingError
from drivers.recording import Recording
from drivers.rows import RowChunk
from tracker.cli.analyze import print_table
from tracker.cli.faults import say
from tracker.cli.options import FILE, file_options, json_option, leg_option, read_options
from tracker.cli.output import print_json
from tracker.counting import Counting
from tracker.facts import why_uncountable
from tracker.intake import Input, leg_of, open_input
from tracker.samplefile import SampleFile

PIECE_S = 0.5
"""Rows of a sample file arrive in pieces of this length, about as a radio would bring them."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Blocks that a packet completed, `due_s` after the first packet."""

    due_s: float
    blocks: tuple[SampleBlock, ...]


@dataclass(slots=True)
class Refused:
    """How many packets were refused on the way."""

    packets: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a replay goes: `speed` times real time, 0 for as fast as possible, by an injected clock."""

    speed: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def keep(self, begun_s: float, due_s: float) -> None:
        """Waits until something that came `due_s` after the beginning is due again."""
        if self.speed > 0.0:
            rest_s = begun_s + due_s / self.speed - self.clock()
            if rest_s > 0.0:
                self.sleep(rest_s)


def play(arrivals: Iterator[Arrival], pace: Pace, show: Callable[[Contraction], None]) -> Counting:
    """Feeds arrivals to the pipeline as they fall due, and shows each contraction once it is final."""
    counting = Counting()
    begun_s = pace.clock()
    for arrival in arrivals:
        pace.keep(begun_s, arrival.due_s)
        _show(counting.feed(*arrival.blocks), show)
    _show(counting.finish(), show)
    return counting


def _show(found: Findings, show: Callable[[Contraction], None]) -> None:
    for event in sorted(found.contractions, key=lambda event: event.peak_s):
        show(event)


def arrivals_of(source: Input, refused: Refused) -> Iterator[Arrival]:
    """What a file holds, as it would come in live."""
    if isinstance(source, SampleFile):
        yield from _row_arrivals(source.chunks())
        return
    yield from _row_arrivals(source.rows())
    yield from _packet_arrivals(source, refused)


def _row_arrivals(chunks: Iterator[RowChunk]) -> Iterator[Arrival]:
    first_s: float | None = None
    for chunk in chunks:
        first_s = float(chunk.t_s[0]) if first_s is None else first_s
        turn = np.floor((chunk.t_s - first_s) / PIECE_S)
        edges = [0, *(np.flatnonzero(np.diff(turn)) + 1).tolist(), chunk.t_s.size]
        for start, end in pairwise(edges):
            piece = RowChunk(chunk.t_s[start:end], chunk.columns, chunk.values[start:end], chunk.rate_hz)
            yield Arrival(float(piece.t_s[-1]) - first_s, piece.blocks())


def _packet_arrivals(recording: Recording, refused: Refused) -> Iterator[Arrival]:
    decoder = None
    first_ns = last_ns = 0
    for packet in recording.packets():
        if decoder is None:
            decoder = _driver(recording).decoder(recording.header.settings)
            first_ns = packet.arrival_ns
        last_ns = packet.arrival_ns
        refused.packets += 1
        try:
            blocks = decoder.feed(packet)
        except PacketError:
            refused.errors += 1
            continue
        if blocks:
            yield Arrival((last_ns - first_ns) / 1e9, tuple(blocks))
    if decoder is not None:
        yield Arrival((last_ns - first_ns) / 1e9, tuple(decoder.finish()))


def _driver(recording: Recording) -> Any:
    try:
        return registry.driver(recording.header.driver)
    except registry.UnknownDriverError as error:
        raise RecordingError(str(error), recording.path) from error


@click.command("replay")
@click.argument("file", type=FILE)
@click.option(
    "--speed",
    type=click.FloatRange(0.0),
    help="Times real time, 0 as fast as possible. Without it: 1 on a terminal, else 0.",
)
@file_options
@leg_option
@json_option
def command(file: Path, speed: float | None, leg: str | None, as_json: bool, **units: Any) -> None:
    """Play a sample file or a recording through the live path: a line for each contraction once it is final."""
    if speed is None:
        speed = 1.0 if sys.stdout.isatty() and not as_json else 0.0
    source = open_input(file, read_options(**units))
    refused = Refused()
    counting = play(arrivals_of(source, refused), Pace(speed), _print_nothing if as_json else _print_event)
    if isinstance(source, Recording):
        leg = leg or leg_of(source.header)
        source.close()
    facts = counting.facts
    if not facts.streams:
        raise RecordingError("no samples could be decoded from it", file)
    if as_json:
        told = facts.to_json()
        told["recording"]["leg"] = leg
        told["quality"] = {"packets": refused.packets, "refused_or_double": refused.errors}
        print_json(told)
        return
    print_table(file.name, facts)
    if why := why_uncountable(facts):
        say(f"nothing can be counted in {file.name}: {why}")


def _print_event(event: Contraction) -> None:
    more = "".join(f"  {name} {value}" for name, value in event.attributes.items() if name == "gait")
    click.echo(f"{event.peak_s:10.2f} s  {event.kind.replace('_', ' '):14}  {event.confidence:.2f}{more}")


def _print_nothing(event: Contraction) -> None:
    """With --json the document at the end says it all."""
