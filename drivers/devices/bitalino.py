"""BITalino (r)evolution over Bluetooth LE: up to six analog channels of 10 or 6 bits at up to 1000 Hz. No clock.

Frames of 3 to 8 bytes hold a sequence of 4 bits and a CRC of 4; notifications hold several of them, or parts. All
channels are taken for EMG: the board does not tell what is plugged in. The scale is that of the maker's EMG sensor,
(raw / 2^bits - 1/2) x 3.3 V / 1009. The sequence tells loss modulo 16, the arrivals the rest.

Source: BITalinoWorld/revolution-python-api at 7128b3b, revolution-android-api at 45d9b0e (UUIDs), firmware at 1097047
(commands, frames, CRC, scale: certain). Inferred: where replies are notified (both are listened to), and that a
notification is as long as the link lets it be. The battery can be read while idle only, as a number that no document
makes a percentage. No published notifications; not run on a device by us.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from analysis.samples import FloatArray, Modality, SampleBlock
from drivers.clocks.arrival import HostAxis, IntArray
from drivers.clocks.arrival_streams import ArrivalStream
from drivers.clocks.device import DUPLICATE, nominal_rate_hz
from drivers.decoder import BatchDecoder, Faults, Settings, refusals
from drivers.driver import Advert, Driver, Facts
from drivers.errors import PacketError
from drivers.packets import PacketBatch, RawPacket
from drivers.protocols import packet_columns as columns
from drivers.protocols.bitalino_frames import FRAME_BYTES, Alignment, Found, Octets, crc4
from drivers.script import DeviceRefusedError, Expect, Pause, Script, Subscribe, Unsubscribe, Write

SERVICE = "c566488a-0882-4e1b-a6d0-0b717e652234"
COMMANDS = "4051eb11-bf0a-4c74-8730-a48f4193fcea"
FRAMES = "40fdba6b-672e-47c4-808a-e529adff3633"

RATES_HZ = (1000.0, 100.0, 10.0, 1.0)
_RATE_CODE = {1.0: 0, 10.0: 1, 100.0: 2, 1000.0: 3}
_STOP, _VERSION, _STATE = 0x00, 0x07, 0x0B
_GREETING = b"BITalino"
_HAS_STATE = 4.2
_STATE_BYTES = (16, 17)
_APART_S = 0.1
"""Between commands."""
_REPLY_S = 1.0
_FULL_UV = 3.3e6 / 1009
_BITS = (10, 10, 10, 10, 6, 6)
_Words = npt.NDArray[np.integer]
_CHANNELS: tuple[Callable[[Callable[[int], _Words]], _Words], ...] = (
    lambda b: (b(1) & 0x0F) << 6 | b(2) >> 2,
    lambda b: (b(2) & 0x03) << 8 | b(3),
    lambda b: b(4) << 2 | b(5) >> 6,
    lambda b: (b(5) & 0x3F) << 4 | b(6) >> 4,
    lambda b: (b(6) & 0x0F) << 2 | b(7) >> 6,
    lambda b: b(7) & 0x3F,
)
"""Each channel's number out of a frame's bytes, counted from the end."""
_TURN = 16


class BitalinoDecoder(BatchDecoder):
    """Decoder of one board's notifications; see `drivers.decoder.Decoder`."""

    def __init__(self, settings: Settings) -> None:
        self._channels = _channels(settings)
        self._axis = HostAxis()
        self._rate_hz = nominal_rate_hz(settings.get("rate_hz"), RATES_HZ)
        self._stream = ArrivalStream(self._axis, self._rate_hz, rates=RATES_HZ, grain=_TURN)
        self._alignment = Alignment(FRAME_BYTES[self._channels])
        self._sequence = 0
        self._seen = b""

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        """The same for many packets at once, one block; refused packets in their order."""
        batch = PacketBatch.of(packets)
        faults: Faults = []
        found, useless = self._alignment.feed(batch, self._fresh(batch, faults))
        faults.extend((i, "no frame in it") for i in useless)
        return self._blocks(found), refusals(batch, faults)

    def finish(self) -> list[SampleBlock]:
        """What was held back because it was not clear yet whether samples were missing before it."""
        return [*self._blocks(self._alignment.finish()), *self._block(*_nothing(self._channels), last=True)]

    @property
    def zero_arrival_ns(self) -> int | None:
        """Host clock at `t_s` = 0, None before the first sample."""
        return self._axis.arrival_ns

    def _fresh(self, batch: PacketBatch, faults: Faults) -> IntArray:
        """Places of the notifications of the frame stream that are neither replies nor repetitions."""
        size = np.diff(batch.ends)
        faults.extend((i, "unknown characteristic") for i in columns.others(batch, FRAMES, COMMANDS))
        packet = columns.of(batch, FRAMES)
        faults.extend((i, "empty notification") for i in packet[size[packet] == 0].tolist())
        packet = packet[size[packet] > 0]
        if not packet.size:
            return packet
        odd = self._repeated(batch, packet)
        faults.extend((int(packet[i]), DUPLICATE) for i in odd)
        last = int(packet[-1])
        self._seen = batch.data[batch.ends[last] : batch.ends[last + 1]]
        octets = np.frombuffer(batch.data, np.uint8)
        size = size[packet]
        perhaps = np.isin(size, _STATE_BYTES) | (octets[batch.ends[packet]] == _GREETING[0])
        for i in np.flatnonzero(perhaps).tolist():
            payload = batch.data[batch.ends[packet[i]] : batch.ends[packet[i] + 1]]
            if is_reply(payload, self._alignment.size):
                odd.append(i)
        return np.delete(packet, odd) if odd else packet

    def _repeated(self, batch: PacketBatch, packet: IntArray) -> list[int]:
        """Which of these notifications, none empty, are the one before once more."""
        least, ends = self._alignment.size, batch.ends[packet + 1]
        size = ends - batch.ends[packet]
        likely = np.flatnonzero((size[1:] == size[:-1]) & (size[1:] >= least)) + 1
        tails = [columns.gathered(batch.data, ends[place] - least, least) for place in (likely, likely - 1)]
        likely = likely[(tails[0] == tails[1]).all(axis=1)]
        payloads = {i: batch.data[batch.ends[packet[i]] : ends[i]] for one in likely.tolist() for i in (one - 1, one)}
        repeated = [i for i in likely.tolist() if payloads[i] == payloads[i - 1]]
        first = batch.data[batch.ends[packet[0]] : ends[0]]
        return [0, *repeated] if first == self._seen and len(first) >= least else repeated

    def _blocks(self, found: Found) -> list[SampleBlock]:
        if not found.arrival_ns.size:
            return []
        sequence = found.octets[:, -1] >> 4
        missing = np.empty_like(sequence)
        missing[0] = (int(sequence[0]) - self._sequence - 1) % _TURN
        missing[1:] = sequence[1:] - sequence[:-1] - np.uint8(1) & np.uint8(_TURN - 1)
        missing[found.begins] = 0
        self._sequence = int(sequence[-1])
        # Frames of one notification that follow each other are one packet, whatever came at the same instant.
        first = np.flatnonzero(found.is_first | (missing > 0))
        count = np.diff(np.append(first, sequence.size))
        return self._block(found.arrival_ns[first], count, missing[first].astype(np.int64), found.octets)

    def _block(
        self, arrival_ns: IntArray, count: IntArray, missing: IntArray, octets: Octets, *, last: bool = False
    ) -> list[SampleBlock]:
        known = self._stream.take(arrival_ns, count, missing, octets, last=last)
        if known is None:
            return []
        names = tuple(str(i + 1) for i in range(self._channels))
        values = microvolts(known[1], self._channels)
        return [SampleBlock(Modality.EMG, known[0], values, names, self._stream.rate_hz)]


