"""Any gait of one leg: courses of shank and ankle over the stride, repeated from standing to standing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from analysis.events import Contraction, Kind, State, StateSpan
from analysis.leg.body import Body, ankle_about_ball
from analysis.leg.movements import _strike
from analysis.leg.path import Path, minimum_jerk
from analysis.samples import FloatArray

LEAD_STRIDES, START_PHASE = 0.6, 0.25
"""Time to get going and to come to rest, in strides; the stride begins in mid-stance."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One stride, from contact (0) to the next (1), as knots of smooth courses. All arrays (k,).

    Attributes:
        phase: of the knots, from 0 to 1.
        pitch_deg: forward lean of the shank.
        up_m: height of the ankle; what it gains from contact to contact is climbed in every stride.
        forward_share: way of the ankle as a share of the stride's length, 0 at first and 1 at last.
        toe_off: phase at which the foot leaves the floor.
        gait: its name, as `attributes["gait"]` of a step has it.
        state: what the wearer does.
    """

    phase: FloatArray
    pitch_deg: FloatArray
    up_m: FloatArray
    forward_share: FloatArray
    toe_off: float
    gait: str
    state: State = State.WALKING


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast and how firmly a course is gone.

    Attributes:
        speed_mps: along the ground.
        stride_s: duration of one stride.
        swing: size of the shank's and the ankle's course, 1 = as the course says.
        strike_mps2: size of the foot strike.
        spread: of a stride's duration, as a share.
    """

    speed_mps: float
    stride_s: float
    swing: float = 1.0
    strike_mps2: float = 4.0
    spread: float = 0.025


def stride_path(
    course: Course, pace: Pace, strides: int, rate_hz: float, rng: Generator, rest_pitch_rad: float = 0.03
) -> Path:
    """A number of strides of the sensor's leg, from standing to standing, with a step of truth in each."""
    lengths = pace.stride_s * np.exp(rng.normal(0.0, pace.spread, strides))
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    lead_s = LEAD_STRIDES * pace.stride_s
    n = round((edges[-1] + 2 * lead_s) * rate_hz)
    t_s = np.arange(n) / rate_hz - lead_s
    stride = np.interp(t_s, edges, np.arange(strides + 1.0)) + START_PHASE
    size = minimum_jerk((t_s + lead_s) / lead_s) * minimum_jerk((edges[-1] + lead_s - t_s) / lead_s)
    phase = stride % 1.0
    climb_m = float(course.up_m[-1] - course.up_m[0])
    angles, ankle = np.zeros((n, 3)), np.zeros((n, 3))
    angles[:, 1] = rest_pitch_rad + pace.swing * size * _along(course, course.pitch_deg, phase) * np.pi / 180.0
    angles[:, 0] = 0.06 * size * np.sin(2 * np.pi * (phase + rng.uniform()))
    angles[:, 2] = 0.08 * size * np.sin(2 * np.pi * (phase + rng.uniform()))
    way = course.forward_share - course.phase
    ankle[:, 0] = pace.speed_mps * pace.stride_s * (stride + _along(course, way, phase))
    ankle[:, 2] = pace.swing * size * _along(course, course.up_m - climb_m * course.phase, phase)
    if climb_m:
        ankle[:, 2] += _eased(climb_m * stride, size)
    ankle[:, 0] = _eased(ankle[:, 0], size)
    truth, shake = _events(course, pace, edges, n, rate_hz, rng)
    span = StateSpan(course.state, 0.0, n / rate_hz)
    return Path(rate_hz, ankle, angles, shake, tuple(truth), (span,))


def _along(course: Course, knots: FloatArray, phase: FloatArray) -> FloatArray:
    """Smooth periodic course through the knots of one stride."""
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(course.phase, knots, bc_type="periodic")(phase), dtype=np.float64)


def _eased(way_m: FloatArray, size: FloatArray) -> FloatArray:
    """Start and stop without a jump: speed follows the size of the stride."""
    return np.cumsum(np.gradient(way_m) * size)


def _events(
    course: Course, pace: Pace, edges: FloatArray, n: int, rate_hz: float, rng: Generator
) -> tuple[list[Contraction], FloatArray]:
    """The truth of each stride, toe-off to contact with mid-swing between, and the strikes of the foot."""
    fine = np.linspace(course.toe_off - 0.02, 1.0, 400)
    mid_swing = fine[np.argmin(np.gradient(_along(course, course.pitch_deg, fine)))]
    shake, truth = np.zeros((n, 3)), []
    strides, lead_s = edges.size - 1, LEAD_STRIDES * pace.stride_s
    for k in range(strides):
        at = [float(np.interp(k + p - START_PHASE, np.arange(strides + 1.0), edges)) + lead_s
              for p in (course.toe_off, mid_swing, 1.0)]  # fmt: skip
        truth.append(Contraction(Kind.STEP, at[0], at[1], at[2], 1.0, "truth", attributes={"gait": course.gait}))
        _strike(shake, rate_hz, at[2], pace.strike_mps2 * rng.uniform(0.7, 1.3), rng)
    return truth, shake


@dataclass(frozen=True, slots=True, eq=False)
class Joints:
    """A stride by its joints, as gait laboratories draw it. Angles in degrees, all arrays (k,).

    Attributes:
        phase: of the knots, from 0 (contact) to 1.
        thigh_deg: thigh ahead of the vertical.
        knee_deg: flexion.
        foot_deg: heel-up rotation of the foot while it is on the floor; of no meaning in the air.
        toe_off: phase.
    """

    phase: FloatArray
    thigh_deg: FloatArray
    knee_deg: FloatArray
    foot_deg: FloatArray
    toe_off: float


def course_of(
    joints: Joints, body: Body, stride_m: float, climb_m: float, gait: str, state: State = State.WALKING
) -> Course:
    """Ankle and shank of a stride whose joints are known.

    On the floor the ankle turns about the ball of the foot. In the air it hangs below a hip that goes forward and
    up evenly; what the even hip leaves open at toe-off and contact is spread over the swing.

    Args:
        joints: angles over the stride.
        body: whose legs.
        stride_m: way from contact to contact.
        climb_m: height gained from contact to contact, negative downstairs.
        gait: name of the gait.
        state: what the wearer does.
    """
    lean_deg = joints.knee_deg - joints.thigh_deg
    thigh, lean = np.radians(joints.thigh_deg), np.radians(lean_deg)
    hang_x = body.thigh_m * np.sin(thigh) - body.shank_m * np.sin(lean) + stride_m * joints.phase
    hang_z = -body.thigh_m * np.cos(thigh) - body.shank_m * np.cos(lean) + climb_m * joints.phase
    floor_x, floor_z = ankle_about_ball(body, np.radians(joints.foot_deg))
    x, z = floor_x - floor_x[0], floor_z - floor_z[0]
    air = joints.phase > joints.toe_off + 1e-9
    off = int(np.flatnonzero(~air)[-1])
    share = (joints.phase - joints.phase[off]) / (1.0 - joints.phase[off])
    for course, hang, end in ((x, hang_x, stride_m), (z, hang_z, climb_m)):
        swung = hang - hang[off] + course[off]
        course[air] = (swung + share * (end - swung[-1]))[air]
    return Course(joints.phase, lean_deg, z, x / stride_m, joints.toe_off, gait, state)
