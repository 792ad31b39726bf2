"""The standard heart rate measurement (0x2A37), as `soleus drivers decode` reads it.

Flags, then the rate in 8 or 16 bits, then energy and beat intervals, which are checked for their length only.
Source: Bluetooth SIG, Heart Rate Service 1.0 (certain).
"""

from __future__ import annotations

from analysis.samples import Modality
from drivers.devices._scalars import scalar_driver
from drivers.protocols.standard_gatt import HEART_RATE, heart_rate_bpm

DRIVER = scalar_driver(
    "heart-rate", "standard heart rate of any strap", HEART_RATE, Modality.HR, heart_rate_bpm,
    packet_interval_s=2.0, extent="0 to 65535 bpm",
)  # fmt: skip
