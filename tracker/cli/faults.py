"""Whatever goes wrong becomes one sentence on stderr and an exit code of the contract."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Callable

import click

from drivers.errors import LinkError, RecordingError
from tracker.errors import ConfigError, NothingFound, StoreError

NOTHING, USAGE, LINK, STORE, BUG, INTERRUPTED, PIPE = 1, 2, 3, 4, 70, 130, 141
"""Beyond the contract: 70 a bug (sysexits.h, EX_SOFTWARE), 130 and 141 as a shell reports SIGINT and SIGPIPE."""

_CODES: tuple[tuple[type[Exception], int], ...] = (
    (NothingFound, NOTHING),
    (ConfigError, USAGE),
    (RecordingError, USAGE),
    (LinkError, LINK),
    (StoreError, STORE),
)


def exit_code(command: Callable[[], object]) -> int:
    """Runs a command and says what went wrong, if anything did.

    Args:
        command: gives its exit code, or anything else for 0.
    """
    try:
        code = command()
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        return say(usage_sentence(error), USAGE)
    except Exception as error:
        return _told(error)
    return code if isinstance(code, int) else 0


def _told(error: Exception) -> int:
    for kind, code in _CODES:
        if isinstance(error, kind):
            return say(str(error), code)
    if isinstance(error, OSError) and error.filename:
        return say(f"{error.filename}: {error.strerror}", USAGE)
    if os.environ.get("SOLEUS_DEBUG") == "1":
        traceback.print_exception(error)
        return BUG
    text = one_line(str(error)).rstrip(".")
    named = type(error).__name__ + (f" ({text})" if text else "")
    return say(f"soleus met a fault of its own, {named}: run it again with SOLEUS_DEBUG=1 to see where", BUG)


def say(sentence: str, code: int = 0) -> int:
    """One sentence on stderr; gives the exit code back."""
    click.echo(sentence_of(sentence), err=True)
    return code


def sentence_of(text: str) -> str:
    """On one line, with a full stop."""
    line = one_line(text)
    return line if line.endswith((".", "!", "?")) else f"{line}."


def one_line(text: str) -> str:
    """Line breaks and runs of blanks as one blank."""
    return " ".join(text.split())


def usage_sentence(error: click.ClickException) -> str:
    """What click says about a wrong call, as one sentence that names the help."""
    text = one_line(error.format_message()).rstrip(".")
    hint = re.search(r"\.? ?\(?(?:Did you mean|Possible options:)(?: one of:)? (.*?)[?)]*$", text)
    if hint:
        text = f"{text[: hint.start()]}, perhaps {hint[1].replace(', ', ' or ')} was meant"
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "soleus"
    return f"{text}: see `{command} --help`"


def close_pipe() -> int:
    """Lets Python end without a complaint about a reader that has gone away."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    os.close(devnull)
    return PIPE
