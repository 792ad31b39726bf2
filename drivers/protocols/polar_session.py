"""How a Polar sensor is started and stopped: the conversation on its control point. Sans-IO.

Both characteristics are subscribed before the first write, commands go one at a time, streams start one after
another. SDK mode is switched on only for a rate or range that the normal mode does not offer, and off again
otherwise, because heart rate stops in it.

Source: polarofficial/polar-ble-sdk at 8fb5311c, "Online measurement" (Aug 2024) and SdkModeExplained.md
(certain). Inferred: that status 6 on a start means a stream left by a session that died, and status 10 an MTU
too small for SDK mode; the sensor then runs in normal mode.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.protocols.polar_control import (
    CONTROL,
    DATA,
    STATUS_TEXT,
    Answer,
    ControlPoint,
    Op,
    Setting,
    read_settings,
    recognises,
)
from drivers.protocols.polar_control import start as start_bytes
from drivers.protocols.polar_control import stop as stop_bytes
from drivers.script import DeviceRefusedError, Expect, Read, Script, Subscribe, Unsubscribe, Write

ACC, GYRO, SDK = 2, 5, 9
RANGE_KEY = {ACC: "acc_range_g", GYRO: "gyr_range_deg_s"}
ALREADY, BAD_MTU, BAD_STATE = 6, 10, 12
ANSWER_S, STOP_ANSWER_S = 10.0, 3.0

_SENT = (Setting.RATE_HZ, Setting.RESOLUTION_BITS, Setting.RANGE, Setting.CHANNELS)
_FIX = {
    8: "ask for another rate",
    9: "ask for another range",
    10: "use an adapter that allows larger packets",
    13: "take it out of its charger",
    14: "free its memory with the Polar app",
}

Offer = dict[Setting, list[float]]


def is_polar(advert: Advert) -> bool:
    """Whether an advertisement is a Polar sensor's."""
    return recognises(advert.name, tuple(advert.manufacturer_data), tuple(advert.services))


def start(settings: Settings) -> Script[Settings]:
    """Start every motion stream the sensor has, at the offered settings nearest to those asked for."""
    yield Subscribe(CONTROL)
    yield Subscribe(DATA)
    features = (yield Read(CONTROL)) or b""
    measurements = [measurement for measurement in RANGE_KEY if _has(features, measurement)]
    if not measurements:
        raise DeviceRefusedError("this Polar sensor offers no movement; wear a Verity Sense, OH1 or H10")
    if not _has(features, SDK):
        return dict(settings) | (yield from _start_all(measurements, settings))
    if (yield from _needs_sdk(measurements, settings)):
        granted = yield from _start_in_sdk(measurements, settings)
        if granted is not None:
            return dict(settings) | granted | {"sdk_mode": True}
        yield from _switch_sdk(on=False)
    return dict(settings) | (yield from _start_all(measurements, settings)) | {"sdk_mode": False}


def stop(settings: Settings) -> Script[None]:
    """Stop the streams: an H10 left streaming stays on until its battery is empty."""
    for measurement in RANGE_KEY:
        yield from _try(stop_bytes(measurement))
    if settings.get("sdk_mode"):
        yield from _try(stop_bytes(SDK))
    yield Unsubscribe(DATA)
    yield Unsubscribe(CONTROL)


def _has(features: bytes, measurement: int) -> bool:
    """Byte 1 holds types 0..7, byte 2 types 8..15."""
    at = 1 + measurement // 8
    return len(features) > at and features[0] == 0x0F and bool(features[at] >> measurement % 8 & 1)


def _needs_sdk(measurements: list[int], settings: Settings) -> Script[bool]:
    """Whether SDK mode comes nearer to what was asked for; leaves it off."""
    if any((yield from _ask(bytes((Op.SDK_STATUS,)))).params):
        yield from _switch_sdk(on=False)
    for measurement in measurements:
        normal = yield from _offer(Op.SETTINGS, measurement)
        if _misses(normal, measurement, settings) == 0:
            continue
        more = yield from _offer(Op.SDK_SETTINGS, measurement)
        if _misses(more, measurement, settings) < _misses(normal, measurement, settings):
            return True
    return False


def _misses(offer: Offer, measurement: int, settings: Settings) -> float:
    """How far the nearest settings are from those asked for, as a share of what was asked."""
    return sum(
        abs(_nearest(offer[item], value) - value) / max(abs(value), 1.0)
        for item, value in _wanted(measurement, settings).items()
        if offer.get(item)
    )


