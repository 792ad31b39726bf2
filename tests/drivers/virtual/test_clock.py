"""Virtual time leaps where nothing is to be done, and waits for work that no clock can hurry."""

from __future__ import annotations

import asyncio
import threading

import pytest

from drivers.virtual.clock import VirtualTimeLoop


def run(main):
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def test_a_day_is_slept_through_to_the_second():
    async def day():
        loop = asyncio.get_running_loop()
        before = loop.time()
        await asyncio.sleep(86_400)
        return loop.time() - before

    assert run(day()) == 86_400


def test_timers_fire_in_order_at_their_time():
    async def timers():
        loop, fired = asyncio.get_running_loop(), []
        for delay in (3.0, 1.0, 2.0):
            loop.call_later(delay, lambda delay=delay: fired.append((delay, loop.time())))
        await asyncio.sleep(4)
        return fired

    assert run(timers()) == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]


def test_the_clock_stands_while_a_thread_works():
    async def work():
        loop, began = asyncio.get_running_loop(), threading.Event()
        ticker = loop.create_task(asyncio.sleep(3600))
        result = await asyncio.to_thread(lambda: began.set() or threading.Event().wait(0.05) or "done")
        ticker.cancel()
        return result, loop.time()

    assert run(work()) == ("done", 0.0)


def test_timeouts_are_virtual():
    async def late():
        async with asyncio.timeout(30):
            await asyncio.get_running_loop().create_future()

    with pytest.raises(TimeoutError):
        run(late())
