"""Each fault of the book, seen through Bleak's public classes, alike on both carriers."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from itertools import pairwise

import numpy as np
import pytest
from bleak.exc import BleakBluetoothNotAvailableError, BleakError, BleakGATTProtocolError

from analysis.samples import Modality
from drivers.virtual.faults import ConnectError, Fate, Faults, Mishap, Planned, scattered
from drivers.virtual.peripheral import Notification


def numbers(payloads):
    return [struct.unpack_from("<I", payload)[0] for payload in payloads if len(payload) >= 20]


async def first(items, count):
    """The first few of an endless stream."""
    async for item in items:
        yield item
        count -= 1
        if not count:
            return


def whole(sensor):
    """Payloads that the ledger says have arrived."""
    return [entry.payload for entry in sensor.ledger.arrived()]


async def test_a_clean_stream_arrives_once_and_in_order(rig):
    """Every sample taken between start and stop is there, once, in order."""
    sensor = await rig.sensor()
    got = await rig.stream(sensor, 20)
    assert numbers(got) == list(range(len(got)))
    assert got == whole(sensor)
    assert len(got) == pytest.approx(1000, abs=3)
    values = [value for payload in got for value in struct.unpack_from("<dd", payload, 4)]
    life_s, taken = sensor.ledger.samples(Modality.ACC)
    np.testing.assert_allclose(values, taken[: len(values), 0])
    np.testing.assert_allclose(np.diff(life_s), 0.01, rtol=1e-6)


async def test_lost_packets_are_missing_and_no_others(rig):
    sensor = await rig.sensor(Faults(loss=0.1))
    got = await rig.stream(sensor, 20)
    assert got == whole(sensor)
    lost = sensor.ledger.fates[Fate.LOST]
    assert 60 < lost < 140
    assert set(range(numbers(got)[-1] + 1)) - set(numbers(got)) <= {
        entry.number for entry in sensor.ledger.entries if entry.fate is Fate.LOST
    }


async def test_duplicates_come_twice(rig):
    sensor = await rig.sensor(Faults(duplicate=0.2))
    got = await rig.stream(sensor, 10)
    assert len(got) - len(set(got)) == sensor.ledger.fates[Fate.COPY] > 50
    assert sorted(set(numbers(got))) == list(range(len(set(got))))


async def test_every_notification_doubled(rig):
    got = await rig.stream(await rig.sensor(Faults(duplicate=1.0)), 2)
    assert got[::2] == got[1::2]


async def test_late_packets_come_behind_later_ones(rig):
    sensor = await rig.sensor(Faults(late=0.1, late_s=0.2))
    got = numbers(await rig.stream(sensor, 10))
    assert got != sorted(got)
    assert len(set(got)) == len(got)
    assert max(first - second for first, second in pairwise(got)) >= 8


async def test_reordered_packets_change_places(rig):
    got = numbers(await rig.stream(await rig.sensor(Faults(reorder=0.1)), 10))
    assert got != sorted(got)
    assert max(abs(at - number) for at, number in enumerate(got)) <= 4


async def test_truncated_packets_are_short(rig):
    sensor = await rig.sensor(Faults(truncate=0.1))
    got = await rig.stream(sensor, 10)
    short = [payload for payload in got if len(payload) < 20]
    assert len(short) == sensor.ledger.fates[Fate.TRUNCATED] > 20
    assert [payload for payload in got if len(payload) == 20] == whole(sensor)


async def test_bursts_come_at_the_connection_interval(rig):
    """Packets of half a second arrive together, and the next half second is silent."""
    loop, arrivals = asyncio.get_running_loop(), []
    sensor = await rig.sensor(Faults(interval_s=0.5))
    client = await rig.link(sensor, lambda _: arrivals.append(loop.time()))
    await asyncio.sleep(10)
    await client.disconnect()
    bursts = np.unique(np.round(arrivals, 2), return_counts=True)
    np.testing.assert_allclose(np.diff(bursts[0][:-1]), 0.5, atol=0.02)  # the last one comes with the goodbye
    assert bursts[1][1:-1].min() >= 24


async def test_a_stall_keeps_the_link(rig):
    sensor = await rig.sensor(Faults(plan=[Planned(4, Mishap.STALL, 2)]))
    got: list[bytes] = []
    async with rig.streaming(sensor, got) as client:
        await asyncio.sleep(5)
        assert client.is_connected
        silent = len(got)
        await asyncio.sleep(0.5)
        assert (len(got), client.is_connected) == (silent, True)
        await asyncio.sleep(3)
    steps = np.diff(numbers(got))
    assert steps.max() == pytest.approx(100, abs=3)
    assert sensor.ledger.fates[Fate.STALLED] == steps.max() - 1


async def test_a_stall_without_end_is_cured_by_a_reconnection(rig):
    sensor = await rig.sensor(Faults(plan=[Planned(2, Mishap.STALL)]))
    assert await rig.stream(sensor, 3) != []
    assert len(await rig.stream(sensor, 3)) > 140


async def test_link_loss_is_told_and_the_sensor_is_found_again(rig):
    sensor = await rig.sensor(Faults(plan=[Planned(5, Mishap.LINK_LOSS)]))
    gone, got = asyncio.Event(), []
    client = await rig.link(sensor, got.append, gone)
    await asyncio.wait_for(gone.wait(), 10)
    assert not client.is_connected
    with pytest.raises(BleakError):
        await client.read_gatt_char(rig.battery)
    await client.disconnect()
    before = len(got)
    got += await rig.stream(sensor, 3)
    assert len(got) > before + 140
    assert got == whole(sensor)
    (up_s, down_s), (again_s, _) = sensor.ledger.links
    assert up_s < down_s < again_s
    assert down_s == pytest.approx(5)


async def test_a_request_under_way_ends_with_the_link(rig):
    sensor = await rig.sensor(Faults(interval_s=1.0))
    async with rig.streaming(sensor, []) as client:
        asyncio.get_running_loop().call_later(0.5, sensor.befall, Mishap.LINK_LOSS)
        with pytest.raises(BleakError):
            await client.read_gatt_char(rig.battery)


async def test_a_vanished_sensor_is_not_found_until_it_is_back(rig):
    sensor = await rig.sensor(Faults(plan=[Planned(5, Mishap.VANISH, 40)]))
    await rig.stream(sensor, 6)
    assert await rig.radio.scanner.find_device_by_name(sensor.name, timeout=10) is None
    await asyncio.sleep(30)
    assert len(await rig.stream(sensor, 2)) > 90


async def test_an_empty_battery_is_told_and_then_the_sensor_is_gone(rig):
    sensor = await rig.sensor(Faults(battery_percent=2, battery_h=0.5))
    levels: list[int] = []
    client = rig.radio.client(await rig.find(sensor))
    await client.connect()
    assert await client.read_gatt_char(rig.battery) == b"\x02"
    await client.start_notify(rig.battery, lambda _, data: levels.append(data[0]))
    await asyncio.sleep(40)
    assert levels == [1]
    assert not client.is_connected
    await client.disconnect()
    assert await rig.radio.scanner.find_device_by_name(sensor.name, timeout=60) is None


async def test_a_reboot_begins_clock_and_counters_anew(rig):
    sensor = await rig.sensor(Faults(plan=[Planned(5, Mishap.REBOOT)]))
    first = await rig.stream(sensor, 6)
    second = await rig.stream(sensor, 3)
    assert numbers(first)[0] == numbers(second)[0] == 0
    assert sensor.boot == 1
    assert first + second == whole(sensor)


async def test_drift_and_rate_error_are_in_the_sensors_own_time(rig):
    sensor = await rig.sensor(Faults(drift_ppm=200, rate_error=0.02))
    await rig.stream(sensor, 20)
    life_s, values = sensor.ledger.samples(Modality.ACC)
    np.testing.assert_allclose(values[:, 0], life_s)
    assert np.diff(life_s).mean() == pytest.approx(0.01 / 1.02 / 1.0002, rel=1e-7)
    assert sensor.own_s / sensor.life_s == pytest.approx(1.0002)


async def test_mtu_23_cuts_what_is_longer(rig):
    sensor = await rig.sensor(Faults(mtu=23), size=60)
    got = await rig.stream(sensor, 1)
    assert {len(payload) for payload in got} == {20}
    assert sensor.ledger.arrived() == []


async def test_a_wide_mtu_carries_long_packets(rig):
    sensor = await rig.sensor(size=200)
    got: list[bytes] = []
    async with rig.streaming(sensor, got) as client:
        await asyncio.sleep(1)
        control = client.services.get_characteristic(rig.control)
        assert control.max_write_without_response_size == 244
    assert {len(payload) for payload in got} == {200}


@pytest.mark.parametrize("error", [error for error in ConnectError if error is not ConnectError.ABORTED])
async def test_a_failing_connect_says_why_and_the_next_succeeds(rig, error):
    sensor = await rig.sensor(Faults(connect_errors=[error]))
    client = rig.radio.client(await rig.find(sensor))
    with pytest.raises(BleakError, match=error.text):
        await client.connect()
    await client.disconnect()
    assert len(await rig.stream(sensor, 1)) > 40


async def test_an_aborted_connect_comes_to_nothing_worse(rig):
    """Bleak itself tries again after BlueZ's le-connection-abort-by-local; elsewhere the caller must."""
    sensor = await rig.sensor(Faults(connect_errors=[ConnectError.ABORTED] * 2))
    client = rig.radio.client(await rig.find(sensor))
    for _ in range(3):
        try:
            await client.connect()
            break
        except BleakError:
            await client.disconnect()
    assert client.is_connected
    await client.disconnect()


