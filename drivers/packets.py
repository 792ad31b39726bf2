"""What a device sends, before anybody has interpreted it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RawPacket:
    """One notification as it arrived.

    Attributes:
        arrival_ns: nanoseconds on the host's monotonic clock.
        characteristic: lower-case 128-bit UUID, or "advertisement".
        payload: the bytes.
    """

    arrival_ns: int
    characteristic: str
    payload: bytes
