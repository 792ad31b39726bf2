"""The frame: help without heavy imports, one sentence for every fault, the contract's exit codes."""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

from drivers.errors import LinkError, RecordingError
from tracker.cli import commands
from tracker.cli.commands import COMMANDS, Entry
from tracker.cli.main import cli, plain
from tracker.errors import ConfigError, NothingFound, StoreError

ROOT = Path(__file__).parents[3]
HEAVY = ("numpy", "scipy", "pandas", "rich", "sqlite_utils", "bleak")


def python(code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a Python of its own."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("arguments", ["--help", "", "--version", "completion zsh"])
def test_help_is_quick(arguments: str) -> None:
    """Help, version and completion import none of the heavy libraries."""
    code = (
        "import sys\nfrom tracker.cli.main import cli\n"
        f"try:\n    cli.main({arguments.split()!r})\nexcept SystemExit as end:\n    code = end.code\n"
        f"print(code, [name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = python(code)
    assert done.stderr == "0 []\n"
    assert done.stdout


def test_help_lists_every_command(run: Any) -> None:
    """Each command stands in the help with its line, in the order of the table."""
    text = run("--help").stdout
    places = [text.index(f"  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert all(entry.summary in text for entry in COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, run: Any) -> None:
    """Each command of the table can be imported and explains itself."""
    assert run(name, "--help").stdout.startswith(f"Usage: soleus {name}")


def test_python_m_tracker() -> None:
    """`python -m tracker` is the command."""
    command = [sys.executable, "-m", "tracker", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Usage: soleus")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["fly"], "No such command 'fly': see `soleus --help`."),
        (["analyze"], "Missing argument 'FILE': see `soleus analyze --help`."),
        (
            ["analyze", "--jsn", "a"],
            "No such option '--jsn', perhaps '--csv' or '--json' was meant: see `soleus analyze --help`.",
        ),
        (
            ["analyze", "--leg", "both", "a.csv"],
            "Invalid value for '--leg': 'both' is not one of 'left', 'right': see `soleus analyze --help`.",
        ),
        (["analyze", "a.csv", "b.csv"], "Got unexpected extra argument (b.csv): see `soleus analyze --help`."),
    ],
)  # fmt: skip
def test_usage_is_one_sentence(arguments: list[str], sentence: str, run: Any) -> None:
    """A wrong call is one sentence that names the help, and exit code 2."""
    result = run(*arguments, expect=2)
    assert (result.stdout, result.stderr.replace('"', "'")) == ("", sentence + "\n")


def install(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """A command `fail` that raises."""

    @click.command("fail")
    def command() -> None:
        raise error

    module = ModuleType("tests_fail")
    module.command = command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tests_fail", module)
    monkeypatch.setitem(commands.COMMANDS, "fail", Entry("tests_fail", "Fails."))


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (NothingFound("there is nothing"), 1, "there is nothing."),
        (ConfigError("that\n cannot be."), 2, "that cannot be."),
        (RecordingError("not good", "a.csv", 7), 2, "a.csv, line 7: not good."),
        (LinkError("no radio: turn it on"), 3, "no radio: turn it on."),
        (StoreError("the disk is full"), 4, "the disk is full."),
        (PermissionError(13, "Permission denied", "/x"), 2, "/x: Permission denied."),
        (
            ZeroDivisionError("oh."),
            70,
            "soleus met a fault of its own, ZeroDivisionError (oh): run it again with SOLEUS_DEBUG=1 to see where.",
        ),
    ],
)
def test_errors_are_one_sentence(
    error: Exception, code: int, sentence: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every error has its exit code and is told in one line, without a traceback."""
    install(monkeypatch, error)
    result = run("fail", expect=code)
    assert (result.stdout, result.stderr) == ("", sentence + "\n")


def test_a_bug_shows_where_on_request(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """SOLEUS_DEBUG=1 keeps the traceback of a bug."""
    install(monkeypatch, ZeroDivisionError("oh"))
    monkeypatch.setenv("SOLEUS_DEBUG", "1")
    assert "Traceback" in run("fail", expect=70).stderr


def test_control_c(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends with 130 and no words."""
    install(monkeypatch, KeyboardInterrupt())
    assert run("fail", expect=130).stderr.strip() == ""


def test_a_closed_pipe_is_quiet() -> None:
    """A reader that goes away ends the command without a complaint; the output is more than a pipe holds."""
    packet = '{"arrival_ns": 1, "characteristic": "x", "hex": "' + "00" * 200 + '"}'
    decode = f"{sys.executable} -m tracker drivers decode --driver polar-pmd -"
    done = subprocess.run(
        ["bash", "-c", f"{decode} | true; echo ${{PIPESTATUS[0]}}"],
        cwd=ROOT,
        input="\n".join([packet] * 2000),
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.parametrize(("encoding", "dash"), [("ascii", "-"), ("cp1252", "\u2014"), ("utf-8", "\u2014")])
def test_marks_that_a_terminal_cannot_show(encoding: str, dash: str, keep: Any) -> None:
    """A dash that cannot be shown is a hyphen, never an escape."""
    keep("2026-03-04T08:00:00+01:00", [60])
    done = subprocess.run(
        [sys.executable, "-m", "tracker", "week", "2026-03-04"],
        cwd=ROOT, env={**os.environ, "PYTHONIOENCODING": encoding}, capture_output=True, check=True,
    )  # fmt: skip
    text = done.stdout.decode(encoding)
    assert "\\u" not in text
    (tuesday,) = [line for line in text.splitlines() if line.startswith("Tue")]
    assert tuesday.count(dash) >= 7


def test_what_stands_for_a_mark() -> None:
    """Ours by one character, so that columns stay; others escaped."""
    codecs.register_error("plain", plain)
    assert "— – … ± é".encode("ascii", "plain") == b"- - ~ ~ \\xe9"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str, run: Any) -> None:
    """Each shell gets a script for the command `soleus`."""
    assert "_SOLEUS_COMPLETE" in run("completion", shell).stdout


def test_completion_of_commands() -> None:
    """Completing the first word reads the table and imports no command."""
    environ = {"_SOLEUS_COMPLETE": "zsh_complete", "COMP_WORDS": "soleus re", "COMP_CWORD": "1"}
    code = (
        "import sys\nfrom tracker.cli.main import run\ntry:\n    run()\nexcept SystemExit:\n    pass\n"
        "print('numpy' in sys.modules, file=sys.stderr)"
    )
    done = python(code, **environ)
    assert done.stderr == "False\n"
    assert "recount" in done.stdout
    assert "analyze" not in done.stdout


def test_the_table_is_the_group() -> None:
    """Names of the group are those of the table."""
    assert cli.list_commands(click.Context(cli)) == list(COMMANDS)
