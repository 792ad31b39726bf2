"""The host's two clocks: one that runs through suspend and never steps, and the wall's."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the live floor reads the time."""

    def steady_ns(self) -> int:
        """Nanoseconds that run through suspend and never step."""
        ...

    def now(self) -> datetime:
        """The wall's time, aware, in the zone of this moment."""
        ...


@dataclass(frozen=True, slots=True)
class HostClock:
    """The operating system's clocks."""

    def steady_ns(self) -> int:
        """CLOCK_BOOTTIME on Linux; elsewhere the monotonic clock, which runs through suspend on Windows only."""
        if boottime := getattr(time, "CLOCK_BOOTTIME", None):
            return time.clock_gettime_ns(boottime)
        return time.monotonic_ns()

    def now(self) -> datetime:
        """The wall's time, in the machine's zone."""
        return datetime.now().astimezone()
