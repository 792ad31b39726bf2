"""Notifications with buttons, shown by a real notification service; and the sentences where there is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tracker.channels.conftest import Screen
from tracker.channels.desktop import DesktopChannel
from tracker.channels.message import Delivery, Message
from tracker.channels.probes_linux import do_not_disturb
from tracker.channels.session_bus import NO_SESSION_BUS, find_session_bus

BUTTONS = (("done", "Done"), ("snooze", "Snooze 10 min"), ("not_today", "Not today"))
STILL = Message("Still for 30 minutes", "Twenty push-ups, or two minutes on your feet.", BUTTONS)


def nobody(key: str) -> None:
    raise AssertionError(key)


async def until(asked: asyncio.Future[str]) -> str:
    async with asyncio.timeout(10):
        return await asked


async def displayed(screen: Screen, number: int) -> None:
    """Dunst counts what shows a moment after it has answered."""
    async with asyncio.timeout(10):
        while await asyncio.to_thread(screen.ctl, "count", "displayed") != str(number):
            await asyncio.sleep(0.02)


def history(screen: Screen) -> list[tuple[str, str, str]]:
    """Application, title and text of what showed, the latest first."""
    (told,) = json.loads(screen.ctl("history"))["data"]
    return [tuple(one[key]["data"] for key in ("appname", "summary", "body")) for one in told]


@pytest.fixture
async def channel() -> AsyncIterator[DesktopChannel]:
    """The channel as the service has it."""
    made = DesktopChannel()
    yield made
    await made.close()


@pytest.fixture
def session(screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Screen:
    """This process in the session of the notification service."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", screen.environ["DBUS_SESSION_BUS_ADDRESS"])
    return screen


async def test_each_button_comes_back(session: Screen, channel: DesktopChannel) -> None:
    """A press on any of the three buttons is answered with its key."""
    for key, label in BUTTONS:
        pressed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        assert await channel.tell(STILL, pressed.set_result) == Delivery("desktop", True)
        await displayed(session, 1)
        await asyncio.to_thread(session.press, label)
        assert await until(pressed) == key


async def test_one_shows_in_a_slot(session: Screen, channel: DesktopChannel) -> None:
    """A message takes the place of the one before in its slot, and goes when it is withdrawn; nothing was pressed."""
    for _ in range(2):
        assert (await channel.tell(STILL, nobody)).done
    await displayed(session, 1)
    assert (await channel.tell(replace(STILL, slot="battery"), nobody)).done
    await displayed(session, 2)
    await channel.withdraw("")
    await displayed(session, 1)
    await channel.withdraw("")
    await channel.withdraw("battery")
    await displayed(session, 0)


async def test_it_shows_as_it_was_sent(session: Screen, channel: DesktopChannel) -> None:
    """Name, title and text are as they were sent; whoever closes it has pressed no button."""
    assert (await channel.tell(STILL, nobody)).done
    await displayed(session, 1)
    await asyncio.to_thread(session.ctl, "close-all")
    await displayed(session, 0)
    assert history(session) == [("soleus", STILL.title, STILL.text)]


async def test_service_that_comes_back(
    session: Screen, channel: DesktopChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A desktop that was logged out of has another bus: with none it is said, with the new one it is shown."""
    assert (await channel.tell(STILL, nobody)).done
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")
    gone = await channel.tell(STILL, nobody)
    assert (gone.done, gone.why.count(".")) == (False, 1)
    assert "cannot be reached" in gone.why
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", session.environ["DBUS_SESSION_BUS_ADDRESS"])
    assert (await channel.tell(STILL, nobody)).done


async def test_do_not_disturb_is_seen(session: Screen) -> None:
    """The service's own switch, off and on."""
    for paused in (False, True):
        await asyncio.to_thread(session.ctl, "set-paused", str(paused).lower())
        known = await do_not_disturb()
        assert (known.value, known.why) == (paused, "dunst says so")


async def test_no_service(private_bus: dict[str, str]) -> None:
    """A session without a notification service: one sentence with the fix."""
    told = await DesktopChannel(private_bus).tell(STILL, nobody)
    assert told == Delivery(
        "desktop", False, "no notification service runs in this session: start one, such as dunst or mako."
    )


async def test_no_session() -> None:
    """Over ssh, or in a container, there is no session bus: one sentence."""
    assert await DesktopChannel({}, "linux").tell(STILL, nobody) == Delivery("desktop", False, f"{NO_SESSION_BUS}.")


def test_bus_beside_the_runtime_folder(tmp_path: Path) -> None:
    """A service that was started without the bus's address finds its socket, and hands it to the library."""
    (tmp_path / "bus").touch()
    environ = {"XDG_RUNTIME_DIR": str(tmp_path)}
    assert find_session_bus(environ) == f"unix:path={tmp_path}/bus" == environ["DBUS_SESSION_BUS_ADDRESS"]
