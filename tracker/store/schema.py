"""The tables of the database, and how an older one becomes today's.

One SQLite file, `soleus.db`. It opens in Datasette, `sqlite3` or any other SQLite tool as it is.

| table | one row is | kept |
| --- | --- | --- |
| `sensors` | a paired sensor, under its nickname | until removed |
| `sessions` | the recording of one sensor, or one imported file | for ever (`deleted_at`: purged later) |
| `algorithms` | a version of the science that counted something | for ever |
| `events` | a contraction of a session | with its session |
| `states` | a stretch with one label (seated, walking, ..., not_worn, unknown) | with its session |
| `gaps` | a stretch without samples | with its session |
| `bounces` | seconds of bouncing found in a stretch | with its session |
| `rejections` | how many candidates a rule refused in a stretch | with its session |
| `forgotten` | a stretch of a session that is to be ignored | for ever |
| `stretches` | time that is counted, and the session it is counted from | derived |
| `quarter_hours` | the roll-up: one quarter-hour of UTC of one leg | derived, exact |
| `operations` | an import, a correction or a deletion that `undo` can take back | for the days of `undo` |
| `reminders` | a reminder: due, shown or held back, answered, and what the leg did then | for ever |
| `reminder_state` | what the engine of reminders remembers (one row) | replaced |
| `reminder_answers` | an answer that a command gave and the engine has not taken yet | until taken |

Units are in the names. `_utc_us`: microseconds of UTC since 1970; `_utc_s`: seconds of UTC since 1970; `_us`:
a duration in microseconds (integers, so that sums are exact); `_s` in `events`, `states`, `gaps`, `bounces`
and `forgotten`: session seconds, whose zero is the session's `started_utc_us`. An event belongs to the
instant of its peak. `leg` is left, right or unknown.

An event of a forgotten session, of a forgotten stretch, or of time that another session of the leg already
covers is in `events` but not counted: `stretches` says what is. The views hide this: `events_utc` lists
counted events with readable times, `sessions_utc` the sessions that exist, `quarter_hours_utc` and
`daily_counts_utc` the counts.

Time of a session that is not `countable` (muscle only, too slow) is recorded, its state is unknown, and it says
nothing about counts: where `countable_us` is 0 they are not zero but not known, and null in the views.

A reminder of a forgotten time carries the operation that forgot it, and `reminders_utc` leaves it out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from tracker.store.rollup import refresh_all

if TYPE_CHECKING:
    from sqlite_utils import Migrations

APPLICATION_ID = 0x534F4C45
"""`SOLE`, in the header of the file: tells our database from any other."""

_TABLES = """
CREATE TABLE sensors (
    nick TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    driver TEXT NOT NULL,
    leg TEXT NOT NULL CHECK (leg IN ('left', 'right', 'unknown')),
    place TEXT,
    firmware TEXT,
    battery_percent REAL,
    last_seen_at TEXT
) STRICT;

CREATE TABLE algorithms (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    params_sha256 TEXT NOT NULL,
    UNIQUE (name, version, params_sha256)
) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('record', 'import')),
    sensor TEXT,
    source TEXT,
    leg TEXT NOT NULL CHECK (leg IN ('left', 'right', 'unknown')),
    rank INTEGER NOT NULL DEFAULT 0,
    started_at TEXT NOT NULL,
    zone TEXT NOT NULL,
    utc_offset_s INTEGER NOT NULL,
    ended_at TEXT,
    started_utc_us INTEGER NOT NULL,
    first_utc_us INTEGER NOT NULL,
    last_utc_us INTEGER NOT NULL,
    first_s REAL NOT NULL,
    last_s REAL NOT NULL,
    samples INTEGER NOT NULL DEFAULT 0,
    packets INTEGER NOT NULL DEFAULT 0,
    packet_errors INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    reconnects INTEGER NOT NULL DEFAULT 0,
    recording TEXT,
    content_key TEXT,
    algorithm_id INTEGER REFERENCES algorithms (id),
    deleted_at TEXT
) STRICT;
CREATE UNIQUE INDEX sessions_uid ON sessions (uid) WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX sessions_content_key ON sessions (content_key) WHERE deleted_at IS NULL;
CREATE INDEX sessions_leg_last ON sessions (leg, last_utc_us);

