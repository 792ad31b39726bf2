"""The sensor's own vibration on the leg, where its driver can ask for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from drivers.errors import LinkError
from tracker.channels.message import Answered, Delivery, Message

Buzz = Callable[[], Coroutine[Any, Any, bool]]
"""Makes one sensor vibrate; False where it cannot. Raises `LinkError` where it is not to be reached."""


class VibrationChannel:
    """Every sensor that is linked and can vibrate."""

    name = "vibration"

    def __init__(self, buzzes: Callable[[], Sequence[tuple[str, Buzz]]]) -> None:
        """Sensors to ask.

        Args:
            buzzes: nicknames of the sensors that are recorded just now, and how to make each vibrate.
        """
        self._buzzes = buzzes

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        """Vibrate once; a quiet message is not felt."""
        if message.quiet:
            return Delivery(self.name, True)
        reasons: list[str] = []
        felt = False
        for nick, buzz in self._buzzes():
            try:
                if await buzz():
                    felt = True
                else:
                    reasons.append(f"{nick} cannot vibrate")
            except LinkError as error:
                reasons.append(f"{nick}: {error}")
        if felt:
            return Delivery(self.name, True)
        return Delivery(self.name, False, f"{', '.join(reasons) or 'no sensor is recorded just now'}.")

    async def withdraw(self, slot: str) -> None:
        """What was felt stays felt."""
