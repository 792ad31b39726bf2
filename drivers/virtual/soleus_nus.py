"""A virtual device of the open profile `soleus-nus`, byte for byte, from `devices/soleus_nus.md` on its own.

It shares no code with the decoder, so that an error in one of them cannot hide in the other.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import floor

import numpy as np

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, NOT_SUBSCRIBED, AttError, Notification

UART = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
TO_DEVICE = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
FROM_DEVICE = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"

_LONGEST_S = 0.1
"""A packet is sent when it is full or its oldest sample is this old."""
_STATUS_EVERY_S = 10.0
IMU, EMG = 1, 2


@dataclass(slots=True)
class _Stream:
    """A running stream: its rate and byte 1, the samples that wait, and the number of the next one."""

    rate: int
    form: int
    counter: int = 0
    t_s: list[float] = field(default_factory=list)
    samples: list[bytes] = field(default_factory=list)


class VirtualSoleusNus:
    """The peripheral's side: commands and answers, streams, status."""

    local_name = "soleus"
    manufacturer_data: dict[int, bytes]
    advertised_services: Sequence[str] = (UART,)
    services = {UART: {TO_DEVICE: ("write", "write-without-response"), FROM_DEVICE: ("notify",)}}  # noqa: RUF012

    def __init__(
        self,
        *,
        mtu: int = 247,
        emg_channels: int = 0,
        gyro: bool = True,
        packed: bool = False,
        emg_code: int = 4,
        clock_start_us: int = 0,
        drift_ppm: float = 0.0,
        battery_percent: int = 80,
        boot: int = 0x1234,
    ) -> None:
        """A device that is switched on, not connected.

        Args:
            mtu: ATT MTU; at 23 an IMU packet holds one sample.
            emg_channels: 0..8; more than 6 need `packed` at an MTU of 23.
            gyro: it has a gyroscope.
            packed: EMG in 12 bits.
            emg_code: EMG step of 2**(code - 8) microvolts; 15 = raw counts.
            clock_start_us: its clock at its second 0, to have it wrap soon.
            drift_ppm: how much faster its clock runs.
            battery_percent: level it reports.
            boot: the number it says hello with; a reboot adds one.
        """
        self.mtu = mtu
        self.manufacturer_data = {}
        self.emg_channels, self.gyro, self.packed, self.emg_code = emg_channels, gyro, packed, emg_code
        self.battery_percent, self.boot = battery_percent, boot
        self.buzzes: list[int] = []
        self._clock_start_us = clock_start_us
        self._pace = 1 + drift_ppm * 1e-6
        self._zero_s = self._now_s = 0.0
        self._subscribed = False
        self._streams: dict[int, _Stream] = {}
        self._status_s = 0.0

    def read(self, characteristic: str) -> bytes:
        """Nothing can be read."""
        raise AttError(NO_SUCH, f"{characteristic} cannot be read")

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Answers and data need it; nothing is sent because of it alone."""
        if characteristic != FROM_DEVICE:
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        self._subscribed = on
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A command; its answer."""
        if characteristic != TO_DEVICE:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if not self._subscribed:
            raise AttError(NOT_SUBSCRIBED, "nobody would hear the answer")
        self._now_s = max(self._now_s, t_s)
        return [Notification(t_s, FROM_DEVICE, answer) for answer in self._obey(payload, t_s)]

    def _obey(self, payload: bytes, t_s: float) -> list[bytes]:
        code = payload[0] if payload else 0
        lengths = {1: 1, 2: 9, 3: 1, 4: 1, 5: 3}
        if code not in lengths:
            return [bytes((0x15, code, 1))]
        if len(payload) != lengths[code]:
            return [bytes((0x15, code, 2))]
        match code:
            case 1:
                return [self._hello()]
            case 2:
                return [self._start(payload, t_s)]
            case 3:
                self._streams.clear()
            case 4:
                return [self._status(t_s)]
            case _:
                self.buzzes.append(int.from_bytes(payload[1:], "little"))
        return [bytes((0x15, code, 0))]

    def _hello(self) -> bytes:
        able = 0b11001 | self.gyro << 1 | (self.emg_channels > 0) << 2
        return struct.pack(
            "<BB6sBBBBHHHBB", 0x14, 0, b"soleus", 1, 0, able, self.emg_channels, self.boot, 400,
            2000 if self.emg_channels else 0, 0b11110, 0b11111 if self.gyro else 0,
        )  # fmt: skip

    def _start(self, payload: bytes, t_s: float) -> bytes:
        streams, imu_hz, emg_hz, acc, gyr, channels = struct.unpack("<xBHHBBB", payload)
        if self._streams:
            return bytes((0x15, 2, 4))
        if not streams or streams > 3 or (streams & EMG and not 0 < channels <= self.emg_channels):
            return bytes((0x15, 2, 3))
        acc, gyr = min(max(acc, 1), 4), min(gyr, 4) if self.gyro else 15
        imu_hz = min(max(imu_hz, 1), 400) if streams & IMU else 0
        emg_hz = min(max(emg_hz, 1), 2000) if streams & EMG else 0
        if imu_hz:
            self._streams[IMU] = _Stream(imu_hz, acc | gyr << 4)
        if emg_hz:
            self._streams[EMG] = _Stream(emg_hz, channels - 1 | self.packed << 3 | self.emg_code << 4)
        self._status_s = t_s
        return struct.pack("<BBBBHHBBB", 0x15, 2, 0, streams, imu_hz, emg_hz, acc, gyr, channels)

    def _status(self, t_s: float) -> bytes:
        rates = [self._streams[kind].rate if kind in self._streams else 0 for kind in (IMU, EMG)]
        return struct.pack("<BBhI4H", 0x13, self.battery_percent, 2950, self.stamp_us(t_s), *rates, 0, self.boot)

    def stamp_us(self, t_s: float) -> int:
        """The device's clock, which wraps after 71.6 minutes."""
        return (self._clock_start_us + floor((t_s - self._zero_s) * self._pace * 1e6 + 0.5)) % (1 << 32)

    def rate_hz(self, modality: str) -> float | None:
        """The rate that was granted, while it streams."""
        kind = {"acc": IMU, "gyr": IMU if self.gyro else 0, "emg": EMG}.get(modality, 0)
        return float(self._streams[kind].rate) if kind in self._streams else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """Fills packets to the MTU or a tenth of a second; a status packet every ten."""
        given = {block.modality: block for block in blocks if len(block)}
        sent: list[Notification] = []
        if IMU in self._streams and Modality.ACC in given:
            sent += self._fill(IMU, given[Modality.ACC].t_s, _imu_samples(given, self._streams[IMU].form))
        if EMG in self._streams and Modality.EMG in given:
            stream = self._streams[EMG]
            sent += self._fill(EMG, given[Modality.EMG].t_s, _emg_samples(given[Modality.EMG].values, stream.form))
        for notification in sent:
            self._now_s = max(self._now_s, notification.t_s)
        if sent and self._now_s - self._status_s >= _STATUS_EVERY_S:
            self._status_s = self._now_s
            sent.append(Notification(self._now_s, FROM_DEVICE, self._status(self._now_s)))
        return sorted(sent, key=lambda n: n.t_s) if self._subscribed else []

    def _fill(self, kind: int, t_s: FloatArray, samples: list[bytes]) -> list[Notification]:
        stream, sent = self._streams[kind], []
        # Two 12-bit samples of an odd number of channels share a byte, so packed samples travel as bit strings.
        bits = len(samples[0]) * 8 if not (kind == EMG and stream.form & 8) else 12 * ((stream.form & 7) + 1)
        most = max(1, min(self.mtu - 3 - 8, 255) * 8 // bits)
        for when, sample in zip(t_s.tolist(), samples, strict=True):
            stream.t_s.append(when)
            stream.samples.append(sample)
            if len(stream.samples) >= most or when - stream.t_s[0] >= _LONGEST_S - 1.5 / stream.rate:
                sent.append(self._packet(kind, stream, bits))
        return sent

    def _packet(self, kind: int, stream: _Stream, bits: int) -> Notification:
        when = stream.t_s[-1]
        head = struct.pack("<BBHI", 0x10 | kind, stream.form, stream.counter, self.stamp_us(when))
        content = b"".join(stream.samples)
        if bits % 8 or (kind == EMG and stream.form & 8):
            whole = sum(int.from_bytes(s, "little") << bits * i for i, s in enumerate(stream.samples))
            content = whole.to_bytes((bits * len(stream.samples) + 7) // 8, "little")
        stream.counter = (stream.counter + len(stream.samples)) % 65536
        stream.t_s, stream.samples = [], []
        return Notification(when, FROM_DEVICE, head + content)

    def disconnect(self) -> None:
        """The link is gone: it stops by itself, to spare the cell."""
        self._subscribed = False
        self._streams.clear()

    def reboot(self) -> None:
        """Clock and boot number begin anew."""
        self.disconnect()
        self.boot = (self.boot + 1) % 65536
        self._clock_start_us, self._zero_s = 0, self._now_s


def _imu_samples(given: dict[Modality, SampleBlock], form: int) -> list[bytes]:
    acc = given[Modality.ACC]
    steps = np.zeros((len(acc), 6))
    steps[:, :3] = acc.values / 9.80665 * 32768 / 2 ** (form & 15)
    if form >> 4 < 8 and Modality.GYR in given and len(given[Modality.GYR]) == len(acc):
        steps[:, 3:] = np.degrees(given[Modality.GYR].values) * 32768 / (125 * 2 ** (form >> 4))
    return [row.tobytes() for row in np.clip(np.rint(steps), -32768, 32767).astype("<i2")]


def _emg_samples(values: FloatArray, form: int) -> list[bytes]:
    channels = (form & 7) + 1
    steps = np.zeros((len(values), channels))
    used = min(channels, values.shape[1])
    steps[:, :used] = values[:, :used] / (1.0 if form >> 4 == 15 else 2.0 ** ((form >> 4) - 8))
    top = 2047 if form & 8 else 32767
    rows = np.clip(np.rint(steps), -top - 1, top).astype(np.int64)
    if not form & 8:
        return [row.astype("<i2").tobytes() for row in rows]
    packed = [sum((int(v) & 0xFFF) << 12 * i for i, v in enumerate(row)) for row in rows]
    return [whole.to_bytes(12, "little") for whole in packed]


VIRTUAL = VirtualSoleusNus
"""What the conformance kit and the demonstration switch on."""
