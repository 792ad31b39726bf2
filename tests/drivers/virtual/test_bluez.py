"""Habits of BlueZ and of Bleak's backend for it that a supervisor must live with."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError, BleakError

from drivers.virtual.carriers import Kind as Air
from drivers.virtual.dbus_wire import Kind, Message
from drivers.virtual.faults import Faults, Mishap, Planned

DEAD_BUS = (BleakError, OSError, EOFError, KeyError, TimeoutError)
"""What Bleak 3.1 raises, one time or another, when the system bus has died."""


pytestmark = pytest.mark.parametrize("rig", [Air.BLUEZ], indirect=True)


async def lose(sensor):
    sensor.befall(Mishap.LINK_LOSS)
    await asyncio.sleep(0.1)


async def test_twenty_reconnects_leave_the_bus_as_it_was(rig, bluez):
    """The rule of every drop: await the old client's disconnect, scan, build a new client."""
    sensor = await rig.sensor()
    counts, got = [], []
    for _ in range(21):
        client = await rig.link(sensor, got.append)
        counts.append(bluez.bus.connections)
        await asyncio.sleep(1)
        await lose(sensor)
        await client.disconnect()
    assert counts == [2] * 21
    assert len(set(got)) == len(got)


async def test_without_the_disconnect_connections_leak_and_packets_multiply(rig, bluez):
    """What Bleak 3.1 does (hbldh/bleak#2002). The day this fails, the rule may be looked at again."""
    sensor = await rig.sensor()
    counts, copies, kept = [], [], []
    for _ in range(4):
        got: list[bytes] = []
        kept.append(await rig.link(sensor, got.append))
        counts.append(bluez.bus.connections)
        await asyncio.sleep(1)
        copies.append(len(got) / len(set(got)))
        await lose(sensor)
    assert counts == [2, 3, 4, 5]
    assert copies == [1, 2, 3, 4]
    for client in kept:
        await client.disconnect()


async def test_the_same_client_used_again_leaks_as_well(rig, bluez):
    sensor = await rig.sensor()
    got: list[bytes] = []
    client = await rig.link(sensor, got.append)
    await lose(sensor)
    await rig.find(sensor)
    await client.connect()
    assert bluez.bus.connections == 3
    got.clear()
    await client.start_notify(rig.data, lambda _, data: got.append(bytes(data)))
    await asyncio.sleep(1)
    assert len(got) == 2 * len(set(got)) > 80
    await client.disconnect()


@pytest.mark.parametrize("mishap", [Mishap.BUS_RESTART, Mishap.DAEMON_RESTART])
async def test_the_stream_comes_back_after_a_restart(rig, bluez, mishap):
    """The link ends, some attempts fail with one error of a known list, and then all is as before."""
    sensor = await rig.sensor(Faults(plan=[Planned(5, mishap, 2)]))
    gone, got = asyncio.Event(), []
    client = await rig.link(sensor, got.append, gone)
    await asyncio.wait_for(gone.wait(), 10)
    with contextlib.suppress(*DEAD_BUS):
        await client.disconnect()
    before, failures = len(got), 0
    while sensor.life_s < 30 and len(got) == before:
        try:
            client = await rig.link(sensor, got.append)
            await asyncio.sleep(1)
            await client.disconnect()
        except AssertionError:
            failures += 1  # not found
        except DEAD_BUS:
            failures += 1
            await asyncio.sleep(1)
    assert failures >= 1
    assert len(got) > before + 40
    assert got == [entry.payload for entry in sensor.ledger.arrived()]


async def test_a_program_that_dies_leaves_its_link_up(rig, bluez):
    """BlueZ keeps the link of a killed program; the sensor does not advertise, its subscriptions end."""
    sensor = await rig.sensor()
    client = await rig.link(sensor, lambda _: None)
    kept, device = bluez.bus, next(iter(bluez.devices.values()))
    await asyncio.sleep(1)
    device.client_gone(":1.2")
    await asyncio.sleep(1)
    assert (sensor.linked, sensor.advertising) == (True, False)
    assert sensor.peripheral.rate_hz("acc") is None
    assert kept.connections == 2
    await client.disconnect()


async def test_notifications_by_file_descriptor(rig):
    sensor = await rig.sensor()
    got: list[bytes] = []
    client = rig.radio.client(await rig.find(sensor))
    await client.connect()
    take = lambda _, data: got.append(bytes(data))  # noqa: E731
    await client.start_notify(rig.data, take, bluez={"use_start_notify": False})
    await asyncio.sleep(2)
    await client.stop_notify(rig.data)
    await asyncio.sleep(1)
    assert len(got) == pytest.approx(100, abs=3)
    assert got == [entry.payload for entry in sensor.ledger.arrived()]
    await client.start_notify(rig.data, take, bluez={"use_start_notify": False})
    await asyncio.sleep(1)
    await lose(sensor)
    assert not client.is_connected
    assert len(got) > 140
    await client.disconnect()


async def test_a_device_is_forgotten_half_a_minute_after_it_was_last_heard(rig, bluez):
    sensor = await rig.sensor()
    device = await rig.find(sensor)
    await asyncio.sleep(25)
    assert device.details["path"] in bluez.objects.tree
    await asyncio.sleep(10)
    assert device.details["path"] not in bluez.objects.tree


async def test_two_scans_of_one_program_are_refused_by_name(rig):
    """BlueZ answers InProgress to the second StartDiscovery on one connection."""
    await rig.sensor()
    async with rig.radio.scanner():
        with pytest.raises(BleakDBusError, match="InProgress"):
            await rig.radio.scanner().start()


async def test_connecting_twice_at_once_fails_both(rig):
    """The second is told InProgress; the Disconnect with which Bleak cleans up after it cancels the first."""
    sensor = await rig.sensor()
    device = await rig.find(sensor)
    clients = [rig.radio.client(device) for _ in range(2)]
    outcomes = await asyncio.gather(*(client.connect() for client in clients), return_exceptions=True)
    assert [str(outcome).split()[-1] for outcome in outcomes] == ["br-connection-canceled", "Progress"]
    for client in clients:
        await client.disconnect()


async def test_no_adapter_and_no_permission_are_told_apart(rig, bluez):
    await rig.sensor()
    bluez.plug(on=False)
    with pytest.raises(BleakBluetoothNotAvailableError) as without:
        await rig.radio.scanner().start()
    assert without.value.reason is BleakBluetoothNotAvailableReason.NO_BLUETOOTH
    bluez.plug(on=True)
    await asyncio.sleep(0.1)
    bluez.permits = False
    with pytest.raises(BleakDBusError, match="AccessDenied"):
        await rig.radio.scanner().start()
    bluez.permits = True
    await rig.find(rig.sensors[0])


async def test_a_write_by_file_descriptor_reaches_the_sensor(rig, bluez):
    sensor = await rig.sensor()
    client = await rig.link(sensor, lambda _: None)
    device = next(iter(bluez.devices.values()))
    path = client.services.get_characteristic(rig.control).obj[0]
    reply = await device.call(Message(Kind.CALL, path=path, member="AcquireWrite"))
    reply.sockets[0].send(b"start")
    await asyncio.sleep(0.1)
    assert sensor.peripheral.written == [b"start"]
    await client.disconnect()
    assert reply.sockets[0].recv(10) == b""
    reply.sockets[0].close()
