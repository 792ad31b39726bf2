"""Why the last reminder came or did not, and when the next one will: one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from tracker.remind import texts
from tracker.remind.decisions import Button, Doing, Observation, Rung
from tracker.remind.engine import Rules
from tracker.remind.forbidding import by_schedule, is_enough
from tracker.remind.ledger import owing
from tracker.remind.state import End, Ledger, Reminder, Rule, State

SEEN_S = 120.0
"""An engine that took no observation for longer is not at work."""

AHEAD_DAYS = 8

_DESKTOP = {
    "locked": "whether the screen is locked",
    "do_not_disturb": "whether the desktop is asked not to disturb",
    "microphone": "whether the microphone is in use",
    "camera": "whether the camera is in use",
    "busy": "whether your calendar says busy",
}

_ANSWERS = {Button.DONE: "done", Button.SNOOZE: "snooze", Button.NOT_TODAY: "not today"}

_UNSEEN = {
    Doing.NOT_WORN: "its sensor is not worn",
    Doing.GAP: "there is no data of it",
    Doing.UNKNOWN: "what it does is not known",
}

_UNTIL = {
    Rule.NOT_WORN: "the sensor is worn",
    Rule.GAP: "there is data again",
    Rule.UNKNOWN: "it is known what the leg does",
    Rule.WALKING: "you stop walking, unless that clears it",
    Rule.MOVING: "it is sure what the leg just did",
    Rule.LOCKED: "the screen is unlocked",
    Rule.DO_NOT_DISTURB: "the desktop may disturb again",
    Rule.MICROPHONE: "the microphone is free",
    Rule.CAMERA: "the camera is free",
    Rule.BUSY: "the busy time of your calendar is over",
    Rule.QUIET: "the quiet period is over",
}


@dataclass(frozen=True, slots=True)
class Why:
    """What `soleus remind why` says.

    Attributes:
        last: about the last reminder.
        next: about the next one.
        unknown: what cannot be known here, and so holds nothing back; empty where all is known.
        due_at: when the next one comes if the leg stays as it is; None where none is to be expected.
    """

    last: str
    next: str
    unknown: str
    due_at: datetime | None


def explain(state: State, seen: Observation, rules: Rules, last: Reminder | None, trouble: str = "") -> Why:
    """Both sentences.

    Args:
        state: after the observation.
        seen: what is known now, in the zone in which times are told.
        rules: the wearer's.
        last: the newest reminder, None where there was none.
        trouble: what keeps settings or calendar from being used.
    """
    local = seen.now.astimezone(seen.zone)
    due_at = next_due(state, seen, rules)
    unknown = list(state.unknown)
    if rules.settings.calendar is not None and seen.busy is None:
        unknown.append("busy")
    words = ", ".join(_DESKTOP[name] for name in unknown)
    cannot = f"It cannot be known here {words}; that holds nothing back." if words else ""
    return Why(last_words(last, local), next_words(state, local, rules, due_at), f"{cannot} {trouble}".strip(), due_at)


def next_due(state: State, seen: Observation, rules: Rules) -> datetime | None:
    """When the next one comes if the leg goes on as it is, worn and still, on the wearer's clock."""
    leg = owing(state.ledgers)
    rung_left = any(rung not in state.used for rung in rules.settings.ladder)
    if not rules.settings.on or (leg is None and state.awake) or not rung_left:
        return None
    return _first_due(state, leg, seen.now, seen.zone, rules)


def _first_due(
    state: State, leg: Ledger | None, now: datetime, zone: tzinfo, rules: Rules
) -> datetime | None:  # fmt: skip
    """Minute by minute, as the engine would go on."""
    settings = rules.settings
    debt_s = leg.debt_s if leg is not None and state.awake else 0.0
    cool_s = state.shown[-1] + settings.cool_down_min * 60 if state.shown else 0.0
    begin_s = now.timestamp()
    ready_s = max(cool_s, state.snoozed_until_s, state.off_until_s)
    at_s = begin_s
    while at_s < begin_s + AHEAD_DAYS * 86_400:
        local = datetime.fromtimestamp(at_s, zone)
        rule = by_schedule(local, settings)
        if rule in (Rule.HOLIDAY, Rule.OUT_OF_HOURS):
            debt_s, at_s = 0.0, at_s + 60.0
            continue
        need_s = rules.terms[local.hour].need_s
        is_due = debt_s >= need_s and at_s >= ready_s and rule is None
        if is_due and not is_enough(state.shown, local, zone, settings):
            return local
        step_s = min(60.0, need_s - debt_s) if debt_s < need_s else 60.0
        debt_s, at_s = min(debt_s + step_s, need_s), at_s + step_s
    return None


