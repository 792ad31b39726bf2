"""Whether the database is sound, and the copies made of it before it is changed."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

from tracker.errors import StoreError
from tracker.home import Home, private_file
from tracker.store.connection import transaction
from tracker.store.schema import SCHEMA_VERSION, is_ours, migrate, schema_version

KEPT_COPIES = 5
"""Copies of the database kept in the folder of backups, the newest ones."""


def quick_check(connection: sqlite3.Connection) -> list[str]:
    """Faults of the file's structure, found without comparing tables with their indexes. Empty: none."""
    return _faults(connection, "quick_check")


def full_check(connection: sqlite3.Connection) -> list[str]:
    """Faults of structure, indexes and references between tables. Empty: none."""
    if faults := _faults(connection, "integrity_check"):
        return faults
    broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    return [f"a row of {row[0]} refers to a missing row of {row[2]}" for row in broken]


def _faults(connection: sqlite3.Connection, check: str) -> list[str]:
    try:
        rows = connection.execute(f"PRAGMA {check}(20)").fetchall()
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [str(row[0]) for row in rows if row[0] != "ok"]


def damaged(path: Path, faults: list[str]) -> StoreError:
    """The sentence for a database that fails its check."""
    return StoreError(
        f"{path} is damaged ({faults[0].splitlines()[0]}): bring back the newest backup with "
        "`soleus restore`; the recordings are kept and can be counted again."
    )


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database that may be in use into a new private file, as of one instant."""
    private_file(target)
    copy = sqlite3.connect(target)
    try:
        source.backup(copy)
        # A copy is one file: without this, opening it would leave a -wal and a -shm beside it.
        copy.execute("PRAGMA journal_mode = DELETE").fetchone()
    finally:
        copy.close()


def rotate_copy(connection: sqlite3.Connection, home: Home, now: datetime) -> Path:
    """Copy the database into the folder of backups, and drop the oldest copies beyond `KEPT_COPIES`."""
    name = f"soleus-schema{schema_version(connection)}-{now:%Y%m%dT%H%M%S%f}.db"
    home.create()
    copy_database(connection, home.backups / name)
    kept = sorted(home.backups.glob("soleus-schema*.db"), key=lambda file: file.name.rpartition("-")[2])
    for old in kept[:-KEPT_COPIES]:
        old.unlink()
    return home.backups / name


def bring_up_to_date(connection: sqlite3.Connection, home: Home, now: datetime) -> Path | None:
    """Check that the file is a soleus database of today's schema, or make it one.

    An older one is checked in full and copied into the folder of backups first.

    Returns:
        The copy, None where nothing had to be changed.

    Raises:
        StoreError: the file belongs to another program, to a newer soleus, or is damaged.
    """
    if not is_ours(connection):
        raise StoreError(f"{home.database} is not a soleus database: move it away, or set SOLEUS_HOME elsewhere.")
    version = schema_version(connection)
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{home.database} was written by a newer soleus (schema {version}, this one knows "
            f"{SCHEMA_VERSION}): update soleus."
        )
    if version == SCHEMA_VERSION:
        return None
    copy = None
    if version:
        if faults := full_check(connection):
            raise damaged(home.database, faults)
        copy = rotate_copy(connection, home, now)
    with transaction(connection):
        # Another process may have done it while this one waited for its turn.
        if schema_version(connection) < SCHEMA_VERSION:
            migrate(connection)
    return copy
