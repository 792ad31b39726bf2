"""How a Polar sensor is started and stopped: the conversation on its control point. Sans-IO.

Source: Polar BLE SDK, "Online measurement" (Aug 2024) and SdkModeExplained.md: both characteristics are
subscribed before the first write, commands go one at a time, streams start one after another.
"""

from __future__ import annotations

from collections.abc import Callable

from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.polar_control import (
    CONTROL,
    DATA,
    STATUS_TEXT,
    Answer,
    ControlPoint,
    Op,
    Setting,
    get_settings,
    read_settings,
    recognises,
)
from drivers.polar_control import start as start_bytes
from drivers.polar_control import stop as stop_bytes
from drivers.script import DeviceRefusedError, Expect, Read, Script, Subscribe, Unsubscribe, Write

ACC, GYRO = 2, 5
STREAMS = ((ACC, "acc_range_g"), (GYRO, "gyr_range_deg_s"))
ALREADY = 6
ANSWER_S = 10.0


def is_polar(advert: Advert) -> bool:
    """Whether an advertisement is a Polar sensor's."""
    return recognises(advert.name, tuple(advert.manufacturer_data), tuple(advert.services))


def start(settings: Settings) -> Script[Settings]:
    """Start every motion stream the sensor has, at the offered settings nearest to those asked for."""
    yield Subscribe(CONTROL)
    yield Subscribe(DATA)
    features = (yield Read(CONTROL)) or b""
    granted = dict(settings)
    for measurement, range_key in STREAMS:
        if _has(features, measurement):
            granted |= yield from _start_stream(measurement, settings, range_key)
    return granted


def stop(settings: Settings) -> Script[None]:
    """Stop the streams: an H10 left streaming stays on until its battery is empty."""
    for measurement, _ in STREAMS:
        yield Write(CONTROL, stop_bytes(measurement))
        yield Expect(CONTROL, _answers(Op.STOP, measurement), 3.0)
    yield Unsubscribe(DATA)
    yield Unsubscribe(CONTROL)


def _has(features: bytes, measurement: int) -> bool:
    return len(features) > 1 and features[0] == 0x0F and bool(features[1] >> measurement & 1)


def _start_stream(measurement: int, settings: Settings, range_key: str) -> Script[dict[str, float]]:
    offered = read_settings((yield from _ask(get_settings(measurement), measurement)).params)
    wanted = {Setting.RATE_HZ: settings.get("rate_hz"), Setting.RANGE: settings.get(range_key)}
    chosen = {item: int(_nearest(values, wanted.get(item))) for item, values in offered.items() if item in _SENT}
    answer = yield from _ask(start_bytes(measurement, chosen), measurement, may_be=(ALREADY,))
    if answer.status == ALREADY:  # a session that died left it running
        yield from _ask(stop_bytes(measurement), measurement)
        yield from _ask(start_bytes(measurement, chosen), measurement)
    return {"rate_hz": float(chosen[Setting.RATE_HZ]), range_key: float(chosen.get(Setting.RANGE, 0))}


_SENT = (Setting.RATE_HZ, Setting.RESOLUTION_BITS, Setting.RANGE, Setting.CHANNELS)


def _nearest(values: list[float], wanted: float | None) -> float:
    if wanted is None:
        return values[0]
    return min(values, key=lambda value: abs(value - wanted))


def _ask(payload: bytes, measurement: int, may_be: tuple[int, ...] = ()) -> Script[Answer]:
    """One command and its whole answer; a refusal ends the script."""
    yield Write(CONTROL, payload)
    control, op = ControlPoint(), payload[0]
    while True:
        part = yield Expect(CONTROL, _answers(op, measurement), ANSWER_S)
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
        raise DeviceRefusedError(f"the Polar sensor refuses to stream: {STATUS_TEXT.get(answer.status, answer.status)}")
    return answer


def _answers(op: int, measurement: int) -> Callable[[bytes], bool]:
    return lambda payload: payload[:3] == bytes((0xF0, op, measurement))
