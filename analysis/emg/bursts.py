"""Bursts: where the calf channels stand above their floor, with onset, peak, end and what they were like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import numpy as np
import numpy.typing as npt

from analysis.emg.contact import CODES, Contact
from analysis.emg.muscles import CALF, Muscle
from analysis.emg.rules import EmgRules
from analysis.emg.thresholds import DoubleThreshold
from analysis.emg.windows import Shape
from analysis.samples import FloatArray

PEAK_SHARE = 0.85
"""The peak is the last instant with so much of the greatest envelope: force is held until the muscle lets go. sim"""

STRONG_SHARE = 0.25
"""The shape of a burst is read where its amplitude is at least so much of its greatest."""


@dataclass(frozen=True, slots=True)
class Burst:
    """One burst of the calf.

    Attributes:
        onset_s: the first channel rises, session seconds.
        peak_s: the strongest channel's envelope is greatest (it lags by the calf's own 0.1 s).
        end_s: the last channel is back at its floor.
        channel: the one it was found by: the soleus where there is one, else what stands out most.
        ratio: greatest amplitude of that channel in terms of its floor.
        envelope: greatest linear envelope of that channel, in its unit.
        level: the same in terms of the wearer's own maximum so far, this burst included: 0..1.
        levels: likewise for each muscle that is told apart.
        lateness: centre of its strong part's amplitude: -0.5..0.5, positive leans to the end.
        mean_hz: mean frequency, None below 400 Hz.
        median_hz: median frequency of the window of its peak, None below 500 Hz.
        contact: contact of the strongest channel at the peak.
        refused: why it is no contraction, "" where nothing speaks against it.
    """

    onset_s: float
    peak_s: float
    end_s: float
    channel: str
    ratio: float
    envelope: float
    level: float
    levels: dict[Muscle, float] = field(default_factory=dict)
    lateness: float = 0.0
    mean_hz: float | None = None
    median_hz: float | None = None
    contact: Contact = Contact.GOOD
    refused: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Decided cells of one stretch, one column a cell; channels are rows.

    Attributes:
        start_s: (n,) start of each cell.
        ratio: (c, n) smoothed amplitude over the floor.
        envelope: (c, n) linear envelope.
        energy, power: (c, n) mean energy and power.
        contact: (c, n) codes.
        hum_change: (c, n) mains power near the cell's window where it comes or goes, else 0.
        median_hz: (c, n) median frequency of the cell's window.
    """

    start_s: FloatArray
    ratio: FloatArray
    envelope: FloatArray
    energy: FloatArray
    power: FloatArray
    contact: npt.NDArray[np.int64]
    hum_change: FloatArray
    median_hz: FloatArray

    def from_(self, first: int) -> Cells:
        """Without the cells before `first`."""
        return Cells(*(getattr(self, f.name)[..., first:] for f in fields(self)))

    def __add__(self, other: Cells) -> Cells:
        return Cells(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)], axis=-1) for f in fields(self)))


