"""One link after the other: what is sent is stored, whatever radio, computer and sensor do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from analysis.samples import Modality
from drivers import registry
from drivers.ble import RadioUnavailableError
from drivers.recording import open_recording
from drivers.script import DeviceRefusedError
from drivers.virtual.carriers import Kind
from drivers.virtual.faults import ConnectError, Fate, Faults, Mishap, Planned
from tests.tracker.live.conftest import Bench, assert_all_stored, decoded
from tests.wearables import TELLING_LOSS, WEARABLES, assert_as_taken, main_modality
from tracker.live.supervisor import LinkState, SensorAbsentError, Supervisor

every_driver = pytest.mark.parametrize("driver", WEARABLES)


@every_driver
@pytest.mark.parametrize("mtu", [517, 23])
async def test_every_sample_is_stored_once_and_in_order(bench: Bench, driver: str, mtu: int) -> None:
    """From the start to the stop, nothing missing, nothing twice; the store's totals say the same."""
    if mtu < registry.driver(driver).least_mtu:
        pytest.skip(f"{driver} needs an MTU of {registry.driver(driver).least_mtu}")
    sensor = await bench.add(driver, Faults(mtu=mtu))
    (session,) = await bench.for_seconds(12, sensor)
    virtual = bench.sensors[sensor.nick]
    assert_all_stored(virtual, session)
    modality = main_modality(driver)
    _, values = decoded(session, modality)
    assert_as_taken(values, virtual.ledger.samples(modality)[1])
    stored = bench.stored(session)
    with open_recording(session.path) as recording:
        assert stored.totals.samples == sum(len(block) for group in recording.blocks() for block in group)
        assert recording.header.settings["rate_hz"] > 0
    assert (stored.totals.packet_errors, stored.totals.duplicates, stored.totals.reconnects) == (0, 0, 0)
    assert stored.totals.packets == len(virtual.ledger.delivered())
    assert not virtual.linked
    assert all(virtual.peripheral.rate_hz(m) is None for m in Modality)  # it was told to stop
    kept = next(s for s in bench.store.sensors() if s.nick == sensor.nick)
    assert (kept.battery_percent is not None) == registry.driver(driver).facts.battery


async def test_packets_that_do_not_fit_the_link_are_named(bench: Bench) -> None:
    """A link too small for the sensor is silent: the wearer reads why, and what helps."""
    sensor = await bench.add("polar-pmd", Faults(mtu=23))
    await bench.for_seconds(12, sensor)
    assert any("packets of 23 bytes and the sensor needs 232" in told for told in bench.told)


@every_driver
async def test_losing_the_link_costs_what_was_sent_meanwhile(bench: Bench, driver: str) -> None:
    """Three losses: one session, three reconnects, three gaps, exactly what was sent while linked."""
    plan = [Planned(at_s, Mishap.LINK_LOSS) for at_s in (12, 24, 37)]
    sensor = await bench.add(driver, Faults(plan=plan))
    (session,) = await bench.for_seconds(55, sensor)
    virtual = bench.sensors[sensor.nick]
    assert_all_stored(virtual, session)
    stored = bench.stored(session)
    assert len(bench.store.sessions()) == 1
    assert stored.totals.reconnects == 3
    t_s, _ = decoded(session, main_modality(driver))
    assert (np.diff(t_s) > 0).all()
    assert np.count_nonzero(np.diff(t_s) > 0.5) == 3
    down = [up[0] - down[1] for down, up in pairwise(virtual.ledger.links) if down[1] is not None]
    assert max(down) < 8


@every_driver
async def test_silence_is_warned_of_and_acted_on(bench: Bench, driver: str) -> None:
    """Data stops with the link up: told after two seconds, a new link within eight, the rest is stored."""
    sensor = await bench.add(driver, Faults(plan=[Planned(12, Mishap.STALL)]))
    (session,) = await bench.for_seconds(30, sensor)
    virtual = bench.sensors[sensor.nick]
    assert_all_stored(virtual, session)
    (first, second) = virtual.ledger.links
    assert first[1] is not None
    acts_s = max(5.0, 3 * registry.driver(driver).packet_interval_s)
    assert acts_s - 3.5 < first[1] - 12 <= acts_s + 0.5
    assert second[0] - first[1] < 3
    assert any(told.startswith(LinkState.SILENT) for told in bench.told)
    assert bench.stored(session).totals.reconnects == 1


