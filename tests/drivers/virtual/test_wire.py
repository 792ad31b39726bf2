"""Without any radio, Bleak's client still finds, starts, hears and stops a virtual sensor."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from bleak.exc import BleakError

from drivers import ble, registry
from drivers.packets import RawPacket
from drivers.virtual.process import virtual_peripheral
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import rocking
from drivers.virtual.wire import Wire
from tests.wearables import WEARABLES, assert_as_taken, main_modality


@pytest.mark.parametrize("name", WEARABLES)
async def test_every_sample_between_start_and_stop_arrives_once_in_order(name: str) -> None:
    """Each driver's own scripts start and stop the stream, and all that was taken meanwhile is heard."""
    driver = registry.driver(name)
    sensor = VirtualSensor(virtual_peripheral(name), rocking(), seed=3)
    loop, packets = asyncio.get_running_loop(), list[RawPacket]()
    async with Wire([sensor]) as radio:
        (sighting,) = await ble.scan(radio, 1)
        assert driver.recognises(sighting.advert)
        link = ble.Link(radio, sighting, arrival_ns=lambda: int(loop.time() * 1e9), on_packet=packets.append)
        await link.open()
        settings = await link.run(driver.start(driver.defaults))
        await asyncio.sleep(10)
        await link.run(driver.stop(settings))
        await link.close()
        assert link.lost.is_set()
    data = {entry.characteristic for entry in sensor.ledger.arrived()}
    decoder = driver.decoder(settings)
    blocks, _ = decoder.feed_many([packet for packet in packets if packet.characteristic in data])
    modality = main_modality(name)
    decoded = np.concatenate([b.values for b in [*blocks, *decoder.finish()] if b.modality is modality])
    _, taken = sensor.ledger.samples(modality)
    assert_as_taken(decoded, taken)


async def test_a_refusal_of_the_sensor_is_bleaks_error() -> None:
    """What the sensor refuses is an error of the link, and so is asking where nobody is connected."""
    sensor = VirtualSensor(virtual_peripheral("soleus-nus"), rocking())
    async with Wire([sensor]) as radio:
        (sighting,) = await ble.scan(radio, 1)
        client = radio.client(sighting.device)
        await client.connect()
        with pytest.raises(BleakError):
            await client.write_gatt_char("6e400002-b5a3-f393-e0a9-e50e24dcca9e", b"\x01", response=True)
        await client.disconnect()
        assert not client.is_connected
        assert not sensor.linked


async def test_a_scanner_that_does_not_stop_keeps_nobody_waiting() -> None:
    """The bus hangs: the turn is given on after a while."""

    async def hangs(self: object) -> None:
        await asyncio.Event().wait()

    sensor = VirtualSensor(virtual_peripheral("soleus-nus"), rocking())
    async with Wire([sensor]) as radio:
        hung = type("Hung", (radio.scanner,), {"stop": hangs})
        stuck = ble.Radio(hung, radio.client)
        assert len(await ble.scan(stuck, 1)) == 1
        async with asyncio.timeout(1), stuck.turn:
            pass
