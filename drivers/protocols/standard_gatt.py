"""Standard GATT characteristics that many sensors carry: battery level and heart rate.

Source: Bluetooth SIG, Battery Service 1.0 and Heart Rate Service 1.0; characteristic layouts of the GATT
Specification Supplement.
"""

from __future__ import annotations

from drivers.errors import PacketError
from drivers.script import Read, Script

BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"
HEART_RATE = "00002a37-0000-1000-8000-00805f9b34fb"

_WIDE, _ENERGY, _INTERVALS = 0x01, 0x08, 0x10


def battery_percent(payload: bytes) -> float:
    """Battery level, 0..100.

    Raises:
        PacketError: not one byte, or above 100.
    """
    if len(payload) != 1:
        raise PacketError("battery level is not one byte", BATTERY_LEVEL, payload)
    if payload[0] > 100:
        raise PacketError("battery level above 100 percent", BATTERY_LEVEL, payload)
    return float(payload[0])


def heart_rate_bpm(payload: bytes) -> float:
    """Heart rate of a measurement; energy and beat intervals are checked for their length only.

    Raises:
        PacketError: truncated.
    """
    if not payload:
        raise PacketError("empty heart rate", HEART_RATE, payload)
    flags = payload[0]
    width = 2 if flags & _WIDE else 1
    rest = len(payload) - 1 - width - (2 if flags & _ENERGY else 0)
    if rest < 0 or (flags & _INTERVALS and rest % 2):
        raise PacketError("truncated heart rate", HEART_RATE, payload)
    return float(int.from_bytes(payload[1 : 1 + width], "little"))


def read_battery() -> Script[int | None]:
    """Script that reads the battery level in percent; None where there is none or it makes no sense."""
    level = yield Read(BATTERY_LEVEL)
    try:
        return round(battery_percent(level)) if level is not None else None
    except PacketError:
        return None
