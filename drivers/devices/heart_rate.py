"""The standard heart rate measurement (0x2A37), as `soleus drivers decode` reads it.

Flags, then the rate in 8 or 16 bits, then energy and beat intervals, which are checked for their length only.
Source: Bluetooth SIG, Heart Rate Service 1.0 (certain). A chest strap is no calf sensor, so no advertisement
is recognised.
"""

from __future__ import annotations

from analysis.samples import Modality
from drivers.decoder import Settings
from drivers.devices._scalars import ScalarDecoder
from drivers.driver import Driver, Facts
from drivers.protocols.standard_gatt import HEART_RATE, heart_rate_bpm, read_battery
from drivers.script import Script, Subscribe, Unsubscribe


def decoder(settings: Settings) -> ScalarDecoder:
    """A decoder of heart rates; no setting matters."""
    return ScalarDecoder(HEART_RATE, Modality.HR, heart_rate_bpm)


def start(settings: Settings) -> Script[Settings]:
    """Notifications on."""
    yield Subscribe(HEART_RATE)
    return dict(settings)


def stop(settings: Settings) -> Script[None]:
    """Notifications off."""
    yield Unsubscribe(HEART_RATE)


DRIVER = Driver(
    name="heart-rate",
    title="standard heart rate of any strap",
    decoder=decoder,
    recognises=lambda advert: False,
    start=start,
    stop=stop,
    defaults={},
    packet_interval_s=2.0,
    facts=Facts("hr", 1, None, None, "0 to 65535 bpm", True, False, "documents"),
    battery=read_battery,
)
