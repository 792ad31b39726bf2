"""What was found in a sample file, and what was put right."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.samples import Modality


@dataclass(frozen=True, slots=True)
class ModalityReport:
    """One sensor of a sample file.

    Attributes:
        modality: what it measures.
        samples: instants at which it has a sample (EMG: any muscle).
        rate_hz: nominal rate, None below two samples.
        gap_count: stretches without a sample longer than `GAP_PERIODS` nominal periods.
        gap_s: their seconds, each from the last sample before to the first after.
    """

    modality: Modality
    samples: int
    rate_hz: float | None
    gap_count: int
    gap_s: float


@dataclass(frozen=True, slots=True)
class SampleFileReport:
    """Quality of a sample file; final once all its chunks were taken.

    Attributes:
        rows: rows given out, one an instant.
        first_s: t_s of the first row, None without rows.
        last_s: t_s of the last row.
        repeats_dropped: rows that repeat an instant and say nothing new.
        late_rows: rows that came late by less than 2 s and were sorted in.
        joined_rows: rows that filled other columns of an instant already there.
        empty_rows: rows with a t_s and no sample of this sensor.
        torn_triples: instants at which an acc or gyr triple was only partly there, and counts as absent.
        ignored_columns: columns that were not read, as the file writes them.
        modalities: the sensors that have samples, the fastest first.
    """

    rows: int
    first_s: float | None
    last_s: float | None
    repeats_dropped: int
    late_rows: int
    joined_rows: int
    empty_rows: int
    torn_triples: int
    ignored_columns: tuple[str, ...]
    modalities: tuple[ModalityReport, ...]

    @property
    def duration_s(self) -> float:
        """Seconds from the first row to the last."""
        if self.first_s is None or self.last_s is None:
            return 0.0
        return self.last_s - self.first_s

    @property
    def rate_hz(self) -> float | None:
        """Nominal rate of the fastest sensor, None where unknown."""
        return self.modalities[0].rate_hz if self.modalities else None

    @property
    def gap_count(self) -> int:
        """Gaps of the fastest sensor."""
        return self.modalities[0].gap_count if self.modalities else 0

    @property
    def gap_s(self) -> float:
        """Seconds in gaps of the fastest sensor."""
        return self.modalities[0].gap_s if self.modalities else 0.0
