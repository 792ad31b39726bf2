"""Gaits beyond usual walking: who goes how. Every one begins and ends standing."""

from __future__ import annotations

from collections.abc import Callable

from analysis.leg.gait import Gait
from analysis.leg.other_gaits import Run, Shuffle, Stairs
from tests.labelled.telling import Telling


def walking_any(told: Telling) -> None:
    """10 to 40 strides at 0.4 to 1.8 m/s; the slower, the smaller the swing of the shank."""
    speed = told.drawn(0.4, 1.8)
    stride_s = told.drawn(0.92, 1.08) * (1.5 - 0.32 * speed)
    gait = Gait(speed, stride_s, told.drawn(0.9, 1.1) * (0.7 + 0.2 * speed), told.drawn(1.5, 2.5) * (0.5 + speed))
    _go(told, lambda: told.teller.walk(gait, int(told.rng.integers(10, 40))))


def walking_elderly(told: Telling) -> None:
    """10 to 30 strides at 0.4 to 1.0 m/s, unsteady, small swings, soft strikes."""
    gait = Gait(told.drawn(0.4, 1.0), told.drawn(1.05, 1.6), told.drawn(0.55, 0.85), told.drawn(1.2, 3.5), 0.06)
    _go(told, lambda: told.teller.walk(gait, int(told.rng.integers(10, 30))))


def running(told: Telling) -> None:
    """20 to 60 strides at 2.2 to 4.5 m/s."""
    speed = told.drawn(2.2, 4.5)
    how = Run(
        speed, told.drawn(0.94, 1.06) * (0.865 - 0.044 * speed), told.drawn(0.85, 1.15),
        told.drawn(0.5, 1.3) * (40.0 + 30.0 * (speed - 2.2)),
    )  # fmt: skip
    _go(told, lambda: told.teller.run(how, int(told.rng.integers(20, 60))))


def stairs_up(told: Telling) -> None:
    """Two flights of 4 to 10 strides, with a landing between."""
    _stairs(told, up=True)


def stairs_down(told: Telling) -> None:
    """Likewise, down."""
    _stairs(told, up=False)


def _stairs(told: Telling, *, up: bool) -> None:
    how = Stairs(
        told.drawn(0.15, 0.2), told.drawn(0.24, 0.32), told.drawn(1.1, 1.7) - (0.0 if up else 0.1),
        told.drawn(1.5, 4.0) * (1.0 if up else 2.0), told.drawn(0.85, 1.1),
    )  # fmt: skip

    def flights() -> None:
        told.teller.stairs(how, int(told.rng.integers(4, 11)), up=up).stand(told.drawn(1.0, 5.0))
        told.teller.stairs(how, int(told.rng.integers(4, 11)), up=up)

    _go(told, flights)


def shuffling(told: Telling) -> None:
    """12 to 40 strides of 0.3 to 0.7 m."""
    how = Shuffle(told.drawn(0.3, 0.7), told.drawn(0.9, 1.3), told.drawn(0.8, 2.5))
    _go(told, lambda: told.teller.shuffle(how, int(told.rng.integers(12, 40))))


def stop_and_go(told: Telling) -> None:
    """Eight bouts of 2 to 7 strides with 1 to 5 s of standing between, as around a kitchen."""

    def bouts() -> None:
        for _ in range(8):
            speed = told.drawn(0.5, 1.3)
            gait = Gait(speed, told.drawn(1.0, 1.4), told.drawn(0.7, 1.05), told.drawn(1.5, 5.0))
            told.teller.walk(gait, int(told.rng.integers(2, 8))).stand(told.drawn(1.0, 5.0))

    _go(told, bouts)


def _go(told: Telling, move: Callable[[], object]) -> None:
    told.teller.stand(8.0)
    move()
    told.teller.stand(8.0)
