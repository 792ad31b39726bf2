"""Spectra of whole windows: mains lines and their harmonics, the rest of the band, the median frequency."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.emg.windows import Shape
from analysis.samples import FloatArray

MAINS_HZ = (50.0, 60.0)
_LINE_HZ, _BESIDE_HZ = 1.6, (3.5, 9.0)
_MEAN_OF = 4
_MOST_RATIO = 60.0

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """What the spectra of windows (w, ...) say.

    Attributes:
        power: (w, bins) power of each bin, 0 Hz to half the rate.
        lines: (w, 2, h) power of each harmonic of 50 and 60 Hz beyond its neighbours'.
        ratios: (w, 2, h) power of each to what its neighbours let expect, at most 60.
        band: (w,) power from 20 Hz up, lines included, on the same scale.
    """

    power: FloatArray
    lines: FloatArray
    ratios: FloatArray
    band: FloatArray


class Spectrometer:
    """Takes spectra at one rate: Hann window, no overlap."""

    def __init__(self, shape: Shape, rules: EmgRules = EMG_RULES) -> None:
        self._shape = shape
        self._hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(shape.window) + 0.5) / shape.window)
        self.bins_hz = np.arange(shape.window // 2 + 1) * shape.rate_hz / shape.window
        top_hz = 0.46 * shape.rate_hz
        self._band = self._edges(rules.high_pass_hz, top_hz)
        self.harmonics = max(1, min(rules.most_harmonics, int(top_hz // MAINS_HZ[0])))
        lines_hz = np.outer(MAINS_HZ, np.arange(self.harmonics) + 1.0)
        self._heard = lines_hz < top_hz
        reach = (_LINE_HZ, *_BESIDE_HZ)
        self._places = [(self._edges_of(lines_hz - r, lines_hz + r)) for r in reach]

    def _edges(self, low_hz: float, high_hz: float) -> tuple[int, int]:
        low, high = np.searchsorted(self.bins_hz, [low_hz, high_hz]).tolist()
        return low, high

    def _edges_of(self, low_hz: FloatArray, high_hz: FloatArray) -> tuple[IntArray, IntArray]:
        """First bins within each range, and first beyond it."""
        return np.searchsorted(self.bins_hz, low_hz), np.searchsorted(self.bins_hz, high_hz)

    def take(self, samples: FloatArray) -> Spectra:
        """Spectra of windows (w, window), offset and all."""
        windows = samples - np.add.reduce(samples, axis=1, keepdims=True) / self._shape.window
        windows *= self._hann
        spectrum = np.fft.rfft(windows, axis=1)
        power = spectrum.real**2
        power += spectrum.imag**2
        running = _running(power)
        low, high = self._band
        return Spectra(power, *self._lines(running), running[:, high] - running[:, low])

    def _lines(self, running: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Excess and ratio of every line, from sums over the bins near and beside it."""
        line, inner, outer = (running[:, high] - running[:, low] for low, high in self._places)
        (near_low, near_high), (in_low, in_high), (out_low, out_high) = self._places
        beside = np.maximum((out_high - out_low) - (in_high - in_low), 1)
        expected = (outer - inner) * ((near_high - near_low) / beside)
        ratio = line / np.maximum(expected, 1e-300) * self._heard
        return np.maximum(line - expected, 0.0) * self._heard, np.minimum(ratio, _MOST_RATIO)

    def median_hz(self, spectra: Spectra, runs: list[Run]) -> FloatArray:
        """Frequency that halves the power of the band (w,), the heard lines left out."""
        low, high = self._band
        power = spectra.power[:, low:high].copy()
        for run in runs:
            for hz in run.lines_hz:
                power[run.first : run.last, np.abs(self.bins_hz[low:high] - hz) < _LINE_HZ] = 0.0
        running = np.cumsum(power, axis=1)
        at = (running < 0.5 * running[:, -1:]).sum(axis=1)
        return self.bins_hz[low + np.minimum(at, high - low - 1)]


def _running(power: FloatArray) -> FloatArray:
    running = np.zeros((power.shape[0], power.shape[1] + 1))
    np.cumsum(power, axis=1, out=running[:, 1:])
    return running


@dataclass(frozen=True, slots=True)
class Run:
    """Windows first to last (excluded) with the same lines: harmonics (0 = fundamental) of one family of mains."""

    first: int
    last: int
    family: int
    heard: tuple[int, ...]

    @property
    def lines_hz(self) -> tuple[float, ...]:
        """Frequencies of the lines."""
        return tuple(MAINS_HZ[self.family] * (h + 1) for h in self.heard)


def line_power(spectra: Spectra, runs: list[Run]) -> FloatArray:
    """Power of the heard lines in each window (w,), on the scale of `Spectra.band`."""
    out = np.zeros(spectra.band.size)
    for run in runs:
        for h in run.heard:
            out[run.first : run.last] += spectra.lines[run.first : run.last, run.family, h]
    return out


class Mains:
    """Remembers which mains a channel hears and on which harmonics; found once, it stays found."""

    def __init__(self, rules: EmgRules = EMG_RULES) -> None:
        self._rules = rules
        self._before: FloatArray | None = None
        self.family: int | None = None
        self.heard: tuple[int, ...] = ()

    @property
    def hz(self) -> float | None:
        """50 or 60, None while none was heard."""
        return None if self.family is None else MAINS_HZ[self.family]

    def listen(self, spectra: Spectra) -> list[Run]:
        """Runs of windows and the lines that are to be taken out of each."""
        found = self._mean(spectra.ratios) > self._rules.line_ratio
        edges, heard = [0], []
        while (k := self._next_new(found, edges[-1])) is not None:
            if k > edges[-1]:
                heard.append(self._lines())
                edges.append(k)
            self._hear(spectra.lines[k], found[k])
        heard.append(self._lines())
        edges.append(spectra.band.size)
        return [Run(first, last, *lines) for (first, last), lines in zip(pairwise(edges), heard, strict=True)]

    def _next_new(self, found: npt.NDArray[np.bool_], first: int) -> int | None:
        """The first window from `first` on in which a line is found that was not heard before."""
        if len(self.heard) == self._rules.most_notches:
            return None
        unheard = np.ones(found.shape[1:], dtype=bool)
        if self.family is not None:
            unheard[1 - self.family] = False
            unheard[self.family, list(self.heard)] = False
        at = np.flatnonzero((found[first:] & unheard).any(axis=(1, 2)))
        return first + int(at[0]) if at.size else None

    def _lines(self) -> tuple[int, tuple[int, ...]]:
        return self.family or 0, self.heard

    def _mean(self, ratios: FloatArray) -> FloatArray:
        """Mean of each window's ratios and those of the three before; before the first there is no line."""
        before = np.zeros((_MEAN_OF - 1, *ratios.shape[1:])) if self._before is None else self._before
        seen = np.concatenate([before, ratios])
        self._before = seen[-(_MEAN_OF - 1) :]
        n = ratios.shape[0]
        return (seen[:n] + seen[1 : n + 1] + seen[2 : n + 2] + seen[3 : n + 3]) / _MEAN_OF

    def _hear(self, lines: FloatArray, found: npt.NDArray[np.bool_]) -> None:
        if self.family is None:
            self.family = int((lines * found).sum(axis=1).argmax())
        new = [h for h in np.flatnonzero(found[self.family]).tolist() if h not in self.heard]
        self.heard = (*self.heard, *new)[: self._rules.most_notches]