def _wanted(measurement: int, settings: Settings) -> dict[Setting, float]:
    asked = {Setting.RATE_HZ: settings.get("rate_hz"), Setting.RANGE: settings.get(RANGE_KEY[measurement])}
    return {item: float(value) for item, value in asked.items() if value is not None}


def _start_in_sdk(measurements: list[int], settings: Settings) -> Script[dict[str, float] | None]:
    """Start in SDK mode; None where the link's packets are too small for it, nothing streams then."""
    yield from _switch_sdk(on=True)
    try:
        return (yield from _start_all(measurements, settings))
    except _SmallPacketsError:
        for measurement in measurements:
            yield from _ask(stop_bytes(measurement), may_be=(ALREADY,))
        return None


def _switch_sdk(*, on: bool) -> Script[None]:
    command = bytes((Op.START if on else Op.STOP, SDK))
    answer = yield from _ask(command, may_be=(ALREADY, BAD_STATE))
    if answer.status == BAD_STATE:  # a session that died left streams running
        for measurement in RANGE_KEY:
            yield from _try(stop_bytes(measurement))
        yield from _ask(command, may_be=(ALREADY,))


def _start_all(measurements: list[int], settings: Settings) -> Script[dict[str, float]]:
    granted: dict[str, float] = {}
    for measurement in measurements:
        granted |= yield from _start_stream(measurement, settings)
    return granted


def _start_stream(measurement: int, settings: Settings) -> Script[dict[str, float]]:
    offer = yield from _offer(Op.SETTINGS, measurement)
    wanted = _wanted(measurement, settings)
    chosen = {item: int(_nearest(values, wanted.get(item))) for item, values in offer.items() if item in _SENT}
    command = start_bytes(measurement, chosen)
    answer = yield from _ask(command, may_be=(ALREADY,))
    if answer.status == ALREADY:  # a session that died left it running
        yield from _ask(stop_bytes(measurement), may_be=(ALREADY,))
        yield from _ask(command)
    granted = {"rate_hz": float(chosen[Setting.RATE_HZ])}
    if Setting.RANGE in chosen:
        granted[RANGE_KEY[measurement]] = float(chosen[Setting.RANGE])
    return granted


def _offer(op: Op, measurement: int) -> Script[Offer]:
    """Settings that a measurement can run with; every item has values, the rate is among them."""
    answer = yield from _ask(bytes((op, measurement)))
    try:
        offer = {item: values for item, values in read_settings(answer.params).items() if values}
    except ValueError as error:
        raise DeviceRefusedError(f"the Polar sensor answers nonsense ({error}); update its firmware") from error
    if Setting.RATE_HZ not in offer:
        raise DeviceRefusedError("the Polar sensor offers no rate; update its firmware")
    return offer


def _nearest(values: list[float], wanted: float | None) -> float:
    if wanted is None:
        return values[0]
    return min(values, key=lambda value: abs(value - wanted))


class _SmallPacketsError(DeviceRefusedError):
    """Status 10."""


def _ask(payload: bytes, may_be: tuple[int, ...] = ()) -> Script[Answer]:
    """One command and its whole answer; a refusal ends the script."""
    yield Write(CONTROL, payload)
    control = ControlPoint()
    while True:
        part = yield Expect(CONTROL, _answers(payload), ANSWER_S)
        if part is None:
            raise DeviceRefusedError("the Polar sensor does not answer; switch it off and on, then try again")
        try:
            answer = control.read(part)
        except PacketError as error:
            raise DeviceRefusedError(
                f"the Polar sensor answers nonsense ({error.reason}); update its firmware"
            ) from error
        if isinstance(answer, Answer):
            break
    if answer.status and answer.status not in may_be:
        raise _refusal(answer.status)
    return answer


def _try(payload: bytes) -> Script[None]:
    """One command whose refusal changes nothing."""
    yield Write(CONTROL, payload)
    yield Expect(CONTROL, _answers(payload), STOP_ANSWER_S)


def _refusal(status: int) -> DeviceRefusedError:
    kind = _SmallPacketsError if status == BAD_MTU else DeviceRefusedError
    fix = _FIX.get(status, "switch it off and on, then try again")
    return kind(f"the Polar sensor refuses ({STATUS_TEXT.get(status, f'status {status}')}); {fix}")


def _answers(command: bytes) -> Callable[[bytes], bool]:
    """An answer repeats operation and measurement; commands without one are answered for any."""
    head = b"\xf0" + command[:2]
    return lambda payload: payload[: len(head)] == head and len(payload) > 3
