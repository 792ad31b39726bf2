"""The fake radio in a process of its own: the ordinary program talks to it through DBUS_SYSTEM_BUS_ADDRESS.

    python -m drivers.virtual.process --socket PATH --sensor left=polar-pmd --sensor myo

prints the address to put into DBUS_SYSTEM_BUS_ADDRESS, then `ready`, and takes commands on standard input, one a
line, each answered with one line: `ok`, or what was asked for, or `error: ...`. SIGTERM and SIGINT end it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from drivers.virtual.bluez import FakeBlueZ
from drivers.virtual.faults import ConnectError, Mishap
from drivers.virtual.ledger import Ledger
from drivers.virtual.peripheral import Peripheral
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import Source, rocking

COMMANDS = """\
  sensors                        nicknames, names and addresses, as JSON
  ledger SENSOR                  its figures, as JSON
  stall SENSOR [S]               data stops, the link stays
  link_loss SENSOR               supervision timeout
  vanish SENSOR [S]              out of range
  battery_death SENSOR           off for good
  reboot SENSOR                  clock and counters begin anew
  forget SENSOR                  BlueZ removes the device
  fault SENSOR NAME=VALUE ...    change its faults: loss=0.1 duplicate=0.05 mtu=23 ...
  refuse SENSOR ERROR [TIMES]    so many further connects fail: ABORTED, PAGE_TIMEOUT, ...
  power off|on                   the adapter's switch
  adapter out|in                 the adapter itself
  permission off|on              whether programs may talk to bluetoothd
  restart_bus [S]                the system bus dies and is back after S seconds
  restart_daemon [S]             bluetoothd goes and is back after S seconds
"""

_ON_A_SENSOR = {
    "stall": Mishap.STALL,
    "link_loss": Mishap.LINK_LOSS,
    "vanish": Mishap.VANISH,
    "battery_death": Mishap.FLAT,
    "reboot": Mishap.REBOOT,
    "forget": Mishap.FORGOTTEN,
}


def thing(name: str) -> Any:
    """What `module:name` names."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def virtual_peripheral(driver: str) -> Peripheral:
    """The peripheral of a driver, as its module in this package makes it.

    Raises:
        ValueError: there is none.
    """
    try:
        module = import_module(f"drivers.virtual.{driver.replace('-', '_')}")
    except ModuleNotFoundError as error:
        raise ValueError(f"no virtual sensor for driver {driver!r}") from error
    return cast(Peripheral, module.VIRTUAL())


class Console:
    """Commands to the sensors and their host."""

    def __init__(self, bluez: FakeBlueZ, sensors: Mapping[str, VirtualSensor]) -> None:
        self._bluez = bluez
        self._sensors = sensors

    def obey(self, line: str) -> str:
        """One command; its answer.

        Raises:
            ValueError: not a command, or no such sensor.
        """
        word, *rest = line.split()
        if word == "sensors":
            return json.dumps([
                {"nick": nick, "name": sensor.name, "address": sensor.address} for nick, sensor in self._sensors.items()
            ])  # fmt: skip
        if word == "power" and rest in (["off"], ["on"]):
            self._bluez.power(on=rest == ["on"])
        elif word == "adapter" and rest in (["out"], ["in"]):
            self._bluez.plug(on=rest == ["in"])
        elif word == "permission" and rest in (["off"], ["on"]):
            self._bluez.permits = rest == ["on"]
        elif word in ("restart_bus", "restart_daemon"):
            restart = self._bluez.restart_bus if word == "restart_bus" else self._bluez.restart_daemon
            self._bluez.run(restart(float(rest[0]) if rest else 1.0))
        elif not rest:
            raise ValueError(f"what is {line!r}?")
        else:
            return self._on_sensor(word, self._sensor(rest[0]), rest[1:])
        return "ok"

    def _on_sensor(self, word: str, sensor: VirtualSensor, rest: Sequence[str]) -> str:
        if word in _ON_A_SENSOR:
            sensor.befall(_ON_A_SENSOR[word], *map(float, rest))
        elif word == "ledger":
            return json.dumps(_figures(sensor))
        elif word == "fault":
            pairs = [pair.partition("=") for pair in rest]
            changes: dict[str, Any] = {name: _number(value) for name, _, value in pairs}
            sensor.faults = replace(sensor.faults, **changes)
        elif word == "refuse":
            times = int(rest[1]) if len(rest) > 1 else 1
            for device in self._bluez.devices.values():
                if device.sensor is sensor:
                    device.refuse([ConnectError[rest[0].upper()]] * times)
        else:
            raise ValueError(f"what is {word!r}?")
        return "ok"

    def _sensor(self, name: str) -> VirtualSensor:
        """By nickname, else number, or by address."""
        for nick, sensor in self._sensors.items():
            if name in (nick, sensor.address):
                return sensor
        raise ValueError(f"no sensor {name!r}")