async def test_services_that_never_resolve_time_out(rig):
    sensor = await rig.sensor(Faults(unresolved=1))
    client = rig.radio.client(await rig.find(sensor), timeout=10)
    with pytest.raises(TimeoutError):
        await client.connect()
    await client.disconnect()
    assert len(await rig.stream(sensor, 1)) > 40


async def test_connecting_to_what_has_left_times_out(rig):
    sensor = await rig.sensor()
    device = await rig.find(sensor)
    sensor.befall(Mishap.VANISH)
    client = rig.radio.client(device, timeout=60)
    with pytest.raises(BleakError):
        await client.connect()
    await client.disconnect()


async def test_a_forgotten_device_must_be_scanned_for(rig):
    sensor = await rig.sensor(Faults(plan=[Planned(3, Mishap.FORGOTTEN)]))
    device = await rig.find(sensor)
    await rig.stream(sensor, 4)
    with pytest.raises(BleakError, match="not found"):
        await rig.radio.client(device).connect()
    assert len(await rig.stream(sensor, 1)) > 40


async def test_an_adapter_that_is_off_ends_links_and_says_so(rig):
    sensor = await rig.sensor(Faults(plan=[Planned(3, Mishap.ADAPTER_OFF, 5)]))
    got: list[bytes] = []
    async with rig.streaming(sensor, got) as client:
        await asyncio.sleep(4)
        assert not client.is_connected
    with pytest.raises(BleakBluetoothNotAvailableError):
        await rig.find(sensor)
    await asyncio.sleep(5)
    got += await rig.stream(sensor, 1)
    assert got == whole(sensor)


