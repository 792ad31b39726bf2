"""What a strapped sensor feels, against rigid-body mechanics.

Shank axes: x forward, y to the left, z from ankle to knee. With pitch p the shank leans forward by p, so its x axis
points p below the horizontal: at rest it feels (-g sin p, 0, g cos p). A point r from a fixed axis that turns at w
feels w^2 r towards the axis and w' r along its way.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.events import State
from analysis.leg.body import Body
from analysis.leg.path import Path, still
from analysis.leg.sensor import PARTS, PATH_RATE_HZ, Part, Strap, felt, measure, path_rate_hz, random_rotation
from analysis.samples import STANDARD_GRAVITY_MPS2 as G
from analysis.samples import Modality

RATE_HZ = 1000.0
BODY = Body(2.0)  # shank 0.492 m
UPRIGHT = Strap(0.25, np.eye(3), np.ones(3))  # 0.123 m above the ankle, 0.03 m before it
INNER = slice(2, -2)
PERFECT = Part("perfect", 0.0, 0.0, 0.0, 0.0, 0.0)


def turning(pitch_rad: np.ndarray) -> Path:
    n = pitch_rad.size
    angles = np.zeros((n, 3))
    angles[:, 1] = pitch_rad
    return Path(RATE_HZ, np.zeros((n, 3)), angles, np.zeros((n, 3)))


def at_rest(duration_s: float = 1.0, rate_hz: float = RATE_HZ) -> Path:
    return still(rate_hz, duration_s, 0.0, State.SEATED)


@pytest.mark.parametrize("seed", range(10_000, 10_012))
def test_rest_is_one_g_whatever_the_strap(seed: int) -> None:
    """At rest any strap reads 1 g and does not turn."""
    rng = np.random.default_rng(seed)
    force, rates = felt(still(RATE_HZ, 0.1, rng.uniform(-1.5, 1.5), State.SEATED), BODY, Strap.anyhow(rng))
    np.testing.assert_allclose(np.linalg.norm(force, axis=1), G, atol=1e-9)
    np.testing.assert_allclose(rates, 0.0, atol=1e-12)


@pytest.mark.parametrize("pitch_rad", [-0.4, 0.0, 0.1, 0.8])
def test_a_tilted_shank_feels_gravity_alone(pitch_rad: float) -> None:
    """Leaning forward by p it feels -g sin p forward and g cos p along the shank."""
    force, _ = felt(still(RATE_HZ, 0.1, pitch_rad, State.SEATED), BODY, UPRIGHT)
    np.testing.assert_allclose(force[50], [-G * np.sin(pitch_rad), 0.0, G * np.cos(pitch_rad)], atol=1e-9)


def test_axial_acceleration_of_a_heel_that_rises_sixty_times_a_minute() -> None:
    """A heel course of 30 mm amplitude at 1 Hz is felt along the shank with 0.03 (2 pi)^2 = 1.184 m/s2."""
    t_s = np.arange(4000) / RATE_HZ
    ankle = np.zeros((4000, 3))
    ankle[:, 2] = 0.03 * np.sin(2 * np.pi * t_s)
    force, _ = felt(replace(turning(np.zeros(4000)), ankle_m=ankle), BODY, UPRIGHT)
    axial = force[INNER, 2] - G
    assert (axial.max(), -axial.min()) == pytest.approx((1.184, 1.184), rel=1e-3)


@pytest.mark.parametrize("per_min", [20.0, 40.0, 80.0])
def test_axial_acceleration_grows_with_the_square_of_the_cadence(per_min: float) -> None:
    """Amplitude A at cadence f is A (2 pi f)^2."""
    t_s = np.arange(6000) / RATE_HZ
    ankle = np.zeros((6000, 3))
    ankle[:, 2] = 0.02 * np.cos(2 * np.pi * per_min / 60.0 * t_s)
    force, _ = felt(replace(turning(np.zeros(6000)), ankle_m=ankle), BODY, UPRIGHT)
    assert np.ptp(force[INNER, 2]) / 2 == pytest.approx(0.02 * (2 * np.pi * per_min / 60.0) ** 2, rel=1e-3)


def test_steady_turn_is_centripetal() -> None:
    """2 rad/s about the ankle: 4 * 0.123 m/s2 down the shank and 4 * 0.03 back, beside gravity; the rate is about y."""
    pitch = 2.0 * np.arange(1000) / RATE_HZ
    force, rates = felt(turning(pitch), BODY, UPRIGHT)
    gravity = G * np.stack([-np.sin(pitch), np.zeros(1000), np.cos(pitch)], axis=1)
    np.testing.assert_allclose((force - gravity)[INNER], np.tile([-0.12, 0.0, -0.492], (996, 1)), atol=1e-4)
    np.testing.assert_allclose(rates[INNER], np.tile([0.0, 2.0, 0.0], (996, 1)), atol=1e-9)


def test_starting_turn_is_tangential() -> None:
    """From rest at 3 rad/s2: 3 * 0.123 m/s2 forward at the shank's height, 3 * 0.03 down at its front."""
    t_s = np.arange(1000) / RATE_HZ
    force, rates = felt(turning(1.5 * (t_s - 0.5) ** 2), BODY, UPRIGHT)
    at = 500  # where it rests, upright
    np.testing.assert_allclose(force[at] - [0.0, 0.0, G], [0.369, 0.0, -0.09], atol=1e-4)
    assert rates[at + 100, 1] == pytest.approx(0.3, abs=1e-6)


