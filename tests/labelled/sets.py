"""Sets of labelled recordings that the simulated leg gives: who does what, and what is then true.

Parameters are drawn by a generator of the seed's own. Every recording of a movement that is no contraction ends
with six usual push-ups, so that its false alarms stand beside a recall.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from analysis.events import Contraction, Kind, State
from analysis.leg.gait import Gait
from analysis.leg.movements import Raises
from analysis.leg.story import Recorded, Teller, Wearer
from tests.labelled import cycling_sets, days, gaits, lying_sets
from tests.labelled.telling import Telling, raises_held, then_pushups, usual_pushups

BRIDGED_S = 0.25
"""A shorter loss leaves enough of an event to be found."""

RATES_HZ = (25.0, 26.0, 50.0, 52.0, 100.0, 104.0, 208.0)
Document = dict[str, object]


def pushups_usual(told: Telling) -> None:
    """20 to 80 a minute, 15 to 45 degrees."""
    told.teller.sit(15.0).pushups(usual_pushups(told)).sit(15.0)


def pushups_slow(told: Telling) -> None:
    """8 to 20 a minute, held for 10 to 45 % of the period."""
    raises = raises_held(told, 8, told.drawn(8.0, 20.0), told.degrees(15.0, 45.0), told.drawn(0.1, 0.45))
    told.teller.sit(15.0).pushups(raises).sit(15.0)


def pushups_irregular(told: Telling) -> None:
    """20 to 70 a minute, period and size spread by 15 to 30 %."""
    usual = raises_held(told, 15, told.drawn(20.0, 70.0), told.degrees(18.0, 40.0), 0.06)
    spread = told.drawn(0.15, 0.3)
    raises = Raises(usual.count, usual.rate_per_min, usual.rotation_rad, spread)
    told.teller.sit(15.0).pushups(raises).sit(15.0)


def pushups_small(told: Telling) -> None:
    """20 to 80 a minute, 8.5 to 15 degrees."""
    told.teller.sit(15.0).pushups(
        raises_held(told, 12, told.drawn(20.0, 80.0), told.degrees(8.5, 15.0), 0.06)
    ).sit(15.0)  # fmt: skip


def pushups_vehicle(told: Telling) -> None:
    """As usual, in a car, bus or train: 0.3 to 1.2 times the usual shaking."""
    told.teller.sit(15.0).pushups(usual_pushups(told)).sit(15.0).in_vehicle(told.drawn(0.3, 1.2))


def raises_fast(told: Telling) -> None:
    """Standing, 25 to 80 a minute."""
    told.teller.stand(15.0).raises(
        raises_held(told, 12, told.drawn(25.0, 80.0), told.degrees(15.0, 45.0), 0.06)
    ).stand(15.0)  # fmt: skip


def raises_slow(told: Telling) -> None:
    """Standing, 8 to 25 a minute, held for 10 to 45 % of the period."""
    told.teller.stand(15.0).raises(
        raises_held(told, 8, told.drawn(8.0, 25.0), told.degrees(15.0, 45.0), told.drawn(0.1, 0.45))
    ).stand(15.0)  # fmt: skip


def walking(told: Telling) -> None:
    """10 to 40 strides at 0.6 to 1.6 m/s."""
    speed, stride_s = told.drawn(0.6, 1.6), told.drawn(0.95, 1.4)
    gait = Gait(speed, stride_s, told.drawn(0.85, 1.1), told.drawn(2.0, 6.0))
    told.teller.stand(8.0).walk(gait, int(told.rng.integers(10, 40))).stand(8.0)


def bounce_fast(told: Telling) -> None:
    """Leg bounce at 4 to 8 Hz for two minutes, 3 to 12 degrees."""
    hz, size = told.drawn(4.0, 8.0), told.degrees(3.0, 12.0)
    _seated(told, "bounce", lambda: told.teller.bounce(120.0, hz, size))


def bounce_slow(told: Telling) -> None:
    """Slow fidget at 2.2 to 4 Hz for two minutes, 3 to 12 degrees."""
    hz, size = told.drawn(2.2, 4.0), told.degrees(3.0, 12.0)
    _seated(told, "slow_fidget", lambda: told.teller.bounce(120.0, hz, size))


def sitting(told: Telling) -> None:
    """Ten minutes of sitting still."""
    _seated(told, "sitting_still", lambda: told.teller.sit(600.0))


def standing(told: Telling) -> None:
    """Ten minutes of standing still."""
    told.teller.stand(5.0)
    told.no_contraction("standing_still", lambda: told.teller.stand(600.0))
    told.teller.sit_down()
    then_pushups(told)


def table(told: Telling) -> None:
    """Ten minutes on a table, in any orientation; on the leg before and after."""
    told.teller.sit(15.0)
    told.no_contraction("table", lambda: told.teller.take_off(600.0))
    then_pushups(told)


def _seated(told: Telling, label: str, move: Callable[[], object]) -> None:
    told.teller.sit(15.0)
    told.no_contraction(label, move)
    then_pushups(told)


SETS: dict[str, Callable[[Telling], None]] = {
    "pushups-usual": pushups_usual,
    "pushups-slow": pushups_slow,
    "pushups-irregular": pushups_irregular,
    "pushups-small": pushups_small,
    "raises-fast": raises_fast,
    "raises-slow": raises_slow,
    "walking": walking,
    "walking-any": gaits.walking_any,
    "walking-elderly": gaits.walking_elderly,
    "running": gaits.running,
    "stairs-up": gaits.stairs_up,
    "stairs-down": gaits.stairs_down,
    "shuffling": gaits.shuffling,
    "stop-and-go": gaits.stop_and_go,
    "pushups-vehicle": pushups_vehicle,
    "bad-link": days.bad_link,
    "office-day": days.office_day,
    "bounce-fast": bounce_fast,
    "bounce-slow": bounce_slow,
    "sitting": sitting,
    "standing": standing,
    "table": table,
    **cycling_sets.SETS,
    **lying_sets.SETS,
}


LINKS: dict[str, Callable[[float, Generator], days.Lost]] = {"bad-link": days.lost_of}
"""What is lost of a set's recordings, by their length."""


