"""Telling in all channels at once: the ones that fail or hang keep nobody from the others."""

from __future__ import annotations

import asyncio

from drivers.virtual.clock import VirtualTimeLoop
from tracker.channels.message import Answered, Delivery, Message, tell_all, withdraw_all


class Failing:
    name = "failing"

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        raise RuntimeError("no such colour")

    async def withdraw(self, slot: str) -> None:
        raise RuntimeError("gone")


class Hanging(Failing):
    name = "hanging"

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        await asyncio.sleep(3600)
        raise AssertionError

    async def withdraw(self, slot: str) -> None:
        await asyncio.sleep(3600)


class Telling(Failing):
    name = "telling"

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        answered("done")
        return Delivery(self.name, True)

    async def withdraw(self, slot: str) -> None:
        return


def test_the_rest_keeps_working() -> None:
    """One fails, one hangs, one tells: each has its own sentence, and the whole takes six seconds."""
    answers: list[str] = []

    async def told() -> tuple[list[Delivery], float]:
        channels = (Failing(), Hanging(), Telling())
        deliveries = await tell_all(channels, Message("a", "b"), answers.append)
        await withdraw_all(channels, "")
        return deliveries, asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        deliveries, took_s = runner.run(told())
    assert deliveries == [
        Delivery("failing", False, "failing failed (no such colour)."),
        Delivery("hanging", False, "hanging did not answer within 6 s."),
        Delivery("telling", True),
    ]
    assert answers == ["done"]
    assert took_s == 12
