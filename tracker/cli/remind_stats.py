"""`soleus remind stats` and `adapt`: whether reminders work, and moving them to where they do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import click

from tracker.cli import surroundings
from tracker.cli.options import json_option
from tracker.cli.output import console, print_json
from tracker.cli.remind_settings import change
from tracker.cli.tables import Rows
from tracker.errors import NothingFound
from tracker.remind.settings import read_remind_settings

if TYPE_CHECKING:
    from tracker.remind.stats import Stats, Success

DAYS = 56
"""As far back as the adaptive mode looks."""

_BAR = 20


@click.command("stats")
@click.option("--days", type=click.IntRange(1, 36500), default=DAYS, show_default=True, help="So many days back.")
@json_option
def stats_command(days: int, as_json: bool) -> None:
    """Show how many came, what held others back, and after how many the calf moved, by hour and weekday."""
    from tracker.remind.stats import gathered

    now, zone = surroundings.now(), surroundings.zone()
    with surroundings.open_store(read_only=True) as store:
        found = gathered(store.reminders(since=now - timedelta(days=days)), zone)
    if as_json:
        print_json({"days": days, "until": now.astimezone(zone).isoformat(timespec="seconds")} | found.to_json())
        raise click.exceptions.Exit(0 if found.due else 1)
    if not found.due:
        raise NothingFound(f"there was no reminder in the last {days} days")
    _show(found, days)


def _show(found: Stats, days: int) -> None:
    from tracker.remind.schedule import WEEKDAYS
    from tracker.remind.state import Rule
    from tracker.remind.texts import RULE_WORDS

    click.echo(f"{found.due} reminders were due in the last {days} days, {found.never_shown} of them never shown.")
    if found.held:
        held = "; ".join(f"{RULE_WORDS[Rule(name)]} ({number})" for name, number in found.held.items())
        click.echo(f"Held back at first because {held}.")
    click.echo(f"After a message the calf moved enough within five minutes: {_share(found.all)}.")
    if found.contractions is not None:
        click.echo(f"Mean contractions in these five minutes: {found.contractions:.0f}.")
    out = console()
    hours = [(f"{hour:02}:00", one) for hour, one in enumerate(found.by_hour) if one.shown]
    for head, rows in (("hour", hours), ("weekday", list(zip(WEEKDAYS, found.by_weekday, strict=True)))):
        drawn = Rows((head, "messages", "moved", ""), numbers=("messages", "moved"))
        for name, one in rows:
            drawn.add(name, str(one.shown), _share(one), "#" * round(_BAR * (one.share or 0.0)))
        out.print()
        out.print(drawn.drawn())


def _share(one: Success) -> str:
    return "not known" if one.share is None else f"{one.worked} of {one.known}"


@click.command("adapt")
@click.argument("what", metavar="[on|off|reset]", required=False, type=click.Choice(["on", "off", "reset"]))
@json_option
def adapt_command(what: str | None, as_json: bool) -> None:
    """Move reminders to the hours in which they work, within your limits; or forget what was learned."""
    home, now, zone = surroundings.home(), surroundings.now(), surroundings.zone()
    if what == "reset":
        change(home, "adaptive_since", now.isoformat(timespec="seconds"))
    elif what is not None:
        change(home, "adaptive", what)
    rules = read_remind_settings(home)
    with surroundings.open_store(read_only=True) as store:
        from tracker.remind.glance import rules_now

        hours = [terms.need_s / 60 for terms in rules_now(store, rules, now, zone).terms]
    if as_json:
        since = None if rules.adaptive_since is None else rules.adaptive_since.isoformat(timespec="seconds")
        print_json({"adaptive": rules.adaptive, "since": since, "still_min_by_hour": [round(n, 3) for n in hours]})
        return
    if what == "reset":
        click.echo("What was learned is forgotten.")
    if not rules.adaptive:
        click.echo(f"Adaptive mode is off: {rules.still_min:g} minutes still at any hour.")
    elif len(set(hours)) == 1:
        click.echo(f"Adaptive mode is on and has not learned enough yet: {hours[0]:g} minutes still at any hour.")
    else:
        click.echo("Adaptive mode is on. Minutes still until a reminder is due, by hour:")
        click.echo(" ".join(f"{hour:02}h {minutes:.0f}" for hour, minutes in enumerate(hours)))
