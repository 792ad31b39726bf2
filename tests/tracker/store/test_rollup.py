"""The roll-up against a recount by brute force: half-minute by half-minute, without intervals or SQL."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.events import Algorithm, Contraction, Findings, Gap, Kind, Leg, State, StateSpan
from tracker.home import Home
from tracker.store import Batch, LegDay, NewSession, Store

TICK_S = 30
DAY_TICKS = 86400 // TICK_S
EPOCH = datetime(2026, 5, 1, tzinfo=UTC)
FIRST_TICK = DAY_TICKS - 300
DAYS = 3
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Recording:
    """What a session holds, in ticks from its start; `start` in ticks from EPOCH."""

    uid: str
    leg: Leg
    rank: int
    start: int
    length: int
    gaps: list[tuple[int, int]]
    off: list[tuple[int, int]]
    peaks: list[int]
    lost: list[tuple[int, int]] = field(default_factory=list)
    countable: bool = True
    id: int = 0
    masks: list[tuple[int, int]] = field(default_factory=list)

    @property
    def started_at(self) -> datetime:
        return EPOCH + timedelta(seconds=self.start * TICK_S)

    def seen(self, tick: int) -> bool:
        return 0 <= tick - self.start < self.length and not self.masked(tick)

    def masked(self, tick: int) -> bool:
        return any(low <= tick < high for low, high in self.masks_now())

    def masks_now(self) -> list[tuple[int, int]]:
        return [(low + self.start, high + self.start) for low, high in self.masks]

    def recorded(self, tick: int) -> bool:
        return self.seen(tick) and not any(low <= tick - self.start < high for low, high in self.gaps)

    def worn(self, tick: int) -> bool:
        return self.recorded(tick) and self.countable and self.label(tick - self.start) is not State.NOT_WORN

    def known(self, tick: int) -> bool:
        return self.recorded(tick) and self.countable and self.label(tick - self.start) is not State.UNKNOWN

    def label(self, tick: int) -> State:
        """Not worn, unknown or seated, in ticks from its start."""
        stretches = ((State.NOT_WORN, self.off), (State.UNKNOWN, self.lost))
        return next((state for state, where in stretches if any(a <= tick < b for a, b in where)), State.SEATED)

    def findings(self) -> Findings:
        events = tuple(
            Contraction(Kind.STEP, (p - 1.0) * TICK_S, float(p * TICK_S), (p + 1.0) * TICK_S, 0.8, "swing")
            for p in self.peaks
            if self.countable
        )
        edges = sorted({0, self.length, *(edge for stretch in (*self.off, *self.lost) for edge in stretch)})
        spans = tuple(
            StateSpan(self.label(low) if self.countable else State.UNKNOWN, low * TICK_S, high * TICK_S)
            for low, high in itertools.pairwise(edges)
        )
        return Findings(events, spans, (), tuple(Gap(a * TICK_S, b * TICK_S) for a, b in self.gaps))

    def batch(self) -> Batch:
        end_s = float(self.length * TICK_S)
        return Batch(self.findings(), 0.0, end_s, Algorithm("a", "1", "0"), self.countable)


def brute(recordings: list[Recording], leg: Leg, low: int, high: int) -> LegDay:
    """What one leg did in ticks low..high."""
    mine = [recording for recording in recordings if recording.leg == leg]
    owner: dict[int, Recording] = {}
    gap = 0
    for tick in range(low - 2, high + 2):
        rivals = [recording for recording in mine if recording.recorded(tick)]
        if rivals:
            owner[tick] = min(rivals, key=lambda r: (not r.worn(tick), not r.countable, r.rank, r.start, r.uid))
        elif low <= tick < high:
            gap += any(recording.seen(tick) for recording in mine)
    counted = [tick for tick, one in owner.items() if one.countable and tick - one.start in one.peaks]
    moving = {tick for peak in counted for tick in (peak - 1, peak)}
    inside = [tick for tick in owner if low <= tick < high]
    worn = {tick for tick in inside if owner[tick].worn(tick)}
    still = worn - moving
    runs = "".join("s" if tick in still else " " for tick in range(low, high))
    steps = sum(low <= tick < high for tick in counted)
    return LegDay(
        counts=dict.fromkeys(Kind, 0) | {Kind.STEP: steps} if any(owner[t].countable for t in inside) else None,
        recorded_s=float(len(inside) * TICK_S),
        worn_s=float(len(worn) * TICK_S),
        unknown_s=float(sum(not owner[tick].known(tick) for tick in inside) * TICK_S),
        gap_s=float(gap * TICK_S),
        longest_still_s=float(max(map(len, runs.split()), default=0) * TICK_S) if worn else None,
    )


def expected(recordings: list[Recording], days: int = DAYS) -> list[LegDay]:
    return [brute(recordings, leg, day * DAY_TICKS, (day + 1) * DAY_TICKS) for day in range(days) for leg in Leg]


def actual(store: Store) -> list[LegDay]:
    days = store.days(EPOCH.date(), DAYS, UTC)
    return [day.legs[leg] for day in days for leg in Leg]


@st.composite
def recording(draw: st.DrawFn) -> Recording:
    length = draw(st.integers(4, 260))

    def stretches() -> list[tuple[int, int]]:
        edges = sorted(draw(st.sets(st.integers(0, length), max_size=4)))
        return list(zip(edges[::2], edges[1::2], strict=False))

    return Recording(
        uid=draw(st.uuids()).hex,
        leg=draw(st.sampled_from((Leg.LEFT, Leg.LEFT, Leg.RIGHT))),
        rank=draw(st.sampled_from((0, 0, 1))),
        start=FIRST_TICK + draw(st.integers(0, 500)),
        length=length,
        gaps=stretches(),
        off=stretches(),
        peaks=sorted(draw(st.sets(st.integers(1, length - 1), max_size=20))),
        lost=stretches(),
        countable=draw(st.sampled_from((True, True, False))),
    )


class History:
    """A store and the brute-force model of it, put through the same operations."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.recordings: list[Recording] = []
        self.takes_back: list[Callable[[], None]] = []

    def add(self, new: Recording) -> None:
        """Import it whole."""
        end = new.started_at + timedelta(seconds=new.length * TICK_S)
        begun = NewSession(new.started_at, new.leg, content_key=new.uid, rank=new.rank)
        new.id = self.store.add(begun, new.batch(), ended_at=end).session_id
        self.recordings.append(new)
        self.takes_back.append(lambda: self.recordings.remove(new))

    def live(self, new: Recording, cuts: list[int]) -> None:
        """Record it in batches, each stored twice."""
        new.id = self.store.begin(NewSession(new.started_at, new.leg, uid=new.uid, rank=new.rank))
        edges = [0, *sorted({cut for cut in cuts if 0 < cut < new.length}), new.length]
        for low, high in itertools.pairwise(edges):
            part = _until(new.findings(), low * TICK_S, high * TICK_S, last=high == new.length)
            # The rate is judged after the first batch, as a live session does.
            countable = new.countable if low else False
            batch = Batch(part, float(low * TICK_S), float(high * TICK_S), Algorithm("a", "1", "0"), countable)
            self.store.append(new.id, batch)
            self.store.append(new.id, batch)
        if len(edges) == 2:
            self.store.append(new.id, Batch(Findings(), batch.until_s, batch.until_s, batch.algorithm, new.countable))
        self.store.finish(new.id, new.started_at + timedelta(seconds=new.length * TICK_S))
        self.recordings.append(new)

    def forget(self, which: Recording) -> None:
        self.store.forget([which.id])
        self.recordings.remove(which)
        self.takes_back.append(lambda: self.recordings.append(which))

    def forget_range(self, low: int, high: int) -> None:
        touched = [r for r in self.recordings if r.start + r.length > low and r.start < high]
        if not touched:
            return
        times = (EPOCH + timedelta(seconds=tick * TICK_S) for tick in (low, high))
        self.store.forget_range(*times)
        for one in touched:
            one.masks.append((low - one.start, high - one.start))

        def back() -> None:
            for one in touched:
                one.masks.remove((low - one.start, high - one.start))

        self.takes_back.append(back)
        self.recordings[:] = [
            r for r in self.recordings if not (r in touched and low <= r.start and r.start + r.length <= high)
        ]
        gone = [r for r in touched if r not in self.recordings]
        self.takes_back[-1] = lambda: (back(), self.recordings.extend(gone))[0]

    def correct(self, which: Recording, leg: Leg, start: int) -> None:
        old = (which.leg, which.start)
        which.leg, which.start = leg, start
        self.store.correct(which.id, leg=leg, started_at=which.started_at)

        def back() -> None:
            which.leg, which.start = old

        self.takes_back.append(back)

    def recount(self, which: Recording, like: Recording) -> None:
        which.peaks = [peak for peak in like.peaks if peak < which.length]
        which.countable = like.countable
        self.store.recount(which.id, which.batch(), UTC)

    def undo(self) -> None:
        if self.takes_back:
            self.store.undo()
            self.takes_back.pop()()


