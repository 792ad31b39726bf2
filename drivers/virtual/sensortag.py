"""A virtual TI SensorTag CC2650, byte for byte. Written on its own; shares no code with the decoder.

Source: public programs that agree on layout, scales and order (node-sensortag, bluepy, dhSensorTag2015). Inferred:
that settings of a wrong length or a period below 100 ms are refused, and that the link's end switches it off.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

MOVEMENT = "f000aa80-0451-4000-b000-000000000000"
MEASURED = "f000aa81-0451-4000-b000-000000000000"
SWITCHES = "f000aa82-0451-4000-b000-000000000000"
INTERVAL = "f000aa83-0451-4000-b000-000000000000"
BATTERY = "00002a19-0000-1000-8000-00805f9b34fb"
FIRMWARE = "00002a26-0000-1000-8000-00805f9b34fb"

WRONG_LENGTH = 0x0D
"""ATT error: invalid attribute value length (Bluetooth core specification)."""
OUT_OF_RANGE = 0xFF
"""ATT error: value out of range (Core Specification Supplement)."""

_GYRO_BIT, _ACC_BIT, _MAG_BIT = 0, 3, 6


class VirtualSensorTag:
    """The peripheral's side: three characteristics of the movement service, battery and firmware."""

    local_name = "CC2650 SensorTag"
    manufacturer_data: dict[int, bytes]
    advertised_services: Sequence[str] = ("0000aa80-0000-1000-8000-00805f9b34fb",)
    services = {  # noqa: RUF012
        MOVEMENT: {MEASURED: ("read", "notify"), SWITCHES: ("read", "write"), INTERVAL: ("read", "write")},
        "0000180f-0000-1000-8000-00805f9b34fb": {BATTERY: ("read", "notify")},
        "0000180a-0000-1000-8000-00805f9b34fb": {FIRMWARE: ("read",)},
    }

    def __init__(
        self, *, mtu: int = 23, battery_percent: int = 71, stuck_range: int | None = None, starved: bool = False
    ) -> None:
        """A tag that is switched on, not connected.

        Args:
            mtu: ATT MTU; its packets fit the smallest.
            battery_percent: level it reports.
            stuck_range: range code 0..3 that old firmware does not give up.
            starved: the cell is too weak for the motion sensor, which reads as zeros.
        """
        self.mtu = mtu
        self.manufacturer_data = {0x000D: b"\x03\x00\x00"}
        self.battery_percent = battery_percent
        self.starved = starved
        self._stuck_range = stuck_range
        self._subscribed = False
        self._measured = bytes(18)
        self._switches, self._interval = self._range_bits(0), 100

    def _range_bits(self, word: int) -> int:
        return word if self._stuck_range is None else word & ~0x0300 | self._stuck_range << 8

    def read(self, characteristic: str) -> bytes:
        """The last measurement, or a setting."""
        values = {
            MEASURED: self._measured,
            SWITCHES: self._switches.to_bytes(2, "little"),
            INTERVAL: bytes((self._interval,)),
            BATTERY: bytes((self.battery_percent,)),
            FIRMWARE: b"1.40 (Jan  1 2017)\0",
        }
        if characteristic not in values:
            raise AttError(NO_SUCH, f"{characteristic} cannot be read")
        return values[characteristic]

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Data is notified while the switches let it be measured."""
        if characteristic == MEASURED:
            self._subscribed = on
        elif characteristic != BATTERY:
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """The switches, two bytes, or the interval, one."""
        sizes = {SWITCHES: 2, INTERVAL: 1}
        if characteristic not in sizes:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if len(payload) != sizes[characteristic]:
            raise AttError(WRONG_LENGTH, f"{characteristic} takes {sizes[characteristic]} bytes")
        if characteristic == INTERVAL:
            if payload[0] < 10:
                raise AttError(OUT_OF_RANGE, "no faster than ten a second")
            self._interval = payload[0]
        else:
            self._switches = self._range_bits(payload[0] | payload[1] << 8)
            if not self._switches & 0x7F:
                self._measured = bytes(18)
        return []

    def rate_hz(self, modality: str) -> float | None:
        """While somebody listens, whatever is switched on, all at the interval."""
        bits = {"gyr": 7 << _GYRO_BIT, "acc": 7 << _ACC_BIT, "mag": 1 << _MAG_BIT}.get(modality, 0)
        return 100 / self._interval if self._subscribed and self._switches & bits else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """One packet a sample; an axis that is off is zero."""
        given = {block.modality: block for block in blocks if len(block)}
        running = [kind for kind in (Modality.ACC, Modality.GYR, Modality.MAG) if kind in given and self.rate_hz(kind)]
        if not running:
            return []
        t_s = given[running[0]].t_s
        full_g = (2, 4, 8, 16)[self._switches >> 8 & 3]
        words = np.zeros((t_s.size, 9))
        # Z has the lowest of an accelerometer's or gyroscope's three bits; the magnetometer's one is for all three.
        places = (
            (Modality.GYR, 0, (2, 1, 0), 32768 / np.radians(250)),
            (Modality.ACC, 3, (5, 4, 3), 32768 / (full_g * 9.80665)),
            (Modality.MAG, 6, (6, 6, 6), 32760 / 4912),
        )
        for kind, first, bits, steps in places:
            if kind in given and len(given[kind]) == t_s.size and not self.starved:
                on = np.array([self._switches >> bit & 1 for bit in bits])
                words[:, first : first + 3] = given[kind].values * steps * on
        packed: npt.NDArray[np.int16] = np.clip(np.rint(words), -32768, 32767).astype("<i2")
        self._measured = packed[-1].tobytes()
        return [Notification(float(t), MEASURED, row.tobytes()) for t, row in zip(t_s, packed, strict=True)]

    def disconnect(self) -> None:
        """The link is gone: the motion sensor is switched off, settings revert."""
        self._subscribed = False
        self._switches, self._interval = self._range_bits(0), 100
        self._measured = bytes(18)

    def reboot(self) -> None:
        """Off and on."""
        self.disconnect()


VIRTUAL = VirtualSensorTag
"""What the conformance kit and the demonstration switch on."""
