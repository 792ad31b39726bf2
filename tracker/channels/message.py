"""What is told to the wearer, what can be answered, and what became of telling it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

TELL_WITHIN_S = 6.0
"""A channel that takes longer is given up for this message; the others have told it long since."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell.

    Attributes:
        title: a few words.
        text: one or two sentences.
        buttons: key and label of each answer it offers; empty for news that needs none.
        quiet: to be seen, but not to be heard or felt.
        sound: whether it may be heard.
        expires_s: seconds after which it goes by itself; None: it stays as long as the desktop lets it.
        slot: a message takes the place of an older one in the same slot.
    """

    title: str
    text: str
    buttons: tuple[tuple[str, str], ...] = ()
    quiet: bool = False
    sound: bool = True
    expires_s: float | None = None
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message in one channel.

    Attributes:
        channel: its name.
        done: whether it was told as it was meant: a channel that keeps quiet for a quiet message has done well.
        why: one sentence that says why not, with the fix where there is one; empty where it was told.
    """

    channel: str
    done: bool
    why: str = ""


Answered = Callable[[str], None]
"""Called in the event loop's thread with the key of the button that was pressed, at most once a message."""


class Channel(Protocol):
    """One way to the wearer."""

    @property
    def name(self) -> str:
        """As the settings call it."""
        ...

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        """Tell it; whatever is in the way is a sentence in the delivery, not an error."""
        ...

    async def withdraw(self, slot: str) -> None:
        """Take the message in a slot back where it still shows: the leg has answered."""
        ...


async def tell_all(channels: Iterable[Channel], message: Message, answered: Answered) -> list[Delivery]:
    """Tell it in all channels at once; one that fails or hangs keeps no other from telling."""
    return list(await asyncio.gather(*(_tell(channel, message, answered) for channel in channels)))


async def withdraw_all(channels: Iterable[Channel], slot: str) -> None:
    """Take the message in a slot back everywhere."""
    await asyncio.gather(*(_withdraw(channel, slot) for channel in channels))


async def _tell(channel: Channel, message: Message, answered: Answered) -> Delivery:
    try:
        async with asyncio.timeout(TELL_WITHIN_S):
            return await channel.tell(message, answered)
    except TimeoutError:
        return Delivery(channel.name, False, f"{channel.name} did not answer within {TELL_WITHIN_S:.0f} s.")
    except Exception as error:  # a desktop, a player or a push service may fail in any way; the others go on
        return Delivery(channel.name, False, f"{channel.name} failed ({error or type(error).__name__}).")


async def _withdraw(channel: Channel, slot: str) -> None:
    try:
        async with asyncio.timeout(TELL_WITHIN_S):
            await channel.withdraw(slot)
    except Exception:  # what cannot be taken back stays until the desktop drops it
        return
