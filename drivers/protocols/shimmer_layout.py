"""Bytes of a Shimmer3R: messages, the channels of a data frame, and what their numbers mean. Sans-IO.

A frame is 00, 24 bits of a 32768 Hz clock, and the channels in the order that the answer to an inquiry names them.
Inertial numbers become physical ones as the maker has it: C = R^-1 K^-1 (U - B), with the offset B, the sensitivity K
and the alignment R of the sensor, by default those of its kind at its range, or its own where it tells them. All
inertial groups are then in the same axes, those of the case.

Source: ShimmerResearch/shimmer-web-sdk at 4ae69dc (certain), whose equation is Ferraris, Grimaldi and Parvis 1995.
Sensitivities of the gyroscope are its datasheet's (LSM6DSV: 4.375 mdps at 125 deg/s), which the SDK rounds to whole
counts. The scale of ExG depends on a gain that is not read here: raw counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import cache
from math import radians

import numpy as np
import numpy.typing as npt

from analysis.samples import XYZ, FloatArray, Modality
from drivers.errors import PacketError

SERVICE, NOTIFY, COMMAND = (f"65333333-a115-11e2-9e9a-0800200ca10{i}" for i in (0, 1, 2))
CLOCK_HZ = 32768
CLOCK_WRAP = 1 << 24
FRAME_HEAD_BYTES = 4
"""Preamble and clock."""


class Op(IntEnum):
    """First byte of a message, either way."""

    DATA = 0x00
    INQUIRE = 0x01
    INQUIRY = 0x02
    SET_RATE = 0x05
    START = 0x07
    SET_SENSORS = 0x08
    SET_WR_RANGE = 0x09
    WR_CALIBRATION = 0x1B
    GET_WR_CALIBRATION = 0x1C
    LN_CALIBRATION = 0x12
    GYR_CALIBRATION = 0x15
    GET_GYR_CALIBRATION = 0x16
    MAG_CALIBRATION = 0x18
    STOP = 0x20
    GET_FIRMWARE = 0x2E
    FIRMWARE = 0x2F
    SET_GYR_RANGE = 0x49
    SET_EXG_POWER = 0x5E
    STATUS = 0x71
    IN_STREAM = 0x8A
    VOLTAGE = 0x94
    REFUSED = 0xFE
    DONE = 0xFF


class Sensor(IntEnum):
    """Bits of the sensors to stream."""

    EXG1_24 = 0x000010
    GYR = 0x000040
    WR_ACC = 0x001000


WR_RANGES_G = (2.0, 4.0, 8.0, 16.0)
GYR_RANGES_DEG_S = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0)
CALIBRATION_BYTES = 22
_INQUIRY_BYTES = 12
_ANSWER_BYTES = {
    Op.DONE: 1, Op.REFUSED: 1, Op.FIRMWARE: 7, Op.STATUS: 2, Op.VOLTAGE: 4,
    **dict.fromkeys((Op.LN_CALIBRATION, Op.GYR_CALIBRATION, Op.MAG_CALIBRATION, Op.WR_CALIBRATION), CALIBRATION_BYTES),
}  # fmt: skip
_IN_STREAM_BYTES = {Op.STATUS: 3, Op.VOLTAGE: 5}


class Group(Enum):
    """Channels that belong together: modality, name among its kind, names of its columns."""

    LN_ACC = (Modality.ACC, "low noise", XYZ)
    WR_ACC = (Modality.ACC, "wide range", XYZ)
    HIGH_ACC = (Modality.ACC, "high g", XYZ)
    GYR = (Modality.GYR, "gyroscope", XYZ)
    MAG = (Modality.MAG, "magnetometer", XYZ)
    ALT_MAG = (Modality.MAG, "second magnetometer", XYZ)
    EMG = (Modality.EMG, "exg", tuple("1234"))
    EMG_16 = (Modality.EMG, "exg 16 bit", tuple("1234"))
    PPG = (Modality.PPG, "ppg", ("ppg",))


_GROUPS: Mapping[Group, Sequence[int]] = {
    Group.LN_ACC: (0x00, 0x01, 0x02),
    Group.WR_ACC: (0x04, 0x05, 0x06),
    Group.HIGH_ACC: (0x14, 0x15, 0x16),
    Group.GYR: (0x0A, 0x0B, 0x0C),
    Group.MAG: (0x07, 0x08, 0x09),
    Group.ALT_MAG: (0x17, 0x18, 0x19),
    Group.EMG: (0x1E, 0x1F, 0x21, 0x22),
    Group.EMG_16: (0x23, 0x24, 0x25, 0x26),
    Group.PPG: (0x12,),
}
_PARTIAL = frozenset({Group.EMG, Group.EMG_16})
"""Groups of which some channels make sense without the others."""
_SIZES = dict.fromkeys(range(0x29), 2) | dict.fromkeys((0x1D, 0x20), 1)
_SIZES |= dict.fromkeys((0x1A, 0x1B, 0x1E, 0x1F, 0x21, 0x22), 3)
"""Bytes of every channel the maker knows."""


@dataclass(frozen=True, slots=True)
class Field:
    """A group's place in a frame.

    Attributes:
        group: what it is.
        at: byte of each channel.
        code: range of its sensor.
    """

    group: Group
    at: tuple[int, ...]
    code: int


@dataclass(frozen=True, slots=True)
class Schema:
    """What an inquiry tells.

    Attributes:
        divisor: ticks from sample to sample.
        frame_bytes: of one sample.
        fields: the groups, in the order of `Group`.
        channels: ids in the order they are sent.
        exg_power: the supply of ExG is on.
    """

    divisor: int
    frame_bytes: int
    fields: tuple[Field, ...]
    channels: tuple[int, ...]
    exg_power: bool

    @property
    def rate_hz(self) -> float:
        """Samples a second."""
        return CLOCK_HZ / self.divisor

    def stream(self, group: Group) -> str | None:
        """What tells a group from another of its modality; None where it is the only one."""
        modality, name, _ = group.value
        return name if sum(field.group.value[0] is modality for field in self.fields) > 1 else None


def message_bytes(begun: bytes) -> int | None:
    """Length of the message that begins so, 0 where more bytes must tell; None where it is none that is known.

    Data frames are no messages.
    """
    op = begun[0]
    if op == Op.INQUIRY:
        return _INQUIRY_BYTES + begun[10] if len(begun) > 10 else 0
    if op == Op.IN_STREAM:
        return (
            _IN_STREAM_BYTES.get(Op(begun[1]))
            if len(begun) > 1 and begun[1] in list(Op)
            else 0
            if len(begun) < 2
            else None
        )
    return _ANSWER_BYTES.get(Op(op)) if op in list(Op) else None


def read_inquiry(message: bytes) -> Schema:
    """The schema of an inquiry's answer.

    Raises:
        PacketError: truncated, no rate, or a channel of unknown size.
    """
    if len(message) < _INQUIRY_BYTES or len(message) != _INQUIRY_BYTES + message[10]:
        raise PacketError("truncated inquiry", NOTIFY, message)
    divisor, setup = int.from_bytes(message[1:3], "little"), int.from_bytes(message[3:10], "little")
    channels = tuple(message[_INQUIRY_BYTES:])
    if not divisor:
        raise PacketError("an inquiry without a rate", NOTIFY, message)
    if not channels or any(channel not in _SIZES for channel in channels):
        raise PacketError("an inquiry with channels of unknown size", NOTIFY, message)
    places, at = {}, FRAME_HEAD_BYTES
    for channel in channels:
        places[channel] = at
        at += _SIZES[channel]
    codes = {
        Group.LN_ACC: setup >> 30 & 3,
        Group.WR_ACC: setup >> 2 & 3,
        Group.GYR: setup >> 16 & 3 | (setup >> 34 & 1) << 2,
    }
    fields = []
    for group, members in _GROUPS.items():
        there = tuple(places[channel] for channel in members if channel in places)
        if there and (len(there) == len(members) or group in _PARTIAL):
            fields.append(Field(group, there, codes.get(group, 0)))
    return Schema(divisor, at, tuple(fields), channels, bool(setup >> 24 & 1))


Octets = npt.NDArray[np.uint8]


def numbers(frames: Octets, field: Field) -> FloatArray:
    """(n, channels) raw numbers of a group.

    Args:
        frames: (n, frame_bytes).
        field: which group.
    """
    made = np.empty((len(frames), len(field.at)))
    for column, at in enumerate(field.at):
        if field.group is Group.EMG:
            made[:, column] = _words(frames, at - 1, ">i4") << 8 >> 8
        elif field.group is Group.HIGH_ACC:
            made[:, column] = _words(frames, at, ">i2") >> 4
        else:
            made[:, column] = _words(frames, at, ">i2" if field.group is Group.EMG_16 else "<i2")
    return made


def _words(frames: Octets, at: int, form: str) -> npt.NDArray[np.signedinteger]:
    """(n,) numbers of this form that begin at byte `at` of (n, frame_bytes)."""
    there = np.ndarray((len(frames),), form, frames, at, (frames.strides[0],))
    return there.astype(there.dtype.newbyteorder("="))


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How an inertial group's raw numbers become physical ones: `matrix` @ (raw - `offset`), in SI units."""

    offset: FloatArray
    matrix: FloatArray

    def applied(self, raw: FloatArray) -> FloatArray:
        """(n, 3) in SI units."""
        # Not `@`: how that rounds depends on how many rows there are, and most axes lie along those of the case.
        level = [raw[:, column] - self.offset[column] for column in range(3)]
        made = np.empty_like(raw)
        for row, factors in enumerate(self.matrix):
            first, *others = np.flatnonzero(factors).tolist()
            made[:, row] = level[first] * factors[first]
            for column in others:
                made[:, row] += level[column] * factors[column]
        return made


