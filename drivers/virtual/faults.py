"""The book of faults: what goes wrong between a sensor and its host, how often or when, from one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from math import inf


class Mishap(StrEnum):
    """What may befall a sensor or its host at a stated second."""

    STALL = "stall"
    """Data stops, the link stays up; over when its time is, or when the link goes down."""
    LINK_LOSS = "link-loss"
    """Supervision timeout: both sides see the link end. The sensor advertises again."""
    VANISH = "vanish"
    """Out of range: the link ends and nothing is advertised until its time is over."""
    FLAT = "battery-death"
    """The sensor is off for good."""
    REBOOT = "reboot"
    """The sensor restarts: link gone, clock and counters begin anew."""
    FORGOTTEN = "forgotten"
    """The host removes the device from its list, as BlueZ does with devices that are not bonded."""
    ADAPTER_OFF = "adapter-off"
    BUS_RESTART = "bus-restart"
    """The system bus dies, and bluetoothd with it; both are back when the time is over."""
    DAEMON_RESTART = "daemon-restart"
    """bluetoothd leaves the bus and comes back; the bus lives."""


class ConnectError(Enum):
    """Why a host fails to connect: D-Bus error name and text as bluetoothd gives them."""

    ABORTED = ("org.bluez.Error.Failed", "le-connection-abort-by-local")
    IN_PROGRESS = ("org.bluez.Error.InProgress", "In Progress")
    SOFTWARE_ABORT = ("org.bluez.Error.Failed", "Software caused connection abort")
    PAGE_TIMEOUT = ("org.bluez.Error.Failed", "Page Timeout")
    RESET = ("org.bluez.Error.Failed", "Connection reset by peer")
    AUTHENTICATION_FAILED = ("org.bluez.Error.AuthenticationFailed", "Authentication Failed")
    NOT_READY = ("org.bluez.Error.NotReady", "Resource Not Ready")
    NOT_AVAILABLE = ("org.bluez.Error.NotAvailable", "Operation currently not available")

    @property
    def dbus_name(self) -> str:
        """Error name on the bus."""
        return self.value[0]

    @property
    def text(self) -> str:
        """The sentence that comes with it."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Planned:
    """A mishap with a date.

    Attributes:
        at_s: second of the sensor's life, counted from when it was switched on.
        mishap: what happens.
        lasts_s: how long, where that means anything; for ever unless stated.
    """

    at_s: float
    mishap: Mishap
    lasts_s: float = inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Everything that is wrong with one sensor and the air around it. The default is a good sensor in quiet air.

    Probabilities are per data packet; answers to writes are acknowledged by the link layer and never lost.

    Attributes:
        loss: the packet never arrives.
        duplicate: it arrives twice; 1.0 is a host that doubles every notification.
        late: it arrives `late_s` after its time, behind packets made later.
        late_s: how late.
        reorder: it changes places with the next one.
        truncate: only its first bytes arrive.
        interval_s: connection interval: packets made since the last one leave together, so a long one means bursts.
        answer_s: time the sensor takes to answer a write.
        supervision_s: a link that breaks is silent for so long before anybody is told.
        rate_error: samples are taken this fraction faster than the nominal rate, -0.02 to 0.02.
        drift_ppm: the sensor's clock runs this much fast.
        mtu: upper bound of the ATT MTU; 23 is the smallest there is.
        connect_errors: one for each attempt to connect, until they are used up.
        unresolved: so many connections are made whose services are never resolved.
        battery_percent: charge at the start; None leaves the level to the peripheral, and it never runs down.
        battery_h: hours a full charge lasts; at nothing the sensor is off.
        plan: dated mishaps.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    late: float = 0.0
    late_s: float = 0.25
    reorder: float = 0.0
    truncate: float = 0.0
    interval_s: float = 0.03
    answer_s: float = 0.03
    supervision_s: float = 0.0
    rate_error: float = 0.0
    drift_ppm: float = 0.0
    mtu: int = 517
    connect_errors: Sequence[ConnectError] = ()
    unresolved: int = 0
    battery_percent: float | None = None
    battery_h: float = 20.0
    plan: Sequence[Planned] = ()

    def __post_init__(self) -> None:
        chances = (self.loss, self.duplicate, self.late, self.reorder, self.truncate)
        if not all(0 <= chance <= 1 for chance in chances):
            raise ValueError("a probability lies between 0 and 1")
        if self.interval_s <= 0 or self.mtu < 23:
            raise ValueError("interval_s must be positive and mtu at least 23")


def scattered(
    mishap: Mishap, times: int, from_s: float, to_s: float, *, seed: int, lasts_s: float = inf
) -> list[Planned]:
    """So many mishaps of a kind at random seconds of an interval, in order."""
    dice = random.Random(f"{mishap} {seed}")
    return [Planned(at_s, mishap, lasts_s) for at_s in sorted(dice.uniform(from_s, to_s) for _ in range(times))]


class Fate(StrEnum):
    """What became of one copy of a packet."""

    SENT = "sent"
    COPY = "copy"
    LATE = "late"
    SWAPPED = "swapped"
    TRUNCATED = "truncated"
    LOST = "lost"
    STALLED = "stalled"
    UNLINKED = "unlinked"
    """Its time came when nobody was linked or subscribed any more."""

    @property
    def whole(self) -> bool:
        """The host got all of its bytes."""
        return self in (Fate.SENT, Fate.COPY, Fate.LATE, Fate.SWAPPED)


@dataclass(frozen=True, slots=True)
class Copy:
    """One delivery of a packet: which fate, which bytes, how long after its time."""

    fate: Fate
    payload: bytes
    delay_s: float = 0.0


class Dice:
    """The seeded chance of one sensor. The same seed and the same packets meet the same fates."""

    def __init__(self, seed: object) -> None:
        self._random = random.Random(str(seed))

    def throw(self, payload: bytes, faults: Faults) -> list[Copy]:
        """The copies of a packet that will be delivered, a lost one included as such."""
        lost, doubled, late, swapped, cut, where = (self._random.random() for _ in range(6))
        if lost < faults.loss:
            return [Copy(Fate.LOST, payload)]
        if cut < faults.truncate:
            return [Copy(Fate.TRUNCATED, payload[: int(where * len(payload))])]
        if late < faults.late:
            first = Copy(Fate.LATE, payload, faults.late_s)
        elif swapped < faults.reorder:
            first = Copy(Fate.SWAPPED, payload)
        else:
            first = Copy(Fate.SENT, payload)
        return [first, Copy(Fate.COPY, payload, first.delay_s)] if doubled < faults.duplicate else [first]

    def rssi_dbm(self) -> int:
        """Signal strength of one advertisement: fading about a band at arm's length."""
        return round(self._random.gauss(-58, 4))
