"""How a Movella (Xsens) DOT is recognised, set to its rate, kept from sleeping, started and stopped. Sans-IO.

Rate and time-outs can be set only while it does not measure, so that a measurement left by a session that died is
ended first. Its second time-out, which switches the sensor and the link off after half an hour of connection,
is put out for the session and put back at the end.

Source: "Xsens DOT BLE Services Specifications" XD0506P rev. F and C (attributes, commands: certain);
xsens/xsens_dot_server, `bleHandler.js` (order). Inferred: that a stream does not count as activity for the second
time-out, so that it has to be put out. Advice of users: a mode that was changed while measuring may stay.
"""

from __future__ import annotations

from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.protocols.dot_modes import CLOSED, MODES, NAMES
from drivers.script import DeviceRefusedError, Pause, Read, Script, Subscribe, Unsubscribe, Write


def _uuid(short: str) -> str:
    return f"1517{short}-4947-11e9-8646-d663bd873d93"


CONFIGURATION = _uuid("1000")
INFO, DEVICE_CONTROL, REPORT = _uuid("1001"), _uuid("1002"), _uuid("1004")
CONTROL, HEADING = _uuid("2001"), _uuid("2007")
PAYLOAD = {name: _uuid(short) for name, short in (("long", "2002"), ("medium", "2003"), ("short", "2004"))}
BATTERY, MESSAGES = _uuid("3001"), _uuid("7003")

RATES_HZ = (1.0, 4.0, 10.0, 12.0, 15.0, 20.0, 30.0, 60.0)
"""Of a live stream; 120 Hz is for recording on board."""
USUAL_RATE_HZ, USUAL_MODE = 60.0, 21
_COMPANY = 0x0886
_INFO_BYTES, _CONTROL_BYTES = 34, 32
_VISIT_TIMEOUTS, _VISIT_RATE = 0x04, 0x10
_REST_S = 0.5


def recognises(advert: Advert) -> bool:
    """The maker's company id or the configuration service; the name is the wearer's own, unless it is the maker's."""
    if _COMPANY in advert.manufacturer_data or CONFIGURATION in advert.services:
        return True
    return bool(advert.name and advert.name.startswith(("Xsens DOT", "Movella DOT")))


def start(settings: Settings) -> Script[Settings]:
    """Stop what runs, set rate and time-outs, read them back, subscribe, start, and see that it measures."""
    mode = int(settings.get("mode", USUAL_MODE))
    if mode not in MODES:
        why = "a closed format" if mode in CLOSED else "no mode of it"
        raise DeviceRefusedError(f"the DOT's payload mode {mode} is {why}; use one of {', '.join(map(str, MODES))}")
    granted = dict(settings) | (yield from _identity())
    state = yield Read(CONTROL)
    if state is None or len(state) < 3 or state[1]:
        yield Write(CONTROL, bytes((1, 0, state[2] if state and len(state) > 2 else mode)))
        yield Pause(_REST_S)
    granted |= yield from _set_up(settings)
    yield Subscribe(PAYLOAD[MODES[mode].payload])
    yield Write(CONTROL, bytes((1, 1, mode)))
    state = yield Read(CONTROL)
    if state is not None and len(state) >= 3 and (state[1], state[2]) != (1, mode):
        raise DeviceRefusedError(f"the DOT does not start {NAMES[mode]}; switch it off and on, then try again")
    return granted | {"mode": mode, "acc_range_g": 16.0, "gyr_range_deg_s": 2000.0}


def stop(settings: Settings) -> Script[None]:
    """Stop measuring, unsubscribe, put the time-outs back."""
    mode = int(settings.get("mode", USUAL_MODE))
    yield Write(CONTROL, bytes((1, 0, mode)))
    if mode in MODES:
        yield Unsubscribe(PAYLOAD[MODES[mode].payload])
    timeouts_s = settings.get("timeouts_s")
    if timeouts_s:
        yield Write(DEVICE_CONTROL, device_control(timeouts_s=(int(timeouts_s[0]), int(timeouts_s[1]))))


def battery() -> Script[int | None]:
    """Percent; the second byte says whether it is being charged."""
    level = yield Read(BATTERY)
    return level[0] if level and level[0] <= 100 else None


def device_control(*, rate_hz: float | None = None, timeouts_s: tuple[int, int] | None = None) -> bytes:
    """A write that sets the stated fields only.

    Args:
        rate_hz: output rate.
        timeouts_s: seconds of advertising, and of connection, after which it goes to sleep; 0 = never.
    """
    fields = bytearray(_CONTROL_BYTES)
    if timeouts_s is not None:
        fields[0] |= _VISIT_TIMEOUTS
        fields[3:7] = bytes((*divmod(timeouts_s[0], 60), *divmod(timeouts_s[1], 60)))
    if rate_hz is not None:
        fields[0] |= _VISIT_RATE
        fields[24:26] = round(rate_hz).to_bytes(2, "little")
    return bytes(fields)


def _identity() -> Script[dict[str, str]]:
    """Firmware, serial number and product, where they can be read."""
    info = yield Read(INFO)
    if info is None or len(info) < _INFO_BYTES:
        return {}
    return {
        "firmware": ".".join(map(str, info[6:9])),
        "serial": f"{int.from_bytes(info[20:28], 'little'):016X}",
        "product": info[28:34].rstrip(b"\0").decode("ascii", "replace"),
    }


def _set_up(settings: Settings) -> Script[dict[str, object]]:
    """Rate and time-outs; what the wearer's time-outs were, as the session's first link found them."""
    asked = float(settings.get("rate_hz", USUAL_RATE_HZ))
    rate_hz = min(RATES_HZ, key=lambda rate: abs(rate - asked))
    before = yield Read(DEVICE_CONTROL)
    if before is None or len(before) < _CONTROL_BYTES:
        yield Write(DEVICE_CONTROL, device_control(rate_hz=rate_hz))
        return {"rate_hz": rate_hz}
    timeouts_s = (before[3] * 60 + before[4], before[5] * 60 + before[6])
    yield Write(DEVICE_CONTROL, device_control(rate_hz=rate_hz, timeouts_s=(timeouts_s[0], 0)))
    after = yield Read(DEVICE_CONTROL)
    if after is None or after[24:26] != round(rate_hz).to_bytes(2, "little"):
        raise DeviceRefusedError(f"the DOT does not take {rate_hz:g} Hz; switch it off and on, then try again")
    return {"rate_hz": rate_hz, "timeouts_s": list(settings.get("timeouts_s") or timeouts_s)}
