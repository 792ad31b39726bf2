"""How a MetaMotion board is recognised, got to know, started, made to blink and stopped. Sans-IO.

Modules are discovered by asking; a board that a dead session left sampling is stopped and cleared first, because it
would not start anew and its cell runs down meanwhile. Where the data processor is there, pairs of samples come with
the board's own clock; otherwise, and above 50 Hz, where pairs would be too many packets for some adapters, three
samples a packet without any time.

Source: mbientlab/MetaWear-SDK-Cpp at f67699e (orders, commands: certain); what stays on after a link that broke, and
that the board is to end the link itself: its issue 12, MetaWear-SDK-Android issue 32 (users). Inferred: that writes
with response are taken (the SDK writes without), and that a processor that packs may feed one that stamps, which the
SDK's tests show for counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivers.clocks.device import nominal_rate_hz
from drivers.decoder import Settings
from drivers.driver import Advert
from drivers.protocols import metamotion_layout as layout
from drivers.protocols.full_scale import nearest
from drivers.protocols.metamotion_layout import COMMAND, NOTIFY, Chip, Module, Processor
from drivers.script import DeviceRefusedError, Expect, Script, Subscribe, Unsubscribe, Write

ANSWER_S = 1.0
"""The makers' programs wait half of this for a module to answer."""
TIMED_HZ = 50.0
"""Two sensors at this rate are 50 packets a second; at 100 Hz they would be 100, and 67 is known to work."""
_FASTER = bytes.fromhex("1109 0600 0C00 0000 5802")
"""Connection interval 7.5 to 15 ms, no latency, timeout 6 s."""
_FORGET_PROCESSORS = bytes((Module.PROCESSOR, Processor.REMOVE_ALL))
_HANG_UP = bytes((Module.DEBUG, 0x06))
_BLINK = bytes.fromhex("0203 02 02 1F00 0000 FA00 0000 F401 0000 04")
"""Blue, full and dark for a quarter of a second each, four times."""
_PLAY = bytes((Module.LED, 0x01, 0x01))
_DARK = bytes((Module.LED, 0x02, 0x01))
_VIBRATE = bytes.fromhex("0801 F8 F401 00")
"""Full duty, half a second."""


def recognises(advert: Advert) -> bool:
    """The maker's service; the name is the wearer's own."""
    return layout.SERVICE in advert.services


def start(settings: Settings) -> Script[Settings]:
    """Halt, discover, clear, configure, and start the gyroscope just before the accelerometer.

    What a dead session left running is halted before anybody listens: its packets would come between two gaps.
    """
    for module in (Module.GYR, Module.ACC):
        yield Write(COMMAND, bytes((module, 0x01, 0)))
    yield Subscribe(NOTIFY)
    acc = yield from _implementation(Module.ACC)
    if acc not in layout.ACCS:
        found = "none that answers" if acc is None else f"number {acc}"
        raise DeviceRefusedError(
            f"this MetaWear board's accelerometer ({found}) is not one of a MetaMotion R, RL or S; use one of these"
        )
    gyr = yield from _implementation(Module.GYR)
    chips = [layout.ACCS[acc], *([layout.GYRS[gyr]] if gyr in layout.GYRS else [])]
    processes = (yield from _implementation(Module.PROCESSOR)) is not None
    yield from _clear(chips)
    granted = _granted(settings, has_gyro=len(chips) > 1)
    rate_hz = granted["rate_hz"]
    yield Write(COMMAND, _FASTER)
    yield Write(COMMAND, layout.acc_config(acc, rate_hz, granted["acc_range_g"]))
    if len(chips) > 1:
        yield Write(COMMAND, layout.gyr_config(rate_hz, granted["gyr_range_deg_s"]))
    timed = processes and rate_hz <= TIMED_HZ and (yield from _timed(chips))
    if not timed:
        for chip in chips:
            yield Write(COMMAND, layout.subscription(chip, chip.packed, on=True))
    for chip in reversed(chips):
        for command in layout.switching(chip, on=True):
            yield Write(COMMAND, command)
    return dict(settings) | granted | {"acc_chip": acc, "gyr_chip": gyr, "accounter": "time" if timed else None}


def stop(settings: Settings) -> Script[None]:
    """Stop, clear, and have the board end the link: one that is only cut off goes on sampling."""
    acc, gyr = settings.get("acc_chip"), settings.get("gyr_chip")
    yield from _clear([chips[number] for chips, number in ((layout.ACCS, acc), (layout.GYRS, gyr)) if number in chips])
    yield Unsubscribe(NOTIFY)
    yield Write(COMMAND, _HANG_UP, response=False)


def buzz() -> Script[None]:
    """Blinks; vibrates as well where a haptic driver answers."""
    fitted = (yield from _implementation(Module.HAPTIC)) is not None
    for command in (_DARK, _BLINK, _PLAY, *([_VIBRATE] if fitted else [])):
        yield Write(COMMAND, command)


def _granted(settings: Settings, *, has_gyro: bool) -> dict[str, float]:
    asked_hz = nominal_rate_hz(settings.get("rate_hz")) or TIMED_HZ
    granted = {
        "rate_hz": nearest(tuple(layout.RATE_CODE), asked_hz, TIMED_HZ),
        "acc_range_g": nearest(layout.ACC_RANGES_G, settings.get("acc_range_g"), layout.USUAL_G),
    }
    if has_gyro:
        asked = settings.get("gyr_range_deg_s")
        granted["gyr_range_deg_s"] = nearest(layout.GYR_RANGES_DEG_S, asked, layout.USUAL_DEG_S)
    return granted


def _implementation(module: Module) -> Script[int | None]:
    """The number a module answers discovery with; None where it is absent or silent."""
    yield Write(COMMAND, bytes((module, layout.READ)))
    answer = yield Expect(NOTIFY, _begins(module, layout.READ), ANSWER_S)
    return answer[2] if answer is not None and len(answer) > 2 else None


def _clear(chips: Sequence[Chip]) -> Script[None]:
    """Everything that a session switches on goes off, and every processor away."""
    for chip in chips:
        for command in layout.switching(chip, on=False):
            yield Write(COMMAND, command)
        for register in (chip.data, chip.packed):
            yield Write(COMMAND, layout.subscription(chip, register, on=False))
    yield Write(COMMAND, _FORGET_PROCESSORS)


def _timed(chips: Sequence[Chip]) -> Script[bool]:
    """Has pairs of samples come with the board's clock; whether the board made all the processors for it."""
    stamping = []
    for chip in chips:
        packing = yield from _made(layout.packer(chip))
        made = None if packing is None else (yield from _made(layout.accounter(packing)))
        if made is None:
            yield Write(COMMAND, _FORGET_PROCESSORS)
            return False
        stamping.append(made)
    yield Write(COMMAND, bytes((Module.PROCESSOR, Processor.NOTIFY, 1)))
    for made in stamping:
        yield Write(COMMAND, bytes((Module.PROCESSOR, Processor.NOTIFY_ENABLE, made, 1)))
    return True


def _made(command: bytes) -> Script[int | None]:
    """The number of a new processor."""
    yield Write(COMMAND, command)
    answer = yield Expect(NOTIFY, _begins(Module.PROCESSOR, Processor.ADD), ANSWER_S)
    return answer[2] if answer is not None and len(answer) > 2 else None


def _begins(module: int, register: int) -> Callable[[bytes], bool]:
    return lambda payload: payload[:2] == bytes((module, register))
