"""How a Myo armband is recognised, started, kept awake, made to vibrate and stopped. Sans-IO.

Source: thalmiclabs/myo-bluetooth at c79c1a5, `myohw.h` (commands: certain); the order, that the firmware must
be 1.0 or newer and that all four EMG characteristics must be subscribed: tested by third parties
(PerlinWarp/pyomyo, iomz/dl-myo, Open-Myo). Repeating the sleep mode every minute is inferred. Deep sleep
(command 04) is never sent: only USB wakes the band from it.
"""

from __future__ import annotations

from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.script import DeviceRefusedError, Read, Script, Subscribe, Unsubscribe, Write


def _uuid(short: str) -> str:
    return f"d506{short}-a904-deb9-4748-2c7f4a124842"


SERVICE = _uuid("0001")
INFO, FIRMWARE, COMMAND = _uuid("0101"), _uuid("0201"), _uuid("0401")
IMU, MOTION, CLASSIFIER, FILTERED = _uuid("0402"), _uuid("0502"), _uuid("0103"), _uuid("0104")
EMG = tuple(_uuid(short) for short in ("0105", "0205", "0305", "0405"))
"""In the order of their turn."""

EMG_MODE = {"filtered": 2, "raw": 3}
STAY_AWAKE = Write(COMMAND, bytes((0x09, 1, 1)))
_MAY_SLEEP = Write(COMMAND, bytes((0x09, 1, 0)))
_ALL_OFF = Write(COMMAND, bytes((0x01, 3, 0, 0, 0)))
_VIBRATE = Write(COMMAND, bytes((0x03, 1, 2)))


def recognises(advert: Advert) -> bool:
    """The control service; the name is the wearer's own."""
    return SERVICE in advert.services


def start(settings: Settings) -> Script[Settings]:
    """Check the firmware, forbid sleep, subscribe, set the mode; tells firmware and serial, too."""
    granted = dict(settings) | {"firmware": (yield from _firmware()), "serial": (yield from _serial())}
    mode = str(settings.get("emg_mode", "raw"))
    if mode not in EMG_MODE:
        raise DeviceRefusedError(f"the Myo has no EMG mode {mode!r}; use raw or filtered")
    yield STAY_AWAKE
    for characteristic in (*EMG, IMU):
        yield Subscribe(characteristic)
    yield Write(COMMAND, bytes((0x01, 3, EMG_MODE[mode], 1, 0)))
    return granted | {"rate_hz": 200.0, "emg_mode": mode, "acc_range_g": 16.0, "gyr_range_deg_s": 2000.0}


def stop(settings: Settings) -> Script[None]:
    """Mode off, unsubscribe, allow sleep again."""
    yield _ALL_OFF
    for characteristic in (*EMG, IMU):
        yield Unsubscribe(characteristic)
    yield _MAY_SLEEP


def buzz() -> Script[None]:
    """Half a second or so; the motor shows in the EMG while it runs (inferred)."""
    yield _VIBRATE


def _firmware() -> Script[str]:
    version = yield Read(FIRMWARE)
    if version is None or len(version) < 8:
        raise DeviceRefusedError("the Myo does not tell its firmware; charge it, then connect again")
    major, minor, patch = (int.from_bytes(version[at : at + 2], "little") for at in (0, 2, 4))
    if major < 1:
        raise DeviceRefusedError(
            f"the Myo's firmware {major}.{minor}.{patch} is too old; update it to 1.0 or newer with Myo Connect"
        )
    return f"{major}.{minor}.{patch}"


def _serial() -> Script[str | None]:
    """The info record begins with the address, reversed."""
    info = yield Read(INFO)
    return info[5::-1].hex("-").upper() if info and len(info) == 20 else None