@pytest.mark.parametrize("driver", TELLING_LOSS)
async def test_duplicates_are_dropped_and_counted(bench: Bench, driver: str) -> None:
    """A host that doubles every notification, and packets that are lost: no sample twice, gaps where they are."""
    sensor = await bench.add(driver, Faults(duplicate=1.0, loss=0.02))
    (session,) = await bench.for_seconds(40, sensor)
    virtual = bench.sensors[sensor.nick]
    assert_all_stored(virtual, session)
    t_s, _ = decoded(session, Modality.ACC)
    assert (np.diff(t_s) > 0).all()
    assert bench.stored(session).totals.duplicates == virtual.ledger.fates[Fate.COPY]


@every_driver
async def test_it_waits_for_a_sensor_that_is_away(bench: Bench, driver: str) -> None:
    """Gone for two minutes: data is back within 20 s of its return."""
    sensor = await bench.add(driver, Faults(plan=[Planned(12, Mishap.VANISH, 120)]))
    (session,) = await bench.for_seconds(160, sensor)
    virtual = bench.sensors[sensor.nick]
    assert_all_stored(virtual, session)
    assert 132 < virtual.ledger.links[1][0] < 152
    assert any("not in range" in told for told in bench.told)
    assert bench.stored(session).totals.reconnects == 1


@pytest.mark.parametrize("driver", TELLING_LOSS)
async def test_a_reboot_bridges_the_clock(bench: Bench, driver: str) -> None:
    """The sensor's clock and counters begin anew: session seconds go on, with a gap of the right length."""
    sensor = await bench.add(driver, Faults(plan=[Planned(20, Mishap.REBOOT)]))
    (session,) = await bench.for_seconds(45, sensor)
    virtual = bench.sensors[sensor.nick]
    assert_all_stored(virtual, session)
    t_s, _ = decoded(session, Modality.ACC)
    steps = np.diff(t_s)
    assert (steps > 0).all()
    down_s = virtual.ledger.links[1][0] - 20
    assert steps.max() == pytest.approx(down_s, abs=2.5)
    assert abs(session.elapsed_s - t_s[-1]) < 1.5


HOST = [Mishap.ADAPTER_OFF, Mishap.FORGOTTEN, Mishap.BUS_RESTART, Mishap.DAEMON_RESTART]


@pytest.mark.parametrize("mishap", HOST)
async def test_what_befalls_the_host(bench: Bench, mishap: Mishap) -> None:
    """Adapter off and on, device removed, bus and daemon restarted: it comes back by itself."""
    if bench.kind is not Kind.BLUEZ and mishap in HOST[2:]:
        pytest.skip("a matter of BlueZ")
    sensor = await bench.add("soleus-nus", Faults(plan=[Planned(12, mishap, 6)]))
    (session,) = await bench.for_seconds(60, sensor)
    assert_all_stored(bench.sensors[sensor.nick], session)
    assert bench.stored(session).totals.reconnects == 1
    t_s, _ = decoded(session, Modality.ACC)
    assert np.diff(t_s).max() < 6 + 20


@pytest.mark.parametrize("error", ConnectError)
async def test_connections_that_fail_are_tried_again(bench: Bench, error: ConnectError) -> None:
    """Whatever bluetoothd calls it, three times in a row; but a radio that is not ready is told at once."""
    sensor = await bench.add("witmotion", Faults(connect_errors=[error] * 3))
    if error is ConnectError.NOT_READY and bench.kind is Kind.BLUEZ:
        with pytest.raises(RadioUnavailableError, match="switched off"):
            await bench.for_seconds(20, sensor)
        return
    (session,) = await bench.for_seconds(25, sensor)
    assert bench.stored(session).totals.samples > 500


async def test_a_sensor_that_is_absent_is_told_within_15_s(bench: Bench) -> None:
    """One sentence with the fix; nothing is left behind."""
    sensor = await bench.add("myo", on_air=False)
    with pytest.raises(SensorAbsentError, match="not in range: switch it on"):
        await bench.for_seconds(60, sensor)
    assert asyncio.get_running_loop().time() < 15
    assert bench.store.sessions() == []
    assert list(bench.store.home.recordings.iterdir()) == []


async def test_no_radio_is_told_at_once(bench: Bench) -> None:
    """Adapter off at the start."""
    sensor = await bench.add("polar-pmd")
    bench.air.power(on=False)
    with pytest.raises(RadioUnavailableError, match="switch"):
        await bench.for_seconds(60, sensor)
    assert asyncio.get_running_loop().time() < 5


async def test_another_device_under_its_address(bench: Bench) -> None:
    """It is connected to once or twice, and told."""
    sensor = await bench.add("witmotion")
    with pytest.raises(DeviceRefusedError, match="another device, or its firmware"):
        await bench.for_seconds(60, replace(sensor, driver="polar-pmd"))
    assert list(bench.store.home.recordings.iterdir()) == []


