"""The whole data folder into one file, made while it is in use, and back again with nothing lost.

A backup is a zip file: the database, the recordings, the trash, the settings, and `manifest.json` with the
SHA-256 of each. Every SQLite file in it is a copy as of one instant. The demo's folder and the copies made
before migrations stay out of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath

from tracker.errors import StoreError
from tracker.home import Home, private_file, private_folder
from tracker.store.connection import Presence
from tracker.store.exchange import MARKER, begin_exchange, finish_exchange
from tracker.store.faults import told, usable
from tracker.store.health import copy_database, full_check
from tracker.store.schema import SCHEMA_VERSION, is_ours, schema_version

_MANIFEST = "manifest.json"
_FORMAT = 1
_STAYS = ("backups", "demo", "soleus.lock", MARKER)
_STAYS_PREFIXES = ("incoming-", "before-restore-")
_SIDE_SUFFIXES = ("-wal", "-shm", "-journal")
_SQLITE_MAGIC = b"SQLite format 3\0"


def backup(home: Home, target: Path, now: datetime) -> Path:
    """Write the data folder into `target`, readable by its owner only; others may go on writing meanwhile.

    Raises:
        StoreError: there is nothing to back up, or the target cannot be written.
    """
    if not home.database.exists():
        raise StoreError(f"{home.root} holds no data yet: there is nothing to back up.")
    part = target.with_name(target.name + ".part")
    try:
        private_file(part)
        with told(home.database), tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            _write_archive(home, part, Path(scratch) / "copy", now)
        part.replace(target)
    except OSError as error:
        raise StoreError(f"{target} cannot be written ({error.strerror}): choose another place.") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _write_archive(home: Home, part: Path, scratch: Path, now: datetime) -> None:
    digests: dict[str, str] = {}
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in _files(home):
            name = file.relative_to(home.root).as_posix()
            try:
                _copy(file, scratch)
            except FileNotFoundError:
                continue  # moved or pruned since it was listed
            archive.write(scratch, name)
            digests[name] = _digest(scratch)
            scratch.unlink()
        manifest = {"format": _FORMAT, "schema": SCHEMA_VERSION, "made_at": now.isoformat(), "files": digests}
        archive.writestr(_MANIFEST, json.dumps(manifest, indent=1))


def _files(home: Home) -> Iterator[Path]:
    # The database first: a session it names then has its recording in the files that follow.
    yield home.database
    for top in _swapped(home):
        for file in sorted(top.rglob("*")) if top.is_dir() else [top]:
            side = file.name.endswith(_SIDE_SUFFIXES)
            if file.is_file() and file != home.database and not side:
                yield file


def _swapped(home: Home) -> list[Path]:
    """What a backup holds and a restore exchanges, at the top of the data folder."""
    return sorted(
        top for top in home.root.iterdir() if top.name not in _STAYS and not top.name.startswith(_STAYS_PREFIXES)
    )


def _copy(file: Path, target: Path) -> None:
    with file.open("rb") as opened:
        is_sqlite = opened.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    if not is_sqlite:
        shutil.copyfile(file, target)
        return
    source = sqlite3.connect(file)
    try:
        copy_database(source, target)
    finally:
        source.close()


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def restore(home: Home, source: Path, now: datetime) -> Path:
    """Put a backup in the place of the data folder's contents, after checking all of it.

    Returns:
        The folder, inside the home, that holds what was there before.

    Raises:
        StoreError: the file is no sound backup, is from a newer soleus, or another process has the data open;
            nothing has changed then.
    """
    home.create()
    presence = Presence(home.lock)
    try:
        if not presence.alone():
            raise StoreError(f"{home.root} is in use by another soleus process: stop it, then restore.")
        with usable(home.root):
            finish_exchange(home)
        stamp = f"{now:%Y%m%dT%H%M%S%f}"
        incoming = private_folder(home.root / f"incoming-{stamp}")
        try:
            _unpack(source, incoming)
            _verify_database(source, incoming / home.database.name)
        except BaseException:
            shutil.rmtree(incoming)
            raise
        aside = private_folder(home.root / f"before-restore-{stamp}")
        with usable(home.root):
            begin_exchange(home, incoming, aside, [top.name for top in _swapped(home)])
            finish_exchange(home)
        return aside
    finally:
        presence.close()


def _unpack(source: Path, incoming: Path) -> None:
    refusal = StoreError(f"{source} is not a sound soleus backup: choose another file.")
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(_MANIFEST))
            if manifest["format"] != _FORMAT or manifest["schema"] > SCHEMA_VERSION:
                raise StoreError(f"{source} was written by a newer soleus: update soleus.")
            for name, digest in manifest["files"].items():
                target = _inside(incoming, name)
                private_folder(target.parent)
                private_file(target)
                with archive.open(name) as packed, target.open("wb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)
                if _digest(target) != digest:
                    raise refusal
    except OSError as error:
        raise StoreError(f"{source} cannot be restored ({error.strerror}): check the file and the disk.") from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, EOFError) as error:
        raise refusal from error


def _inside(folder: Path, name: str) -> Path:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
        raise ValueError(f"{name!r} leads out of the backup")
    return folder.joinpath(*parts)


def _verify_database(source: Path, database: Path) -> None:
    if not database.exists():
        raise StoreError(f"{source} holds no database: choose another file.")
    with told(source):
        connection = sqlite3.connect(database)
        try:
            sound = is_ours(connection) and not full_check(connection)
            newer = schema_version(connection) > SCHEMA_VERSION
        finally:
            connection.close()
    if newer or not sound:
        reason = "was written by a newer soleus" if newer else "holds a damaged database"
        raise StoreError(f"{source} {reason}: choose another file.")
