"""Listen to one EMG stream: blocks in, bursts and contact out, the same for every cutting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.emg.bursts import Burst, BurstFinder, Cells
from analysis.emg.channel import Channel, Windows
from analysis.emg.contact import CODES, USABLE_CODES, Contact, hum_change
from analysis.emg.muscles import CALF, muscle_of
from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.emg.stretches import Rows, Stretches
from analysis.emg.thresholds import AFTER, BEFORE, DoubleThreshold, ratios
from analysis.emg.windows import Shape
from analysis.samples import FloatArray, Modality, SampleBlock

SWEEP = 64
"""Windows conditioned at once: few enough for the processor's cache."""


@dataclass(frozen=True, slots=True)
class ContactSpan:
    """Contact of every channel over one window.

    Attributes:
        start_s, end_s: session seconds.
        contacts: one a channel, in the stream's order.
        usable: some calf channel can be counted with.
    """

    start_s: float
    end_s: float
    contacts: tuple[Contact, ...]
    usable: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """What one step of listening found; everything in it is final.

    Attributes:
        bursts: in order of time, refused ones among them.
        contact: windows in order of time.
    """

    bursts: tuple[Burst, ...] = ()
    contact: tuple[ContactSpan, ...] = ()

    def __add__(self, other: Heard) -> Heard:
        return Heard(self.bursts + other.bursts, self.contact + other.contact)


class Listener:
    """The whole EMG science of one stream.

    Attributes:
        until_s: no burst that ends before this session second is still to come.
    """

    def __init__(self, rules: EmgRules = EMG_RULES) -> None:
        self._rules = rules
        self._stretches = Stretches(rules)
        self._chain: _Chain | None = None
        self.until_s = -np.inf

    def feed(self, block: SampleBlock) -> Heard:
        """Take the next samples of the stream."""
        if block.modality is not Modality.EMG:
            raise ValueError(f"a listener takes EMG, got {block.modality}")
        return self._take(self._stretches.feed(block), block.channels) if len(block) else Heard()

    def finish(self) -> Heard:
        """What is still open when the stream ends."""
        rows = self._stretches.finish()
        heard = self._take(rows, self._chain.channels if self._chain else ())
        self.until_s = np.inf
        return heard

    @property
    def rate_hz(self) -> float | None:
        """Samples a second, None until it is known."""
        return self._stretches.rate_hz

    @property
    def mains_hz(self) -> tuple[float | None, ...]:
        """Mains that each channel hears: 50, 60 or None."""
        return tuple(channel.mains.hz for channel in self._chain.conditioned) if self._chain else ()

    @property
    def too_slow(self) -> bool:
        """Every channel of the calf has shown itself to be raw EMG at a rate that only an envelope may have."""
        return self._chain is not None and self._chain.too_slow

    def _take(self, rows: list[Rows], channels: tuple[str, ...]) -> Heard:
        heard = Heard()
        rate_hz = self._stretches.rate_hz
        for stretch in rows:
            if rate_hz is None or rate_hz < self._rules.least_rate_hz:
                self.until_s = np.inf
                return Heard()
            if self._chain is None:
                names = channels or tuple(str(k + 1) for k in range(stretch.values.shape[1]))
                self._chain = _Chain(Shape.at(rate_hz), names, self._rules)
            heard = heard + self._chain.feed(stretch)
            self.until_s = self._chain.until_s
        return heard


