"""Days as they are shown: the contract's keys, the headline's leg, every zone and start of the day."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.events import Kind, Leg
from tracker.store import Batch, NewSession, Store

BERLIN = ZoneInfo("Europe/Berlin")
Make = Callable[..., Batch]


def keep(store: Store, start: datetime, found: Batch, leg: Leg | None = Leg.LEFT) -> int:
    end = start.astimezone(UTC) + timedelta(seconds=found.until_s)
    return store.add(NewSession(start, leg, source="walk.csv"), found, ended_at=end).session_id


def test_day_has_the_keys_of_the_contract(store: Store, batch: Make) -> None:
    """One recording of ten minutes with two push-ups, one gap and a stretch not worn."""
    found = batch((60.0, 120.0), kind=Kind.SOLEUS_PUSHUP, gaps=((200.0, 230.0),), off=((500.0, 600.0),))
    keep(store, datetime(2026, 3, 29, 1, 55, tzinfo=BERLIN), found)
    shown = json.loads(json.dumps(store.day(date(2026, 3, 29), BERLIN).to_json()))
    counts = {"soleus_pushup": 2, "heel_raise": 0, "ankle_pump": 0, "step": 0, "pedal": 0}
    hours = shown.pop("hours")
    legs = shown.pop("legs")
    assert shown == {
        "day": "2026-03-29",
        "zone": "Europe/Berlin",
        "leg": "left",
        "counts": counts,
        "total": 2,
        "deliberate": 2,
        "recorded_s": 570.0,
        "worn_s": 470.0,
        "unknown_s": 0.0,
        "gap_s": 30.0,
        "bounce_s": 0.0,
        "longest_still_s": 270.0,
    }
    assert len(hours) == 23
    assert hours[1] == {
        "start": "2026-03-29T01:00:00+01:00",
        "counts": counts,
        "worn_s": 270.0,
        "recorded_s": 270.0,
        "unknown_s": 0.0,
    }
    assert hours[2] == {
        "start": "2026-03-29T03:00:00+02:00",
        "counts": dict.fromkeys(counts, 0),
        "worn_s": 200.0,
        "recorded_s": 300.0,
        "unknown_s": 0.0,
    }
    assert hours[3] == {
        "start": "2026-03-29T04:00:00+02:00",
        "counts": None,
        "worn_s": 0.0,
        "recorded_s": 0.0,
        "unknown_s": 0.0,
    }
    assert legs["left"]["counts"] == counts
    assert legs["right"]["counts"] is None


def test_nothing_recorded_is_null_not_zero(store: Store) -> None:
    """A day without a recording has no counts, no leg and no still time."""
    day = store.day(date(2026, 3, 29), BERLIN)
    shown = day.to_json()
    assert not day.recorded
    assert [shown[key] for key in ("leg", "counts", "total", "deliberate", "longest_still_s")] == [None] * 5
    assert [shown[key] for key in ("recorded_s", "worn_s", "gap_s")] == [0.0] * 3


def test_headline_is_the_leg_worn_longer(store: Store, batch: Make) -> None:
    """Two legs are counted each by itself; the one worn longer is named, whatever it counted."""
    start = datetime(2026, 5, 1, 9, tzinfo=UTC)
    keep(store, start, batch((10.0, 20.0, 30.0), 600.0, off=((100.0, 600.0),)))
    keep(store, start, batch((10.0,), 500.0), Leg.RIGHT)
    day = store.day(date(2026, 5, 1), UTC)
    assert (day.leg, day.headline.total) == (Leg.RIGHT, 1)
    assert {name: leg.total for name, leg in day.legs.items()} == {"left": 3, "right": 1}


def test_unknown_leg_is_shown_but_not_named(store: Store, batch: Make) -> None:
    """A recording whose leg nobody said is counted under neither leg."""
    keep(store, datetime(2026, 5, 1, 9, tzinfo=UTC), batch((10.0,)), None)
    day = store.day(date(2026, 5, 1), UTC)
    assert (day.leg, day.headline.total, day.legs["left"].counts) == (None, 1, None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(
        ("Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Chatham",
         "Africa/Casablanca", "America/Havana", "Europe/Dublin", "Pacific/Apia", "America/Santiago", "UTC")
    ),
    start_hour=st.integers(0, 23),
)  # fmt: skip
def test_days_and_hours_add_up(wandering: Store, name: str, start_hour: int) -> None:
    """In any zone with any start of the day, days and their hours hold each event and second once."""
    zone = ZoneInfo(name)
    first = date(2025, 12, 30)
    listed = wandering.days(first, 370, zone, start_hour)
    assert sum(day.headline.total or 0 for day in listed) == 3 * 122
    assert sum(day.headline.worn_s for day in listed) == 122 * 7000.0
    for summary in listed[::30]:
        day = wandering.day(summary.day, zone, start_hour)
        assert day.headline == summary.headline
        assert sum(hour.worn_s for hour in day.hours) == summary.headline.worn_s
        assert len(wandering.events(summary.day, zone, start_hour)) == (summary.headline.total or 0)


@pytest.fixture(scope="module")
def wandering(empty_home: object, tmp_path_factory: pytest.TempPathFactory) -> object:
    import shutil

    from tracker.home import Home

    assert isinstance(empty_home, Home)
    root = tmp_path_factory.mktemp("year") / "home"
    shutil.copytree(empty_home.root, root)
    from analysis.events import Algorithm, Contraction, Findings, State, StateSpan

    events = tuple(Contraction(Kind.STEP, peak - 0.5, peak, peak + 0.5, 0.9, "swing") for peak in (1.0, 3000.0, 6999.0))
    found = Findings(events, (StateSpan(State.WALKING, 0.0, 7000.0),))
    with Store(Home(root), clock=lambda: datetime(2027, 1, 1, tzinfo=UTC)) as store:
        for number in range(122):
            start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=71 * number)
            whole = Batch(found, 0.0, 7000.0, Algorithm("a", "1", "0"))
            store.add(NewSession(start, Leg.LEFT), whole, ended_at=start + timedelta(seconds=7000))
        yield store


def test_events_of_a_day_are_in_its_zone(store: Store, batch: Make) -> None:
    """An event is listed with the session it comes from, its times with the offset of the day's zone."""
    session = keep(store, datetime(2026, 5, 1, 9, tzinfo=UTC), batch((10.0,)))
    assert [event.to_json() for event in store.events(date(2026, 5, 1), BERLIN)] == [
        {
            "id": f"{session}-step-10000",
            "session": session,
            "leg": "left",
            "kind": "step",
            "onset": "2026-05-01T11:00:09.500000+02:00",
            "peak": "2026-05-01T11:00:10+02:00",
            "end": "2026-05-01T11:00:10.500000+02:00",
            "onset_s": 9.5,
            "peak_s": 10.0,
            "end_s": 10.5,
            "confidence": 0.9,
            "rule": "rise",
            "strength": None,
            "attributes": {},
            "algorithm_version": "1.0",
        }
    ]


def test_reading_a_day_imports_nothing_heavy(store: Store) -> None:
    """`soleus day` starts quickly: the store imports no numpy, pandas, scipy or sqlite_utils."""
    program = (
        "import sys; from datetime import *; from pathlib import Path; from tracker.home import Home;"
        "from tracker.store import Store\n"
        "with Store(Home(Path(sys.argv[1])), clock=lambda: datetime.now(timezone.utc), read_only=True) as s:\n"
        "    s.day(date(2026, 5, 1), timezone.utc)\n"
        "print([m for m in ('numpy', 'pandas', 'scipy', 'sqlite_utils', 'zipfile') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(store.home.root)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
