"""Record one sensor or several at once until the time is over or somebody says stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from drivers import registry
from drivers.ble import Radio
from tracker.live.clock import Clock
from tracker.live.supervisor import Supervisor
from tracker.store import Sensor, Store

TELL_EVERY_S = 1.0

Teller = Callable[[Sequence[Supervisor]], None]


async def record(
    radio: Radio,
    store: Store,
    sensors: Sequence[Sensor],
    clock: Clock,
    *,
    minutes: float | None,
    tell: Teller,
    tell_every_s: float = TELL_EVERY_S,
) -> list[Supervisor]:
    """Record until `minutes` have passed since the first sample of each sensor, or SIGINT or SIGTERM comes.

    Args:
        radio: how sensors are reached.
        store: where sessions go.
        sensors: whom to record; they are connected one at a time and stream together.
        clock: the host's clocks.
        minutes: None for no end.
        tell: called again and again with what is going on.
        tell_every_s: how often.

    Raises:
        LinkError: a sensor could not be started.
        StoreError: the disk takes nothing any more.
    """
    supervisors = [Supervisor(radio, store, s, registry.driver(s.driver), clock) for s in sensors]
    _stop_on_signals(supervisors)
    telling = asyncio.create_task(_tell(supervisors, tell, tell_every_s, minutes))
    runs = [asyncio.create_task(supervisor.run()) for supervisor in supervisors]
    try:
        await asyncio.wait(runs, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for supervisor in supervisors:
            supervisor.stop()
        results = await asyncio.gather(*runs, return_exceptions=True)
        telling.cancel()
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return supervisors


def _stop_on_signals(supervisors: Sequence[Supervisor]) -> None:
    def stop() -> None:
        for supervisor in supervisors:
            supervisor.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, and loops off the main thread
            loop.add_signal_handler(number, stop)


async def _tell(supervisors: Sequence[Supervisor], tell: Teller, every_s: float, minutes: float | None) -> None:
    while True:
        await asyncio.sleep(every_s)
        tell(supervisors)
        for supervisor in supervisors:
            session = supervisor.session
            if minutes is not None and session is not None and session.tally.session_s >= minutes * 60:
                supervisor.stop()
