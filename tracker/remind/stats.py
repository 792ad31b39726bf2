"""Whether reminders help: how many came, what held others back, what the leg did then, by hour and weekday."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from statistics import fmean, median
from typing import Any

from tracker.remind.adaptive import HOURS, worked
from tracker.remind.decisions import Button, Rung
from tracker.remind.schedule import WEEKDAYS
from tracker.remind.state import Reminder


@dataclass(frozen=True, slots=True)
class Success:
    """Messages of some hour or weekday.

    Attributes:
        shown: how many.
        known: of how many it is known what the leg did.
        worked: after how many of these the debt was cleared within five minutes.
    """

    shown: int
    known: int
    worked: int

    @property
    def share(self) -> float | None:
        """0..1; None where nothing is known."""
        return self.worked / self.known if self.known else None

    def to_json(self) -> dict[str, float | int | None]:
        """Under stable keys."""
        return {"shown": self.shown, "known": self.known, "worked": self.worked, "share": self.share}


@dataclass(frozen=True, slots=True)
class Stats:
    """Reminders of a stretch of time.

    Attributes:
        due: how many were due, silent words before not among them.
        by_rung: how many of each rung were shown.
        held: what held some back first, and how many.
        never_shown: how many were not shown at all.
        answers: answers with the seconds they took.
        all: messages, badges not among them.
        contractions: mean in the five minutes after a message; None where none is known.
        by_hour: of the wearer's clock, 0 to 23.
        by_weekday: from Monday on.
    """

    due: int
    by_rung: dict[Rung, int]
    held: dict[str, int]
    never_shown: int
    answers: dict[Button, list[float]]
    all: Success
    contractions: float | None
    by_hour: Sequence[Success]
    by_weekday: Sequence[Success]

    def to_json(self) -> dict[str, Any]:
        """Under stable keys."""
        return {
            "due": self.due,
            "shown": {str(rung): self.by_rung.get(rung, 0) for rung in Rung if rung is not Rung.SOON},
            "never_shown": self.never_shown,
            "held_back_by": self.held,
            "answers": {
                str(button): {"count": len(took), "median_after_s": median(took) if took else None}
                for button, took in ((button, self.answers.get(button, [])) for button in Button)
            },
            "success": self.all.to_json(),
            "mean_contractions_in_5_min": self.contractions,
            "by_hour": [{"hour": hour} | one.to_json() for hour, one in enumerate(self.by_hour)],
            "by_weekday": [
                {"weekday": day} | one.to_json() for day, one in zip(WEEKDAYS, self.by_weekday, strict=True)
            ],
        }


def gathered(reminders: Iterable[Reminder], zone: tzinfo) -> Stats:
    """Statistics of reminders in any order, on the clock of `zone`."""
    rows = [one for one in reminders if one.rung is not Rung.SOON]
    shown = [one for one in rows if one.shown_s is not None]
    messages = [one for one in shown if one.rung is not Rung.BADGE]
    answers: dict[Button, list[float]] = {}
    for one in shown:
        if one.answer is not None and one.answered_s is not None and one.shown_s is not None:
            answers.setdefault(one.answer, []).append(one.answered_s - one.shown_s)
    pumped = [one.contractions for one in messages if one.contractions is not None]
    local = [(one, datetime.fromtimestamp(one.shown_s or 0.0, zone)) for one in messages]
    return Stats(
        due=len(rows),
        by_rung=dict(Counter(one.rung for one in shown)),
        held={str(rule): n for rule, n in Counter(one.held_by for one in rows if one.held_by).most_common()},
        never_shown=len(rows) - len(shown),
        answers=answers,
        all=_success(messages),
        contractions=fmean(pumped) if pumped else None,
        by_hour=[_success([one for one, at in local if at.hour == hour]) for hour in range(HOURS)],
        by_weekday=[_success([one for one, at in local if at.weekday() == day]) for day in range(7)],
    )


def _success(messages: Sequence[Reminder]) -> Success:
    did = [worked(one) for one in messages]
    return Success(len(messages), len(did) - did.count(None), did.count(True))
