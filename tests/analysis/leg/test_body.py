"""The closed chains of the leg, against numbers worked out by hand.

The foot turns by phi about its ball. The ankle lies `back` behind and `high` above the ball, so it goes

    forward = back (1 - cos phi) + high sin phi    ->  high phi   for small phi
    up      = back sin phi - high (1 - cos phi)    ->  back phi

Seated with the thigh level, the knee can only go straight up at first (it circles about the hip beside it), and
with the shank upright it goes up as far as the ankle. The ankle goes forward below it, so the shank leans back by
forward / shank = (high / shank) phi, and the ankle has turned by phi plus that lean.
"""

from __future__ import annotations

import numpy as np
import pytest

from analysis.leg.body import Body, Chair, ankle_about_ball, foot_pitch_for, seated_heel_raise, standing_heel_raise

TALL = Body(2.0)  # thigh 0.490, shank 0.492, ankle 0.078 above and 0.150 behind the ball
PITCH_RAD = np.radians(np.linspace(0.0, 60.0, 121))
CHAIRS = [Chair(1.0, 0.0), Chair(0.85, -0.15), Chair(0.85, 0.12), Chair(1.2, -0.15), Chair(1.2, 0.12)]


def test_segments_of_a_two_metre_body() -> None:
    """Segment lengths are Drillis & Contini's shares of stature."""
    lengths = (TALL.thigh_m, TALL.shank_m, TALL.ankle_height_m, TALL.ankle_to_ball_m)
    assert lengths == pytest.approx((0.490, 0.492, 0.078, 0.150))


def test_ankle_of_a_small_heel_raise() -> None:
    """For 0.01 rad the ankle of a two-metre body goes 1.50 mm up and 0.78 mm forward."""
    forward, up = ankle_about_ball(TALL, np.array([0.01]))
    assert up[0] == pytest.approx(1.50e-3, rel=0.01)
    assert forward[0] == pytest.approx(0.78e-3, rel=0.02)


def test_ankle_of_a_right_angle() -> None:
    """With the foot on its tip the ankle stands `back` above the floor and `high` ahead of the ball."""
    forward, up = ankle_about_ball(TALL, np.array([np.pi / 2]))
    assert forward[0] == pytest.approx(0.150 + 0.078)
    assert up[0] == pytest.approx(0.150 - 0.078)


def test_shank_of_a_small_seated_raise() -> None:
    """Thigh level, shank upright: the shank leans back by ankle height / shank of the foot's pitch."""
    pose = seated_heel_raise(TALL, Chair(), np.array([0.0, 0.01]))
    lean_back = 0.078 / 0.492 * 0.01
    assert pose.shank_pitch_rad[0] == pytest.approx(0.0, abs=1e-12)
    assert pose.shank_pitch_rad[1] == pytest.approx(-lean_back, rel=0.03)
    assert pose.ankle_rotation_rad[1] == pytest.approx(0.01 + lean_back, rel=0.01)


def test_shank_of_a_full_seated_raise() -> None:
    """Foot pitch 30 deg at 1.75 m: the shank leans back by 7.3 deg, so the ankle turns by 37.3.

    By hand: forward 51.7 mm, up 56.5 mm. The knee rises by 53.0 mm on its circle about the hip (radius 428.75 mm),
    which takes it 3.3 mm back; asin((51.7 + 3.3) / 430.5) = 7.34 deg; the shank's own lean lowers the knee by 3.5 mm.
    """
    pose = seated_heel_raise(Body(1.75), Chair(), np.radians([30.0]))
    assert pose.forward_m[0] == pytest.approx(0.0517, abs=1e-4)
    assert pose.up_m[0] == pytest.approx(0.0565, abs=1e-4)
    assert np.degrees(pose.shank_pitch_rad[0]) == pytest.approx(-7.34, abs=0.05)
    assert np.degrees(pose.ankle_rotation_rad[0]) == pytest.approx(37.34, abs=0.05)