@pytest.mark.parametrize("count", [2, 4])
async def test_sensors_side_by_side(bench: Bench, count: int) -> None:
    """Each driver once, streamed together: everything of each is stored in a session of its own."""
    paired = [await bench.add(driver) for driver in WEARABLES[:: len(WEARABLES) // count][:count]]
    sessions = await bench.for_seconds(30, *paired)
    assert len(sessions) == count
    for sensor, session in zip(paired, sessions, strict=True):
        assert_all_stored(bench.sensors[sensor.nick], session)
        assert bench.stored(session).sensor == sensor.nick
        assert bench.stored(session).duration_s > 20


async def test_one_of_two_is_absent(bench: Bench) -> None:
    """It is told, and what the other streamed meanwhile is closed properly."""
    there, away = await bench.add("polar-pmd"), await bench.add("myo", on_air=False)
    with pytest.raises(SensorAbsentError, match="s1"):
        await bench.for_seconds(60, there, away)
    assert asyncio.get_running_loop().time() < 15.5
    (stored,) = bench.store.sessions()
    assert stored.ended_at is not None
    assert stored.totals.samples > 100


async def test_sensors_that_are_away_do_not_keep_a_fourth_waiting(bench: Bench) -> None:
    """Three are gone for good, the fourth for a minute: its data is back within 20 s of its return."""
    gone = [await bench.add(driver, Faults(plan=[Planned(12, Mishap.VANISH, 500)])) for driver in WEARABLES[:3]]
    back = await bench.add("witmotion", Faults(plan=[Planned(13, Mishap.VANISH, 60)]))
    await bench.for_seconds(120, *gone, back)
    (_, first_down_s), (up_s, _) = bench.sensors[back.nick].ledger.links[:2]
    assert first_down_s is not None
    assert up_s - 73 < 18


async def test_minutes_count_from_the_first_sample(bench: Bench) -> None:
    """A quarter of a minute, to the packet."""
    sensor = await bench.add("soleus-nus")
    async with bench.recording(sensor, minutes=0.25) as supervisors:
        while supervisors[0].view.state is not LinkState.STOPPED:
            await asyncio.sleep(0.1)
    assert supervisors[0].session is not None
    assert bench.stored(supervisors[0].session).duration_s == pytest.approx(15, abs=0.6)


@pytest.mark.parametrize("after_s", [0.05, 0.2, 0.35, 0.5, 0.8, 1.2, 2.0])
async def test_a_stop_at_any_instant_is_clean(bench: Bench, after_s: float) -> None:
    """While looking, connecting, starting, streaming: the link is let go of, within 3 s."""
    sensor = await bench.add("polar-pmd", Faults(answer_s=0.1))
    supervisor = Supervisor(bench.radio, bench.store, sensor, registry.driver("polar-pmd"), bench.clock)
    work = asyncio.create_task(supervisor.run())
    await asyncio.sleep(after_s)
    supervisor.stop()
    began_s = asyncio.get_running_loop().time()
    await work
    assert asyncio.get_running_loop().time() - began_s < 3
    await asyncio.sleep(0.5)
    assert not bench.sensors[sensor.nick].linked
    assert bench.store.open_sessions() == []
    assert not list(bench.store.home.recordings.glob("*.lock"))


async def test_twenty_reconnects_leave_no_bus_connection_behind(bench: Bench) -> None:
    """The leak of Bleak's users: connections to the bus, and copies of notifications, stay as they were."""
    if bench.kind is not Kind.BLUEZ:
        pytest.skip("a matter of BlueZ")
    plan = [Planned(15.0 + 6 * i, Mishap.LINK_LOSS) for i in range(20)]
    sensor = await bench.add("soleus-nus", Faults(plan=plan))
    async with bench.recording(sensor) as supervisors:
        await asyncio.sleep(12)
        before = bench.air.bus.connections
        await asyncio.sleep(15 + 6 * 20)
        assert supervisors[0].view.state is LinkState.STREAMING
        assert bench.air.bus.connections == before
    assert supervisors[0].session is not None
    stored = bench.stored(supervisors[0].session)
    assert (stored.totals.reconnects, stored.totals.duplicates) == (20, 0)
    assert_all_stored(bench.sensors[sensor.nick], supervisors[0].session)


async def test_battery_is_asked_while_streaming(bench: Bench) -> None:
    """The level is known soon after the start, in the tally and in the list of sensors."""
    sensor = await bench.add("polar-pmd", Faults(battery_percent=19))
    (session,) = await bench.for_seconds(12, sensor)
    assert session.tally.battery.is_low
    assert [known.battery_percent for known in bench.store.sensors()] == [19]
