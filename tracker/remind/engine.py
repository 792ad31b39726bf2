"""The engine of reminders: a pure state machine, (state, observation, time) -> (state, decisions).

- **due**: D >= N for the leg that counts (`tracker.remind.ledger`), the last message is at least a cool-down ago, and
  the ladder has a rung that this still stretch has not had.
- **still stretch**: ends when D <= 0 for some leg, or no leg has been seen for more than two minutes. Each rung comes
  at most once in it.
- **forbidden**: by the first `Rule` that holds, in their order. A reminder that is due and forbidden is a row all the
  same; it is shown at the first observation at which nothing forbids it, if it is still due then.

What cannot be known (`None`) forbids nothing. Nothing here reads a clock, a file or a desktop.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from tracker.remind import notices, texts
from tracker.remind.decisions import (
    NOTHING_KNOWN,
    Answer,
    Badge,
    Button,
    Decision,
    Doing,
    LegSeen,
    Notice,
    Observation,
    Rung,
    Show,
    Withdraw,
)
from tracker.remind.forbidding import forbidding, forbids_all
from tracker.remind.ledger import WINDOW_S, Terms, advance, is_over, owing
from tracker.remind.settings import RemindSettings
from tracker.remind.state import End, Ledger, Reminder, Rule, State
from tracker.store.civil import day_of, day_start

LATE_S = 15.0
"""Contractions become final within 10 s: those of five minutes are counted a little after these are over."""

SHOWN_MEMORY_S = 50 * 3600.0
"""Messages are remembered for longer than any civil day, in whatever zone it is told."""

HOURS = 24


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings, as the engine uses them.

    Attributes:
        settings: the wearer's.
        terms: of each hour on the wall's clock; they differ where reminders are adaptive.
    """

    settings: RemindSettings
    terms: tuple[Terms, ...]

    @staticmethod
    def of(settings: RemindSettings, still_min: Sequence[float] | None = None) -> Rules:
        """The rules by the settings; `still_min`: N of each of the 24 hours, where it is not the same in all."""
        usual_s = settings.still_min * 60
        needs_s = [usual_s] * HOURS if still_min is None else [minutes * 60 for minutes in still_min]
        pay_s = usual_s / settings.clear_contractions
        soon_s, credit_s = settings.pre_notice_min * 60, settings.credit_min * 60
        return Rules(
            settings,
            tuple(Terms(need, need - soon_s, pay_s, credit_s, settings.clear_contractions) for need in needs_s),
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What one observation or answer led to.

    Attributes:
        state: to go on with.
        decisions: to carry out, in order.
        changed: reminders that are new or differ from before, as their rows are to be.
    """

    state: State
    decisions: tuple[Decision, ...] = ()
    changed: tuple[Reminder, ...] = ()


def step(state: State, seen: Observation, rules: Rules, troubles: Sequence[Notice] = ()) -> Step:
    """Take the next observation.

    Args:
        state: as the last step left it.
        seen: what is known now.
        rules: what the wearer wants.
        troubles: what else is wrong that the wearer should be told once.
    """
    now_s = seen.now.timestamp()
    local = seen.now if seen.now.tzinfo is seen.zone else seen.now.astimezone(seen.zone)
    week = rules.settings.schedule
    is_awake = week.is_awake(local) and not week.is_holiday(local)
    terms = rules.terms[local.hour]
    ledgers, moved = _advanced(state, seen, now_s, is_awake, terms)
    leg = owing(ledgers) if is_awake else None
    is_near = rules.settings.on and leg is not None and leg.debt_s >= terms.soon_s
    is_told = seen.sensors or troubles or state.noticed or seen.recorder is not NOTHING_KNOWN
    if not (is_near or is_told or state.open or state.used):
        return Step(_calm(state, now_s, is_awake, ledgers, seen))
    draft = _Draft(state, ledgers, now_s, rules.settings)
    if state.open:
        draft.count_movement()
    if state.used or state.open:
        draft.close_what_is_over(moved, is_off=not rules.settings.on)
    if is_near or (draft.open and rules.settings.on):
        draft.remind(leg, seen, local, terms)
    if is_told:
        draft.notice(seen, troubles, held=forbids_all(seen, local, rules.settings))
    return draft.step(now_s, is_awake, _unknown(seen))


def _calm(state: State, now_s: float, is_awake: bool, ledgers: tuple[Ledger, ...], seen: Observation) -> State:
    """The next state where nothing is due, shown or wrong: most of a life, so it is made the short way."""
    return State(
        now_s, is_awake, ledgers, (), state.shown, (), None, None, state.snoozed_until_s, state.off_until_s,
        state.next_id, (), None, _unknown(seen),
    )  # fmt: skip


_ABSENT = LegSeen(None, Doing.GAP)


def _advanced(
    state: State, seen: Observation, now_s: float, is_awake: bool, terms: Terms
) -> tuple[tuple[Ledger, ...], bool]:
    """Every leg's ledger, and whether some leg's movement cleared it."""
    dt_s = 0.0 if state.at_s is None else max(0.0, now_s - state.at_s)
    before = state.ledgers
    if len(before) != len(seen.legs):
        return _paired(state, seen, now_s, dt_s, is_awake, terms)
    moved = False
    after: list[Ledger] = []
    for one, leg in zip(before, seen.legs, strict=True):
        if one.leg != (leg.leg or _NOBODY_SAID):  # a Leg equals its name
            return _paired(state, seen, now_s, dt_s, is_awake, terms)
        ledger, cleared = advance(one, leg, now_s, dt_s, state.awake, is_awake, terms)
        moved = moved or cleared
        after.append(ledger)
    return tuple(after), moved


_NOBODY_SAID = "unknown"


def _paired(
    state: State, seen: Observation, now_s: float, dt_s: float, is_awake: bool, terms: Terms
) -> tuple[tuple[Ledger, ...], bool]:
    """The same where a leg is new, missing, or in another place than before."""
    now = {str(leg.leg or _NOBODY_SAID): leg for leg in seen.legs}
    before = {one.leg: one for one in state.ledgers}
    found = [
        advance(before.get(name, Ledger(name)), now.get(name, _ABSENT), now_s, dt_s, state.awake, is_awake, terms)
        for name in (*before, *(name for name in now if name not in before))
    ]
    return tuple(ledger for ledger, _ in found), any(cleared for _, cleared in found)


def answer(state: State, given: Answer, now: datetime, zone: tzinfo, rules: RemindSettings) -> Step:
    """Take an answer: done clears the debt on the wearer's word; snooze and not today hold messages back.

    A snooze of 0 minutes takes snooze and "not today" back.
    """
    now_s = now.timestamp()
    draft = _Draft(state, state.ledgers, now_s, rules)
    draft.note_answer(given)
    match given.button:
        case Button.DONE:
            draft.ledgers = tuple(one._replace(debt_s=min(one.debt_s, 0.0)) for one in state.ledgers)
            draft.take_back(End.ANSWERED)
            draft.used = ()
        case Button.SNOOZE:
            minutes = rules.snooze_min if given.minutes is None else given.minutes
            draft.snoozed_until_s = now_s + minutes * 60
            if minutes <= 0:
                draft.off_until_s = now_s
            draft.take_back(End.ANSWERED)
        case Button.NOT_TODAY:
            today = day_of(now, zone, rules.day_start_hour)
            draft.off_until_s = float(day_start(today + timedelta(days=1), zone, rules.day_start_hour))
            draft.take_back(End.ANSWERED)
    return draft.step(state.at_s, state.awake, state.unknown)


def _unknown(seen: Observation) -> tuple[str, ...]:
    """What of the desktop cannot be known."""
    known = (seen.locked, seen.do_not_disturb, seen.microphone, seen.camera)
    return tuple(name for name, value in zip(_NO_DESKTOP, known, strict=True) if value is None) if None in known else ()


_NO_DESKTOP = ("locked", "do_not_disturb", "microphone", "camera")


def _row(one: Reminder) -> tuple[object, ...]:
    """What can change of a reminder's row."""
    return (one.shown_s, one.held_by, one.answered_s, one.contractions, one.moved_s, one.end)


class _Draft:
    """The next state while it is being made."""

    def __init__(self, state: State, ledgers: tuple[Ledger, ...], now_s: float, rules: RemindSettings) -> None:
        self.before, self.ledgers, self.now_s, self.rules = state, ledgers, now_s, rules
        self.used, self.shown, self.open = state.used, state.shown, state.open
        self.on_screen, self.badge, self.next_id = state.on_screen, state.badge, state.next_id
        self.snoozed_until_s, self.off_until_s = state.snoozed_until_s, state.off_until_s
        self.noticed = state.noticed
        self.holding: Rule | None = None
        self.decisions: list[Decision] = []
        self._closed: list[Reminder] = []

    def step(self, at_s: float | None, is_awake: bool, unknown: tuple[str, ...]) -> Step:
        """What it has come to."""
        changed: tuple[Reminder, ...] = ()
        if self.open is not self.before.open or self._closed:
            old = {one.id: _row(one) for one in self.before.open}
            changed = tuple(one for one in (*self._closed, *self.open) if old.get(one.id) != _row(one))
        after = State(
            at_s, is_awake, self.ledgers, self.used, self.shown, self.open, self.on_screen, self.badge,
            self.snoozed_until_s, self.off_until_s, self.next_id, self.noticed, self.holding, unknown,
        )  # fmt: skip
        return Step(after, tuple(self.decisions), changed)

    def count_movement(self) -> None:
        """Count, for each reminder that was shown, what its leg did in the five minutes after."""
        dt_s = max(0.0, self.now_s - (self.before.at_s or self.now_s))
        self.open = tuple(
            self._counted(one, dt_s) if one.shown_s is not None and one.contractions is None else one
            for one in self.open
        )

    def _counted(self, one: Reminder, dt_s: float) -> Reminder:
        since_s = self.now_s - (one.shown_s or 0.0)
        ledger = next((ledger for ledger in self.ledgers if ledger.leg == one.leg), None)
        if ledger is None or since_s < 0:
            return one
        if since_s <= WINDOW_S:
            return replace(one, seen_s=one.seen_s + dt_s) if ledger.unseen_s == 0.0 else one
        if since_s < WINDOW_S + LATE_S or since_s > 2 * WINDOW_S or one.seen_s < WINDOW_S / 2:
            return one
        first_s = one.shown_s or 0.0
        return replace(one, contractions=sum(first_s < peak <= first_s + WINDOW_S for peak in ledger.counted))

    def close_what_is_over(self, moved: bool, *, is_off: bool = False) -> None:
        """End the stretch where it has ended; let go of reminders that can no longer change."""
        if is_off or is_over(self.ledgers):
            self.take_back(End.MOVED if moved else End.LOST)
            self.used = ()
        if moved and any(one.moved_s is None for one in self.open):
            # Also of one that was answered: what counts is what the leg did.
            self.open = tuple(one if one.moved_s is not None else replace(one, moved_s=self.now_s) for one in self.open)
        kept = []
        for one in self.open:
            is_counted = one.shown_s is None or one.contractions is not None
            is_counted = is_counted or self.now_s - (one.shown_s or 0.0) > WINDOW_S + 2 * LATE_S
            if one.end is not None and is_counted:
                self._closed.append(one)
            else:
                kept.append(one)
        if len(kept) < len(self.open):
            self.open = tuple(kept)

    def take_back(self, end: End) -> None:
        """Everything that stands goes from the screen and ends so."""
        if self.on_screen is not None:
            self.decisions.append(Withdraw(self.on_screen))
        if self.badge is not None:
            self.decisions.append(Badge(self.badge, False))
        self.on_screen = self.badge = None
        if any(one.end is None for one in self.open):
            self.open = tuple(one if one.end is not None else replace(one, end=end) for one in self.open)

    def remind(self, leg: Ledger | None, seen: Observation, local: datetime, terms: Terms) -> None:
        """Make a reminder that is due, hold it back or show it."""
        waiting = next((one for one in self.open if one.shown_s is None and one.end is None), None)
        rung = next((rung for rung in self.rules.ladder if rung not in self.used), None)
        if leg is None:
            if waiting is not None and waiting.held_by is None:
                self._put(replace(waiting, held_by=forbidding(self.before, seen, local, self.rules)))
            return
        is_cool = not self.shown or not self.shown[-1] <= self.now_s < self.shown[-1] + self.rules.cool_down_min * 60
        if leg.debt_s < terms.need_s:
            if waiting is not None:
                self._put(replace(waiting, end=End.MOVED, moved_s=self.now_s))
                self.close_what_is_over(moved=True)
            elif not self.used and is_cool and leg.debt_s >= terms.soon_s:
                self._say_soon(leg, seen, local)
            return
        if rung is None or not is_cool:
            return
        if waiting is None:
            waiting = Reminder(self.next_id, rung, leg.leg, self.now_s, leg.debt_s)
            self.next_id += 1
            self.open = (*self.open, waiting)
        held_by = self.holding = forbidding(self.before, seen, local, self.rules)
        if held_by is None:
            self._show(waiting)
        elif waiting.held_by is None:
            self._put(replace(waiting, held_by=held_by))

    def _say_soon(self, leg: Ledger, seen: Observation, local: datetime) -> None:
        if self.rules.pre_notice_min and forbidding(self.before, seen, local, self.rules) is None:
            made = Reminder(self.next_id, Rung.SOON, leg.leg, self.now_s, leg.debt_s, shown_s=self.now_s)
            self.next_id += 1
            self.open = (*self.open, made)
            self._say(made, texts.message(made, self.rules))

    def _show(self, waiting: Reminder) -> None:
        made = replace(waiting, shown_s=self.now_s)
        if made.rung is Rung.BADGE:
            self._replace_message()
            self._put(made)
            self.used = (*self.used, made.rung)
            self.badge = made.id
            self.decisions.append(texts.badge(made))
            return
        self.shown = (*(at for at in self.shown if self.now_s - SHOWN_MEMORY_S < at <= self.now_s), self.now_s)
        self._put(made)
        self._say(made, texts.message(made, self.rules))

    def _say(self, made: Reminder, message: Show) -> None:
        self._replace_message()
        self.on_screen = made.id
        self.used = (*self.used, made.rung)
        self.decisions.append(message)

    def _replace_message(self) -> None:
        if self.on_screen is not None:
            self.decisions.append(Withdraw(self.on_screen))
            self.open = tuple(
                replace(one, end=End.REPLACED) if one.id == self.on_screen and one.end is None else one
                for one in self.open
            )
            self.on_screen = None

    def _put(self, changed: Reminder) -> None:
        self.open = tuple(changed if one.id == changed.id else one for one in self.open)

    def note_answer(self, given: Answer) -> None:
        """Write the answer to the reminder it is for: the one named, else the one that stands."""
        named = given.reminder_id or self.on_screen or self.badge
        self.open = tuple(
            replace(one, answered_s=self.now_s, answer=given.button)
            if one.id == named and one.answered_s is None else one
            for one in self.open
        )  # fmt: skip

    def notice(self, seen: Observation, troubles: Sequence[Notice], *, held: bool) -> None:
        """Tell what is wrong with the data, once."""
        found = (*notices.missing(seen), *troubles)
        self.noticed, decisions = notices.tell(self.noticed, self.now_s, found, seen.sensors, held=held)
        self.decisions += decisions
