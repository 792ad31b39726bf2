"""A virtual Shimmer3R with ExG, byte for byte. Written on its own; shares no code with the decoder.

Source: ShimmerResearch/shimmer-web-sdk at 4ae69dc (commands, answers, frames, how its sensors lie in the case).
Inferred: that bytes leave as they come, whatever frame they belong to, that what is set while it streams is refused,
and that it goes on when the link ends.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import floor

import numpy as np

from analysis.samples import Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

CASE = "65333333-a115-11e2-9e9a-0800200ca100"
SPEAKS = "65333333-a115-11e2-9e9a-0800200ca101"
HEARS = "65333333-a115-11e2-9e9a-0800200ca102"

DONE, REFUSED = b"\xff", b"\xfe"
_LONGEST_S = 0.05
"""Bytes wait no longer for others to leave with. Chosen: about two connection intervals."""
_LENGTHS = {
    0x01: 1, 0x05: 3, 0x07: 1, 0x08: 4, 0x09: 2, 0x13: 1, 0x16: 1, 0x19: 1, 0x1C: 1, 0x20: 1, 0x2E: 1, 0x49: 2, 0x5E: 2,
}  # fmt: skip
_SETS = {0x05, 0x08, 0x09, 0x49, 0x5E}
_CHANNELS = {0x1000: (0x04, 0x05, 0x06), 0x40: (0x0A, 0x0B, 0x0C), 0x10: (0x1D, 0x1E, 0x1F)}
"""Sensor bit -> channel ids, in the order they are sent."""
_ACC_STEPS = (1671, 836, 418, 209)
_GYR_STEPS = tuple(1000 / mdps for mdps in (4.375, 8.75, 17.5, 35, 70, 140))


class VirtualShimmer3R:
    """The peripheral's side: commands and answers, and a stream of bytes."""

    local_name = "Shimmer3R-A1B2"
    manufacturer_data: dict[int, bytes]
    advertised_services: Sequence[str] = (CASE,)
    services = {CASE: {SPEAKS: ("notify",), HEARS: ("write", "write-without-response")}}  # noqa: RUF012

    def __init__(
        self,
        *,
        mtu: int = 247,
        together: bool = True,
        clock_start_ticks: int = 0,
        drift_ppm: float = 0.0,
        calibration: bytes = b"\xff" * 21,
    ) -> None:
        """A sensor that is switched on, not connected.

        Args:
            mtu: ATT MTU; a frame of everything needs 23 bytes and may be cut.
            together: a reply comes in the notification that says that the command is done.
            clock_start_ticks: its clock at its second 0, 1/32768 s a tick.
            drift_ppm: how much faster its clock runs.
            calibration: 21 bytes that it has stored for its wide-range accelerometer.
        """
        self.mtu = mtu
        self.manufacturer_data = {}
        self._together = together
        self._ticks = clock_start_ticks
        self._pace = 1 + drift_ppm * 1e-6
        self._calibration = calibration
        self._zero_s = self._now_s = 0.0
        self._subscribed = False
        self._boot()

    def _boot(self) -> None:
        self.divisor, self.sensors, self.exg_power = 640, 0x80, False
        self.acc_range = self.gyr_range = 0
        self.streams = False
        self._waiting = b""
        self._since_s = 0.0

    def read(self, characteristic: str) -> bytes:
        """Nothing can be read."""
        raise AttError(NO_SUCH, f"{characteristic} cannot be read")

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Answers and frames come this way, or nowhere."""
        if characteristic != SPEAKS:
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        self._subscribed, self._waiting = on, b""
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A command; that it is done, and the reply."""
        if characteristic != HEARS:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        self._now_s = max(self._now_s, t_s)
        if not payload or payload[0] not in _LENGTHS:
            return []
        if len(payload) != _LENGTHS[payload[0]] or (self.streams and payload[0] in _SETS):
            return self._say(t_s, REFUSED)
        reply = self._obey(payload[0], payload[1:])
        if reply is None:
            return self._say(t_s, REFUSED)
        return self._say(t_s, DONE + reply) if self._together else self._say(t_s, DONE) + self._say(t_s, reply)

    def _say(self, t_s: float, message: bytes) -> list[Notification]:
        """A message in as many notifications as it takes; unheard by nobody."""
        if not self._subscribed:
            return []
        most = self.mtu - 3
        return [Notification(t_s, SPEAKS, message[at : at + most]) for at in range(0, len(message), most)]

    def _obey(self, op: int, rest: bytes) -> bytes | None:
        """The reply; None where the value is none it takes."""
        match op:
            case 0x01:
                return self._inquiry()
            case 0x05 if int.from_bytes(rest, "little"):
                self.divisor = int.from_bytes(rest, "little")
            case 0x07 | 0x20:
                self.streams, self._waiting = op == 0x07, b""
            case 0x08:
                self.sensors = int.from_bytes(rest, "little")
            case 0x09 if rest[0] < 4:
                self.acc_range = rest[0]
            case 0x49 if rest[0] < 6:
                self.gyr_range = rest[0]
            case 0x5E if rest[0] < 2:
                self.exg_power = rest[0] == 1
            case 0x1C:
                return b"\x1b" + self._calibration
            case 0x13 | 0x16 | 0x19:
                return bytes((op - 1,)) + b"\xff" * 21
            case 0x2E:
                return bytes.fromhex("2f 0300 0100 00 16")
            case _:
                return None
        return b""

    def _channels(self) -> list[int]:
        return [channel for bit, ids in _CHANNELS.items() if self.sensors & bit for channel in ids]

    def _inquiry(self) -> bytes:
        setup = self.acc_range << 2 | (self.gyr_range & 3) << 16 | self.exg_power << 24 | (self.gyr_range >> 2) << 34
        channels = bytes(self._channels())
        return struct.pack("<BH", 2, self.divisor) + setup.to_bytes(7, "little") + bytes((len(channels), 1)) + channels

    def ticks(self, t_s: float) -> int:
        """Its clock, 24 bits."""
        return (self._ticks + floor((t_s - self._zero_s) * 32768 * self._pace + 0.5)) % (1 << 24)

    def rate_hz(self, modality: str) -> float | None:
        """One rate for all that is switched on, while it streams and somebody listens."""
        bit = {"acc": 0x1000, "gyr": 0x40, "emg": 0x10}.get(modality, 0)
        return 32768 / self.divisor if self.streams and self._subscribed and self.sensors & bit else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """A frame a sample; bytes leave when a notification is full, or have waited long enough."""
        given = {block.modality: block for block in blocks if len(block) and self.rate_hz(block.modality)}
        if not given:
            return []
        t_s = next(iter(given.values())).t_s
        columns = [self._encoded(given, bit, t_s.size) for bit in _CHANNELS if self.sensors & bit]
        sent: list[Notification] = []
        for i, when in enumerate(t_s.tolist()):
            frame = b"\0" + self.ticks(when).to_bytes(3, "little") + b"".join(column[i] for column in columns)
            sent += self._queue(frame, when)
            self._now_s = max(self._now_s, when)
        return sent

    def _queue(self, frame: bytes, t_s: float) -> list[Notification]:
        if not self._waiting:
            self._since_s = t_s
        self._waiting += frame
        sent = []
        most = self.mtu - 3
        while len(self._waiting) >= most:
            sent.append(Notification(t_s, SPEAKS, self._waiting[:most]))
            self._waiting, self._since_s = self._waiting[most:], t_s
        if self._waiting and t_s - self._since_s >= _LONGEST_S - 1.5 * self.divisor / 32768:
            sent.append(Notification(t_s, SPEAKS, self._waiting))
            self._waiting = b""
        return sent

    def _encoded(self, given: dict[Modality, SampleBlock], bit: int, count: int) -> list[bytes]:
        """The bytes of one sensor's channels, sample by sample."""
        kind = {0x1000: Modality.ACC, 0x40: Modality.GYR, 0x10: Modality.EMG}[bit]
        values = given[kind].values if kind in given and len(given[kind]) == count else np.zeros((count, 3))
        if kind is Modality.EMG:
            if not self.exg_power:
                values = np.zeros((count, 2))
            counts = np.clip(np.rint(values[:, :2]), -(1 << 23), (1 << 23) - 1).astype(np.int64)
            wide = [[int(count) & 0xFFFFFF for count in row] for row in counts]
            return [b"\x80" + b"".join(one.to_bytes(3, "big") for one in row) for row in wide]
        # The wide-range accelerometer lies with x and y exchanged, all axes the other way round.
        turned = -values[:, [1, 0, 2]] if kind is Modality.ACC else values * (-1, 1, -1)
        steps = _ACC_STEPS[self.acc_range] if kind is Modality.ACC else np.degrees(1) * _GYR_STEPS[self.gyr_range]
        words = np.clip(np.rint(turned * steps), -32768, 32767).astype("<i2")
        return [row.tobytes() for row in words]

    def disconnect(self) -> None:
        """The link is gone; it goes on."""
        self._subscribed, self._waiting = False, b""

    def reboot(self) -> None:
        """Settings and clock begin anew."""
        self.disconnect()
        self._boot()
        self._ticks, self._zero_s = 0, self._now_s


VIRTUAL = VirtualShimmer3R
"""What the conformance kit and the demonstration switch on."""
