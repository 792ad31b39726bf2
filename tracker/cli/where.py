"""`soleus where`: every place that soleus writes to, how much is there, and how much there will be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from tracker.cli import surroundings
from tracker.cli.faults import STORE, say
from tracker.cli.figures import UNKNOWN, size
from tracker.cli.options import json_option
from tracker.cli.output import console, print_json
from tracker.cli.tables import Rows
from tracker.errors import StoreError
from tracker.home import Home
from tracker.store import UNDO_DAYS, Forecast


@click.command("where")
@json_option
def command(as_json: bool) -> int:
    """Show where everything is, how long it is kept, and how much room it takes."""
    home, keep_days = surroundings.home(), surroundings.settings().keep_days
    places = [(name, path, _bytes(path)) for name, path in _places(home)]
    fault, forecast = None, Forecast(0, 0, None, keep_days, None, 0)
    try:
        with surroundings.open_store(read_only=True) as store:
            forecast = store.forecast(keep_days)
    except StoreError as error:  # the places are wanted most where the database cannot be used
        fault = str(error)
    free = _free_bytes(home.root)
    if as_json:
        print_json(_document(home, places, forecast, free))
    else:
        _show(home, places, forecast, free)
    return say(fault, STORE) if fault else 0


def _places(home: Home) -> Iterator[tuple[str, Path]]:
    yield "database", home.database
    yield "settings", home.settings
    yield "recordings", home.recordings
    yield "trash", home.trash
    yield "copies", home.backups
    yield "demo", home.demo.root
    for path in sorted(home.root.glob("before-restore-*")):
        yield "replaced", path


def _bytes(path: Path) -> int | None:
    """Size of a file with SQLite's side files, or of a folder; None where nothing is there."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    files = [path.with_name(path.name + side) for side in ("", "-wal", "-shm")]
    return sum(file.stat().st_size for file in files if file.exists()) if path.exists() else None


def _free_bytes(path: Path) -> int:
    from shutil import disk_usage

    while not path.exists():
        path = path.parent
    return disk_usage(path).free


def _document(home: Home, places: list[tuple[str, Path, int | None]], forecast: Forecast, free: int) -> dict[str, Any]:
    held = {name: held for name, _, held in places}
    sizes = {
        "recordings_bytes": (held["recordings"] or 0) + (held["trash"] or 0),
        "database_bytes": held["database"] or 0,
    }
    return {
        "home": str(home.root),
        "paths": [{"name": name, "path": str(path), "bytes": amount} for name, path, amount in places],
        "keep_days": forecast.keep_days,
        "undo_days": UNDO_DAYS,
        "forecast": forecast.to_json() | sizes | {"free_bytes": free},
    }


_NOTES = {
    "database": "counts, kept for ever",
    "settings": "`soleus settings` changes them",
    "trash": f"forgotten, destroyed after {UNDO_DAYS:g} days",
    "copies": "of the database, before updates",
    "demo": "of `soleus demo`, apart from your data",
    "replaced": "what a restore moved aside",
}


def _show(home: Home, places: list[tuple[str, Path, int | None]], forecast: Forecast, free: int) -> None:
    from rich.text import Text

    notes = _NOTES | {"recordings": f"kept for {forecast.keep_days:g} days"}
    rows = Rows(("what", "where", "size", ""), ("size",))
    for name, path, held in places:
        rows.add(name, path.name, UNKNOWN if held is None else size(held), notes[name])
    out = console()
    out.print(Text(str(home.root), style="bold"), soft_wrap=True)
    out.print()
    rows.shorten(out.width, 1)
    out.print(rows.drawn())
    out.print()
    if forecast.bytes_per_day is None:
        growth = "Nothing is recorded yet, so nothing can be said about how much room it will take"
    else:
        growth = (
            f"A recorded day takes about {size(forecast.bytes_per_day)}, so {forecast.keep_days:g} such days "
            f"will take {size(forecast.expected_bytes)}"
        )
    out.print(Text(f"{growth}; {size(free)} are free on this disk."))
