"""Lines in real (pseudo) terminals."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from tracker.channels.message import Delivery, Message
from tracker.channels.terminal import TerminalChannel, line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no pseudo terminals on Windows")

STILL = Message("Still for 30 minutes", "Twenty push-ups.", (("done", "Done"),))


def nothing(_key: str) -> None:
    raise AssertionError


async def test_own_terminal() -> None:
    """The line goes into the terminal that the recorder runs in, with a bell unless the message is quiet."""
    reader, writer = os.openpty()
    with os.fdopen(writer, "w", encoding="utf-8") as own:
        for quiet, bell in ((False, b"\a"), (True, b"")):
            message = Message("Still", "Move.", quiet=quiet)
            assert await TerminalChannel(own).tell(message, nothing) == Delivery("terminal", True)
            shown = os.read(reader, 200)
            assert shown.strip() == bell + b"soleus: Still: Move."
    os.close(reader)


async def test_terminals_that_take_messages(tmp_path: Path) -> None:
    """Of the wearer's other terminals only those with `mesg y` get it; without any it is said how to."""
    reader, writer = os.openpty()
    device = Path(os.ttyname(writer))
    (tmp_path / "7").symlink_to(device)
    channel = TerminalChannel(io.StringIO(), tmp_path)
    device.chmod(0o600)
    told = await channel.tell(STILL, nothing)
    assert told == Delivery("terminal", False, "no terminal of yours takes messages: open one and run `mesg y` in it.")
    device.chmod(0o620)
    assert (await channel.tell(STILL, nothing)).done
    assert "Still for 30 minutes: Twenty push-ups." in os.read(reader, 200).decode()
    os.close(writer)
    os.close(reader)


def test_an_answer_is_a_command() -> None:
    """Where the desktop has buttons, the terminal names a command; a message without buttons names none."""
    assert "soleus remind snooze" in line(STILL)
    assert "soleus remind" not in line(Message("a", "b"))
