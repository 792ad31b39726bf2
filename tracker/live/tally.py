"""What a live screen shows of a session: counts, packets, battery, trouble."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from analysis.events import Contraction, Findings, Kind

LOW_PERCENT = 20.0
"""At this charge a wearer is told to charge the sensor."""

_FORECAST_DROP, _FORECAST_S = 2.0, 1200.0
"""A forecast needs so many percent and seconds: levels are told in steps of 1 to 10 percent."""


@dataclass(slots=True)
class Battery:
    """Charge as it was heard.

    Attributes:
        percent: the last level, None before any.
    """

    percent: float | None = None
    _heard_s: float = 0.0
    _first: tuple[float, float] | None = None

    def hear(self, percent: float, now_s: float) -> None:
        """The level at a second of the host's clock; one that rises was charged, and begins anew."""
        if self._first is None or (self.percent is not None and percent > self.percent + 1):
            self._first = (now_s, percent)
        self.percent, self._heard_s = percent, now_s

    @property
    def is_low(self) -> bool:
        """Time to charge."""
        return self.percent is not None and self.percent <= LOW_PERCENT

    @property
    def hours_left(self) -> float | None:
        """Until it is empty, if it goes on falling as it has; None while that cannot be told."""
        if self._first is None or self.percent is None:
            return None
        passed_s, dropped = self._heard_s - self._first[0], self._first[1] - self.percent
        if dropped < _FORECAST_DROP or passed_s < _FORECAST_S:
            return None
        return self.percent / dropped * passed_s / 3600


@dataclass(slots=True)
class Tally:
    """Totals of a session so far.

    Attributes:
        counts: final contractions by kind.
        likely: over, but not final yet; as it was when somebody last looked.
        packets, samples, packet_errors, duplicates: totals so far.
        measured: samples of what the sensor is for, battery and temperature not among them.
        last_s: session second of the last contraction, final or likely.
        session_s: session second of the last sample.
        gaps, gap_s: how often and how long samples were missing between others.
        battery: charge, and how long it lasts.
        disk: why the recording cannot be written just now, as a sentence; empty when all is well.
        database: the same for the findings.
    """

    counts: Counter[Kind] = field(default_factory=Counter)
    likely: Counter[Kind] = field(default_factory=Counter)
    packets: int = 0
    samples: int = 0
    packet_errors: int = 0
    duplicates: int = 0
    measured: int = 0
    last_s: float | None = None
    session_s: float = 0.0
    gaps: int = 0
    gap_s: float = 0.0
    battery: Battery = field(default_factory=Battery)
    disk: str = ""
    database: str = ""

    def shown(self, kind: Kind) -> int:
        """Final and likely together: what a person has done so far."""
        return self.counts[kind] + self.likely[kind]

    def expect(self, likely: Sequence[Contraction]) -> None:
        """What is over, but not final yet; it may still change."""
        self.likely = Counter(event.kind for event in likely)
        self._touch(likely)

    def keep(self, found: Findings) -> None:
        """What became final."""
        self.counts.update(event.kind for event in found.contractions)
        self._touch(found.contractions)
        self.gaps += len(found.gaps)
        self.gap_s += sum(gap.end_s - gap.start_s for gap in found.gaps)

    def _touch(self, events: Sequence[Contraction]) -> None:
        peaks_s = [event.peak_s for event in events]
        self.last_s = max(peaks_s if self.last_s is None else [self.last_s, *peaks_s], default=None)

    @property
    def received_percent(self) -> float | None:
        """Share of the time of which there are samples, None before there is any."""
        return 100 * (1 - self.gap_s / self.session_s) if self.session_s > 0 else None

    @property
    def battery_percent(self) -> float | None:
        """The last level heard."""
        return self.battery.percent

    @property
    def trouble(self) -> str:
        """What is refused just now; empty when all is well."""
        return " ".join(part for part in (self.disk, self.database) if part)
