"""A virtual Movella (Xsens) DOT, byte for byte. Written on its own; shares no code with the decoder.

Source: "Xsens DOT BLE Services Specifications" XD0506P rev. F and C. Inferred: the ATT errors of refused writes,
that a measurement outlives the link, and that the second time-out runs on while it streams.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from math import floor

import numpy as np

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

_BASE = "1517{}-4947-11e9-8646-d663bd873d93"
INFO_POINT, DEVICE_POINT, REPORT_POINT = (_BASE.format(short) for short in ("1001", "1002", "1004"))
CONTROL_POINT, LONG_POINT, MEDIUM_POINT, SHORT_POINT = (
    _BASE.format(short) for short in ("2001", "2002", "2003", "2004")
)
BATTERY_POINT = _BASE.format("3001")
WRONG_LENGTH, REFUSED = 0x0D, 0x80

_PADDED = {SHORT_POINT: 20, MEDIUM_POINT: 40, LONG_POINT: 63}
_MODES: Mapping[int, tuple[str, str]] = {
    2: (MEDIUM_POINT, "qfs"), 3: (MEDIUM_POINT, "qf"), 4: (SHORT_POINT, "e"), 5: (SHORT_POINT, "q"),
    6: (SHORT_POINT, "f"), 7: (MEDIUM_POINT, "efs"), 16: (MEDIUM_POINT, "ef"), 18: (MEDIUM_POINT, "tvm"),
    19: (MEDIUM_POINT, "tv"), 20: (MEDIUM_POINT, "agm"), 21: (MEDIUM_POINT, "ag"), 22: (MEDIUM_POINT, "efg"),
    23: (MEDIUM_POINT, "efm"), 24: (MEDIUM_POINT, "qg"), 26: (LONG_POINT, "qag"),
}  # fmt: skip
"""Mode -> characteristic and what is in it, in order."""
_FELT = {
    "q": Modality.QUAT, "e": Modality.EULER, "f": Modality.FREE_ACC, "a": Modality.ACC, "g": Modality.GYR,
    "m": Modality.MAG, "t": Modality.GYR, "v": Modality.ACC,
}  # fmt: skip
_RATES = (1, 4, 10, 12, 15, 20, 30, 60)


class VirtualMovellaDot:
    """The peripheral's side: device control, measurement, time-outs."""

    local_name = "Movella DOT"
    advertised_services: Sequence[str] = ()
    services = {  # noqa: RUF012
        _BASE.format("1000"): {INFO_POINT: ("read",), DEVICE_POINT: ("read", "write"), REPORT_POINT: ("notify",)},
        _BASE.format("2000"): {
            CONTROL_POINT: ("read", "write"), LONG_POINT: ("notify",), MEDIUM_POINT: ("notify",),
            SHORT_POINT: ("notify",),
        },
        _BASE.format("3000"): {BATTERY_POINT: ("read", "notify")},
    }  # fmt: skip

    def __init__(
        self,
        *,
        mtu: int = 247,
        rate: int = 20,
        clock_start_us: int = 0,
        battery_percent: int = 66,
        drift_ppm: float = 0,
    ) -> None:
        """A sensor that is switched on, not connected.

        Args:
            mtu: ATT MTU; the medium payload needs 43.
            rate: output rate as the last user left it.
            clock_start_us: its clock at its second 0, to have it wrap soon.
            battery_percent: level it reports.
            drift_ppm: how much faster its clock runs.
        """
        self.mtu = mtu
        self.manufacturer_data = {0x0886: bytes(6)}
        self.rate, self.timeouts_s = rate, (600, 1800)
        self.battery_percent = battery_percent
        self.measuring = False
        self.mode = 0
        self._clock_start_us, self._zero_s, self._now_s = clock_start_us, 0.0, 0.0
        self._pace = 1 + drift_ppm * 1e-6
        self._linked_s: float | None = None
        self._subscribed: set[str] = set()

    def read(self, characteristic: str) -> bytes:
        """Identity, device control, state, battery."""
        x, y = self.timeouts_s
        values = {
            INFO_POINT: bytes.fromhex("D422CD001122") + struct.pack(
                "<3BH5BIQ6s", 2, 4, 1, 2023, 7, 4, 12, 0, 0, 7, 0x40190000D422CD00, b"XS-T02"
            ),
            DEVICE_POINT: struct.pack(
                "<3B4BB16sHB5x", 0, 0, 0, *divmod(x, 60), *divmod(y, 60), 11, b"Movella DOT", self.rate, 0
            ),
            CONTROL_POINT: bytes((1, self.measuring, self.mode)),
            BATTERY_POINT: bytes((self.battery_percent, 0)),
        }  # fmt: skip
        if characteristic not in values:
            raise AttError(NO_SUCH, f"{characteristic} cannot be read")
        return values[characteristic]

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """A payload is sent only to who listens to its own characteristic."""
        if characteristic not in (*_PADDED, REPORT_POINT, BATTERY_POINT):
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        (self._subscribed.add if on else self._subscribed.discard)(characteristic)
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """Device control, or start and stop."""
        self._now_s = max(self._now_s, t_s)
        if self._linked_s is None:
            self._linked_s = t_s
        if characteristic == DEVICE_POINT:
            self._set(payload)
        elif characteristic == CONTROL_POINT:
            self._start_or_stop(payload)
        else:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        return []

    def _set(self, payload: bytes) -> None:
        """Only the fields whose bit is set count."""
        if len(payload) != 32:
            raise AttError(WRONG_LENGTH, "device control is 32 bytes")
        visited = payload[0]
        if visited & 0x10:
            rate = int.from_bytes(payload[24:26], "little")
            if self.measuring or rate not in _RATES:
                raise AttError(REFUSED, "no such rate, or measuring")
            self.rate = rate
        if visited & 0x04:
            self.timeouts_s = (payload[3] * 60 + payload[4], payload[5] * 60 + payload[6])

    def _start_or_stop(self, payload: bytes) -> None:
        if len(payload) != 3:
            raise AttError(WRONG_LENGTH, "control is three bytes")
        kind, action, mode = payload
        if kind != 1 or action > 1 or (action and (mode not in _MODES or self.measuring)):
            raise AttError(REFUSED, "no such action or mode, or measuring already")
        self.measuring = bool(action)
        self.mode = mode if action else self.mode

    def rate_hz(self, modality: str) -> float | None:
        """The output rate, for what the mode holds."""
        if not self.measuring or modality not in [str(_FELT[part]) for part in _MODES[self.mode][1] if part in _FELT]:
            return None
        return float(self.rate)

    def stamp_us(self, t_s: float) -> int:
        """The sensor's clock, which wraps after 71.6 minutes."""
        return (self._clock_start_us + floor((t_s - self._zero_s) * self._pace * 1e6 + 0.5)) % (1 << 32)

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """One notification a sample, padded."""
        given = {block.modality: block for block in blocks if len(block)}
        if not self.measuring:
            return []
        point, parts = _MODES[self.mode]
        leading = next((given[_FELT[part]] for part in parts if part in _FELT and _FELT[part] in given), None)
        if leading is None:
            return []
        columns = [self._column(part, given, len(leading)) for part in parts]
        sent = []
        for i, t_s in enumerate(leading.t_s.tolist()):
            self._now_s = max(self._now_s, t_s)
            if self._falls_asleep(t_s):
                break
            body = struct.pack("<I", self.stamp_us(t_s)) + b"".join(column[i] for column in columns)
            sent.append(Notification(t_s, point, body.ljust(_PADDED[point], b"\0")))
        return sent if point in self._subscribed else []

    def _falls_asleep(self, t_s: float) -> bool:
        """The second time-out is over: no measurement any more."""
        if self.timeouts_s[1] and self._linked_s is not None and t_s - self._linked_s > self.timeouts_s[1]:
            self.measuring = False
        return not self.measuring

    def _column(self, part: str, given: Mapping[Modality, SampleBlock], count: int) -> list[bytes]:
        """One field of each payload."""
        if part == "s":
            return [bytes(4)] * count
        width = 4 if part in "q" else 3
        block = given.get(_FELT[part])
        values: FloatArray = np.zeros((count, width))
        if part == "q":
            values[:, 0] = 1.0
        if block is not None and len(block) == count:
            values[:, : block.values.shape[1]] = block.values[:, :width]
        if part == "m":
            steps = np.clip(np.rint(values / 40 * 4096), -32768, 32767).astype("<i2")
            return [row.tobytes() for row in steps]
        if part in "eg":
            values = np.degrees(values)
        elif part == "v":
            values = values / self.rate
        elif part == "t":
            values = _turns(values / self.rate)
        return [row.tobytes() for row in values.astype("<f4")]

    def disconnect(self) -> None:
        """The link is gone; a measurement goes on until somebody stops it."""
        self._subscribed.clear()
        self._linked_s = None

    def reboot(self) -> None:
        """Off and on: the clock begins anew, settings are kept."""
        self.disconnect()
        self.measuring = False
        self._clock_start_us, self._zero_s = 0, self._now_s


def _turns(rotations_rad: FloatArray) -> FloatArray:
    """(n, 4) unit quaternions w x y z of (n, 3) rotation vectors."""
    angle = np.linalg.norm(rotations_rad, axis=1, keepdims=True)
    axis = np.divide(rotations_rad, angle, out=np.zeros_like(rotations_rad), where=angle > 0)
    return np.concatenate([np.cos(angle / 2), axis * np.sin(angle / 2)], axis=1)


VIRTUAL = VirtualMovellaDot
"""What the conformance kit and the demonstration switch on."""