CREATE TABLE gaps (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    start_s REAL NOT NULL,
    end_s REAL NOT NULL,
    PRIMARY KEY (session_id, start_s)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    peak_utc_us INTEGER NOT NULL,
    kind TEXT NOT NULL,
    onset_utc_us INTEGER NOT NULL,
    end_utc_us INTEGER NOT NULL,
    onset_s REAL NOT NULL,
    peak_s REAL NOT NULL,
    end_s REAL NOT NULL,
    confidence REAL NOT NULL,
    rule TEXT NOT NULL,
    strength REAL,
    attributes TEXT,
    algorithm_id INTEGER NOT NULL REFERENCES algorithms (id),
    PRIMARY KEY (session_id, peak_utc_us, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE states (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    start_s REAL NOT NULL,
    end_s REAL NOT NULL,
    state TEXT NOT NULL,
    vehicle INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session_id, start_s)
) STRICT, WITHOUT ROWID;

CREATE TABLE bounces (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    start_s REAL NOT NULL,
    end_s REAL NOT NULL,
    bounce_us INTEGER NOT NULL,
    PRIMARY KEY (session_id, start_s)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejections (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    start_s REAL NOT NULL,
    rule TEXT NOT NULL,
    candidates INTEGER NOT NULL,
    PRIMARY KEY (session_id, start_s, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    done_at TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('import', 'correction', 'deletion')),
    summary TEXT NOT NULL,
    before TEXT NOT NULL,
    undone_at TEXT
) STRICT;

CREATE TABLE forgotten (
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    operation_id INTEGER NOT NULL,
    start_s REAL NOT NULL,
    end_s REAL NOT NULL,
    forgotten_at TEXT NOT NULL,
    purged_at TEXT,
    PRIMARY KEY (session_id, operation_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE stretches (
    leg TEXT NOT NULL,
    start_utc_us INTEGER NOT NULL,
    end_utc_us INTEGER NOT NULL,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    worn INTEGER NOT NULL,
    PRIMARY KEY (leg, start_utc_us)
) STRICT, WITHOUT ROWID;
CREATE INDEX stretches_session ON stretches (session_id);

CREATE TABLE quarter_hours (
    leg TEXT NOT NULL,
    start_utc_s INTEGER NOT NULL,
    soleus_pushup INTEGER NOT NULL DEFAULT 0,
    heel_raise INTEGER NOT NULL DEFAULT 0,
    ankle_pump INTEGER NOT NULL DEFAULT 0,
    step INTEGER NOT NULL DEFAULT 0,
    pedal INTEGER NOT NULL DEFAULT 0,
    recorded_us INTEGER NOT NULL DEFAULT 0,
    worn_us INTEGER NOT NULL DEFAULT 0,
    gap_us INTEGER NOT NULL DEFAULT 0,
    bounce_us INTEGER NOT NULL DEFAULT 0,
    still_first_us INTEGER NOT NULL DEFAULT 0,
    still_longest_us INTEGER NOT NULL DEFAULT 0,
    still_last_us INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (leg, start_utc_s)
) STRICT, WITHOUT ROWID;
"""

_VIEWS = """
CREATE VIEW sessions_utc AS
SELECT id, sensor, source, leg, started_at, ended_at, zone, last_s - first_s AS duration_s, samples, packets,
       packet_errors, duplicates, reconnects, recording
FROM sessions WHERE deleted_at IS NULL;

CREATE VIEW events_utc AS
SELECT e.session_id, t.leg, e.kind,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.onset_utc_us / 1e6, 'unixepoch') AS onset_utc,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.peak_utc_us / 1e6, 'unixepoch') AS peak_utc,
       strftime('%Y-%m-%dT%H:%M:%fZ', e.end_utc_us / 1e6, 'unixepoch') AS end_utc,
       e.confidence, e.rule, e.strength, e.attributes, a.version AS algorithm_version
FROM stretches t
JOIN events e ON e.session_id = t.session_id
             AND e.peak_utc_us >= t.start_utc_us AND e.peak_utc_us < t.end_utc_us
JOIN algorithms a ON a.id = e.algorithm_id;

CREATE VIEW quarter_hours_utc AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', start_utc_s, 'unixepoch') AS start_utc, leg,
       soleus_pushup, heel_raise, ankle_pump, step, pedal,
       recorded_us / 1e6 AS recorded_s, worn_us / 1e6 AS worn_s,
       gap_us / 1e6 AS gap_s, bounce_us / 1e6 AS bounce_s
FROM quarter_hours;

CREATE VIEW daily_counts_utc AS
SELECT strftime('%Y-%m-%d', start_utc_s, 'unixepoch') AS day_utc, leg,
       SUM(soleus_pushup) AS soleus_pushup, SUM(heel_raise) AS heel_raise, SUM(ankle_pump) AS ankle_pump,
       SUM(step) AS step, SUM(pedal) AS pedal,
       SUM(soleus_pushup + heel_raise + ankle_pump) AS deliberate,
       SUM(soleus_pushup + heel_raise + ankle_pump + step + pedal) AS total,
       SUM(recorded_us) / 1e6 AS recorded_s, SUM(worn_us) / 1e6 AS worn_s,
       SUM(gap_us) / 1e6 AS gap_s, SUM(bounce_us) / 1e6 AS bounce_s
FROM quarter_hours GROUP BY day_utc, leg;
"""

_COUNTABLE = """
ALTER TABLE sessions ADD COLUMN countable INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN stored_utc_us INTEGER;
ALTER TABLE sessions ADD COLUMN file_key TEXT;
CREATE INDEX sessions_file_key ON sessions (file_key) WHERE file_key IS NOT NULL;
UPDATE sessions SET countable = EXISTS (SELECT 1 FROM states WHERE session_id = sessions.id AND state <> 'unknown')
                             OR EXISTS (SELECT 1 FROM events WHERE session_id = sessions.id)
                             OR EXISTS (SELECT 1 FROM rejections WHERE session_id = sessions.id);

ALTER TABLE quarter_hours ADD COLUMN countable_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE quarter_hours ADD COLUMN unknown_us INTEGER NOT NULL DEFAULT 0;

DROP VIEW sessions_utc;
CREATE VIEW sessions_utc AS
SELECT id, sensor, source, leg, started_at, ended_at, zone, last_s - first_s AS duration_s, samples, packets,
       packet_errors, duplicates, reconnects, countable, recording
FROM sessions WHERE deleted_at IS NULL;

DROP VIEW daily_counts_utc;
DROP VIEW quarter_hours_utc;
CREATE VIEW quarter_hours_utc AS
SELECT strftime('%Y-%m-%dT%H:%M:%SZ', start_utc_s, 'unixepoch') AS start_utc, leg,
       iif(countable_us, soleus_pushup, NULL) AS soleus_pushup, iif(countable_us, heel_raise, NULL) AS heel_raise,
       iif(countable_us, ankle_pump, NULL) AS ankle_pump, iif(countable_us, step, NULL) AS step,
       iif(countable_us, pedal, NULL) AS pedal,
       recorded_us / 1e6 AS recorded_s, worn_us / 1e6 AS worn_s, unknown_us / 1e6 AS unknown_s,
       gap_us / 1e6 AS gap_s, bounce_us / 1e6 AS bounce_s
FROM quarter_hours;
CREATE VIEW daily_counts_utc AS
SELECT strftime('%Y-%m-%d', start_utc_s, 'unixepoch') AS day_utc, leg,
       iif(MAX(countable_us), SUM(soleus_pushup), NULL) AS soleus_pushup,
       iif(MAX(countable_us), SUM(heel_raise), NULL) AS heel_raise,
       iif(MAX(countable_us), SUM(ankle_pump), NULL) AS ankle_pump,
       iif(MAX(countable_us), SUM(step), NULL) AS step, iif(MAX(countable_us), SUM(pedal), NULL) AS pedal,
       iif(MAX(countable_us), SUM(soleus_pushup + heel_raise + ankle_pump), NULL) AS deliberate,
       iif(MAX(countable_us), SUM(soleus_pushup + heel_raise + ankle_pump + step + pedal), NULL) AS total,
       SUM(recorded_us) / 1e6 AS recorded_s, SUM(worn_us) / 1e6 AS worn_s, SUM(unknown_us) / 1e6 AS unknown_s,
       SUM(gap_us) / 1e6 AS gap_s, SUM(bounce_us) / 1e6 AS bounce_s
FROM quarter_hours GROUP BY day_utc, leg;
"""

_REMINDERS = """
CREATE TABLE reminders (
    id INTEGER PRIMARY KEY,
    rung TEXT NOT NULL CHECK (rung IN ('soon', 'gentle', 'again', 'badge')),
    leg TEXT NOT NULL CHECK (leg IN ('left', 'right', 'unknown')),
    zone TEXT NOT NULL,
    due_utc_us INTEGER NOT NULL,
    still_us INTEGER NOT NULL,
    shown_utc_us INTEGER,
    held_by TEXT,
    answered_utc_us INTEGER,
    answer TEXT CHECK (answer IN ('done', 'snooze', 'not_today')),
    contractions INTEGER,
    moved_utc_us INTEGER,
    ended TEXT CHECK (ended IN ('moved', 'answered', 'lost', 'replaced')),
    forgotten_by INTEGER,
    forgotten_at TEXT
) STRICT;
CREATE INDEX reminders_due ON reminders (due_utc_us);

CREATE TABLE reminder_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    written_utc_us INTEGER NOT NULL,
    state TEXT NOT NULL
) STRICT;

CREATE TABLE reminder_answers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    given_utc_us INTEGER NOT NULL,
    button TEXT NOT NULL CHECK (button IN ('done', 'snooze', 'not_today')),
    reminder_id INTEGER,
    minutes REAL
) STRICT;