class _Chain:
    """Rows of stretches to bursts, at one rate."""

    def __init__(self, shape: Shape, channels: tuple[str, ...], rules: EmgRules) -> None:
        muscles = tuple(muscle_of(name) for name in channels)
        self.channels = channels
        self._shape, self._rules = shape, rules
        self._is_calf = np.array([muscle in CALF for muscle in muscles])
        self.conditioned = [Channel(shape, rules) for _ in channels]
        self._finder = BurstFinder(shape, channels, muscles, rules)
        self._width = DoubleThreshold.at(shape, rules).width
        self._reset()
        self.until_s = -np.inf

    @property
    def too_slow(self) -> bool:
        """See `Listener`."""
        calf = [channel for channel, is_calf in zip(self.conditioned, self._is_calf, strict=True) if is_calf]
        return bool(calf) and all(channel.is_raw for channel in calf)

    def _reset(self) -> None:
        for channel in self.conditioned:
            channel.reset()
        self._t_s: FloatArray = np.zeros(0)
        self._values: FloatArray = np.zeros((0, len(self.channels)))
        self._starts: FloatArray = np.zeros((0, self._shape.cells))
        self._windows: list[Windows] | None = None
        self._done = 0  # of the held windows, those whose cells were handed on

    def feed(self, rows: Rows) -> Heard:
        """Rows of one stretch."""
        if rows.begins:
            self._reset()
        self._t_s = np.append(self._t_s, rows.t_s) if self._t_s.size else rows.t_s
        self._values = np.concatenate([self._values, rows.values]) if self._values.size else rows.values
        n, heard = self._shape.window, Heard()
        while self._t_s.size >= n:
            count = min(SWEEP, self._t_s.size // n) * n
            self._condition(self._t_s[:count], self._values[:count])
            self._t_s, self._values = self._t_s[count:], self._values[count:]
            heard = heard + self._decide(0, ends=False)
        unseen = self._condition_rest() if rows.ends else 0
        return heard + self._decide(unseen, ends=rows.ends)

    def _condition(self, t_s: FloatArray, values: FloatArray) -> None:
        new = [c.hear(np.ascontiguousarray(values[:, k])) for k, c in enumerate(self.conditioned)]
        starts = t_s[:: self._shape.cell].reshape(-1, self._shape.cells)
        self._starts = np.concatenate([self._starts, starts])
        self._windows = (
            new if self._windows is None else [_joined(a, b) for a, b in zip(self._windows, new, strict=True)]
        )

    def _condition_rest(self) -> int:
        """Condition the last, incomplete window; gives how many of its cells are not real."""
        seen = self._t_s.size // self._shape.cell
        if seen < 2:
            return 0
        missing = self._shape.window - self._t_s.size
        values = np.pad(self._values, ((0, missing), (0, 0)), mode="reflect")
        later = self._t_s[-1] + np.arange(1, missing + 1) / self._shape.rate_hz
        self._condition(np.append(self._t_s, later), values)
        return self._shape.cells - seen

    def _decide(self, unseen: int, *, ends: bool) -> Heard:
        """Hand on the cells whose floor can no longer change."""
        if self._windows is None:
            return Heard()
        total = self._starts.shape[0]
        last = total if ends else max(self._done, total - AFTER)
        cells = self._cells(self._done, last, unseen if ends else 0) if last > self._done else None
        contact = self._contact(self._done, last)
        bursts = self._finder.feed(cells, ends=ends)
        keep = max(0, last - BEFORE)
        self._windows = [_from(w, keep) for w in self._windows]
        self._starts, self._done = self._starts[keep:], last - keep
        self.until_s = max(self.until_s, self._finder.until_s)
        return Heard(tuple(bursts), contact)

    def _cells(self, first: int, last: int, unseen: int) -> Cells:
        assert self._windows is not None
        c = self._shape.cells
        count = (last - first) * c - unseen

        def by_cell(name: str) -> FloatArray:
            return np.stack([getattr(w, name)[first:last].ravel()[:count] for w in self._windows or ()])

        def by_window(name: str) -> FloatArray:
            return np.stack([np.repeat(getattr(w, name)[first:last], c)[:count] for w in self._windows or ()])

        changed = [np.repeat(hum_change(w.line, self._rules)[first:last], c)[:count] for w in self._windows]
        ratio = np.stack([ratios(w, first, last, self._width)[:count] for w in self._windows])
        return Cells(
            self._starts[first:last].ravel()[:count], ratio, by_cell("envelope"), by_cell("energy"), by_cell("power"),
            by_window("contact").astype(np.int64), np.stack(changed), by_window("median_hz"),
        )  # fmt: skip

    def _contact(self, first: int, last: int) -> tuple[ContactSpan, ...]:
        assert self._windows is not None
        codes = np.stack([w.contact[first:last] for w in self._windows], axis=1)
        usable = (USABLE_CODES[codes] & self._is_calf).any(axis=1).tolist()
        starts = self._starts[first:last, 0].tolist()
        contacts = [tuple(CODES[k] for k in row) for row in codes.tolist()]
        return tuple(
            ContactSpan(start_s, start_s + self._shape.window_s, contact, ok)
            for start_s, contact, ok in zip(starts, contacts, usable, strict=True)
        )


_FIELDS = ("energy", "power", "envelope", "quiet", "contact", "step", "line", "median_hz")


def _joined(one: Windows, other: Windows) -> Windows:
    return Windows(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in _FIELDS))


def _from(windows: Windows, first: int) -> Windows:
    return Windows(*(getattr(windows, name)[first:] for name in _FIELDS)) if first else windows
