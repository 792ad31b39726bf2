"""`soleus restore`: a backup takes the place of the data folder's contents."""

from __future__ import annotations

from pathlib import Path

import click

from tracker.cli import surroundings
from tracker.cli.keeping import writable
from tracker.cli.options import FILE, json_option, yes_option
from tracker.cli.output import counted, print_json
from tracker.errors import ConfigError, StoreError
from tracker.home import Home


@click.command("restore")
@click.argument("file", type=FILE)
@yes_option
@json_option
def command(file: Path, yes: bool, as_json: bool) -> int:
    """Bring a backup back, after checking all of it; what is there now is kept beside it."""
    from tracker.store.backup import restore

    home = surroundings.home()
    if not file.is_file():
        raise ConfigError(f"{file} is not a file: name a backup that `soleus backup` wrote.")
    held = _held(home)
    if held and not yes and not _agreed(file, home, held):
        click.echo("Nothing was restored.")
        return 1
    try:
        with writable(home):
            aside = restore(home, file, surroundings.now())
    except StoreError as error:
        if str(error).startswith(f"{file} "):
            raise ConfigError(str(error)) from error  # the file is at fault, not the database
        raise
    with surroundings.open_store() as store:
        sessions = len(store.sessions())
    if as_json:
        print_json({"home": str(home.root), "sessions": sessions, "before": str(aside)})
        return 0
    click.echo(f"{file} is restored to {home.root}: {counted(sessions, 'session')}.")
    if held:
        click.echo(f"What was there before is in {aside}.")
    return 0


def _held(home: Home) -> str:
    """What a restore would move aside, "" where there is nothing."""
    if not home.database.exists():
        return ""
    try:
        with surroundings.open_store(read_only=True) as store:
            return counted(len(store.sessions()), "session")
    except StoreError:
        return "a database that cannot be used"


def _agreed(file: Path, home: Home, held: str) -> bool:
    if not surroundings.somebody_answers():
        raise ConfigError(f"this would put {file} in the place of {home.root} ({held}): add --yes to do it.")
    return click.confirm(f"Put {file} in the place of {home.root} ({held})?", err=True)