def _nothing(channels: int) -> tuple[IntArray, IntArray, IntArray, Octets]:
    none = np.zeros(0, np.int64)
    return none, none, none, np.zeros((0, FRAME_BYTES[channels]), np.uint8)


def microvolts(octets: Octets, channels: int) -> FloatArray:
    """(n, channels) EMG of (n, size) frames; the bytes are counted from the end."""
    made = np.empty((len(octets), channels))
    for channel in range(channels):
        made[:, channel] = _CHANNELS[channel](lambda i: octets[:, -1 - i].astype(np.uint16))
        made[:, channel] /= 1 << _BITS[channel]
    made -= 0.5
    made *= _FULL_UV
    return made


def is_reply(payload: bytes, frame_bytes: int) -> bool:
    """A version's text, or a state: its CRC agrees as a whole and not as that of a frame."""
    if payload.startswith(_GREETING):
        return True
    frame = payload[:frame_bytes]
    return is_state(payload) and crc4(frame[:-1] + bytes((frame[-1] & 0xF0,))) != frame[-1] & 0x0F


def _channels(settings: Settings) -> int:
    stated = settings.get("channels", 1)
    return stated if isinstance(stated, int) and stated in FRAME_BYTES else 1


def recognises(advert: Advert) -> bool:
    """The name; the service is not always advertised. Boards of classic Bluetooth never show in a scan."""
    return SERVICE in advert.services or "bitalino" in (advert.name or "").lower()


