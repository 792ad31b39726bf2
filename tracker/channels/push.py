"""Phone, mail or chat through `apprise`: an optional extra, and nothing is sent unless an address is set."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from importlib.util import find_spec

from tracker.channels.message import Answered, Delivery, Message

FIX = "pip install 'soleus-tracker[push]'"


class PushChannel:
    """Addresses of `apprise`, such as ntfy://topic or mailto://user:password@example.org; they are never logged."""

    name = "push"

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = tuple(addresses)

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        """Send it to each address; a quiet message is not sent."""
        if message.quiet:
            return Delivery(self.name, True)
        if not self._addresses:
            return Delivery(self.name, False, "no address is set, so nothing is sent: set `push` in the settings.")
        if find_spec("apprise") is None:
            return Delivery(self.name, False, f"apprise is not installed: {FIX}.")
        return await asyncio.to_thread(self._send, message)

    async def withdraw(self, slot: str) -> None:
        """What was sent stays sent."""

    def _send(self, message: Message) -> Delivery:
        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its complaints show addresses, which hold passwords
        import apprise

        post = apprise.Apprise()
        wrong = [number for number, address in enumerate(self._addresses, 1) if not post.add(address)]
        if wrong:
            named = ", ".join(map(str, wrong))
            return Delivery(self.name, False, f"apprise does not understand address {named} of `push` in the settings.")
        if not post.notify(title=message.title, body=message.text):
            return Delivery(self.name, False, "not every address took it: try them with the command `apprise`.")
        return Delivery(self.name, True)
