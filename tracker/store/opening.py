"""Opening the database: finish what a killed process left, check it, bring it up to date.

An unclean end shows itself without a marker that somebody must remember to clear. A process that closes the
database as the last one leaves no write-ahead log behind; so a log that is there while no other process holds
the home's lock (the system frees it even after kill -9) was left by one that died.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import ExitStack
from datetime import datetime

from tracker.errors import StoreError
from tracker.home import Home, private_file
from tracker.store import exchange, health, retention, schema
from tracker.store.connection import Presence, connect
from tracker.store.faults import told, usable


def open_for_writing(home: Home, now: datetime) -> tuple[sqlite3.Connection, Presence]:
    """Open the database, making home and tables where they are not there yet.

    Raises:
        StoreError: the database is damaged, newer, someone else's, or cannot be written.
    """
    home.create()
    with ExitStack() as undo, usable(home.root), told(home.database):
        presence = Presence(home.lock)
        undo.callback(presence.close)
        left_behind = False
        if presence.alone():
            exchange.finish_exchange(home)
            left_behind = _log_left(home)
        presence.share()
        if exchange.unfinished(home):
            raise StoreError(f"{home.root} is being restored by another soleus process: wait for it, then try again.")
        connection = connect(private_file(home.database))
        undo.callback(connection.close)
        if left_behind and (faults := health.quick_check(connection)):
            raise health.damaged(home.database, faults)
        health.bring_up_to_date(connection, home, now)
        if left_behind:
            retention.settle(connection, home)
        undo.pop_all()
        return connection, presence


def open_for_reading(home: Home, now: datetime) -> tuple[sqlite3.Connection, Presence | None]:
    """Open the database without being able to change it; one that does not exist yet reads as empty.

    Raises:
        StoreError: the database is damaged, newer, someone else's, or cannot be read.
    """
    with usable(home.root):
        if not home.database.exists() and not exchange.unfinished(home):
            return schema.empty(), None
    presence: Presence | None = None
    if os.access(home.root, os.W_OK) and os.access(home.database, os.W_OK):
        connection, presence = open_for_writing(home, now)
        connection.execute("PRAGMA query_only = ON")
        return connection, presence
    with ExitStack() as undo, usable(home.root), told(home.database):
        connection = connect(home.database, immutable=True)
        undo.callback(connection.close)
        if not schema.is_ours(connection):
            raise StoreError(f"{home.database} is not a soleus database: set SOLEUS_HOME elsewhere.")
        if schema.schema_version(connection) != schema.SCHEMA_VERSION:
            raise StoreError(f"{home.database} is read-only and has the tables of another soleus: make it writable.")
        undo.pop_all()
        return connection, None


def _log_left(home: Home) -> bool:
    log = home.database.with_name(home.database.name + "-wal")
    return log.exists() and log.stat().st_size > 0
