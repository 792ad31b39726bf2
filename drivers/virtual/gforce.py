"""A virtual gForce armband, byte for byte. Written on its own; shares no code with the decoder.

Source: oymotion/gForceSDKPython at f20dc45, oymotion/gForceSDKCXX. Inferred: that each type of packet counts for
itself, that the switch outlives a link, and the motion rate of 50 Hz.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

SERVICE = "0000ffd0-0000-1000-8000-00805f9b34fb"
COMMAND = "f000ffe1-0451-4000-b000-000000000000"
DATA = "f000ffe2-0451-4000-b000-000000000000"

_OK, _UNSUPPORTED, _BAD, _FAILED = 0, 1, 2, 3
_RATES = (100, 200, 250, 500, 650, 1000)
_MOTION_HZ = 50.0
_BITS = {Modality.ACC: 0x01, Modality.GYR: 0x02, Modality.MAG: 0x04, Modality.QUAT: 0x10}
_SCALE = {Modality.ACC: 65536 / 9.80665, Modality.GYR: 65536 * 180 / np.pi, Modality.MAG: 65536.0}


class VirtualGforce:
    """The peripheral's side: commands with replies, a switch, and packets that are cut to the link's size."""

    local_name = "gForcePro+(7F)"
    manufacturer_data: dict[int, bytes]
    advertised_services: Sequence[str] = (SERVICE,)
    services = {SERVICE: {COMMAND: ("write", "notify"), DATA: ("notify",)}}  # noqa: RUF012

    def __init__(
        self, *, mtu: int = 247, firmware: bytes = b"3.2.1", battery_percent: int = 64,
        number_bytes: int = 1, bits: Sequence[int] = (8, 12), switch: int = 0,
    ) -> None:  # fmt: skip
        """A band that is switched on, not connected.

        Args:
            mtu: ATT MTU; below 132 a packet of the usual size is cut.
            firmware: its revision as it tells it.
            battery_percent: level it reports.
            number_bytes: of a packet's number: 1 as old firmware, 2 as newer, 0 where it cannot number.
            bits: resolutions it knows.
            switch: notification switch as the last session left it.
        """
        self.mtu = mtu
        self.manufacturer_data = {}
        self.firmware = firmware
        self.battery_percent = battery_percent
        self.buzzes: list[tuple[float, bool]] = []
        self.switch = switch
        self._number_bytes, self._bits = number_bytes, tuple(bits)
        self._numbered = False
        self._emg_settings = (500, 0xFF, 128, 8)
        self._numbers: dict[int, int] = {}
        self._subscribed: set[str] = set()
        self._waiting = np.zeros((0, 8), np.int64)

    def read(self, characteristic: str) -> bytes:
        """Nothing can be read: replies come as notifications."""
        raise AttError(NO_SUCH, f"{characteristic} cannot be read")

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Replies, or data."""
        if characteristic not in (COMMAND, DATA):
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        (self._subscribed.add if on else self._subscribed.discard)(characteristic)
        if characteristic == DATA:
            self._waiting = self._waiting[:0]
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A request; its reply goes to whoever listens."""
        if characteristic != COMMAND:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if not payload:
            return []
        status, data = self._obey(payload[0], payload[1:], t_s)
        if COMMAND not in self._subscribed:
            return []
        return self._cut(t_s, COMMAND, bytes((status, payload[0])) + data)

    def _obey(self, code: int, given: bytes, t_s: float) -> tuple[int, bytes]:
        told = {0x06: self.firmware, 0x08: bytes((self.battery_percent,)), 0x01: bytes((0xFF, 0x1F, 0, 0)),
                0x46: struct.pack("<HHBB", *self._emg_settings)}  # fmt: skip
        if code in told:
            return (_OK, told[code]) if not given else (_BAD, b"")
        match code:
            case 0x24 | 0x25:
                if given not in (b"\0", b"\x01"):
                    return _BAD, b""
                if code == 0x24:
                    self.buzzes.append((t_s, given == b"\x01"))
                return _OK, b""
            case 0x26:
                return self._number(given), b""
            case 0x3F:
                return self._set_emg(given), b""
            case 0x4F:
                if len(given) != 4:
                    return _BAD, b""
                self.switch = int.from_bytes(given, "little")
                self._waiting = self._waiting[:0]
                return _OK, b""
        return _UNSUPPORTED, b""

    def _number(self, given: bytes) -> int:
        if not self._number_bytes:
            return _UNSUPPORTED
        if given not in (b"\0", b"\x01"):
            return _BAD
        self._numbered = given == b"\x01"
        self._numbers.clear()
        return _OK

    def _set_emg(self, given: bytes) -> int:
        if self.switch:
            return _FAILED
        if len(given) != 6:
            return _BAD
        rate, mask, size, bits = struct.unpack("<HHBB", given)
        is_known = rate in _RATES and mask == 0xFF and size in (16, 48, 128) and bits in self._bits
        if not is_known or (bits == 12 and rate > 500):
            return _BAD
        self._emg_settings = (rate, mask, size, bits)
        return _OK

    def rate_hz(self, modality: str) -> float | None:
        """By the switch, while somebody listens."""
        if DATA not in self._subscribed:
            return None
        if modality == "emg":
            return float(self._emg_settings[0]) if self.switch & 0x80 else None
        bit = {str(kind): bit for kind, bit in _BITS.items()}.get(modality, 0)
        return _MOTION_HZ if self.switch & bit else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """Packets of the set size of EMG, and one of each kind of motion a sample."""
        sent: list[tuple[float, bytes]] = []
        for block in blocks:
            if len(block) and self.rate_hz(str(block.modality)):
                sent += self._emg(block) if block.modality is Modality.EMG else self._motion(block)
        return [part for t_s, packet in sorted(sent, key=lambda one: one[0]) for part in self._cut(t_s, DATA, packet)]

    def _emg(self, block: SampleBlock) -> list[tuple[float, bytes]]:
        _, _, size, bits = self._emg_settings
        middle, top = (128, 255) if bits == 8 else (2048, 4095)
        counts = np.zeros((len(block), 8), np.int64)
        counts[:, : block.values.shape[1]] = np.rint(block.values[:, :8])
        left = len(self._waiting)
        rows = np.concatenate([self._waiting, np.clip(counts + middle, 0, top)])
        each = size // (8 if bits == 8 else 16)
        sent = []
        for at in range(0, len(rows) - each + 1, each):
            body = rows[at : at + each].astype("<u1" if bits == 8 else "<u2").tobytes()
            sent.append((float(block.t_s[at + each - 1 - left]), self._headed(0x08, body)))
        self._waiting = rows[len(sent) * each :]
        return sent

    def _motion(self, block: SampleBlock) -> list[tuple[float, bytes]]:
        if block.modality is Modality.QUAT:
            kind, words = 0x05, block.values.astype("<f4")
        else:
            kind = {Modality.ACC: 1, Modality.GYR: 2, Modality.MAG: 3}[block.modality]
            words = np.rint(block.values * _SCALE[block.modality]).astype("<i4")
        return [(float(t), self._headed(kind, row.tobytes())) for t, row in zip(block.t_s, words, strict=True)]

    def _headed(self, kind: int, body: bytes) -> bytes:
        if not self._numbered:
            return bytes((kind,)) + body
        number = self._numbers.get(kind, 0)
        self._numbers[kind] = (number + 1) % (1 << 8 * self._number_bytes)
        return bytes((kind | 0x80,)) + number.to_bytes(self._number_bytes, "little") + body

    def _cut(self, t_s: float, characteristic: str, packet: bytes) -> list[Notification]:
        """As it is where the link carries it, else in parts that count down to 0."""
        room = self.mtu - 3
        if len(packet) <= room:
            return [Notification(t_s, characteristic, packet)]
        pieces = [packet[at : at + room - 2] for at in range(0, len(packet), room - 2)]
        return [
            Notification(t_s, characteristic, bytes((0xFF, len(pieces) - 1 - i)) + piece)
            for i, piece in enumerate(pieces)
        ]

    def disconnect(self) -> None:
        """The link is gone; what was set stays."""
        self._subscribed.clear()
        self._waiting = self._waiting[:0]

    def reboot(self) -> None:
        """Off and on: nothing streams, numbers begin anew."""
        self.disconnect()
        self.switch, self._numbered = 0, False
        self._numbers.clear()


VIRTUAL = VirtualGforce
"""What the conformance kit and the demonstration switch on."""
