"""A virtual MbientLab MetaMotion board, byte for byte. Written on its own; shares no code with the decoder.

Source: MetaWear-SDK-Cpp at f67699e (answers to discovery as its tests have them, registers, processors); that sensors
go on after the link's end, and that a board left so does not start anew: users' reports. Inferred: that a setting is
ignored while its sensor runs, and that a wrong one is ignored.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor

import numpy as np

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, NOT_SUBSCRIBED, AttError, Notification

BOARD = "326a9000-85cb-9195-d9dd-464cfbbae75a"
ORDERS = "326a9001-85cb-9195-d9dd-464cfbbae75a"
NEWS = "326a9006-85cb-9195-d9dd-464cfbbae75a"
BATTERY_POINT = "00002a19-0000-1000-8000-00805f9b34fb"
MODEL_POINT = "00002a24-0000-1000-8000-00805f9b34fb"
FIRMWARE_POINT = "00002a26-0000-1000-8000-00805f9b34fb"

WRONG_LENGTH = 0x0D
"""ATT error: invalid attribute value length (Bluetooth core specification)."""

_R = {
    0x01: "0000", 0x02: "0000", 0x03: "0101", 0x04: "010000030102", 0x08: "0000", 0x09: "00001c",
    0x0B: "000208802b0000", 0x11: "0003", 0x13: "0001", 0x15: "0001", 0x19: "00000300060002000100", 0xFE: "0002",
}  # fmt: skip
_S = _R | {0x02: "00010300", 0x03: "0400", 0x11: "000a0700", 0x13: "0100", 0x15: "0002", 0xFE: "000503"}
_ACC_STEPS = ({0x03: 16384, 0x05: 8192, 0x08: 4096, 0x0C: 2048}, {0: 16384, 1: 8192, 2: 4096, 3: 2048})
_GYR_STEPS = {0: 16.4, 1: 32.8, 2: 65.6, 3: 131.2, 4: 262.4}


@dataclass(slots=True)
class _Sensor:
    """One accelerometer or gyroscope: what it was told, and the samples that wait for a packed packet."""

    module: int
    data: int
    packed: int
    steps: Mapping[int, float]
    code: int = 0
    range: int = 0
    enabled: bool = False
    running: bool = False
    heard: set[int] = field(default_factory=set)
    waiting: list[bytes] = field(default_factory=list)

    @property
    def rate_hz(self) -> float:
        return float(0.78125 * 2 ** ((self.code & 0x0F) - 1))


@dataclass(slots=True)
class _Processor:
    """One that packs or stamps what its source gives."""

    source: tuple[int, int, int]
    kind: int
    setting: int
    many: int = 1
    heard: bool = False
    counted: int = 0
    waiting: list[bytes] = field(default_factory=list)


class VirtualMetaMotion:
    """The peripheral's side: modules, registers, data processors, two sensors that outlive the link."""

    local_name = "MetaWear"
    manufacturer_data: dict[int, bytes]
    advertised_services: Sequence[str] = (BOARD,)
    services = {  # noqa: RUF012
        BOARD: {ORDERS: ("write", "write-without-response"), NEWS: ("notify",)},
        "0000180f-0000-1000-8000-00805f9b34fb": {BATTERY_POINT: ("read", "notify")},
        "0000180a-0000-1000-8000-00805f9b34fb": {MODEL_POINT: ("read",), FIRMWARE_POINT: ("read",)},
    }

    def __init__(
        self,
        *,
        mtu: int = 23,
        newer: bool = False,
        processors: int = 28,
        motor: bool = True,
        clock_start_ticks: int = 0,
        battery_percent: int = 83,
    ) -> None:
        """A board that is switched on, not connected.

        Args:
            mtu: ATT MTU; its packets fit the smallest.
            newer: a MetaMotion S with a BMI270, otherwise an R with a BMI160.
            processors: how many it has room for.
            motor: it has a haptic driver.
            clock_start_ticks: its clock at its second 0, 48/32768 s a tick.
            battery_percent: level it reports.
        """
        self.mtu = mtu
        self.manufacturer_data = {}
        self.battery_percent = battery_percent
        self.buzzes: list[int] = []
        self.blinking = b""
        self.interval = b""
        self._newer = newer
        self._modules = {module: bytes.fromhex(text) for module, text in (_S if newer else _R).items()}
        if not motor:
            del self._modules[0x08]
        if not processors:
            del self._modules[0x09]
        self._room = processors
        self._ticks = clock_start_ticks
        self._zero_s = self._now_s = 0.0
        self._subscribed = False
        self._pattern = b""
        self._boot()

    def _boot(self) -> None:
        data, packed = (4, 5) if self._newer else (5, 7)
        self._acc = _Sensor(
            3, 4, 0x05 if self._newer else 0x1C, _ACC_STEPS[self._newer], 5, min(_ACC_STEPS[self._newer])
        )
        self._gyr = _Sensor(0x13, data, packed, _GYR_STEPS, 6)
        self._processors: dict[int, _Processor] = {}
        self._processing = False

    def read(self, characteristic: str) -> bytes:
        """Battery, model or firmware."""
        values = {
            BATTERY_POINT: bytes((self.battery_percent,)),
            MODEL_POINT: b"8" if self._newer else b"5",
            FIRMWARE_POINT: b"1.7.2" if self._newer else b"1.5.0",
        }
        if characteristic not in values:
            raise AttError(NO_SUCH, f"{characteristic} cannot be read")
        return values[characteristic]

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Everything the board says comes this way."""
        if characteristic == NEWS:
            self._subscribed = on
        elif characteristic != BATTERY_POINT:
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A command; reads are answered."""
        if characteristic != ORDERS:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if not 2 <= len(payload) <= 20:
            raise AttError(WRONG_LENGTH, "a command is 2 to 20 bytes")
        self._now_s = max(self._now_s, t_s)
        answer = self._obey(payload[0], payload[1], payload[2:])
        if answer is None:
            return []
        if not self._subscribed:
            raise AttError(NOT_SUBSCRIBED, "nobody would hear the answer")
        return [Notification(t_s, NEWS, answer)]

    def _obey(self, module: int, register: int, rest: bytes) -> bytes | None:
        if register == 0x80:
            return bytes((module, 0x80)) + self._modules.get(module, b"")
        if module not in self._modules:
            return None
        match module:
            case 0x02:
                self._light(register, rest)
            case 0x03:
                self._tell(self._acc, register, rest)
            case 0x13:
                self._tell(self._gyr, register, rest)
            case 0x08 if register == 0x01 and len(rest) == 4:
                self.buzzes.append(int.from_bytes(rest[1:3], "little"))
            case 0x09:
                return self._process(register, rest)
            case 0x04 if register == 0x81 and len(rest) == 1:
                return bytes((0x04, 0x81)) + struct.pack("<Bh", rest[0], 244)
            case 0x11:
                return self._settings(register, rest)
            case 0xFE if register == 0x06:
                self.disconnect()
            case 0xFE if register == 0x01:
                self.reboot()
        return None

    def _light(self, register: int, rest: bytes) -> None:
        if register == 0x03 and len(rest) == 15:
            self._pattern = rest
        elif register == 0x01:
            self.blinking = self._pattern
        elif register == 0x02:
            self.blinking = self._pattern = b""

    def _settings(self, register: int, rest: bytes) -> bytes | None:
        if register == 0x8C:
            return struct.pack("<BBBH", 0x11, 0x8C, self.battery_percent, 4010)
        if register == 0x09 and len(rest) == 8:
            self.interval = rest
        return None

    def _tell(self, sensor: _Sensor, register: int, rest: bytes) -> None:
        """A sensor's register; settings are taken while it stands still."""
        if register == 0x01 and rest in (b"\0", b"\1"):
            sensor.running = rest == b"\1"
            sensor.waiting.clear()
        elif register == 0x02 and rest in (b"\1\0", b"\0\1"):
            sensor.enabled = rest == b"\1\0"
        elif register == 0x03 and len(rest) == 2 and not sensor.running and self._fits(sensor, *rest):
            sensor.code, sensor.range = rest
        elif register in (sensor.data, sensor.packed) and rest in (b"\0", b"\1"):
            (sensor.heard.add if rest == b"\1" else sensor.heard.discard)(register)

    def _fits(self, sensor: _Sensor, code: int, scale: int) -> bool:
        rate = code & 0x0F
        if sensor is self._gyr:
            good = code >> 4 == 2 and 6 <= rate <= 13
        else:
            slow, fast = (2, 0xA) if self._newer else (8, 2)
            good = 1 <= rate <= 12 and code >> 4 == (fast if rate >= 5 else slow)
        return good and scale in sensor.steps

    def _process(self, register: int, rest: bytes) -> bytes | None:
        if register == 0x02 and len(rest) >= 6 and len(self._processors) < self._room:
            return self._make(rest)
        if register == 0x03 and rest in (b"\0", b"\1"):
            self._processing = rest == b"\1"
        elif register == 0x07 and len(rest) == 2 and rest[0] in self._processors:
            self._processors[rest[0]].heard = rest[1] == 1
        elif register == 0x08 and not rest:
            self._processors.clear()
        return None

    def _make(self, rest: bytes) -> bytes | None:
        """A new processor, if it is one of the two kinds and its source is there; its number."""
        source, kind = (rest[0], rest[1], rest[2]), rest[4]
        from_sensor = source in [(3, 4, 0xFF), (0x13, self._gyr.data, 0xFF)]
        if not (from_sensor or (source[:2] == (9, 3) and source[2] in self._processors)) or rest[3] != 0xA0:
            return None
        made = _Processor(source, kind, rest[5])
        if kind == 0x10 and len(rest) == 7 and from_sensor and rest[5] == 5 and rest[6] < 2:
            made.many = rest[6] + 1
        elif not (kind == 0x11 and len(rest) == 7 and rest[5] in (0x30, 0x31) and rest[6] == 3):
            return None
        number = next(free for free in range(self._room) if free not in self._processors)
        self._processors[number] = made
        return bytes((9, 2, number))

    def ticks(self, t_s: float) -> int:
        """The board's clock."""
        return (self._ticks + floor((t_s - self._zero_s) * 32768 / 48 + 1e-6)) % (1 << 32)

    def rate_hz(self, modality: str) -> float | None:
        """While a sensor runs, somebody is linked and its samples go somewhere."""
        sensor = {"acc": self._acc, "gyr": self._gyr}.get(modality)
        if sensor is None or not (self._subscribed and sensor.enabled and sensor.running):
            return None
        return sensor.rate_hz if sensor.heard or self._stamped(sensor) else None

    def _stamped(self, sensor: _Sensor) -> bool:
        return self._processing and any(
            processor.heard and self._root(processor) == sensor.module for processor in self._processors.values()
        )

    def _root(self, processor: _Processor) -> int:
        while processor.source[0] == 9 and processor.source[2] in self._processors:
            processor = self._processors[processor.source[2]]
        return processor.source[0]

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """Single, packed and processed packets, in the order of their times."""
        sent: list[Notification] = []
        for block in blocks:
            sensor = {Modality.ACC: self._acc, Modality.GYR: self._gyr}.get(block.modality)
            if sensor is None or self.rate_hz(block.modality) is None:
                continue
            unit = sensor.steps[sensor.range]
            values = block.values / 9.80665 if sensor is self._acc else np.degrees(block.values)
            words = np.clip(np.rint(values * unit), -32768, 32767).astype("<i2")
            for t, word in zip(block.t_s.tolist(), words, strict=True):
                sent += [Notification(t, NEWS, packet) for packet in self._spread(sensor, word.tobytes(), t)]
                self._now_s = max(self._now_s, t)
        return sorted(sent, key=lambda notification: notification.t_s)

    def _spread(self, sensor: _Sensor, sample: bytes, t_s: float) -> list[bytes]:
        sent = []
        if sensor.data in sensor.heard:
            sent.append(bytes((sensor.module, sensor.data)) + sample)
        if sensor.packed in sensor.heard:
            sensor.waiting.append(sample)
            if len(sensor.waiting) == 3:
                sent.append(bytes((sensor.module, sensor.packed)) + b"".join(sensor.waiting))
                sensor.waiting.clear()
        return sent + self._processed((sensor.module, sensor.data, 0xFF), sample, t_s)

    def _processed(self, source: tuple[int, int, int], given: bytes, t_s: float) -> list[bytes]:
        """What the processors behind a source make of what it gives."""
        sent = []
        for number, processor in self._processors.items():
            if processor.source != source:
                continue
            if processor.kind == 0x10:
                processor.waiting.append(given)
                if len(processor.waiting) < processor.many:
                    continue
                made = b"".join(processor.waiting)
                processor.waiting.clear()
            else:
                head = self.ticks(t_s) if processor.setting == 0x31 else processor.counted % (1 << 32)
                processor.counted += 1
                made = head.to_bytes(4, "little") + given
            if processor.heard and self._processing and len(made) <= 17:
                sent.append(bytes((9, 3, number)) + made)
            sent += self._processed((9, 3, number), made, t_s)
        return sent

    def disconnect(self) -> None:
        """The link is gone; what runs goes on running."""
        self._subscribed = False

    def reboot(self) -> None:
        """Everything forgotten, the clock from nothing."""
        self.disconnect()
        self._boot()
        self._ticks, self._zero_s = 0, self._now_s


VIRTUAL = VirtualMetaMotion
"""What the conformance kit and the demonstration switch on."""
