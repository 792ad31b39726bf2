"""The Polar PMD control point: what is written to it, and what its answers mean. Sans-IO.

Source: polarofficial/polar-ble-sdk at 8fb5311c, "Online measurement" (Aug 2024) and its PMD client [C]. Start
answers without a factor: issues 331 and 443; the H10's lone byte: the SDK's tests [V].
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from math import isfinite

from drivers.errors import PacketError

SERVICE = "fb005c80-02e7-f387-1cad-8acd2d8df0c8"
CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
COMPANY_ID = 0x006B
NAME_PREFIX = "Polar "
ADVERTISED_SERVICES = ("0000180d-0000-1000-8000-00805f9b34fb", "0000feee-0000-1000-8000-00805f9b34fb")


class Op(IntEnum):
    """What a write asks for."""

    SETTINGS = 1
    START = 2
    STOP = 3
    SDK_SETTINGS = 4
    STATUS = 5
    SDK_STATUS = 6


class Setting(IntEnum):
    """Items of a settings list."""

    RATE_HZ = 0
    RESOLUTION_BITS = 1
    RANGE = 2
    RANGE_MILLI = 3
    CHANNELS = 4
    FACTOR = 5
    SECURITY = 6


SETTING_BYTES = {0: 2, 1: 2, 2: 2, 3: 4, 4: 1, 5: 4, 6: 16}

STATUS_TEXT = {
    0: "ok", 1: "invalid op", 2: "invalid measurement type", 3: "not supported", 4: "invalid length",
    5: "invalid parameter", 6: "already in that state", 7: "invalid resolution", 8: "invalid rate",
    9: "invalid range", 10: "invalid MTU", 11: "invalid number of channels", 12: "invalid state",
    13: "sensor is in its charger", 14: "disk full",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer, its parts joined. `params` is empty unless `status` is 0."""

    op: int
    measurement: int
    status: int
    params: bytes = b""


@dataclass(frozen=True, slots=True)
class Stopped:
    """The device ended these online streams by itself."""

    measurements: tuple[int, ...]


@dataclass(slots=True)
class ControlPoint:
    """Reads the indications of one connection; remembers each measurement's conversion factor."""

    factors: dict[int, float] = field(default_factory=dict)
    _part: Answer | None = None

    def read(self, payload: bytes) -> Answer | Stopped | None:
        """What this indication completes; None where more parts follow or it is a feature record.

        Raises:
            PacketError: no control-point answer, or its settings cannot be read.
        """
        if not payload:
            raise PacketError("empty control point answer", CONTROL, payload)
        if payload[0] == 0x0F:
            return None
        if payload[0] == 0x01:
            return Stopped(tuple(byte & 0x3F for byte in payload[1:]))
        if payload[0] != 0xF0:
            raise PacketError("unknown control point answer", CONTROL, payload)
        if len(payload) < 4:
            raise PacketError("truncated control point answer", CONTROL, payload)
        return self._answer(payload)

    def factor(self, measurement: int) -> float:
        """1 where the device stated none, as newer firmware does [C]."""
        return self.factors.get(measurement, 1.0)

    def _answer(self, payload: bytes) -> Answer | None:
        op, measurement, status = payload[1:4]
        before, self._part = self._part, None
        if status != 0:
            return Answer(op, measurement, status)
        earlier = before.params if before and (before.op, before.measurement) == (op, measurement) else b""
        answer = Answer(op, measurement, 0, earlier + payload[5:])
        if len(payload) > 4 and payload[4]:
            self._part = answer
            return None
        # Bit 7 marks an offline recording: its factor is not this stream's.
        if op == Op.START and measurement < 0x40:
            try:
                self.factors[measurement] = _stated_factor(answer.params)
            except ValueError as error:
                raise PacketError(str(error), CONTROL, payload) from error
        return answer


def _stated_factor(params: bytes) -> float:
    """A lone byte is reserved (H10), not a setting [C]."""
    if len(params) < 2:
        return 1.0
    stated = read_settings(params).get(Setting.FACTOR)
    if not stated:
        return 1.0
    factor = float(stated[0])
    if not isfinite(factor) or not 1e-9 <= abs(factor) <= 1e6:
        raise ValueError("conversion factor out of range")
    return factor


def read_settings(params: bytes) -> dict[Setting, list[float]]:
    """Values that a settings list offers, by item.

    Raises:
        ValueError: an unknown item, or the list ends within one.
    """
    offered: dict[Setting, list[float]] = {}
    at = 0
    while at < len(params):
        if at + 2 > len(params) or params[at] not in SETTING_BYTES:
            raise ValueError("settings list that cannot be read")
        item, count = Setting(params[at]), params[at + 1]
        size = SETTING_BYTES[item]
        values = params[at + 2 : at + 2 + size * count]
        if len(values) < size * count:
            raise ValueError("truncated settings list")
        pieces = [values[i : i + size] for i in range(0, len(values), size)]
        offered.setdefault(item, []).extend(_number(item, piece) for piece in pieces)
        at += 2 + size * count
    return offered


def _number(item: Setting, piece: bytes) -> float:
    if item is Setting.FACTOR:
        return float(struct.unpack("<f", piece)[0])
    return int.from_bytes(piece, "little")


def get_settings(measurement: int) -> bytes:
    """The write that asks which settings a measurement offers."""
    return bytes((Op.SETTINGS, measurement))


def start(measurement: int, settings: Mapping[Setting, int]) -> bytes:
    """The write that starts a stream. Verity wants CHANNELS = 3; H10 lists none, so send none."""
    listed = b"".join(
        bytes((item, 1)) + value.to_bytes(SETTING_BYTES[item], "little") for item, value in settings.items()
    )
    return bytes((Op.START, measurement)) + listed


def stop(measurement: int) -> bytes:
    """The write that stops a stream; an H10 left streaming stays on until its battery is empty."""
    return bytes((Op.STOP, measurement))


def recognises(name: str | None, company_ids: Sequence[int], services: Sequence[str]) -> bool:
    """Whether an advertisement is a Polar sensor's. The PMD service itself is not advertised [I]."""
    if SERVICE in services or COMPANY_ID in company_ids:
        return True
    return bool(name and name.startswith(NAME_PREFIX))
