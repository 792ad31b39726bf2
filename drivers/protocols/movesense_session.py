"""How a Movesense sensor is recognised, subscribed, asked for its charge and stopped. Sans-IO.

A command is a byte for what is wanted, a reference of the client's choice (1 to 255) and a path. Answers are
notifications too and may be lost, so that commands are repeated; old firmware answers a good subscription with
data alone. The sensor forgets all subscriptions when the link ends.

Source: movesense.com, "GATT SensorData Protocol" and copies of its sample `GATTSensorDataClient.cpp` (commands,
statuses: certain). Inferred: that a firmware without split payloads shows by their lack, and that IMU6 at 208 Hz
is too long for two parts while acc and gyro by themselves are not.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.protocols.movesense_frames import FIRST, HEADER_BYTES, RESULT, SECOND, layout_of
from drivers.protocols.standard_gatt import read_battery
from drivers.script import DeviceRefusedError, Expect, Script, Subscribe, Unsubscribe, Write


def _uuid(short: str) -> str:
    return f"3480{short}-7185-4d5d-b431-630e7050e8f0"


COMMAND, DATA = _uuid("0001"), _uuid("0002")
OLD_SERVICE = "0000fe06-0000-1000-8000-00805f9b34fb"
SERVICE = "0000fdf3-0000-1000-8000-00805f9b34fb"
_COMPANY = 0x009F
"""Suunto's: their watches have it too, so that it is never enough alone."""

ENERGY = "/System/Energy/Level"
RATES_HZ = (13.0, 26.0, 52.0, 104.0, 208.0)
_HELLO, _SUBSCRIBE, _UNSUBSCRIBE, _GET = 0, 1, 2, 4
_HELLO_REFERENCE, _ENERGY_REFERENCE = 200, 201
_OK = 200
LONGEST_PART_BYTES = 150
"""What firmwares that split put into one notification (a constant seen in one of them)."""
_TRIES = 3
_ANSWER_S = 2.0
_STATUS = {
    404: "its firmware has no such measurement; install one with the GATT SensorData Protocol",
    507: "all its subscriptions are taken; close other programs that use it",
}


def recognises(advert: Advert) -> bool:
    """Its name or its own service; the older service, which is a chip maker's, only with its company."""
    if advert.name and advert.name.startswith("Movesense"):
        return True
    return SERVICE in advert.services or (OLD_SERVICE in advert.services and _COMPANY in advert.manufacturer_data)


def start(settings: Settings) -> Script[Settings]:
    """Subscribe to acc and gyro at the rate nearest to that asked for, or at half of it where parts do not come."""
    yield Subscribe(DATA)
    granted = dict(settings) | (yield from _hello())
    asked = float(settings.get("rate_hz", 52))
    rates = sorted(RATES_HZ, key=lambda rate: abs(rate - asked))
    for rate_hz in (rate for rate in rates if rate <= rates[0]):
        streams = _streams(rate_hz)
        flowing = True
        for reference, path in streams.items():
            yield from _subscribe(reference, path)
            flowing = flowing and (yield from _is_whole(reference, path))
        if flowing:
            named = {str(reference): path for reference, path in streams.items()}
            return granted | {"rate_hz": rate_hz, "streams": named | {str(_ENERGY_REFERENCE): ENERGY}}
        for reference in streams:
            yield Write(COMMAND, bytes((_UNSUBSCRIBE, reference)))
    raise DeviceRefusedError("the Movesense sensor sends no whole data; switch it off and on, then try again")


def stop(settings: Settings) -> Script[None]:
    """Unsubscribe each stream."""
    for reference, path in dict(settings.get("streams") or {}).items():
        if path != ENERGY:
            yield Write(COMMAND, bytes((_UNSUBSCRIBE, int(reference))))
    yield Unsubscribe(DATA)


def battery() -> Script[int | None]:
    """Percent by the standard characteristic, or by the sensor's own resource."""
    percent = yield from read_battery()
    if percent is not None:
        return percent
    answer = yield from _ask(_GET, _ENERGY_REFERENCE, ENERGY)
    if answer is None or _status(answer) != _OK or len(answer) != HEADER_BYTES + 3:
        return None
    return answer[-1] if answer[-1] <= 100 else None


def command(code: int, reference: int, path: str = "") -> bytes:
    """Bytes of one command."""
    return bytes((code, reference)) + path.encode("ascii")


def _streams(rate_hz: float) -> dict[int, str]:
    """Reference -> path; a reference of its own for each path, so that old data is never taken for new."""
    place = 10 * (RATES_HZ.index(rate_hz) + 1)
    if rate_hz > 104:
        return {place: f"/Meas/Acc/{rate_hz:.0f}", place + 1: f"/Meas/Gyro/{rate_hz:.0f}"}
    return {place: f"/Meas/IMU6/{rate_hz:.0f}"}


def _hello() -> Script[dict[str, str]]:
    """Serial number and firmware, where the firmware tells them."""
    answer = yield from _ask(_HELLO, _HELLO_REFERENCE)
    if answer is None or answer[HEADER_BYTES:].startswith(b"Hello"):
        return {}
    # Protocol version, then serial, product, DFU address, app name and app version, each with a NUL.
    words = [word.decode("utf-8", "replace") for word in answer[HEADER_BYTES + 1 :].split(b"\0")]
    if len(words) < 5:
        return {}
    return {"serial": words[0], "firmware": f"{words[3]} {words[4]}".strip()}


def _subscribe(reference: int, path: str) -> Script[None]:
    answer = yield from _ask(_SUBSCRIBE, reference, path)
    if answer is None:
        raise DeviceRefusedError("the Movesense sensor does not answer; switch it off and on, then try again")
    if answer[0] == RESULT and _status(answer) != _OK:
        why = _STATUS.get(_status(answer), f"it answers {_status(answer)}; switch it off and on, then try again")
        raise DeviceRefusedError(f"the Movesense sensor refuses {path}: {why}")


def _is_whole(reference: int, path: str) -> Script[bool]:
    """False where payloads too long for one notification come cut off: old firmware does not split them."""
    layout = layout_of(path, None)
    if layout is None or layout.usual_bytes <= LONGEST_PART_BYTES:
        return True
    first = yield Expect(DATA, _starts(FIRST, reference), _ANSWER_S)
    if first is None or len(first) >= HEADER_BYTES + layout.usual_bytes:
        return True
    return (yield Expect(DATA, _starts(SECOND, reference), _ANSWER_S)) is not None


def _ask(code: int, reference: int, path: str = "") -> Script[bytes | None]:
    """One command and the first notification about it; repeated, because either may be lost."""
    for _ in range(_TRIES):
        yield Write(COMMAND, command(code, reference, path))
        answer = yield Expect(DATA, _about(reference), _ANSWER_S)
        if answer is not None:
            return answer
    return None


def _about(reference: int) -> Callable[[bytes], bool]:
    heads = bytes((RESULT, reference)), bytes((FIRST, reference))
    return lambda payload: payload[:HEADER_BYTES] in heads


def _starts(kind: int, reference: int) -> Callable[[bytes], bool]:
    return lambda payload: payload[:HEADER_BYTES] == bytes((kind, reference))


def _status(answer: bytes) -> int:
    """HTTP-like status; old firmware sends 507 the other way round."""
    word = answer[HEADER_BYTES : HEADER_BYTES + 2]
    return 507 if word == b"\x01\xfb" else int.from_bytes(word, "little")