def _until(found: Findings, low: float, high: float, *, last: bool) -> Findings:
    """What becomes final while low..high is read; labels and gaps come when they have ended."""

    def final(end_s: float) -> bool:
        return low < end_s <= high or (last and end_s > high)

    return Findings(
        tuple(event for event in found.contractions if final(event.end_s)),
        tuple(span for span in found.spans if final(span.end_s)),
        (),
        tuple(gap for gap in found.gaps if final(gap.end_s)),
    )


@pytest.fixture
def fresh(empty_home: Home) -> Callable[[], Iterator[Store]]:
    def make() -> Iterator[Store]:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(empty_home.root, Path(folder) / "home")
            with Store(Home(Path(folder) / "home"), clock=lambda: NOW) as store:
                yield store

    return make


OPERATIONS = ("add", "add", "live", "forget", "range", "correct", "recount", "undo", "undo")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_roll_up_is_a_recount_after_any_history(fresh: Callable[[], Iterator[Store]], data: st.DataObject) -> None:
    """After any sequence of imports, live batches, deletions, corrections, recounts and undos."""
    for store in fresh():
        history = History(store)
        for _ in range(data.draw(st.integers(2, 9))):
            operation = data.draw(st.sampled_from(OPERATIONS))
            if operation == "undo":
                history.undo()
            elif operation == "range":
                low = FIRST_TICK + data.draw(st.integers(0, 700))
                history.forget_range(low, low + data.draw(st.integers(1, 300)))
            elif operation == "live":
                history.live(data.draw(recording()), data.draw(st.lists(st.integers(1, 259), max_size=3)))
            elif operation == "add" or not history.recordings:
                history.add(data.draw(recording()))
            else:
                which = data.draw(st.sampled_from(history.recordings))
                like = data.draw(recording())
                if operation == "forget":
                    history.forget(which)
                elif operation == "correct":
                    history.correct(which, like.leg, like.start)
                else:
                    history.recount(which, like)
        assert actual(store) == expected(history.recordings)
        assert store.check(full=True) == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recordings=st.lists(recording(), min_size=2, max_size=3), data=st.data())
