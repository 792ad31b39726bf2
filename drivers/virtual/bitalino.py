"""A virtual BITalino (r)evolution, byte for byte. Written on its own; shares no code with the decoder.

Source: BITalinoWorld/firmware-bitalino-revolution at 1097047 (commands, frame packer, CRC by nibbles),
revolution-android-api at 45d9b0e (UUIDs). Inferred: that replies come in the frame stream, that notifications are cut
at 20 bytes wherever that falls, that commands closer than 100 ms are lost, and that it goes on without a link.
"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.virtual.peripheral import NO_SUCH, NOT_PERMITTED, AttError, Notification

SERVICE = "c566488a-0882-4e1b-a6d0-0b717e652234"
COMMANDS = "4051eb11-bf0a-4c74-8730-a48f4193fcea"
FRAMES = "40fdba6b-672e-47c4-808a-e529adff3633"

PIECE_BYTES = 20
_APART_S = 0.099
_RATES = (1.0, 10.0, 100.0, 1000.0)
_NIBBLES = (0, 3, 6, 5, 12, 15, 10, 9, 11, 8, 13, 14, 7, 4, 1, 2)
"""What a register of four bits becomes when four zero bits follow, by x^4 + x + 1."""
_MICROVOLTS = 3.3e6 / 1009


class VirtualBitalino:
    """The peripheral's side: one-byte commands, and a stream of frames that are cut anywhere."""

    local_name = "BITalino BLE"
    manufacturer_data: dict[int, bytes]
    advertised_services: Sequence[str] = ()
    services = {SERVICE: {COMMANDS: ("write", "notify"), FRAMES: ("notify",)}}  # noqa: RUF012

    def __init__(self, *, mtu: int = 23, version: bytes = b"BITalino_v5.2\n", streaming: bool = False) -> None:
        """A board that is switched on, not connected.

        Args:
            mtu: ATT MTU.
            version: its answer to the command.
            streaming: the last session left it so.
        """
        self.mtu = mtu
        self.manufacturer_data = {}
        self.version = version
        self.threshold = 0
        self._rate_hz = 1000.0
        self._mask = 0b000001 if streaming else 0
        self._sequence = 0
        self._stream = b""
        self._subscribed: set[str] = set()
        self._commanded_s = -1.0

    def read(self, characteristic: str) -> bytes:
        """Nothing can be read."""
        raise AttError(NO_SUCH, f"{characteristic} cannot be read")

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Frames and replies."""
        if characteristic not in (COMMANDS, FRAMES):
            raise AttError(NO_SUCH, f"{characteristic} does not notify")
        (self._subscribed.add if on else self._subscribed.discard)(characteristic)
        if characteristic == FRAMES:
            self._stream = b""
        return []

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """Commands, a byte each."""
        if characteristic != COMMANDS:
            raise AttError(NOT_PERMITTED, f"{characteristic} cannot be written")
        if len(payload) != 1 or t_s - self._commanded_s < _APART_S:
            return []
        self._commanded_s = t_s
        reply = self._obey(payload[0])
        return [Notification(t_s, FRAMES, reply)] if reply and FRAMES in self._subscribed else []

    def _obey(self, command: int) -> bytes:
        if self._mask:
            if command in (0x00, 0xFF):
                self._mask = 0
            return b""
        if command == 0x07:
            return self.version
        if command == 0x0B:
            return self._state()
        if command & 0x3F == 0x03:
            self._rate_hz = _RATES[command >> 6]
        elif command & 0x03 == 0x01:
            self._mask = command >> 2 or 0b111111
            self._sequence, self._stream = 0, b""
        elif command & 0x03 == 0x00:
            self.threshold = command >> 2
        return b""

    def _state(self) -> bytes:
        answer = b"".join(value.to_bytes(2, "little") for value in (512, 0, 0, 0, 0, 0, 700))
        answer += bytes((self.threshold,)) + (b"\0" if self.version >= b"BITalino_v5.2" else b"")
        return answer + bytes((_remainder(answer + b"\0"),))

    def rate_hz(self, modality: str) -> float | None:
        """While it acquires and somebody listens."""
        return self._rate_hz if modality == "emg" and self._mask and FRAMES in self._subscribed else None

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """Frames one behind the other, cut into pieces; slow ones are not kept waiting."""
        sent = []
        for block in blocks:
            if block.modality is not Modality.EMG or self.rate_hz("emg") is None:
                continue
            for t_s, row in zip(block.t_s.tolist(), block.values, strict=True):
                self._stream += self._frame(row)
                while len(self._stream) >= PIECE_BYTES or (self._stream and self._rate_hz < 1000):
                    sent.append(Notification(t_s, FRAMES, self._stream[:PIECE_BYTES]))
                    self._stream = self._stream[PIECE_BYTES:]
        return sent

    def _frame(self, row: FloatArray) -> bytes:
        """Sequence, CRC, ports and channels, the highest bit first; the bytes are sent in reverse."""
        active = self._mask.bit_count()
        text = f"{self._sequence:04b}00000000"
        for channel in range(active):
            width = 10 if channel < 4 else 6
            given = float(row[channel]) if channel < row.size else 0.0
            raw = round((given / _MICROVOLTS + 0.5) * (1 << width))
            text += f"{min(max(raw, 0), (1 << width) - 1):0{width}b}"
        text = text.ljust(-(-len(text) // 8) * 8, "0")
        frame = int(text, 2).to_bytes(len(text) // 8, "little")
        self._sequence = (self._sequence + 1) % 16
        return frame[:-1] + bytes((frame[-1] | _remainder(frame),))

    def disconnect(self) -> None:
        """The link is gone; it goes on sampling for nobody."""
        self._subscribed.clear()
        self._stream, self._commanded_s = b"", -1.0

    def reboot(self) -> None:
        """Off and on."""
        self.disconnect()
        self._mask, self._sequence, self._rate_hz = 0, 0, 1000.0


def _remainder(data: bytes) -> int:
    """CRC-4 by nibbles, as the firmware makes it; the last nibble of the data is the CRC's own and 0."""
    register = 0
    for byte in data:
        for nibble in (byte >> 4, byte & 0x0F):
            register = _NIBBLES[register] ^ nibble
    return register


VIRTUAL = VirtualBitalino
"""What the conformance kit and the demonstration switch on."""
