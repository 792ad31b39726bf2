"""Bytes of the MetaWear protocol, as MbientLab's boards speak it: modules, registers, commands, scales. Sans-IO.

A packet is module, register, content, 20 bytes at most. Bit 0x80 of the register reads, and marks the reply.

Source: mbientlab/MetaWear-SDK-Cpp at f67699e, `src/metawear` and its tests (certain).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import radians

from analysis.samples import STANDARD_GRAVITY_MPS2

SERVICE, COMMAND, NOTIFY = (f"326a900{i}-85cb-9195-d9dd-464cfbbae75a" for i in (0, 1, 6))
MOST_BYTES = 20
READ = 0x80


class Module(IntEnum):
    """First byte of a packet."""

    SWITCH = 0x01
    LED = 0x02
    ACC = 0x03
    TEMP = 0x04
    HAPTIC = 0x08
    PROCESSOR = 0x09
    LOGGING = 0x0B
    SETTINGS = 0x11
    GYR = 0x13
    MAG = 0x15
    FUSION = 0x19
    DEBUG = 0xFE


class Processor(IntEnum):
    """Registers of the data processor."""

    ADD = 0x02
    NOTIFY = 0x03
    NOTIFY_ENABLE = 0x07
    REMOVE_ALL = 0x08


@dataclass(frozen=True, slots=True)
class Chip:
    """One accelerometer or gyroscope of a board.

    Attributes:
        module: it belongs to.
        data: register of its single samples.
        packed: register of three samples at once.
        ranges: full scale, g or deg/s -> code.
    """

    module: Module
    data: int
    packed: int
    ranges: Mapping[float, int]


_GYR_RANGES = {2000.0: 0, 1000.0: 1, 500.0: 2, 250.0: 3, 125.0: 4}
ACCS = {
    1: Chip(Module.ACC, 0x04, 0x1C, {2.0: 0x03, 4.0: 0x05, 8.0: 0x08, 16.0: 0x0C}),
    4: Chip(Module.ACC, 0x04, 0x05, {2.0: 0, 4.0: 1, 8.0: 2, 16.0: 3}),
}
"""By the implementation number that discovery tells: BMI160, BMI270."""
GYRS = {0: Chip(Module.GYR, 0x05, 0x07, _GYR_RANGES), 1: Chip(Module.GYR, 0x04, 0x05, _GYR_RANGES)}
ACC_RANGES_G = tuple(ACCS[1].ranges)
GYR_RANGES_DEG_S = tuple(_GYR_RANGES)
USUAL_G, USUAL_DEG_S = 8.0, 2000.0

RATE_CODE = {25.0: 6, 50.0: 7, 100.0: 8, 200.0: 9}
"""Rates that both sensors have; code n is 0.78125 x 2^(n-1) Hz."""

_PACKER, _ACCOUNTER, _TIME = 0x10, 0x11, 1
_ALL_AXES = 0xA0
"""Six bytes from the first on."""
PACKED = 3
"""Samples of a packed data packet."""
TIMED = 2
"""Samples that the packer puts together for one time stamp: 19 bytes; three would not fit."""
TICK_NS = 48e9 / 32768


def acc_scale(range_g: float) -> float:
    """m/s2 a step: 32768 steps are the range."""
    return range_g * STANDARD_GRAVITY_MPS2 / 32768


def gyr_scale(range_deg_s: float) -> float:
    """rad/s a step: 16.4 steps are 1 deg/s at 2000 deg/s."""
    return radians(range_deg_s / 2000) / 16.4


def acc_config(implementation: int, rate_hz: float, range_g: float) -> bytes:
    """The write that sets the accelerometer, at one of the rates of `RATE_CODE`."""
    quality = 0x20 if implementation == 1 else 0xA0
    return bytes((Module.ACC, 0x03, quality | RATE_CODE[rate_hz], ACCS[implementation].ranges[range_g]))


def gyr_config(rate_hz: float, range_deg_s: float) -> bytes:
    """The write that sets the gyroscope, at one of the rates of `RATE_CODE`."""
    return bytes((Module.GYR, 0x03, 0x20 | RATE_CODE[rate_hz], _GYR_RANGES[range_deg_s]))


def switching(chip: Chip, *, on: bool) -> tuple[bytes, bytes]:
    """The writes that let a chip sample: interrupt, power; or neither, in the order that stops it."""
    enable = bytes((chip.module, 0x02, on, not on))
    power = bytes((chip.module, 0x01, on))
    return (enable, power) if on else (power, enable)


def subscription(chip: Chip, register: int, *, on: bool) -> bytes:
    """The write that has a chip's data notified, or no longer."""
    return bytes((chip.module, register, on))


def packer(chip: Chip) -> bytes:
    """The write that makes a processor which puts `TIMED` samples of a chip together."""
    return bytes((Module.PROCESSOR, Processor.ADD, chip.module, chip.data, 0xFF, _ALL_AXES, _PACKER, 5, TIMED - 1))


def accounter(source: int) -> bytes:
    """The write that makes a processor which puts the board's clock, 4 bytes, before what another one gives."""
    mode = (4 - 1) << 4 | _TIME
    return bytes((
        Module.PROCESSOR, Processor.ADD, Module.PROCESSOR, Processor.NOTIFY, source, _ALL_AXES, _ACCOUNTER, mode, 3,
    ))  # fmt: skip
