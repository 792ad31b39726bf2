"""`soleus correct`: a session gets its right leg or its right start."""

from __future__ import annotations

import click

from analysis.events import Leg
from tracker.cli import surroundings
from tracker.cli.keeping import keep_house, open_history
from tracker.cli.options import json_option, leg_option
from tracker.cli.output import print_json
from tracker.errors import ConfigError
from tracker.settings import instant_of
from tracker.store import SessionRecord


@click.command("correct")
@click.option("--session", "session_id", type=int, required=True, metavar="ID", help="Which session.")
@leg_option
@click.option("--start", metavar="TIME", help="When its t_s = 0 was: 2026-05-01T14:30 in your zone, or with +02:00.")
@json_option
def command(session_id: int, leg: str | None, start: str | None, as_json: bool) -> None:
    """Give a session its right leg or its right start; all days are counted again. `soleus undo` takes it back."""
    if leg is None and start is None:
        raise ConfigError("say what is right: --leg left, --leg right, or --start TIME.")
    settings, zone = surroundings.settings(), surroundings.zone()
    moment = None if start is None else instant_of(start, zone)
    with open_history() as store:
        before = store.session(session_id)
        done = store.correct(session_id, leg=Leg(leg) if leg else None, started_at=moment)
        after = store.session(session_id)
        keep_house(store, settings)
    if as_json:
        print_json(done.to_json() | {"before": _sides(before), "after": _sides(after)})
        return
    changes = [
        f"{name} {_sides(after)[name]} (was {_sides(before)[name] or 'unknown'})"
        for name in ("leg", "started_at")
        if _sides(before)[name] != _sides(after)[name]
    ]
    told = ", ".join(changes).replace("started_at", "start") or "it was so already"
    click.echo(f"Session {session_id} corrected: {told}.")


def _sides(session: SessionRecord) -> dict[str, str | None]:
    return {"leg": session.leg, "started_at": session.started_at.isoformat()}
