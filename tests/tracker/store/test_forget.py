"""Forgetting, correcting, undo, and what happens to recordings meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analysis.events import Gap, Kind, Leg
from tracker.errors import ConfigError, NothingFound
from tracker.home import Home
from tracker.store import UNDO_DAYS, Batch, NewSession, Store

Make = Callable[..., Batch]
START = datetime(2026, 5, 1, 9, tzinfo=UTC)
DAY = date(2026, 5, 1)


def keep(store: Store, found: Batch, name: str = "a", start: datetime = START) -> int:
    recording = store.home.recordings / f"{name}.sqlite"
    recording.write_bytes(name.encode())
    recording.with_name(recording.name + "-wal").write_bytes(b"log")
    new = NewSession(start, Leg.LEFT, source=f"{name}.csv", recording=recording, content_key=name + str(start))
    return store.add(new, found, ended_at=start + timedelta(seconds=found.until_s)).session_id


def names(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir()}


def test_forgotten_session_goes_to_the_trash_and_comes_back(store: Store, batch: Make) -> None:
    """Undo restores the day to the last number, and the recording with its log to its place."""
    session = keep(store, batch((10.0, 20.0)))
    before = store.day(DAY, UTC)
    store.forget([session])
    assert not store.day(DAY, UTC).recorded
    assert store.sessions() == []
    assert names(store.home.recordings) == set()
    assert names(store.home.trash) == {f"{session}-a.sqlite", f"{session}-a.sqlite-wal"}
    assert store.undo().kind == "deletion"
    assert store.day(DAY, UTC) == before
    assert names(store.home.recordings) == {"a.sqlite", "a.sqlite-wal"}
    assert names(store.home.trash) == set()


def test_range_cuts_exactly_that_stretch(store: Store, batch: Make) -> None:
    """Peaks inside the range and its seconds go; the range is no gap; a recount respects it; undo restores."""
    session = keep(store, batch((10.0, 100.0, 200.0)))
    before = store.day(DAY, UTC)
    store.forget_range(START + timedelta(seconds=100), START + timedelta(seconds=200))
    cut = store.day(DAY, UTC).headline
    assert (cut.total, cut.recorded_s, cut.gap_s) == (2, 500.0, 0.0)
    assert store.session(session).counts[Kind.STEP] == 2
    assert store.session(session).forgotten == (Gap(100.0, 200.0),)
    changes = store.recount(session, batch((10.0, 100.0, 150.0, 200.0), version="2"), UTC)
    assert changes == []
    assert store.day(DAY, UTC).headline == cut
    store.recount(session, batch((10.0, 100.0, 200.0)), UTC)
    store.undo()
    assert store.undo().kind == "import"
    assert not store.day(DAY, UTC).recorded
    keep(store, batch((10.0, 100.0, 200.0)))
    assert store.day(DAY, UTC) == before


def test_range_around_a_session_forgets_it_whole(store: Store, batch: Make) -> None:
    """A session inside the range is forgotten with its recording; one that reaches out is cut."""
    keep(store, batch((10.0,), 60.0))
    long = keep(store, batch((50.0, 300.0)), "b")
    store.forget_range(START - timedelta(hours=1), START + timedelta(seconds=100))
    assert [session.id for session in store.sessions()] == [long]
    assert store.day(DAY, UTC).headline.total == 1
    store.undo()
    assert len(store.sessions()) == 2


def test_import_undone_can_be_imported_again(store: Store, batch: Make) -> None:
    """Undo of an import takes the session away; the same file makes a new one."""
    first = keep(store, batch((10.0,)))
    assert store.last_operation().kind == "import"  # type: ignore[union-attr]
    store.undo()
    assert store.holds("a" + str(START)) is None
    second = keep(store, batch((10.0,)))
    assert second != first
    assert store.day(DAY, UTC).headline.total == 1
    assert names(store.home.recordings) == {"a.sqlite", "a.sqlite-wal"}


def test_correction_moves_everything_and_back(store: Store, batch: Make) -> None:
    """Leg and start move events, gaps and roll-up to another leg and day."""
    session = keep(store, batch((10.0,), gaps=((50.0, 60.0),)))
    before = store.session(session), store.day(DAY, UTC)
    store.correct(session, leg=Leg.RIGHT, started_at=START + timedelta(days=1, seconds=10))
    moved = store.day(DAY + timedelta(days=1), UTC)
    assert (moved.leg, moved.headline.total, moved.headline.gap_s) == (Leg.RIGHT, 1, 10.0)
    assert not store.day(DAY, UTC).recorded
    assert store.session(session).ended_at == START + timedelta(days=1, seconds=610)
    assert store.undo().kind == "correction"
    assert (store.session(session), store.day(DAY, UTC)) == before
    assert store.check(full=True) == []


def test_recount_tells_the_difference_per_day(store: Store, batch: Make) -> None:
    """A newer algorithm replaces all findings of a session in one go and names the days that differ."""
    session = keep(store, batch((10.0, 90000.0), 100000.0))
    changes = store.recount(session, batch((10.0, 20.0, 90000.0), 100000.0, version="2"), UTC)
    assert [change.to_json()["day"] for change in changes] == ["2026-05-01"]
    assert [counts and counts[Kind.STEP] for counts in (changes[0].before, changes[0].after)] == [1, 2]
    assert store.session(session).algorithm.version == "2"  # type: ignore[union-attr]


def test_refusals_are_sentences(store: Store, batch: Make) -> None:
    """What cannot be forgotten, corrected or undone is said, and nothing changes."""
    live = store.begin(NewSession(START, Leg.LEFT))
    for refused, sentence in (
        (lambda: store.forget([live]), "still being recorded"),
        (lambda: store.correct(live), "say which leg"),
        (lambda: store.forget_range(START, START), "before it starts"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            refused()
    for missing in (
        lambda: store.forget([99]),
        lambda: store.session(99),
        store.undo,
        lambda: store.forget_range(START - timedelta(days=9), START - timedelta(days=8)),
        lambda: store.remove_sensor("calf"),
    ):
        with pytest.raises(NothingFound):
            missing()


def test_purge_destroys_after_the_stated_days(home: Home, batch: Make) -> None:
    """Until then undo works; afterwards session, events and recording are gone and nothing can be undone."""
    now = START
    with Store(home, clock=lambda: now) as store:
        gone, cut = keep(store, batch((10.0,))), keep(store, batch((10.0, 20.0)), "b", START + timedelta(days=1))
        store.forget([gone])
        store.forget_range(START + timedelta(days=1, seconds=15), START + timedelta(days=1, seconds=25))
        now = START + timedelta(days=UNDO_DAYS) - timedelta(seconds=1)
        assert store.purge() == []
        now += timedelta(seconds=1)
        trimmed = []
        assert store.purge(trim=lambda path, stretches: trimmed.append((path.name, list(stretches)))) == [gone]
        assert trimmed == [("b.sqlite", [(15.0, 25.0)])]
        assert names(home.trash) == set()
        assert store.day(DAY + timedelta(days=1), UTC).headline.recorded_s == 590.0
        assert store.session(cut).counts[Kind.STEP] == 1
        assert store.check(full=True) == []
        with pytest.raises(NothingFound):
            store.undo()
        held = store._connection.execute("SELECT COUNT(*) FROM events").fetchone()[0]
        assert held == 1


def test_prune_deletes_recordings_never_counts(home: Home, batch: Make) -> None:
    """A recording older than the days it is kept goes; its day stays as it was."""
    with Store(home, clock=lambda: START) as store:
        old = keep(store, batch((10.0,)))
    with Store(home, clock=lambda: START + timedelta(days=30)) as store:
        young = keep(store, batch((10.0,)), "b", START + timedelta(days=20))
        before = store.day(DAY, UTC)
        assert store.prune(keep_days=14) == [old]
        assert store.day(DAY, UTC) == before
        assert [s.recording for s in store.sessions()] == ["recordings/b.sqlite", None]
        assert names(home.recordings) == {"b.sqlite", "b.sqlite-wal"}
        assert store.session(young).recording is not None


def test_an_old_recording_that_just_came_in_is_kept(home: Home, batch: Make) -> None:
    """The days of keeping begin when a recording comes into the store, however old what it shows is."""
    with Store(home, clock=lambda: START + timedelta(days=300)) as store:
        kept = keep(store, batch((10.0,)))
        assert store.prune(keep_days=14) == []
    with Store(home, clock=lambda: START + timedelta(days=315)) as store:
        assert store.prune(keep_days=14) == [kept]


def test_forecast_is_bytes_a_day_times_days(store: Store, batch: Make) -> None:
    """The forecast is what the recordings of a recorded day take, times the days they are kept."""
    assert store.forecast(30).expected_bytes is None
    keep(store, batch())
    keep(store, batch(), "bcd")
    keep(store, batch(), "e", START + timedelta(days=3))
    forecast = store.forecast(30)
    # 1 and 3 bytes of recordings with logs of 3 bytes on the first day, 1 and 3 on the other.
    assert (forecast.bytes_per_day, forecast.expected_bytes) == (7.0, 210.0)
    assert forecast.recordings_bytes == 14
    assert forecast.to_json()["database_bytes"] > 0  # type: ignore[operator]
