"""Which Polar sensors there are to be virtual: what each offers, and how its firmware behaves.

Source: product pages and capability lists of polarofficial/polar-ble-sdk; SDK mode after SdkModeExplained.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACCELERATION, GYROSCOPE, MAGNETOMETER, SDK_MODE = 2, 5, 6, 9

Offer = Mapping[int, tuple[int, ...]]
"""Setting -> the values a sensor accepts for it: 0 rate, 1 resolution, 2 range, 4 channels."""


@dataclass(frozen=True, slots=True)
class Model:
    """One kind of sensor.

    Attributes:
        word: the model in the local name.
        firmware: revision text.
        features: the first bytes of the feature record.
        offers: measurement -> settings offered.
        sdk_offers: the same in SDK mode; empty where there is none.
        states_factor: firmware of the older generation: states a factor, sends frame type 0.
        compressed: delta frames; otherwise raw 16-bit frames.
    """

    word: str
    firmware: str
    features: bytes
    offers: Mapping[int, Offer]
    sdk_offers: Mapping[int, Offer] = field(default_factory=dict)
    states_factor: bool = False
    compressed: bool = True


_SENSE: Mapping[int, Offer] = {
    ACCELERATION: {0: (52,), 1: (16,), 2: (8,), 4: (3,)},
    GYROSCOPE: {0: (52,), 1: (16,), 2: (2000,), 4: (3,)},
    MAGNETOMETER: {0: (10, 20, 50, 100), 1: (16,), 2: (50,), 4: (3,)},
}
_SENSE_SDK: Mapping[int, Offer] = {
    ACCELERATION: {0: (26, 52, 104, 208, 416), 1: (16,), 2: (2, 4, 8, 16), 4: (3,)},
    GYROSCOPE: {0: (26, 52, 104, 208, 416), 1: (16,), 2: (250, 500, 1000, 2000), 4: (3,)},
    MAGNETOMETER: {0: (10, 20, 50, 100), 1: (16,), 2: (50,), 4: (3,)},
}
VERITY_SENSE = Model("Sense", "2.2.6", b"\x0f\x6e\x02", _SENSE, _SENSE_SDK)
VERITY_SENSE_OLD = Model("Sense", "1.1.5", b"\x0f\x6e\x02", _SENSE, _SENSE_SDK, states_factor=True)
H10 = Model(
    "H10", "3.0.35", b"\x0f\x05",
    {ACCELERATION: {0: (25, 50, 100, 200), 1: (16,), 2: (2, 4, 8)}},
    compressed=False,
)  # fmt: skip
