"""A virtual sensor by itself: what it takes and sends, and that the ledger tells the truth of it."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.samples import Modality, SampleBlock
from drivers.virtual.faults import Dice, Fate, Faults, Mishap, Planned, scattered
from drivers.virtual.ledger import Ledger
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.sources import FromBlocks, rocking


class Desk:
    """A carrier that writes down what it is told."""

    def __init__(self) -> None:
        self.sensor: VirtualSensor | None = None
        self.got: list[bytes] = []
        self.befell: list[tuple[Mishap, float]] = []

    def notify(self, characteristic: str, payload: bytes) -> bool:
        self.got.append(payload)
        return True

    def lose(self) -> None:
        self.sensor.link_down()

    def befall(self, mishap: Mishap, lasts_s: float) -> None:
        self.befell.append((mishap, lasts_s))


@pytest.fixture
def desk(counter, ramp):
    """Makes a sensor that is on, linked and subscribed, on a desk."""

    def make(faults=None, **named):
        made = Desk()
        made.sensor = VirtualSensor(counter("CALF"), ramp, faults, **named)
        made.sensor.switch_on(made)
        made.sensor.link_up()
        made.sensor.agree(517)
        made.sensor.subscribe(counter.data)
        return made

    return make


async def test_samples_fall_on_the_rate_whatever_the_connection_interval(desk):
    """When samples are taken depends on the rate alone, not on when they are asked for."""
    taken = []
    for interval_s in (0.007, 0.03, 0.4):
        made = desk(Faults(interval_s=interval_s))
        await asyncio.sleep(4)
        made.sensor.switch_off()
        life_s, _ = made.sensor.ledger.samples(Modality.ACC)
        taken.append(life_s[:350])
    np.testing.assert_allclose(taken[0], taken[1])
    np.testing.assert_allclose(taken[0], taken[2])


async def test_same_seed_same_day(desk):
    faults = Faults(loss=0.1, duplicate=0.1, truncate=0.1, late=0.1, reorder=0.1)
    days = []
    for _ in range(2):
        made = desk(faults, seed=5)
        await asyncio.sleep(20)
        made.sensor.switch_off()
        days.append(made.got)
    assert days[0] == days[1]
    assert len(days[0]) > 800


async def test_every_packet_made_has_a_fate(desk):
    made = desk(Faults(loss=0.2, duplicate=0.2, truncate=0.2, late=0.2, plan=[Planned(3, Mishap.STALL, 1)]))
    await asyncio.sleep(10)
    made.sensor.link_down()
    await asyncio.sleep(1)
    assert {entry.number for entry in made.sensor.ledger.entries} == set(range(made.sensor.ledger.made))
    assert made.got == [entry.payload for entry in made.sensor.ledger.delivered()]


async def test_host_mishaps_are_handed_to_the_carrier(desk):
    plan = [Planned(1, Mishap.ADAPTER_OFF, 4), Planned(2, Mishap.BUS_RESTART, 1), Planned(3, Mishap.FORGOTTEN)]
    made = desk(Faults(plan=plan))
    await asyncio.sleep(4)
    assert made.befell == [(planned.mishap, planned.lasts_s) for planned in plan]


async def test_a_broken_link_is_silent_before_it_is_told(desk):
    made = desk(Faults(supervision_s=2, plan=[Planned(5, Mishap.LINK_LOSS)]))
    await asyncio.sleep(6)
    assert made.sensor.linked
    assert made.sensor.ledger.fates[Fate.STALLED] > 45
    await asyncio.sleep(1.1)
    assert not made.sensor.linked


async def test_nothing_happens_after_it_is_switched_off(desk):
    made = desk(Faults(plan=[Planned(5, Mishap.ADAPTER_OFF)]))
    await asyncio.sleep(1)
    made.sensor.switch_off()
    count = len(made.got)
    await asyncio.sleep(10)
    assert (len(made.got), made.befell) == (count, [])


async def test_a_ledger_that_keeps_nothing_counts(desk):
    made = desk(Faults(loss=0.5), ledger=Ledger(keep=False))
    await asyncio.sleep(10)
    assert made.sensor.ledger.entries == []
    assert made.sensor.ledger.fates.total() == made.sensor.ledger.made > 450


@given(st.binary(max_size=30), st.integers(0, 9))
def test_dice_never_invent_bytes(payload, seed):
    """What is delivered is the packet or its beginning."""
    for copy in Dice(seed).throw(payload, Faults(loss=0.2, truncate=0.5, duplicate=0.5, late=0.5)):
        assert payload.startswith(copy.payload)
        assert copy.payload == payload or copy.fate is Fate.TRUNCATED


def test_scattered_mishaps_are_in_order_and_in_bounds():
    plan = scattered(Mishap.LINK_LOSS, 20, 100, 200, seed=1)
    seconds = [planned.at_s for planned in plan]
    assert seconds == sorted(seconds)
    assert min(seconds) >= 100
    assert max(seconds) <= 200
    assert plan == scattered(Mishap.LINK_LOSS, 20, 100, 200, seed=1)


@pytest.mark.parametrize("wrong", [{"loss": 1.5}, {"late": -0.1}, {"mtu": 22}, {"interval_s": 0}])
def test_faults_that_cannot_be(wrong):
    with pytest.raises(ValueError):
        Faults(**wrong)


def block(t_s, values):
    values = np.array(values, float)
    return SampleBlock(Modality.ACC, np.array(t_s, float), np.column_stack([values] * 3))


def test_arrays_are_interpolated_and_the_last_value_is_held():
    source = FromBlocks([block([0, 1], [0, 10]), block([2], [30])])
    (felt,) = source.measure(Modality.ACC, np.array([0.5, 1.5, 9.0]), 1.0)
    assert felt.values[:, 0].tolist() == [5, 20, 30]
    assert source.measure(Modality.GYR, np.array([0.5]), 1.0) == []


def test_arrays_repeat_where_they_are_told_to():
    source = FromBlocks([block([0, 1, 2], [0, 10, 0])], repeat_s=2)
    (felt,) = source.measure(Modality.ACC, np.array([0.5, 2.5, 200.5]), 1.0)
    assert felt.values[:, 0].tolist() == [5, 5, 5]


def test_the_rocking_shank_weighs_one_g():
    (felt,) = rocking().measure(Modality.ACC, np.linspace(0, 30, 500), 50.0)
    np.testing.assert_allclose(np.linalg.norm(felt.values, axis=1), 9.80665, rtol=1e-4)