CREATE VIEW reminders_utc AS
SELECT id, strftime('%Y-%m-%dT%H:%M:%SZ', due_utc_us / 1e6, 'unixepoch') AS due_utc, rung, leg,
       still_us / 1e6 AS still_s, strftime('%Y-%m-%dT%H:%M:%SZ', shown_utc_us / 1e6, 'unixepoch') AS shown_utc,
       held_by, answer, (answered_utc_us - shown_utc_us) / 1e6 AS answered_after_s,
       contractions AS contractions_in_5_min, (moved_utc_us - shown_utc_us) / 1e6 AS moved_after_s, ended, zone
FROM reminders WHERE forgotten_by IS NULL;
"""


class _Executes(Protocol):
    """What a step needs: SQLite's own connection and sqlite-utils' database both have it."""

    def execute(self, sql: str, /) -> object: ...


def _run(db: _Executes, script: str) -> None:
    """Every statement of a script. `executescript` would commit the transaction that is open."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            db.execute(statement)
            statement = ""


def _m001_first_tables(db: _Executes) -> None:
    _run(db, _TABLES + _VIEWS)


def _m002_uncountable_and_unknown(db: _Executes) -> None:
    _run(db, _COUNTABLE)


def _m003_reminders(db: _Executes) -> None:
    _run(db, _REMINDERS)


