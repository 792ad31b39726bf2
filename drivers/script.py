"""What to say to a device, step by step, without saying it: the supervisor or a test carries the steps out."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeVar

from drivers.errors import LinkError


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Switch notifications or indications of a characteristic on."""

    characteristic: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Switch them off."""

    characteristic: str


@dataclass(frozen=True, slots=True)
class Write:
    """Write to a characteristic. `response` asks for the acknowledged form."""

    characteristic: str
    payload: bytes
    response: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """Read a characteristic; answers its bytes, or None where the device has no such characteristic."""

    characteristic: str


@dataclass(frozen=True, slots=True)
class Expect:
    """Wait for a notification that matches; answers its bytes, or None when the time is over.

    Notifications that came since the script began and were not yet expected count too, oldest first.
    """

    characteristic: str
    matches: Callable[[bytes], bool]
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Let the device rest."""

    seconds: float


Step = Subscribe | Unsubscribe | Write | Read | Expect | Pause

Outcome = TypeVar("Outcome", covariant=True)

Script = Generator[Step, bytes | None, Outcome]
"""Yields a step, is sent its answer (None where a step has none). Raises `DeviceRefusedError` to give up."""


class DeviceRefusedError(LinkError):
    """The device answered, and said no; the text is one sentence with the fix."""
