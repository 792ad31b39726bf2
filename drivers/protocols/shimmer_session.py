"""How a Shimmer3R is recognised, set, asked for its channels, started and stopped. Sans-IO.

Each command is answered by FF before anything else; the reply may come in the same notification, or be cut over
several. A sensor that a dead session left streaming is stopped before anybody listens: its frames would come between
two gaps.

Source: ShimmerResearch/shimmer-web-sdk at 4ae69dc (commands and their order: certain). Inferred: that a stop is
answered, too, and that 0.3 s are enough for it.
"""

from __future__ import annotations

from math import floor

from drivers.clocks.device import nominal_rate_hz
from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.errors import PacketError
from drivers.protocols import shimmer_layout as layout
from drivers.protocols.full_scale import nearest
from drivers.protocols.shimmer_layout import COMMAND, NOTIFY, Op, Schema, Sensor
from drivers.script import DeviceRefusedError, Expect, Pause, Script, Subscribe, Unsubscribe, Write

ANSWER_S = 1.5
"""As long as the maker's program waits."""
_STOP_S = 0.3
USUAL_HZ = 204.8
"""One rate for muscle and motion; above 200 Hz raw EMG is worth more than its envelope."""
_FASTEST_HZ, _SLOWEST_HZ = 1024.0, 25.0
_USUAL_G, _USUAL_DEG_S = 8.0, 2000.0
_PIECES = 8


def recognises(advert: Advert) -> bool:
    """The maker's service, or the name it leaves the factory with."""
    return layout.SERVICE in advert.services or bool(advert.name and advert.name.startswith("Shimmer3R"))


def start(settings: Settings) -> Script[Settings]:
    """Stop, set, ask for the channels, start."""
    yield Write(COMMAND, bytes((Op.STOP,)))
    yield Pause(_STOP_S)
    yield Subscribe(NOTIFY)
    firmware = yield from _firmware()
    wants_emg = settings.get("emg", True) is not False
    for command in _commands(settings, wants_emg=wants_emg):
        yield from _do(command)
    for ask in (Op.GET_WR_CALIBRATION, Op.GET_GYR_CALIBRATION):
        yield from _ask(ask, Op(ask - 1), layout.CALIBRATION_BYTES)
    schema = yield from _inquire()
    yield from _do(bytes((Op.START,)))
    return dict(settings) | _granted(schema) | {"firmware": firmware, "emg": wants_emg}


def stop(settings: Settings) -> Script[None]:
    """Stop, and wait a little for its word."""
    yield Write(COMMAND, bytes((Op.STOP,)))
    yield Expect(NOTIFY, _is_done, _STOP_S)
    yield Unsubscribe(NOTIFY)


def _commands(settings: Settings, *, wants_emg: bool) -> list[bytes]:
    asked_hz = min(max(nominal_rate_hz(settings.get("rate_hz")) or USUAL_HZ, _SLOWEST_HZ), _FASTEST_HZ)
    range_g = nearest(layout.WR_RANGES_G, settings.get("acc_range_g"), _USUAL_G)
    range_deg_s = nearest(layout.GYR_RANGES_DEG_S, settings.get("gyr_range_deg_s"), _USUAL_DEG_S)
    sensors = Sensor.WR_ACC | Sensor.GYR | (Sensor.EXG1_24 if wants_emg else 0)
    return [
        bytes((Op.SET_RATE,)) + floor(layout.CLOCK_HZ / asked_hz + 1e-6).to_bytes(2, "little"),
        bytes((Op.SET_WR_RANGE, layout.WR_RANGES_G.index(range_g))),
        bytes((Op.SET_GYR_RANGE, layout.GYR_RANGES_DEG_S.index(range_deg_s))),
        bytes((Op.SET_EXG_POWER, wants_emg)),
        bytes((Op.SET_SENSORS,)) + sensors.to_bytes(3, "little"),
    ]


def _granted(schema: Schema) -> dict[str, object]:
    granted: dict[str, object] = {"rate_hz": schema.rate_hz}
    for field in schema.fields:
        if field.group is layout.Group.WR_ACC:
            granted["acc_range_g"] = layout.WR_RANGES_G[field.code]
        if field.group is layout.Group.GYR and field.code < len(layout.GYR_RANGES_DEG_S):
            granted["gyr_range_deg_s"] = layout.GYR_RANGES_DEG_S[field.code]
        if field.group is layout.Group.EMG:
            granted["emg_rate_hz"] = schema.rate_hz
    return granted


def _firmware() -> Script[str | None]:
    said = yield from _ask(Op.GET_FIRMWARE, Op.FIRMWARE, 7)
    if said is None:
        return None
    return f"{int.from_bytes(said[3:5], 'little')}.{said[5]}.{said[6]}"


def _inquire() -> Script[Schema]:
    answer = yield from _ask(Op.INQUIRE, Op.INQUIRY, None)
    try:
        schema = layout.read_inquiry(answer or b"")
    except PacketError as error:
        raise DeviceRefusedError(
            f"the Shimmer does not say which channels it streams ({error.reason}); update its firmware to LogAndStream"
        ) from error
    if not any(field.group is layout.Group.WR_ACC for field in schema.fields):
        raise DeviceRefusedError("the Shimmer does not stream acceleration; update its firmware to LogAndStream")
    return schema


def _do(command: bytes) -> Script[bytes]:
    """Writes a command and waits until it is done; what came behind the answer in the same notification."""
    yield Write(COMMAND, command)
    answer = yield Expect(NOTIFY, _is_done, ANSWER_S)
    if answer is None:
        raise DeviceRefusedError("the Shimmer does not answer; switch it off and on, then try again")
    if answer[0] == Op.REFUSED:
        raise DeviceRefusedError(
            f"the Shimmer refuses command {command[0]:02x}; update its firmware to LogAndStream 1.0.22 or newer"
        )
    return answer[1:]


def _ask(command: Op, reply: Op, size: int | None) -> Script[bytes | None]:
    """Writes a command and collects its reply over as many notifications as it takes; None where it does not come."""
    told = yield from _do(bytes((command,)))
    for _ in range(_PIECES):
        whole = size or (layout.message_bytes(told) if told else 0) or 0
        if told and told[0] == reply and whole and len(told) >= whole:
            return told[:whole]
        more = yield Expect(NOTIFY, lambda payload: len(payload) > 0, ANSWER_S)
        if more is None:
            return None
        told = (told + more).lstrip(bytes((Op.DONE,)))  # an earlier command's answer may come late
    return None


def _is_done(payload: bytes) -> bool:
    return payload[:1] in (bytes((Op.DONE,)), bytes((Op.REFUSED,)))
