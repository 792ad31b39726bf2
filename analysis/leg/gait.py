"""Level walking of one leg: shank pitch and ankle path over the stride."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from analysis.leg.path import Path
from analysis.leg.strides import Course, Pace, stride_path

# Course of the stride from heel strike (0) to the next (1). Shape after the sagittal kinematics of level
# walking in Winter 2009, ch. 3 and app. A (shank leans back about 20 deg at contact, 50 deg forward at
# toe-off, heel off at 40-45 %, toe-off at 62 %); values read as round numbers, ours.
WALK = Course(
    phase=np.array([0.0, 0.08, 0.2, 0.32, 0.44, 0.54, 0.62, 0.68, 0.75, 0.82, 0.88, 0.94, 1.0]),
    pitch_deg=np.array([-18.0, -8.0, 2.0, 8.0, 17.0, 34.0, 49.0, 52.0, 40.0, 12.0, -10.0, -21.0, -18.0]),
    up_m=np.array([0.0, 0.0, 0.0, 0.0, 0.01, 0.05, 0.10, 0.13, 0.11, 0.07, 0.05, 0.03, 0.0]),
    forward_share=np.array([0.0, 0.0, 0.0, 0.0, 0.005, 0.03, 0.10, 0.22, 0.45, 0.70, 0.88, 0.98, 1.0]),
    toe_off=0.62,
    gait="walk",
)


@dataclass(frozen=True, slots=True)
class Gait:
    """How somebody walks.

    Attributes:
        speed_mps: 0.4 to 1.8.
        stride_s: duration of one stride.
        swing: size of the shank's swing, 1 = the course above.
        strike_mps2: size of the foot strike.
        spread: of a stride's duration, as a share; old and unsure walkers vary more.
    """

    speed_mps: float = 1.2
    stride_s: float = 1.1
    swing: float = 1.0
    strike_mps2: float = 4.0
    spread: float = 0.025


def walk(gait: Gait, strides: int, rate_hz: float, rng: Generator, rest_pitch_rad: float = 0.03) -> Path:
    """Walk a number of strides of the sensor's leg, from standing to standing."""
    pace = Pace(gait.speed_mps, gait.stride_s, gait.swing, gait.strike_mps2, gait.spread)
    return stride_path(WALK, pace, strides, rate_hz, rng, rest_pitch_rad)
