"""The engine with what it needs of the world: its state in the store, the wearer's rules, the calendar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from tracker.errors import ConfigError, StoreError
from tracker.remind import adaptive, engine
from tracker.remind.calendar import Calendar
from tracker.remind.decisions import Answer, Decision, Notice, NoticeKind, Observation
from tracker.remind.engine import Rules, Step
from tracker.remind.explain import Why, explain, next_due
from tracker.remind.settings import RemindSettings
from tracker.remind.state import Reminder, State
from tracker.store import Store
from tracker.store.days import zone_name

WRITE_EVERY_S = 30.0
"""Where nothing happens the state is written so often. What is lost in between is seen again: the debt grows over the
pause, which is shorter than the longest step, and contractions of ten minutes come with each observation."""

LEARN_EVERY_S = 3600.0


class Reminders:
    """Reminders of one wearer; use it from the thread of its store.

    A database that is locked costs nothing: the state stays in memory and is written at the next chance.
    """

    def __init__(self, store: Store, read: Callable[[], RemindSettings], *, beside: bool = True) -> None:
        """Goes on where the last process ended, however it ended.

        Args:
            store: open for writing.
            read: gives the wearer's rules as they are now; may raise ConfigError.
            beside: read the calendar in a thread of its own, so that nobody waits for a large one.
        """
        self._store, self._read, self._beside = store, read, beside
        self.state, _ = restored(store)
        self._rules = Rules.of(RemindSettings(on=False))  # until rules were read: none rather than wrong ones
        self._settings: RemindSettings | None = None
        self._trouble = ""
        self._calendar: Calendar | None = None
        self._learned: tuple[float, tzinfo, tuple[float, ...]] | None = None
        self._unwritten: dict[int, Reminder] = {}
        self._written_s = 0.0
        self._taken: list[int] = []

    def observe(self, observation: Observation) -> tuple[Decision, ...]:
        """What is to be done at this instant. Call it every few seconds, at least every minute."""
        seen = self._complete(observation)
        decisions = [decision for step in self._waiting_answers(seen) for decision in step.decisions]
        step = engine.step(self.state, seen, self._rules, self._troubles())
        self._go_on(step, seen)
        return (*decisions, *step.decisions)

    def answer(self, answer: Answer, now: datetime, zone: tzinfo) -> tuple[Decision, ...]:
        """Take the wearer's answer; what stands on the screen is to be taken back."""
        step = engine.answer(self.state, answer, now, zone, self._rules.settings)
        self.state = step.state
        self._write(step, now.timestamp(), zone, must=True)
        return step.decisions

    def why(self, observation: Observation) -> Why:
        """The last and the next reminder, in a sentence each. Changes nothing."""
        seen = self._complete(observation)
        state = engine.step(self.state, seen, self._rules).state
        return explain(state, seen, self._rules, self._last(), self.trouble)

    def next_due(self, observation: Observation) -> datetime | None:
        """When the next one comes if the leg stays as it is; None where none is to be expected."""
        seen = self._complete(observation)
        return next_due(engine.step(self.state, seen, self._rules).state, seen, self._rules)

    @property
    def trouble(self) -> str:
        """What keeps the wearer's rules or calendar from being used, as a sentence; empty where all is well."""
        return self._trouble or (self._calendar.trouble if self._calendar else "")

    def _complete(self, observation: Observation) -> Observation:
        """The observation with the calendar's part; also brings the rules up to date."""
        self._refresh(observation.now, observation.zone)
        if self._calendar is None or observation.busy is not None:
            return observation
        return observation._replace(busy=self._calendar.is_busy(observation.now, observation.zone))

    def _refresh(self, now: datetime, zone: tzinfo) -> None:
        try:
            settings = self._read()
            self._trouble = ""
        except ConfigError as error:
            self._trouble = str(error)
            return  # the last rules that could be read go on
        is_new = settings != self._settings
        if is_new:
            self._settings = settings
            self._learned = None
        path = settings.calendar
        if path is None or self._calendar is None or self._calendar.path != path:
            self._calendar = None if path is None else Calendar(path, beside=self._beside)
        if is_new or (settings.adaptive and self._is_stale(now, zone)):
            self._rules = self._learn(settings, now, zone)

    def _is_stale(self, now: datetime, zone: tzinfo) -> bool:
        learned = self._learned
        return learned is None or learned[1] != zone or not 0 <= now.timestamp() - learned[0] < LEARN_EVERY_S

    def _learn(self, settings: RemindSettings, now: datetime, zone: tzinfo) -> Rules:
        if not settings.adaptive:
            return Rules.of(settings)
        try:
            past = self._store.reminders(since=now - adaptive.MEMORY)
        except StoreError:
            return Rules.of(settings, self._learned[2] if self._learned else None)
        found = adaptive.still_minutes(past, settings, zone)
        self._learned = (now.timestamp(), zone, found)
        return Rules.of(settings, found)

    def _troubles(self) -> list[Notice]:
        found = []
        if self._trouble:
            found.append(
                _notice(NoticeKind.SETTINGS_UNUSABLE, self._trouble, "Mend it; until then the last rules hold.")
            )
        if self._calendar and self._calendar.trouble:
            fix = "Mend the file, or name another with `soleus remind settings calendar`."
            found.append(_notice(NoticeKind.CALENDAR_UNREADABLE, self._calendar.trouble, fix))
        return found

    def _waiting_answers(self, seen: Observation) -> list[Step]:
        """Answers that commands left, applied in order."""
        try:
            waiting = self._store.queued_answers()
        except StoreError:
            return []
        steps = []
        for key, at, given in waiting:
            if key in self._taken:
                continue
            step = engine.answer(self.state, given, at, seen.zone, self._rules.settings)
            self.state = step.state
            self._unwritten |= {one.id: one for one in step.changed}
            self._taken.append(key)
            steps.append(step)
        return steps

    def _go_on(self, step: Step, seen: Observation) -> None:
        before, self.state = self.state, step.state
        must = bool(self._taken) or _memory(before) != _memory(step.state)
        self._write(step, seen.now.timestamp(), seen.zone, must=must)

    def _write(self, step: Step, now_s: float, zone: tzinfo, *, must: bool) -> None:
        self._unwritten |= {one.id: one for one in step.changed}
        if not (must or self._unwritten) and 0 <= now_s - self._written_s < WRITE_EVERY_S:
            return
        try:
            self._store.keep_reminders(self.state.to_json(), self._unwritten.values(), zone_name(zone), self._taken)
        except StoreError:
            self._written_s = 0.0  # the next observation tries again
            return
        self._unwritten, self._taken, self._written_s = {}, [], now_s

    def _last(self) -> Reminder | None:
        return next(iter(self._store.reminders(limit=1)), None)


def _memory(state: State) -> tuple[object, ...]:
    """What must not be lost: everything but the running debt, which is seen again."""
    return (
        state.used, state.shown, state.on_screen, state.badge, state.snoozed_until_s, state.off_until_s, state.next_id,
        state.noticed,
    )  # fmt: skip


def _notice(kind: NoticeKind, text: str, fix: str) -> Notice:
    return Notice(str(kind), kind, text, fix)


def restored(store: Store) -> tuple[State, Sequence[tuple[int, datetime, Answer]]]:
    """What the engine remembered last, with an id for the next reminder that no other has, and answers that wait."""
    text, next_id = store.reminder_state()
    state = (State.from_json(text) if text else None) or State()
    return state._replace(next_id=max(state.next_id, next_id)), store.queued_answers()
