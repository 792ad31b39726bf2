"""Whose turn it is at the radio: adapters do one thing at a time."""

from __future__ import annotations

import asyncio


class Turn:
    """A lock whose holder can see that somebody waits: who only listens gives way to who has something to do.

    Attributes:
        wanted: set while somebody waits.
    """

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def __aenter__(self) -> None:
        self._waiting += 1
        self.wanted.set()
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1
            if not self._waiting:
                self.wanted.clear()

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
