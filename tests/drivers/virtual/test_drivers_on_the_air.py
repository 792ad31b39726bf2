"""Each driver against its virtual sensor over the whole radio: scanned, started by its script, streamed, stopped."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from analysis.samples import Modality
from drivers import ble, registry
from drivers.packets import RawPacket
from drivers.virtual.faults import Faults
from drivers.virtual.process import virtual_peripheral
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import rocking
from tests.wearables import WEARABLES, assert_as_taken


@pytest.mark.parametrize("name", WEARABLES)
@pytest.mark.parametrize("mtu", [517, 23])
async def test_every_sample_between_start_and_stop_arrives_once_in_order(rig, name, mtu):
    """Decoded values are the samples that the sensor took, from the first on, none twice, none between missing."""
    driver = registry.driver(name)
    if mtu < driver.least_mtu:
        pytest.skip(f"{name} needs an MTU of {driver.least_mtu}")
    sensor = VirtualSensor(virtual_peripheral(name), rocking(), Faults(mtu=mtu), seed=3)
    await rig.air.add(sensor)
    loop, packets = asyncio.get_running_loop(), list[RawPacket]()
    (sighting,) = await ble.scan(rig.radio, 3)
    assert driver.recognises(sighting.advert)
    link = ble.Link(rig.radio, sighting, arrival_ns=lambda: int(loop.time() * 1e9), on_packet=packets.append)
    await link.open()
    settings = await link.run(driver.start(driver.defaults))
    await asyncio.sleep(10)
    await link.run(driver.stop(settings))
    await asyncio.sleep(1)
    await link.close()

    sent = [entry.payload for entry in sensor.ledger.arrived()]
    assert len(sent) > 5
    data = {entry.characteristic for entry in sensor.ledger.arrived()}
    answers = {entry.payload for entry in sensor.ledger.entries if entry.answer}
    assert [p.payload for p in packets if p.characteristic in data and p.payload not in answers] == [
        payload for payload in sent if payload not in answers
    ]

    decoder = driver.decoder(settings)
    blocks = [block for packet in packets if packet.characteristic in data for block in decoder.feed(packet)] + list(
        decoder.finish()
    )
    for modality in {block.modality for block in blocks if block.stream is None} & {
        Modality.ACC,
        Modality.EMG,
        Modality.GYR,
    }:
        _, taken = sensor.ledger.samples(modality)
        assert_as_taken(np.concatenate([block.values for block in blocks if block.modality == modality]), taken)