def test_order_of_import_does_not_matter(
    fresh: Callable[[], Iterator[Store]], recordings: list[Recording], data: st.DataObject
) -> None:
    """Overlapping sessions of a leg give the same days, hours and events in any order of import."""
    results = []
    for order in (recordings, data.draw(st.permutations(recordings))):
        for store in fresh():
            history = History(store)
            for one in order:
                history.add(one)
            days = [EPOCH.date() + timedelta(days=number) for number in range(DAYS)]
            peaks = [event.peak for day in days for event in store.events(day, UTC)]
            results.append(([store.day(day, UTC).to_json() for day in days], peaks))
    assert results[0] == results[1]


def test_twice_recorded_hour_counts_once(store: Store) -> None:
    """Two sensors on one leg for the same ten minutes are ten minutes and one set of steps."""
    history = History(store)
    one = Recording("1", Leg.LEFT, 0, DAY_TICKS, 20, [], [], [3, 6, 9])
    history.add(one)
    history.add(Recording("2", Leg.LEFT, 0, DAY_TICKS + 2, 20, [], [], [1, 4, 7, 19]))
    day = store.day(date(2026, 5, 2), UTC).headline
    assert (day.total, day.recorded_s) == (4, 22 * TICK_S)
    history.forget(one)
    assert store.day(date(2026, 5, 2), UTC).headline.total == 4
    assert actual(store) == expected(history.recordings)


