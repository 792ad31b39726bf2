"""Time that is not waited for: an event loop whose clock leaps to the next thing to do.

Everything in one process and one loop runs so: virtual sensors, virtual air, the fake system bus with its sockets,
and the program that is tested. An hour takes as long as its work does, and is the same every time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

Arguments = TypeVarTuple("Arguments")
Outcome = TypeVar("Outcome")


class LeapingSelector(selectors.BaseSelector):
    """A selector that never sleeps through a timeout: where nothing is ready, the injected clock moves on instead.

    While work is under way that no clock can hurry (threads), it waits for that.
    """

    def __init__(self) -> None:
        self.now_s = 0.0
        self.working = 0
        self._real = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Ready file objects; the clock leaps by `timeout` where there are none."""
        ready = self._real.select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.working:
            return self._real.select(None)
        self.now_s += max(timeout, 0.0)
        return []

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        """See `selectors`."""
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        """See `selectors`."""
        return self._real.unregister(fileobj)

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        """See `selectors`."""
        return self._real.get_map()

    def close(self) -> None:
        """See `selectors`."""
        self._real.close()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop that lives in virtual time from second 0. Use: `asyncio.Runner(loop_factory=VirtualTimeLoop)`."""

    def __init__(self) -> None:
        self._leaping = LeapingSelector()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._leaping.now_s

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Arguments], Outcome], *args: *Arguments
    ) -> asyncio.Future[Outcome]:
        """Work in a thread takes no virtual time: the clock stands until it is done."""
        future: asyncio.Future[Outcome] = super().run_in_executor(executor, func, *args)
        self._leaping.working += 1
        future.add_done_callback(self._worked)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Threads are waited for however long they take; a limit in virtual time would be over at once."""
        self._leaping.working += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._leaping.working -= 1

    def _worked(self, _: asyncio.Future[Outcome]) -> None:
        self._leaping.working -= 1
