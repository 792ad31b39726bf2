"""Level walking of one leg: shank pitch and ankle path over the stride."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from analysis.events import Contraction, Kind, State, StateSpan
from analysis.leg.movements import _strike
from analysis.leg.path import Path, minimum_jerk
from analysis.samples import FloatArray

# Course of the stride from heel strike (0) to the next (1). Shape after the sagittal kinematics of level
# walking in Winter 2009, ch. 3 and app. A (shank leans back about 20 deg at contact, 50 deg forward at
# toe-off, heel off at 40-45 %, toe-off at 62 %); values read as round numbers, ours.
PHASE = np.array([0.0, 0.08, 0.2, 0.32, 0.44, 0.54, 0.62, 0.68, 0.75, 0.82, 0.88, 0.94, 1.0])
PITCH_DEG = np.array([-18.0, -8.0, 2.0, 8.0, 17.0, 34.0, 49.0, 52.0, 40.0, 12.0, -10.0, -21.0, -18.0])
UP_M = np.array([0.0, 0.0, 0.0, 0.0, 0.01, 0.05, 0.10, 0.13, 0.11, 0.07, 0.05, 0.03, 0.0])
FORWARD_SHARE = np.array([0.0, 0.0, 0.0, 0.0, 0.005, 0.03, 0.10, 0.22, 0.45, 0.70, 0.88, 0.98, 1.0])
TOE_OFF_PHASE, STRIKE_PHASE = 0.62, 1.0


@dataclass(frozen=True, slots=True)
class Gait:
    """How somebody walks.

    Attributes:
        speed_mps: 0.4 to 1.8.
        stride_s: duration of one stride.
        swing: size of the shank's swing, 1 = the course above.
        strike_mps2: size of the foot strike.
    """

    speed_mps: float = 1.2
    stride_s: float = 1.1
    swing: float = 1.0
    strike_mps2: float = 4.0


def walk(gait: Gait, strides: int, rate_hz: float, rng: Generator, rest_pitch_rad: float = 0.03) -> Path:
    """Walk a number of strides of the sensor's leg, from standing to standing."""
    lengths = gait.stride_s * np.exp(rng.normal(0.0, 0.025, strides))
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    lead_s, start_phase = 0.6 * gait.stride_s, 0.25
    n = round((edges[-1] + 2 * lead_s) * rate_hz)
    t_s = np.arange(n) / rate_hz - lead_s
    stride = np.interp(t_s, edges, np.arange(strides + 1.0)) + start_phase
    size = minimum_jerk((t_s + lead_s) / lead_s) * minimum_jerk((edges[-1] + lead_s - t_s) / lead_s)
    phase = stride % 1.0
    angles, ankle = np.zeros((n, 3)), np.zeros((n, 3))
    angles[:, 1] = rest_pitch_rad + gait.swing * size * _course(PITCH_DEG, phase) * np.pi / 180.0
    angles[:, 0] = 0.06 * size * np.sin(2 * np.pi * (phase + rng.uniform()))
    angles[:, 2] = 0.08 * size * np.sin(2 * np.pi * (phase + rng.uniform()))
    ankle[:, 0] = gait.speed_mps * gait.stride_s * (stride + _course(FORWARD_SHARE - PHASE, phase))
    ankle[:, 2] = gait.swing * size * _course(UP_M, phase)
    truth, shake = _events(gait, edges, start_phase, lead_s, n, rate_hz, rng)
    span = StateSpan(State.WALKING, 0.0, n / rate_hz)
    return Path(rate_hz, _eased(ankle, size), angles, shake, tuple(truth), (span,))


def _course(knots: FloatArray, phase: FloatArray) -> FloatArray:
    """Smooth periodic course through the knots of one stride."""
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(PHASE, knots, bc_type="periodic")(phase), dtype=np.float64)


def _eased(ankle: FloatArray, size: FloatArray) -> FloatArray:
    """Start and stop without a jump: forward speed follows the size of the stride."""
    speed = np.gradient(ankle[:, 0]) * size
    eased = ankle.copy()
    eased[:, 0] = np.cumsum(speed)
    return eased


def _events(
    gait: Gait, edges: FloatArray, start_phase: float, lead_s: float, n: int, rate_hz: float, rng: Generator
) -> tuple[list[Contraction], FloatArray]:
    fine = np.linspace(0.6, 1.0, 400)
    mid_swing = fine[np.argmin(np.gradient(_course(PITCH_DEG, fine)))]
    shake, truth = np.zeros((n, 3)), []
    strides = edges.size - 1
    for k in range(strides):
        at = [float(np.interp(k + p - start_phase, np.arange(strides + 1.0), edges)) + lead_s
              for p in (TOE_OFF_PHASE, mid_swing, STRIKE_PHASE)]  # fmt: skip
        truth.append(Contraction(Kind.STEP, at[0], at[1], at[2], 1.0, "truth", attributes={"gait": "walk"}))
        _strike(shake, rate_hz, at[2], gait.strike_mps2 * rng.uniform(0.7, 1.3), rng)
    return truth, shake
