"""The doctor's look at Bluetooth and at desktop notifications. Nothing here is needed for imports."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tracker.doctor import Finding, Machine, Verdict

_WITHOUT = "importing files works without"
_DAEMONS = ("usr/libexec/bluetooth/bluetoothd", "usr/lib/bluetooth/bluetoothd", "usr/sbin/bluetoothd")
_VERSION_WAIT_S = 3.0


def check_radio(machine: Machine) -> Iterator[Finding]:
    """The radio library, and on Linux what it talks to."""
    try:
        yield Finding("bleak", Verdict.OK, f"bleak {version('bleak')}")
    except PackageNotFoundError:
        yield Finding("bleak", Verdict.WARN, f"the radio library is missing; {_WITHOUT}", "pip install bleak")
    if machine.platform == "linux":
        yield _system_bus(machine)
        yield _bluez(machine)
        yield _adapter(machine)
        yield from _switches(machine)


def _system_bus(machine: Machine) -> Finding:
    address = machine.environ.get("DBUS_SYSTEM_BUS_ADDRESS", "")
    sockets = [machine.root / place for place in ("run/dbus/system_bus_socket", "var/run/dbus/system_bus_socket")]
    if address.startswith("unix:path="):
        sockets = [Path(address.removeprefix("unix:path=").split(",")[0])]
    found = next((socket for socket in sockets if socket.exists()), None)
    if found is None and not (address and not address.startswith("unix:path=")):
        text = f"there is no system bus, so no radio; {_WITHOUT}"
        return Finding("system bus", Verdict.WARN, text, "sudo systemctl start dbus")
    return Finding("system bus", Verdict.OK, str(found or address))


def _bluez(machine: Machine) -> Finding:
    daemon = next((path for place in _DAEMONS if (path := machine.root / place).exists()), None)
    if daemon is None:
        return Finding("bluez", Verdict.WARN, f"BlueZ is not installed; {_WITHOUT}", "sudo apt install bluez")
    try:
        told = subprocess.run(
            [daemon, "--version"], capture_output=True, text=True, timeout=_VERSION_WAIT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return Finding("bluez", Verdict.OK, f"{daemon}, of a version it does not tell")
    return Finding("bluez", Verdict.OK, f"BlueZ {told.stdout.strip()}")


def _adapter(machine: Machine) -> Finding:
    folder = machine.root / "sys/class/bluetooth"
    # Links have names of their own below the adapters, such as hci0:64.
    found = sorted(path.name for path in folder.glob("hci*") if ":" not in path.name)
    if found:
        return Finding("adapter", Verdict.OK, ", ".join(found))
    return Finding(
        "adapter",
        Verdict.WARN,
        f"there is no Bluetooth adapter; {_WITHOUT}",
        "plug in a Bluetooth LE adapter, or sudo modprobe btusb",
    )


def _switches(machine: Machine) -> Iterator[Finding]:
    """State of the adapters' radio switches."""
    for switch in sorted((machine.root / "sys/class/rfkill").glob("rfkill*")):
        if _read(switch / "type") != "bluetooth":
            continue
        name = _read(switch / "name") or switch.name
        if _read(switch / "hard") == "1":
            text = f"the radio of {name} is off by a switch or key of this machine; {_WITHOUT}"
            yield Finding("rfkill", Verdict.WARN, text, "turn it on by the switch or key")
        elif _read(switch / "soft") == "1":
            text = f"the radio of {name} is blocked; {_WITHOUT}"
            yield Finding("rfkill", Verdict.WARN, text, "rfkill unblock bluetooth")
        else:
            yield Finding("rfkill", Verdict.OK, f"the radio of {name} is on")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def check_notifications(machine: Machine) -> Iterator[Finding]:
    """Whether a reminder could be shown on the desktop."""
    if machine.platform != "linux":
        yield Finding("notifications", Verdict.OK, "by the system")
        return
    runtime = machine.environ.get("XDG_RUNTIME_DIR", "")
    bus = machine.environ.get("DBUS_SESSION_BUS_ADDRESS") or (runtime and (Path(runtime) / "bus").exists())
    if not bus:
        text = "there is no desktop session here, so reminders are shown in the terminal only"
        yield Finding("notifications", Verdict.WARN, text, "run soleus inside a desktop session")
        return
    services = machine.root / "usr/share/dbus-1/services"
    named = sorted(services.glob("*Notif*.service")) if services.exists() else []
    desktop = machine.environ.get("XDG_CURRENT_DESKTOP", "")
    if named or desktop:
        yield Finding("notifications", Verdict.OK, named[0].stem if named else f"by {desktop}")
    else:
        text = "no notification service is installed"
        yield Finding("notifications", Verdict.WARN, text, "sudo apt install dunst")
