"""Running, stairs and shuffling of one leg. Angles are round numbers after the sources, ours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from analysis.events import State
from analysis.leg.body import Body
from analysis.leg.path import Path
from analysis.leg.strides import Joints, Pace, course_of, stride_path
from analysis.samples import FloatArray


def _phases(stance: list[float], swing: list[float], toe_off: float) -> FloatArray:
    """Shares of stance and of swing as phases of the stride."""
    return np.array([*(s * toe_off for s in stance), *(toe_off + s * (1.0 - toe_off) for s in swing)])


@dataclass(frozen=True, slots=True)
class Run:
    """How somebody runs.

    Attributes:
        speed_mps: 2.2 (a slow jog) to 4.5.
        stride_s: duration of one stride, about 0.77 at 2.2 m/s and 0.67 at 4.5.
        recovery: how high the heel is drawn up in the air, 1 = usual.
        strike_mps2: size of the foot strike. The resultant acceleration at the shin peaks at about 10 g at
            2.7 m/s and 14 g at 3.7 on average over people, who differ widely; hard shoes and heels more.
            Source: doi 10.1080/14763141.2018.1546890 (abstract). The strike's ringing peaks at 0.6 of its size.
    """

    speed_mps: float = 3.0
    stride_s: float = 0.73
    recovery: float = 1.0
    strike_mps2: float = 90.0


def run(body: Body, how: Run, strides: int, rate_hz: float, rng: Generator, rest_pitch_rad: float = 0.03) -> Path:
    """Run: the foot is on the floor for 40 to 31 % of the stride, and both feet are in the air between.

    Source: Novacheck 1998, Gait & Posture 7:77, doi 10.1016/S0966-6362(97)00038-6: toe-off at 39 % of the stride
    and earlier the faster, knee flexed by about 45 deg in mid-stance and 90 deg and more in mid-swing, hip
    flexion growing with speed.
    """
    u = (how.speed_mps - 2.2) / 2.3
    up = how.recovery
    toe_off = 0.40 - 0.09 * u
    joints = Joints(
        phase=_phases([0.0, 0.25, 0.5, 0.75, 1.0], [0.2, 0.4, 0.55, 0.7, 0.85, 0.95, 1.0], toe_off),
        thigh_deg=np.array([30 + 6 * u, 25 + 3 * u, 13, -4 - 2 * u, -20 - 4 * u, -10 - 2 * u, 10 + 5 * u, 27 + 8 * u,
                            36 + 8 * u, 36 + 8 * u, 32 + 7 * u, 30 + 6 * u]),
        knee_deg=np.array([15, 33, 42, 30, 18, up * (55 + 10 * u), up * (82 + 20 * u), up * (85 + 28 * u),
                           up * (65 + 25 * u), 25 + 8 * u, 13, 15]),
        foot_deg=np.array([0.0, 0.0, 5.0, 28.0, 55.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        toe_off=toe_off,
    )  # fmt: skip
    stride_m = how.speed_mps * how.stride_s
    course = course_of(joints, body, stride_m, 0.0, "run", State.RUNNING)
    pace = Pace(how.speed_mps, how.stride_s, 1.0, how.strike_mps2, 0.015)
    return stride_path(course, pace, strides, rate_hz, rng, rest_pitch_rad)


@dataclass(frozen=True, slots=True)
class Stairs:
    """How somebody takes stairs, step over step: a stride of one leg takes two of them.

    Attributes:
        riser_m, tread_m: height and depth of one step; the usual staircases have 24 to 42 deg.
        stride_s: duration of one stride.
        strike_mps2: size of the foot strike; down is harder than up.
        vigour: size of the knee's lift, 1 = usual.
    """

    riser_m: float = 0.17
    tread_m: float = 0.28
    stride_s: float = 1.35
    strike_mps2: float = 3.0
    vigour: float = 1.0


UP = Joints(
    phase=_phases([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.25, 0.45, 0.65, 0.85, 1.0], 0.65),
    thigh_deg=np.array([52.0, 42.0, 27.0, 12.0, 4.0, 3.0, 22.0, 42.0, 57.0, 60.0, 52.0]),
    knee_deg=np.array([62.0, 60.0, 42.0, 22.0, 12.0, 25.0, 65.0, 92.0, 95.0, 80.0, 62.0]),
    foot_deg=np.array([0.0, 0.0, 0.0, 0.0, 8.0, 38.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    toe_off=0.65,
)
"""Step-over-step ascent: the knee pulls the body up and then folds to clear the next step but one.

