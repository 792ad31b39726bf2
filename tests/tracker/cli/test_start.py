"""Review starts fast: no number library is imported to look at a day."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
HEAVY = ("numpy", "scipy", "pandas", "sqlite_utils", "bleak", "pyarrow")


def imported(arguments: list[str]) -> tuple[str, list[str]]:
    """Exit code, and what of the heavy libraries and rich a command imports in a process of its own."""
    code = (
        "import sys\nfrom tracker.cli.main import cli\n"
        f"try:\n    cli.main({arguments!r})\nexcept SystemExit as end:\n    code = end.code\n"
        f"print(code, *[name for name in {(*HEAVY, 'rich')!r} if name in sys.modules], file=sys.stderr)"
    )
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    code_, *names = done.stderr.split()
    return code_, names


@pytest.mark.parametrize(
    "arguments",
    [["day", "2026-03-03"], ["month", "2026-03"], ["sessions"], ["where"], ["settings"], ["remind", "settings"]],
)
def test_review(arguments: list[str], keep: Any, noon: datetime) -> None:
    """People get tables by rich and nothing else; programs not even that."""
    keep("2026-03-03T08:00:00+01:00", [60])
    assert imported(arguments) == ("0", ["rich"])
    assert imported([*arguments, "--json"]) == ("0", [])


@pytest.mark.parametrize("what", ["status", "why", "snooze", "done", "adapt"])
def test_reminders(what: str, keep: Any, noon: datetime) -> None:
    """Neither do reminders, in sentences or as JSON; a calendar is not read where none is set."""
    keep("2026-03-03T08:00:00+01:00", [60])
    assert imported(["remind", what]) == ("0", [])
    assert imported(["remind", what, "--json"]) == ("0", [])


@pytest.mark.parametrize("arguments", [["events", "2026-03-03"], ["forget", "--session", "1", "--yes"], ["undo"]])
def test_changes(arguments: list[str], keep: Any, noon: datetime) -> None:
    """Neither do events and corrections need them."""
    keep("2026-03-03T08:00:00+01:00", [60])
    assert imported(arguments) == ("0", [])
