"""The standard battery level (0x2A19), as `soleus drivers decode` reads it: one byte, 0..100 percent.

Source: Bluetooth SIG, Battery Service 1.0 (certain). Part of many sensors and none by itself, so no
advertisement is recognised.
"""

from __future__ import annotations

from analysis.samples import Modality
from drivers.decoder import Settings
from drivers.devices._scalars import ScalarDecoder
from drivers.driver import Driver, Facts
from drivers.protocols.standard_gatt import BATTERY_LEVEL, battery_percent, read_battery
from drivers.script import Script, Subscribe, Unsubscribe


def decoder(settings: Settings) -> ScalarDecoder:
    """A decoder of battery levels; no setting matters."""
    return ScalarDecoder(BATTERY_LEVEL, Modality.BATTERY, battery_percent)


def start(settings: Settings) -> Script[Settings]:
    """Notifications on."""
    yield Subscribe(BATTERY_LEVEL)
    return dict(settings)


def stop(settings: Settings) -> Script[None]:
    """Notifications off."""
    yield Unsubscribe(BATTERY_LEVEL)


DRIVER = Driver(
    name="battery",
    title="standard battery level of any sensor",
    decoder=decoder,
    recognises=lambda advert: False,
    start=start,
    stop=stop,
    defaults={},
    packet_interval_s=3600.0,
    facts=Facts("battery", 1, None, None, "0 to 100 percent", True, False, "documents"),
    battery=read_battery,
)
