"""Which session an instant belongs to, where several sessions of one leg overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tracker.store.intervals import Interval, subtract, union


@dataclass(frozen=True, slots=True)
class Coverage:
    """What one session saw in a window; sorted disjoint UTC microseconds.

    Attributes:
        session_id: the session.
        preference: (cannot be counted, rank, start in UTC microseconds, uid); the smaller is preferred. Nothing
            in it depends on the order in which sessions were stored.
        extent: from the first to the last sample, without forgotten stretches.
        recorded: the extent without its gaps.
        worn: recorded and known to be worn; nothing where the session cannot be counted.
    """

    session_id: int
    preference: tuple[bool, int, int, str]
    extent: Sequence[Interval]
    recorded: Sequence[Interval]
    worn: Sequence[Interval]


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """Time that is counted from one session, worn throughout or not at all."""

    start_us: int
    end_us: int
    session_id: int
    worn: bool


def owners(coverages: Sequence[Coverage]) -> list[Stretch]:
    """Give every recorded instant to exactly one session.

    A session in which the sensor was worn at that instant goes before one in which it was not (a spare sensor
    on the table never hides the one on the leg); among equals the preferred session. Deleting a session gives
    its time back to the next.

    Returns:
        Disjoint stretches, sorted by time.
    """
    ranked = sorted(coverages, key=lambda coverage: coverage.preference)
    taken: list[Interval] = []
    stretches: list[Stretch] = []
    for worn in (True, False):
        for coverage in ranked:
            free = subtract(coverage.worn if worn else coverage.recorded, taken)
            stretches += [Stretch(start, end, coverage.session_id, worn) for start, end in free]
            taken = union([*taken, *free]) if taken else free
    return sorted(stretches)


def unseen(coverages: Sequence[Coverage]) -> list[Interval]:
    """Time within some session of the leg in which none of them has a sample: the day's gaps."""
    extents = union(piece for coverage in coverages for piece in coverage.extent)
    return subtract(extents, union(piece for coverage in coverages for piece in coverage.recorded))
