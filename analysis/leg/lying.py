"""The leg up, lying or reclined: ankle pumps with the foot free, and what else such a leg does.

What a strap on the calf sees when only the foot moves is small, and nobody has published how much (FACTS, section
10); the sizes below are assumed from these mechanics:

- a heel that rests rolls over the bed as the foot turns, for it is a part of the foot: the ankle goes up and down by
  some millimetres, and the shank tilts about the knee;
- a calf that rests with the heel free tilts a little as the foot's weight comes nearer or goes farther;
- the working muscle grows thicker under the strap and tilts it against the bone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from analysis.events import Contraction, Kind, State, StateSpan
from analysis.leg.body import Body
from analysis.leg.path import Path, join, minimum_jerk
from analysis.samples import FloatArray

LEVEL_RAD = -np.pi / 2
"""Pitch of the shank of one who lies on the back: the knee is behind the ankle, the shin faces up."""


@dataclass(frozen=True, slots=True)
class Rest:
    """How the leg lies, and how much of the foot's turn reaches the sensor.

    Attributes:
        raised_rad: how far the ankle is above the knee (+) or below it (-), as an angle of the shank.
        hinge_m: from the ankle to where the shank is held: at the calf or at the knee.
        heel_m: by so much the ankle rises from foot at rest to full plantar flexion, the heel rolling; may be negative.
        bulge_rad: (roll, pitch, yaw) by which the strap turns on the bone at full plantar flexion.
        pull_share: the share of that with which the shin's muscle turns it the other way in dorsiflexion.
        breath_rad: tilt with each breath.
    """

    raised_rad: float = 0.0
    hinge_m: float = 0.4
    heel_m: float = 0.006
    bulge_rad: tuple[float, float, float] = (0.0, 0.01, 0.0)
    pull_share: float = 0.3
    breath_rad: float = 0.0004

    @staticmethod
    def anyhow(rng: Generator, *, wide: bool = False) -> Rest:
        """A heel on the bed, or a calf on a cushion with the heel free; a strap on more or less muscle."""
        most = 0.025 if wide else 0.018
        bulge = rng.uniform(0.002, most) * np.array(
            [rng.normal(0.0, 0.4), rng.choice([-1.0, 1.0]), rng.normal(0.0, 0.4)]
        )
        on_heel = bool(rng.random() < 0.6)
        heel_m = rng.choice([-1.0, 1.0]) * (rng.uniform(0.003, 0.012) if on_heel else rng.uniform(0.0003, 0.002))
        return Rest(
            raised_rad=float(np.radians(rng.uniform(-15.0, 40.0) if wide else rng.uniform(-5.0, 25.0))),
            hinge_m=rng.uniform(0.3, 0.45) if on_heel else rng.uniform(0.15, 0.3),
            heel_m=heel_m,
            bulge_rad=(float(bulge[0]), float(bulge[1]), float(bulge[2])),
            pull_share=rng.uniform(0.0, 0.6),
            breath_rad=rng.uniform(0.0, 0.0008),
        )

    @property
    def pitch_rad(self) -> float:
        """Of the shank."""
        return LEVEL_RAD - self.raised_rad


@dataclass(frozen=True, slots=True)
class Pumps:
    """A set of ankle pumps.

    Attributes:
        count: how many.
        rate_per_min: cadence.
        dorsi_share: dorsiflexion that follows each plantar flexion, as a share of it; 0 = only back to rest.
        hold_share: share of the period that the foot is held down.
        pause_share: share of the period that it rests.
        irregularity: spread of period and size from one to the next, as a share.
    """

    count: int
    rate_per_min: float
    dorsi_share: float = 0.4
    hold_share: float = 0.06
    pause_share: float = 0.1
    irregularity: float = 0.08


def ankle_pumps(body: Body, rest: Rest, pumps: Pumps, rate_hz: float, rng: Generator) -> Path:
    """Whole cycles: the foot goes down, up beyond its rest, and back. Truth peaks in the middle of its time down."""
    foot, truth = _foot_course(pumps, rate_hz, rng)
    return _lying(body, rest, foot, rate_hz, rng, tuple(truth))


def lying_still(rate_hz: float, duration_s: float, rest: Rest, rng: Generator) -> Path:
    """Lie and breathe."""
    return _lying(Body(), rest, np.zeros(round(duration_s * rate_hz)), rate_hz, rng, ())


def _foot_course(pumps: Pumps, rate_hz: float, rng: Generator) -> tuple[FloatArray, list[Contraction]]:
    """Foot (n,), 1 = full plantar flexion, negative = dorsiflexion, and the truth of each cycle."""
    period_s = 60.0 / pumps.rate_per_min * np.exp(rng.normal(0.0, pumps.irregularity, pumps.count))
    size = np.exp(rng.normal(0.0, pumps.irregularity, pumps.count))
    start_s = 0.5 + np.concatenate([[0.0], np.cumsum(period_s)[:-1]])
    n = round((start_s[-1] + period_s[-1] + 0.5) * rate_hz)
    t_s, foot, truth = np.arange(n) / rate_hz, np.zeros(n), []
    for start, length, top in zip(start_s, period_s, size, strict=True):
        moving = length * (1.0 - pumps.hold_share - pumps.pause_share)
        hold = length * pumps.hold_share
        down, up, back = (share * moving for share in _shares(pumps.dorsi_share))
        over = start + down + hold
        foot += top * (
            minimum_jerk((t_s - start) / down)
            - (1.0 + pumps.dorsi_share) * minimum_jerk((t_s - over) / up)
            + pumps.dorsi_share * minimum_jerk((t_s - over - up) / back)
        )
        truth.append(Contraction(Kind.ANKLE_PUMP, start, start + down + hold / 2.0, over + up + back, 1.0, "truth"))
    return foot, truth


def _shares(dorsi_share: float) -> tuple[float, float, float]:
    """Shares of the moving time for down, up, and back to rest: about in proportion to the way."""
    way = np.array([1.0, 1.0 + dorsi_share, max(dorsi_share, 0.05)])
    down, up, back = way / way.sum()
    return float(down), float(up), float(back)


def _lying(
    body: Body, rest: Rest, foot: FloatArray, rate_hz: float, rng: Generator, truth: tuple[Contraction, ...]
) -> Path:
    n = foot.size
    t_s = np.arange(n) / rate_hz
    breath = rest.breath_rad * np.sin(2.0 * np.pi * rng.uniform(0.2, 0.32) * t_s + rng.uniform(0.0, 2.0 * np.pi))
    tilt = -rest.heel_m / rest.hinge_m * foot  # the ankle rises about the hinge
    angles, ankle = np.zeros((n, 3)), np.zeros((n, 3))
    angles[:, 1] = rest.pitch_rad + tilt + breath
    ankle[:, 2] = rest.heel_m * foot
    work = np.maximum(foot, 0.0) - rest.pull_share * np.maximum(-foot, 0.0)
    span = StateSpan(State.LYING, 0.0, n / rate_hz)
    bulge = work[:, None] * np.array(rest.bulge_rad)
    return Path(rate_hz, ankle, angles, np.zeros((n, 3)), truth, (span,), bulge)


def turns_over(rate_hz: float, count: int, rng: Generator, rest: Rest) -> Path:
    """Turn to the side in bed and, after a while, back, some times: the leg rolls and is drawn in."""
    path = join([_turn_over(rate_hz, rng, rest) for _ in range(count)])
    return replace(path, spans=(StateSpan(State.LYING, 0.0, path.duration_s),))


def _turn_over(rate_hz: float, rng: Generator, rest: Rest) -> Path:
    move_s, stay_s = rng.uniform(1.2, 3.0), rng.uniform(3.0, 10.0)
    t_s = np.arange(round((2.0 * move_s + stay_s + 1.0) * rate_hz)) / rate_hz
    there = minimum_jerk(t_s / move_s) - minimum_jerk((t_s - move_s - stay_s) / move_s)
    busy = sum(np.sin(np.pi * np.clip((t_s - at) / move_s, 0.0, 1.0)) ** 2 for at in (0.0, move_s + stay_s))
    n = t_s.size
    angles, ankle = np.zeros((n, 3)), np.zeros((n, 3))
    # About its long axis, which Euler angles cannot turn a level shank by: the strap turns with the leg.
    roll = np.zeros((n, 3))
    roll[:, 2] = rng.uniform(0.8, 1.6) * there
    angles[:, 1] = rest.pitch_rad + rng.uniform(-0.3, 0.3) * there + rng.uniform(0.05, 0.3) * busy
    ankle[:, 2] = rng.uniform(0.02, 0.15) * busy
    ankle[:, 0] = -rng.uniform(0.05, 0.25) * there
    return Path(rate_hz, ankle, angles, np.zeros((n, 3)), (), (StateSpan(State.LYING, 0.0, n / rate_hz),), roll)


def leg_slides(body: Body, rate_hz: float, count: int, rng: Generator, rest: Rest) -> Path:
    """The heel slides towards the seat and back, the knee bends: small ones and large ones."""
    pieces = []
    for _ in range(count):
        up_s, hold_s, down_s, rest_s = (rng.uniform(a, b) for a, b in ((0.8, 2.5), (0.0, 1.5), (0.8, 2.5), (0.2, 2.0)))
        t_s = np.arange(round((up_s + hold_s + down_s + rest_s) * rate_hz)) / rate_hz
        course = minimum_jerk(t_s / up_s) - minimum_jerk((t_s - up_s - hold_s) / down_s)
        pieces.append(rng.uniform(0.15, 1.0) * course)
    bend = np.concatenate(pieces)  # rad, the knee comes up and the shank stands up
    n = bend.size
    angles, ankle = np.zeros((n, 3)), np.zeros((n, 3))
    angles[:, 1] = rest.pitch_rad + bend
    ankle[:, 0] = -(body.thigh_m + body.shank_m) * (1.0 - np.cos(bend))
    return Path(rate_hz, ankle, angles, np.zeros((n, 3)), (), (StateSpan(State.LYING, 0.0, n / rate_hz),))


def recoil(rate_hz: float, duration_s: float, rng: Generator, rest: Rest) -> Path:
    """The other leg or the trunk exercises: the bed and the pelvis tilt this leg slowly, and hold it there."""
    tilt = np.zeros(round(duration_s * rate_hz))
    t_s = np.arange(tilt.size) / rate_hz
    at_s = 1.0
    while at_s < duration_s - 6.0:
        move_s, hold_s, rest_s = rng.uniform(0.8, 2.0), rng.uniform(0.0, 3.0), rng.uniform(0.5, 4.0)
        there = minimum_jerk((t_s - at_s) / move_s) - minimum_jerk((t_s - at_s - move_s - hold_s) / move_s)
        tilt += rng.uniform(0.3, 1.0) * there
        at_s += 2.0 * move_s + hold_s + rest_s
    n = t_s.size
    angles = np.zeros((n, 3))
    angles[:, 1] = rest.pitch_rad + rng.uniform(0.003, 0.02) * tilt
    roll = np.zeros((n, 3))
    roll[:, 2] = rng.uniform(-0.03, 0.03) * tilt
    span = StateSpan(State.LYING, 0.0, n / rate_hz)
    return Path(rate_hz, np.zeros((n, 3)), angles, np.zeros((n, 3)), (), (span,), roll)


def restless(rate_hz: float, duration_s: float, rng: Generator, rest: Rest) -> Path:
    """A leg that is never quite still: it turns a little about the knee and about itself, in no rhythm.

    As far as pumps tilt it (0.1 to 1.5 degrees) and about as fast: all that tells it from a set is that nothing comes
    back.
    """
    n = round(duration_s * rate_hz)
    angles, roll, ankle = np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 3))
    tilt = _wander(n, rate_hz, rng) * rng.uniform(0.002, 0.025)
    angles[:, 1] = rest.pitch_rad + tilt
    roll[:, 2] = _wander(n, rate_hz, rng) * rng.uniform(0.0, 0.02)
    ankle[:, 2] = -rest.hinge_m * tilt * rng.uniform(0.0, 1.0)
    span = StateSpan(State.LYING, 0.0, n / rate_hz)
    return Path(rate_hz, ankle, angles, np.zeros((n, 3)), (), (span,), roll)


def _wander(n: int, rate_hz: float, rng: Generator) -> FloatArray:
    """(n,) of rms 1 without a rhythm: chance that forgets itself after 0.3 to 20 s."""
    from scipy.interpolate import CubicSpline
    from scipy.signal import lfilter

    knots_hz = 4.0
    at = np.arange(-200, np.ceil(n / rate_hz * knots_hz) + 2) / knots_hz * rate_hz
    kept = np.exp(-1.0 / (knots_hz * np.exp(rng.uniform(np.log(0.3), np.log(20.0)))))
    x = CubicSpline(at, lfilter([1.0], [1.0, -kept], rng.normal(size=at.size)))(np.arange(n))
    return np.asarray((x - x.mean()) / max(x.std(), 1e-9))