def start(settings: Settings) -> Script[Settings]:
    """End what an earlier session left running; version and state; rate; go."""
    asked = float(settings.get("rate_hz", RATES_HZ[0]))
    rate_hz = min(RATES_HZ, key=lambda rate: abs(rate - asked))
    channels = settings.get("channels", 1)
    if channels not in FRAME_BYTES:
        raise DeviceRefusedError(f"the BITalino has 1 to 6 channels, not {channels}")
    yield from _order(_STOP)  # before anybody listens: what is left of that session is no beginning of this one
    yield Subscribe(FRAMES)
    yield Subscribe(COMMANDS)
    firmware = yield from _version()
    battery = (yield from _state_battery()) if firmware and _number(firmware) >= _HAS_STATE else None
    yield from _order(_RATE_CODE[rate_hz] << 6 | 0x03)
    yield from _order(0x01 | ((1 << channels) - 1) << 2)
    granted = {"rate_hz": rate_hz, "channels": channels, "firmware": firmware, "battery_raw": battery}
    return dict(settings) | granted


def stop(settings: Settings) -> Script[None]:
    """Stop, then listen no more."""
    yield from _order(_STOP)
    yield Unsubscribe(FRAMES)
    yield Unsubscribe(COMMANDS)


def _order(command: int) -> Script[None]:
    yield Write(COMMANDS, bytes((command,)))
    yield Pause(_APART_S)


def _version() -> Script[str | None]:
    """The text behind `BITalino_v`, None where no answer comes."""
    yield from _order(_VERSION)
    reply = yield from _reply(lambda payload: payload.startswith(_GREETING))
    if reply is None:
        return None
    text = reply.split(b"\n")[0].decode(errors="replace").strip()
    return text.partition("_v")[2] or text


def _state_battery() -> Script[int | None]:
    """The raw number of the battery's channel, 0..1023."""
    yield from _order(_STATE)
    reply = yield from _reply(is_state)
    return int.from_bytes(reply[12:14], "little") if reply else None


def is_state(payload: bytes) -> bool:
    """The right length, seven numbers of ten bits (the analog channels, the battery), and a CRC that agrees."""
    if len(payload) not in _STATE_BYTES or any(high > 3 for high in payload[1:14:2]):
        return False
    return crc4(payload[:-1] + bytes((payload[-1] & 0xF0,))) == payload[-1] & 0x0F


def _reply(matches: Callable[[bytes], bool]) -> Script[bytes | None]:
    """From the frame stream or the command characteristic: the documents do not say from which."""
    reply = yield Expect(FRAMES, matches, _REPLY_S)
    return reply or (yield Expect(COMMANDS, matches, _REPLY_S))


def _number(firmware: str) -> float:
    try:
        return float(firmware[:3])
    except ValueError:
        return 0.0


DRIVER = Driver(
    name="bitalino",
    title="BITalino (r)evolution with Bluetooth LE",
    decoder=BitalinoDecoder,
    recognises=recognises,
    start=start,
    stop=stop,
    defaults={"rate_hz": 1000, "channels": 1},
    packet_interval_s=0.1,
    facts=Facts(
        measures="emg",
        best_rate_hz=1000,
        clock=None,
        loss="sequence of 16",
        ranges="1.6 mV, 10 bits (A1 to A4) or 6",
        battery=False,
        vibrates=False,
        seen="documents; not on a device by us",
        caution="All channels are read as EMG, whatever is plugged in, and the battery cannot be read as it streams.",
    ),
)
