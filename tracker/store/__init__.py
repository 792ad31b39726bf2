"""The wearer's history: sessions, events, days, and everything that is done to them.

`Store` is the door; `tracker.store.schema` describes the tables; `tracker.store.backup` restores.
"""

from tracker.store.days import DaySummary, Hour, LegDay
from tracker.store.records import (
    Batch,
    CountedEvent,
    DayChange,
    NewSession,
    Operation,
    Rejected,
    Sensor,
    SessionRecord,
    Totals,
)
from tracker.store.retention import UNDO_DAYS, Forecast
from tracker.store.store import Store, Stored

__all__ = [
    "UNDO_DAYS",
    "Batch",
    "CountedEvent",
    "DayChange",
    "DaySummary",
    "Forecast",
    "Hour",
    "LegDay",
    "NewSession",
    "Operation",
    "Rejected",
    "Sensor",
    "SessionRecord",
    "Store",
    "Stored",
    "Totals",
]
