"""Reminders in the database: their rows, the engine's state, and answers that wait for it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from analysis.events import Kind, State, StateSpan
from tracker.remind.decisions import Answer, Button, Rung
from tracker.remind.state import End, Reminder, Rule
from tracker.store.intervals import Interval

_COLUMNS = ", ".join(
    (
        *("id", "rung", "leg", "due_utc_us", "still_us", "shown_utc_us", "held_by"),
        *("answered_utc_us", "answer", "contractions", "moved_utc_us", "ended"),
    )
)


def keep(connection: sqlite3.Connection, changed: Iterable[Reminder], zone: str) -> None:
    """Write reminders as they are now; the same again changes nothing."""
    connection.executemany(
        f"INSERT INTO reminders ({_COLUMNS}, zone) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET (shown_utc_us, held_by, answered_utc_us, answer, contractions, moved_utc_us, "
        "ended) = (excluded.shown_utc_us, excluded.held_by, excluded.answered_utc_us, excluded.answer, "
        "excluded.contractions, excluded.moved_utc_us, excluded.ended)",
        ((*_row(one), zone) for one in changed),
    )


def _row(one: Reminder) -> tuple[object, ...]:
    return (
        one.id, one.rung, one.leg, _us(one.due_s), _us(one.still_s), _us(one.shown_s), one.held_by, _us(one.answered_s),
        one.answer, one.contractions, _us(one.moved_s), one.end,
    )  # fmt: skip


def _us(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e6)


def _s(us: int | None) -> float | None:
    return None if us is None else us / 1e6


def listed(connection: sqlite3.Connection, since_us: int, until_us: int, limit: int) -> list[Reminder]:
    """Reminders that were due since_us..until_us and are not forgotten, the latest first."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM reminders WHERE forgotten_by IS NULL AND due_utc_us >= ? AND due_utc_us < ? "
        "ORDER BY id DESC LIMIT ?",
        (since_us, until_us, limit),
    )
    return [
        Reminder(
            id=row[0],
            rung=Rung(row[1]),
            leg=row[2],
            due_s=row[3] / 1e6,
            still_s=row[4] / 1e6,
            shown_s=_s(row[5]),
            held_by=None if row[6] is None else Rule(row[6]),
            answered_s=_s(row[7]),
            answer=None if row[8] is None else Button(row[8]),
            contractions=row[9],
            moved_s=_s(row[10]),
            end=None if row[11] is None else End(row[11]),
        )
        for row in rows
    ]


def next_id(connection: sqlite3.Connection) -> int:
    """Greater than that of any reminder, forgotten ones included."""
    return int(connection.execute("SELECT COALESCE(MAX(id), 0) + 1 FROM reminders").fetchone()[0])


def state(connection: sqlite3.Connection) -> str | None:
    """What the engine remembered last, None where there is nothing yet."""
    row = connection.execute("SELECT state FROM reminder_state WHERE id = 1").fetchone()
    return None if row is None else str(row[0])


def keep_state(connection: sqlite3.Connection, text: str, now_us: int) -> None:
    """Put a state in the place of the last."""
    connection.execute("INSERT OR REPLACE INTO reminder_state VALUES (1, ?, ?)", (now_us, text))


def queue(connection: sqlite3.Connection, answer: Answer, now_us: int) -> None:
    """Leave an answer for the engine."""
    connection.execute(
        "INSERT INTO reminder_answers (given_utc_us, button, reminder_id, minutes) VALUES (?, ?, ?, ?)",
        (now_us, answer.button, answer.reminder_id, answer.minutes),
    )


def queued(connection: sqlite3.Connection) -> list[tuple[int, int, Answer]]:
    """(key, UTC microseconds, answer) of those that wait, in the order in which they were given."""
    rows = connection.execute(
        "SELECT id, given_utc_us, button, reminder_id, minutes FROM reminder_answers ORDER BY id"
    ).fetchall()
    return [(row[0], row[1], Answer(Button(row[2]), row[3], row[4])) for row in rows]


def take(connection: sqlite3.Connection, keys: Sequence[int]) -> None:
    """These answers have been taken."""
    connection.executemany("DELETE FROM reminder_answers WHERE id = ?", [(key,) for key in keys])


def recent_movement(
    connection: sqlite3.Connection, session_id: int, since_us: int
) -> tuple[list[tuple[Kind, float]], float | None, list[StateSpan]]:
    """What a session, closed or not, holds since an instant; all times are seconds of UTC since 1970.

    Returns:
        Kind and peak of its contractions in order, the peak of its last one ever, and its labels in order.
    """
    peaks = [
        (Kind(kind), peak_us / 1e6)
        for kind, peak_us in connection.execute(
            "SELECT kind, peak_utc_us FROM events WHERE session_id = ? AND peak_utc_us >= ? ORDER BY peak_utc_us",
            (session_id, since_us),
        )
    ]
    last = connection.execute("SELECT MAX(peak_utc_us) FROM events WHERE session_id = ?", (session_id,)).fetchone()[0]
    spans = [
        StateSpan(State(state), started_us / 1e6 + start_s, started_us / 1e6 + end_s)
        for state, start_s, end_s, started_us in connection.execute(
            "SELECT t.state, t.start_s, t.end_s, s.started_utc_us FROM states t JOIN sessions s ON s.id = t.session_id "
            "WHERE s.id = ? AND t.end_s >= (? - s.started_utc_us) / 1e6 ORDER BY t.start_s",
            (session_id, since_us),
        )
    ]
    return peaks, _s(last), spans


def forget(connection: sqlite3.Connection, within: Interval, leg: str | None, operation_id: int, now: str) -> None:
    """Hide the reminders that were due in a stretch of time; `leg`: of one leg only."""
    connection.execute(
        "UPDATE reminders SET forgotten_by = ?, forgotten_at = ? WHERE forgotten_by IS NULL "
        "AND due_utc_us >= ? AND due_utc_us < ? AND COALESCE(leg = ?, TRUE)",
        (operation_id, now, *within, leg),
    )


def bring_back(connection: sqlite3.Connection, operation_id: int) -> None:
    """Show again what an operation hid."""
    connection.execute(
        "UPDATE reminders SET forgotten_by = NULL, forgotten_at = NULL WHERE forgotten_by = ?", (operation_id,)
    )


def purge(connection: sqlite3.Connection, limit: str) -> None:
    """Destroy what was forgotten at or before `limit` (ISO 8601, UTC)."""
    connection.execute("DELETE FROM reminders WHERE datetime(forgotten_at) <= datetime(?)", (limit,))
