"""A virtual uMyo, byte for byte. Written on its own; shares no code with the decoder.

Source: ultimaterobotics/uMyo at d3a14b3, `uMyo_fw_v3_1/main.c` (notifications, advertisement). Inferred: that a host
hears every third data id, as a scanner that follows one of three channels does; the filter before the firmware's
spectrum is left out.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from analysis.samples import Modality, SampleBlock
from drivers.packets import ADVERTISEMENT
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

SERVICE = "93375900-f229-8b49-b397-44b5899b8601"
TELEMETRY = "fc7a850d-c1a5-f61f-0da7-9995621fbd01"
NAME_POINT = "fc7a850d-c1a5-f61f-0da7-9995621fbd02"

EMG_HZ, AUX_HZ = 1150.0, 25.0
CHUNK = 8
"""Samples that the firmware handles at once; each makes a data id."""
HEARD_EVERY = 3
_PACKET_CHUNKS = 3
_AUX = (Modality.ACC, Modality.GYR, Modality.MAG, Modality.QUAT)
_SCALE = {
    Modality.ACC: 32768 / (2 * 9.80665), Modality.GYR: 28572 * 180 / (500 * np.pi), Modality.MAG: 1.0,
    Modality.QUAT: 32767.0,
}  # fmt: skip


class VirtualUmyo:
    """The peripheral's side: notifications of raw EMG and motion, or advertisements that hold the spectrum."""

    local_name = "uMyo-5A3C"
    advertised_services: Sequence[str] = ()

    def __init__(self, *, mtu: int = 64, connectable: bool = True, quaternions: bool = False, battery_mv: int = 3870):
        """A sensor that is switched on.

        Args:
            mtu: ATT MTU; its packets need 64.
            connectable: the firmware of 2026; older firmware only advertises.
            quaternions: its profile that sends them with the EMG, and no other motion.
            battery_mv: of its cell.
        """
        self.mtu = mtu
        self.connectable = connectable
        self.battery_mv = battery_mv
        self.index = 0
        self._with_quat = quaternions
        self._subscribed = False
        self._name = b"uMyo-5A3C\0"
        self._waiting = np.zeros(0)
        self._id = 0
        self._level = 0.0
        self._spectrum = np.zeros(4, np.int64)
        self._quat: npt.NDArray[np.float64] = np.array([1.0, 0, 0, 0])

    @property
    def broadcasts(self) -> bool:
        """Every advertisement of it is data."""
        return not self.connectable

    @property
    def services(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """None in older firmware."""
        points = {TELEMETRY: ("read", "notify"), NAME_POINT: ("read", "write-without-response", "notify")}
        return {SERVICE: points} if self.connectable else {}

    @property
    def manufacturer_data(self) -> Mapping[int, bytes]:
        """The data that stands in the place of a company's, as a radio shows it."""
        payload = self._advertisement()
        return {int.from_bytes(payload[:2], "little"): payload[2:]}

    def read(self, characteristic: str) -> bytes:
        """Name; telemetry is notified."""
        if not self.connectable or characteristic not in (TELEMETRY, NAME_POINT):
            raise AttError(NO_SUCH, f"{characteristic} cannot be read")
        return self._name if characteristic == NAME_POINT else b""

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Telemetry streams while somebody listens."""
        if not self.connectable or characteristic not in (TELEMETRY, NAME_POINT):
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        if characteristic == TELEMETRY:
            self._subscribed, self._waiting = on, self._waiting[:0]
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A name of up to 16 bytes."""
        if characteristic != NAME_POINT or not self.connectable or len(payload) > 16:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        self._name = payload
        return []

    def rate_hz(self, modality: str) -> float | None:
        """While somebody listens; one that only advertises never stops."""
        if not self.connectable:
            return {"emg": EMG_HZ, "quat": EMG_HZ / CHUNK}.get(modality)
        if not self._subscribed:
            return None
        if modality == "emg":
            return EMG_HZ
        kinds = (Modality.QUAT,) if self._with_quat else _AUX
        return AUX_HZ if modality in [str(kind) for kind in kinds] else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """Packets of 24 EMG samples and of one motion sample, or advertisements of every third chunk."""
        given = {block.modality: block for block in blocks if len(block)}
        sent: list[Notification] = []
        if Modality.QUAT in given:
            self._quat = given[Modality.QUAT].values[-1]
        if Modality.EMG in given and self.rate_hz("emg"):
            sent += self._chunks(given[Modality.EMG]) if self.connectable else self._spectra(given[Modality.EMG])
        if Modality.ACC in given and self.rate_hz("acc"):
            sent += self._motion(given)
        return sorted(sent, key=lambda one: one.t_s)

    def _chunks(self, block: SampleBlock) -> list[Notification]:
        size = CHUNK * _PACKET_CHUNKS
        left = len(self._waiting)
        counts = np.concatenate([self._waiting, block.values[:, 0]])
        sent = []
        for at in range(0, len(counts) - size + 1, size):
            words = np.clip(np.rint(counts[at : at + size]), -32768, 32767).astype("<i2")
            payload = struct.pack("<I", self.index % (1 << 32)) + words.tobytes()
            if self._with_quat:
                payload += np.rint(self._quat * 32767).astype("<i2").tobytes()
            sent.append(Notification(float(block.t_s[at + size - 1 - left]), TELEMETRY, payload))
            self.index += size
        self._waiting = counts[len(sent) * size :]
        return sent

    def _motion(self, given: dict[Modality, SampleBlock]) -> list[Notification]:
        t_s = given[Modality.ACC].t_s
        words = np.zeros((t_s.size, 13))
        for place, kind in enumerate(_AUX):
            if kind in given and len(given[kind]) == t_s.size:
                words[:, 3 * place : 3 * place + given[kind].values.shape[1]] = given[kind].values * _SCALE[kind]
        packed = np.clip(np.rint(words), -32768, 32767).astype("<i2")
        return [Notification(float(t), TELEMETRY, row.tobytes()) for t, row in zip(t_s, packed, strict=True)]

    def _spectra(self, block: SampleBlock) -> list[Notification]:
        left = len(self._waiting)
        counts = np.concatenate([self._waiting, block.values[:, 0]])
        sent = []
        done = len(counts) - len(counts) % CHUNK
        for at in range(0, done, CHUNK):
            spectrum = np.abs(np.fft.rfft(counts[at : at + CHUNK]))[:4]
            self._spectrum = np.minimum(np.rint(spectrum), 32767).astype(np.int64)
            self._level += 0.05 * (float(self._spectrum[2] + 2 * self._spectrum[3]) - self._level)
            self._id = (self._id + 1) % 256
            if self._id % HEARD_EVERY == 0:
                t_s = float(block.t_s[at + CHUNK - 1 - left])
                sent.append(Notification(t_s, ADVERTISEMENT, self._advertisement()))
        self._waiting = counts[done:]
        return sent

    def _advertisement(self) -> bytes:
        level = min(int(np.sqrt(10 * (self._level - 20))), 255) if self._level > 20 else 0
        battery = min(max((self.battery_mv - 2000) // 10, 0), 255)
        first, *others = (int(value) for value in self._spectrum)
        w, *xyz = (int(value) for value in np.clip(np.rint(self._quat * 32767), -32768, 32767))
        return struct.pack(
            ">BBbB3hh3b", self._id, battery, first >> 8, level, *others, w, *(value >> 8 for value in xyz)
        )

    def disconnect(self) -> None:
        """The link is gone."""
        self._subscribed = False
        if self.connectable:
            self._waiting = self._waiting[:0]

    def reboot(self) -> None:
        """Off and on: it counts anew."""
        self.disconnect()
        self.index, self._id, self._level = 0, 0, 0.0


VIRTUAL = VirtualUmyo
"""What the conformance kit and the demonstration switch on."""
