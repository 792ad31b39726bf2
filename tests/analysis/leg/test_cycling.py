"""The simulated rider: the chain closes, and the truth is where the pedal is lowest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.events import Kind, State
from analysis.leg.body import Body
from analysis.leg.cycling import Bike, Bout, leg_on_bike, ride

BODY = Body(1.75)
ROUND = np.linspace(0.0, 2.0 * np.pi, 721)


def knee_and_hip(body: Body, bike: Bike) -> tuple[np.ndarray, np.ndarray]:
    """Where the knee is, and how far from it the hip's place must be, for each crank angle."""
    ankle, angles = leg_on_bike(body, bike, ROUND)
    lean = angles[:, 1]
    return ankle[:, [0, 2]] + body.shank_m * np.stack([np.sin(lean), np.cos(lean)], axis=1), ankle


def test_the_hip_stays_while_the_leg_goes_round() -> None:
    """One point is a thigh's length from the knee all the way: the chain is closed, whoever rides."""
    for height_m in (1.5, 1.75, 2.0):
        body, bike = Body(height_m), Bike(hip_rock_m=0.0)
        knee, _ = knee_and_hip(body, bike)
        # |knee - hip| = thigh for all: 2 knee . hip - |hip|^2 = |knee|^2 - thigh^2 is linear in (hip, |hip|^2).
        known = np.column_stack([2.0 * knee, -np.ones(ROUND.size)])
        right = (knee**2).sum(axis=1) - body.thigh_m**2
        hip = np.linalg.lstsq(known, right, rcond=None)[0]
        assert np.abs(known @ hip - right).max() < 1e-9
        assert hip[2] == pytest.approx(hip[0] ** 2 + hip[1] ** 2)
        assert np.degrees(np.arctan2(hip[1], -hip[0])) == pytest.approx(73.0)


def test_the_knee_is_bent_at_the_bottom_as_the_saddle_says() -> None:
    """The saddle's height is told by the knee's flexion with the pedal at the bottom."""
    bike = Bike(bottom_flexion_rad=0.6, hip_rock_m=0.0)
    ankle, angles = leg_on_bike(BODY, bike, np.array([np.pi]))
    lean = angles[0, 1]
    knee = ankle[0, [0, 2]] + BODY.shank_m * np.array([np.sin(lean), np.cos(lean)])
    hip_at = np.linalg.norm(knee_hip(bike) - ankle[0, [0, 2]])
    reach = np.sqrt(BODY.shank_m**2 + BODY.thigh_m**2 + 2 * BODY.shank_m * BODY.thigh_m * np.cos(0.6))
    assert hip_at == pytest.approx(reach)
    assert np.linalg.norm(knee - knee_hip(bike)) == pytest.approx(BODY.thigh_m)


def knee_hip(bike: Bike) -> np.ndarray:
    knee, _ = knee_and_hip(BODY, bike)
    known = np.column_stack([2.0 * knee, -np.ones(ROUND.size)])
    hip: np.ndarray = np.linalg.lstsq(known, (knee**2).sum(axis=1) - BODY.thigh_m**2, rcond=None)[0][:2]
    return hip


@pytest.mark.parametrize("place", [0.08, 0.3, 0.5])
def test_the_sensor_rises_by_two_cranks(place: float) -> None:
    """Anywhere on the lower half of the shank it goes up and down by 1.6 to 2.1 cranks, lowest near the bottom."""
    for seat, flexion in ((66.0, 25.0), (73.0, 40.0), (78.0, 60.0)):
        bike = Bike(seat_angle_rad=np.radians(seat), bottom_flexion_rad=np.radians(flexion))
        ankle, angles = leg_on_bike(BODY, bike, ROUND)
        up = ankle[:, 2] + place * BODY.shank_m * np.cos(angles[:, 1])
        assert 1.6 < np.ptp(up) / bike.crank_m < 2.1
        assert abs(np.degrees(ROUND[up.argmin()]) - 180.0) < 12.0


def test_truth_is_the_bottom_of_each_stroke() -> None:
    """As many strokes as told, each lowest at its peak, in order, none while the pedals rest."""
    path = ride(BODY, Bike(), (Bout(10, 60.0, 5.0), Bout(5, 90.0)), 200.0, np.random.default_rng(3))
    assert {event.kind for event in path.truth} == {Kind.PEDAL}
    assert abs(len(path.truth) - 15) <= 2
    assert {span.state for span in path.spans} == {State.CYCLING}
    assert all(event.onset_s < event.peak_s < event.end_s for event in path.truth)
    whole = [event for event in path.truth if 0.5 < event.end_s - event.onset_s < 1.3]
    assert len(whole) >= 12
    for event in whole:
        around = slice(round((event.peak_s - 0.2) * 200), round((event.peak_s + 0.2) * 200))
        up = path.ankle_m[around, 2]
        assert path.ankle_m[round(event.peak_s * 200), 2] - up.min() < 0.01  # the foot pitches on the pedal
    assert not [event for event in path.truth if 12.5 < event.peak_s < 15.5]


def test_a_road_shakes_and_a_trainer_does_not() -> None:
    """Only the road adds acceleration of its own."""
    bouts = (Bout(10, 60.0),)
    trainer = ride(BODY, Bike(), bouts, 200.0, np.random.default_rng(4))
    road = ride(BODY, Bike(), bouts, 200.0, np.random.default_rng(4), road_mps2=2.0)
    assert np.abs(trainer.shake_mps2).max() == 0.0
    assert 0.5 < road.shake_mps2[:, 2].std() < 4.0


@pytest.mark.parametrize(("height_m", "fault"), [(0.6, "too large"), (2.0, "too small")])
def test_a_bike_that_does_not_fit_is_refused(height_m: float, fault: str) -> None:
    """A leg that cannot reach the pedal, or has no room above it, is the caller's fault."""
    bike = replace(Bike(), bottom_flexion_rad=np.radians(150.0) if fault == "too small" else 0.1)
    bike = replace(bike, crank_m=0.5) if fault == "too large" else bike
    with pytest.raises(ValueError, match="this bike is too"):
        leg_on_bike(Body(height_m), bike, ROUND)
