"""Worn or not, seated, standing or walking; unknown where unclear."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from analysis.events import Contraction, Kind, State, StateSpan
from analysis.frames import CENTRE_S, Framer
from analysis.grid import GRID_HZ, GridPiece
from analysis.rules import RULES
from analysis.states import (
    DEAD,
    MOVING,
    PUSHING,
    QUIET,
    RAISING,
    REACH,
    WALKING,
    Rows,
    StateMachine,
    mark_events,
    rows,
    spread,
)

UP, LEANING = np.array([0.0, 0.0, 1.0]), np.array([0.0, np.sin(0.5), np.cos(0.5)])


def rows_of(code: list[int], up: np.ndarray = UP, start_s: float = 0.0, last_seen_s: float = CENTRE_S) -> Rows:
    seen = np.full(len(code), float(CENTRE_S))
    seen[-1:] = last_seen_s
    return Rows(
        start_s + CENTRE_S * np.arange(len(code), dtype=float), seen, np.array(code), np.tile(up, (len(code), 1))
    )


def event(kind: Kind, peak_s: float) -> Contraction:
    return Contraction(kind, peak_s - 0.2, peak_s, peak_s + 0.2, 0.9, "test")


def told(*parts: tuple[Rows, list[Contraction]]) -> list[StateSpan]:
    machine, spans = StateMachine(RULES), []
    for i, (part, events) in enumerate(parts):
        spans += machine.feed(part, events, ends=i == len(parts) - 1)
    return spans


def described(gyr_rms: float, seconds: float = 40.0, *, noise: float = 1e-4, slow: bool = True) -> np.ndarray:
    """Codes of a sensor whose rate wanders slowly (0.4 Hz) with this rms, beside white noise."""
    n = round(seconds * GRID_HZ)
    rng = np.random.default_rng(10_550)
    t_s = np.arange(n) / GRID_HZ
    gyr = rng.normal(0.0, noise, (n, 3))
    gyr[:, 1] += gyr_rms * np.sqrt(2.0) * np.sin(2 * np.pi * 0.4 * t_s) * slow
    acc = np.tile([0.0, 0.0, 9.81], (n, 1)) + rng.normal(0.0, 5e-3, (n, 3))
    frames = Framer().feed(GridPiece(0.0, 0, acc.T, gyr.T, begins=True, ends=True))
    assert frames is not None
    return rows(frames, RULES).code


def test_noise_alone_is_dead() -> None:
    """A sensor that feels only its own noise is not on a living leg."""
    assert set(described(0.0).tolist()) == {DEAD}


def test_a_resting_leg_is_not_dead() -> None:
    """Resting legs turn at 0.005 to 0.03 rad/s rms: still, but alive."""
    assert set(described(0.005).tolist()) == {QUIET}
    assert set(described(0.03).tolist()) == {QUIET}


def test_a_turning_leg_moves() -> None:
    """Half a radian a second is no rest."""
    assert set(described(0.5).tolist()) == {MOVING}


def test_up_is_a_direction() -> None:
    """Each row knows which way was up, as a unit vector in the sensor's axes."""
    n = 10 * GRID_HZ
    frames = Framer().feed(
        GridPiece(0.0, 0, np.tile([[0.0], [6.0], [-8.0]], n), np.zeros((3, n)), begins=True, ends=True)
    )
    assert frames is not None
    np.testing.assert_allclose(rows(frames, RULES).up, np.tile([0.0, 0.6, -0.8], (len(frames), 1)), atol=1e-6)


def test_events_of_one_activity_are_joined() -> None:
    """Up to three rows between two steps are walking; a longer pause is a pause; events themselves stay."""
    code = np.array([QUIET, WALKING, QUIET, MOVING, WALKING] + [QUIET] * 8 + [PUSHING, QUIET, PUSHING])
    joined = spread(code)
    assert joined[:5].tolist() == [QUIET, WALKING, WALKING, WALKING, WALKING]
    assert joined[5:13].tolist() == [QUIET] * 8
    assert joined[13:].tolist() == [PUSHING] * 3


def test_spreading_looks_no_further_than_it_says() -> None:
    """A row depends on REACH rows before and after only: rows may be spread as they come."""
    rng = np.random.default_rng(10_551)
    code = rng.choice([DEAD, QUIET, MOVING, WALKING, PUSHING, RAISING], 200, p=[0.1, 0.4, 0.2, 0.1, 0.1, 0.1])
    whole = spread(code)
    for k in range(REACH, 200 - REACH):
        assert spread(code[k - REACH : k + REACH + 1])[REACH] == whole[k]


