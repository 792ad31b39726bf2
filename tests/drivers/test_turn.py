"""Turns at the radio go round in order, and the holder sees who waits."""

from __future__ import annotations

import asyncio

from drivers.turn import Turn


async def test_the_holder_sees_that_somebody_waits_and_nobody_is_passed_over() -> None:
    turn, order = Turn(), list[str]()

    async def work(name: str) -> None:
        async with turn:
            order.append(name)

    async with turn:
        assert not turn.wanted.is_set()
        tasks = [asyncio.create_task(work(name)) for name in "abc"]
        await turn.wanted.wait()
    await asyncio.gather(*tasks)
    assert order == ["a", "b", "c"]
    assert not turn.wanted.is_set()


async def test_who_gives_up_waiting_wants_it_no_more() -> None:
    turn = Turn()
    async with turn:
        waiting = asyncio.create_task(turn.__aenter__())
        await turn.wanted.wait()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert not turn.wanted.is_set()
