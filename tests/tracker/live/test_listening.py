"""A sensor that speaks by its advertisements alone is recorded without a connection, beside others that have one."""

from __future__ import annotations

import numpy as np

from analysis.samples import Modality
from drivers.packets import ADVERTISEMENT
from drivers.recording import open_recording
from drivers.virtual.faults import ConnectError, Faults, Mishap, Planned
from drivers.virtual.umyo import VirtualUmyo
from tests.tracker.live.conftest import Bench, assert_all_stored
from tracker.live.session import LiveSession
from tracker.live.supervisor import LinkState
from tracker.sensors import Found, find, identify
from tracker.store import Sensor


def levels_s(session: LiveSession) -> np.ndarray:
    """Session seconds of the muscle levels that were heard."""
    with open_recording(session.path) as recording:
        blocks = [b for group in recording.blocks() for b in group if b.modality is Modality.EMG]
    return np.concatenate([b.t_s for b in blocks if b.stream == "level"])


def assert_heard(bench: Bench, sensor: Sensor, session: LiveSession, *, aside: int = 3) -> None:
    """All that reached the host is stored, in order, but what a search heard while nobody listened yet."""
    delivered = [e.payload for e in bench.sensors[sensor.nick].ledger.delivered(ADVERTISEMENT)]
    with open_recording(session.path) as recording:
        kept = [p.payload for batch in recording.batches() for p in batch]
    rest = iter(delivered)
    assert all(payload in rest for payload in kept)
    assert len(delivered) - len(kept) in range(aside + 1)


async def test_every_advertisement_that_was_heard_is_stored_once_and_in_order(bench: Bench) -> None:
    """The connection brings nothing, so it is listened to; 48 a second come."""
    sensor = await bench.add("umyo", peripheral=VirtualUmyo(connectable=False))
    (session,) = await bench.for_seconds(8, sensor)
    virtual = bench.sensors[sensor.nick]
    assert_heard(bench, sensor, session)
    heard = virtual.ledger.delivered(ADVERTISEMENT)
    assert len(heard) > 250
    t_s = levels_s(session)
    assert np.diff(t_s).max() < 0.1
    assert bench.stored(session).totals.reconnects == 0


async def test_one_that_refuses_connections_is_listened_to_after_the_second(bench: Bench) -> None:
    faults = Faults(connect_errors=[ConnectError.PAGE_TIMEOUT] * 9)
    sensor = await bench.add("umyo", faults, peripheral=VirtualUmyo(connectable=False))
    (session,) = await bench.for_seconds(12, sensor)
    assert_heard(bench, sensor, session, aside=8)  # a sixth of a second between search and session
    assert session.tally.measured > 200


async def test_out_of_range_and_back_is_a_gap(bench: Bench) -> None:
    """Silence is acted on as that of a link; what comes later belongs to the same session."""
    plan = [Planned(6, Mishap.VANISH, 12)]
    sensor = await bench.add("umyo", Faults(plan=plan), peripheral=VirtualUmyo(connectable=False))
    (session,) = await bench.for_seconds(30, sensor)
    assert_heard(bench, sensor, session, aside=8)
    gaps = np.diff(levels_s(session))
    assert np.count_nonzero(gaps > 0.5) == 1
    assert 12 <= gaps.max() < 27
    assert any(told.startswith(LinkState.SILENT) for told in bench.told)
    assert bench.stored(session).totals.reconnects == 1


async def test_two_that_are_listened_to_and_one_that_is_connected(bench: Bench) -> None:
    """Listening gives way to a search and a connection, and two who listen hear through one search."""
    first = await bench.add("umyo", peripheral=VirtualUmyo(connectable=False))
    second = await bench.add("umyo", peripheral=VirtualUmyo(connectable=False))
    linked = await bench.add("soleus-nus", Faults(plan=[Planned(10, Mishap.LINK_LOSS)]))
    sessions = await bench.for_seconds(20, first, second, linked)
    assert len(sessions) == 3
    assert_all_stored(bench.sensors[linked.nick], sessions[2])
    for sensor, session in zip((first, second), sessions[:2], strict=True):
        assert_heard(bench, sensor, session, aside=400)
        t_s = levels_s(session)
        assert t_s.size > 500
        assert np.diff(t_s).max() < 3.0
    assert bench.stored(sessions[2]).totals.reconnects == 1


async def test_the_newer_firmware_is_connected_to(bench: Bench) -> None:
    sensor = await bench.add("umyo")
    (session,) = await bench.for_seconds(8, sensor)
    assert bench.sensors[sensor.nick].ledger.delivered(ADVERTISEMENT) == []
    assert session.tally.measured > 5000


async def test_pairing_one_that_is_listened_to_knows_nothing_of_it(bench: Bench) -> None:
    sensor = await bench.add("umyo", peripheral=VirtualUmyo(connectable=False))
    found: Found = await find(bench.radio, sensor.address, 5.0)
    assert found.driver is not None
    assert found.driver.name == "umyo"
    identity = await identify(bench.radio, found)
    assert (identity.battery_percent, identity.firmware) == (None, None)
