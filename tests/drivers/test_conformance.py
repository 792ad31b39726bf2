"""The conformance kit passes every driver that is here, and finds what it is there to find."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from analysis.samples import SampleBlock
from drivers import conformance, registry
from drivers.decoder import Settings
from drivers.devices.soleus_nus import DRIVER, SoleusNusDecoder
from drivers.driver import Driver
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.script import Pause, Script


@pytest.mark.parametrize("name", registry.names())
def test_every_driver_passes(name: str) -> None:
    assert [result.sentence for result in conformance.check(name, packets=400) if not result.passed] == []


def test_every_sensor_has_a_virtual_one() -> None:
    """All but the standard characteristics, which are parts of other sensors."""
    assert {name for name in registry.names() if conformance.virtual_of(name) is None} == {"battery", "heart-rate"}


class Careless(SoleusNusDecoder):
    def feed(self, packet: RawPacket) -> list[SampleBlock]:
        _ = packet.payload[7]
        return super().feed(packet)


class Hasty(SoleusNusDecoder):
    """Forgets what it has seen whenever it is asked."""

    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        return SoleusNusDecoder({}).feed_many(packets)


class Heavy(SoleusNusDecoder):
    def feed_many(self, packets: Sequence[RawPacket]) -> tuple[list[SampleBlock], list[PacketError]]:
        blocks, errors = super().feed_many(packets)
        return [SampleBlock(b.modality, b.t_s, b.values * 2, b.channels, unit=b.unit) for b in blocks], errors


def lies_down(settings: Settings) -> Script[Settings]:
    yield Pause(1.0)
    return settings


def walks_away(settings: Settings) -> Script[None]:
    yield Pause(1.0)


@pytest.mark.parametrize(
    ("broken", "failing"),
    [
        (replace(DRIVER, decoder=Careless), {"one by one as many at once", "survives nonsense"}),
        (replace(DRIVER, decoder=Hasty), {"times increase", "one by one as many at once"}),
        (replace(DRIVER, decoder=Heavy), {"units at rest"}),
        (replace(DRIVER, recognises=lambda advert: True), {"recognises its advert"}),
        (replace(DRIVER, recognises=lambda advert: False), {"recognises its advert"}),
        (replace(DRIVER, start=lies_down), {"starts", "starts again", "streams"}),
        (replace(DRIVER, stop=walks_away), {"stops"}),
        (replace(DRIVER, buzz=None), {"describes itself"}),
    ],
)
def test_a_broken_driver_fails_where_it_is_broken(
    broken: Driver, failing: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Callable[[str], Driver] = registry.driver
    monkeypatch.setattr(registry, "driver", lambda name: broken if name == "soleus-nus" else whole(name))
    results = conformance.check("soleus-nus", packets=100)
    assert {result.name for result in results if not result.passed} >= failing
    assert all(result.sentence for result in results)


def test_another_package_brings_its_virtual_sensor(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("mine", "drivers.virtual.myo:VirtualMyo", conformance.VIRTUAL_ENTRY_POINT_GROUP)
    monkeypatch.setattr(conformance, "entry_points", lambda group: (point,))
    found = conformance.virtual_of("mine")
    assert found is not None
    assert found().local_name == "My Myo"


@pytest.mark.parametrize("name", ["nosuch", "../myo", "", "peripheral"])
def test_what_has_no_virtual_sensor_has_none(name: str) -> None:
    assert conformance.virtual_of(name) is None
