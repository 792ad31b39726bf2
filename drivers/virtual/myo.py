"""A virtual Myo armband, byte for byte. Written on its own; shares no code with the decoder.

Source: thalmiclabs/myo-bluetooth at c79c1a5, `myohw.h`; little-endian as all working clients read it. Inferred:
that the turn goes on while nobody listens, and that it begins anew with every set-mode command.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

_BASE = "d506{}-a904-deb9-4748-2c7f4a124842"
CONTROL_SERVICE = _BASE.format("0001")
INFO_POINT, FIRMWARE_POINT, COMMAND_POINT = (_BASE.format(short) for short in ("0101", "0201", "0401"))
IMU_SERVICE, IMU_POINT, MOTION_POINT = (_BASE.format(short) for short in ("0002", "0402", "0502"))
EMG_SERVICE = _BASE.format("0005")
EMG_POINTS = tuple(_BASE.format(short) for short in ("0105", "0205", "0305", "0405"))
BATTERY_SERVICE = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_POINT = "00002a19-0000-1000-8000-00805f9b34fb"
MAKER_POINT = "00002a29-0000-1000-8000-00805f9b34fb"

BAD_VALUE = 0x80
"""Application error: the command is not one, or its length is wrong."""
_LENGTHS = {0x01: 3, 0x03: 1, 0x04: 0, 0x06: 6, 0x07: 18, 0x09: 1, 0x0A: 1, 0x0B: 1}


@dataclass(slots=True)
class _Modes:
    emg: int = 0
    imu: int = 0
    classifier: int = 0
    never_sleeps: bool = False


class VirtualMyo:
    """The peripheral's side: attributes, modes, and the turn of the EMG characteristics."""

    local_name = "My Myo"
    manufacturer_data: dict[int, bytes]
    advertised_services: Sequence[str] = (CONTROL_SERVICE,)
    services = {  # noqa: RUF012
        CONTROL_SERVICE: {INFO_POINT: ("read",), FIRMWARE_POINT: ("read",), COMMAND_POINT: ("write",)},
        IMU_SERVICE: {IMU_POINT: ("notify",), MOTION_POINT: ("indicate",)},
        EMG_SERVICE: dict.fromkeys(EMG_POINTS, ("notify",)),
        BATTERY_SERVICE: {BATTERY_POINT: ("read", "notify")},
        "0000180a-0000-1000-8000-00805f9b34fb": {MAKER_POINT: ("read",)},
    }

    def __init__(
        self, *, mtu: int = 23, firmware: tuple[int, int, int, int] = (1, 5, 1970, 2), battery_percent: int = 70
    ) -> None:
        """A band that is switched on, not connected.

        Args:
            mtu: ATT MTU; its packets fit the smallest.
            firmware: major, minor, patch, hardware revision.
            battery_percent: level it reports.
        """
        self.mtu = mtu
        self.manufacturer_data = {}
        self.firmware = firmware
        self.battery_percent = battery_percent
        self.buzzes: list[float] = []
        self.modes = _Modes()
        self._subscribed: set[str] = set()
        self._turn = 0
        self._odd: npt.NDArray[np.int8] | None = None

    def read(self, characteristic: str) -> bytes:
        """Info, firmware, battery or maker."""
        modes = self.modes
        info = bytes.fromhex("665544332211") + struct.pack("<HBBBBB7x", 5, modes.classifier, 0, 0, modes.emg > 0, 1)
        values = {
            INFO_POINT: info,
            FIRMWARE_POINT: struct.pack("<4H", *self.firmware),
            BATTERY_POINT: bytes((self.battery_percent,)),
            MAKER_POINT: b"Thalmic Labs",
        }
        if characteristic not in values:
            raise AttError(NO_SUCH, f"{characteristic} cannot be read")
        return values[characteristic]

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Notifications of a characteristic; the modes decide whether there are any."""
        if characteristic not in (*EMG_POINTS, IMU_POINT, MOTION_POINT, BATTERY_POINT):
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        (self._subscribed.add if on else self._subscribed.discard)(characteristic)
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A command: code, length, that many bytes."""
        if characteristic != COMMAND_POINT:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if len(payload) < 2 or _LENGTHS.get(payload[0]) != payload[1] or len(payload) != 2 + payload[1]:
            raise AttError(BAD_VALUE, f"no command: {payload.hex()}")
        match payload[0]:
            case 0x01:
                self._set_mode(*payload[2:])
            case 0x03 | 0x07:
                self.buzzes.append(t_s)
            case 0x04:
                self.disconnect()
            case 0x09:
                self.modes.never_sleeps = payload[2] == 1
        return []

    def _set_mode(self, emg: int, imu: int, classifier: int) -> None:
        if emg > 3 or imu > 4 or classifier > 1 or (emg == 3 and classifier):
            raise AttError(BAD_VALUE, "no such mode, or the classifier with raw EMG")
        self.modes.emg, self.modes.imu, self.modes.classifier = emg, imu, classifier
        self._turn, self._odd = 0, None

    def rate_hz(self, modality: str) -> float | None:
        """EMG at 200, motion at 50; by mode, whoever listens."""
        if modality == "emg":
            return 200.0 if self.modes.emg in (2, 3) else None
        streams = modality in ("acc", "gyr", "quat") and self.modes.imu in (1, 3, 4)
        return 50.0 if streams else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """Packets of two EMG samples and of one motion sample, in the order of their times."""
        given = {block.modality: block for block in blocks if len(block)}
        sent = []
        if Modality.EMG in given and self.rate_hz("emg"):
            sent += self._emg(given[Modality.EMG])
        if Modality.ACC in given and self.rate_hz("acc"):
            sent += self._motion(given)
        return sorted((n for n in sent if n.characteristic in self._subscribed), key=lambda n: n.t_s)

    def _emg(self, block: SampleBlock) -> list[Notification]:
        counts = np.zeros((len(block), 8))
        counts[:, : block.values.shape[1]] = block.values[:, :8]
        samples = np.clip(np.rint(counts), -128, 127).astype(np.int8)
        times = block.t_s
        if self._odd is not None:
            samples, times = np.concatenate([self._odd, samples]), np.concatenate([[np.nan], times])
        sent = []
        for at in range(0, len(samples) - 1, 2):
            sent.append(Notification(float(times[at + 1]), EMG_POINTS[self._turn], samples[at : at + 2].tobytes()))
            self._turn = (self._turn + 1) % 4
        self._odd = samples[-1:] if len(samples) % 2 else None
        return sent

    def _motion(self, given: dict[Modality, SampleBlock]) -> list[Notification]:
        times = given[Modality.ACC].t_s
        words = np.zeros((times.size, 10))
        words[:, 0] = 16384
        scales = ((Modality.QUAT, 0, 16384), (Modality.ACC, 4, 2048 / 9.80665), (Modality.GYR, 7, np.degrees(16)))
        for kind, first, scale in scales:
            if kind in given and len(given[kind]) == times.size:
                values = given[kind].values
                words[:, first : first + values.shape[1]] = values * scale
        packed = np.clip(np.rint(words), -32768, 32767).astype("<i2")
        return [Notification(float(t), IMU_POINT, row.tobytes()) for t, row in zip(times, packed, strict=True)]

    def disconnect(self) -> None:
        """Settings revert, subscriptions end."""
        self._subscribed.clear()
        self.modes = _Modes()
        self._odd = None

    def reboot(self) -> None:
        """Off and on."""
        self.disconnect()
        self._turn = 0


VIRTUAL = VirtualMyo
"""What the conformance kit and the demonstration switch on."""
