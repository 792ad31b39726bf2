"""`soleus undo`: the last import, correction or deletion is taken back."""

from __future__ import annotations

import click

from tracker.cli import surroundings
from tracker.cli.keeping import keep_house, open_history
from tracker.cli.options import json_option
from tracker.cli.output import print_json


@click.command("undo")
@json_option
def command(as_json: bool) -> None:
    """Take back the last import, correction or deletion. Again takes back the one before it."""
    settings, zone = surroundings.settings(), surroundings.zone()
    with open_history() as store:
        undone = store.undo()
        keep_house(store, settings)
        before = store.last_operation()
    if as_json:
        print_json({"undone": undone.to_json(), "next": before.to_json() if before else None})
        return
    click.echo(f"Taken back: {undone.summary} (done {undone.done_at.astimezone(zone):%Y-%m-%d %H:%M}).")
    if before:
        click.echo(f"The next undo would take back: {before.summary}.")
