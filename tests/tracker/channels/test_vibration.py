"""The sensor's own vibration: whoever is linked and can."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from drivers.errors import LinkError
from tracker.channels.message import Message
from tracker.channels.vibration import VibrationChannel


def buzz(outcome: bool | LinkError) -> Callable[[], Coroutine[Any, Any, bool]]:
    async def done() -> bool:
        if isinstance(outcome, LinkError):
            raise outcome
        return outcome

    return done


@pytest.mark.parametrize(
    ("sensors", "done", "why"),
    [
        ({}, False, "no sensor is recorded just now."),
        ({"calf": False}, False, "calf cannot vibrate."),
        ({"calf": LinkError("calf is not linked just now")}, False, "calf: calf is not linked just now."),
        ({"calf": False, "band": True}, True, ""),
    ],
)
async def test_who_vibrates(sensors: dict[str, bool | LinkError], done: bool, why: str) -> None:
    """One that vibrates is enough; else each says why not, in one sentence."""
    channel = VibrationChannel(lambda: [(nick, buzz(outcome)) for nick, outcome in sensors.items()])
    told = await channel.tell(Message("a", "b"), lambda _key: None)
    assert (told.done, told.why) == (done, why)


async def test_a_quiet_message_is_not_felt() -> None:
    """No sensor is asked."""
    channel = VibrationChannel(lambda: [("calf", buzz(LinkError("asked")))])
    assert (await channel.tell(Message("a", "b", quiet=True), lambda _key: None)).done
