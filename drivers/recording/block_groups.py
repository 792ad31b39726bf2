"""Blocks of several streams, cut so that they cover the same stretch of time."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from analysis.samples import Modality, SampleBlock

_SLOW = frozenset({Modality.BATTERY, Modality.HR})
"""They come once a second or once an hour: nobody waits for them."""
_SILENT_S = 60.0
"""A stream that has lagged behind by this much has stopped."""

Stream = tuple[Modality, str | None, tuple[str, ...], str]


class BlockGroups:
    """Holds back what one stream is ahead of the others, until they have caught up."""

    def __init__(self) -> None:
        self._held: dict[Stream, SampleBlock] = {}

    def add(self, blocks: Iterable[SampleBlock]) -> tuple[SampleBlock, ...]:
        """Blocks of all streams up to the instant that the slowest living stream has reached."""
        for block in blocks:
            key = (block.modality, block.stream, block.channels, block.unit)
            self._held[key] = joined(self._held[key], block) if key in self._held else block
        ends = {key: float(block.t_s[-1]) for key, block in self._held.items() if len(block)}
        paced = [end for key, end in ends.items() if key[0] not in _SLOW] or list(ends.values())
        if not paced:
            return ()
        until_s = min(end for end in paced if end >= max(paced) - _SILENT_S)
        group = []
        for key, block in list(self._held.items()):
            cut = int(np.searchsorted(block.t_s, until_s, side="right"))
            if cut:
                group.append(block.between(0, cut))
            if cut < len(block):
                self._held[key] = block.between(cut, len(block))
            else:
                del self._held[key]
        return tuple(group)

    def rest(self) -> tuple[SampleBlock, ...]:
        """What is still held back."""
        group = tuple(block for block in self._held.values() if len(block))
        self._held = {}
        return group


def joined(first: SampleBlock, second: SampleBlock) -> SampleBlock:
    """Two blocks of one stream as one."""
    return SampleBlock(
        first.modality,
        np.concatenate([first.t_s, second.t_s]),
        np.concatenate([first.values, second.values]),
        first.channels,
        first.rate_hz,
        first.stream,
        first.unit,
    )
