"""Notifications of the desktop with buttons, on Linux, macOS and Windows.

`desktop-notifier` speaks to org.freedesktop.Notifications, to macOS's Notification Center and to Windows' toasts.
It keeps failures to itself, so what is in the way is looked at before it is asked.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from tracker.channels.message import Answered, Delivery, Message
from tracker.channels.session_bus import NoDesktopError, hang_up, session_bus

if TYPE_CHECKING:
    from desktop_notifier import Button as LibraryButton
    from desktop_notifier import DesktopNotifier

SERVICE = "org.freedesktop.Notifications"
APP_NAME = "soleus"

_PUMP_EVERY_S = 0.5
"""How soon a button that was pressed on macOS is noticed."""


class DesktopChannel:
    """The desktop's notifications; in each slot one of ours shows at a time."""

    name = "desktop"

    def __init__(self, environ: MutableMapping[str, str] = os.environ, platform: str = sys.platform) -> None:
        self._environ, self._platform = environ, platform
        self._notifier: DesktopNotifier | None = None
        self._shown: dict[str, str] = {}
        self._pump: asyncio.Task[None] | None = None

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        """Show it, in the place of what was shown before."""
        try:
            await self._look_for_desktop()
            await self.withdraw(message.slot)
            # A desktop that was logged out of and in again has another bus: then the second try is a fresh one.
            if not (await self._show(message, answered) or await self._show_afresh(message, answered)):
                raise NoDesktopError(self._refusal())
        except NoDesktopError as error:
            return Delivery(self.name, False, f"{error}.")
        return Delivery(self.name, True)

    async def withdraw(self, slot: str) -> None:
        """Close what was shown last in a slot."""
        shown = self._shown.pop(slot, None)
        if shown is not None and self._notifier is not None:
            with suppress(Exception):  # gone by itself, or with its desktop
                await self._notifier.clear(shown)

    async def close(self) -> None:
        """Let go of the desktop; what shows stays, and its buttons are dead."""
        if self._pump is not None:
            self._pump.cancel()
        # The library never closes its connection to the session's bus, and has no way to ask for that.
        bus = getattr(getattr(self._notifier, "_backend", None), "bus", None)
        if bus is not None:
            await hang_up(bus)
        self._notifier, self._pump = None, None
        self._shown.clear()

    async def _look_for_desktop(self) -> None:
        """Why it cannot work, where that can be seen beforehand."""
        if not self._platform.startswith("linux"):
            return
        async with session_bus(self._environ) as bus:
            if not await bus.is_there(SERVICE) and not await bus.could_be_started(SERVICE):
                raise NoDesktopError("no notification service runs in this session: start one, such as dunst or mako")

    def _refusal(self) -> str:
        if self._platform == "darwin":
            return (
                "macOS takes notifications only from a signed application: install Python from python.org, "
                "and allow it in System Settings, Notifications"
            )
        if self._platform == "win32":
            return "Windows did not take the notification: allow soleus in Settings, System, Notifications"
        return "the notification service did not take it: look at its own messages, or start another, such as dunst"

    async def _show_afresh(self, message: Message, answered: Answered) -> bool:
        await self.close()
        return await self._show(message, answered)

    async def _show(self, message: Message, answered: Answered) -> bool:
        """Whether the desktop took it."""
        from desktop_notifier import Urgency

        notifier = self._made()
        with suppress(Exception):  # of a desktop that is half there, which the library tells in many ways
            if not await notifier.get_capabilities() or not await notifier.request_authorisation():
                return False
            taken = asyncio.Event()
            self._shown[message.slot] = await notifier.send(
                message.title,
                message.text,
                urgency=Urgency.Low if message.quiet else Urgency.Normal,
                buttons=self._buttons(message, answered),
                on_dispatched=taken.set,
                timeout=-1 if message.expires_s is None else round(message.expires_s),
            )
            return taken.is_set()
        return False

    def _made(self) -> DesktopNotifier:
        if self._notifier is None:
            logging.getLogger("desktop_notifier").setLevel(logging.CRITICAL)  # told in our words
            from desktop_notifier import DesktopNotifier

            self._notifier = DesktopNotifier(app_name=APP_NAME, app_icon=None)
            if self._platform == "darwin" and self._pump is None:
                self._pump = asyncio.get_running_loop().create_task(_listen_to_mac())
        return self._notifier

    def _buttons(self, message: Message, answered: Answered) -> list[LibraryButton]:
        from desktop_notifier import Button as Made

        loop, pressed = asyncio.get_running_loop(), asyncio.Event()

        def press(key: str) -> None:
            if not pressed.is_set():
                pressed.set()
                answered(key)

        # The systems call back in threads of their own.
        return [Made(label, partial(loop.call_soon_threadsafe, press, key), key) for key, label in message.buttons]


async def _listen_to_mac() -> None:
    """Let macOS hand over the buttons that were pressed: it does so only while its run loop turns.

    Source: Apple, CFRunLoopRunInMode, Core Foundation reference.
    """
    import ctypes
    import ctypes.util

    library = ctypes.cdll.LoadLibrary(ctypes.util.find_library("CoreFoundation") or "CoreFoundation")
    library.CFRunLoopRunInMode.argtypes = [ctypes.c_void_p, ctypes.c_double, ctypes.c_bool]
    mode = ctypes.c_void_p.in_dll(library, "kCFRunLoopDefaultMode")
    while True:
        library.CFRunLoopRunInMode(mode, 0.0, True)
        await asyncio.sleep(_PUMP_EVERY_S)