async def test_a_refused_write_carries_its_att_error(rig):
    sensor = await rig.sensor()
    async with rig.streaming(sensor, []) as client:
        with pytest.raises(BleakGATTProtocolError) as refusal:
            await client.write_gatt_char(rig.control, b"bad", response=True)
    assert refusal.value.code == 3


async def test_an_answer_comes_after_its_write(rig):
    sensor = await rig.sensor(Faults(loss=0.9))
    answers: list[bytes] = []
    async with rig.streaming(sensor, []) as client:
        await client.start_notify(rig.control, lambda _, data: answers.append(bytes(data)))
        for command in (b"stop", b"start"):
            await client.write_gatt_char(rig.control, command, response=True)
            await asyncio.sleep(0.2)
        await client.stop_notify(rig.control)
        await client.write_gatt_char(rig.control, b"x", response=False)
        await asyncio.sleep(0.2)
    assert answers == [b"ok stop", b"ok start"]
    assert sensor.peripheral.written == [b"stop", b"start", b"x"]


async def test_indications_and_notifications_keep_their_order(rig, monkeypatch):
    """What leaves the sensor in one moment arrives in the order in which it left, confirmed or not."""
    sensor = await rig.sensor()
    sent = [(rig.control, b"1"), (rig.data, b"2"), (rig.control, b"3"), (rig.control, b"4"), (rig.data, b"5")]
    answers = [Notification(0.0, *one) for one in sent]
    monkeypatch.setattr(sensor.peripheral, "write", lambda *_: answers)
    monkeypatch.setattr(sensor.peripheral, "rate_hz", lambda _: None)
    got = []
    client = await rig.link(sensor, lambda data: got.append((rig.data, data)))
    await client.start_notify(rig.control, lambda _, data: got.append((rig.control, bytes(data))))
    for _ in range(3):
        await client.write_gatt_char(rig.control, b"start", response=True)
        await asyncio.sleep(0.2)
    await client.disconnect()
    assert got == sent * 3
    assert [(entry.characteristic, entry.payload) for entry in sensor.ledger.delivered()] == got


