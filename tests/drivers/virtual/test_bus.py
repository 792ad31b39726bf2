"""The fake bus and its marshalling against dbus-fast, by dbus-fast's public classes only."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

import pytest

from drivers.virtual.bus import Bus, Reply, match_rule, matches
from drivers.virtual.dbus_wire import Kind, Message

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="dbus-fast is for Linux")

BODIES = [
    ("s", ["grüß"]),
    ("ynqiuxtd", [255, -5, 65535, -70000, 70000, -(2**40), 2**63, 2.5]),
    ("b", [True]),
    ("ay", [bytes(range(200))]),
    ("as", [["a", "", "ccc"]]),
    ("a{oas}", [{"/org/x": ["one"], "/": []}]),
    ("(s(iu)ay)", [("x", (1, 2), b"z")]),
    ("aai", [[[1], [], [2, 3]]]),
    ("g", ["a{sv}"]),
    ("sa{sv}as", ["org.bluez.Device1", {}, ["RSSI"]]),
    ("a{ya{qay}}", [{1: {76: b"\x02\x15"}, 2: {}}]),
]


@pytest.fixture
async def bus():
    async def echo(message: Message) -> Reply:
        return Reply(message.signature, list(message.body))

    with tempfile.TemporaryDirectory(prefix="soleus") as folder:
        made = Bus(Path(folder) / "bus", "org.example", echo, lambda _: None)
        made.listen()
        yield made
        await made.close()


@pytest.mark.parametrize(("signature", "body"), BODIES, ids=[signature for signature, _ in BODIES])
async def test_what_the_reference_library_sends_comes_back_to_it(bus, signature, body):
    """Read by ours, written by ours, read by theirs: the same."""
    dbus_fast = pytest.importorskip("dbus_fast")
    from dbus_fast.aio import MessageBus

    client = await MessageBus(bus_address=bus.address, negotiate_unix_fd=True).connect()
    call = dbus_fast.Message(
        destination="org.example", path="/", interface="a.b", member="Echo", signature=signature, body=body
    )
    reply = await client.call(call)
    assert (reply.signature, reply.body) == (signature, body)
    variant = dbus_fast.Variant(signature, body[0]) if len(body) == 1 else dbus_fast.Variant("s", "x")
    call = dbus_fast.Message(
        destination="org.example", path="/", interface="a.b", member="Echo", signature="a{sv}", body=[{"k": variant}]
    )
    assert (await client.call(call)).body == [{"k": variant}]
    client.disconnect()
    await asyncio.sleep(0.1)
    assert bus.connections == 0


async def test_the_bus_answers_for_itself(bus):
    dbus_fast = pytest.importorskip("dbus_fast")
    from dbus_fast.aio import MessageBus

    client = await MessageBus(bus_address=bus.address).connect()

    async def ask(member, *arguments):
        reply = await client.call(
            dbus_fast.Message(
                destination="org.freedesktop.DBus", path="/org/freedesktop/DBus", interface="org.freedesktop.DBus",
                member=member, signature="s" * len(arguments), body=list(arguments),
            )
        )  # fmt: skip
        return reply.error_name or reply.body[0]

    assert await ask("NameHasOwner", "org.example") is True
    assert await ask("GetNameOwner", "org.example") == ":1.0"
    assert await ask("GetNameOwner", "org.nobody") == "org.freedesktop.DBus.Error.NameHasNoOwner"
    assert "org.example" in await ask("ListNames")
    assert await ask("Frobnicate") == "org.freedesktop.DBus.Error.UnknownMethod"
    client.disconnect()
    await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ("type='signal',interface='a.b',member='M'", True),
        ("type='signal',member='N'", False),
        ("path_namespace='/org/bluez'", True),
        ("path_namespace='/org/blue'", False),
        ("sender='org.bluez'", True),
        ("sender='org.other'", False),
        ("arg0='x'", False),
        ("arg0path='/org/'", True),
        ("arg0path='/com/'", False),
    ],
)
def test_match_rules(rule, wanted):
    signal = Message(Kind.SIGNAL, "o", ["/org/x"], "/org/bluez/hci0", "a.b", "M", sender=":1.0")
    assert matches(match_rule(rule), signal, "org.bluez") is wanted
