"""`soleus remind`: what reminders do now, and why; snoozing them; their rules and how well they work."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from tracker.cli import surroundings
from tracker.cli.options import json_option
from tracker.cli.output import print_json
from tracker.cli.remind_settings import settings_command
from tracker.cli.remind_stats import adapt_command, stats_command
from tracker.errors import ConfigError
from tracker.home import Home
from tracker.remind.decisions import Answer, Button
from tracker.remind.settings import RemindSettings, read_remind_settings

if TYPE_CHECKING:
    from tracker.remind.glance import Glance
    from tracker.store import Store

LONGEST_SNOOZE_MIN = 1440.0


@click.group("remind", invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Reminders to move the calf: status (as without a command), why, snooze, done, settings, stats, adapt, test."""
    if context.invoked_subcommand is None:
        _status(as_json)


def rules() -> RemindSettings:
    """The wearer's rules."""
    return read_remind_settings(surroundings.home())


def _glance(store: Store) -> Glance:
    from tracker.remind.glance import glance

    return glance(store, rules(), surroundings.now(), surroundings.zone())


@command.command("status")
@json_option
def status(as_json: bool) -> None:
    """Show what reminders do now."""
    _status(as_json)


def _status(as_json: bool) -> None:
    with surroundings.open_store(read_only=True) as store:
        known = _glance(store)
    if as_json:
        print_json(known.to_json())
        return
    said = known.to_json()
    why = known.why()
    lines = [why.next, f"Today {said['shown_today']} of at most {said['daily_cap']} have come."]
    if said["badge"]:
        lines.append("The badge is set: the calf has not moved since the last message.")
    if why.unknown:
        lines.append(why.unknown)
    click.echo("\n".join(lines))


@command.command("why")
@json_option
def why(as_json: bool) -> None:
    """Explain the last reminder and the next one, in a sentence each."""
    with surroundings.open_store(read_only=True) as store:
        known = _glance(store)
    said = known.why()
    if as_json:
        due_at = None if said.due_at is None else said.due_at.isoformat(timespec="seconds")
        print_json({"last": said.last, "next": said.next, "next_due": due_at, "unknown": said.unknown or None})
        return
    click.echo("\n".join(text for text in (said.last, said.next, said.unknown) if text))


@command.command("snooze")
@click.argument("length", metavar="[MINUTES|tomorrow|off]", required=False)
@json_option
def snooze(length: str | None, as_json: bool) -> None:
    """Hold messages back for some minutes, until tomorrow, or no longer.

    Without MINUTES it is as long as the button's.
    """
    answer = _snooze_of(length)
    with surroundings.open_store() as store:
        store.queue_answer(answer)
        known = _glance(store).to_json()
    until = known["not_before"] or known["snoozed_until"]
    if as_json:
        print_json({"until": until})
    elif until is None:
        click.echo("Messages come again.")
    else:
        click.echo(f"No message before {datetime.fromisoformat(until):%A %H:%M}. `soleus remind snooze off` ends it.")


def _snooze_of(length: str | None) -> Answer:
    text = (length or "").strip().lower()
    if text in ("tomorrow", "today"):
        return Answer(Button.NOT_TODAY)
    if text in ("off", "0"):
        return Answer(Button.SNOOZE, minutes=0.0)
    if not text:
        return Answer(Button.SNOOZE)
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0.0 < minutes <= LONGEST_SNOOZE_MIN:
        raise ConfigError(
            f"a snooze cannot be {length!r}: give minutes from 1 to {LONGEST_SNOOZE_MIN:.0f}, tomorrow, or off."
        )
    return Answer(Button.SNOOZE, minutes=minutes)


@command.command("done")
@json_option
def done(as_json: bool) -> None:
    """Say that you have moved: the debt is cleared on your word."""
    with surroundings.open_store() as store:
        store.queue_answer(Answer(Button.DONE))
        known = _glance(store)
    if as_json:
        print_json(known.to_json())
    else:
        click.echo("Taken at your word.")


@command.command("test")
@json_option
def test(as_json: bool) -> None:
    """Send a message over every channel that is set up, now."""
    found = _fired(surroundings.home())
    if as_json:
        print_json(found)
    else:
        for one in found:
            click.echo(f"{one['channel']}: {'sent' if one['done'] else one['why']}")
    if not any(one["done"] for one in found):
        raise click.exceptions.Exit(1)


def _fired(home: Home) -> list[dict[str, Any]]:
    """What became of a message on each channel: channel, done, why."""
    from tracker.channels.firing import fire
    from tracker.channels.message import Message
    from tracker.remind.texts import buttons

    labels = tuple((str(button), label) for button, label in buttons(rules()))
    message = Message("A test of your reminders", "If you can read this, they reach you here.", buttons=labels)
    return [{"channel": one.channel, "done": one.done, "why": one.why} for one in fire(home, message)]


for _command in (settings_command, stats_command, adapt_command):
    command.add_command(_command)
