"""A virtual Movesense with the GATT SensorData Protocol, byte for byte. Shares no code with the decoder.

Source: movesense.com, "GATT SensorData Protocol" and copies of its sample `GATTSensorDataClient.cpp`. Inferred:
the statuses for what it does not know (400, 404, 409), and that one measurement runs at one rate at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor

import numpy as np

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

SENSOR_SERVICE = "34802252-7185-4d5d-b431-630e7050e8f0"
COMMAND_POINT = "34800001-7185-4d5d-b431-630e7050e8f0"
DATA_POINT = "34800002-7185-4d5d-b431-630e7050e8f0"
BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_POINT = "00002a19-0000-1000-8000-00805f9b34fb"

_RATES = (13, 26, 52, 104, 208, 416, 833, 1666)
_MEASURES = {
    "Acc": (Modality.ACC,), "Gyro": (Modality.GYR,), "Magn": (Modality.MAG,),
    "IMU6": (Modality.ACC, Modality.GYR), "IMU6m": (Modality.ACC, Modality.MAG),
    "IMU9": (Modality.ACC, Modality.GYR, Modality.MAG),
}  # fmt: skip
_PART = 150
_MOST = 4
OK, BAD, NOT_FOUND, CONFLICT, FULL = 200, 400, 404, 409, 507


@dataclass(slots=True)
class _Subscription:
    """A running measurement, with the samples that have not filled a payload yet."""

    arrays: tuple[Modality, ...]
    rate: int
    t_s: list[float] = field(default_factory=list)
    rows: list[FloatArray] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """Samples of a payload: thirteen payloads a second."""
        return max(1, round(self.rate / 13))


class VirtualMovesense:
    """The peripheral's side: commands and answers, subscriptions, payloads in parts."""

    local_name = "Movesense 214330002345"
    advertised_services: Sequence[str] = ("0000fdf3-0000-1000-8000-00805f9b34fb",)

    def __init__(
        self,
        *,
        mtu: int = 161,
        old: bool = False,
        standard_battery: bool = False,
        clock_start_ms: int = 0,
        battery_percent: int = 91,
    ) -> None:
        """A sensor that is switched on, not connected.

        Args:
            mtu: ATT MTU.
            old: firmware of version 1: says no more than Hello, answers no good subscription, splits nothing.
            standard_battery: it has the battery service, too.
            clock_start_ms: its clock at its second 0, to have it wrap soon.
            battery_percent: level it reports.
        """
        self.mtu = mtu
        self.manufacturer_data = {0x009F: bytes(17)}
        self.old = old
        self.battery_percent = battery_percent
        self.services: dict[str, dict[str, tuple[str, ...]]] = {
            SENSOR_SERVICE: {COMMAND_POINT: ("write",), DATA_POINT: ("notify",)}
        }
        if standard_battery:
            self.services[BATTERY_SERVICE] = {BATTERY_POINT: ("read", "notify")}
        self._clock_start_ms = clock_start_ms
        self._zero_s = self._now_s = 0.0
        self._listening = False
        self._running: dict[int, _Subscription] = {}

    def read(self, characteristic: str) -> bytes:
        """The battery level, where it has the service."""
        if characteristic == BATTERY_POINT and BATTERY_SERVICE in self.services:
            return bytes((self.battery_percent,))
        raise AttError(NO_SUCH, f"{characteristic} cannot be read")

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Answers and data need it; nothing is sent because of it alone."""
        if characteristic == BATTERY_POINT and BATTERY_SERVICE in self.services:
            return []
        if characteristic != DATA_POINT:
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        self._listening = on
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A command; its answer, if anybody listens."""
        if characteristic != COMMAND_POINT:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        self._now_s = max(self._now_s, t_s)
        if len(payload) < 2 or payload[1] == 0:
            return []
        answer = self._obey(payload[0], payload[1], payload[2:].rstrip(b"\0").decode("ascii", "replace"))
        if answer is None or not self._listening:
            return []
        return [Notification(t_s, DATA_POINT, bytes((1, payload[1])) + answer)]

    def _obey(self, code: int, reference: int, path: str) -> bytes | None:
        match code:
            case 0:
                return b"Hello" if self.old else b"\x02214330002345\0Movesense\0A0:B1:C2:D3:E4:F5\0GSP\x002.1.0\0"
            case 1:
                return self._subscription(reference, path)
            case 2:
                known = self._running.pop(reference, None) is not None
                return None if self.old else _status(OK if known else NOT_FOUND)
            case 4 if not self.old and path == "/System/Energy/Level":
                return _status(OK) + bytes((self.battery_percent,))
            case 4 if not self.old:
                return _status(NOT_FOUND)
        return None if self.old else _status(BAD)

    def _subscription(self, reference: int, path: str) -> bytes | None:
        if len(self._running) >= _MOST:
            return b"\x01\xfb" if self.old else _status(FULL)
        words = path.split("/")
        if len(words) != 4 or words[:2] != ["", "Meas"] or words[2] not in _MEASURES or not words[3].isdecimal():
            return None if self.old else _status(NOT_FOUND)
        arrays, rate = _MEASURES[words[2]], int(words[3])
        clash = any(set(arrays) & set(other.arrays) and other.rate != rate for other in self._running.values())
        if reference in self._running or clash:
            return None if self.old else _status(CONFLICT)
        if rate not in _RATES:
            return None if self.old else _status(NOT_FOUND)
        self._running[reference] = _Subscription(arrays, rate)
        return None if self.old else _status(OK)

    def rate_hz(self, modality: str) -> float | None:
        """The rate at which somebody has subscribed to it."""
        for running in self._running.values():
            if Modality(modality) in running.arrays:
                return float(running.rate)
        return None

    def stamp_ms(self, t_s: float) -> int:
        """The sensor's clock, which wraps after 49.7 days."""
        # An instant that is a whole number of milliseconds is not to fall below it by rounding.
        return (self._clock_start_ms + floor((t_s - self._zero_s) * 1e3 + 1e-6)) % (1 << 32)

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """Payloads that these samples fill, each with the time of its last sample."""
        given = {block.modality: block for block in blocks if len(block)}
        sent: list[Notification] = []
        for reference, running in self._running.items():
            if all(kind in given for kind in running.arrays):
                sent += self._fill(reference, running, [given[kind] for kind in running.arrays])
        sent.sort(key=lambda notification: notification.t_s)
        if sent:
            self._now_s = max(self._now_s, sent[-1].t_s)
        return sent if self._listening else []

    def _fill(self, reference: int, running: _Subscription, blocks: Sequence[SampleBlock]) -> list[Notification]:
        values = np.stack([_shown(block) for block in blocks], axis=1)
        sent = []
        for when, row in zip(blocks[0].t_s.tolist(), values, strict=True):
            running.t_s.append(when)
            running.rows.append(row)
            if len(running.rows) < running.samples:
                continue
            arrays = np.stack(running.rows, axis=1).astype("<f4").tobytes()
            body = struct.pack("<I", self.stamp_ms(running.t_s[0])) + arrays
            running.t_s, running.rows = [], []
            sent += [Notification(when, DATA_POINT, part) for part in self._parts(reference, body)]
        return sent

    def _parts(self, reference: int, body: bytes) -> list[bytes]:
        if self.old:
            return [(bytes((2, reference)) + body)[: self.mtu - 3]]
        cuts = range(0, len(body), min(_PART, self.mtu - 5))
        return [
            bytes((2 + place, reference)) + body[at : at + cuts.step]
            for place, at in enumerate(cuts)
            if place < 3
        ]  # fmt: skip

    def disconnect(self) -> None:
        """The link is gone: all subscriptions are dropped."""
        self._listening = False
        self._running.clear()

    def reboot(self) -> None:
        """Its clock begins anew."""
        self.disconnect()
        self._clock_start_ms, self._zero_s = 0, self._now_s


def _status(code: int) -> bytes:
    return struct.pack("<H", code)


def _shown(block: SampleBlock) -> FloatArray:
    """Values in the sensor's units: gyro in degrees a second."""
    return np.degrees(block.values) if block.modality is Modality.GYR else block.values


VIRTUAL = VirtualMovesense
"""What the conformance kit and the demonstration switch on."""