Source: McFadyen & Winter 1988, J Biomech 21:733; Riener et al. 2002, Gait & Posture 15:32 (stance 60 to 66 %, knee
flexion up to 90 to 100 deg, hip range 60 deg up and 30 deg down).
"""

DOWN = Joints(
    phase=_phases([0.0, 0.15, 0.35, 0.55, 0.75, 1.0], [0.2, 0.4, 0.6, 0.8, 0.9, 1.0], 0.63),
    thigh_deg=np.array([15.0, 13.0, 11.0, 10.0, 12.0, 20.0, 30.0, 35.0, 33.0, 25.0, 18.0, 15.0]),
    knee_deg=np.array([10.0, 18.0, 24.0, 34.0, 54.0, 80.0, 91.0, 86.0, 60.0, 26.0, 11.0, 10.0]),
    foot_deg=np.array([20.0, 0.0, 0.0, 4.0, 18.0, 48.0, 0.0, 0.0, 0.0, 0.0, 0.0, 20.0]),
    toe_off=0.63,
)
"""Step-over-step descent: the forefoot lands first, the knee gives way and lowers the body. Sources as for UP."""


def climb(
    body: Body, how: Stairs, strides: int, rate_hz: float, rng: Generator, *, up: bool, rest_pitch_rad: float = 0.03
) -> Path:
    """Go up or down a flight of stairs."""
    plain = UP if up else DOWN
    folded = np.clip((plain.phase - plain.toe_off) / (1.0 - plain.toe_off), 0.0, 1.0)
    knee = plain.knee_deg + (how.vigour - 1.0) * 0.5 * plain.knee_deg * np.sin(np.pi * folded)
    joints = Joints(plain.phase, plain.thigh_deg, knee, plain.foot_deg, plain.toe_off)
    stride_m, climb_m = 2.0 * how.tread_m, 2.0 * how.riser_m * (1.0 if up else -1.0)
    course = course_of(joints, body, stride_m, climb_m, "stairs_up" if up else "stairs_down")
    pace = Pace(stride_m / how.stride_s, how.stride_s, 1.0, how.strike_mps2, 0.04)
    return stride_path(course, pace, strides, rate_hz, rng, rest_pitch_rad)


@dataclass(frozen=True, slots=True)
class Shuffle:
    """How somebody shuffles: short strides, feet that hardly leave the floor.

    Attributes:
        stride_m: 0.3 to 0.7; healthy walkers make 1.2 to 1.5.
        stride_s: duration; the cadence of shuffling is that of walking or a little quicker.
        strike_mps2: size of the foot strike; the sole comes down flat and lightly.
    """

    stride_m: float = 0.5
    stride_s: float = 1.1
    strike_mps2: float = 1.2


def shuffle(
    body: Body, how: Shuffle, strides: int, rate_hz: float, rng: Generator, rest_pitch_rad: float = 0.08
) -> Path:
    """Shuffle: knees bent all the time, little heel-off, long stance.

    Source: Morris et al. 1996, Brain 119:551 (stride length falls, cadence does not). Joint angles are our own, as
    large as a stride of 0.5 m with legs of half of stature needs.
    """
    size = how.stride_m / 0.5
    joints = Joints(
        phase=_phases([0.0, 0.3, 0.6, 0.85, 1.0], [0.25, 0.5, 0.75, 0.9, 1.0], 0.7),
        thigh_deg=14.0 + size * np.array([3.0, 0.0, -5.0, -9.0, -10.0, -6.0, 1.0, 5.0, 4.0, 3.0]),
        knee_deg=22.0 + size * np.array([-6.0, -2.0, 0.0, 2.0, 6.0, 12.0, 10.0, 1.0, -5.0, -6.0]),
        foot_deg=size * np.array([0.0, 0.0, 1.0, 6.0, 14.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
        toe_off=0.7,
    )
    course = course_of(joints, body, how.stride_m, 0.0, "shuffle")
    pace = Pace(how.stride_m / how.stride_s, how.stride_s, 1.0, how.strike_mps2, 0.04)
    return stride_path(course, pace, strides, rate_hz, rng, rest_pitch_rad)
