"""What gait each step was, as far as one shank can tell."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from analysis.rules import Rules, first_that_holds
from analysis.swings import SwingCandidates


class Gait(StrEnum):
    """The attribute `gait` of a step. `UNKNOWN` is said where two gaits look alike, and of a step without company."""

    WALK = "walk"
    RUN = "run"
    STAIRS_UP = "stairs_up"
    STAIRS_DOWN = "stairs_down"
    SHUFFLE = "shuffle"
    UNKNOWN = "unknown"


def gaits(c: SwingCandidates, r: Rules) -> npt.NDArray[np.object_]:
    """The gait (n,) of each swing, if it is a step.

    Running is quick, hard and rough all at once: only a foot that comes down from a flight is. Stairs gain or lose two
    risers a stride. A ramp, or a stride measured badly, may lie between level and stairs; then it is unknown. Shuffling
    feet hardly swing and hardly leave the floor. Without a gyroscope only running can be told.
    """
    quick = c.companion_s < r.run_stride_s
    rough, hard = c.rough_mps2 > r.run_rough_mps2, c.strike_mps2 > r.run_strike_mps2
    conditions = [
        quick & rough & hard,
        (quick & (rough | hard)) | np.isnan(c.climb_m),
        c.climb_m > r.stairs_climb_m,
        c.climb_m < -r.stairs_climb_m,
        np.abs(c.climb_m) > r.level_climb_m,
        (c.angle_rad < r.shuffle_rad) & (c.rate_rad_s < r.shuffle_rad_s) & (c.clearance_m < r.shuffle_clearance_m),
    ]
    names = [Gait.RUN, Gait.UNKNOWN, Gait.STAIRS_UP, Gait.STAIRS_DOWN, Gait.UNKNOWN, Gait.SHUFFLE]
    return first_that_holds(conditions, names, Gait.WALK)
