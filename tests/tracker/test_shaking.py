"""The sensor that is shaken is told from those that lie still."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from analysis.samples import STANDARD_GRAVITY_MPS2, Modality, SampleBlock
from drivers.virtual.clock import VirtualTimeLoop
from drivers.virtual.process import virtual_peripheral
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import FromBlocks
from drivers.virtual.wire import Wire
from tracker.sensors import Found, look_around
from tracker.shaking import motions, picked, spread

ADDRESSES = ("C0:00:00:00:00:01", "C0:00:00:00:00:02", "C0:00:00:00:00:03")


def told_apart(sensors: list[VirtualSensor], said: list[str]) -> list[tuple[Found, float]]:
    """Found and listened to, in virtual time."""

    async def listen() -> list[tuple[Found, float]]:
        async with Wire(sensors) as radio:
            return await motions(radio, await look_around(radio, 1.0), lambda: said.append("now"))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(listen())


def moving(size_mps2: float) -> FromBlocks:
    """Gravity, and a shake three times a second."""
    t_s = np.arange(0.0, 120.0, 0.01)
    rows = np.zeros((t_s.size, 3))
    rows[:, 0] = size_mps2 * np.sin(2 * np.pi * 3 * t_s)
    rows[:, 2] = STANDARD_GRAVITY_MPS2
    return FromBlocks([SampleBlock(Modality.ACC, t_s, rows), SampleBlock(Modality.GYR, t_s, 0 * rows)])


def sensors(driver: str, *sizes_mps2: float) -> list[VirtualSensor]:
    return [
        VirtualSensor(virtual_peripheral(driver), moving(size), address=address)
        for size, address in zip(sizes_mps2, ADDRESSES, strict=False)
    ]


@pytest.mark.parametrize("driver", ["witmotion", "polar-pmd", "soleus-nus", "myo"])
def test_the_one_that_moves_is_picked(driver: str) -> None:
    """All stream together; the shaken one is picked, and afterwards none is held or streams."""
    worn, said = sensors(driver, 0.0, 12.0, 0.2), list[str]()
    found = picked(told_apart(worn, said))
    assert said == ["now"]
    assert found is not None
    assert found.sighting.address == ADDRESSES[1]
    assert not any(sensor.linked for sensor in worn)


@pytest.mark.parametrize("sizes", [(0.0, 0.0), (9.0, 8.0), (0.5, 0.0)])
def test_none_is_picked_where_it_is_not_clear(sizes: tuple[float, float]) -> None:
    """All at rest, two that are shaken, or one that is hardly touched: nobody guesses."""
    assert picked(told_apart(sensors("witmotion", *sizes), [])) is None


def test_nothing_moves_where_nothing_is() -> None:
    """No candidate is nobody, no sample is no motion."""
    assert picked([]) is None
    assert spread([]) == 0.0