def _number(value: str) -> float:
    return float(value) if "." in value else int(value)


def _figures(sensor: VirtualSensor) -> dict[str, object]:
    ledger = sensor.ledger
    return {
        "life_s": sensor.life_s,
        "linked": sensor.linked,
        "links": ledger.links,
        "made": ledger.made,
        "fates": {fate.value: count for fate, count in ledger.fates.items()},
    }


async def serve(
    socket: Path, sensors: Mapping[str, VirtualSensor], *, until_eof: bool = False, say: Callable[[str], None] = print
) -> None:
    """Run the fake radio with these sensors until SIGTERM, SIGINT or, if wanted, the end of standard input.

    Args:
        socket: of the bus; its folder must exist.
        sensors: to put on the air, by the names that commands call them.
        until_eof: end when standard input does, so that a child does not outlive its parent.
        say: where answers go, a line at a time.
    """
    bluez = FakeBlueZ(socket)
    bluez.start()
    for sensor in sensors.values():
        await bluez.add(sensor)
    done = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, done.set)
    listening = asyncio.create_task(_listen(Console(bluez, sensors), say, done if until_eof else None))
    say(bluez.address)
    say("ready")
    await done.wait()
    listening.cancel()
    await bluez.close()


async def _listen(console: Console, say: Callable[[str], None], done: asyncio.Event | None) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    except (OSError, ValueError):
        return  # standard input is closed, or a file that cannot be waited for
    while line := (await reader.readline()).decode(errors="replace"):
        if line.strip():
            try:
                say(console.obey(line))
            except (ValueError, TypeError, KeyError, IndexError) as error:
                say(f"error: {error}")
    if done is not None:
        done.set()


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m drivers.virtual.process",
        description="A fake Bluetooth radio with virtual sensors, for Linux.",
        epilog="commands on standard input:\n" + COMMANDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--socket", type=Path, required=True, help="where the bus listens; shorter than 108 bytes")
    parser.add_argument("--sensor", action="append", default=[], metavar="[NICK=]DRIVER",
                        help="driver name, or module:callable that makes a peripheral; again for more")  # fmt: skip
    parser.add_argument("--source", metavar="MODULE:CALLABLE", help="makes what the sensors feel; a rocking shank else")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--until-eof", action="store_true", help="end when standard input does")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run from the command line."""
    given = arguments(argv)
    source: Source = thing(given.source)() if given.source else rocking()
    sensors: dict[str, VirtualSensor] = {}
    for number, wanted in enumerate(given.sensor):
        nick, _, driver = wanted.rpartition("=")
        peripheral = thing(driver)() if ":" in driver else virtual_peripheral(driver)
        taken = [sensor.name for sensor in sensors.values()]
        name = peripheral.local_name
        sensors[nick or str(number)] = VirtualSensor(
            peripheral, source, name=f"{name[:-1]}{number}" if name in taken else name,
            address=f"C0:00:00:00:00:{number + 1:02X}", seed=given.seed, ledger=Ledger(keep=False),
        )  # fmt: skip
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(given.socket, sensors, until_eof=given.until_eof, say=_say))


def _say(text: str) -> None:
    os.write(sys.stdout.fileno(), text.encode() + b"\n")


if __name__ == "__main__":
    main()
