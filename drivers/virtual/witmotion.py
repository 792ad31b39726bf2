"""A virtual WitMotion WT901BLE68, byte for byte. Written on its own; shares no code with the decoder.

Source: WITMOTION/WitBluetooth_BWT901BLE5_0 at 9efaab0; frames a notification and the battery that reads 0 at
first as third parties saw them. Inferred: what it does with commands that the vendor does not list (nothing).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, NOT_SUBSCRIBED, AttError, Notification

SERVICE = "0000ffe5-0000-1000-8000-00805f9a34fb"
STREAM = "0000ffe4-0000-1000-8000-00805f9a34fb"
COMMAND = "0000ffe9-0000-1000-8000-00805f9a34fb"

_RATES = {1: 0.2, 2: 0.5, 3: 1.0, 4: 2.0, 5: 5.0, 6: 10.0, 7: 20.0, 8: 50.0, 9: 100.0}
_FULL_SCALE = {Modality.ACC: 16 * 9.80665, Modality.GYR: np.radians(2000), Modality.EULER: np.pi}


class VirtualWitmotion:
    """The peripheral's side: an attribute table, registers and a stream of frames."""

    local_name = "WT901BLE68"
    manufacturer_data: dict[int, bytes]
    advertised_services: Sequence[str] = (SERVICE,)
    services = {SERVICE: {STREAM: ("notify",), COMMAND: ("write", "write-without-response")}}  # noqa: RUF012

    def __init__(self, *, mtu: int = 247, voltage: int = 395, rate_code: int = 6) -> None:
        """A sensor that is switched on, not connected.

        Args:
            mtu: ATT MTU; at 23 every frame has a notification of its own.
            voltage: of the cell, 1/100 V.
            rate_code: register 0x03 as the last user left it.
        """
        self.mtu = mtu
        self.manufacturer_data = {}
        self.registers = {0x03: rate_code, 0x24: 0, 0x40: 2650, 0x51: 32767, 0x64: 0, 0x72: 3}
        self._voltage = voltage
        self._subscribed = False
        self._unlocked_until_s = -1.0
        self._silenced = False
        self._pending = b""

    def read(self, characteristic: str) -> bytes:
        """Nothing can be read: registers come as notifications."""
        raise AttError(NO_SUCH, f"{characteristic} cannot be read")

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Data starts on its own."""
        if characteristic != STREAM:
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        self._subscribed, self._pending = on, b""
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A command; what is none is ignored."""
        if characteristic != COMMAND:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if len(payload) != 5 or payload[:2] != b"\xff\xaa":
            return []
        register, value = payload[2], int.from_bytes(payload[3:], "little")
        if register == 0x27:
            return self._reply(value, t_s)
        if payload == b"\xff\xaa\x69\x88\xb5":
            self._unlocked_until_s = t_s + 10
        elif register == 0x00 and value == 1:
            self.registers[0x03] = 6
        elif register == 0x02:
            self._silenced = True
        elif register == 0x03 and value in _RATES:
            self.registers[register], self._pending = value, b""
        elif register not in (0x00, 0x01, 0x03) and t_s <= self._unlocked_until_s:
            self.registers[register] = value
        return []

    def _reply(self, register: int, t_s: float) -> list[Notification]:
        if not self._subscribed:
            raise AttError(NOT_SUBSCRIBED, "nobody would hear the reply")
        words = [self.registers.get(register + i, 0) for i in range(8)]
        if register <= 0x64 < register + 8:
            self.registers[0x64] = self._voltage
        return [Notification(t_s, STREAM, struct.pack("<2sH8h", b"\x55\x71", register, *words))]

    def rate_hz(self, modality: str) -> float | None:
        """While somebody listens, all three at the rate of register 0x03."""
        streams = self._subscribed and not self._silenced and modality in [str(kind) for kind in _FULL_SCALE]
        return _RATES[self.registers[0x03]] if streams else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """One frame a sample; as many frames a notification as the real one bundles at its rate."""
        given = {block.modality: block for block in blocks if len(block)}
        if self.rate_hz("acc") is None or Modality.ACC not in given:
            return []
        t_s = given[Modality.ACC].t_s
        words = np.zeros((t_s.size, 10), "<i2")
        words[:, 0] = 0x6155
        for place, (kind, full) in enumerate(_FULL_SCALE.items()):
            if kind in given and len(given[kind]) == t_s.size:
                words[:, 1 + 3 * place : 4 + 3 * place] = _steps(given[kind].values / full)
        size = 20 * self._bundle()
        stream, sent = self._pending + words.tobytes(), []
        while len(stream) >= size:
            last = t_s.size - (len(stream) - size) // 20 - 1
            sent.append(Notification(float(t_s[max(last, 0)]), STREAM, stream[:size]))
            stream = stream[size:]
        self._pending = stream
        return sent

    def _bundle(self) -> int:
        wanted = {50.0: 2, 100.0: 4}.get(_RATES[self.registers[0x03]], 1)
        return max(1, min(wanted, (self.mtu - 3) // 20))

    def disconnect(self) -> None:
        """The link is gone; the rate stays, the battery reads 0 again at first."""
        self._subscribed, self._pending = False, b""
        self.registers[0x64] = 0

    def reboot(self) -> None:
        """Off and on: registers that were set are kept (seen on a WT901BLE67)."""
        self.disconnect()
        self._silenced, self._unlocked_until_s = False, -1.0


def _steps(share: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    return np.clip(np.rint(share * 32768), -32768, 32767).astype("<i2")


VIRTUAL = VirtualWitmotion
"""What the conformance kit and the demonstration switch on."""
