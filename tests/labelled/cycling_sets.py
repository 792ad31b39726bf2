"""Sets of people who pedal: on a trainer, on the road, out of the saddle; and pedals at rest.

`-wide` sets draw from wider ranges than those that rules were tuned on; they are for judging.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from analysis.leg.cycling import Bike, Bout, leg_on_bike
from analysis.leg.gait import Gait
from tests.labelled.telling import Telling, then_pushups


def cycling_trainer(told: Telling) -> None:
    """45 to 100 a minute on a bike that stands, with two pauses."""
    bouts = tuple(Bout(told.count(15, 40), told.drawn(45.0, 100.0), told.drawn(3.0, 10.0)) for _ in range(3))
    told.teller.stand(8.0).ride(usual_bike(told), bouts).stand(8.0)


def cycling_road(told: Telling) -> None:
    """Walk to the bike, ride with pauses and single pushes over smooth or rough roads."""
    _walk(told)
    told.teller.ride(usual_bike(told), city_bouts(told, 50.0, 95.0), road_mps2=told.drawn(0.2, 2.0)).stand(8.0)


def cycling_standing(told: Telling) -> None:
    """Out of the saddle, 45 to 75 a minute, after some strokes in it."""
    bike = usual_bike(told)
    bouts = (Bout(told.count(8, 25), told.drawn(45.0, 75.0), told.drawn(1.0, 4.0)),)
    road = told.drawn(0.2, 1.5)
    told.teller.stand(8.0).ride(bike, bouts, road_mps2=road)
    told.teller.ride(bike.out_of_saddle(told.rng), bouts, road_mps2=road).stand(8.0)


def cycling_wide(told: Telling) -> None:
    """Any bike and foot, 40 to 110 a minute, roads up to rough paving, half of the time out of the saddle."""
    _walk(told)
    bike = wide_bike(told)
    if told.rng.integers(2):
        bike = bike.out_of_saddle(told.rng)
        bouts = city_bouts(told, 40.0, 80.0)
    else:
        bouts = city_bouts(told, 40.0, 110.0)
    told.teller.ride(bike, bouts, road_mps2=told.drawn(0.0, 3.0)).stand(8.0)


def coasting(told: Telling) -> None:
    """Two minutes with the pedals at rest, over smooth or rough roads."""
    told.teller.sit(15.0)
    bike, road = usual_bike(told), told.drawn(0.3, 3.0)
    rest = (Bout(0, 60.0, 120.0),)
    told.no_contraction("pedals_at_rest", lambda: told.teller.ride(bike, rest, road_mps2=road))
    then_pushups(told)


def usual_bike(told: Telling) -> Bike:
    return _fitting(
        told,
        lambda: Bike(
            crank_m=told.drawn(0.165, 0.175),
            seat_angle_rad=told.degrees(69.0, 76.0),
            bottom_flexion_rad=told.degrees(25.0, 55.0),
            heel_up_rad=told.degrees(10.0, 30.0),
            ankling_rad=told.degrees(3.0, 15.0),
            foot_share=told.drawn(0.7, 1.05),
            hip_rock_m=told.drawn(0.0, 0.012),
            lean_rad=told.drawn(0.0, 0.03),
        ),
    )


def wide_bike(told: Telling) -> Bike:
    return _fitting(
        told,
        lambda: Bike(
            crank_m=told.drawn(0.145, 0.18),
            seat_angle_rad=told.degrees(62.0, 80.0),
            bottom_flexion_rad=told.degrees(15.0, 75.0),
            heel_up_rad=told.degrees(-5.0, 40.0),
            ankling_rad=told.degrees(-5.0, 20.0),
            foot_share=told.drawn(0.4, 1.1),
            hip_rock_m=told.drawn(0.0, 0.025),
            lean_rad=told.drawn(0.0, 0.05),
        ),
    )


def _fitting(told: Telling, drawn: Callable[[], Bike]) -> Bike:
    """The first bike drawn that this body can ride."""
    around = np.linspace(0.0, 2.0 * np.pi, 60)
    while True:
        bike = drawn()
        try:
            leg_on_bike(told.teller.wearer.body, bike, around)
        except ValueError:
            continue
        return bike


def city_bouts(told: Telling, slowest: float, fastest: float) -> tuple[Bout, ...]:
    """Long and short bouts with pauses between, some of a stroke or two."""
    return tuple(
        Bout(told.count(1, 4) if told.rng.random() < 0.25 else told.count(8, 30),
             told.drawn(slowest, fastest), told.drawn(1.0, 12.0))
        for _ in range(told.count(3, 6))
    )  # fmt: skip


def _walk(told: Telling) -> None:
    told.teller.stand(5.0).walk(Gait(told.drawn(0.9, 1.4), told.drawn(1.0, 1.2)), told.count(8, 15)).stand(4.0)


SETS: dict[str, Callable[[Telling], None]] = {
    "cycling-trainer": cycling_trainer,
    "cycling-road": cycling_road,
    "cycling-standing": cycling_standing,
    "cycling-wide": cycling_wide,
    "coasting": coasting,
}