def test_a_strap_only_turns_what_is_felt() -> None:
    """Another orientation of the sensor is the same vector in other axes, for both modalities."""
    rng = np.random.default_rng(10_020)
    path = turning(0.3 * np.sin(2 * np.pi * np.arange(500) / RATE_HZ))
    turned = Strap(0.25, random_rotation(rng), np.ones(3))
    for straight, oblique in zip(felt(path, BODY, UPRIGHT), felt(path, BODY, turned), strict=True):
        np.testing.assert_allclose(oblique, straight @ turned.rotation.T, atol=1e-9)


def test_random_rotations_are_rotations_of_every_sort() -> None:
    """Orthogonal, never a mirror image, and on average nothing is left of a direction."""
    rng = np.random.default_rng(10_021)
    many = np.array([random_rotation(rng) for _ in range(2000)])
    np.testing.assert_allclose(many @ many.transpose(0, 2, 1), np.tile(np.eye(3), (2000, 1, 1)), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(many), 1.0)
    assert np.abs(many.mean(axis=0)).max() < 4.0 / np.sqrt(3 * 2000)  # each entry has variance 1/3


def test_straps_lie_between_ankle_and_mid_shank() -> None:
    """Places are spread over the lower half of the shank; mirrored boards are so in the gyroscope only."""
    places = [Strap.anyhow(np.random.default_rng(s)).place for s in range(10_000, 10_200)]
    assert 0.0 < min(places) < 0.12
    assert 0.45 < max(places) <= 0.5
    assert np.prod(Strap.anyhow(np.random.default_rng(10_000), mirrored=True).gyro_mirror) == -1.0


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
@pytest.mark.parametrize("rate_hz", [50.0, 100.0])
def test_noise_has_the_stated_density(part: Part, rate_hz: float) -> None:
    """White noise of density d sampled at r has the deviation d sqrt(r / 2), within 4 % for 60,000 values.

    The range is narrow here, so that a step is small beside the noise and rounding adds step^2 / 12.
    """
    quiet = replace(
        part, acc_offset_mps2=0.0, gyr_offset_rad_s=0.0, scale_error=0.0,
        acc_range_mps2=2 * G, gyr_range_rad_s=float(np.radians(125.0)),
    )  # fmt: skip
    path = at_rest(20_000 / rate_hz, path_rate_hz(rate_hz))
    acc, gyr = measure(path, BODY, UPRIGHT, quiet, rate_hz, np.random.default_rng(10_030))
    for block, density, full in (
        (acc, part.acc_noise_mps2_rthz, quiet.acc_range_mps2),
        (gyr, part.gyr_noise_rad_s_rthz, quiet.gyr_range_rad_s),
    ):
        rounding = (full / 32768) ** 2 / 12.0
        expected = np.sqrt(density**2 * rate_hz / 2.0 + rounding)
        np.testing.assert_allclose(block.values.std(axis=0), expected, rtol=0.04)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_offsets_stay_within_the_data_sheet(part: Part) -> None:
    """Every axis of every seed is off by no more than stated, and some by most of it."""
    path = at_rest(0.2, path_rate_hz(100.0))
    bare = replace(part, acc_noise_mps2_rthz=0.0, gyr_noise_rad_s_rthz=0.0, scale_error=0.0)
    for index, limit, full, truth in (
        (0, part.acc_offset_mps2, part.acc_range_mps2, [0.0, 0.0, G]),
        (1, part.gyr_offset_rad_s, part.gyr_range_rad_s, [0.0, 0.0, 0.0]),
    ):
        off = np.array(
            [
                measure(path, BODY, UPRIGHT, bare, 100.0, np.random.default_rng(s))[index].values[5] - truth
                for s in range(10_000, 10_040)
            ]
        )
        assert 0.8 * limit < np.abs(off).max() <= limit + full / 32768
        assert abs(off.mean()) < 0.3 * limit


