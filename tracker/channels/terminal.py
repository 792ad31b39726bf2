"""A line in the wearer's terminals: in the one the recorder runs in, or in all that take messages."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from tracker.channels.message import Answered, Delivery, Message

BELL = "\a"
_TAKES_MESSAGES = stat.S_IWGRP
"""As mesg(1) sets it."""


class TerminalChannel:
    """Lines in terminals; an answer is a command."""

    name = "terminal"

    def __init__(self, own: TextIO | None = None, terminals: Path = Path("/dev/pts")) -> None:
        """Terminals to write to.

        Args:
            own: the terminal that the recorder runs in, standard error unless given.
            terminals: where the system keeps the others.
        """
        self._own = sys.stderr if own is None else own
        self._terminals = terminals

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        """Write it, with the bell unless it is quiet."""
        text = line(message)
        if self._own is not None and self._own.isatty():
            self._own.write(text)
            self._own.flush()
            return Delivery(self.name, True)
        if not sum(_written(path, text) for path in self._others()):
            return Delivery(self.name, False, "no terminal of yours takes messages: open one and run `mesg y` in it.")
        return Delivery(self.name, True)

    async def withdraw(self, slot: str) -> None:
        """What was written stays written."""

    def _others(self) -> Iterator[Path]:
        if not hasattr(os, "getuid"):
            return
        for path in sorted(self._terminals.glob("[0-9]*")):
            try:
                known = path.stat()
            except OSError:
                continue  # closed in this moment
            if known.st_uid == os.getuid() and known.st_mode & _TAKES_MESSAGES:
                yield path


def line(message: Message) -> str:
    """The message on a line of its own; the labels of its answers are the desktop's, here a command gives them."""
    answer = " (answer with `soleus remind done` or `soleus remind snooze`)" if message.buttons else ""
    return (
        f"\r\n{BELL if message.sound and not message.quiet else ''}soleus: {message.title}: {message.text}{answer}\r\n"
    )


def _written(path: Path, text: str) -> bool:
    """Never waits: a terminal that was stopped with Ctrl-S takes nothing."""
    try:
        terminal = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.write(terminal, text.encode(errors="replace")) > 0
    except OSError:
        return False
    finally:
        os.close(terminal)
