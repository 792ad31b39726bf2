"""The service's log: a few lines a day, in files that only their owner may read and that do not grow for ever."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from io import TextIOWrapper
from typing import Any

from tracker.home import FILE_MODE, Home

MOST_BYTES, OLDER_FILES = 500_000, 3
NAME = "soleus.service"


class _PrivateFiles(logging.handlers.RotatingFileHandler):
    """Rotates files that are made with mode 0600."""

    def _open(self) -> TextIOWrapper[Any]:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, FILE_MODE)


def open_log(home: Home) -> logging.Logger:
    """The log of a home; also on the terminal where the service was started in one."""
    log = logging.getLogger(NAME)
    log.setLevel(logging.INFO)
    log.propagate = False
    close_log()
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S%z")
    handlers: list[logging.Handler] = [
        _PrivateFiles(home.service_log, maxBytes=MOST_BYTES, backupCount=OLDER_FILES, encoding="utf-8")
    ]
    if sys.stderr is not None and sys.stderr.isatty():
        handlers.append(logging.StreamHandler())
    for handler in handlers:
        handler.setFormatter(form)
        log.addHandler(handler)
    return log


def close_log() -> None:
    """Let go of the files."""
    log = logging.getLogger(NAME)
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()


def last_lines(home: Home, lines: int) -> list[str]:
    """The newest lines of the log, oldest first; those of the file before where this one is short."""
    found: list[str] = []
    for path in (home.service_log, home.service_log.with_name(f"{home.service_log.name}.1")):
        if len(found) < lines and path.exists():
            found = path.read_text(encoding="utf-8", errors="replace").splitlines() + found
    return found[-lines:]
