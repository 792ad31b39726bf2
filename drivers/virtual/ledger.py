"""The truth about one virtual sensor: every sample it took, every packet it made, and what became of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.virtual.faults import Fate


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery, or the lack of one.

    Attributes:
        number: of the packet, from 0 over the sensor's whole life; copies share it.
        life_s: second of the sensor's life at which this happened.
        t_s: the sensor's own second of the packet's last sample; that of sending for answers.
        characteristic: where it was notified.
        payload: the bytes that travelled.
        fate: what became of it.
        boot: how often the sensor had restarted.
        answer: it answered a write or a subscription; not data.
    """

    number: int
    life_s: float
    t_s: float
    characteristic: str
    payload: bytes
    fate: Fate
    boot: int
    answer: bool


@dataclass(slots=True)
class Ledger:
    """What a test compares with what was stored.

    Attributes:
        keep: keep entries and samples; otherwise only figures, for soaks whose memory must stay flat.
        entries: in the order of delivery.
        fates: how many deliveries of data met each fate.
        made: packets made, answers included.
        links: (up_s, down_s) of each link, life seconds; the last is open while linked.
    """

    keep: bool = True
    entries: list[Entry] = field(default_factory=list)
    fates: Counter[Fate] = field(default_factory=Counter)
    made: int = 0
    links: list[tuple[float, float | None]] = field(default_factory=list)
    _samples: dict[tuple[Modality, str | None], list[tuple[FloatArray, FloatArray, bool]]] = field(default_factory=dict)

    def note(self, entry: Entry) -> None:
        """A delivery happened, or did not."""
        if not entry.answer:
            self.fates[entry.fate] += 1
        if self.keep:
            self.entries.append(entry)

    def sampled(self, block: SampleBlock, life_s: FloatArray, *, linked: bool) -> None:
        """The sensor took these samples."""
        if self.keep:
            self._samples.setdefault((block.modality, block.stream), []).append((life_s, block.values, linked))

    def linked(self, life_s: float) -> None:
        """A link came up."""
        self.links.append((life_s, None))

    def unlinked(self, life_s: float) -> None:
        """It went down."""
        up_s, _ = self.links[-1]
        self.links[-1] = (up_s, life_s)

    def arrived(self, characteristic: str | None = None) -> list[Entry]:
        """Whole data packets that reached the host, each once, in the order they were made."""
        first: dict[int, Entry] = {}
        for entry in self.entries:
            fits = characteristic is None or entry.characteristic == characteristic
            if fits and entry.fate.whole and not entry.answer:
                first.setdefault(entry.number, entry)
        return [first[number] for number in sorted(first)]

    def delivered(self, characteristic: str | None = None) -> list[Entry]:
        """Everything that reached the host as it came: answers, copies and damaged packets too."""
        return [
            entry
            for entry in self.entries
            if (entry.fate.whole or entry.fate is Fate.TRUNCATED)
            and (characteristic is None or entry.characteristic == characteristic)
        ]

    def samples(
        self, modality: Modality, stream: str | None = None, *, linked_only: bool = True
    ) -> tuple[FloatArray, FloatArray]:
        """(n,) life seconds and (n, channels) values of the samples taken, by default only those while linked."""
        parts = [part for part in self._samples.get((modality, stream), []) if part[2] or not linked_only]
        if not parts:
            return np.zeros(0), np.zeros((0, 0))
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])