def test_values_are_steps_of_sixteen_bits_and_clip() -> None:
    """Every value is a whole number of range / 32768; beyond the range it stays at the last step."""
    path = at_rest(1.0, 200.0)
    path.shake_mps2[20:60, 2] = 500.0
    path.shake_mps2[80:120, 2] = -500.0
    for part in PARTS:
        acc, gyr = measure(path, BODY, UPRIGHT, part, 100.0, np.random.default_rng(10_050))
        for block, full in ((acc, part.acc_range_mps2), (gyr, part.gyr_range_rad_s)):
            steps = block.values / (full / 32768)
            np.testing.assert_allclose(steps, np.round(steps), atol=1e-6)
        assert acc.values[15, 2] == pytest.approx(part.acc_range_mps2 * 32767 / 32768)
        assert acc.values[45, 2] == pytest.approx(-part.acc_range_mps2)


def test_a_sample_is_the_mean_over_its_time() -> None:
    """Ten steps of the path make one sample at a tenth of the rate; the clock starts at zero and is even."""
    path = at_rest(1.0, 1000.0)
    path.shake_mps2[:, 0] = np.arange(1000) * 0.01
    (acc,) = measure(path, BODY, UPRIGHT, PERFECT, 100.0, np.random.default_rng(1), gyroscope=False)
    np.testing.assert_allclose(acc.values[:, 0], 0.045 + 0.1 * np.arange(100), atol=PERFECT.acc_range_mps2 / 32768)
    np.testing.assert_allclose(acc.t_s, np.arange(100) / 100.0)
    assert acc.modality is Modality.ACC


def test_a_mirrored_gyroscope_is_mirrored_and_nothing_else() -> None:
    """The board's mirror turns the sign of one axis of the rate and leaves the force alone."""
    path = turning(0.4 * np.sin(2 * np.pi * np.arange(2000) / RATE_HZ))
    oblique = random_rotation(np.random.default_rng(10_060))
    plain, mirrored = (
        measure(path, BODY, Strap(0.2, oblique, np.array([1.0, 1.0, z])), PERFECT, 100.0, np.random.default_rng(1))
        for z in (1.0, -1.0)
    )
    np.testing.assert_array_equal(mirrored[0].values, plain[0].values)
    np.testing.assert_array_equal(mirrored[1].values, plain[1].values * [1.0, 1.0, -1.0])


@pytest.mark.parametrize("rate_hz", [25.0, 52.0, 104.0, 208.0, 416.0])
def test_paths_are_finer_than_sensors(rate_hz: float) -> None:
    """A path's rate is a whole multiple of the sensor's and at least 200 Hz."""
    fine = path_rate_hz(rate_hz)
    assert fine >= PATH_RATE_HZ
    assert fine / rate_hz == round(fine / rate_hz)
