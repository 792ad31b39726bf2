"""What the gyroscope says of small tilts: whether the leg turns as it seems to tilt, and turns evenly.

Gravity alone cannot tell a tilt from a push to the side, and drifts of the leg look like tilts. Neither an axis nor a
sign nor the handedness of the gyroscope is assumed: one that is mirrored says the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.frames import BoolArray
from analysis.pump_tilts import BIN, BINS_HZ, Tilts, main_axis, steadied
from analysis.samples import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """How the shank turns in f frames while it tilts, without what is slower than the set.

    Attributes:
        seen: (f,) there was a gyroscope; without one the others mean nothing.
        agreement: (f,) share of the rate of the tilt that the turning explains.
        straight: (f,) share of the turning that is about one axis.
        likeness: (f,) correlation of the turning about that axis with itself one period of the tilt later.
        per_tilt: (f,) rms of that turning for each rms of the rate of the tilt.
    """

    seen: BoolArray
    agreement: FloatArray
    straight: FloatArray
    likeness: FloatArray
    per_tilt: FloatArray


def turns(gyr_rad_s: FloatArray, has_gyr: BoolArray, tilt: Tilts) -> Turns:
    """Turning in each frame (f, 3, FRAME) beside the tilts of the same frames."""
    lag = tilt.lag
    binned = gyr_rad_s.reshape(gyr_rad_s.shape[0], 3, -1, BIN).mean(axis=3)
    turning = steadied(binned, lag[:, None])
    rate = np.gradient(tilt.course_rad, axis=1) * BINS_HZ
    rate = steadied(rate[:, None, :], lag[:, None])[:, 0]
    straight, axis = main_axis(turning)
    about = np.einsum("fij,fi->fj", turning, axis)
    return Turns(
        seen=has_gyr,
        agreement=_explained(rate, turning),
        straight=straight,
        likeness=_likeness(about, np.rint(lag).astype(int)),
        per_tilt=_rms(about) / np.maximum(_rms(rate), 1e-9),
    )


def _rms(x: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt((x * x).mean(axis=1)))


def _explained(what: FloatArray, by: FloatArray) -> FloatArray:
    """Share (f,) of the power of (f, n) that a sum of the three courses (f, 3, n) in any proportion makes."""
    square = np.einsum("fij,fkj->fik", by, by) + 1e-12 * np.eye(3)
    common = np.einsum("fij,fj->fi", by, what)
    proportion = np.linalg.solve(square, common[..., None])[..., 0]
    return np.asarray((proportion * common).sum(axis=1) / np.maximum((what * what).sum(axis=1), 1e-18))


def _likeness(course: FloatArray, lag: npt.NDArray[np.intp]) -> FloatArray:
    """Correlation (f,) of each course (f, n) with itself its own lag later."""
    found = np.zeros(lag.size)
    for one in np.unique(lag).tolist():
        row = lag == one
        early, late = course[row, :-one], course[row, one:]
        power = np.sqrt((early * early).sum(axis=1) * (late * late).sum(axis=1))
        found[row] = (early * late).sum(axis=1) / np.maximum(power, 1e-18)
    return found
