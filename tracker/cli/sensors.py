"""`soleus sensors`: the sensors that are remembered."""

from __future__ import annotations

from dataclasses import replace

import click

from analysis.events import Leg
from tracker.cli.output import console, print_json, table
from tracker.cli.surroundings import open_store
from tracker.errors import NothingFound


@click.group("sensors", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_context
def command(context: click.Context, *, as_json: bool) -> None:
    """List the remembered sensors; rename, move or forget one."""
    if context.invoked_subcommand:
        return
    with open_store(read_only=True) as store:
        known = store.sensors()
    if as_json:
        print_json([sensor.to_json() for sensor in known])
        return
    if not known:
        raise NothingFound("no sensor is remembered yet: pair one with `soleus pair`")
    drawn = table("nick", "name", "driver", "leg", "place", "battery", "firmware", "last seen", numbers=("battery",))
    for s in known:
        level = "-" if s.battery_percent is None else f"{s.battery_percent:.0f} %"
        seen = s.last_seen_at.astimezone().strftime("%Y-%m-%d %H:%M") if s.last_seen_at else "-"
        drawn.add_row(s.nick, s.name, s.driver, str(s.leg or "-"), s.place or "-", level, s.firmware or "-", seen)
    console().print(drawn)


@command.command("rename")
@click.argument("nick")
@click.argument("new")
def rename(nick: str, new: str) -> None:
    """Call a sensor by another nickname."""
    with open_store() as store:
        known = {sensor.nick: sensor for sensor in store.sensors()}
        if nick not in known:
            raise NothingFound(f"no sensor is called {nick}: `soleus sensors` lists them")
        if new in known:
            raise NothingFound(f"another sensor is called {new} already")
        store.keep_sensor(replace(known[nick], nick=new))
        store.remove_sensor(nick)


@command.command("forget")
@click.argument("nick")
def forget(nick: str) -> None:
    """Forget a sensor; what it recorded stays."""
    with open_store() as store:
        store.remove_sensor(nick)


@command.command("move")
@click.argument("nick")
@click.option("--leg", type=click.Choice([leg.value for leg in Leg]), required=True, help="The leg it is on.")
@click.option(
    "--from", "since", metavar="TIME", help="On it since then: 2026-05-01T14:30 in your zone, or with +02:00."
)
@click.option("--place", help="Where on the shank.")
def move(nick: str, leg: str, since: str | None, place: str | None) -> None:
    """Say that a sensor is on the other leg, from its next recording on or from a stated time."""
    from tracker.cli.surroundings import zone
    from tracker.moving import move as moved
    from tracker.settings import instant_of

    moment = None if since is None else instant_of(since, zone())
    with open_store() as store:
        corrected = moved(store, nick, Leg(leg), since=moment, place=place)
    click.echo(f"{nick} is on the {leg} leg from its next recording on.")
    if corrected:
        named = ", ".join(str(session_id) for session_id in corrected)
        click.echo(f"Corrected: session {named}. `soleus undo` takes one back at a time.")
    elif moment is not None:
        click.echo("No session that began since then had another leg.")
