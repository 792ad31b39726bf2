"""Sessions: the same content once, live batches, the contract's listing, sensors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from analysis.events import Algorithm, Findings, Gap, Kind, Leg, Rejection, State, StateSpan
from tracker.errors import NothingFound
from tracker.store import Batch, NewSession, Sensor, Store, Totals

Make = Callable[..., Batch]
BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 5, 1, 9, tzinfo=BERLIN)
END = START + timedelta(seconds=600)


def contents(store: Store) -> list[list[tuple[object, ...]]]:
    tables = [row[0] for row in store._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return [store._connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]


def test_same_content_twice_changes_nothing(store: Store, batch: Make) -> None:
    """The second import returns the first one's session and leaves every table as it was."""
    new = NewSession(START, Leg.LEFT, source="a.csv", content_key="abc")
    first = store.add(new, batch((10.0, 20.0)), ended_at=END)
    before = contents(store)
    second = store.add(new, batch((10.0, 20.0)), ended_at=END)
    assert (first.created, second.created, second.session_id) == (True, False, first.session_id)
    assert store.holds("abc") == first.session_id
    assert contents(store) == before


def test_listing_has_the_keys_of_the_contract(store: Store, batch: Make) -> None:
    """A session is listed with its own counts, its gaps, and its times with their offset."""
    new = NewSession(START, Leg.LEFT, sensor="calf", recording=Path("recordings/1.sqlite"))
    found = batch((10.0,), kind=Kind.HEEL_RAISE, gaps=((100.0, 102.5),))
    totals = Totals(samples=6000, packets=600, packet_errors=1, duplicates=2, reconnects=3)
    session = store.add(new, found, ended_at=END, totals=totals).session_id
    assert [listed.to_json() for listed in store.sessions()] == [
        {
            "id": session,
            "sensor": "calf",
            "source": None,
            "leg": "left",
            "started_at": "2026-05-01T09:00:00+02:00",
            "ended_at": "2026-05-01T09:10:00+02:00",
            "duration_s": 600.0,
            "samples": 6000,
            "packets": 600,
            "packet_errors": 1,
            "duplicates": 2,
            "gap_s": 2.5,
            "gaps": [{"start_s": 100.0, "end_s": 102.5}],
            "forgotten": [],
            "reconnects": 3,
            "counts": {"soleus_pushup": 0, "heel_raise": 1, "ankle_pump": 0, "step": 0, "pedal": 0},
            "recording": "recordings/1.sqlite",
        }
    ]
    assert store.session(session).zone == "Europe/Berlin"
    assert store.sessions(since=END + timedelta(seconds=1)) == []
    assert store.sessions(limit=0) == []


def test_live_batches_twice_change_nothing(store: Store) -> None:
    """A batch that is stored again, as after a lost answer, adds no event, label, bounce or rejection."""
    session = store.begin(NewSession(START, Leg.LEFT, sensor="calf"))
    for low in (0.0, 10.0, 20.0):
        spans = (StateSpan(State.SEATED, low, low + 10.0),)
        found = Findings((), spans, (Rejection(low, "bounce"),), (Gap(low + 1, low + 2),), 0.5)
        part = Batch(found, low, low + 10.0, Algorithm("a", "1", "0"))
        store.append(session, part, Totals(samples=int(low) + 10))
        before = contents(store)
        store.append(session, part, Totals(samples=int(low) + 10))
        assert contents(store) == before
    assert store._connection.execute("SELECT start_s, end_s FROM states").fetchall() == [(0.0, 30.0)]
    assert [listed.id for listed in store.open_sessions()] == [session]
    day = store.day(date(2026, 5, 1), BERLIN).headline
    assert (day.recorded_s, day.gap_s, day.bounce_s, day.longest_still_s) == (27.0, 3.0, 1.5, 9.0)
    store.finish(session, START + timedelta(seconds=30), Totals(samples=99))
    assert store.open_sessions() == []
    assert store.session(session).totals.samples == 99


def test_times_need_an_offset(store: Store) -> None:
    """A start without a zone is a bug of the caller, and stores nothing."""
    with pytest.raises(ValueError, match="zone"):
        store.begin(NewSession(datetime(2026, 5, 1), Leg.LEFT))  # noqa: DTZ001
    assert store.sessions() == []


def test_appending_to_nothing_is_said(store: Store, batch: Make) -> None:
    """Findings of a session that does not exist are refused."""
    with pytest.raises(NothingFound, match="no session 7"):
        store.append(7, batch())


def test_sensors_are_kept_under_their_nicknames(store: Store) -> None:
    """Keeping a sensor again updates it; removing it leaves none."""
    calf = Sensor("calf", "Polar Sense", "AA:BB", "polar-pmd", Leg.LEFT, "shank", None, "1.2", START)
    store.keep_sensor(Sensor("calf", "Polar Sense", "AA:BB", "polar-pmd", None))
    store.keep_sensor(calf)
    assert store.sensors() == [calf]
    assert store.sensors()[0].to_json() == {
        "nick": "calf",
        "name": "Polar Sense",
        "address": "AA:BB",
        "driver": "polar-pmd",
        "leg": "left",
        "place": "shank",
        "battery_percent": None,
        "firmware": "1.2",
        "last_seen": "2026-05-01T09:00:00+02:00",
    }
    store.remove_sensor("calf")
    assert store.sensors() == []


def test_day_of_a_session_over_midnight_utc(store: Store, batch: Make) -> None:
    """Ten minutes around midnight are five of one day and five of the next, with each its events."""
    start = datetime(2026, 5, 1, 23, 55, tzinfo=UTC)
    store.add(NewSession(start, Leg.LEFT), batch((10.0, 590.0, 591.0), half_s=0.2), ended_at=END)
    days = store.days(date(2026, 5, 1), 2, UTC)
    assert [(day.headline.total, day.headline.worn_s) for day in days] == [(1, 300.0), (2, 300.0)]
