"""Where the wearer's data lives: one private folder, and the names of what is in it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import StoreError

FOLDER_MODE = 0o700
FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Home:
    """The data folder. Nothing is created before `create` is called.

    Attributes:
        root: absolute path of the folder.
    """

    root: Path

    @property
    def database(self) -> Path:
        """The one SQLite database."""
        return self.root / "soleus.db"

    @property
    def lock(self) -> Path:
        """Held shared by every process that has the database open, exclusively by a restore."""
        return self.root / "soleus.lock"

    @property
    def recordings(self) -> Path:
        """One recording file a session."""
        return self.root / "recordings"

    @property
    def trash(self) -> Path:
        """Recordings of forgotten sessions, until they are purged."""
        return self.root / "trash"

    @property
    def backups(self) -> Path:
        """Copies of the database made before each migration."""
        return self.root / "backups"

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.root / "settings.toml"

    @property
    def service_state(self) -> Path:
        """What the service is doing, for whoever asks."""
        return self.root / "service.json"

    @property
    def service_log(self) -> Path:
        """The service's log; older parts lie beside it."""
        return self.root / "service.log"

    @property
    def service_lock(self) -> Path:
        """Held by the one service of this home."""
        return self.root / "service.lock"

    @property
    def service_wish(self) -> Path:
        """What a command wants the service to do next."""
        return self.root / "service.wish"

    @property
    def demo(self) -> Home:
        """A home of its own for the demo, so that its data never mixes with the wearer's."""
        return Home(self.root / "demo")

    def create(self) -> Home:
        """Make the folders, readable by their owner only (0700).

        Returns:
            This home.

        Raises:
            StoreError: the folder cannot be created.
        """
        for folder in (self.root, self.recordings, self.trash, self.backups):
            private_folder(folder)
        return self

    def relative(self, path: Path) -> str:
        """Path as the database keeps it: relative to the home where it is inside, `/` between parts."""
        absolute = path if path.is_absolute() else self.root / path
        return absolute.relative_to(self.root).as_posix() if self.root in absolute.parents else str(absolute)


def find_home(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Home:
    """The wearer's home: `SOLEUS_HOME`, or the platform's folder for application data.

    Source: XDG Base Directory Specification; Apple File System Programming Guide; Windows known folders.
    """
    if named := environ.get("SOLEUS_HOME"):
        return Home(Path(named).expanduser().absolute())
    user = Path.home()
    if platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or user / "AppData" / "Local")
    elif platform == "darwin":
        base = user / "Library" / "Application Support"
    else:
        base = Path(environ.get("XDG_DATA_HOME") or user / ".local" / "share")
    return Home(base.absolute() / "soleus")


def private_folder(folder: Path) -> Path:
    """Create a folder with mode 0700; an existing one of ours is narrowed to it."""
    try:
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(FOLDER_MODE)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be used as a data folder ({error.strerror}): "
            "mend its permissions or set SOLEUS_HOME to another folder."
        ) from error
    return folder


def private_file(path: Path) -> Path:
    """Create an empty file with mode 0600 where there is none; an existing one is narrowed to it, and not opened.

    To close any handle of a file drops every POSIX lock that the process holds on it. For a database that another
    connection of this process has open, the next program to close it would then take itself for the last one, and
    delete the write-ahead log under the other's feet. Source: sqlite.org/howtocorrupt.html, section 2.2.

    Raises:
        StoreError: it cannot be written.
    """
    try:
        if not path.exists():
            with suppress(FileExistsError):  # made by another process in this moment
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
        if path.stat().st_mode & 0o077:
            path.chmod(FILE_MODE)
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written ({error.strerror}): mend its permissions or set SOLEUS_HOME elsewhere."
        ) from error
    return path