_STEPS: tuple[Callable[[_Executes], None], ...] = (
    _m001_first_tables,
    _m002_uncountable_and_unknown,
    _m003_reminders,
)
"""In order, never changed once released; each brings the schema from one version to the next."""

SCHEMA_VERSION = len(_STEPS)
"""Kept in the file as `PRAGMA user_version`, so that an up-to-date database opens without `sqlite_utils`."""


def migrations() -> Migrations:
    """The steps as a set of sqlite-utils migrations, which notes in the database which were applied."""
    from sqlite_utils import Migrations

    steps = Migrations("soleus")
    for step in _STEPS:
        steps()(step)
    return steps


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the pending steps, all of them or none, and derive the roll-up anew. Call inside a transaction."""
    from sqlite_utils import Database

    # The set runs each step in `db.atomic()`, which is a savepoint of the transaction that is open.
    migrations().apply(Database(connection, recursive_triggers=False, execute_plugins=False))
    # Not within a step: what is derived is derived by the present code, which knows the columns of all steps.
    refresh_all(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def empty() -> sqlite3.Connection:
    """A database in memory with nothing in it: what a reading command sees before the first recording."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for step in _STEPS:
        step(connection)
    return connection


def schema_version(connection: sqlite3.Connection) -> int:
    """Version the file's schema has; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def is_ours(connection: sqlite3.Connection) -> bool:
    """Whether the file is a soleus database, or empty and may become one."""
    if connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
        return True
    return not connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
