"""The drivers that have a virtual sensor, and what a general test needs to know of each: told by the driver itself."""

from __future__ import annotations

import numpy as np

from analysis.samples import FloatArray, Modality
from drivers import registry
from drivers.conformance import virtual_of

WEARABLES = tuple(name for name in registry.names() if virtual_of(name))
"""Every sensor that can be worn in a test."""

TELLING_LOSS = tuple(name for name in WEARABLES if registry.driver(name).facts.clock)
"""Those whose clock or counter shows to the packet what was lost or sent twice."""


def main_modality(name: str) -> Modality:
    """What a sensor is worn for: muscle where it has any, else acceleration. The open profile is an IMU first."""
    first = registry.driver(name).facts.measures.split()[0]
    return Modality.EMG if first == "emg" else Modality.ACC


def assert_as_taken(decoded: FloatArray, taken: FloatArray, unfilled: int = 150) -> None:
    """Decoded values are the samples taken, from the first on, but for a step of the sensor's own numbers.

    Args:
        decoded: (n, channels).
        taken: (m, channels or more), what the sensor measured while linked.
        unfilled: so many samples may have been left in a packet that did not fill.
    """
    assert len(taken) - len(decoded) in range(unfilled)
    assert len(decoded)
    taken = taken[: len(decoded), : decoded.shape[1]]
    distinct = [np.diff(np.unique(column)) for column in decoded.T]
    step = max(float(steps[steps > 1e-9].min()) for steps in distinct if steps.size)
    np.testing.assert_allclose(decoded, taken, atol=1.01 * step, rtol=1e-5)
    assert step < 0.1 * np.ptp(taken)  # numbers so coarse would agree with anything
