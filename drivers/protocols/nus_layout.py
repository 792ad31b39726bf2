"""Bytes of the open profile `soleus-nus`, version 1, as `devices/soleus_nus.md` lays them down. Sans-IO.

Certain: the profile is this project's own.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from math import radians

from analysis.samples import STANDARD_GRAVITY_MPS2
from drivers.errors import PacketError

SERVICE = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
RX = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
"""Written by the host."""
TX = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
"""Notified by the device."""

VERSION = 1
MARK = b"soleus"
HEADER_BYTES = 8
"""Of IMU and EMG packets."""
IMU_SAMPLE_BYTES = 12
STATUS_BYTES, HELLO_BYTES, ANSWER_BYTES, START_ANSWER_BYTES = 16, 20, 3, 11
LARGEST_SCALE = 7
NO_GYRO, NO_UNIT = 15, 15
UNKNOWN_PERCENT, UNKNOWN_TEMP = 0xFF, -0x8000
STREAM_IMU, STREAM_EMG = 1, 2


class Kind(IntEnum):
    """Low four bits of a packet's first byte; the high four are the version."""

    IMU = 1
    EMG = 2
    STATUS = 3
    HELLO = 4
    ANSWER = 5


class Command(IntEnum):
    """First byte of a write."""

    HELLO = 1
    START = 2
    STOP = 3
    STATUS = 4
    BUZZ = 5


class Reply(IntEnum):
    """Third byte of an answer."""

    OK = 0
    UNKNOWN_COMMAND = 1
    WRONG_LENGTH = 2
    NOT_ABLE = 3
    ALREADY_STREAMING = 4


def acc_scale(code: int) -> float:
    """m/s2 a step: 32768 steps are 2**code g."""
    return float(STANDARD_GRAVITY_MPS2 * 2**code / 32768)


def gyr_scale(code: int) -> float:
    """rad/s a step: 32768 steps are 125 x 2**code deg/s."""
    return radians(125 * 2**code) / 32768


def emg_scale(code: int) -> float:
    """Microvolts a step: 2**(code - 8)."""
    return float(2.0 ** (code - 8))


@dataclass(frozen=True, slots=True)
class Hello:
    """What a device is, by its own word."""

    firmware: str
    acc: bool
    gyr: bool
    emg_channels: int
    battery: bool
    vibrates: bool
    boot: int
    imu_hz: int
    emg_hz: int
    acc_codes: tuple[int, ...]
    gyr_codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """How a device is: None where it does not know."""

    percent: int | None
    temp_c: float | None
    clock_us: int
    imu_hz: int
    emg_hz: int
    dropped: int
    boot: int


@dataclass(frozen=True, slots=True)
class Started:
    """What a start was granted."""

    streams: int
    imu_hz: int
    emg_hz: int
    acc_code: int
    gyr_code: int
    emg_channels: int


def kind_of(payload: bytes) -> int:
    """Type of a packet of this version.

    Raises:
        PacketError: empty, or of another version.
    """
    if not payload:
        raise PacketError("empty packet", TX, payload)
    if payload[0] >> 4 != VERSION:
        raise PacketError(f"profile version {payload[0] >> 4}, this program reads version {VERSION}", TX, payload)
    return payload[0] & 0x0F


def read_hello(payload: bytes) -> Hello:
    """Raises PacketError: truncated, or not this profile's mark."""
    if len(payload) < HELLO_BYTES or payload[2:8] != MARK:
        raise PacketError("no hello of this profile", TX, payload)
    major, minor, able, channels, boot, imu_hz, emg_hz, acc, gyr = struct.unpack_from("<4B3H2B", payload, 8)
    codes = [tuple(code for code in range(8) if mask >> code & 1) for mask in (acc, gyr)]
    flags = [bool(able >> bit & 1) for bit in range(5)]
    emg_channels = min(channels, 8) if flags[2] else 0
    return Hello(f"{major}.{minor}", flags[0], flags[1], emg_channels, flags[3], flags[4], boot, imu_hz, emg_hz, *codes)


def read_status(payload: bytes) -> Status:
    """Raises PacketError: truncated, or a battery above 100 percent."""
    if len(payload) < STATUS_BYTES:
        raise PacketError("truncated status", TX, payload)
    percent, temp, clock_us, imu_hz, emg_hz, dropped, boot = struct.unpack_from("<xBhI4H", payload)
    if percent > 100 and percent != UNKNOWN_PERCENT:
        raise PacketError("battery above 100 percent", TX, payload)
    return Status(
        None if percent == UNKNOWN_PERCENT else percent,
        None if temp == UNKNOWN_TEMP else temp / 100,
        clock_us, imu_hz, emg_hz, dropped, boot,
    )  # fmt: skip


def read_started(payload: bytes) -> Started | None:
    """What the answer to a start grants; None for any other answer and for a refusal.

    Raises:
        PacketError: truncated.
    """
    if len(payload) < ANSWER_BYTES:
        raise PacketError("truncated answer", TX, payload)
    if payload[1] != Command.START or payload[2] != Reply.OK:
        return None
    if len(payload) < START_ANSWER_BYTES:
        raise PacketError("truncated answer", TX, payload)
    return Started(*struct.unpack_from("<BHHBBB", payload, 3))


def start_command(wanted: Started) -> bytes:
    """The write that starts the streams."""
    return struct.pack(
        "<BBHHBBB", Command.START, wanted.streams, wanted.imu_hz, wanted.emg_hz, wanted.acc_code,
        wanted.gyr_code, wanted.emg_channels,
    )  # fmt: skip


def buzz_command(duration_ms: int) -> bytes:
    """The write that makes the device vibrate."""
    return struct.pack("<BH", Command.BUZZ, duration_ms)
