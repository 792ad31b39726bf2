"""Decoded blocks of one session laid out as rows on one time axis, in bounded memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.samples import UNIT, FloatArray, Modality, SampleBlock
from drivers.rows import ACC_COLUMNS, GYR_COLUMNS, TEMP_COLUMN

# Small groups are gathered before they are laid out: the cost of a row is then that of a long group's.
_GATHERED_SAMPLES = 50_000

HOLD_S = 30.0
"""Rows wait this long for streams that lag behind: three times what streams of one session overlap."""

WRITTEN = (Modality.ACC, Modality.GYR, Modality.TEMP, Modality.EMG)
"""Modalities that have canonical columns, in the order of the columns."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of one stream: a column of the file."""

    modality: Modality
    stream: str | None
    name: str
    unit: str


Stream = tuple[Channel, ...]
"""The channels that are sampled together."""


def column_names(channels: Sequence[Channel]) -> list[str]:
    """Canonical column of each channel; where two streams claim one, the stream's name goes before it."""
    plain = [_plain_column(channel) for channel in channels]
    return [
        f"{_slug(channel.stream)}_{name}" if channel.stream and plain.count(name) > 1 else name
        for channel, name in zip(channels, plain, strict=True)
    ]


def _plain_column(channel: Channel) -> str:
    if channel.modality is Modality.TEMP:
        return TEMP_COLUMN
    if channel.modality is Modality.EMG:
        # Raw counts of unknown scale are not microvolts: the column then has no unit suffix.
        suffix = "_uv" if channel.unit == UNIT[Modality.EMG] else ""
        return f"emg_{_slug(channel.name)}{suffix}"
    names = ACC_COLUMNS if channel.modality is Modality.ACC else GYR_COLUMNS
    return names["xyz".index(channel.name)]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


class RowMerger:
    """Streams in, rows out: t_s strictly increasing, one row an instant, NaN where a channel has no sample.

    Attributes:
        channels: columns of the rows given out, in order; only ever grows at its end.
        left_out: modalities that came and have no canonical column.
    """

    def __init__(self) -> None:
        self.channels: list[Channel] = []
        self.left_out: set[Modality] = set()
        self._held: dict[Stream, list[SampleBlock]] = {}
        self._samples = 0
        self._newest_s = -np.inf
        self._given_s = -np.inf

    def feed(self, blocks: Iterable[SampleBlock]) -> tuple[FloatArray, FloatArray]:
        """Rows that nothing can come before any more: t_s (n,), values (n, channels).

        Raises:
            ValueError: a block begins before rows already given out.
        """
        fresh: list[Channel] = []
        for block in blocks:
            if block.modality not in WRITTEN:
                self.left_out.add(block.modality)
            elif len(block):
                self._hold(block, fresh)
        self.channels += sorted(fresh, key=lambda channel: WRITTEN.index(channel.modality))
        return self._rows_before(self._newest_s - HOLD_S if self._samples >= _GATHERED_SAMPLES else -np.inf)

    def finish(self) -> tuple[FloatArray, FloatArray]:
        """The rows still held back."""
        return self._rows_before(np.inf)

    def _hold(self, block: SampleBlock, fresh: list[Channel]) -> None:
        if block.t_s[0] < self._given_s:
            raise ValueError(
                f"{block.modality} from {block.t_s[0]} s came after rows up to {self._given_s} s were given"
            )
        stream = tuple(Channel(block.modality, block.stream, name, block.unit) for name in block.channels)
        if stream not in self._held:
            self._held[stream] = []
            fresh += [one for one in stream if one not in self.channels and one not in fresh]
        self._held[stream].append(block)
        self._samples += len(block)
        self._newest_s = max(self._newest_s, float(block.t_s[-1]))

    def _rows_before(self, end_s: float) -> tuple[FloatArray, FloatArray]:
        if end_s <= self._given_s:
            return self._laid_out({})
        ready: dict[Stream, tuple[FloatArray, FloatArray]] = {}
        for stream, blocks in self._held.items():
            early, self._held[stream] = _cut(blocks, end_s)
            if early:
                ready[stream] = (
                    np.concatenate([block.t_s for block in early]),
                    np.concatenate([block.values for block in early]),
                )
        self._given_s = end_s
        self._samples -= sum(t_s.size for t_s, _ in ready.values())
        return self._laid_out(ready)

    def _laid_out(self, ready: Mapping[Stream, tuple[FloatArray, FloatArray]]) -> tuple[FloatArray, FloatArray]:
        if not ready:
            return np.empty(0), np.empty((0, len(self.channels)))
        t_s = np.unique(np.concatenate([instants for instants, _ in ready.values()]))
        values = np.full((t_s.size, len(self.channels)), np.nan, order="F")
        for stream, (instants, samples) in ready.items():
            at = np.searchsorted(t_s, instants)
            for column, channel in enumerate(stream):
                values[at, self.channels.index(channel)] = samples[:, column]
        return t_s, values


def _cut(blocks: Sequence[SampleBlock], end_s: float) -> tuple[list[SampleBlock], list[SampleBlock]]:
    """Blocks of one stream before an instant, and from it on; the one across it is cut in two."""
    early, late = [], []
    for block in blocks:
        if block.t_s[-1] < end_s:
            early.append(block)
        elif block.t_s[0] >= end_s:
            late.append(block)
        else:
            at = int(np.searchsorted(block.t_s, end_s))
            early.append(block.between(0, at))
            late.append(block.between(at, len(block)))
    return early, late
