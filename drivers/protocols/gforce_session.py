"""How a gForce armband is recognised, asked, set to its rate, made to vibrate and stopped. Sans-IO.

A request is [code, payload], its reply [status, code, data]; one at a time. A reply that is longer than a packet
comes in parts [FF, index, bytes] whose index counts down to 0.

Source: oymotion/gForceSDKPython at f20dc45, oymotion/gforce_sdk_python at 1537ccf (commands, order: certain);
brainflow issue 703 (acc and gyro beside EMG disturb it, so EMG runs alone: tested by third parties). Inferred: that
nothing need be repeated to keep it awake. Asking for what was set before trusting it is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.script import DeviceRefusedError, Expect, Pause, Script, Subscribe, Unsubscribe, Write

SERVICE = "0000ffd0-0000-1000-8000-00805f9b34fb"
COMMAND = "f000ffe1-0451-4000-b000-000000000000"
DATA = "f000ffe2-0451-4000-b000-000000000000"
NAMES = ("gForce", "OHand", "ORE-", "OYEM-", "ORehab")

PARTIAL = 0xFF
OK = 0x00
FIRMWARE, BATTERY, MOTOR, NUMBERED, SET_EMG, GET_EMG, SWITCH = 0x06, 0x08, 0x24, 0x26, 0x3F, 0x46, 0x4F
RAW_EMG = 0x80
"""Bit of the switch."""

RATES_HZ = (500.0, 100.0, 200.0, 250.0, 650.0, 1000.0)
"""What the armband may run at, the maker's example first."""
FASTEST_12_BIT_HZ = 500.0
EMG_BYTES = 128
"""Payload of a data packet: 16 samples of eight bytes."""
ALL_CHANNELS = 0xFF
_REPLY_S = 2.0
_LONGEST_REPLY = 64
"""Parts; a reply in more of them is none."""
_SETTLE_S = 1.0
_BUZZ_S = 0.5


@dataclass(frozen=True, slots=True)
class EmgSettings:
    """How the armband samples EMG.

    Attributes:
        rate_hz: samples a second.
        mask: bit i is channel i + 1.
        bits: 8 or 12 of each sample.
    """

    rate_hz: float
    mask: int
    bits: int

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the channels that are sampled, in the order of the packet."""
        return tuple(str(i + 1) for i in range(8) if self.mask >> i & 1)

    @classmethod
    def told(cls, reply: bytes) -> EmgSettings | None:
        """Out of the reply to request 46; None where it is not one, or tells what no armband can do."""
        if len(reply) != 8 or reply[0] != OK or reply[1] != GET_EMG:
            return None
        rate_hz, mask = (int.from_bytes(reply[at : at + 2], "little") for at in (2, 4))
        if not 1 <= rate_hz <= 2000 or not 1 <= mask <= ALL_CHANNELS or reply[7] not in (8, 12):
            return None
        return cls(float(rate_hz), mask, reply[7])


def recognises(advert: Advert) -> bool:
    """Service FFD0, or a name of one of the maker's brands."""
    return SERVICE in advert.services or bool(advert.name and advert.name.startswith(NAMES))


def start(settings: Settings) -> Script[Settings]:
    """Quiet, firmware, rate and bits, read back; number the packets where it can; then listen."""
    yield Subscribe(COMMAND)
    firmware = _firmware_text((yield from _ask(FIRMWARE))[1])
    yield from _told(SWITCH, bytes(4), "stop streaming")
    wanted = yield from _set_emg(_wanted(settings))
    numbered = (yield from _ask(NUMBERED, b"\x01"))[0] == OK
    yield from _told(SWITCH, RAW_EMG.to_bytes(4, "little"), "stream EMG")
    yield Pause(_SETTLE_S)
    yield Subscribe(DATA)
    granted = {"rate_hz": wanted.rate_hz, "emg_bits": wanted.bits, "numbered": numbered, "firmware": firmware}
    return dict(settings) | granted


def stop(settings: Settings) -> Script[None]:
    """Stop listening, stop streaming."""
    yield Unsubscribe(DATA)
    yield Write(COMMAND, bytes((SWITCH, 0, 0, 0, 0)))
    yield Unsubscribe(COMMAND)


