"""How a WitMotion sensor is recognised, set to its rate and asked for its battery. Sans-IO.

Source: WITMOTION/WitBluetooth_BWT901BLE5_0 at 9efaab0 (commands, registers: certain); that the rate works
without unlocking and saving, that the battery may read 0 shortly after connecting, and the table of
voltages: tested by third parties (LiDline/witmotion_wt901blecl_ts, getdoover/witmotion-sensors).
Reading the rate back before trusting it is ours.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.script import DeviceRefusedError, Expect, Pause, Script, Subscribe, Unsubscribe, Write

SERVICE = "0000ffe5-0000-1000-8000-00805f9a34fb"
NOTIFY = "0000ffe4-0000-1000-8000-00805f9a34fb"
COMMAND = "0000ffe9-0000-1000-8000-00805f9a34fb"
"""Some hardware revisions are reported to use the SIG base (9b34fb): whoever carries a script out takes the
characteristic with the same first eight digits where the exact one is missing."""
SERVICE_PREFIX, NOTIFY_PREFIX = "0000ffe5-", "0000ffe4-"
FRAME_BYTES = 20

RATE_CODE = {0.2: 1, 0.5: 2, 1.0: 3, 2.0: 4, 5.0: 5, 10.0: 6, 20.0: 7, 50.0: 8, 100.0: 9}
"""Register 0x03. Codes above 9 mean different rates in different documents, so they are never sent."""
_RATE, _VOLTAGE = 0x03, 0x64
BATTERY_EVERY_S = 60.0
"""No faster: reading registers disturbs the stream."""
_TRIES = 3
_PERCENT = (
    (396, 100), (393, 90), (387, 75), (382, 60), (379, 50), (377, 40), (373, 30), (370, 20), (368, 15), (350, 10),
    (340, 5),
)  # fmt: skip
"""Battery voltage in 1/100 V, at least -> percent. Sources differ by some percent."""


def recognises(advert: Advert) -> bool:
    """Service FFE5, or a name that starts with WT; the vibration sensors WTVB speak another language."""
    if advert.name and advert.name.upper().startswith("WTVB"):
        return False
    if any(service.startswith(SERVICE_PREFIX) for service in advert.services):
        return True
    return bool(advert.name and advert.name.startswith("WT"))


def start(settings: Settings) -> Script[Settings]:
    """Subscribe, set the rate (the default of 10 Hz is too slow for a calf), and read it back."""
    asked = float(settings.get("rate_hz", 100))
    rate_hz = min(RATE_CODE, key=lambda rate: abs(rate - asked))
    yield Subscribe(NOTIFY)
    for _ in range(_TRIES):
        yield Write(COMMAND, write_register(_RATE, RATE_CODE[rate_hz]))
        yield Pause(0.2)
        code = yield from _register(_RATE)
        if code in (None, RATE_CODE[rate_hz]):
            return dict(settings) | {"rate_hz": rate_hz, "acc_range_g": 16.0, "gyr_range_deg_s": 2000.0}
    raise DeviceRefusedError(f"the WitMotion sensor does not take {rate_hz:g} Hz; switch it off and on, then try again")


def stop(settings: Settings) -> Script[None]:
    """It streams while somebody listens."""
    yield Unsubscribe(NOTIFY)


def battery() -> Script[int | None]:
    """Percent by the cell's voltage; 0 volt, as shortly after connecting, is asked for again."""
    for _ in range(_TRIES):
        word = yield from _register(_VOLTAGE)
        if word is not None and word > 0:
            return percent_of(word)
        yield Pause(1.0)
    return None


def percent_of(voltage: int) -> int:
    """Percent of a voltage in 1/100 V."""
    return next((percent for least, percent in _PERCENT if voltage >= least), 0)


def read_register(register: int) -> bytes:
    """The command that asks for eight registers from this one on."""
    return bytes((0xFF, 0xAA, 0x27)) + register.to_bytes(2, "little")


def write_register(register: int, value: int) -> bytes:
    """The command that sets a register."""
    return bytes((0xFF, 0xAA, register)) + value.to_bytes(2, "little")


def words_of(frame: bytes) -> dict[int, int]:
    """Register -> signed word of a reply frame."""
    first = int.from_bytes(frame[2:4], "little")
    return {first + i: int.from_bytes(frame[4 + 2 * i : 6 + 2 * i], "little", signed=True) for i in range(8)}


def _register(register: int) -> Script[int | None]:
    yield Write(COMMAND, read_register(register))
    reply = yield Expect(NOTIFY, _replies(register), 2.0)
    if reply is None:
        return None
    at = reply.find(_reply_head(register))
    return words_of(reply[at : at + FRAME_BYTES])[register]


def _reply_head(register: int) -> bytes:
    return b"\x55\x71" + register.to_bytes(2, "little")


def _replies(register: int) -> Callable[[bytes], bool]:
    """A reply may stand between data frames; only a whole one at a frame's place counts."""

    def matches(payload: bytes) -> bool:
        at = payload.find(_reply_head(register))
        return at >= 0 and at % FRAME_BYTES == 0 and at + FRAME_BYTES <= len(payload)

    return matches
