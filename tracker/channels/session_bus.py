"""Questions to the desktop of a Linux session, over its bus; whatever is in the way is one sentence."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbus_fast.aio import MessageBus

_BUS, _BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_PROPERTIES = "org.freedesktop.DBus.Properties"

ANSWER_WITHIN_S = 2.0
"""A service of the desktop that takes longer hangs."""

NO_SESSION_BUS = (
    "there is no desktop session to tell it in (no session bus, as over ssh): log in at the desktop, "
    "or set DBUS_SESSION_BUS_ADDRESS"
)


class NoDesktopError(Exception):
    """The desktop cannot be asked; the text is one sentence without a full stop."""


def find_session_bus(environ: MutableMapping[str, str] = os.environ) -> str:
    """The address of the session bus; where only its socket is there, the address is put into `environ`.

    The library that shows notifications looks there and nowhere else, and a service may be started without it.

    Raises:
        NoDesktopError: there is none.

    Source: systemd's user bus lies at $XDG_RUNTIME_DIR/bus, see dbus-daemon(1) and pam_systemd(8).
    """
    if address := environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return address
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime and (socket := Path(runtime) / "bus").exists():
        environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={socket}"
        return environ["DBUS_SESSION_BUS_ADDRESS"]
    raise NoDesktopError(NO_SESSION_BUS)


class Bus:
    """A connection to one bus, for as long as the block of `session_bus` or `system_bus` lasts."""

    def __init__(self, connection: MessageBus) -> None:
        self._connection = connection

    async def ask(self, name: str, path: str, member: str, signature: str = "", *body: object) -> list[Any]:
        """Call a method; its answers.

        Args:
            name: of the service.
            path: of the object.
            member: interface and method, as org.freedesktop.DBus.NameHasOwner.
            signature: of the arguments.
            body: the arguments.

        Raises:
            NoDesktopError: nobody answers to that.
        """
        from dbus_fast import Message, MessageFlag, MessageType

        interface, _, method = member.rpartition(".")
        message = Message(
            destination=name, path=path, interface=interface, member=method, signature=signature, body=list(body),
            flags=MessageFlag.NO_AUTOSTART,
        )  # fmt: skip
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = await self._connection.call(message)
        except TimeoutError:
            raise NoDesktopError(f"{name} does not answer in time") from None
        if answer is None or answer.message_type is MessageType.ERROR:
            raise NoDesktopError(f"{name} does not answer")
        return list(answer.body)

    async def property(self, name: str, path: str, member: str) -> Any:
        """A property, taken out of its variant.

        Raises:
            NoDesktopError: there is none of that name.
        """
        interface, _, property_name = member.rpartition(".")
        (found,) = await self.ask(name, path, f"{_PROPERTIES}.Get", "ss", interface, property_name)
        return found.value

    async def is_there(self, name: str) -> bool:
        """Whether somebody answers to a name."""
        return bool((await self.ask(_BUS, _BUS_PATH, f"{_BUS}.NameHasOwner", "s", name))[0])

    async def could_be_started(self, name: str) -> bool:
        """Whether the bus would start somebody who answers to a name."""
        return name in (await self.ask(_BUS, _BUS_PATH, f"{_BUS}.ListActivatableNames"))[0]


@asynccontextmanager
async def session_bus(environ: MutableMapping[str, str] = os.environ) -> AsyncIterator[Bus]:
    """The session's bus.

    Raises:
        NoDesktopError: there is none, or it takes no connection.
    """
    async with _connected(find_session_bus(environ)) as bus:
        yield bus


@asynccontextmanager
async def system_bus(environ: MutableMapping[str, str] = os.environ) -> AsyncIterator[Bus]:
    """The machine's bus.

    Raises:
        NoDesktopError: there is none, or it takes no connection.
    """
    async with _connected(environ.get("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/run/dbus/system_bus_socket")) as bus:
        yield bus


@asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Bus]:
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import AuthError, DBusError, InvalidAddressError

    connection: MessageBus | None = None
    try:
        connection = MessageBus(bus_address=address)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await connection.connect()
        yield Bus(connection)
    except (OSError, EOFError, DBusError, AuthError, InvalidAddressError) as error:
        raise NoDesktopError(f"the bus of the desktop cannot be reached ({error or type(error).__name__})") from error
    finally:
        if connection is not None:
            await hang_up(connection)


async def hang_up(connection: MessageBus) -> None:
    """Close a connection, and wait until it is: else its socket stays open for a while."""
    if not connection.connected:
        return
    connection.disconnect()
    with suppress(OSError, EOFError, TimeoutError):  # the bus was gone already
        async with asyncio.timeout(ANSWER_WITHIN_S):
            await connection.wait_for_disconnect()  # type: ignore[no-untyped-call]