def test_spare_sensor_on_the_table_hides_nothing(store: Store) -> None:
    """An earlier session that is not worn gives way to a later one that is."""
    history = History(store)
    history.add(Recording("1", Leg.LEFT, 0, DAY_TICKS, 20, [], [(0, 20)], []))
    history.add(Recording("2", Leg.LEFT, 1, DAY_TICKS + 2, 10, [], [], [4, 7]))
    day = store.day(date(2026, 5, 2), UTC).headline
    assert (day.total, day.worn_s, day.recorded_s) == (2, 10 * TICK_S, 20 * TICK_S)


def test_what_cannot_be_counted_is_seen_but_not_zero(store: Store) -> None:
    """Muscle only: recorded, unknown, counts null; beside a session that counts it hides nothing."""
    history = History(store)
    muscle = Recording("1", Leg.LEFT, 0, DAY_TICKS, 20, [], [], [], countable=False)
    history.add(muscle)
    day = store.day(date(2026, 5, 2), UTC)
    assert (day.headline.counts, day.headline.deliberate, day.headline.longest_still_s) == (None, None, None)
    assert (day.headline.recorded_s, day.headline.unknown_s, day.headline.worn_s) == (600.0, 600.0, 0.0)
    assert (day.recorded, day.leg, store.session(muscle.id).counts) == (True, Leg.LEFT, None)
    assert (day.hours[0].counts, day.hours[0].recorded_s, day.hours[0].unknown_s) == (None, 600.0, 600.0)
    # Later and not worn, yet preferred: it can be counted.
    history.add(Recording("2", Leg.LEFT, 1, DAY_TICKS + 2, 10, [], [(0, 10)], []))
    day = store.day(date(2026, 5, 2), UTC)
    assert (day.headline.total, day.headline.recorded_s, day.headline.unknown_s) == (0, 600.0, 300.0)
    assert actual(store) == expected(history.recordings)


def test_a_session_nobody_judged_counts_once_it_is_labelled(store: Store) -> None:
    """Without a word about it, a session is countable from its first label or contraction on, and all of it is."""
    algorithm = Algorithm("a", "1", "0")
    session = store.begin(NewSession(EPOCH, Leg.LEFT))
    store.append(session, Batch(Findings(), 0.0, 60.0, algorithm))
    assert (store.session(session).counts, store.day(EPOCH.date(), UTC).headline.counts) == (None, None)
    store.append(session, Batch(Findings((), (StateSpan(State.SEATED, 0.0, 90.0),)), 60.0, 120.0, algorithm))
    day = store.day(EPOCH.date(), UTC).headline
    assert (day.total, day.recorded_s, day.worn_s, day.unknown_s) == (0, 120.0, 90.0, 30.0)
    assert store.check(full=True) == []


def test_bounce_adds_up(store: Store, batch: Callable[..., Batch]) -> None:
    """Seconds of bouncing are spread over the recorded time and lose nothing at quarter-hours."""
    start = datetime(2026, 5, 1, 9, 7, tzinfo=UTC)
    found = batch((), 5000.0, gaps=((1000.0, 2000.0),), bounce_s=7.7)
    store.add(NewSession(start, Leg.LEFT), found, ended_at=start + timedelta(seconds=5000))
    assert store.day(date(2026, 5, 1), UTC).headline.bounce_s == 7.7


def test_a_damaged_roll_up_is_found_and_rebuilt(store: Store, batch: Callable[..., Batch]) -> None:
    """The full check compares the roll-up with a recount, and `rebuild` puts it right."""
    start = datetime(2026, 5, 1, 9, tzinfo=UTC)
    store.add(NewSession(start, Leg.LEFT), batch((10.0,)), ended_at=start + timedelta(seconds=600))
    before = store.day(date(2026, 5, 1), UTC)
    store._connection.execute("UPDATE quarter_hours SET step = step + 1")
    assert store.check() == []
    assert len(store.check(full=True)) == 1
    store.rebuild()
    assert store.check(full=True) == []
    assert store.day(date(2026, 5, 1), UTC) == before
