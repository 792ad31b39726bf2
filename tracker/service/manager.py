"""What the three systems' managers of services have in common: a file, some commands, and their answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tracker.errors import ConfigError, StoreError

ASK_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a manager's own command said: its exit code, and all it printed."""

    code: int
    text: str


Ask = Callable[[Sequence[str]], Answer]
"""Runs one command of the manager; a command that is not there is exit code 127."""


@dataclass(frozen=True, slots=True)
class Service:
    """What is to be run.

    Attributes:
        command: program and arguments.
        environ: set for it beside what the manager sets.
        version: of the program, for people who look into the file.
    """

    command: tuple[str, ...]
    environ: Mapping[str, str]
    version: str


class Manager(Protocol):
    """The system's manager of services. Every method raises ConfigError with one sentence where it refuses."""

    @property
    def file(self) -> Path:
        """Where the service is written down."""
        ...

    def render(self, service: Service) -> bytes:
        """The file's content."""
        ...

    def install(self, service: Service) -> None:
        """Write it down, make it begin at login, and start it."""
        ...

    def uninstall(self) -> None:
        """Stop it and take the file away."""
        ...

    def start(self) -> None:
        """Start what is installed."""
        ...

    def stop(self) -> None:
        """Stop it until the next start or login."""
        ...


def this_service(environ: Mapping[str, str] = os.environ, version: str = "") -> Service:
    """The service of the program that runs now.

    `SOLEUS_HOME` goes with it: a service has another environment than a terminal.
    """
    kept = {name: environ[name] for name in ("SOLEUS_HOME",) if environ.get(name)}
    python = Path(sys.executable)
    if sys.platform == "win32" and (windowless := python.with_name("pythonw.exe")).exists():
        python = windowless
    return Service((str(python), "-m", "tracker", "service", "run"), kept, version)


def ask(command: Sequence[str]) -> Answer:
    """Run a command of a manager."""
    if shutil.which(command[0]) is None:
        return Answer(127, f"{command[0]} is not there")
    try:
        done = subprocess.run(
            list(command), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False, timeout=ASK_WITHIN_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(124, f"{command[0]} did not answer within {ASK_WITHIN_S:.0f} s")
    return Answer(done.returncode, f"{done.stdout}{done.stderr}".strip())


def asked(ask: Ask, *command: str, why: str) -> str:
    """Run a command that must succeed; what it said.

    Raises:
        ConfigError: it failed; `why` and its own last line are the sentence.
    """
    answer = ask(command)
    if answer.code:
        said = answer.text.splitlines()[-1].strip().rstrip(".") if answer.text else f"exit code {answer.code}"
        raise ConfigError(f"{why} ({command[0]}: {said}).")
    return answer.text


def write_file(path: Path, content: bytes) -> None:
    """Write a service's file, making its folder.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): mend its permissions.") from error
