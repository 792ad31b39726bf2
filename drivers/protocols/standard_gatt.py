"""Standard GATT characteristics that many sensors carry: battery level and heart rate.

Source: Bluetooth SIG, Battery Service 1.0 and Heart Rate Service 1.0; characteristic layouts of the GATT
Specification Supplement.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from drivers.decoder import Faults
from drivers.errors import PacketError
from drivers.packets import PacketBatch
from drivers.protocols import packet_columns as columns
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


def battery_levels(
    batch: PacketBatch, own: Collection[str], silent: Mapping[str, int | None] | None = None
) -> tuple[list[tuple[int, float]], Faults]:
    """Battery levels among the packets that a decoder does not take itself, and what is wrong with the others.

    Args:
        batch: packets of a device.
        own: characteristics that the decoder takes.
        silent: characteristics that hold no samples, with the bytes that they have; None = any number.

    Returns:
        (arrival_ns, percent) of each level, and the faults.
    """
    levels: list[tuple[int, float]] = []
    faults: Faults = []
    lengths = silent or {}
    for i in columns.others(batch, *own):
        packet = batch[i]
        if packet.characteristic == BATTERY_LEVEL:
            try:
                levels.append((packet.arrival_ns, battery_percent(packet.payload)))
            except PacketError as error:
                faults.append((i, error.reason))
        elif packet.characteristic not in lengths:
            faults.append((i, "unknown characteristic"))
        elif lengths[packet.characteristic] not in (None, len(packet.payload)):
            faults.append((i, "truncated packet"))
    return levels, faults
