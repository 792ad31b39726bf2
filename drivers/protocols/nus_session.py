"""How a device of the open profile `soleus-nus` is recognised, verified, started and stopped. Sans-IO.

Layout: `devices/soleus_nus.md`. Not every device with the Nordic UART service is ours, so an advertisement is
only a candidate; the hello answer decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.protocols.nus_layout import (
    RX,
    SERVICE,
    STREAM_EMG,
    STREAM_IMU,
    TX,
    VERSION,
    Command,
    Hello,
    Kind,
    Reply,
    Started,
    buzz_command,
    read_hello,
    read_started,
    read_status,
    start_command,
)
from drivers.script import DeviceRefusedError, Expect, Script, Subscribe, Unsubscribe, Write

ANSWER_S = 3.0
BUZZ_MS = 500
_REFUSED = {
    Reply.UNKNOWN_COMMAND: "does not know the command; load the sketch of this version",
    Reply.WRONG_LENGTH: "finds the command too long or too short; load the sketch of this version",
    Reply.NOT_ABLE: "has none of the streams that were asked for",
}


def recognises(advert: Advert) -> bool:
    """The Nordic UART service: a candidate, until its hello is read."""
    return SERVICE in advert.services


def start(settings: Settings) -> Script[Settings]:
    """Hello, then every stream the device has, at the offered settings nearest to those asked for."""
    yield Subscribe(TX)
    hello = yield from _hello()
    wanted = _wanted(hello, settings)
    answer = yield from _ask(start_command(wanted), Command.START)
    if answer[2] == Reply.ALREADY_STREAMING:  # a session that died left it running
        yield from _ask(bytes((Command.STOP,)), Command.STOP)
        answer = yield from _ask(start_command(wanted), Command.START)
    if answer[2] != Reply.OK:
        raise DeviceRefusedError(f"the device {_REFUSED.get(Reply(answer[2]), 'refuses to start')}")
    started = read_started(answer)
    if started is None:
        raise DeviceRefusedError("the device does not say what it started; load the sketch of this version")
    return dict(settings) | _granted(hello, started)


def stop(settings: Settings) -> Script[None]:
    """Stop, and wait until it has."""
    yield Write(RX, bytes((Command.STOP,)))
    yield Expect(TX, _is_answer(Command.STOP), ANSWER_S)
    yield Unsubscribe(TX)


def battery() -> Script[int | None]:
    """Percent, by a status packet asked for."""
    yield Write(RX, bytes((Command.STATUS,)))
    payload = yield Expect(TX, _is_kind(Kind.STATUS), ANSWER_S)
    try:
        return read_status(payload).percent if payload else None
    except PacketError:
        return None


def buzz() -> Script[None]:
    """Half a second; a device that cannot vibrate answers so and nothing happens."""
    yield Write(RX, buzz_command(BUZZ_MS))


def _hello() -> Script[Hello]:
    yield Write(RX, bytes((Command.HELLO,)))
    payload = yield Expect(
        TX, lambda seen: len(seen) > 0 and seen[0] & 0x0F == Kind.HELLO and b"soleus" in seen, ANSWER_S
    )
    if payload is None:
        raise DeviceRefusedError(
            "this device uses the Nordic UART service for something else; load the soleus-nus sketch to use it"
        )
    if payload[0] >> 4 != VERSION:
        raise DeviceRefusedError(
            f"the device speaks version {payload[0] >> 4} of soleus-nus and this program version {VERSION}; "
            "load the sketch of this version"
        )
    try:
        return read_hello(payload)
    except PacketError as error:
        raise DeviceRefusedError("the device's hello cannot be read; load the soleus-nus sketch") from error


def _ask(command: bytes, code: Command) -> Script[bytes]:
    yield Write(RX, command)
    answer = yield Expect(TX, _is_answer(code), ANSWER_S)
    if answer is None:
        raise DeviceRefusedError("the device does not answer; switch it off and on, then try again")
    if answer[2] not in list(Reply):
        raise DeviceRefusedError(f"the device answers {answer[2]}; load the sketch of this version")
    return answer


def _is_kind(kind: Kind) -> Callable[[bytes], bool]:
    return lambda payload: payload[:1] == bytes((VERSION << 4 | kind,))


def _is_answer(code: Command) -> Callable[[bytes], bool]:
    head = bytes((VERSION << 4 | Kind.ANSWER, code))
    return lambda payload: payload[:2] == head and len(payload) > 2


def _wanted(hello: Hello, settings: Settings) -> Started:
    imu, emg = hello.acc, hello.emg_channels > 0
    return Started(
        (STREAM_IMU if imu else 0) | (STREAM_EMG if emg else 0),
        min(round(settings.get("rate_hz", 100)), hello.imu_hz) if imu else 0,
        min(round(settings.get("emg_rate_hz", 1000)), hello.emg_hz) if emg else 0,
        _code(hello.acc_codes, 1.0, settings.get("acc_range_g", 8)),
        _code(hello.gyr_codes, 125.0, settings.get("gyr_range_deg_s", 2000)),
        hello.emg_channels,
    )


def _code(codes: Sequence[int], unit: float, asked: float) -> int:
    """The offered range nearest to that asked for; 0 where none is offered."""
    return min(codes, key=lambda code: abs(unit * 2**code - asked), default=0)


def _granted(hello: Hello, started: Started) -> dict[str, object]:
    granted: dict[str, object] = {"firmware": hello.firmware}
    if started.streams & STREAM_IMU:
        granted |= {"rate_hz": float(started.imu_hz), "acc_range_g": float(2**started.acc_code)}
        if hello.gyr:
            granted["gyr_range_deg_s"] = 125.0 * 2**started.gyr_code
    if started.streams & STREAM_EMG:
        granted |= {"emg_rate_hz": float(started.emg_hz), "emg_channels": started.emg_channels}
    return granted