_LSM6DSV = ((-1, 0, 0), (0, 1, 0), (0, 0, -1))
_LIS2DW12 = ((0, -1, 0), (-1, 0, 0), (0, 0, -1))
_LIS2MDL = ((-1, 0, 0), (0, -1, 0), (0, 0, -1))
_LIS3MDL = ((1, 0, 0), (0, -1, 0), (0, 0, -1))
_ADXL371 = ((0, 1, 0), (1, 0, 0), (0, 0, -1))
_DEFAULTS: Mapping[Group, tuple[tuple[tuple[int, ...], ...], tuple[float, ...], float, float]] = {
    Group.LN_ACC: (_LSM6DSV, (1672, 836, 418, 209), 0, 1.0),
    Group.WR_ACC: (_LIS2DW12, (1671, 836, 418, 209), 0, 1.0),
    Group.HIGH_ACC: (_ADXL371, (1,), 10, 1.0),
    Group.GYR: (_LSM6DSV, tuple(4000 / 17.5 / 2**code for code in range(6)), 0, radians(1)),
    Group.MAG: (_LIS2MDL, (667,), 0, 100.0),
    Group.ALT_MAG: (_LIS3MDL, (6842, 3421, 2281, 1711), 0, 100.0),
}
"""Alignment; counts a unit by range; offset; SI units in a unit: m/s2, deg/s, gauss."""
CALIBRATED = {
    Op.LN_CALIBRATION: Group.LN_ACC, Op.WR_CALIBRATION: Group.WR_ACC, Op.GYR_CALIBRATION: Group.GYR,
    Op.MAG_CALIBRATION: Group.MAG,
}  # fmt: skip


