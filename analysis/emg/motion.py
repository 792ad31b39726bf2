"""What EMG needs to know of the motion sensor on the same leg: when it looked, and whether the leg moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Frames (f,) of the motion sensor in order of time: start and end in session seconds, whether the leg moved."""

    start_s: FloatArray
    end_s: FloatArray
    moved: npt.NDArray[np.bool_]

    def __add__(self, other: Motion) -> Motion:
        if not other.end_s.size:
            return self
        return Motion(
            np.concatenate([self.start_s, other.start_s]),
            np.concatenate([self.end_s, other.end_s]),
            np.concatenate([self.moved, other.moved]),
        )

    @property
    def until_s(self) -> float:
        """End of the last frame, minus infinity where there is none."""
        return float(self.end_s[-1]) if self.end_s.size else -float("inf")

    def during(self, start_s: float, end_s: float) -> npt.NDArray[np.bool_]:
        """Whether the leg moved, frame by frame over an interval; empty where nobody looked."""
        first = int(np.searchsorted(self.end_s, start_s, side="right"))
        return self.moved[first : int(np.searchsorted(self.start_s, end_s))]

    def since(self, time_s: float) -> Motion:
        """Without the frames that end before, but never without the last."""
        first = min(int(np.searchsorted(self.end_s, time_s)), max(0, self.end_s.size - 1))
        return Motion(self.start_s[first:], self.end_s[first:], self.moved[first:]) if first else self


NO_MOTION = Motion(np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool))
