"""One electrode pair from samples to cells: filters, mains, energy, envelope and contact of each whole window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.emg.conditioning import Envelope, Filters, TeagerKaiser
from analysis.emg.contact import CODES, USABLE_CODES, Contact, IntArray, clipping_codes, hum_codes, hum_share
from analysis.emg.rules import EMG_RULES, EmgRules
from analysis.emg.spectrum import Mains, Run, Spectra, Spectrometer, line_power
from analysis.emg.windows import Shape, cell_sums
from analysis.samples import FloatArray

QUIET_RANK = 4
"""The floor of a window is near the first quartile of so many groups' power: rank 4 of 16."""

_MEDIANS = 15
_DRIFT_WINDOWS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Whole windows of one channel, c cells each.

    Attributes:
        energy: (w, c) mean Teager-Kaiser energy of each cell (below 200 Hz: plain power about the offset).
        power: (w, c) mean power of each cell after the filters.
        envelope: (w, c) linear envelope, in the channel's unit.
        quiet: (w,) energy of the quiet quarter of each window.
        contact: (w,) codes of `contact.CODES`.
        step: (w,) converter step where it is coarse.
        line: (w,) power of mains lines, (unit)^2.
        median_hz: (w,) median frequency, 0 where the rate is too low for one.
    """

    energy: FloatArray
    power: FloatArray
    envelope: FloatArray
    quiet: FloatArray
    contact: IntArray
    step: FloatArray
    line: FloatArray
    median_hz: FloatArray


class Channel:
    """Conditions one channel; feed it whole windows of one stretch after another."""

    def __init__(self, shape: Shape, rules: EmgRules = EMG_RULES) -> None:
        self._shape, self._rules = shape, rules
        self._filters = None if shape.rate_hz < rules.raw_rate_hz else Filters(shape, rules)
        self._teager_kaiser, self._envelope = TeagerKaiser(), Envelope(shape, rules)
        self._spectrometer, self.mains = Spectrometer(shape, rules), Mains(rules)
        self._most, self._is_fresh = 0.0, True
        self._offsets = np.zeros(0)
        self._slow_windows = 0
        self.is_raw = False
        """Below 200 Hz: what works is not an envelope but raw EMG, whose course so few samples do not show."""

    def reset(self) -> None:
        """A new stretch begins; what is known of mains and of the wearer's maximum stays."""
        if self._filters is not None:
            self._filters.reset()
        self._teager_kaiser.reset()
        self._envelope.reset()
        self._is_fresh = True
        self._offsets = np.zeros(0)

    def hear(self, samples: FloatArray) -> Windows:
        """Condition samples (w * window,), contiguous."""
        windows = samples.reshape(-1, self._shape.window)
        contact, step = clipping_codes(windows, self._rules)
        if self._filters is None:
            return self._hear_slow(windows, contact, step)
        spectra = self._spectrometer.take(windows)
        runs = self.mains.listen(spectra)
        clean = self._filtered(samples, runs)
        energy, power, envelope = self._cells(clean, self._teager_kaiser.energy(clean))
        line = line_power(spectra, runs)
        line_uv2 = line * 2.0 / (0.375 * self._shape.window**2)
        by_hum = self._by_hum(spectra, line, line_uv2, envelope, contact)
        median_hz = self._median_hz(spectra, runs)
        contact = np.where(contact == 0, by_hum, np.where(by_hum == _LIFTED, by_hum, contact))
        return Windows(energy, power, envelope, self._quiet(energy), contact, step, line_uv2, median_hz)

    def _hear_slow(self, windows: FloatArray, contact: IntArray, step: FloatArray) -> Windows:
        """Too slow for filters: distance from the usual level, which an envelope and undersampled EMG both have."""
        plain = np.abs(windows - self._offset(windows)[:, None]).ravel()
        energy, power, envelope = self._cells(plain, plain * plain)
        nothing = np.zeros(windows.shape[0])
        raw = self._raw(windows)
        contact = np.where(USABLE_CODES[contact] & raw, CODES.index(Contact.TOO_SLOW), contact)
        return Windows(energy, power, envelope, self._quiet(energy), contact, step, nothing, nothing)

    def _raw(self, windows: FloatArray) -> npt.NDArray[np.bool_]:
        """(w,) whether the channel has shown itself to be raw: an envelope has no sign. Once shown, it stays so.

        The first windows are not believed: a drift can hide the sign for some seconds.
        """
        has_sign = windows.min(axis=1) < -self._rules.signed * windows.max(axis=1)
        raw = np.logical_or.accumulate(np.concatenate([[self.is_raw], has_sign]))[1:]
        self.is_raw = bool(raw[-1])
        first, self._slow_windows = self._slow_windows, self._slow_windows + raw.size
        return raw | (first + np.arange(raw.size) < _DRIFT_WINDOWS)

    def _offset(self, windows: FloatArray) -> FloatArray:
        """Median of the last windows' medians, the newest included."""
        offsets = np.concatenate([self._offsets, np.median(windows, axis=1)])
        first = self._offsets.size
        self._offsets = offsets[-(_MEDIANS - 1) :]
        return np.array([np.median(offsets[max(0, k - _MEDIANS + 1) : k + 1]) for k in range(first, offsets.size)])

    def _filtered(self, samples: FloatArray, runs: list[Run]) -> FloatArray:
        """Filter runs of windows that are to lose the same lines together."""
        assert self._filters is not None
        n = self._shape.window
        parts = [self._filters.pass_(samples[run.first * n : run.last * n], run.lines_hz) for run in runs]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _median_hz(self, spectra: Spectra, runs: list[Run]) -> FloatArray:
        if self._shape.rate_hz < self._rules.fatigue_rate_hz:
            return np.zeros(spectra.band.size)
        return self._spectrometer.median_hz(spectra, runs)

    def _cells(self, clean: FloatArray, energy: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        cell, as_windows = self._shape.cell, (-1, self._shape.cells)
        rectified = cell_sums(np.abs(clean), cell) / cell
        power = cell_sums(clean * clean, cell) / cell
        mean = np.maximum(cell_sums(energy, cell) / cell, 0.0)
        envelope = self._envelope.of(rectified)
        return mean.reshape(as_windows), power.reshape(as_windows), envelope.reshape(as_windows)

    def _quiet(self, energy: FloatArray) -> FloatArray:
        groups = min(16, max(1, self._shape.window // 8))
        width = self._shape.cells // groups
        means = np.add.reduce(energy.reshape(-1, groups, width), axis=2) / width
        rank = QUIET_RANK * groups // 16
        return np.partition(means, rank, axis=1)[:, rank]

    def _by_hum(
        self, spectra: Spectra, line: FloatArray, line_uv2: FloatArray, envelope: FloatArray, contact: IntArray
    ) -> IntArray:
        """Contact by hum, which is also judged by the strongest burst of the windows before."""
        share = hum_share(line, spectra.band)
        top = envelope.max(axis=1)
        works = top > self._rules.works * np.median(envelope, axis=1)
        works[0] &= not self._is_fresh  # the filters are still settling
        self._is_fresh = False
        clear = (share < self._rules.lifted_share) & USABLE_CODES[contact] & works
        most = np.maximum.accumulate(np.append(self._most, np.where(clear, top, 0.0)))
        self._most = float(most[-1])
        loud = line_uv2 > (self._rules.lifted_level * most[:-1]) ** 2
        return hum_codes(share, loud & (most[:-1] > 0.0), self._rules)


_LIFTED = CODES.index(Contact.LIFTED)