def next_words(state: State, local: datetime, rules: Rules, due_at: datetime | None) -> str:
    """About the next reminder."""
    settings = rules.settings
    if not settings.on:
        return "There is no next one, because reminders are off: `soleus remind settings on yes` turns them on."
    if state.at_s is None or not -SEEN_S < local.timestamp() - state.at_s < SEEN_S:
        return "There is no next one, because nobody watches the leg just now: `soleus service start` does."
    at = "" if due_at is None else _time(due_at, local)
    rest = _resting(state, local, rules)
    if rest:
        return f"{rest} {f'The next one can come at {at}.' if at else ''}".strip()
    leg = owing(state.ledgers)
    if leg is None:
        return _unseen_words(state)
    need_s = rules.terms[local.hour].need_s
    if not any(rung not in state.used for rung in settings.ladder):
        return f"There is none until {texts.calf(leg.leg)} moves: this stretch has had all its messages."
    if leg.debt_s >= need_s and state.holding is not None:
        until = _UNTIL.get(state.holding, "that is over")
        return f"One is due, and held back because {texts.RULE_WORDS[state.holding]}; it comes as soon as {until}."
    credit = ", counting what you pumped ahead" if leg.debt_s < 0 else ""
    still = f"{max(0.0, leg.debt_s) / 60:.0f} of {need_s / 60:.0f} minutes{credit}"
    when = f"the next one comes at about {at}" if at else f"there is none in the next {AHEAD_DAYS} days"
    return f"{texts.calf(leg.leg).capitalize()} has been still for {still}: {when}, unless it moves."


def _resting(state: State, local: datetime, rules: Rules) -> str:
    """Why there is none for some time that is known; empty where nothing rests."""
    now_s = local.timestamp()
    for until_s, why in (
        (state.off_until_s, "you asked for no more today"),
        (state.snoozed_until_s, "they are snoozed"),
    ):
        if now_s < until_s:
            until = _time(datetime.fromtimestamp(until_s, local.tzinfo), local)
            return f"There is none until {until}, because {why}."
    rule = by_schedule(local, rules.settings)
    if rule in (Rule.HOLIDAY, Rule.OUT_OF_HOURS):
        return f"There is none just now, because {texts.RULE_WORDS[rule]}."
    if local.tzinfo is not None and is_enough(state.shown, local, local.tzinfo, rules.settings):
        return f"There is none for the rest of the day, which has had its {rules.settings.daily_cap}."
    return ""


def _unseen_words(state: State) -> str:
    known = [ledger for ledger in state.ledgers if ledger.doing in _UNSEEN]
    if not known:
        return "There is none, because no leg has a sensor that sends anything."
    # Not worn is said before no data, and no data before unknown.
    leg = min(known, key=lambda ledger: list(_UNSEEN).index(ledger.doing))
    return f"There is none while nothing can be said of {texts.calf(leg.leg)}: {_UNSEEN[leg.doing]}."


def last_words(last: Reminder | None, local: datetime) -> str:
    """About the last reminder."""
    if last is None:
        return "There has been none yet."
    due = _time(datetime.fromtimestamp(last.due_s, local.tzinfo), local)
    because = f"because {texts.calf(last.leg)} had been still for {texts.minutes(last.still_s)}"
    held = "" if last.held_by is None else texts.RULE_WORDS[last.held_by]
    if last.shown_s is None:
        how = f"and is held back, because {held or 'it was to come with the next look'}"
        if last.end is not None:
            how = f"and was not shown, because {held or 'it ended at once'}; {_ended(last)}"
        return f"The last one was due at {due}, {because}, {how}."
    shown = _time(datetime.fromtimestamp(last.shown_s, local.tzinfo), local)
    late = f" (due at {due}, held back because {held})" if held else ""
    kind = "a badge" if last.rung is Rung.BADGE else last.rung
    return f"The last one ({kind}) came at {shown}{late}, {because}; {_after(last)}."


def _ended(last: Reminder) -> str:
    return {
        End.MOVED: "then the leg moved by itself",
        End.ANSWERED: "then you answered",
        End.LOST: "then the leg was no longer seen",
        End.REPLACED: "then the next one took its place",
    }[last.end or End.LOST]


def _after(last: Reminder) -> str:
    shown_s = last.shown_s or 0.0
    parts = []
    if last.answered_s is not None and last.answer is not None:
        parts.append(f"you answered `{_ANSWERS[last.answer]}` after {_after_words(last.answered_s - shown_s)}")
    if last.moved_s is not None:
        parts.append(f"the leg had moved enough after {_after_words(last.moved_s - shown_s)}")
    if last.contractions is not None:
        number = last.contractions
        parts.append(f"{number} contraction{'' if number == 1 else 's'} came in the five minutes after it")
    return " and ".join(parts) or "what came of it is not known yet"


def _after_words(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else texts.minutes(seconds)


def _time(moment: datetime, local: datetime) -> str:
    """A time of day, with the day where that is not today's."""
    if moment.date() == local.date():
        return f"{moment:%H:%M}"
    if moment.date() == local.date() + timedelta(days=1):
        return f"{moment:%H:%M} tomorrow"
    return f"{moment:%H:%M} on {moment:%A} {moment.day} {moment:%B}"
