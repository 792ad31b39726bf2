"""A message bus of one's own on a unix socket: what a D-Bus client needs to believe in a system bus.

One service lives on it, in this process. Source: D-Bus specification, chapters "Authentication Protocol" and
"Message Bus Specification".
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from drivers.virtual.dbus_wire import NO_REPLY_EXPECTED, Kind, Message, WireError, decode, encode, size_of

DAEMON = "org.freedesktop.DBus"
GUID = b"0123456789abcdef0123456789abcdef"
SERVICE_NAME = ":1.0"
"""Unique name of the one service."""


class BusError(Exception):
    """A call fails: D-Bus error name and text."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name}: {text}")
        self.name = name
        self.text = text


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer of the service; the bus sends the sockets along and closes its ends."""

    signature: str = ""
    body: Sequence[object] = ()
    sockets: Sequence[socket.socket] = ()


Service = Callable[[Message], Awaitable[Reply]]
"""Answers a method call; `message.sender` is the caller's unique name. Raises BusError."""


@lru_cache(256)
def match_rule(text: str) -> dict[str, str]:
    """A match rule as keys and values."""
    return dict(re.findall(r"(\w+)='([^']*)'", text))


def matches(rule: dict[str, str], signal: Message, owner: str) -> bool:
    """Whether a signal of the service is wanted by a rule. The keys that BlueZ's clients use."""
    wanted = {"interface": signal.interface, "member": signal.member, "path": signal.path, "type": "signal"}
    if any(rule.get(key, value) != value for key, value in wanted.items()):
        return False
    if rule.get("sender", owner) not in (owner, signal.sender):
        return False
    first = str(signal.body[0]) if signal.body else ""
    if rule.get("arg0", first) != first:
        return False
    path = rule.get("arg0path", first)
    if path != first and not (path.endswith("/") and first.startswith(path)):
        return False
    space = rule.get("path_namespace", signal.path).rstrip("/")
    return signal.path == space or signal.path.startswith(space + "/")


@dataclass(slots=True, eq=False)
class _Client:
    sock: socket.socket
    name: str
    rules: list[str] = field(default_factory=list)
    waiting: deque[tuple[bytes, Sequence[socket.socket]]] = field(default_factory=deque)


