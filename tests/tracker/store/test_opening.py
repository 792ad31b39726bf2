"""Databases that cannot be used, and ends that were not clean."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analysis.events import Algorithm, Findings, Leg, State, StateSpan
from tracker.errors import StoreError
from tracker.home import Home
from tracker.store import Batch, NewSession, Store, connection, health, schema

Make = Callable[..., Batch]
START = datetime(2026, 5, 1, 9, tzinfo=UTC)


def open_store(home: Home, **options: bool) -> Store:
    return Store(home, clock=lambda: START, **options)


def execute(home: Home, statement: str) -> None:
    opened = sqlite3.connect(home.database)
    opened.execute(statement)
    opened.commit()
    opened.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_newer_schema_is_refused(home: Home, *, read_only: bool) -> None:
    """A database of a newer soleus is left alone."""
    execute(home, "PRAGMA user_version = 99")
    with pytest.raises(StoreError, match=r"soleus\.db was written by a newer soleus .*update soleus"):
        open_store(home, read_only=read_only)


@pytest.mark.parametrize("content", [b"no database at all, just words" * 100, b"SQLite format 3\0" + b"x" * 4096])
def test_no_database_is_refused(home: Home, content: bytes) -> None:
    """Any other file in the place of the database is refused with the path and the fix."""
    home.database.write_bytes(content)
    with pytest.raises(StoreError, match=r"soleus\.db is not a soleus database.*"):
        open_store(home)


def test_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """A SQLite file that soleus did not make is not touched."""
    home = Home(tmp_path)
    execute(home, "CREATE TABLE photos (id)")
    with pytest.raises(StoreError, match="is not a soleus database"):
        open_store(home)
    opened = sqlite3.connect(home.database)
    assert opened.execute("SELECT name FROM sqlite_master").fetchall() == [("photos",)]
    opened.close()


def test_damaged_page_is_found_and_told(home: Home, batch: Make) -> None:
    """A damaged page is found by the check, and by the command that meets it, without a traceback."""
    with open_store(home) as store:
        peaks = tuple(float(peak) for peak in range(2, 4000, 2))
        store.add(NewSession(START, Leg.LEFT), batch(peaks, 4000.0), ended_at=START)
    whole = bytearray(home.database.read_bytes())
    half = len(whole) // 2
    whole[half : half + 20000] = b"\xff" * 20000
    home.database.write_bytes(whole)
    with open_store(home) as store:
        assert store.check(full=True) != []
        with pytest.raises(StoreError, match=r"soleus\.db is damaged"):
            store.rebuild()


def test_log_of_a_dead_process_leads_to_a_check(home: Home, batch: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write-ahead log without a living process means an unclean end: checked once, nothing lost."""
    with open_store(home) as store:
        store.add(NewSession(START, Leg.LEFT), batch((10.0,)), ended_at=START + timedelta(seconds=600))
        died = Home(home.root.with_name("died"))
        shutil.copytree(home.root, died.root)
    checks = []
    monkeypatch.setattr(health, "quick_check", lambda _: checks.append(1) or [])
    with open_store(died) as store:
        assert store.day(date(2026, 5, 1), UTC).headline.total == 1
        with open_store(died):
            pass
    with open_store(died):
        pass
    assert checks == [1]


def test_damage_after_an_unclean_end_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the check after an unclean end finds damage, nothing is written on top of it."""
    home.database.with_name("soleus.db-wal").write_bytes(b"left behind")
    monkeypatch.setattr(health, "quick_check", lambda _: ["page 3: btree"])
    with pytest.raises(StoreError, match=r"damaged \(page 3: btree\).*soleus restore"):
        open_store(home)


def test_migration_makes_a_copy_first(home: Home, batch: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older database is copied before it changes; the newest five copies are kept."""
    with open_store(home) as store:
        store.add(NewSession(START, Leg.LEFT), batch((10.0,)), ended_at=START)
    for number in range(4, 11):
        steps = (*schema._STEPS, lambda db, n=number: db.execute(f"CREATE TABLE extra{n} (id INTEGER)"))
        steps[-1].__name__ = f"m{number:03}_extra"
        monkeypatch.setattr(schema, "_STEPS", steps)
        monkeypatch.setattr(schema, "SCHEMA_VERSION", number)
        monkeypatch.setattr(health, "SCHEMA_VERSION", number)
        with Store(home, clock=lambda n=number: START + timedelta(days=n)) as store:
            assert store.day(date(2026, 5, 1), UTC).headline.total == 1
    copies = sorted(file.name for file in home.backups.iterdir())
    assert [name[:14] for name in copies] == [f"soleus-schema{number}" for number in range(5, 10)]
    opened = sqlite3.connect(home.backups / copies[0])
    assert opened.execute("SELECT COUNT(*) FROM events").fetchone() == (1,)
    assert schema.schema_version(opened) == 5
    opened.close()


