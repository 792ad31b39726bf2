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

DRIVERS = {
    "polar-pmd": {Modality.ACC: 0.005, Modality.GYR: 0.003},
    "witmotion": {Modality.ACC: 0.01, Modality.GYR: 0.003},
    "myo": {Modality.EMG: 1.0},
    "soleus-nus": {Modality.ACC: 0.005, Modality.GYR: 0.003},
}
"""Driver -> what it streams, and the step of its numbers that a decoded value may be off by."""


@pytest.mark.parametrize(
    ("name", "mtu"),
    [*((name, 517) for name in DRIVERS), *((name, 23) for name in DRIVERS if name != "polar-pmd")],
)  # a Polar's frames need a larger MTU
async def test_every_sample_between_start_and_stop_arrives_once_in_order(rig, name, mtu):
    """Decoded values are the samples that the sensor took, from the first on, none twice, none between missing."""
    driver = registry.driver(name)
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
    for modality, step in DRIVERS[name].items():
        _, taken = sensor.ledger.samples(modality)
        decoded = np.concatenate([block.values for block in blocks if block.modality == modality])
        assert len(taken) - len(decoded) in range(90)
        np.testing.assert_allclose(decoded, taken[: len(decoded)], atol=step)
