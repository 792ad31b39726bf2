"""What reminders say: plain words, no verdict on anybody's health."""

from __future__ import annotations

from tracker.remind.decisions import Badge, Button, Rung, Show
from tracker.remind.settings import RemindSettings
from tracker.remind.state import Reminder, Rule

RULE_WORDS = {
    Rule.NOT_TODAY: "you asked for no more today",
    Rule.SNOOZED: "it was snoozed",
    Rule.HOLIDAY: "it is a holiday",
    Rule.OUT_OF_HOURS: "it is outside of your hours",
    Rule.QUIET: "it is a quiet period",
    Rule.NOT_WORN: "the sensor was not worn",
    Rule.GAP: "there was no data",
    Rule.UNKNOWN: "what the leg did was not known",
    Rule.WALKING: "you were walking",
    Rule.MOVING: "the leg was just moving",
    Rule.COOL_DOWN: "the one before was too recent",
    Rule.DAILY_CAP: "there were enough that day",
    Rule.LOCKED: "the screen was locked",
    Rule.DO_NOT_DISTURB: "the desktop was asked not to disturb",
    Rule.MICROPHONE: "the microphone was in use",
    Rule.CAMERA: "the camera was in use",
    Rule.BUSY: "your calendar said busy",
}
"""Why a message did not come, after `because`."""


def calf(leg: str) -> str:
    """`your left calf`; `your calf` where nobody said which."""
    return f"your {leg} calf" if leg in ("left", "right") else "your calf"


def minutes(seconds: float) -> str:
    """`1 minute`, `30 minutes`."""
    number = max(0, round(seconds / 60))
    return f"{number} minute{'' if number == 1 else 's'}"


def buttons(rules: RemindSettings) -> tuple[tuple[Button, str], ...]:
    """Done, snooze, not today."""
    return (
        (Button.DONE, "Done"),
        (Button.SNOOZE, f"Snooze {rules.snooze_min:g} min"),
        (Button.NOT_TODAY, "Not today"),
    )


def message(reminder: Reminder, rules: RemindSettings) -> Show:
    """The message of a rung that pops up."""
    what = f"{rules.clear_contractions} heel raises, seated or standing, or two minutes of walking"
    name = calf(reminder.leg)
    if reminder.rung is Rung.SOON:
        left = minutes(rules.pre_notice_min * 60)
        text = f"{name.capitalize()} has been still for {minutes(reminder.still_s)}."
        return Show(reminder.id, Rung.SOON, f"A reminder in {left}", text, expires_s=rules.pre_notice_min * 60)
    title = f"{name.capitalize()} has been still for {minutes(reminder.still_s)}"
    text = f"{what[0].upper()}{what[1:]} will do."
    if reminder.rung is Rung.AGAIN:
        title, text = f"{name.capitalize()} is still at rest", f"Not moved since the last message: {what} will do."
    return Show(reminder.id, reminder.rung, title, text, buttons(rules), rules.sound)


def badge(reminder: Reminder) -> Badge:
    """The silent mark."""
    return Badge(reminder.id, True, f"{calf(reminder.leg).capitalize()} has not moved since the last message.")