def battery() -> Script[int | None]:
    """Level in percent."""
    status, level = yield from _ask(BATTERY)
    return level[0] if status == OK and len(level) == 1 and level[0] <= 100 else None


def buzz() -> Script[None]:
    """Motor on, and off again."""
    yield Write(COMMAND, bytes((MOTOR, 1)))
    yield Pause(_BUZZ_S)
    yield Write(COMMAND, bytes((MOTOR, 0)))


def _wanted(settings: Settings) -> EmgSettings:
    """What to ask for.

    Raises:
        DeviceRefusedError: no armband can do that.
    """
    bits = settings.get("emg_bits", 8)
    if bits not in (8, 12):
        raise DeviceRefusedError(f"the gForce samples EMG with 8 or 12 bits, not {bits}")
    asked = float(settings.get("rate_hz", RATES_HZ[0]))
    able = [rate for rate in RATES_HZ if bits == 8 or rate <= FASTEST_12_BIT_HZ]
    return EmgSettings(min(able, key=lambda rate: abs(rate - asked)), ALL_CHANNELS, bits)


def _set_emg(wanted: EmgSettings) -> Script[EmgSettings]:
    """Sets rate and bits; old firmware knows 8 bits only. What the armband then says counts, where it says it."""
    request = int(wanted.rate_hz).to_bytes(2, "little") + bytes((wanted.mask, 0, EMG_BYTES))
    status, _ = yield from _ask(SET_EMG, request + bytes((wanted.bits,)))
    if status != OK and wanted.bits != 8:
        wanted = EmgSettings(wanted.rate_hz, wanted.mask, 8)
        status, _ = yield from _ask(SET_EMG, request + bytes((8,)))
    if status != OK:
        raise DeviceRefusedError(
            f"the gForce does not take {wanted.rate_hz:g} Hz (status {_named(status)}): update its firmware, "
            "or switch it off and on"
        )
    status, said = yield from _ask(GET_EMG)
    told = EmgSettings.told(bytes((OK, GET_EMG)) + said) if status == OK else None
    if told is not None and told.mask != ALL_CHANNELS:
        raise DeviceRefusedError("the gForce does not sample all of its channels: switch it off and on")
    return told or wanted


def _told(code: int, payload: bytes, what: str) -> Script[None]:
    """A request that must be granted."""
    status, _ = yield from _ask(code, payload)
    if status != OK:
        raise DeviceRefusedError(f"the gForce does not {what} (status {_named(status)}): switch it off and on")


def _ask(code: int, payload: bytes = b"") -> Script[tuple[int | None, bytes]]:
    """Status and data of the reply to a request; None where it does not come in time."""
    yield Write(COMMAND, bytes((code,)) + payload)
    gathered, due = b"", None
    for _ in range(_LONGEST_REPLY):
        reply = yield Expect(COMMAND, _answers(code, due), _REPLY_S)
        if reply is None:
            return None, b""
        if reply[0] != PARTIAL:
            return reply[0], reply[2:]
        gathered, due = gathered + reply[2:], reply[1] - 1
        if due < 0:
            break
    return (gathered[0], gathered[2:]) if gathered[1:2] == bytes((code,)) else (None, b"")


def _answers(code: int, due: int | None) -> Callable[[bytes], bool]:
    """A whole reply to this request, or, where one is under way, its next part."""

    def matches(packet: bytes) -> bool:
        if len(packet) < 2:
            return False
        if packet[0] != PARTIAL:
            return due is None and packet[1] == code
        return due in (None, packet[1])

    return matches


def _firmware_text(data: bytes) -> str | None:
    """Text, or up to four numbers."""
    if len(data) <= 4:
        return ".".join(map(str, data)) or None
    return data.split(b"\0")[0].decode(errors="replace").strip() or None


def _named(status: int | None) -> str:
    known = {1: "unsupported", 2: "bad parameter", 3: "failed", 4: "time-out", None: "no answer"}
    return known.get(status, f"{status:02x}" if status is not None else "")
