"""What a failing database means for the wearer: one sentence with the path and the fix."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import StoreError

_SENTENCES = {
    "SQLITE_NOTADB": "{path} is not a soleus database: move it away, or use `soleus restore`.",
    "SQLITE_CORRUPT": "{path} is damaged: bring back the newest backup with `soleus restore`; "
    "the recordings are kept and can be counted again.",
    "SQLITE_READONLY": "{path} is read-only: make it and its folder writable (chmod u+w).",
    "SQLITE_PERM": "{path} may not be opened: mend its permissions (chmod u+rw).",
    "SQLITE_FULL": "the disk is full, {path} was left as it was: free some space and run the command again.",
    "SQLITE_BUSY": "{path} is locked by another process that does not let go: end it and try again.",
    "SQLITE_LOCKED": "{path} is locked by another process that does not let go: end it and try again.",
    "SQLITE_CANTOPEN": "{path} cannot be opened: check that its folder exists and may be read and written.",
    "SQLITE_IOERR": "{path} cannot be read or written by the disk: check the disk, then run `soleus doctor`.",
}


def sentence(error: sqlite3.Error, path: Path) -> str | None:
    """What to tell the wearer, None where the error is a fault of the program itself."""
    name = getattr(error, "sqlite_errorname", "") or ""
    for prefix, text in _SENTENCES.items():
        if name == prefix or name.startswith(prefix + "_"):
            return text.format(path=path)
    return None


@contextmanager
def usable(path: Path) -> Iterator[None]:
    """Turn what the system reports about a file or folder of the store into a `StoreError`.

    Args:
        path: named where the error names no file itself.

    Raises:
        StoreError: it may not be read or written, is gone, or the disk refuses.
    """
    try:
        yield
    except OSError as error:
        place = error.filename or path
        raise StoreError(
            f"{place} cannot be used ({error.strerror or error}): mend its permissions (chmod -R u+rwX), "
            "or set SOLEUS_HOME elsewhere."
        ) from error


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn what SQLite reports about the file at `path` into a `StoreError`; bugs pass through.

    Raises:
        StoreError: the database is damaged, read-only, locked, or the disk is full.
    """
    try:
        yield
    except sqlite3.Error as error:
        text = sentence(error, path)
        if text is None:
            raise
        raise StoreError(text) from error
