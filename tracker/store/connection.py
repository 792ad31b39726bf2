"""One connection to the database: durability, waiting for others, and who else is there."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.home import FILE_MODE
from tracker.store.faults import usable

BUSY_S = 30.0
"""How long one process waits for another's transaction. A day of findings commits in well under a second."""

_WAL_TRIES = 100
_WAL_PAUSE_S = 0.05


def connect(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    """Open an existing file with foreign keys on and every commit on the disk (synchronous FULL).

    Transactions are begun by hand (`isolation_level=None`).

    Args:
        path: the database file.
        immutable: read a file on a read-only medium, where WAL cannot be set up.
    """
    if immutable:
        return sqlite3.connect(f"{path.as_uri()}?immutable=1", uri=True, isolation_level=None)
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        write_ahead(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def write_ahead(connection: sqlite3.Connection) -> None:
    """Turn WAL on. SQLite's busy handler is not asked for this switch, so two first starts retry here."""
    for attempt in range(_WAL_TRIES):
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == _WAL_TRIES - 1:
                raise
            time.sleep(_WAL_PAUSE_S)


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing. IMMEDIATE: waits for its turn first, so that no read inside can be out of date."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Several reads of one state of the database; joins a transaction that is open."""
    if connection.in_transaction:
        yield connection
        return
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.rollback()  # nothing was written; this only ends the snapshot


class Presence:
    """A lock that says that this process has the store open; the system frees it however the process ends.

    Where the system has no `flock` (Windows), nobody is ever known to be there.
    """

    def __init__(self, path: Path) -> None:
        """Opens the lock's file, making it where it is not there yet.

        Raises:
            StoreError: it may not be written; also from `alone` and `share` where the disk has no locks.
        """
        self._path = path
        with usable(path):
            self._file = os.open(path, os.O_CREAT | os.O_RDWR, FILE_MODE)

    def alone(self) -> bool:
        """Take the lock for this process only. False where another process has the store open."""
        return self._lock(shared=False, wait=False)

    def share(self) -> None:
        """Take the lock beside others; waits while a restore is under way."""
        self._lock(shared=True, wait=True)

    def _lock(self, *, shared: bool, wait: bool) -> bool:
        if sys.platform == "win32":
            return True
        import fcntl

        how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        with usable(self._path):
            try:
                fcntl.flock(self._file, how if wait else how | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def close(self) -> None:
        """Let go."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
