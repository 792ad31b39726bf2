"""What the desktops of three platforms are asked, and how their answers are read; None where nobody can know."""

from __future__ import annotations

import asyncio
import json
import plistlib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from drivers.virtual.clock import VirtualTimeLoop
from tracker.channels import probes_linux, probes_macos, probes_windows
from tracker.channels.probes import Desktop, Known, Probes, output_of
from tracker.channels.probing import look, probes_here
from tracker.channels.session_bus import NO_SESSION_BUS

Run = Callable[..., Awaitable[str | None]]


def says(answers: Mapping[str, str]) -> Run:
    """A machine on which these programs print this, and no others are installed."""

    async def run(*command: str) -> str | None:
        return answers.get(command[0])

    return run


def test_one_that_hangs_is_not_known() -> None:
    """A probe that hangs or fails is None with its reason; the other answers are there all the same."""

    async def hangs() -> Known:
        await asyncio.sleep(3600)
        raise AssertionError

    async def fails() -> Known:
        raise RuntimeError("broken")

    async def answers() -> Known:
        return Known(True, "it says so")

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        seen = runner.run(look(Probes(hangs, fails, answers, answers)))
    assert seen == Desktop(
        Known(None, "the desktop did not say within 3 s"),
        Known(None, "the desktop could not be asked (broken)"),
        Known(True, "it says so"),
        Known(True, "it says so"),
    )


async def test_headless_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a session, do not disturb and the lock are not known, and it is said why."""
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    assert await probes_linux.do_not_disturb() == Known(None, NO_SESSION_BUS)
    assert await probes_linux.locked() == Known(None, NO_SESSION_BUS)


async def test_nobody_on_the_bus(private_bus: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A session without notification service and locker: not known."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", private_bus["DBUS_SESSION_BUS_ADDRESS"])
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    assert await probes_linux.do_not_disturb() == Known(None, "no notification service runs in this session")
    assert await probes_linux.locked() == Known(None, "no screen locker of this session answers")


def stream(*, corked: bool = False, name: str = "Call") -> dict[str, Any]:
    return {"index": 1, "corked": corked, "properties": {"media.name": name}}


@pytest.mark.parametrize(
    ("streams", "heard"),
    [
        ([], False),
        ([stream()], True),
        ([stream(corked=True)], False),
        ([stream(name="Peak detect")], False),
        ([stream(corked=True), stream()], True),
    ],
)
async def test_sound_server(streams: list[dict[str, Any]], heard: bool, tmp_path: Path) -> None:
    """A stream that runs is a listener; one that rests, or a mixer's level meter, is none."""
    known = await probes_linux.microphone(tmp_path, says({"pactl": json.dumps(streams)}))
    assert known == Known(heard, "the sound server says so")


@pytest.mark.parametrize(("state", "heard"), [("closed", False), ("state: RUNNING\nowner_pid : 7", True)])
async def test_kernel_sound_cards(state: str, heard: bool, tmp_path: Path) -> None:
    """Without a sound server, ALSA's captures tell; playing is not listening."""
    cards = tmp_path / "proc/asound/card0"
    for device, text in (("pcm0c", state), ("pcm0p", "state: RUNNING")):
        (cards / device / "sub0").mkdir(parents=True)
        (cards / device / "sub0/status").write_text(text)
    (tmp_path / "proc/asound/cards").write_text(" 0 [PCH]")
    assert (await probes_linux.microphone(tmp_path, says({}))).value is heard


async def test_no_sound_cards(tmp_path: Path) -> None:
    """Neither a sound server nor cards: not known."""
    assert (await probes_linux.microphone(tmp_path, says({}))).value is None


@pytest.mark.parametrize(
    ("cameras", "open_file", "used"), [([], "/dev/null", False), (["video0"], "/dev/null", False),
                                       (["video0"], "/dev/video0", True)],
)  # fmt: skip
async def test_linux_camera(cameras: list[str], open_file: str, used: bool, tmp_path: Path) -> None:
    """A camera is in use while some process holds its device file open."""
    (tmp_path / "dev").mkdir()
    for name in cameras:
        (tmp_path / "dev" / name).touch()
    fds = tmp_path / "proc/42/fd"
    fds.mkdir(parents=True)
    (fds / "3").symlink_to(open_file)
    assert (await probes_linux.camera(tmp_path)).value is used


@pytest.mark.parametrize(
    ("users", "shut"),
    [
        ([{"kCGSSessionOnConsoleKey": True}], False),
        ([{"kCGSSessionOnConsoleKey": True, "CGSSessionScreenIsLocked": True}], True),
        ([{"CGSSessionScreenIsLocked": True}, {"kCGSSessionOnConsoleKey": True}], False),
        ([], True),
    ],
)
async def test_macos_lock(users: list[dict[str, bool]], shut: bool) -> None:
    """The session at the screen decides, not one that was switched away from."""
    text = plistlib.dumps({"IOConsoleUsers": users}).decode()
    assert (await probes_macos.locked(says({"ioreg": text}))).value is shut
    assert (await probes_macos.locked(says({"ioreg": "what"}))).value is None
    assert (await probes_macos.locked(says({}))).value is None


async def test_macos_microphone_and_camera() -> None:
    """An audio input among the power assertions; the built-in camera's flag, None where there is none."""
    resting = "pid 152(coreaudiod): PreventUserIdleSystemSleep\n\tResources: audio-out BuiltInSpeakerDevice"
    for text, used in ((resting, False), (resting.replace("audio-out", "audio-in"), True)):
        assert (await probes_macos.microphone(says({"pmset": text}))).value is used
    assert (await probes_macos.microphone(says({}))).value is None
    flags = (('"FrontCameraActive" = No', False), ('"FrontCameraActive" = Yes', True), ("", None))
    for text, on in flags:
        assert (await probes_macos.camera(says({"ioreg": text}))).value is on
    assert (await probes_macos.do_not_disturb()).value is None


@pytest.mark.parametrize(
    ("state", "quiet", "shut"),
    [(None, None, None), (1, None, True), (2, True, False), (4, True, False), (5, None, False), (6, True, False)],
)
def test_windows_shell(state: int | None, quiet: bool | None, shut: bool | None) -> None:
    """What the shell's states mean; that it accepts notifications says nothing of its do not disturb."""
    assert probes_windows.do_not_disturb(state).value is quiet
    assert probes_windows.screen_locked(state).value is shut


@pytest.mark.parametrize(("stops", "used"), [(None, None), ([], False), ([133_000], False), ([133_000, 0], True)])
async def test_windows_privacy_record(stops: list[int] | None, used: bool | None) -> None:
    """A program whose last use has not stopped uses the device now."""
    probes = probes_windows.probes(lambda: 5, lambda _device: None if stops is None else iter(stops))
    seen = await look(probes)
    assert (seen.microphone.value, seen.camera.value, seen.locked.value) == (used, used, False)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_every_platform_has_all_four(platform: str) -> None:
    """No platform lacks a probe."""
    assert isinstance(probes_here(platform), Probes)


async def test_programs_that_are_not_there() -> None:
    """A tool that is not installed, or fails, gives None."""
    assert await output_of("no-such-program-anywhere") is None
    assert await output_of("false") is None