class BurstFinder:
    """Decided cells in, finished bursts out; remembers the wearer's own maximum over the whole session."""

    def __init__(self, shape: Shape, channels: tuple[str, ...], muscles: tuple[Muscle, ...], rules: EmgRules) -> None:
        self._shape, self._rules = shape, rules
        self._names, self._muscles = channels, muscles
        self._calf = np.array([k for k, m in enumerate(muscles) if m in CALF], dtype=np.int64)
        self._soleus = np.array([k for k, m in enumerate(muscles) if m is Muscle.SOLEUS], dtype=np.int64)
        self._shin = [k for k, m in enumerate(muscles) if m is Muscle.TIBIALIS_ANTERIOR]
        self._threshold = DoubleThreshold.at(shape, rules, self._soleus.size or self._calf.size)
        self._join = shape.cells_in(rules.join_s)
        self._most = np.zeros(len(channels))
        self._held: Cells | None = None
        self._first = 0  # number of the first held cell within its stretch
        self._decided = 0  # no segment that ends before this cell of the stretch is still open
        self.until_s = -np.inf

    def feed(self, cells: Cells | None, *, ends: bool) -> list[Burst]:
        """Bursts that are over. `ends` closes the stretch."""
        if cells is not None and cells.start_s.size:
            self._held = cells if self._held is None else self._held + cells
        if self._held is None or self._calf.size == 0:
            return []
        strongest = self._strongest(self._held.ratio)
        found, keep = [], strongest.size
        for first, last in self._segments(strongest):
            if last + self._join > strongest.size and not ends:
                keep = min(keep, first)
                break
            if last + self._first <= self._decided:
                continue  # the end of one that was told is held as context
            self._decided = last + self._first
            if burst := self._describe(self._held, strongest, first, last):
                found.append(burst)
        self._forget(keep, ends=ends)
        return found

    def _strongest(self, ratio: FloatArray) -> FloatArray:
        """How far the calf stands out (n,): the soleus where its electrode can be used, else any other calf channel."""
        calf = ratio[self._calf].max(axis=0)
        if not self._soleus.size or self._soleus.size == self._calf.size:
            return calf
        soleus = ratio[self._soleus].max(axis=0)
        return np.where(soleus > 0.0, soleus, calf)

    def _segments(self, strongest: FloatArray) -> Iterator[tuple[int, int]]:
        """Runs of cells above the lower threshold, those less than `join` apart as one."""
        above = np.concatenate([[False], strongest > self._threshold.off, [False]])
        edges = np.flatnonzero(above[1:] != above[:-1]).reshape(-1, 2)
        if edges.shape[0] == 0:
            return
        apart = np.flatnonzero(edges[1:, 0] - edges[:-1, 1] >= self._join)
        firsts = edges[np.append(0, apart + 1), 0]
        lasts = edges[np.append(apart, edges.shape[0] - 1), 1]
        yield from zip(firsts.tolist(), lasts.tolist(), strict=True)

    def _forget(self, keep: int, *, ends: bool) -> None:
        """Keep what an open burst, or the next one's context, needs."""
        assert self._held is not None
        size = self._held.start_s.size
        if ends:
            self._held, self._first, self._decided = None, 0, 0
            return
        self.until_s = float(self._held.start_s[min(keep, max(0, size - self._join))])
        drop = max(0, min(keep, size - self._join) - self._join)
        self._held, self._first = self._held.from_(drop), self._first + drop

    def _describe(self, cells: Cells, strongest: FloatArray, first: int, last: int) -> Burst | None:
        """One segment as a burst, None where it never rose above the upper threshold long enough."""
        high = strongest[first:last] > self._threshold.on
        if first + self._first > 0 and np.count_nonzero(high) < self._rules.burst_on_s * self._shape.cell_hz:
            return None
        if not high.any():
            return None
        by_soleus = self._soleus.size and cells.ratio[self._soleus, first:last].max() >= strongest[first:last].max()
        among = self._soleus if by_soleus else self._calf
        lead = int(among[int(cells.ratio[among, first:last].max(axis=1).argmax())])
        stop = min(last + self._join, strongest.size)
        envelope = cells.envelope[:, first:stop]
        tops = envelope.max(axis=1)
        peak = first + int(np.flatnonzero(envelope[lead] >= PEAK_SHARE * tops[lead])[-1])
        onset_s, peak_s, end_s = self._instants(cells, first, peak, last)
        mean_hz = self._mean_hz(cells, lead, first, last)
        refused = self._refusal(cells, tops, lead, (first, last), end_s - onset_s, mean_hz)
        if not refused:
            self._most = np.maximum(self._most, tops)
        shares = tops / np.maximum(np.maximum(self._most, tops), 1e-300)
        if not refused and shares[lead] < self._rules.least_level:
            refused = "emg_faint"
        at = min(peak, last - 1)
        median_hz = float(cells.median_hz[lead, at])
        return Burst(
            onset_s, peak_s, end_s, self._names[lead], float(cells.ratio[lead, first:last].max()),
            float(tops[lead]), float(shares[lead]),
            self._by_muscle(shares), _lateness(cells.ratio[lead, first:last]), mean_hz,
            median_hz or None, CODES[int(cells.contact[lead, at])], refused,
        )  # fmt: skip

    def _instants(self, cells: Cells, first: int, peak: int, last: int) -> tuple[float, float, float]:
        """Onset < peak < end, in session seconds."""
        cell_s = 1.0 / self._shape.cell_hz
        onset_s = float(cells.start_s[first])
        end_s = float(cells.start_s[last - 1]) + cell_s
        peak_s = min(max(float(cells.start_s[peak]), onset_s + 0.25 * cell_s), end_s - 0.25 * cell_s)
        return round(onset_s, 4), round(peak_s, 4), round(end_s, 4)

    def _by_muscle(self, shares: FloatArray) -> dict[Muscle, float]:
        levels: dict[Muscle, float] = {}
        for muscle, share in zip(self._muscles, shares.tolist(), strict=True):
            if muscle is not Muscle.OTHER:
                levels[muscle] = max(share, levels.get(muscle, 0.0))
        return levels

    def _mean_hz(self, cells: Cells, lead: int, first: int, last: int) -> float | None:
        """Mean frequency from energy over power, which is 2 sin^2 of it; ambiguous beyond a quarter of the rate."""
        rate_hz = self._shape.rate_hz
        if rate_hz < 2.0 * self._rules.raw_rate_hz:
            return None
        energy, power = cells.energy[lead, first:last].sum(), cells.power[lead, first:last].sum()
        sine = np.sqrt(min(1.0, 0.5 * energy / max(power, 1e-300)))
        return float(np.arcsin(sine) * rate_hz / (2.0 * np.pi))

    def _refusal(
        self, cells: Cells, tops: FloatArray, lead: int, at: tuple[int, int], duration_s: float, mean_hz: float | None
    ) -> str:
        """Rule that refuses a segment, "" where none does."""
        (first, last), rules = at, self._rules
        if first + self._first == 0:
            return "emg_cut"
        if duration_s > rules.most_burst_s:
            return "emg_tonic"
        if duration_s < rules.least_burst_s:
            return "emg_brief"
        if mean_hz is not None and mean_hz < rules.least_mean_hz:
            return "emg_artefact"
        if float(cells.hum_change[lead, first:last].max()) > cells.power[lead, first:last].mean():
            return "emg_hum"
        if self._shin and tops[self._shin].max() * rules.crosstalk > tops[lead]:
            return "emg_crosstalk"
        return ""


def _lateness(ratio: FloatArray) -> float:
    """Centre of a burst's amplitude within its strong part, -0.5 at the start of that to 0.5 at its end."""
    strong = np.flatnonzero(ratio >= STRONG_SHARE * ratio.max())
    part = ratio[strong[0] : strong[-1] + 1]
    at = (np.arange(part.size) + 0.5) / part.size - 0.5
    return float((part * at).sum() / part.sum())