FIRST_SCHEMA = """
INSERT INTO algorithms VALUES (1, 'a', '1', '0');
INSERT INTO sessions (id, uid, origin, leg, started_at, zone, utc_offset_s, ended_at, started_utc_us, first_utc_us,
    last_utc_us, first_s, last_s, rank, algorithm_id, deleted_at)
    SELECT value, 'u' || value, 'import', iif(value = 2, 'right', 'left'), '2026-05-01T09:00:00+00:00', 'UTC', 0,
        '2026-05-01T09:10:00+00:00', 1777626000000000, 1777626000000000, 1777626600000000, 0, 600, value = 2, 1, NULL
    FROM json_each('[1, 2]');
INSERT INTO states VALUES (1, 0, 500, 'seated', 0), (1, 500, 600, 'unknown', 0), (2, 0, 600, 'unknown', 0);
INSERT INTO events VALUES (1, 1777626010000000, 'step', 1777626009000000, 1777626011000000, 9, 10, 11, 1, 'r', NULL,
    NULL, 1);
"""


def test_first_schema_becomes_the_present_one(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy is made, what cannot be counted reads as null, unknown time is told, the tables are those of a new one."""
    old = Home(tmp_path / "old")
    with monkeypatch.context() as then:
        then.setattr(schema, "_STEPS", schema._STEPS[:1])
        then.setattr(schema, "SCHEMA_VERSION", 1)
        then.setattr(health, "SCHEMA_VERSION", 1)
        open_store(old).close()
    opened = sqlite3.connect(old.database)
    opened.executescript(FIRST_SCHEMA)
    assert schema.schema_version(opened) == 1
    opened.close()
    with open_store(old) as store:
        legs = store.day(date(2026, 5, 1), UTC).legs
        assert (legs["left"].total, legs["left"].worn_s, legs["left"].unknown_s) == (1, 600.0, 100.0)
        assert (legs["right"].total, legs["right"].recorded_s, legs["right"].unknown_s) == (None, 600.0, 600.0)
        assert store.check(full=True) == []
    (copy,) = old.backups.iterdir()
    opened = sqlite3.connect(copy)
    assert (schema.schema_version(opened), opened.execute("SELECT COUNT(*) FROM events").fetchone()) == (1, (1,))
    opened.close()
    assert tables(sqlite3.connect(old.database)) == tables(sqlite3.connect(home.database)) == tables(schema.empty())


def tables(opened: sqlite3.Connection) -> set[tuple[str, str]]:
    """Name and text of every table, index and view of ours; closes the database."""
    rows = opened.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite%'").fetchall()
    opened.close()
    return set(rows)


def test_views_know_no_zero_where_nothing_could_be_counted(home: Home) -> None:
    """Muscle only is null in the views, and beside a session that counts it is not."""
    found = Findings((), (StateSpan(State.UNKNOWN, 0.0, 600.0),))
    muscle = Batch(found, 0.0, 600.0, Algorithm("a", "1", "0"), countable=False)
    with open_store(home) as store:
        store.add(NewSession(START, Leg.LEFT), muscle, ended_at=START)
    opened = sqlite3.connect(home.database)
    for view in ("quarter_hours_utc", "daily_counts_utc"):
        assert opened.execute(f"SELECT step, recorded_s, unknown_s FROM {view}").fetchall() == [(None, 600.0, 600.0)]
    assert opened.execute("SELECT countable FROM sessions_utc").fetchall() == [(0,)]
    opened.close()


def test_failing_migration_leaves_the_old_schema(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that fails takes the steps before it back."""

    def m004_good(db: object) -> None:
        db.execute("CREATE TABLE extra (id)")  # type: ignore[attr-defined]

    def m005_bad(db: object) -> None:
        raise RuntimeError("half way")

    monkeypatch.setattr(schema, "_STEPS", (*schema._STEPS, m004_good, m005_bad))
    monkeypatch.setattr(health, "SCHEMA_VERSION", 5)
    with pytest.raises(RuntimeError, match="half way"):
        open_store(home)
    opened = sqlite3.connect(home.database)
    assert schema.schema_version(opened) == 3
    assert opened.execute("SELECT 1 FROM sqlite_master WHERE name = 'extra'").fetchone() is None
    opened.close()


def test_full_disk_leaves_everything_as_it_was(home: Home, batch: Make) -> None:
    """When a commit does not fit, the sentence says so and nothing of it is there."""
    with open_store(home) as store:
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        many = batch(tuple(float(peak) for peak in range(2, 4000, 2)), 4000.0)
        with pytest.raises(StoreError, match="disk is full"):
            store.add(NewSession(START, Leg.LEFT), many, ended_at=START)
        assert store.sessions() == []
        assert store.check(full=True) == []


def test_locked_database_is_told(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that never lets go of the database is named as the reason."""
    monkeypatch.setattr(connection, "BUSY_S", 0.01)
    other = sqlite3.connect(home.database, isolation_level=None)
    with open_store(home) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process"):
            store.begin(NewSession(START, Leg.LEFT))
        other.execute("ROLLBACK")
    other.close()


def test_read_only_database_can_be_read_not_written(home: Home, batch: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days can be seen on a read-only medium; a write is refused in a sentence."""
    with open_store(home) as store:
        store.add(NewSession(START, Leg.LEFT), batch((10.0,)), ended_at=START + timedelta(seconds=600))
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with open_store(home, read_only=True) as store:
        assert store.day(date(2026, 5, 1), UTC).headline.total == 1
        with pytest.raises(StoreError, match=r"soleus\.db is read-only.*chmod"):
            store.begin(NewSession(START, Leg.LEFT))


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("refused", ["os.open", "fcntl.flock", "pathlib.Path.exists"])
def test_what_the_system_refuses_is_told(
    home: Home, refused: str, monkeypatch: pytest.MonkeyPatch, *, read_only: bool
) -> None:
    """A lock or folder that may not be used is one sentence with the path and the fix, not a traceback."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(refused, refuse)
    with pytest.raises(StoreError, match=r"home.* \(Permission denied\): mend its permissions .*SOLEUS_HOME"):
        open_store(home, read_only=read_only)


def test_reading_creates_nothing(tmp_path: Path) -> None:
    """A reading command before the first recording sees an empty history and leaves no file."""
    with open_store(Home(tmp_path / "none"), read_only=True) as store:
        assert store.sessions() == []
        assert not store.day(date(2026, 5, 1), UTC).recorded
    assert list(tmp_path.iterdir()) == []


def test_views_are_readable(home: Home, batch: Make) -> None:
    """The views show what counts, with readable times: what Datasette shows of it."""
    with open_store(home) as store:
        store.add(NewSession(START, Leg.LEFT, source="a.csv"), batch((10.0,)), ended_at=START)
    opened = sqlite3.connect(home.database)
    assert opened.execute("SELECT day_utc, leg, step, worn_s FROM daily_counts_utc").fetchall() == [
        ("2026-05-01", "left", 1, 600.0)
    ]
    assert opened.execute("SELECT peak_utc, kind FROM events_utc").fetchall() == [("2026-05-01T09:00:10.000Z", "step")]
    assert opened.execute("SELECT source, duration_s FROM sessions_utc").fetchall() == [("a.csv", 600.0)]
    assert len(opened.execute("SELECT * FROM quarter_hours_utc").fetchall()) == 1
    opened.close()
