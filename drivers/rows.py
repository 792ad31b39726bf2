"""Sample rows on one time axis: what a sample file holds and an imported recording keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.samples import XYZ, FloatArray, Modality, SampleBlock

ACC_COLUMNS = ("acc_x_mps2", "acc_y_mps2", "acc_z_mps2")
GYR_COLUMNS = ("gyr_x_rad_s", "gyr_y_rad_s", "gyr_z_rad_s")
TEMP_COLUMN = "temp_c"


def emg_muscle(column: str) -> str | None:
    """Muscle of a canonical EMG column (`emg_<muscle>_uv`), None for any other column."""
    if column.startswith("emg_") and column.endswith("_uv"):
        return column[len("emg_") : -len("_uv")]
    return None


@dataclass(frozen=True, slots=True, eq=False)
class RowChunk:
    """Consecutive rows of a sample file, canonical columns and units, exactly as they came.

    Attributes:
        t_s: (n,) seconds on the file's own axis, strictly increasing within and over chunks.
        columns: canonical names (CONTRACT: acc_x_mps2 ... gyr_x_rad_s ... temp_c, emg_<muscle>_uv).
        values: (n, columns) float64; NaN where that channel has no sample at that instant.
        rate_hz: nominal rate of the file, None where unknown.
    """

    t_s: FloatArray
    columns: tuple[str, ...]
    values: FloatArray
    rate_hz: float | None = None

    def blocks(self) -> tuple[SampleBlock, ...]:
        """One block a modality (one a muscle where EMG channels are sampled at different instants)."""
        made = []
        for modality, names in ((Modality.ACC, ACC_COLUMNS), (Modality.GYR, GYR_COLUMNS)):
            if all(name in self.columns for name in names):
                made.append(self._block(modality, names, XYZ))
        if TEMP_COLUMN in self.columns:
            made.append(self._block(Modality.TEMP, (TEMP_COLUMN,), ("temp",)))
        made.extend(self._emg_blocks())
        return tuple(block for block in made if len(block))

    def _emg_blocks(self) -> list[SampleBlock]:
        names = [name for name in self.columns if emg_muscle(name)]
        if not names:
            return []
        muscles = tuple(str(emg_muscle(name)) for name in names)
        seen = ~np.isnan(self.values[:, [self.columns.index(name) for name in names]])
        if bool((seen.all(axis=1) == seen.any(axis=1)).all()):
            return [self._block(Modality.EMG, tuple(names), muscles)]
        return [
            self._block(Modality.EMG, (name,), (muscle,), stream=muscle)
            for name, muscle in zip(names, muscles, strict=True)
        ]

    def _block(
        self, modality: Modality, names: tuple[str, ...], channels: tuple[str, ...], stream: str | None = None
    ) -> SampleBlock:
        values = self.values[:, [self.columns.index(name) for name in names]]
        seen = ~np.isnan(values).any(axis=1)
        # One shared time array where nothing is missing: the grid then interpolates all channels at once.
        t_s, values = (self.t_s, values) if seen.all() else (self.t_s[seen], values[seen])
        return SampleBlock(modality, t_s, values, channels, self.rate_hz, stream)
