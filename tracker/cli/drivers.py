"""`soleus drivers`: the supported sensors, and what their packets decode to."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from drivers import registry
from drivers.capture import decode_capture, decode_file
from tracker.cli.faults import NOTHING
from tracker.cli.options import json_option
from tracker.cli.output import console, print_json, table
from tracker.errors import ConfigError


@click.group("drivers", invoke_without_command=True)
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the supported sensors, decode a packet capture, check a driver."""
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
    """Decode a packet capture or recording.

    FILE holds a packet a line as JSON, - is stdin. One JSON object a line comes out for each block of samples and
    each packet that was refused.
    """
    _known(name)
    if str(file) == "-":
        decoded = decode_capture(sys.stdin.buffer, name, "standard input")
    else:
        decoded = decode_file(file, name)
    for block in decoded:
        click.echo(json.dumps(block, allow_nan=False))


@command.command("check")
@click.argument("name")
@click.option(
    "--packets",
    type=click.IntRange(1),
    default=2000,
    show_default=True,
    help="So many packets of noise, and again as many damaged ones; 100000 take minutes.",
)
@json_option
def check_command(name: str, packets: int, as_json: bool) -> int:
    """Check a driver, without a radio.

    It must understand its virtual sensor and survive nonsense. Exit code 1 where it fails a check.
    """
    from drivers.conformance import check

    _known(name)
    results = check(name, packets=packets)
    if as_json:
        print_json([asdict(result) for result in results])
    else:
        width = max(len(result.name) for result in results)
        for result in results:
            click.echo(f"{'passed' if result.passed else 'FAILED'}  {result.name:{width}}  {result.sentence}")
    return 0 if all(result.passed for result in results) else NOTHING


def _known(name: str) -> None:
    try:
        registry.driver(name)
    except registry.UnknownDriverError as error:
        raise ConfigError(str(error)) from error
