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
        """CLOCK_BOOTTIME on Linux, CLOCK_MONOTONIC_RAW on macOS, Python's monotonic clock on Windows."""
        kind = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC_RAW", None))
        if kind is not None:
            return time.clock_gettime_ns(kind)
        return time.monotonic_ns()

    def now(self) -> datetime:
        """The wall's time, in the machine's zone."""
        return datetime.now().astimezone()
