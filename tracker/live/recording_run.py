"""Record one sensor or several at once until the time is over or somebody says stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress

from drivers import registry
from drivers.ble import Radio
from tracker.errors import StoreError
from tracker.live.clock import Clock
from tracker.live.supervisor import BEAT_S, Supervisor
from tracker.store import Sensor, Store

_STOPS = ("SIGINT", "SIGTERM", "SIGHUP")
"""The last where the terminal is closed; somebody who ignores it (nohup) goes on."""

Teller = Callable[[Sequence[Supervisor]], None]


async def record(
    radio: Radio,
    store: Store,
    sensors: Sequence[Sensor],
    clock: Clock,
    *,
    minutes: float | None,
    tell: Teller,
    tell_every_s: float = 1.0,
) -> list[Supervisor]:
    """Record until `minutes` have passed since the first sample of each sensor, or SIGINT or SIGTERM comes.

    Args:
        radio: how sensors are reached.
        store: where sessions go.
        sensors: whom to record; they are connected one at a time and stream together.
        clock: the host's clocks.
        minutes: None for no end.
        tell: called again and again with what is going on; when it fails, recording ends cleanly.
        tell_every_s: how often.

    Raises:
        LinkError: a sensor could not be started; the others' sessions are closed.
        StoreError: the disk takes nothing any more.
    """
    supervisors = [Supervisor(radio, store, s, registry.driver(s.driver), clock) for s in sensors]
    _stop_on_signals(supervisors)
    runs = {asyncio.create_task(supervisor.run()) for supervisor in supervisors}
    others = {asyncio.create_task(_tell(supervisors, tell, tell_every_s))}
    if minutes is not None:
        others.add(asyncio.create_task(_end(supervisors, minutes * 60)))
    waiting = runs | others
    try:
        while waiting & runs and not _failed(waiting):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            waiting = {task for task in waiting if not task.done() or _failed({task})}
    finally:
        for supervisor in supervisors:
            supervisor.stop()
        for task in others:
            task.cancel()
        results = await asyncio.gather(*runs, *others, return_exceptions=True)
    _raise_worst([result for result in results if isinstance(result, Exception)])
    return supervisors


def _failed(tasks: set[asyncio.Task[None]]) -> bool:
    return any(task.done() and not task.cancelled() and task.exception() for task in tasks)


def _raise_worst(errors: Sequence[Exception]) -> None:
    """What may have cost data goes before what has not begun."""
    for error in sorted(errors, key=lambda error: not isinstance(error, StoreError)):
        raise error


def _stop_on_signals(supervisors: Sequence[Supervisor]) -> None:
    def stop() -> None:
        for supervisor in supervisors:
            supervisor.stop()

    loop = asyncio.get_running_loop()
    for name in _STOPS:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) is signal.SIG_IGN:
            continue
        with suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, and loops off the main thread
            loop.add_signal_handler(number, stop)


async def _tell(supervisors: Sequence[Supervisor], tell: Teller, every_s: float) -> None:
    while True:
        await asyncio.sleep(every_s)
        for supervisor in supervisors:
            if supervisor.session is not None:
                supervisor.session.look()
        tell(supervisors)


async def _end(supervisors: Sequence[Supervisor], after_s: float) -> None:
    """Stop each sensor so long after its first sample, whether or not it is there at that moment."""
    while True:
        await asyncio.sleep(BEAT_S)
        for supervisor in supervisors:
            if supervisor.session is not None and supervisor.session.elapsed_s >= after_s:
                supervisor.stop()