def recorded(name: str, seed: int) -> tuple[Recorded, Document]:
    """One recording of a set and its truth: person, strap, part, rate and handedness by the seed."""
    rng, choice = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    rate_hz, mirrored = float(choice.choice(RATES_HZ)), bool(choice.integers(2))
    told = Telling(Teller(Wearer.anybody(rng, mirrored=mirrored), rate_hz, rng), choice)
    SETS[name](told)
    story = told.teller.record()
    lost = LINKS[name](told.teller.duration_s, choice) if name in LINKS else []
    return days.received(story, lost), truth_of(name, seed, told, story, lost)


def truth_of(name: str, seed: int, told: Telling, story: Recorded, lost: days.Lost) -> Document:
    """The truth document of a story; the turns between its poses are known from its spans.

    An event that was not received as a whole is don't-care.
    """
    document: Document = {
        "condition": name,
        "person": f"seed-{seed}",
        "source": "simulated",
        "events": [_event(event, told.hold_s, lost) for event in story.truth],
    }
    if told.label:
        start_s, end_s = _stretch(story, told)
        document["intervals"] = [{"label": told.label, "start_s": round(start_s, 3), "end_s": round(end_s, 3)}]
    return document


def _event(event: Contraction, hold_s: float, lost: days.Lost) -> Document:
    made: Document = {
        "kind": str(event.kind),
        **{key: round(getattr(event, key), 4) for key in ("onset_s", "peak_s", "end_s")},
    }
    if event.kind is Kind.STEP:
        made["gait"] = event.attributes["gait"]
    elif hold_s:
        made["hold_s"] = round(hold_s, 3)
    if any(end - start > BRIDGED_S and start < event.end_s and end > event.onset_s for start, end in lost):
        made["ignore"] = True
    return made


def _stretch(story: Recorded, told: Telling) -> tuple[float, float]:
    """When the stretch without contraction was: the longest span, whose length the telling knows."""
    length_s = told.span_s[1] - told.span_s[0]
    spans = [s for s in story.spans if abs(s.end_s - s.start_s - length_s) < 0.1 and s.state is not State.UNKNOWN]
    return spans[0].start_s, spans[0].end_s
