"""What a leg does that must not be counted: kicks, swings, taps, crossing, rolling, knocks, a vehicle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from analysis.events import State, StateSpan
from analysis.leg.body import Body
from analysis.leg.path import Path, minimum_jerk
from analysis.samples import FloatArray


def about_knee(
    body: Body, rate_hz: float, pitch_rad: FloatArray, state: State, roll_rad: FloatArray | None = None
) -> Path:
    """The shank turns about a knee that stays where it is: kicks, a crossed leg that swings."""
    n = pitch_rad.size
    angles, ankle = np.zeros((n, 3)), np.zeros((n, 3))
    angles[:, 1] = pitch_rad
    if roll_rad is not None:
        angles[:, 0] = roll_rad
    ankle[:, 0] = -body.shank_m * np.sin(pitch_rad)
    ankle[:, 2] = body.shank_m * (np.cos(pitch_rad[0]) - np.cos(pitch_rad))
    return Path(rate_hz, ankle, angles, np.zeros((n, 3)), (), (StateSpan(state, 0.0, n / rate_hz),))


def swings(body: Body, rate_hz: float, duration_s: float, rng: Generator, rest_pitch_rad: float) -> Path:
    """A crossed leg that dangles and swings, 0.6 to 1.6 times a second."""
    t_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    ease = minimum_jerk(t_s / 1.0) * minimum_jerk((duration_s - t_s) / 1.0)
    size, pace = rng.uniform(0.04, 0.2), rng.uniform(0.6, 1.6)
    wander = np.cumsum(rng.normal(0.0, 0.2, t_s.size)) / np.sqrt(rate_hz)
    swing = size * np.sin(2 * np.pi * pace * t_s + wander)
    return about_knee(body, rate_hz, rest_pitch_rad + ease * swing, State.SEATED, 0.2 * ease * swing)


def kicks(body: Body, rate_hz: float, count: int, rng: Generator, rest_pitch_rad: float) -> Path:
    """Seated knee extensions, quick or slow, large or small."""
    pieces = []
    for _ in range(count):
        up_s, hold_s, down_s, rest_s = (
            rng.uniform(0.3, 1.2),
            rng.uniform(0.0, 0.8),
            rng.uniform(0.3, 1.2),
            rng.uniform(0.4, 1.5),
        )
        t_s = np.arange(round((up_s + hold_s + down_s + rest_s) * rate_hz)) / rate_hz
        course = minimum_jerk(t_s / up_s) - minimum_jerk((t_s - up_s - hold_s) / down_s)
        pieces.append(-rng.uniform(0.15, 1.2) * course)
    return about_knee(body, rate_hz, rest_pitch_rad + np.concatenate(pieces), State.SEATED)


def toe_taps(rate_hz: float, duration_s: float, rng: Generator, rest_pitch_rad: float) -> Path:
    """The forefoot taps, the heel stays down: the shank rocks a little about the ankle, with small knocks."""
    n = round(duration_s * rate_hz)
    t_s = np.arange(n) / rate_hz
    pace = rng.uniform(1.0, 3.5)
    angles, shake = np.zeros((n, 3)), np.zeros((n, 3))
    ease = minimum_jerk(t_s / 0.6) * minimum_jerk((duration_s - t_s) / 0.6)
    angles[:, 1] = rest_pitch_rad + rng.uniform(0.003, 0.012) * ease * (0.5 - 0.5 * np.cos(2 * np.pi * pace * t_s))
    ringing = np.exp(-((t_s * pace) % 1.0) / pace / 0.03) * np.sin(2 * np.pi * 14.0 * ((t_s * pace) % 1.0) / pace)
    shake[:, 2] = rng.uniform(0.2, 1.0) * ease * ringing
    return Path(rate_hz, np.zeros((n, 3)), angles, shake, (), (StateSpan(State.SEATED, 0.0, n / rate_hz),))


def crossing(body: Body, rate_hz: float, rng: Generator, rest_pitch_rad: float) -> Path:
    """Cross the leg over the other, rest, and put it back: one large lift and turn each way."""
    move_s, rest_s = rng.uniform(0.9, 1.8), rng.uniform(3.0, 8.0)
    t_s = np.arange(round((2 * move_s + rest_s + 1.0) * rate_hz)) / rate_hz
    there = minimum_jerk(t_s / move_s) - minimum_jerk((t_s - move_s - rest_s) / move_s)
    n = t_s.size
    ankle, angles = np.zeros((n, 3)), np.zeros((n, 3))
    bump = (
        np.sin(np.pi * np.clip(t_s / move_s, 0, 1)) ** 2
        + np.sin(np.pi * np.clip((t_s - move_s - rest_s) / move_s, 0, 1)) ** 2
    )
    ankle[:, 2] = rng.uniform(0.15, 0.35) * there + rng.uniform(0.05, 0.15) * bump
    ankle[:, 1] = rng.uniform(0.1, 0.3) * there
    angles[:, 1] = rest_pitch_rad + rng.uniform(-0.5, 0.3) * there - rng.uniform(0.1, 0.4) * bump
    angles[:, 0] = rng.uniform(0.2, 0.9) * there
    return Path(rate_hz, ankle, angles, np.zeros((n, 3)), (), (StateSpan(State.SEATED, 0.0, n / rate_hz),))


def chair(body: Body, rate_hz: float, duration_s: float, rng: Generator, rest_pitch_rad: float) -> Path:
    """Roll and swivel on an office chair, the foot on the floor: the knee comes and goes over the ankle."""
    n = round(duration_s * rate_hz)
    t_s = np.arange(n) / rate_hz
    ease = minimum_jerk(t_s / 1.0) * minimum_jerk((duration_s - t_s) / 1.0)
    angles = np.zeros((n, 3))
    roll = np.sin(2 * np.pi * rng.uniform(0.15, 0.6) * t_s + np.cumsum(rng.normal(0, 0.3, n)) / np.sqrt(rate_hz))
    angles[:, 1] = rest_pitch_rad + rng.uniform(0.05, 0.25) * ease * roll
    angles[:, 2] = rng.uniform(0.1, 0.5) * ease * np.sin(2 * np.pi * rng.uniform(0.1, 0.4) * t_s)
    return Path(rate_hz, np.zeros((n, 3)), angles, np.zeros((n, 3)), (), (StateSpan(State.SEATED, 0.0, n / rate_hz),))


def vibration(path: Path, rng: Generator, size: float) -> Path:
    """The same, in a vehicle: the floor shakes the leg, at the body's 1 to 3 Hz and the engine's 8 to 25 Hz."""
    from scipy.signal import butter, sosfilt

    n = len(path)
    shake = path.shake_mps2.copy()
    for low, high, rms in ((0.8, 3.0, 0.35), (8.0, 25.0, 0.5)):
        sos = butter(2, [low, min(high, 0.45 * path.rate_hz)], "bandpass", fs=path.rate_hz, output="sos")
        noise = sosfilt(sos, rng.normal(size=(n, 3)), axis=0)
        noise /= max(float(noise.std()), 1e-9)
        wax = 0.6 + 0.4 * np.sin(2 * np.pi * rng.uniform(0.01, 0.05) * np.arange(n) / path.rate_hz)
        shake += size * rms * wax[:, None] * noise * np.array([0.6, 0.5, 1.0])
    speeding = np.sin(2 * np.pi * rng.uniform(0.02, 0.08) * np.arange(n) / path.rate_hz + rng.uniform(0, 6.28))
    shake[:, 0] += size * 0.8 * speeding
    spans = tuple(replace(span, vehicle=True) for span in path.spans)
    return replace(path, shake_mps2=shake, spans=spans)


def knocks(rate_hz: float, duration_s: float, rng: Generator, rest_pitch_rad: float) -> Path:
    """Somebody or something knocks against the shank now and then."""
    n = round(duration_s * rate_hz)
    angles, shake = np.zeros((n, 3)), np.zeros((n, 3))
    angles[:, 1] = rest_pitch_rad
    for at in rng.integers(0, n, max(1, round(duration_s / 5.0))):
        t_s = np.arange(min(n - at, round(0.3 * rate_hz))) / rate_hz
        wave = np.exp(-t_s / 0.05) * np.sin(2 * np.pi * rng.uniform(8.0, 20.0) * t_s)
        shake[at : at + t_s.size] += rng.uniform(2.0, 15.0) * wave[:, None] * rng.normal(size=3)
        angles[at : at + t_s.size, 1] += rng.uniform(-0.03, 0.03) * np.sin(np.pi * t_s / max(t_s[-1], 1e-3)) ** 2
    return Path(rate_hz, np.zeros((n, 3)), angles, shake, (), (StateSpan(State.SEATED, 0.0, n / rate_hz),))


def shifting(rate_hz: float, duration_s: float, rng: Generator, rest_pitch_rad: float) -> Path:
    """Standing, the weight goes from foot to foot: the shank leans about the ankle, forward and sideways."""
    n = round(duration_s * rate_hz)
    t_s = np.arange(n) / rate_hz
    ease = minimum_jerk(t_s / 1.0) * minimum_jerk((duration_s - t_s) / 1.0)
    angles = np.zeros((n, 3))
    for axis, size in ((0, 0.06), (1, 0.05)):
        pace = rng.uniform(0.1, 0.5)
        wander = np.cumsum(rng.normal(0, 0.3, n)) / np.sqrt(rate_hz)
        angles[:, axis] = rng.uniform(0.2, 1.0) * size * ease * np.sin(2 * np.pi * pace * t_s + wander)
    angles[:, 1] += rest_pitch_rad
    return Path(rate_hz, np.zeros((n, 3)), angles, np.zeros((n, 3)), (), (StateSpan(State.STANDING, 0.0, n / rate_hz),))
