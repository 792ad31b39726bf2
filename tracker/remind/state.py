"""The engine's memory: plain values that go into JSON and come back as they were.

What is made anew at every observation is a named tuple: it takes a third of the time of a frozen dataclass.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from tracker.remind.decisions import Button, Doing, Rung

FORMAT = 1


class Rule(StrEnum):
    """What holds a message back, in the order in which they are asked."""

    NOT_TODAY = "not_today"
    SNOOZED = "snoozed"
    HOLIDAY = "holiday"
    OUT_OF_HOURS = "out_of_hours"
    QUIET = "quiet"
    NOT_WORN = "not_worn"
    GAP = "gap"
    UNKNOWN = "unknown"
    WALKING = "walking"
    MOVING = "moving"
    COOL_DOWN = "cool_down"
    DAILY_CAP = "daily_cap"
    LOCKED = "locked"
    DO_NOT_DISTURB = "do_not_disturb"
    MICROPHONE = "microphone"
    CAMERA = "camera"
    BUSY = "busy"


class End(StrEnum):
    """How a reminder ended."""

    MOVED = "moved"  # the leg cleared the debt
    ANSWERED = "answered"
    LOST = "lost"  # the leg was not seen for long enough to have moved
    REPLACED = "replaced"  # the next rung took its place


class Ledger(NamedTuple):
    """The debt of one leg.

    Attributes:
        leg: left, right or unknown.
        debt_s: still seconds since it was cleared, less what contractions paid; below 0: credit.
        unseen_s: seconds for which nothing has been known of it; 0 while it is seen.
        doing: what it did at the last observation.
        counted: peaks of the last ten minutes that have paid, seconds of UTC, ascending.
    """

    leg: str
    debt_s: float = 0.0
    unseen_s: float = 0.0
    doing: Doing = Doing.GAP
    counted: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder, as its row in the store has it; times are seconds of UTC since 1970.

    Attributes:
        id: counts up.
        rung: how insistent.
        leg: whose debt; left, right or unknown.
        due_s: when it was due.
        still_s: the debt it was due at.
        shown_s: when it was shown; None where it was not.
        held_by: the rule that held it back, the first where there were several; None where none did.
        answered_s: when the wearer answered; None where nobody did.
        answer: what.
        contractions: in the five minutes after it was shown; None until these are over, or where the leg was not
            seen for most of them.
        moved_s: when the leg cleared the debt; None where it did not while the reminder stood.
        end: how it ended; None while it stands.
        seen_s: seconds of those five minutes in which the leg was seen.
    """

    id: int
    rung: Rung
    leg: str
    due_s: float
    still_s: float
    shown_s: float | None = None
    held_by: Rule | None = None
    answered_s: float | None = None
    answer: Button | None = None
    contractions: int | None = None
    moved_s: float | None = None
    end: End | None = None
    seen_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Noticed:
    """A notice that was given.

    Attributes:
        id: of the condition.
        at_s: when.
        active: whether the condition still holds.
    """

    id: str
    at_s: float
    active: bool = True


class State(NamedTuple):
    """Everything the engine remembers between two observations.

    Attributes:
        at_s: instant of the last observation; None before any.
        awake: whether it lay in the hours of reminders.
        ledgers: one a leg that was ever seen, by name.
        used: rungs that this still stretch has had.
        shown: instants of the messages of the last two days.
        open: reminders that can still change, the oldest first.
        on_screen: id of the message that stands.
        badge: id of the badge that stands.
        snoozed_until_s: no message before.
        off_until_s: no message before, because of "not today".
        next_id: of the next reminder.
        noticed: notices that were given.
        holding: what holds back the message that is due just now; None where none is due, or nothing does.
        unknown: what could not be known at the last observation, names of its fields.
    """

    at_s: float | None = None
    awake: bool = False
    ledgers: tuple[Ledger, ...] = ()
    used: tuple[Rung, ...] = ()
    shown: tuple[float, ...] = ()
    open: tuple[Reminder, ...] = ()
    on_screen: int | None = None
    badge: int | None = None
    snoozed_until_s: float = 0.0
    off_until_s: float = 0.0
    next_id: int = 1
    noticed: tuple[Noticed, ...] = ()
    holding: Rule | None = None
    unknown: tuple[str, ...] = ()

    def to_json(self) -> str:
        """One line; `from_json` gives the same state back."""
        told = self._asdict() | {
            "ledgers": [one._asdict() for one in self.ledgers],
            "open": [asdict(one) for one in self.open],
            "noticed": [asdict(one) for one in self.noticed],
        }
        return json.dumps({"format": FORMAT, **told}, allow_nan=False)

    @staticmethod
    def from_json(text: str) -> State | None:
        """The state as it was written; None where the text is of another format or damaged."""
        try:
            known = json.loads(text)
            if known.pop("format") != FORMAT:
                return None
            return State(**(known | _made(known)))
        except (ValueError, TypeError, KeyError, AttributeError):
            return None


def _made(known: dict[str, Any]) -> dict[str, Any]:
    ledgers = (one | {"doing": Doing(one["doing"]), "counted": tuple(one["counted"])} for one in known["ledgers"])
    return {
        "ledgers": tuple(Ledger(**one) for one in ledgers),
        "used": tuple(map(Rung, known["used"])),
        "shown": tuple(known["shown"]),
        "open": tuple(_reminder(one) for one in known["open"]),
        "noticed": tuple(Noticed(**one) for one in known["noticed"]),
        "holding": None if known["holding"] is None else Rule(known["holding"]),
        "unknown": tuple(known["unknown"]),
    }


def _reminder(one: dict[str, Any]) -> Reminder:
    kinds = {"rung": Rung, "held_by": Rule, "answer": Button, "end": End}
    return Reminder(**(one | {key: kind(one[key]) for key, kind in kinds.items() if one[key] is not None}))