async def test_what_is_advertised_is_seen(rig):
    sensor = await rig.sensor()
    async with rig.radio.scanner() as scanner:
        seen = [advert async for advert in first(scanner.advertisement_data(), 20)]
    device, data = seen[-1]
    strengths = {data.rssi for _, data in seen}
    assert len(strengths) > 3
    assert (device.address, device.name, data.local_name) == (sensor.address, "CALF-0", "CALF-0")
    assert data.service_uuids == list(sensor.peripheral.advertised_services)
    assert data.manufacturer_data == {0xFFFF: b"\x01\x02"}
    assert data.service_data == {"0000feed-0000-1000-8000-00805f9b34fb": b"\x07"}
    assert all(-90 < strength < -30 for strength in strengths)


async def test_four_sensors_at_once_lose_nothing(rig):
    sensors = [await rig.sensor() for _ in range(4)]
    got: list[list[bytes]] = [[] for _ in sensors]
    clients = [await rig.link(sensor, into.append) for sensor, into in zip(sensors, got, strict=True)]
    await asyncio.sleep(15)
    for client in clients:
        await client.disconnect()
    for sensor, into in zip(sensors, got, strict=True):
        assert into == whole(sensor)
        assert len(into) > 740


async def test_one_failing_among_four_harms_no_other(rig):
    sensors = [
        await rig.sensor(Faults(plan=[Planned(10, Mishap.VANISH)] if number == 2 else [])) for number in range(4)
    ]
    got: list[list[bytes]] = [[] for _ in sensors]
    clients = [await rig.link(sensor, into.append) for sensor, into in zip(sensors, got, strict=True)]
    await asyncio.sleep(20)
    assert [client.is_connected for client in clients] == [True, True, False, True]
    for client in clients:
        await client.disconnect()
    assert all(into == whole(sensor) for sensor, into in zip(sensors, got, strict=True))
    assert len(got[2]) < 600 < 950 < len(got[3])


async def test_twenty_losses_leave_exactly_what_was_sent_while_linked(rig):
    plan = scattered(Mishap.LINK_LOSS, 20, 5, 100, seed=3)
    sensor = await rig.sensor(Faults(plan=plan, loss=0.01))
    got: list[bytes] = []
    while sensor.life_s < 105:
        gone = asyncio.Event()
        with contextlib.suppress(BleakError, TimeoutError):
            client = await rig.link(sensor, got.append, gone)
            await asyncio.wait_for(gone.wait(), 20)
            await client.disconnect()
    assert len(sensor.ledger.links) >= 15
    assert got == whole(sensor)


async def test_another_seed_is_another_day(rig):
    faults = Faults(loss=0.1, duplicate=0.1, truncate=0.05, late=0.05, reorder=0.05)
    fates = []
    for sensor in [await rig.sensor(faults, seed=seed) for seed in (1, 2)]:
        await rig.stream(sensor, 10)
        fates.append([entry.fate for entry in sensor.ledger.entries])
    assert fates[0] != fates[1]
