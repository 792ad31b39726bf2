"""Linux: the notification service, the screen's locker, ALSA, PulseAudio and the camera's device files are asked."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker.channels.probes import Known, Probes, output_of
from tracker.channels.session_bus import Bus, NoDesktopError, session_bus, system_bus

NOTIFICATIONS, NOTIFICATIONS_PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
LOGIN, LOGIN_USER = "org.freedesktop.login1", "/org/freedesktop/login1/user/self"

LOCKERS = (
    ("org.gnome.ScreenSaver", "/org/gnome/ScreenSaver"),
    ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver"),
    ("org.cinnamon.ScreenSaver", "/org/cinnamon/ScreenSaver"),
    ("org.mate.ScreenSaver", "/org/mate/ScreenSaver"),
    ("org.xfce.ScreenSaver", "/org/xfce/ScreenSaver"),
)
"""Each has GetActive in the interface of its own name."""

Run = Callable[..., Awaitable[str | None]]


def probes(root: Path = Path("/"), run: Run = output_of) -> Probes:
    """The probes of Linux.

    Args:
        root: top of the file system.
        run: gives the output of a program, as `output_of`.
    """
    return Probes(
        do_not_disturb=lambda: do_not_disturb(run),
        locked=locked,
        microphone=lambda: microphone(root, run),
        camera=lambda: camera(root),
    )


async def do_not_disturb(run: Run = output_of) -> Known:
    """What the notification service of this session says of itself; each has its own way."""
    try:
        async with session_bus() as bus:
            if not await bus.is_there(NOTIFICATIONS):
                return Known(None, "no notification service runs in this session")
            name = str((await bus.ask(NOTIFICATIONS, NOTIFICATIONS_PATH, f"{NOTIFICATIONS}.GetServerInformation"))[0])
            said = await _said_by(name.lower(), bus, run)
    except NoDesktopError as error:
        return Known(None, str(error))
    return Known(said, f"{name} says so" if said is not None else f"the notification service {name} does not say")


async def _said_by(service: str, bus: Bus, run: Run) -> bool | None:
    if service == "dunst":
        return bool(await bus.property(NOTIFICATIONS, NOTIFICATIONS_PATH, "org.dunstproject.cmd0.paused"))
    if service == "plasma":
        return bool(await bus.property(NOTIFICATIONS, NOTIFICATIONS_PATH, f"{NOTIFICATIONS}.Inhibited"))
    if service == "mako":
        modes = await run("makoctl", "mode")
        return None if modes is None else "do-not-disturb" in modes.split()
    if service == "xfce notify daemon":
        return _boolean(await run("xfconf-query", "-c", "xfce4-notifyd", "-p", "/do-not-disturb"))
    for word, schema in (("gnome", "org.gnome.desktop"), ("cinnamon", "org.cinnamon.desktop")):
        if service.startswith(word):
            key = "show-banners" if word == "gnome" else "display-notifications"
            shown = _boolean(await run("gsettings", "get", f"{schema}.notifications", key))
            return None if shown is None else not shown
    return None


def _boolean(text: str | None) -> bool | None:
    return {"true": True, "false": False}.get((text or "").strip().lower())


async def locked() -> Known:
    """Whether a locker says that it covers the screen, or the login manager that the session is locked."""
    heard = [await _locked_by_session(), await _locked_by_login()]
    for answer in heard:
        if answer.value:
            return answer
    # A login manager's "no" is worth nothing by itself: few lockers tell it when they lock.
    return heard[0]


async def _locked_by_session() -> Known:
    try:
        async with session_bus() as bus:
            for name, path in LOCKERS:
                if await bus.is_there(name):
                    return Known(bool((await bus.ask(name, path, f"{name}.GetActive"))[0]), f"{name} says so")
    except NoDesktopError as error:
        return Known(None, str(error))
    return Known(None, "no screen locker of this session answers")


async def _locked_by_login() -> Known:
    try:
        async with system_bus() as bus:
            _, session = await bus.property(LOGIN, LOGIN_USER, f"{LOGIN}.User.Display")
            hint = await bus.property(LOGIN, session, f"{LOGIN}.Session.LockedHint")
            return Known(bool(hint), "the login manager says so")
    except NoDesktopError as error:
        return Known(None, str(error))


async def microphone(root: Path = Path("/"), run: Run = output_of) -> Known:
    """Whether some program records sound: the sound server's list, else ALSA's running captures."""
    listed = await run("pactl", "--format=json", "list", "source-outputs")
    if listed is not None:
        return Known(any(map(_listens, _entries(listed))), "the sound server says so")
    captures = sorted(root.glob("proc/asound/card*/pcm*c/sub*/status"))
    if not (root / "proc/asound/cards").exists():
        return Known(None, "no sound server answers, and the kernel shows no sound cards")
    running = any("RUNNING" in _text(path) for path in captures)
    return Known(running, "the kernel's sound cards say so; a Bluetooth headset is not among them")


def _entries(listed: str) -> list[dict[str, Any]]:
    try:
        found = json.loads(listed or "[]")
    except json.JSONDecodeError:
        return []
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _listens(entry: dict[str, Any]) -> bool:
    """A stream that runs and is no level meter of a mixer."""
    properties = entry.get("properties") or {}
    meter = "peak detect" in str(properties.get("media.name", "")).lower() or "monitor" in str(
        properties.get("stream.capture.sink", "")
    )
    return not entry.get("corked", False) and not meter


async def camera(root: Path = Path("/")) -> Known:
    """Whether a program of the wearer's holds a camera's device file open."""
    devices = {str(Path("/") / path.relative_to(root)) for path in root.glob("dev/video[0-9]*")}
    if not devices:
        return Known(False, "there is no camera")
    seen, hidden = await asyncio.to_thread(_holders, root, devices)
    if seen:
        return Known(True, "a program holds it open")
    if hidden:
        return Known(False, "no program of yours holds it open; those of other users cannot be seen")
    return Known(False, "no program holds it open")


def _holders(root: Path, devices: set[str]) -> tuple[bool, bool]:
    """Whether some process holds one of the devices, and whether some could not be looked into."""
    hidden = False
    for folder in root.glob("proc/[0-9]*/fd"):
        try:
            if any(target in devices for target in _targets(folder)):
                return True, hidden
        except PermissionError:
            hidden = True
        except OSError:
            continue  # the process has ended
    return False, hidden


def _targets(folder: Path) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # closed in this moment
                yield str(Path(entry.path).readlink())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
