"""`soleus drivers`: the supported sensors, and what their packets decode to."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from drivers import registry
from drivers.capture import decode_capture, decode_file
from tracker.cli.options import json_option
from tracker.cli.output import console, print_json, table
from tracker.errors import ConfigError, NothingFound


@click.group("drivers", invoke_without_command=True)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the supported sensors; decode a packet capture."""
    if ctx.invoked_subcommand is None:
        _list(as_json)


@command.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the supported sensors."""
    _list(as_json)


def _list(as_json: bool) -> None:
    known = [registry.driver(name) for name in registry.names()]
    if as_json:
        print_json([{"name": driver.name, "title": driver.title} for driver in known])
        return
    rows = table("driver", "sensors")
    for driver in known:
        rows.add_row(driver.name, driver.title)
    console().print(rows)


@command.command("decode")
@click.option("--driver", "name", required=True, metavar="NAME", help="Which driver reads it.")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
def decode_command(name: str, file: Path) -> None:
    """Decode a packet capture (JSON lines, or - for stdin) or a recording: one JSON object a line."""
    _known(name)
    if str(file) == "-":
        decoded = decode_capture(sys.stdin.buffer, name, "standard input")
    else:
        decoded = decode_file(file, name)
    for block in decoded:
        click.echo(json.dumps(block, allow_nan=False))


@command.command("check")
@click.argument("name")
def check_command(name: str) -> None:
    """Run the conformance kit on a driver."""
    _known(name)
    raise NothingFound(f"{name} is there, but this version has no conformance kit to check it with.")


def _known(name: str) -> None:
    try:
        registry.driver(name)
    except registry.UnknownDriverError as error:
        raise ConfigError(str(error)) from error
