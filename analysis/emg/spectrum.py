"""Spectra of whole windows: mains lines and their harmonics, the rest of the band, the median frequency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.emg.windows import Shape
from analysis.samples import FloatArray

MAINS_HZ = (50.0, 60.0)
_LINE_HZ, _BESIDE_HZ = 1.6, (3.5, 9.0)


@dataclass(frozen=True, slots=True, eq=False)
class Spectra:
    """What the spectra of windows (w, ...) say.

    Attributes:
        lines: (w, 2, h) power of each harmonic of 50 and 60 Hz beyond its neighbours'.
        ratios: (w, 2, h) power of each to what its neighbours let expect.
        band: (w,) power from 20 Hz up, lines included, on the same scale.
        median_hz: (w,) frequency that halves the band's power, lines left out.
    """

    lines: FloatArray
    ratios: FloatArray
    band: FloatArray
    median_hz: FloatArray


class Spectrometer:
    """Takes spectra at one rate: Hann window, no overlap."""

    def __init__(self, shape: Shape, rules: EmgRules = EMG_RULES) -> None:
        self._shape = shape
        self._hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * (np.arange(shape.window) + 0.5) / shape.window)
        self.bins_hz = np.arange(shape.window // 2 + 1) * shape.rate_hz / shape.window
        top_hz = 0.46 * shape.rate_hz
        self.harmonics = max(1, min(8, int(top_hz // MAINS_HZ[0])))
        self._band = self._bins(rules.high_pass_hz, top_hz)
        self._near = [[self._around(hz * (h + 1), top_hz) for h in range(self.harmonics)] for hz in MAINS_HZ]

    def _bins(self, low_hz: float, high_hz: float) -> slice:
        return slice(*np.searchsorted(self.bins_hz, [low_hz, high_hz]).tolist())

    def _around(self, hz: float, top_hz: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
        """Bins of a line and beside it, None beyond the band."""
        if hz > top_hz:
            return None
        away = np.abs(self.bins_hz - hz)
        line = np.flatnonzero(away <= _LINE_HZ)
        beside = np.flatnonzero((away >= _BESIDE_HZ[0]) & (away <= _BESIDE_HZ[1]))
        return line, beside

    def take(self, samples: FloatArray) -> Spectra:
        """Spectra of windows (w, window), offset and all."""
        windows = samples - np.add.reduce(samples, axis=1, keepdims=True) / self._shape.window
        windows *= self._hann
        spectrum = np.fft.rfft(windows, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        lines, ratios = self._lines(power)
        without = self._without_lines(power, ratios)
        return Spectra(lines, ratios, power[:, self._band].sum(axis=1), self._median_hz(without))

    def _lines(self, power: FloatArray) -> tuple[FloatArray, FloatArray]:
        lines = np.zeros((power.shape[0], len(MAINS_HZ), self.harmonics))
        ratios = np.zeros_like(lines)
        for family, near in enumerate(self._near):
            for h, bins in enumerate(near):
                if bins is None:
                    continue
                here = power[:, bins[0]].sum(axis=1)
                expected = power[:, bins[1]].sum(axis=1) * (bins[0].size / bins[1].size)
                lines[:, family, h] = np.maximum(here - expected, 0.0)
                ratios[:, family, h] = here / np.maximum(expected, 1e-300)
        return lines, ratios

    def _without_lines(self, power: FloatArray, ratios: FloatArray) -> FloatArray:
        """Power of the band in which bins of evident lines are empty."""
        left = power
        for family, near in enumerate(self._near):
            for h, bins in enumerate(near):
                evident = np.flatnonzero(ratios[:, family, h] > 6.0)
                if bins is not None and evident.size:
                    left = left.copy() if left is power else left
                    left[np.ix_(evident, bins[0])] = 0.0
        return left[:, self._band]

    def _median_hz(self, band: FloatArray) -> FloatArray:
        running = np.cumsum(band, axis=1)
        at = (running < 0.5 * running[:, -1:]).sum(axis=1)
        return self.bins_hz[self._band][np.minimum(at, band.shape[1] - 1)]


class Mains:
    """Remembers which mains a channel hears and on which harmonics; found once, it stays found."""

    def __init__(self, shape: Shape, rules: EmgRules = EMG_RULES) -> None:
        self._shape, self._rules = shape, rules
        self._mean: FloatArray | None = None
        self.family: int | None = None
        self.heard: tuple[int, ...] = ()

    @property
    def hz(self) -> float | None:
        """50 or 60, None while none was heard."""
        return None if self.family is None else MAINS_HZ[self.family]

    def listen(self, spectra: Spectra) -> list[tuple[float, ...]]:
        """Frequencies to take out of each window, in order."""
        wanted = []
        for k in range(spectra.band.size):
            ratios = np.minimum(spectra.ratios[k], 10.0 * self._rules.line_ratio)
            self._mean = ratios if self._mean is None else 0.7 * self._mean + 0.3 * ratios
            if float(self._mean.max()) > self._rules.line_ratio:
                self._hear(spectra.lines[k])
            wanted.append(self.frequencies())
        return wanted

    def _hear(self, lines: FloatArray) -> None:
        assert self._mean is not None
        found = self._mean > self._rules.line_ratio
        if self.family is None:
            self.family = int((lines * found).sum(axis=1).argmax())
        new = set(np.flatnonzero(found[self.family]).tolist()) | set(self.heard)
        self.heard = tuple(sorted(new)[: self._rules.most_notches])

    def frequencies(self) -> tuple[float, ...]:
        """Lines heard so far."""
        return () if self.family is None else tuple(MAINS_HZ[self.family] * (h + 1) for h in self.heard)

    def power(self, spectra: Spectra) -> FloatArray:
        """Power of the heard lines in each window (w,), on the scale of `Spectra.band`."""
        if self.family is None:
            return np.zeros(spectra.band.size)
        return spectra.lines[:, self.family, list(self.heard)].sum(axis=1)
