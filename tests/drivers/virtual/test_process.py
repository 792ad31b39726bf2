"""The fake radio in a process of its own: Bleak in this one reaches it by DBUS_SYSTEM_BUS_ADDRESS alone."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner

from drivers import ble

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Bleak's BlueZ backend runs on Linux only")


@contextmanager
def radio(*options):
    """The process; its address and its console."""
    with tempfile.TemporaryDirectory(prefix="soleus") as folder:
        command = [sys.executable, "-m", "drivers.virtual.process", "--socket", str(Path(folder) / "bus"), *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1) as child:
            address = child.stdout.readline().strip()
            assert child.stdout.readline() == "ready\n"

            def ask(line):
                child.stdin.write(line + "\n")
                child.stdin.flush()
                return child.stdout.readline().strip()

            try:
                yield child, address, ask
            finally:
                child.kill()


def test_it_streams_fails_and_stops_as_it_is_told(monkeypatch):
    """One walk: found, connected, told to lose the link, refused, gone; SIGTERM ends it."""

    async def walk(ask):
        device = await BleakScanner.find_device_by_name("Polar Sense A1B2C3D4", timeout=5)
        gone = asyncio.Event()
        client = BleakClient(device, lambda _: gone.set())
        await client.connect()
        assert await client.read_gatt_char("00002a19-0000-1000-8000-00805f9b34fb")
        assert ask("link_loss 0") == "ok"
        await asyncio.wait_for(gone.wait(), 5)
        await client.disconnect()
        assert ask("refuse 0 page_timeout") == "ok"
        device = await BleakScanner.find_device_by_name("Polar Sense A1B2C3D4", timeout=5)
        with pytest.raises(Exception, match="Page Timeout"):
            await BleakClient(device).connect()

    monkeypatch.setenv("PATH", "")
    with radio("--sensor", "polar-pmd") as (child, address, ask):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        assert json.loads(ask("sensors"))[0]["name"] == "Polar Sense A1B2C3D4"
        with asyncio.Runner() as runner:
            runner.get_loop().set_exception_handler(lambda *_: None)
            runner.run(walk(ask))
        assert len(json.loads(ask("ledger 0"))["links"]) == 1
        assert ask("fault 0 loss=0.5") == "ok"
        assert ask("power off") == "ok"
        assert ask("nonsense").startswith("error")
        assert ask("stall 7 3").startswith("error")
        child.send_signal(signal.SIGTERM)
        assert child.wait(5) == 0


def test_two_of_a_kind_have_two_names():
    with radio("--sensor", "left=polar-pmd", "--sensor", "right=polar-pmd") as (_, _address, ask):
        found = json.loads(ask("sensors"))
        assert [sensor["nick"] for sensor in found] == ["left", "right"]
        assert len({sensor["name"] for sensor in found}) == 2
        assert ask("vanish right 3") == "ok"


def test_it_ends_with_its_parent_where_it_is_asked_to():
    with radio("--sensor", "polar-pmd", "--until-eof") as (child, _, _ask):
        child.stdin.close()
        assert child.wait(5) == 0


DIES_CONNECTED = """
import asyncio
from bleak import BleakClient, BleakScanner

async def main():
    device = await BleakScanner.find_device_by_name("WT901BLE67", timeout=5)
    await BleakClient(device).connect()
    print("connected", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def test_the_link_of_a_killed_program_is_found_and_taken_over(monkeypatch):
    """BlueZ keeps it up, the sensor does not advertise; it is among the connected devices."""

    async def take_over(name):
        found = await ble.already_connected(ble.Radio())
        assert [sighting.advert.name for sighting in found] == [name]
        client = BleakClient(found[0].device)
        await client.connect()
        assert client.is_connected
        await client.disconnect()
        assert await BleakScanner.find_device_by_name(name, timeout=5)

    monkeypatch.setenv("PATH", "")
    with radio("--sensor", "witmotion") as (_, address, ask):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        name = json.loads(ask("sensors"))[0]["name"]
        command = [sys.executable, "-c", DIES_CONNECTED.replace("WT901BLE67", name)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as victim:
            assert victim.stdout.readline() == "connected\n"
            victim.kill()
        assert json.loads(ask("ledger 0"))["linked"] is True
        with asyncio.Runner() as runner:
            runner.run(take_over(name))
