"""Pedalling: the chain crank - foot - shank - thigh - hip of many bikes, seated and out of the saddle."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from analysis.events import Contraction, Kind, State, StateSpan
from analysis.leg.body import Body
from analysis.leg.path import Path
from analysis.samples import FloatArray

BOTTOM_RAD = np.pi
"""Crank angle of the bottom of the stroke; zero is the top, a quarter turn later the pedal is foremost."""

FLEXION_RAD = (np.radians(3.0), np.radians(145.0))
"""Of a knee: least and most, however one sits."""


@dataclass(frozen=True, slots=True)
class Bike:
    """A bicycle as its rider's leg meets it.

    Lengths of cranks on sale are 0.145 to 0.180 m, seat angles 66 to 78 degrees; saddles are fitted to 25 to 40
    degrees of knee flexion at the bottom, and many ride lower. The foot is toes-down throughout, least in the push
    and most on the way up; sizes are general knowledge, no table.

    Attributes:
        crank_m: from its axle to the pedal's.
        seat_angle_rad: of the line from the crank's axle to the hip, above the horizontal.
        bottom_flexion_rad: of the knee with the pedal at the bottom: how high the saddle is.
        heel_up_rad: mean pitch of the foot.
        ankling_rad: how far the foot's pitch goes to and fro, half of the whole.
        foot_share: where the foot is on the pedal: 1 = its ball, less = nearer to the heel.
        hip_rock_m: how far the hip rocks up and down, once a turn.
        lean_rad: how far the bike leans to and fro, once a turn.
    """

    crank_m: float = 0.17
    seat_angle_rad: float = float(np.radians(73.0))
    bottom_flexion_rad: float = float(np.radians(35.0))
    heel_up_rad: float = float(np.radians(20.0))
    ankling_rad: float = float(np.radians(10.0))
    foot_share: float = 1.0
    hip_rock_m: float = 0.005
    lean_rad: float = 0.01

    def out_of_saddle(self, rng: Generator) -> Bike:
        """The same, ridden standing: hip farther forward and up, rocking with each stroke, the bike leaning."""
        return replace(
            self,
            seat_angle_rad=float(np.radians(rng.uniform(80.0, 90.0))),
            bottom_flexion_rad=float(np.radians(rng.uniform(25.0, 40.0))),
            hip_rock_m=rng.uniform(0.02, 0.04),
            lean_rad=rng.uniform(0.04, 0.15),
        )


@dataclass(frozen=True, slots=True)
class Bout:
    """Strokes at one cadence, then the pedals rest.

    Attributes:
        strokes: of the sensor's leg.
        cadence_per_min: of the crank.
        rest_s: for how long the pedals rest afterwards.
    """

    strokes: int
    cadence_per_min: float
    rest_s: float = 0.0


def leg_on_bike(body: Body, bike: Bike, crank_rad: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ankle position (n, 3) and shank angles (n, 3) for each crank angle; the crank's axle is the origin.

    The knee is where the circle of the thigh about the hip meets the circle of the shank about the ankle.

    Raises:
        ValueError: the bike is too small or too large for this body.
    """
    ankle = _ankle(body, bike, crank_rad)
    lowest = _ankle(body, bike, np.array([BOTTOM_RAD]))[0]
    shank, thigh = body.shank_m, body.thigh_m
    reach = _reach_m(body, bike.bottom_flexion_rad)
    along = np.array([-np.cos(bike.seat_angle_rad), np.sin(bike.seat_angle_rad)])
    ahead = float(along @ lowest)
    square = ahead**2 + reach**2 - float(lowest @ lowest)
    if square <= 0.0:
        raise ValueError("this bike is too large for this body")
    hip = (ahead + np.sqrt(square)) * along
    rock = bike.hip_rock_m * np.cos(crank_rad)
    away = hip[None, :] + np.stack([0.3 * rock, rock], axis=1) - ankle
    distance = np.hypot(away[:, 0], away[:, 1])
    longest, shortest = (_reach_m(body, flexion) for flexion in FLEXION_RAD)
    if np.any(distance > longest):
        raise ValueError("this bike is too large for this body")
    if np.any(distance < shortest):
        raise ValueError("this bike is too small for this body")
    towards = np.arctan2(away[:, 0], away[:, 1])  # lean of the line from ankle to hip
    at_ankle = np.arccos(np.clip((shank**2 + distance**2 - thigh**2) / (2.0 * shank * distance), -1.0, 1.0))
    angles = np.zeros((crank_rad.size, 3))
    angles[:, 0] = bike.lean_rad * np.sin(crank_rad)
    angles[:, 1] = towards + at_ankle
    return np.stack([ankle[:, 0], np.zeros(crank_rad.size), ankle[:, 1]], axis=1), angles


def _reach_m(body: Body, flexion_rad: float) -> float:
    """From ankle to hip with the knee bent so far."""
    shank, thigh = body.shank_m, body.thigh_m
    return float(np.sqrt(shank**2 + thigh**2 + 2.0 * shank * thigh * np.cos(flexion_rad)))


