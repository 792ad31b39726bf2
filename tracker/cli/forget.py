"""`soleus forget`: sessions, or a stretch of time in all of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from tracker.cli import surroundings
from tracker.cli.dates import long_date
from tracker.cli.forgetting import Loss, loss_of_range, loss_of_sessions
from tracker.cli.keeping import keep_house, open_history
from tracker.cli.options import json_option, yes_option
from tracker.cli.output import print_json
from tracker.errors import ConfigError
from tracker.settings import instant_of
from tracker.store import UNDO_DAYS, Operation, Store

Range = tuple[datetime, datetime]


@click.command("forget")
@click.option("--session", "ids", type=int, multiple=True, metavar="ID", help="A whole session; may be repeated.")
@click.option("--from", "start", metavar="TIME", help="First instant, such as 2026-05-01T14:30.")
@click.option("--to", "end", metavar="TIME", help="First instant that stays.")
@yes_option
@json_option
def command(ids: tuple[int, ...], start: str | None, end: str | None, yes: bool, as_json: bool) -> int:
    """Delete sessions, or a stretch of time in all of them: counts, contractions and recordings.

    `soleus undo` brings them back for a week; after that they are destroyed.
    """
    wanted = _wanted(ids, start, end)
    settings = surroundings.settings()
    with open_history() as store:
        loss = loss_of_sessions(store, ids) if wanted is None else loss_of_range(store, *wanted)
        if not yes and not _agreed(loss):
            click.echo("Nothing was forgotten.")
            return 1
        done = _forget(store, ids, wanted)
        keep_house(store, settings)
    if as_json:
        print_json(done.to_json() | {"undo_until": _undo_until(done).isoformat(), "forgotten": loss.to_json()})
    else:
        click.echo(f"Forgotten: {loss.sentence()}.")
        click.echo(f"`soleus undo` brings it back until {long_date(_undo_until(done).date())}.")
    return 0


def _wanted(ids: tuple[int, ...], start: str | None, end: str | None) -> Range | None:
    """The stretch of time, None where sessions are named."""
    if bool(ids) is (start is not None or end is not None) or (start is None) is not (end is None):
        raise ConfigError("say what to forget: --session ID, or --from TIME with --to TIME.")
    if start is None or end is None:
        return None
    zone = surroundings.zone()
    return instant_of(start, zone), instant_of(end, zone)


def _agreed(loss: Loss) -> bool:
    if not surroundings.somebody_answers():
        raise ConfigError(f"this would forget {loss.sentence()}: add --yes to do it.")
    return click.confirm(f"Forget {loss.sentence()}?", err=True)


def _forget(store: Store, ids: tuple[int, ...], wanted: Range | None) -> Operation:
    return store.forget(list(dict.fromkeys(ids))) if wanted is None else store.forget_range(*wanted)


def _undo_until(done: Operation) -> datetime:
    return (done.done_at + timedelta(days=UNDO_DAYS)).astimezone(surroundings.zone())
