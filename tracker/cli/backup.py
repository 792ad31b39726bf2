"""`soleus backup`: the whole data folder as one file."""

from __future__ import annotations

from pathlib import Path

import click

from tracker.cli import surroundings
from tracker.cli.figures import size
from tracker.cli.options import FILE, force_option, json_option
from tracker.cli.output import print_json
from tracker.errors import ConfigError, NothingFound


@click.command("backup")
@click.argument("file", type=FILE, required=False)
@force_option
@json_option
def command(file: Path | None, force: bool, as_json: bool) -> None:
    """Write database, recordings and settings into one file that only you can read.

    Without FILE it is soleus-backup-DATE-TIME.zip in this folder. Recording may go on meanwhile.
    """
    home = surroundings.home()
    if not home.database.exists():
        raise NothingFound(f"{home.root} holds no data yet: there is nothing to back up.")
    target = _target(file)
    if target.exists() and not force:
        raise ConfigError(f"{target} is there already: choose another name, or add --force to replace it.")
    if not target.parent.is_dir():
        raise ConfigError(f"{target.parent} is not a folder: make it, or choose another place.")
    if home.root.resolve() in target.resolve().parents:
        raise ConfigError(f"{target} is inside the data folder, which a backup holds whole: choose another place.")
    with surroundings.open_store(read_only=True) as store:
        store.backup(target)
    written = target.stat().st_size
    if as_json:
        print_json({"file": str(target.absolute()), "bytes": written})
    else:
        click.echo(f"{target}: {size(written)}. `soleus restore {target}` brings it back.")


def _target(file: Path | None) -> Path:
    named = f"soleus-backup-{surroundings.now().astimezone(surroundings.zone()):%Y%m%d-%H%M%S}.zip"
    if file is None:
        return Path(named)
    return file / named if file.is_dir() else file
