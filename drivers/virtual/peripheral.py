"""The peripheral's side of any sensor, as a radio sees it: attributes, answers, notifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from analysis.samples import SampleBlock

NOT_SUBSCRIBED = 0xFD
"""ATT error: client characteristic configuration improperly configured (Bluetooth core specification)."""
NO_SUCH = 0x0A
NOT_PERMITTED = 0x03


class AttError(Exception):
    """The sensor refuses a request; `code` is the ATT error."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Notification:
    """A packet the sensor sends, and the sensor's own second at which its last sample was taken."""

    t_s: float
    characteristic: str
    payload: bytes


class Peripheral(Protocol):
    """One virtual sensor, switched on. Strict as the real device is."""

    mtu: int

    @property
    def local_name(self) -> str:
        """Name it advertises."""
        ...

    @property
    def manufacturer_data(self) -> Mapping[int, bytes]:
        """Company id -> payload it advertises."""
        ...

    @property
    def advertised_services(self) -> Sequence[str]:
        """Service UUIDs it advertises."""
        ...

    @property
    def services(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """Service -> characteristic -> properties (read, write, write-without-response, notify, indicate)."""
        ...

    def read(self, characteristic: str) -> bytes:
        """Value of a characteristic. Raises AttError."""
        ...

    def subscribe(self, characteristic: str, *, on: bool = True) -> list[Notification]:
        """Notifications on or off; what the device sends at once because of it. Raises AttError."""
        ...

    def write(self, characteristic: str, payload: bytes, t_s: float) -> list[Notification]:
        """A write at the sensor's second t_s; the notifications that answer it. Raises AttError."""
        ...

    def sample(self, blocks: Sequence[SampleBlock]) -> list[Notification]:
        """The sensor takes samples (t_s in its own seconds); the packets that they fill, if it streams.

        Blocks of modalities that are not streaming are ignored. The peripheral resamples nothing: the caller
        gives samples at the rate it streams at (`rate_hz`).
        """
        ...

    def rate_hz(self, modality: str) -> float | None:
        """The rate at which a modality streams just now, None while it does not."""
        ...

    def disconnect(self) -> None:
        """The link is gone."""
        ...

    def reboot(self) -> None:
        """The sensor restarts: its clock and counters begin anew, nothing streams."""
        ...
