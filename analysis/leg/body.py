"""Proportions of a body and the closed chains that its leg makes with chair and floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.samples import FloatArray


@dataclass(frozen=True, slots=True)
class Body:
    """Segment lengths as shares of stature.

    Source: thigh 0.245, shank 0.246, ankle height 0.039 of stature: Drillis & Contini 1964, as tabled in
    Winter, Biomechanics and Motor Control of Human Movement, 4th ed. 2009, fig. 4.1. The horizontal distance
    from ankle to ball of the foot (0.075 of stature, about half of the 0.152 foot length) is our reading
    of the same figure: it gives no number for the ball.
    """

    height_m: float = 1.75
    thigh_share: float = 0.245
    shank_share: float = 0.246
    ankle_height_share: float = 0.039
    ankle_to_ball_share: float = 0.075

    @property
    def thigh_m(self) -> float:
        """Hip to knee."""
        return self.thigh_share * self.height_m

    @property
    def shank_m(self) -> float:
        """Knee to ankle."""
        return self.shank_share * self.height_m

    @property
    def ankle_height_m(self) -> float:
        """Height of the ankle above the sole."""
        return self.ankle_height_share * self.height_m

    @property
    def ankle_to_ball_m(self) -> float:
        """Horizontal way from the ankle to the ball of the foot."""
        return self.ankle_to_ball_share * self.height_m


@dataclass(frozen=True, slots=True)
class Chair:
    """Where the hip and the foot are when seated.

    Attributes:
        hip_height: height of the hip as a share of the height of the knee with the foot flat.
        foot_forward_m: ankle ahead of (+) or behind (-) the knee.
    """

    hip_height: float = 1.0
    foot_forward_m: float = 0.0


@dataclass(frozen=True, slots=True)
class AnklePose:
    """Shank and ankle for each foot pitch of a heel raise.

    Attributes:
        shank_pitch_rad: (n,) forward lean of the shank.
        ankle_rotation_rad: (n,) plantar flexion, zero with the foot flat.
        forward_m: (n,) ankle displacement, zero with the foot flat.
        up_m: (n,) likewise.
    """

    shank_pitch_rad: FloatArray
    ankle_rotation_rad: FloatArray
    forward_m: FloatArray
    up_m: FloatArray


def ankle_about_ball(body: Body, foot_pitch_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ankle displacement (forward, up) while the foot turns about the ball, which stays on the floor."""
    back, high = body.ankle_to_ball_m, body.ankle_height_m
    cos, sin = np.cos(foot_pitch_rad), np.sin(foot_pitch_rad)
    return back * (1.0 - cos) + high * sin, back * sin + high * (cos - 1.0)


def seated_heel_raise(body: Body, chair: Chair, foot_pitch_rad: FloatArray) -> AnklePose:
    """Closed chain hip - knee - ankle - ball: hip fixed on the seat, ball fixed on the floor.

    The knee is where the circle of the thigh about the hip meets the circle of the shank about the ankle.

    Raises:
        ValueError: the chair is out of this body's reach.
    """
    forward, up = ankle_about_ball(body, foot_pitch_rad)
    shank, thigh = body.shank_m, body.thigh_m
    if abs(chair.foot_forward_m) >= shank:
        raise ValueError("this chair is out of reach of this body")
    knee_height = body.ankle_height_m + np.sqrt(shank**2 - chair.foot_forward_m**2)
    hip_up = knee_height * chair.hip_height
    if abs(hip_up - knee_height) >= thigh:
        raise ValueError("this chair is out of reach of this body")
    hip_back = np.sqrt(thigh**2 - (hip_up - knee_height) ** 2)
    ankle_x = chair.foot_forward_m + hip_back + forward  # from the hip
    ankle_z = body.ankle_height_m + up - hip_up
    reach = np.hypot(ankle_x, ankle_z)
    along = (thigh**2 - shank**2 + reach**2) / (2.0 * reach)
    square = thigh**2 - along**2
    if not np.all(square > 0.0):
        raise ValueError("this chair is out of reach of this body")
    across = np.sqrt(square)
    knee_x = along * ankle_x / reach - across * ankle_z / reach
    knee_z = along * ankle_z / reach + across * ankle_x / reach
    pitch = np.arctan2(knee_x - ankle_x, knee_z - ankle_z)
    rest = np.arctan2(-chair.foot_forward_m, np.sqrt(shank**2 - chair.foot_forward_m**2))
    return AnklePose(pitch, foot_pitch_rad - (pitch - rest), forward, up)


def standing_heel_raise(body: Body, lean_share: float, rest_pitch_rad: float, foot_pitch_rad: FloatArray) -> AnklePose:
    """Knee straight: the leg rises about the ball of the foot and leans forward to keep balance.

    Args:
        body: whose leg.
        lean_share: shank pitch per foot pitch. Real recordings: about 6 of 45 degrees (FACTS, section 10).
        rest_pitch_rad: lean of the shank with the heel down.
        foot_pitch_rad: (n,) heel-up rotation of the foot.
    """
    forward, up = ankle_about_ball(body, foot_pitch_rad)
    lean = lean_share * foot_pitch_rad
    return AnklePose(rest_pitch_rad + lean, foot_pitch_rad - lean, forward, up)


def foot_pitch_for(pose_of_pitch: AnklePose, foot_pitch_rad: FloatArray, rotation_rad: FloatArray) -> FloatArray:
    """Foot pitch that gives each ankle rotation, by table look-up in one computed chain."""
    return np.interp(rotation_rad, pose_of_pitch.ankle_rotation_rad, foot_pitch_rad)