def test_an_event_marks_the_row_of_its_peak() -> None:
    """A peak colours the row it lies in; one that lies in a row still to come is given back."""
    new = rows_of([QUIET] * 5, start_s=10.0)
    later = mark_events(new, [event(Kind.STEP, 12.0), event(Kind.SOLEUS_PUSHUP, 17.9), event(Kind.STEP, 20.1)])
    assert new.code.tolist() == [QUIET, WALKING, QUIET, PUSHING, QUIET]
    assert [e.peak_s for e in later] == [20.1]


@pytest.mark.parametrize(
    ("kind", "state"),
    [(Kind.STEP, State.WALKING), (Kind.SOLEUS_PUSHUP, State.SEATED), (Kind.HEEL_RAISE, State.STANDING)],
)
def test_what_is_done_says_how(kind: Kind, state: State) -> None:
    """Steps are walked, push-ups made seated, raises standing."""
    events = [event(kind, t) for t in np.arange(21.0, 39.0, 2.0)]
    spans = told((rows_of([MOVING] * 30), events))
    assert [s.state for s in spans if s.start_s <= 30.0 < s.end_s] == [state]


def test_long_death_is_not_worn_and_short_is_not() -> None:
    """Only after a minute without life the sensor is called not worn."""
    (long,) = told((rows_of([DEAD] * 40), []))
    assert long == StateSpan(State.NOT_WORN, 0.0, 80.0)
    assert State.NOT_WORN not in {s.state for s in told((rows_of([QUIET] * 20 + [DEAD] * 10 + [QUIET] * 20), []))}


def test_long_stillness_sits_and_short_is_unknown() -> None:
    """Twenty seconds of rest are a seat; less, with nothing known before, is unknown and not guessed."""
    (span,) = told((rows_of([QUIET] * 30), []))
    assert span.state is State.SEATED
    (span,) = told((rows_of([QUIET] * 5), []))
    assert span.state is State.UNKNOWN


def test_a_pose_is_kept_while_the_shank_keeps_it() -> None:
    """Standing still right after raises is standing; with the shank leaning elsewhere that is not known."""
    raises = [event(Kind.HEEL_RAISE, t) for t in np.arange(1.0, 12.0, 2.0)]
    kept = told((rows_of([MOVING] * 6 + [QUIET] * 8), raises))
    assert {s.state for s in kept} == {State.STANDING}
    other = Rows(*(np.concatenate([getattr(rows_of([MOVING] * 6), n), getattr(rows_of([QUIET] * 8, LEANING, 12.0), n)])
                   for n in ("start_s", "seen_s", "code", "up")))  # fmt: skip
    assert [s.state for s in told((other, raises))] == [State.STANDING, State.UNKNOWN]


def test_movement_without_a_name_is_unknown() -> None:
    """A leg that moves in no known way is unknown, not seated."""
    (span,) = told((rows_of([MOVING] * 60), []))
    assert span.state is State.UNKNOWN


def random_rows(seed: int, n: int = 300) -> tuple[Rows, list[Contraction]]:
    rng = np.random.default_rng(seed)
    code = np.repeat(rng.choice([DEAD, QUIET, MOVING], n, p=[0.2, 0.5, 0.3]), rng.integers(1, 30, n))[:n]
    times = np.sort(rng.uniform(0.0, n * CENTRE_S, 60))
    kinds = rng.choice([Kind.STEP, Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE], 60)
    return rows_of(code.tolist(), last_seen_s=0.8), [event(k, float(t)) for k, t in zip(kinds, times, strict=True)]


def part_of(whole: Rows, first: int, last: int) -> Rows:
    return Rows(*(getattr(whole, n)[first:last].copy() for n in ("start_s", "seen_s", "code", "up")))


@pytest.mark.parametrize("seed", range(10_560, 10_566))
def test_spans_tile_and_do_not_depend_on_cutting(seed: int) -> None:
    """Spans follow each other without a hole, neighbours differ, and rows cut anyhow give the same spans."""
    whole, events = random_rows(seed)
    spans = told((part_of(whole, 0, 300), events))
    assert (spans[0].start_s, spans[-1].end_s) == (0.0, 299 * CENTRE_S + 0.8)
    for before, after in pairwise(spans):
        assert after.start_s == before.end_s
        assert after.state is not before.state
    for size in (1, 7, 50):
        edges = [*range(0, 300, size), 300]
        parts = [
            (part_of(whole, a, b), [e for e in events if a * CENTRE_S <= e.peak_s < b * CENTRE_S])
            for a, b in pairwise(edges)
        ]
        assert told(*parts) == spans
