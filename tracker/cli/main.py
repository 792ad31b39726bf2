"""The command `soleus`: finds the command that was asked for, imports it, runs it."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from tracker.cli.commands import COMMANDS
from tracker.cli.faults import close_pipe, exit_code


class LazyGroup(click.Group):
    """A group whose commands are imported when they are used; help and completion read the table alone."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(COMMANDS[cmd_name].module).command
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name].module}.command is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands and options that begin with what was typed."""
        commands = [
            CompletionItem(name, help=entry.summary) for name, entry in COMMANDS.items() if name.startswith(incomplete)
        ]
        return commands + click.Command.shell_complete(self, ctx, incomplete)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; a reader that has gone away ends it without a word."""
        try:
            done = super().invoke(ctx)
            sys.stdout.flush()
            return done
        except BrokenPipeError:
            return close_pipe()

    def main(self, args: Sequence[str] | None = None, *_: Any, **__: Any) -> NoReturn:
        """Runs and exits with the contract's exit codes."""
        raise SystemExit(exit_code(lambda: super(LazyGroup, self).main(args, "soleus", standalone_mode=False)))


def show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Prints the version that is installed."""
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        click.echo(f"soleus {version('soleus-tracker')}")
    except PackageNotFoundError:
        click.echo("soleus (run from its source, not installed)")
    ctx.exit()


@click.group(cls=LazyGroup, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=show_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Counts what your calves do, from a sensor on the shank. Nothing leaves this machine.

    The data folder is SOLEUS_HOME where that is set. Times without an offset are in your zone.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


_PLAIN = {"—": "-", "–": "-", "…": "~", "±": "~"}
"""What stands for our own marks where they cannot be shown; one character each, so that columns stay."""


def plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """What a terminal's encoding cannot show: our own marks in plain, anything else escaped."""
    if not isinstance(error, UnicodeEncodeError) or error.object[error.start] not in _PLAIN:
        return codecs.backslashreplace_errors(error)
    return _PLAIN[error.object[error.start]], error.start + 1


def run() -> NoReturn:
    """The console script. What a terminal's encoding cannot show is put plainly, not refused."""
    codecs.register_error("plain", plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="plain")
    cli.main()


if __name__ == "__main__":
    run()