@cache
def usual(group: Group, code: int) -> Calibration | None:
    """Calibration of a group's kind at a range; None for what is no inertial group."""
    if group not in _DEFAULTS:
        return None
    alignment, sensitivities, offset, unit = _DEFAULTS[group]
    sensitivity = sensitivities[code] if code < len(sensitivities) else sensitivities[0]
    turn = np.linalg.inv(np.array(alignment, np.float64))
    return Calibration(np.full(3, float(offset)), turn * (unit / sensitivity))


def read_calibration(message: bytes) -> Calibration | None:
    """A sensor's own calibration; None where none is stored or it cannot be used."""
    block = message[1:CALIBRATION_BYTES]
    if len(block) < CALIBRATION_BYTES - 1 or block.strip(b"\0") == b"" or block.strip(b"\xff") == b"":
        return None
    group = CALIBRATED[Op(message[0])]
    sixteen = np.frombuffer(block[:12], ">i2").astype(np.float64)
    sensitivity = sixteen[3:] / (100 if group is Group.GYR else 1)
    alignment = np.frombuffer(block[12:], np.int8).reshape(3, 3) / 100
    if (sensitivity == 0).any() or abs(float(np.linalg.det(alignment))) < 0.1:
        return None
    unit = _DEFAULTS[group][3]
    matrix = np.linalg.inv(alignment.astype(np.float64)) @ np.diag(unit / sensitivity)
    return Calibration(sixteen[:3], matrix.astype(np.float64))
