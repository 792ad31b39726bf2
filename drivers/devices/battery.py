"""The standard battery level (0x2A19), as `soleus drivers decode` reads it: one byte, 0..100 percent.

Source: Bluetooth SIG, Battery Service 1.0 (certain).
"""

from __future__ import annotations

from analysis.samples import Modality
from drivers.devices._scalars import scalar_driver
from drivers.protocols.standard_gatt import BATTERY_LEVEL, battery_percent

DRIVER = scalar_driver(
    "battery", "standard battery level of any sensor", BATTERY_LEVEL, Modality.BATTERY, battery_percent,
    packet_interval_s=3600.0, extent="0 to 100 percent",
)  # fmt: skip
