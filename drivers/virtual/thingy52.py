"""A virtual Nordic Thingy:52, motion service, byte for byte. Written on its own; shares no code with the decoder.

Source: NordicSemiconductor/Nordic-Thingy52-FW 2.2.0, `ble_tms.h`, `m_motion.c`, `drv_motion.c`, `thingy_config.h`.
Inferred: the ATT error of settings out of range.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

_BASE = "ef68{}-9b35-4933-9b10-52ffa9740042"
CONFIG_SERVICE, MOTION_SERVICE = _BASE.format("0100"), _BASE.format("0400")
NAME_POINT, FIRMWARE_POINT, MOTION_POINT = (_BASE.format(short) for short in ("0101", "0107", "0401"))
QUATERNION_POINT, RAW_POINT, EULER_POINT = (_BASE.format(short) for short in ("0404", "0406", "0407"))
BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_POINT = "00002a19-0000-1000-8000-00805f9b34fb"
WRONG_LENGTH, OUT_OF_RANGE = 0x0D, 0xFF

_ALLOWED = ((100, 5000), (100, 5000), (100, 1000), (5, 200), (0, 1))
"""Step and temperature intervals, compass interval, rate, wake on motion."""
_SENT = {
    RAW_POINT: (Modality.ACC, Modality.GYR, Modality.MAG),
    QUATERNION_POINT: (Modality.QUAT,),
    EULER_POINT: (Modality.EULER,),
}


class VirtualThingy52:
    """The peripheral's side: motion settings, and features that are on while somebody listens."""

    local_name = "Thingy"
    advertised_services: Sequence[str] = (CONFIG_SERVICE,)
    services = {  # noqa: RUF012
        CONFIG_SERVICE: {NAME_POINT: ("read", "write"), FIRMWARE_POINT: ("read",)},
        MOTION_SERVICE: {MOTION_POINT: ("read", "write")} | dict.fromkeys(_SENT, ("notify",)),
        BATTERY_SERVICE: {BATTERY_POINT: ("read", "notify")},
    }

    def __init__(self, *, mtu: int = 23, rate: int = 10, battery_percent: int = 58) -> None:
        """A device that is switched on, not connected.

        Args:
            mtu: ATT MTU; its packets fit the smallest.
            rate: motion rate as the last user left it.
            battery_percent: level it reports.
        """
        self.mtu = mtu
        self.manufacturer_data = {0x0059: bytes(4)}
        self.settings = (1000, 500, 500, rate, 1)
        self.battery_percent = battery_percent
        self._listened: set[str] = set()

    def read(self, characteristic: str) -> bytes:
        """Name, firmware, motion settings, battery."""
        values = {
            NAME_POINT: self.local_name.encode(),
            FIRMWARE_POINT: bytes((2, 2, 0)),
            MOTION_POINT: struct.pack("<4HB", *self.settings),
            BATTERY_POINT: bytes((self.battery_percent,)),
        }
        if characteristic not in values:
            raise AttError(NO_SUCH, f"{characteristic} cannot be read")
        return values[characteristic]

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Listening to a characteristic switches its part of the sensor on."""
        if characteristic not in (*_SENT, BATTERY_POINT):
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        (self._listened.add if on else self._listened.discard)(characteristic)
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """Motion settings, all of them at once."""
        if characteristic != MOTION_POINT:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if len(payload) != 9:
            raise AttError(WRONG_LENGTH, "motion settings are nine bytes")
        settings = struct.unpack("<4HB", payload)
        if not all(low <= value <= high for value, (low, high) in zip(settings, _ALLOWED, strict=True)):
            raise AttError(OUT_OF_RANGE, f"motion settings out of range: {settings}")
        self.settings = settings
        return []

    def rate_hz(self, modality: str) -> float | None:
        """One rate for everything that somebody listens to."""
        streams = any(Modality(modality) in _SENT[point] for point in self._listened if point in _SENT)
        return float(self.settings[3]) if streams else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """One notification a sample and characteristic, in the order of their times."""
        given = {block.modality: block for block in blocks if len(block)}
        sent = [n for point, kinds in _SENT.items() if point in self._listened for n in _packed(point, kinds, given)]
        return sorted(sent, key=lambda notification: notification.t_s)

    def disconnect(self) -> None:
        """The link is gone: all features are switched off."""
        self._listened.clear()

    def reboot(self) -> None:
        """Off and on: settings are kept in flash."""
        self.disconnect()


def _packed(point: str, kinds: Sequence[Modality], given: dict[Modality, SampleBlock]) -> list[Notification]:
    if kinds[0] not in given:
        return []
    t_s = given[kinds[0]].t_s
    columns = [_steps(kind, given[kind].values) if kind in given and len(given[kind]) == t_s.size
               else np.zeros((t_s.size, 3)) for kind in kinds]  # fmt: skip
    rows = np.concatenate(columns, axis=1).astype("<i2" if point == RAW_POINT else "<i4")
    return [Notification(when, point, row.tobytes()) for when, row in zip(t_s.tolist(), rows, strict=True)]


_FIXED_POINT = {
    Modality.ACC: (1024 / 9.80665, -2048, 2047),  # 2 g is the sensor's range
    Modality.GYR: (np.degrees(32), -1024 * 32, 1023 * 32),
    Modality.MAG: (16, -32768, 32767),
    Modality.QUAT: (2**30, -(2**31), 2**31 - 1),
    Modality.EULER: (np.degrees(65536), -(2**31), 2**31 - 1),
}
"""Steps a unit, and the first and last step."""


def _steps(kind: Modality, values: FloatArray) -> FloatArray:
    scale, low, high = _FIXED_POINT[kind]
    steps: FloatArray = np.clip(np.rint(values * scale), low, high)
    return steps


VIRTUAL = VirtualThingy52
"""What the conformance kit and the demonstration switch on."""