class Bus:
    """Listens, authenticates, routes. Whoever connects is trusted: the socket's folder is the only guard."""

    def __init__(self, path: Path, owner: str, service: Service, gone: Callable[[str], None]) -> None:
        """A bus that does not listen yet.

        Args:
            path: of the socket.
            owner: well-known name of the service.
            service: answers calls to it.
            gone: is told the unique name of a client that left.
        """
        self.path = path
        self.owner = owner
        self.owned = True
        self._service = service
        self._gone = gone
        self._clients: dict[str, _Client] = {}
        self._names = 0
        self._serial = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: socket.socket | None = None

    @property
    def address(self) -> str:
        """What DBUS_SYSTEM_BUS_ADDRESS must say."""
        return f"unix:path={self.path}"

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    def listen(self) -> None:
        """Open the socket."""
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        self._listening.bind(str(self.path))
        self._listening.listen(64)
        self._listening.setblocking(False)
        self._start(self._accept(self._listening))

    async def close(self) -> None:
        """Drop all clients and stop listening."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            self.path.unlink(missing_ok=True)
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def signal(self, message: Message) -> None:
        """Send a signal of the service to those who want it."""
        message = replace(message, sender=SERVICE_NAME, serial=self._next_serial())
        raw: bytes | None = None
        for client in list(self._clients.values()):
            if any(matches(match_rule(rule), message, self.owner) for rule in client.rules):
                raw = raw or encode(message)
                self._write(client, raw)

    def own(self, *, on: bool) -> None:
        """The service takes its name, or leaves the bus; whoever watches the name is told."""
        self.owned = on
        names = [self.owner, "" if on else SERVICE_NAME, SERVICE_NAME if on else ""]
        changed = Message(
            Kind.SIGNAL, "sss", names, "/org/freedesktop/DBus", DAEMON, "NameOwnerChanged", sender=DAEMON
        )  # fmt: skip
        for client in list(self._clients.values()):
            if any(matches(match_rule(rule), changed, DAEMON) for rule in client.rules):
                self._write(client, encode(replace(changed, serial=self._next_serial())))

    def _next_serial(self) -> int:
        self._serial += 1
        return self._serial

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            sock, _ = await loop.sock_accept(listening)
            sock.setblocking(False)
            self._start(self._serve(sock))

    async def _serve(self, sock: socket.socket) -> None:
        """One client from its first byte to its last."""
        client: _Client | None = None
        try:
            data = await _authenticate(sock)
            if data is not None:
                self._names += 1
                client = _Client(sock, f":1.{self._names}")
                self._clients[client.name] = client
                await self._read(client, data)
        except (OSError, WireError):
            pass  # a client that breaks the protocol is dropped, as a real bus does
        finally:
            asyncio.get_running_loop().remove_writer(sock)
            sock.close()
            if client is not None:
                del self._clients[client.name]
                self._gone(client.name)

    async def _read(self, client: _Client, data: bytearray) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while (size := size_of(data)) is not None and len(data) >= size:
                message = decode(bytes(data[:size]))
                del data[:size]
                message.sender = client.name
                self._route(client, message)
            more = await loop.sock_recv(client.sock, 65536)
            if not more:
                return
            data += more

    def _route(self, client: _Client, message: Message) -> None:
        if message.kind is not Kind.CALL:
            return
        if message.destination in (self.owner, SERVICE_NAME) and self.owned:
            self._start(self._call(client, message))
            return
        try:
            answer = self._daemon(client, message)
        except BusError as error:
            self._fail(client, message, error)
        else:
            self._answer(client, message, answer)

    async def _call(self, client: _Client, message: Message) -> None:
        try:
            reply = await self._service(message)
        except BusError as error:
            self._fail(client, message, error)
        except Exception as error:
            self._fail(
                client, message, BusError("org.freedesktop.DBus.Error.Failed", f"{type(error).__name__}: {error}")
            )
            raise  # a mistake of ours; the caller must not wait for ever
        else:
            self._answer(client, message, reply)

    def _daemon(self, client: _Client, message: Message) -> Reply:
        """What the bus itself answers."""
        if message.destination != DAEMON:
            text = f"The name {message.destination} was not provided by any .service files"
            raise BusError("org.freedesktop.DBus.Error.ServiceUnknown", text)
        names = [DAEMON, *self._clients, *((self.owner, SERVICE_NAME) if self.owned else ())]
        match message.member:
            case "Hello":
                return Reply("s", [client.name])
            case "AddMatch":
                client.rules.append(message.body[0])
            case "RemoveMatch":
                self._remove_match(client, message.body[0])
            case "ListNames":
                return Reply("as", [names])
            case "NameHasOwner":
                return Reply("b", [message.body[0] in names])
            case "GetNameOwner":
                return Reply("s", [self._owner_of(message.body[0], names)])
            case "GetId":
                return Reply("s", [GUID.decode()])
            case "GetConnectionUnixProcessID":
                return Reply("u", [os.getpid()])
            case "RequestName" | "ReleaseName":
                return Reply("u", [1])
            case _:
                raise BusError("org.freedesktop.DBus.Error.UnknownMethod", f"no method {message.member}")
        return Reply()

    def _remove_match(self, client: _Client, rule: str) -> None:
        if rule not in client.rules:
            raise BusError("org.freedesktop.DBus.Error.MatchRuleNotFound", "The given match rule was not found")
        client.rules.remove(rule)

    def _owner_of(self, name: str, names: Sequence[str]) -> str:
        if name not in names:
            raise BusError("org.freedesktop.DBus.Error.NameHasNoOwner", f"Could not get owner of name '{name}'")
        return SERVICE_NAME if name == self.owner else name

    def _answer(self, client: _Client, call: Message, reply: Reply) -> None:
        answer = Message(
            Kind.RETURN, reply.signature, reply.body, reply_serial=call.serial, fds=len(reply.sockets),
            sender=call.destination, destination=client.name, serial=self._next_serial(),
        )  # fmt: skip
        if not call.flags & NO_REPLY_EXPECTED:
            self._write(client, encode(answer), reply.sockets)

    def _fail(self, client: _Client, call: Message, error: BusError) -> None:
        answer = Message(
            Kind.ERROR, "s", [error.text], error_name=error.name, reply_serial=call.serial,
            sender=call.destination or DAEMON, destination=client.name, serial=self._next_serial(),
        )  # fmt: skip
        if not call.flags & NO_REPLY_EXPECTED:
            self._write(client, encode(answer))

    def _write(self, client: _Client, raw: bytes, sockets: Sequence[socket.socket] = ()) -> None:
        """Send in order: at once what the socket takes, the rest when it can; nothing to one that has gone."""
        if client.sock.fileno() < 0:
            return
        client.waiting.append((raw, sockets))
        if len(client.waiting) == 1:
            self._flush(client)

    def _flush(self, client: _Client) -> None:
        loop = asyncio.get_running_loop()
        try:
            while client.waiting:
                raw, sockets = client.waiting[0]
                sent = _send(client.sock, raw, sockets)
                client.waiting.popleft()
                if sent < len(raw):
                    client.waiting.appendleft((raw[sent:], ()))
        except BlockingIOError:
            loop.add_writer(client.sock, self._flush, client)
            return
        except OSError:
            client.waiting.clear()  # gone; its reader will notice
        loop.remove_writer(client.sock)


def _send(sock: socket.socket, raw: bytes, sockets: Sequence[socket.socket]) -> int:
    if not sockets:
        return sock.send(raw)
    sent = socket.send_fds(sock, [raw], [end.fileno() for end in sockets])
    for end in sockets:
        end.close()
    return sent


async def _authenticate(sock: socket.socket) -> bytearray | None:
    """SASL until BEGIN: EXTERNAL and file descriptors; what came after it. None where the client left."""
    loop = asyncio.get_running_loop()
    data = bytearray()
    while True:
        while (end := data.find(b"\r\n")) < 0:
            more = await loop.sock_recv(sock, 4096)
            if not more:
                return None
            data += more
        line = bytes(data[:end]).lstrip(b"\0")
        del data[: end + 2]
        if line == b"BEGIN":
            return data
        await loop.sock_sendall(sock, _sasl_answer(line))


def _sasl_answer(line: bytes) -> bytes:
    if line.startswith(b"AUTH EXTERNAL"):
        return b"OK " + GUID + b"\r\n"
    if line == b"NEGOTIATE_UNIX_FD":
        return b"AGREE_UNIX_FD\r\n"
    return b"REJECTED EXTERNAL\r\n" if line.startswith((b"AUTH", b"CANCEL")) else b"ERROR\r\n"
