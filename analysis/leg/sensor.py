"""A sensor strapped to the shank: what it feels of a path, with the faults of real parts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from analysis.leg.body import Body
from analysis.leg.path import Path
from analysis.samples import STANDARD_GRAVITY_MPS2, FloatArray, Modality, SampleBlock

PATH_RATE_HZ = 200.0
"""A path is computed at the multiple of the sensor's rate that is at least this fine."""


@dataclass(frozen=True, slots=True, eq=False)
class Strap:
    """Where and how the sensor sits.

    Attributes:
        place: share of the shank from ankle (0) to knee (1).
        rotation: (3, 3) orthogonal; shank axes to sensor axes. Determinant -1 is not a strap.
        gyro_mirror: (3,) factors on the gyroscope's axes, for boards whose gyroscope is mirrored.
    """

    place: float
    rotation: FloatArray
    gyro_mirror: FloatArray

    @staticmethod
    def anyhow(rng: Generator, *, mirrored: bool = False) -> Strap:
        """A strap at a random place between ankle and mid-shank, in a uniformly random orientation."""
        mirror = np.array([1.0, 1.0, -1.0]) if mirrored else np.ones(3)
        return Strap(rng.uniform(0.08, 0.5), random_rotation(rng), mirror)


def random_rotation(rng: Generator) -> FloatArray:
    """Uniformly random rotation matrix (3, 3), from a random unit quaternion."""
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """An inertial sensor chip. Noise densities and offsets are typical values of the makers' data sheets."""

    name: str
    acc_noise_mps2_rthz: float
    gyr_noise_rad_s_rthz: float
    acc_offset_mps2: float
    gyr_offset_rad_s: float
    scale_error: float
    acc_range_mps2: float = 8 * STANDARD_GRAVITY_MPS2
    gyr_range_rad_s: float = float(np.radians(2000.0))


_UG, _MDPS = 1e-6 * STANDARD_GRAVITY_MPS2, float(np.radians(1e-3))
PARTS = (
    Part("BMI270", 160 * _UG, 8 * _MDPS, 0.2, float(np.radians(0.5)), 0.004),
    Part("LSM6DSL", 90 * _UG, 4 * _MDPS, 0.4, float(np.radians(3.0)), 0.01),
    Part("MPU-6050", 400 * _UG, 5 * _MDPS, 0.5, float(np.radians(5.0)), 0.02),
    Part("ICM-20948", 230 * _UG, 15 * _MDPS, 0.25, float(np.radians(2.0)), 0.01),
)


def path_rate_hz(sensor_rate_hz: float) -> float:
    """Rate at which to compute a path for a sensor of this rate."""
    return sensor_rate_hz * float(np.ceil(PATH_RATE_HZ / sensor_rate_hz))


def felt(path: Path, body: Body, strap: Strap) -> tuple[FloatArray, FloatArray]:
    """Specific force (n, 3) in m/s2 and angular rate (n, 3) in rad/s in the sensor's axes, without any fault."""
    rotation = _rotations(path.angles_rad)
    lever = np.array([0.03, 0.03, strap.place * body.shank_m])  # strapped before and outside of the bone
    point = path.ankle_m + rotation @ lever
    acceleration = _second_derivative(point, path.rate_hz) + path.shake_mps2
    acceleration[:, 2] += STANDARD_GRAVITY_MPS2
    force = np.einsum("nji,nj->ni", rotation, acceleration)
    rates = _body_rates(path.angles_rad, path.rate_hz)
    if path.strap_rad is not None:
        on_bone = _rotations(path.strap_rad)
        force, rates = (np.einsum("nji,nj->ni", on_bone, x) for x in (force, rates))
        rates += _body_rates(path.strap_rad, path.rate_hz)
    return force @ strap.rotation.T, rates @ strap.rotation.T


def measure(
    path: Path,
    body: Body,
    strap: Strap,
    part: Part,
    rate_hz: float,
    rng: Generator,
    *,
    gyroscope: bool = True,
) -> tuple[SampleBlock, ...]:
    """What the part reports of a path: averaged over the sample, scaled, offset, noisy, clipped, 16 bit."""
    force, rates = felt(path, body, strap)
    step = round(path.rate_hz / rate_hz)
    n = len(path) // step
    t_s = np.arange(n) / rate_hz
    made = []
    for modality, signal, noise, offset, full in (
        (Modality.ACC, force, part.acc_noise_mps2_rthz, part.acc_offset_mps2, part.acc_range_mps2),
        (Modality.GYR, rates, part.gyr_noise_rad_s_rthz, part.gyr_offset_rad_s, part.gyr_range_rad_s),
    ):
        values = signal[: n * step].reshape(n, step, 3).mean(axis=1)
        values = values @ (np.eye(3) + rng.normal(0.0, part.scale_error / 2, (3, 3)))
        values = values + rng.uniform(-offset, offset, 3)
        values = values + rng.normal(0.0, noise * np.sqrt(rate_hz / 2), values.shape)
        if modality is Modality.GYR:
            values = values * strap.gyro_mirror
        lsb = full / 32768
        values = np.clip(np.round(values / lsb), -32768, 32767) * lsb
        if modality is Modality.ACC or gyroscope:
            made.append(SampleBlock(modality, t_s, values, rate_hz=rate_hz))
    return tuple(made)


def _rotations(angles_rad: FloatArray) -> FloatArray:
    """Rz(yaw) Ry(pitch) Rx(roll), (n, 3, 3): shank axes to world axes."""
    (cr, cp, cy), (sr, sp, sy) = np.cos(angles_rad).T, np.sin(angles_rad).T
    return np.stack([
        np.stack([cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr], axis=-1),
        np.stack([sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr], axis=-1),
        np.stack([-sp, cp * sr, cp * cr], axis=-1),
    ], axis=1)  # fmt: skip


def _body_rates(angles_rad: FloatArray, rate_hz: float) -> FloatArray:
    """Angular rate about the shank's own axes from roll, pitch, yaw and their derivatives."""
    roll, pitch, _ = angles_rad.T
    d_roll, d_pitch, d_yaw = np.gradient(angles_rad, axis=0).T * rate_hz
    return np.stack([
        d_roll - d_yaw * np.sin(pitch),
        d_pitch * np.cos(roll) + d_yaw * np.sin(roll) * np.cos(pitch),
        -d_pitch * np.sin(roll) + d_yaw * np.cos(roll) * np.cos(pitch),
    ], axis=1)  # fmt: skip


def _second_derivative(position: FloatArray, rate_hz: float) -> FloatArray:
    out = np.zeros_like(position)
    out[1:-1] = (position[2:] - 2.0 * position[1:-1] + position[:-2]) * rate_hz**2
    return out
