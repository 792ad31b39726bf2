"""A device's clock against the host's: the straight line through the least late arrivals, and how far it errs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

STRETCH_S = 10.0
"""Of every stretch of so many device seconds the least late arrival is kept; stretches grow with the session."""

MOST_POINTS = 256
"""Memory does not grow with the session: beyond this, neighbours are joined."""

_FEWEST_POINTS = 6
"""A slope from fewer stretches says more about the radio than about the clock."""

_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class ClockFit:
    """How a device's clock ran.

    Attributes:
        ppm: how much faster than the host's, parts per million.
        error_ms: robust standard deviation of the line's points, and so of a sample's time on the wall.
        stretches: how many points the line was drawn through.
    """

    ppm: float
    error_ms: float
    stretches: int

    def to_json(self) -> dict[str, float]:
        """For the recording's notes."""
        return {"ppm": round(self.ppm, 2), "error_ms": round(self.error_ms, 3), "stretches": self.stretches}


@dataclass(slots=True)
class TimeBase:
    """Pairs of device second and arrival, thinned as they come.

    Packets are late by anything and early by nothing, so of each stretch only the least late is believed.
    """

    _base_ns: int | None = None
    _stretch_s: float = STRETCH_S
    _points: dict[int, tuple[float, float]] = field(default_factory=dict)

    def add(self, t_s: float, arrival_ns: int) -> None:
        """A sample of device second `t_s` was there at `arrival_ns` of the host's clock."""
        if self._base_ns is None:
            self._base_ns = arrival_ns
        late_s = (arrival_ns - self._base_ns) / 1e9 - t_s
        self._keep(t_s, late_s)
        if len(self._points) > MOST_POINTS:
            points, self._points = self._points, {}
            self._stretch_s *= 2
            for point in points.values():
                self._keep(*point)

    def _keep(self, t_s: float, late_s: float) -> None:
        stretch = int(t_s // self._stretch_s)
        if stretch not in self._points or late_s < self._points[stretch][1]:
            self._points[stretch] = (t_s, late_s)

    @property
    def zero_ns(self) -> int | None:
        """Host clock at device second 0 by the least late arrival of the first stretch; None before any."""
        if self._base_ns is None:
            return None
        return self._base_ns + round(self._points[min(self._points)][1] * 1e9)

    def fit(self) -> ClockFit | None:
        """The line by the median of all slopes (Theil and Sen), None while there are too few stretches.

        Source: Sen (1968), J. Am. Stat. Assoc. 63, 1379-1389, doi 10.1080/01621459.1968.10480934. Up to 29 %
        of the points may be wrong, as after a reboot or while the radio was overloaded.
        """
        if len(self._points) < _FEWEST_POINTS:
            return None
        t_s, late_s = np.array(sorted(self._points.values())).T
        first, second = np.triu_indices(t_s.size, 1)
        slope = float(np.median((late_s[second] - late_s[first]) / (t_s[second] - t_s[first])))
        rest = late_s - slope * t_s
        error_s = _MAD_TO_SIGMA * float(np.median(np.abs(rest - np.median(rest))))
        # Arrivals that fall behind the device's seconds mean a device that runs slow.
        return ClockFit(-slope * 1e6, error_s * 1e3, t_s.size)