@pytest.mark.parametrize("chair", CHAIRS, ids=str)
def test_the_seated_chain_closes(chair: Chair) -> None:
    """Hip to knee, knee to ankle and ankle to ball keep their lengths over the whole raise, to a nanometre."""
    body = Body(1.68)
    pose = seated_heel_raise(body, chair, PITCH_RAD)
    ankle = np.stack([chair.foot_forward_m + pose.forward_m, body.ankle_height_m + pose.up_m], axis=1)
    shank = body.shank_m * np.stack([np.sin(pose.shank_pitch_rad), np.cos(pose.shank_pitch_rad)], axis=1)
    knee = ankle + shank
    knee_at_rest_up = body.ankle_height_m + np.sqrt(body.shank_m**2 - chair.foot_forward_m**2)
    hip_up = knee_at_rest_up * chair.hip_height
    hip = np.array([-np.sqrt(body.thigh_m**2 - (hip_up - knee_at_rest_up) ** 2), hip_up])
    ball = np.array([chair.foot_forward_m + body.ankle_to_ball_m, 0.0])
    np.testing.assert_allclose(np.linalg.norm(knee - hip, axis=1), body.thigh_m, atol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(ankle - ball, axis=1), np.hypot(body.ankle_to_ball_m, body.ankle_height_m), atol=1e-9
    )
    np.testing.assert_allclose(knee[0], [0.0, knee_at_rest_up], atol=1e-9)


@pytest.mark.parametrize("chair", CHAIRS, ids=str)
def test_ankle_rotation_is_foot_less_shank(chair: Chair) -> None:
    """The ankle turns by what the foot pitches less what the shank follows, and ever further."""
    pose = seated_heel_raise(Body(), chair, PITCH_RAD)
    change = pose.shank_pitch_rad - pose.shank_pitch_rad[0]
    np.testing.assert_allclose(pose.ankle_rotation_rad, PITCH_RAD - change, atol=1e-12)
    assert (np.diff(pose.ankle_rotation_rad) > 0.0).all()


def test_seated_and_standing_tilt_opposite_ways() -> None:
    """Seated the shank leans back while the heel rises, standing it leans forward (FACTS, section 10)."""
    seated = seated_heel_raise(Body(), Chair(), PITCH_RAD).shank_pitch_rad
    standing = standing_heel_raise(Body(), 0.13, 0.05, PITCH_RAD).shank_pitch_rad
    assert (np.diff(seated) < 0.0).all()
    assert (np.diff(standing) > 0.0).all()


def test_standing_raise_of_the_recordings() -> None:
    """45 deg of the foot, 6 of which the shank follows, are 39 deg of the ankle (FACTS, section 10)."""
    pose = standing_heel_raise(Body(), 6.0 / 45.0, 0.0, np.radians([45.0]))
    assert np.degrees(pose.shank_pitch_rad[0]) == pytest.approx(6.0)
    assert np.degrees(pose.ankle_rotation_rad[0]) == pytest.approx(39.0)


@pytest.mark.parametrize("chair", [Chair(1.9, 0.0), Chair(0.1, 0.0), Chair(3.0, 0.0), Chair(1.0, 0.6)], ids=str)
def test_a_chair_out_of_reach_is_refused(chair: Chair) -> None:
    """A hip further from the knee than the thigh is long, or a foot further than the shank, is a caller's mistake."""
    with pytest.raises(ValueError, match="out of reach"):
        seated_heel_raise(Body(), chair, PITCH_RAD)


def test_foot_pitch_for_a_rotation() -> None:
    """Looking a rotation up in the chain and computing the chain again gives the rotation."""
    table = seated_heel_raise(Body(), Chair(0.95, 0.05), PITCH_RAD)
    wanted = np.radians([0.0, 10.0, 33.0])
    pitch = foot_pitch_for(table, PITCH_RAD, wanted)
    again = seated_heel_raise(Body(), Chair(0.95, 0.05), pitch)
    np.testing.assert_allclose(again.ankle_rotation_rad, wanted, atol=1e-5)