def _ankle(body: Body, bike: Bike, crank_rad: FloatArray) -> FloatArray:
    """Ankle (n, 2), forward and up: the pedal's circle and the foot that pitches on it, toes-down most at the back."""
    pitch = bike.heel_up_rad - bike.ankling_rad * np.sin(crank_rad - np.radians(10.0))
    back, high = bike.foot_share * body.ankle_to_ball_m, body.ankle_height_m
    forward = bike.crank_m * np.sin(crank_rad) - back * np.cos(pitch) + high * np.sin(pitch)
    up = bike.crank_m * np.cos(crank_rad) + back * np.sin(pitch) + high * np.cos(pitch)
    return np.stack([forward, up], axis=1)


def ride(
    body: Body, bike: Bike, bouts: tuple[Bout, ...], rate_hz: float, rng: Generator, *, road_mps2: float = 0.0
) -> Path:
    """Pedal in bouts, with the truth at the bottom of each stroke.

    Args:
        body: whose leg.
        bike: on what.
        bouts: one after the other.
        rate_hz: of the path.
        rng: chance.
        road_mps2: size (rms) of the road's shaking; 0 on a trainer.
    """
    crank, turning = _crank_course(bouts, rate_hz, rng)
    ankle, angles = leg_on_bike(body, bike, crank)
    n = crank.size
    shake = _road(n, rate_hz, road_mps2, rng) if road_mps2 > 0.0 else np.zeros((n, 3))
    span = StateSpan(State.CYCLING, 0.0, n / rate_hz)
    return Path(rate_hz, ankle, angles, shake, tuple(_strokes(crank, turning, rate_hz)), (span,))


def _crank_course(bouts: tuple[Bout, ...], rate_hz: float, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Crank angle (n,) and its rate in rad/s: eased in and out, uneven within a turn, wandering over many."""
    from scipy.ndimage import gaussian_filter1d

    wanted: list[FloatArray] = [np.zeros(round(1.0 * rate_hz))]
    for bout in bouts:
        rate = bout.cadence_per_min * 2.0 * np.pi / 60.0
        pedalled = np.full(round(bout.strokes * 60.0 / bout.cadence_per_min * rate_hz), rate)
        wanted += [pedalled, np.zeros(round(bout.rest_s * rate_hz))]
    wanted.append(np.zeros(round(1.0 * rate_hz)))
    eased = gaussian_filter1d(np.concatenate(wanted), rng.uniform(0.15, 0.4) * rate_hz)
    wander = gaussian_filter1d(rng.normal(size=eased.size), 2.0 * rate_hz)
    eased = np.maximum(eased * (1.0 + rng.uniform(0.01, 0.06) * wander / max(float(wander.std()), 1e-9)), 0.0)
    even = rng.uniform(0.0, 2.0 * np.pi) + np.cumsum(eased) / rate_hz
    crank = even - rng.uniform(0.0, 0.06) * np.sin(2.0 * even)  # slower where the pedals are at top and bottom
    return crank, np.gradient(crank) * rate_hz


def _strokes(crank: FloatArray, turning: FloatArray, rate_hz: float) -> list[Contraction]:
    """From the top (or the first push) through the bottom to the next top (or where the pedals come to rest)."""
    moving = turning > 0.2
    truth = []
    for k in range(int(np.floor(crank[0] / (2 * np.pi))), int(crank[-1] / (2 * np.pi)) + 1):
        top, bottom, after = (k * 2 * np.pi + x for x in (0.0, BOTTOM_RAD, 2 * np.pi))
        if not crank[0] < bottom < crank[-1]:
            continue
        at = int(np.searchsorted(crank, bottom))
        first = max(int(np.searchsorted(crank, top)), at - int(np.argmin(moving[at::-1])) if moving[at] else at - 1)
        rest = ~moving[at:]
        stops = at + int(rest.argmax()) if rest.any() else crank.size - 1
        last = max(at + 1, min(int(np.searchsorted(crank, after)), stops, crank.size - 1))
        truth.append(Contraction(Kind.PEDAL, min(first, at - 1) / rate_hz, at / rate_hz, last / rate_hz, 1.0, "truth"))
    return truth


def _road(n: int, rate_hz: float, size_mps2: float, rng: Generator) -> FloatArray:
    """What the road shakes into the foot: rough from 4 to 30 Hz, coming and going, and a bump now and then."""
    from scipy.signal import butter, sosfilt

    sos = butter(2, [4.0, min(30.0, 0.45 * rate_hz)], "bandpass", fs=rate_hz, output="sos")
    noise = sosfilt(sos, rng.normal(size=(n, 3)), axis=0)
    noise /= max(float(noise.std()), 1e-9)
    t_s = np.arange(n) / rate_hz
    wax = 0.65 + 0.35 * np.sin(2 * np.pi * rng.uniform(0.02, 0.1) * t_s + rng.uniform(0.0, 6.28))
    shake = size_mps2 * wax[:, None] * noise * np.array([0.6, 0.4, 1.0])
    for at in rng.integers(0, n, rng.poisson(n / rate_hz / 15.0)):
        t = np.arange(min(n - at, round(0.4 * rate_hz))) / rate_hz
        wave = np.exp(-t / 0.08) * np.sin(2 * np.pi * rng.uniform(5.0, 12.0) * t)
        shake[at : at + t.size, 2] += rng.uniform(1.0, 4.0) * size_mps2 * wave
    shake[:, 0] += rng.uniform(0.2, 0.6) * np.sin(2 * np.pi * rng.uniform(0.03, 0.08) * t_s)  # speeding up, braking
    return shake
