"""What a sample is: the one type that devices produce and the science consumes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating]
"""Of double precision unless said otherwise."""

STANDARD_GRAVITY_MPS2 = 9.80665
"""One g. Source: CGPM 1901, standard acceleration of free fall."""


class Modality(StrEnum):
    """What a block measures; the values are the names used in files and on the command line."""

    ACC = "acc"
    FREE_ACC = "free_acc"
    GYR = "gyr"
    MAG = "mag"
    QUAT = "quat"
    EULER = "euler"
    EMG = "emg"
    PPG = "ppg"
    TEMP = "temp"
    BATTERY = "battery"
    HR = "hr"


UNIT: dict[Modality, str] = {
    Modality.ACC: "m/s2",
    Modality.FREE_ACC: "m/s2",
    Modality.GYR: "rad/s",
    Modality.MAG: "uT",
    Modality.QUAT: "1",
    Modality.EULER: "rad",
    Modality.EMG: "uV",
    Modality.PPG: "1",
    Modality.TEMP: "degC",
    Modality.BATTERY: "percent",
    Modality.HR: "bpm",
}
"""Unit of each modality inside the flow. EMG of unknown scale says so in its block's `unit`."""

XYZ = ("x", "y", "z")


@dataclass(frozen=True, slots=True, eq=False)
class SampleBlock:
    """Consecutive samples of one modality on one clock. Read-only once made.

    Time is given sample by sample, so irregular clocks, lost packets and device drift need no second
    representation: a gap is a jump in `t_s`, and no sample is ever invented to fill one.

    Attributes:
        modality: what is measured.
        t_s: (n,) session seconds, strictly increasing within the block and over a stream.
        values: (n, channels) in the modality's unit, in the sensor's own axes. NaN never occurs.
        channels: name of each column: x y z, w x y z, roll pitch yaw, muscle names, or 1 2 3 ...
        rate_hz: nominal rate, None where the source states none.
        stream: tells two streams of one modality apart, None where there is only one.
        unit: overrides `UNIT[modality]` where the device's scale is not known ("1").
    """

    modality: Modality
    t_s: FloatArray
    values: FloatArray
    channels: tuple[str, ...] = XYZ
    rate_hz: float | None = None
    stream: str | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if self.t_s.ndim != 1 or self.values.shape != (self.t_s.size, len(self.channels)):
            raise ValueError(
                f"a block needs t_s (n,) and values (n, {len(self.channels)}), "
                f"got {self.t_s.shape} and {self.values.shape}"
            )
        self.t_s.setflags(write=False)
        self.values.setflags(write=False)
        if not self.unit:
            object.__setattr__(self, "unit", UNIT[self.modality])

    def __len__(self) -> int:
        return self.t_s.size

    def between(self, first: int, last: int) -> SampleBlock:
        """Samples first (included) to last (excluded), as views of the same memory."""
        return SampleBlock(
            self.modality, self.t_s[first:last], self.values[first:last],
            self.channels, self.rate_hz, self.stream, self.unit,
        )  # fmt: skip
