"""Stories: a person with a body, a chair and a strap does one thing after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from analysis.events import Contraction, State, StateSpan
from analysis.leg import movements
from analysis.leg.body import Body, Chair, seated_heel_raise
from analysis.leg.cycling import Bike, Bout, ride
from analysis.leg.gait import Gait, walk
from analysis.leg.lying import Pumps, Rest, ankle_pumps, lying_still
from analysis.leg.other_gaits import Run, Shuffle, Stairs, climb, run, shuffle
from analysis.leg.other_movements import vibration
from analysis.leg.path import Path, join, still
from analysis.leg.sensor import PARTS, Part, Strap, measure, path_rate_hz
from analysis.samples import FloatArray, SampleBlock


@dataclass(frozen=True, slots=True)
class Wearer:
    """One simulated person, with the sensor on."""

    body: Body
    chair: Chair
    strap: Strap
    part: Part
    standing_pitch_rad: float
    lean_share: float
    sway: float

    @staticmethod
    def anybody(rng: Generator, *, mirrored: bool = False) -> Wearer:
        """A body of 1.50 to 2.00 m on some chair, with some part strapped on anyhow."""
        return Wearer(
            body=Body(rng.uniform(1.5, 2.0)),
            chair=Chair(rng.uniform(0.85, 1.2), rng.uniform(-0.15, 0.12)),
            strap=Strap.anyhow(rng, mirrored=mirrored),
            part=PARTS[rng.integers(len(PARTS))],
            standing_pitch_rad=rng.uniform(-0.02, 0.1),
            lean_share=rng.uniform(0.08, 0.2),
            sway=rng.uniform(0.6, 1.5),
        )

    @property
    def seated_pitch_rad(self) -> float:
        """Lean of the shank when seated with the foot flat."""
        return float(seated_heel_raise(self.body, self.chair, np.zeros(1)).shank_pitch_rad[0])


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """What the sensor gave, and what was true."""

    blocks: tuple[SampleBlock, ...]
    truth: tuple[Contraction, ...]
    spans: tuple[StateSpan, ...]


class Teller:
    """Builds a story movement by movement, then has it measured."""

    def __init__(self, wearer: Wearer, sensor_rate_hz: float, rng: Generator) -> None:
        self.wearer = wearer
        self.rng = rng
        self.sensor_rate_hz = sensor_rate_hz
        self._rate_hz = path_rate_hz(sensor_rate_hz)
        self._paths: list[Path] = []
        self._vehicle = 0.0

    def sit(self, duration_s: float) -> Teller:
        """Sit still."""
        return self._add(still(self._rate_hz, duration_s, self.wearer.seated_pitch_rad, State.SEATED))

    def stand(self, duration_s: float) -> Teller:
        """Stand still."""
        return self._add(still(self._rate_hz, duration_s, self.wearer.standing_pitch_rad, State.STANDING))

    def pushups(self, raises: movements.Raises) -> Teller:
        """Seated soleus push-ups."""
        w = self.wearer
        return self._add(movements.seated_pushups(w.body, w.chair, raises, self._rate_hz, self.rng))

    def raises(self, raises: movements.Raises) -> Teller:
        """Standing heel raises."""
        w = self.wearer
        return self._add(
            movements.standing_raises(
                w.body, raises, self._rate_hz, self.rng,
                lean_share=w.lean_share, rest_pitch_rad=w.standing_pitch_rad,
            )
        )  # fmt: skip

    def walk(self, gait: Gait, strides: int) -> Teller:
        """Walk from standing to standing."""
        return self._add(walk(gait, strides, self._rate_hz, self.rng, self.wearer.standing_pitch_rad))

    def ride(self, bike: Bike, bouts: tuple[Bout, ...], *, road_mps2: float = 0.0) -> Teller:
        """Pedal, on a road or a trainer; how one gets on and off is a smooth turn."""
        return self._add(ride(self.wearer.body, bike, bouts, self._rate_hz, self.rng, road_mps2=road_mps2))

    def run(self, how: Run, strides: int) -> Teller:
        """Run from standing to standing."""
        w = self.wearer
        return self._add(run(w.body, how, strides, self._rate_hz, self.rng, w.standing_pitch_rad))

    def stairs(self, how: Stairs, strides: int, *, up: bool) -> Teller:
        """Take a flight of stairs, from standing to standing."""
        w = self.wearer
        return self._add(
            climb(w.body, how, strides, self._rate_hz, self.rng, up=up, rest_pitch_rad=w.standing_pitch_rad)
        )

    def shuffle(self, how: Shuffle, strides: int) -> Teller:
        """Shuffle from standing to standing."""
        w = self.wearer
        return self._add(shuffle(w.body, how, strides, self._rate_hz, self.rng, w.standing_pitch_rad))

    def lie(self, duration_s: float, rest: Rest) -> Teller:
        """Lie still, the leg up."""
        return self._add(lying_still(self._rate_hz, duration_s, rest, self.rng))

    def pump(self, rest: Rest, pumps: Pumps) -> Teller:
        """Ankle pumps, the leg up."""
        return self._add(ankle_pumps(self.wearer.body, rest, pumps, self._rate_hz, self.rng))

    def bounce(self, duration_s: float, frequency_hz: float, rotation_rad: float) -> Teller:
        """Bounce the leg, seated."""
        w = self.wearer
        return self._add(
            movements.bounce(w.body, w.chair, self._rate_hz, duration_s, frequency_hz, rotation_rad, self.rng)
        )

    def stand_up(self) -> Teller:
        """From the chair to standing."""
        w = self.wearer
        return self._add(movements.stand_up(self._rate_hz, w.seated_pitch_rad, w.standing_pitch_rad, self.rng))

    def sit_down(self) -> Teller:
        """From standing to the chair."""
        w = self.wearer
        return self._add(movements.sit_down(self._rate_hz, w.standing_pitch_rad, w.seated_pitch_rad, self.rng))

    def take_off(self, duration_s: float) -> Teller:
        """Leave the sensor on a table."""
        return self._add(movements.not_worn(self._rate_hz, duration_s, self.rng.uniform(-1.5, 1.5)))

    @property
    def duration_s(self) -> float:
        """Length of the story so far, without the turns between poses."""
        return sum(path.duration_s for path in self._paths)

    def record(self, *, gyroscope: bool = True) -> Recorded:
        """Have the sensor measure the whole story."""
        path = _swaying(join(self._paths), self.wearer.sway, self.rng)
        if self._vehicle:
            path = vibration(path, self.rng, self._vehicle)
        w = self.wearer
        blocks = measure(path, w.body, w.strap, w.part, self.sensor_rate_hz, self.rng, gyroscope=gyroscope)
        return Recorded(blocks, path.truth, path.spans)

    def do(self, movement: Callable[[Body, float, Generator, float], Path]) -> Teller:
        """Anything else, seated: a function of body, path rate, chance and seated pitch that gives a path."""
        w = self.wearer
        return self._add(movement(w.body, self._rate_hz, self.rng, w.seated_pitch_rad))

    def travel(self, size: float, tell: Callable[[Teller], object]) -> Teller:
        """What `tell` makes of a story of its own happens in a vehicle, as a part of this one."""
        part = Teller(self.wearer, self.sensor_rate_hz, self.rng)
        tell(part)
        return self._add(vibration(join(part._paths), self.rng, size))

    def in_vehicle(self, size: float) -> Teller:
        """The whole story so far happens in a vehicle."""
        self._vehicle = size
        return self

    def _add(self, path: Path) -> Teller:
        self._paths.append(path)
        return self


def _swaying(path: Path, size: float, rng: Generator) -> Path:
    """Add what a living leg never stops doing: small slow sway, more of it when standing, none on a table.

    Sizes give the angular rate seen on real resting legs, 0.005 to 0.03 rad/s between 0.2 and 3 Hz.
    """
    loud = np.zeros(len(path))
    for span in path.spans:
        first, last = round(span.start_s * path.rate_hz), round(span.end_s * path.rate_hz)
        loud[first:last] = {State.NOT_WORN: 0.0, State.SEATED: 0.6, State.STANDING: 1.2, State.LYING: 0.35}.get(
            span.state, 1.0
        )
    width = max(1, round(0.3 * path.rate_hz))
    loud = np.convolve(loud, np.ones(width) / width, mode="same") * size
    angles = path.angles_rad + np.stack(
        [loud * s * _slow_noise(len(path), path.rate_hz, rng) for s in (0.004, 0.006, 0.003)], axis=1
    )
    return replace(path, angles_rad=angles)


def _slow_noise(n: int, rate_hz: float, rng: Generator) -> FloatArray:
    """Unit noise with most of its power between 0.1 and 1 Hz."""
    from scipy.interpolate import CubicSpline

    knots_hz = 2.5
    m = int(n / rate_hz * knots_hz) + 4
    rough = rng.normal(size=m + 6)
    smooth = np.convolve(rough, np.array([0.1, 0.2, 0.4, 0.2, 0.1]), mode="same")[3:-3]
    t_s = np.arange(n) / rate_hz * knots_hz
    return np.asarray(CubicSpline(np.arange(m), smooth / 0.51)(t_s), dtype=np.float64)
