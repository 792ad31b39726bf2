"""Payload modes of a Movella (Xsens) DOT: which fields a notification holds, and their values in SI units.

A payload is a uint32 clock and the mode's fields, little-endian, padded with zeros. A delta is what happened in one
sample period: a turn (unit quaternion) and a change of velocity in m/s with gravity in it; over the period they
are a mean angular rate and a mean acceleration.

Source: "Xsens DOT BLE Services Specifications" XD0506P rev. F and C (table of modes: certain); magnetic field of
`bleHandler.js` in xsens/xsens_dot_server (4096 a unit); a unit of about 40 uT: certain to some percent only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from math import radians

import numpy as np
import numpy.typing as npt

from analysis.samples import XYZ, FloatArray, Modality

STAMP_BYTES = 4
_MAG_UT = 40.0 / 4096


class Field(Enum):
    """One part of a payload, and its bytes."""

    QUAT = ("quat", 16)
    EULER = ("euler", 12)
    FREE_ACC = ("free acc", 12)
    STATUS = ("status and clipping", 4)
    TURN = ("turn in a period", 16)
    VELOCITY = ("velocity gained in a period", 12)
    ACC = ("acc", 12)
    GYR = ("gyr", 12)
    MAG = ("mag", 6)

    @property
    def size(self) -> int:
        """Bytes."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Mode:
    """What one mode sends.

    Attributes:
        payload: the characteristic: "long", "medium" or "short".
        fields: in their order.
    """

    payload: str
    fields: tuple[Field, ...]

    @property
    def size(self) -> int:
        """Bytes that count; what follows is padding."""
        return STAMP_BYTES + sum(field.size for field in self.fields)


_F = Field
MODES: Mapping[int, Mode] = {
    2: Mode("medium", (_F.QUAT, _F.FREE_ACC, _F.STATUS)),
    3: Mode("medium", (_F.QUAT, _F.FREE_ACC)),
    4: Mode("short", (_F.EULER,)),
    5: Mode("short", (_F.QUAT,)),
    6: Mode("short", (_F.FREE_ACC,)),
    7: Mode("medium", (_F.EULER, _F.FREE_ACC, _F.STATUS)),
    16: Mode("medium", (_F.EULER, _F.FREE_ACC)),
    18: Mode("medium", (_F.TURN, _F.VELOCITY, _F.MAG)),
    19: Mode("medium", (_F.TURN, _F.VELOCITY)),
    20: Mode("medium", (_F.ACC, _F.GYR, _F.MAG)),
    21: Mode("medium", (_F.ACC, _F.GYR)),
    22: Mode("medium", (_F.EULER, _F.FREE_ACC, _F.GYR)),
    23: Mode("medium", (_F.EULER, _F.FREE_ACC, _F.MAG)),
    24: Mode("medium", (_F.QUAT, _F.GYR)),
    26: Mode("long", (_F.QUAT, _F.ACC, _F.GYR)),
}
CLOSED = frozenset({1, 17, 25})
"""High fidelity and custom 4: only the maker's own library reads them."""
NAMES = {number: " and ".join(field.value[0] for field in mode.fields) for number, mode in MODES.items()}

Octets = npt.NDArray[np.uint8]
Column = tuple[Modality, tuple[str, ...], FloatArray]


def columns_of(mode: Mode, octets: Octets, rate_hz: float) -> tuple[npt.NDArray[np.bool_], list[Column]]:
    """Values of many payloads.

    Args:
        mode: of all of them.
        octets: (n, mode.size) bytes.
        rate_hz: samples a second, for the deltas.

    Returns:
        (n,) whether all numbers are finite; modality, channels and (n, channels) values of the fields that have any.
    """
    sound = np.ones(len(octets), bool)
    made: list[Column] = []
    at = STAMP_BYTES
    for field in mode.fields:
        part = np.ascontiguousarray(octets[:, at : at + field.size])
        at += field.size
        if field is Field.STATUS:
            continue
        if field is Field.MAG:
            made.append((Modality.MAG, XYZ, part.view("<i2") * _MAG_UT))
            continue
        raw = part.view("<f4")
        finite = np.isfinite(raw)
        sound &= finite.all(axis=1)
        modality, channels, convert = _MEANING[field]
        # A signalling NaN may not be widened without a warning.
        values = np.where(finite, raw, np.float32(0)).astype(np.float64)
        made.append((modality, channels, convert(values, rate_hz)))
    return sound, made


def angular_rate(turn: FloatArray, rate_hz: float) -> FloatArray:
    """(n, 3) mean rad/s of (n, 4) turns w x y z in one period each; a turn of any length and either sign."""
    turn = np.where(turn[:, :1] < 0, -turn, turn)
    axis = turn[:, 1:]
    sine = np.linalg.norm(axis, axis=1)
    half = np.arctan2(sine, turn[:, 0])
    per_axis = np.divide(2 * half * rate_hz, sine, out=np.zeros_like(sine), where=sine > 0)
    rates: FloatArray = axis * per_axis[:, None]
    return rates


def _as_they_are(values: FloatArray, _rate_hz: float) -> FloatArray:
    return values


def _from_degrees(values: FloatArray, _rate_hz: float) -> FloatArray:
    return values * radians(1)


def _a_second(values: FloatArray, rate_hz: float) -> FloatArray:
    return values * rate_hz


_Meaning = tuple[Modality, tuple[str, ...], Callable[[FloatArray, float], FloatArray]]
_MEANING: Mapping[Field, _Meaning] = {
    Field.QUAT: (Modality.QUAT, ("w", "x", "y", "z"), _as_they_are),
    Field.EULER: (Modality.EULER, ("roll", "pitch", "yaw"), _from_degrees),
    Field.FREE_ACC: (Modality.FREE_ACC, XYZ, _as_they_are),
    Field.TURN: (Modality.GYR, XYZ, angular_rate),
    Field.VELOCITY: (Modality.ACC, XYZ, _a_second),
    Field.ACC: (Modality.ACC, XYZ, _as_they_are),
    Field.GYR: (Modality.GYR, XYZ, _from_degrees),
}
