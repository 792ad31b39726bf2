"""What a leg does: each movement gives its path and the truth of every contraction in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from analysis.events import Contraction, Kind, State, StateSpan
from analysis.leg.body import AnklePose, Body, Chair, foot_pitch_for, seated_heel_raise, standing_heel_raise
from analysis.leg.path import Path, minimum_jerk
from analysis.samples import FloatArray

TABLE_PITCH_RAD = np.radians(np.linspace(-5.0, 75.0, 161))


@dataclass(frozen=True, slots=True)
class Raises:
    """A set of heel raises.

    Attributes:
        count: how many.
        rate_per_min: cadence.
        rotation_rad: plantar flexion at the top.
        irregularity: spread of period and size from one raise to the next, as a share.
        rise_share: share of the period spent rising.
        hold_share: share held at the top.
        fall_share: share spent falling; the rest of the period the heel is down.
    """

    count: int
    rate_per_min: float
    rotation_rad: float
    irregularity: float = 0.06
    rise_share: float = 0.38
    hold_share: float = 0.06
    fall_share: float = 0.32


def seated_pushups(body: Body, chair: Chair, raises: Raises, rate_hz: float, rng: Generator) -> Path:
    """Seated heel raises with the forefoot on the floor (soleus push-ups)."""
    table = seated_heel_raise(body, chair, TABLE_PITCH_RAD)
    return _raise_path(table, raises, Kind.SOLEUS_PUSHUP, State.SEATED, rate_hz, rng)


def standing_raises(
    body: Body, raises: Raises, rate_hz: float, rng: Generator, *, lean_share: float, rest_pitch_rad: float
) -> Path:
    """Standing heel raises, knee straight."""
    table = standing_heel_raise(body, lean_share, rest_pitch_rad, TABLE_PITCH_RAD)
    return _raise_path(table, raises, Kind.HEEL_RAISE, State.STANDING, rate_hz, rng)


def _raise_path(table: AnklePose, raises: Raises, kind: Kind, state: State, rate_hz: float, rng: Generator) -> Path:
    rotation, truth, landings_s = _rotation_course(raises, kind, rate_hz, rng)
    foot = foot_pitch_for(table, TABLE_PITCH_RAD, rotation)
    n = rotation.size
    ankle: FloatArray = np.zeros((n, 3))
    angles: FloatArray = np.zeros((n, 3))
    ankle[:, 0] = np.interp(foot, TABLE_PITCH_RAD, table.forward_m)
    ankle[:, 2] = np.interp(foot, TABLE_PITCH_RAD, table.up_m)
    angles[:, 1] = np.interp(foot, TABLE_PITCH_RAD, table.shank_pitch_rad)
    ankle, angles = _smooth(ankle, rate_hz), _smooth(angles, rate_hz)
    shake = np.zeros((n, 3))
    for at_s in landings_s:
        _strike(shake, rate_hz, at_s, rng.uniform(0.1, 0.8), rng)
    return Path(rate_hz, ankle, angles, shake, tuple(truth), (StateSpan(state, 0.0, n / rate_hz),))


def _rotation_course(
    raises: Raises, kind: Kind, rate_hz: float, rng: Generator
) -> tuple[FloatArray, list[Contraction], list[float]]:
    """Ankle rotation over time, the truth of each raise, and when each heel lands."""
    period = 60.0 / raises.rate_per_min * np.exp(rng.normal(0.0, raises.irregularity, raises.count))
    size = raises.rotation_rad * np.exp(rng.normal(0.0, raises.irregularity, raises.count))
    onset = 0.5 + np.concatenate([[0.0], np.cumsum(period)[:-1]])
    n = round((onset[-1] + period[-1] + 0.5) * rate_hz)
    t_s, rotation = np.arange(n) / rate_hz, np.zeros(n)
    truth, landings = [], []
    for start, length, top in zip(onset, period, size, strict=True):
        rise, hold, fall = (s * length for s in (raises.rise_share, raises.hold_share, raises.fall_share))
        up = minimum_jerk((t_s - start) / rise)
        down = minimum_jerk((t_s - start - rise - hold) / fall)
        lift = up - down
        rotation += top * lift * (1.0 + _tremor(t_s, rng))
        end = start + rise + hold + fall
        truth.append(Contraction(kind, start, start + rise + hold / 2.0, end, 1.0, "truth"))
        landings.append(end)
    return rotation, truth, landings


def _tremor(t_s: FloatArray, rng: Generator) -> FloatArray:
    """Action tremor of 4-8 Hz while the heel is up. Source: Pozos 1982 (FACTS, section 4); size chosen small."""
    return rng.uniform(0.0, 0.006) * np.sin(2 * np.pi * rng.uniform(4.0, 8.0) * t_s + rng.uniform(0, 6.28))


def _smooth(course: FloatArray, rate_hz: float) -> FloatArray:
    """Round the corners of table look-up, so that the second derivative stays physical (0.04 s window)."""
    width = max(3, round(0.04 * rate_hz) | 1)
    window = np.hanning(width + 2)[1:-1]
    window /= window.sum()
    half = width // 2
    padded = np.pad(course, ((half, half), (0, 0)), mode="edge")
    return np.stack([np.convolve(padded[:, i], window, mode="valid") for i in range(course.shape[1])], axis=1)


def _strike(shake: FloatArray, rate_hz: float, at_s: float, size_mps2: float, rng: Generator) -> None:
    """Add the shock of a foot meeting the floor: a decaying oscillation, mostly along the vertical."""
    first = round(at_s * rate_hz)
    t = np.arange(min(round(0.25 * rate_hz), max(0, shake.shape[0] - first))) / rate_hz
    wave = np.exp(-t / rng.uniform(0.025, 0.05)) * np.sin(2 * np.pi * rng.uniform(11.0, 18.0) * t)
    direction = np.array([rng.uniform(-0.5, 0.2), rng.uniform(-0.2, 0.2), 1.0])
    shake[first : first + t.size] += size_mps2 * wave[:, None] * direction


def not_worn(rate_hz: float, duration_s: float, pitch_rad: float) -> Path:
    """The sensor lies on a table."""
    n = round(duration_s * rate_hz)
    angles = np.zeros((n, 3))
    angles[:, 1] = pitch_rad
    span = StateSpan(State.NOT_WORN, 0.0, n / rate_hz)
    return Path(rate_hz, np.zeros((n, 3)), angles, np.zeros((n, 3)), (), (span,))


def stand_up(rate_hz: float, seated_pitch_rad: float, standing_pitch_rad: float, rng: Generator) -> Path:
    """Sit to stand: the shank leans forward over a fixed foot, then comes upright."""
    n = round(rng.uniform(1.4, 2.4) * rate_hz)
    share = (np.arange(n) + 0.5) / n
    lean = rng.uniform(0.15, 0.35) * np.sin(np.pi * minimum_jerk(share)) ** 2
    angles = np.zeros((n, 3))
    angles[:, 1] = seated_pitch_rad + (standing_pitch_rad - seated_pitch_rad) * minimum_jerk(share) + lean
    span = StateSpan(State.UNKNOWN, 0.0, n / rate_hz)
    return Path(rate_hz, np.zeros((n, 3)), angles, np.zeros((n, 3)), (), (span,))


def sit_down(rate_hz: float, standing_pitch_rad: float, seated_pitch_rad: float, rng: Generator) -> Path:
    """Stand to sit: the reverse of `stand_up`."""
    return stand_up(rate_hz, standing_pitch_rad, seated_pitch_rad, rng)


def bounce(
    body: Body,
    chair: Chair,
    rate_hz: float,
    duration_s: float,
    frequency_hz: float,
    rotation_rad: float,
    rng: Generator,
) -> Path:
    """Leg bounce: the seated chain driven at 2.2 to 8 Hz by small heel lifts. No pump, no truth event."""
    table = seated_heel_raise(body, chair, TABLE_PITCH_RAD)
    n = round(duration_s * rate_hz)
    t_s = np.arange(n) / rate_hz
    envelope = minimum_jerk(t_s / 0.8) * minimum_jerk((duration_s - t_s) / 0.8)
    drift = np.cumsum(rng.normal(0.0, 0.15, n)) / np.sqrt(rate_hz)
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * frequency_hz * t_s + drift)
    foot = foot_pitch_for(table, TABLE_PITCH_RAD, rotation_rad * envelope * wave)
    ankle, angles = np.zeros((n, 3)), np.zeros((n, 3))
    ankle[:, 0] = np.interp(foot, TABLE_PITCH_RAD, table.forward_m)
    ankle[:, 2] = np.interp(foot, TABLE_PITCH_RAD, table.up_m)
    angles[:, 1] = np.interp(foot, TABLE_PITCH_RAD, table.shank_pitch_rad)
    span = StateSpan(State.SEATED, 0.0, n / rate_hz)
    return Path(rate_hz, _smooth(ankle, rate_hz), _smooth(angles, rate_hz), np.zeros((n, 3)), (), (span,))
