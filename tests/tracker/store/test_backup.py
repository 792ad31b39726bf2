"""Backup and restore: the whole data folder in one file and back, nothing lost on the way."""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from analysis.events import Leg
from tracker.errors import StoreError
from tracker.home import Home
from tracker.store import Batch, NewSession, Store
from tracker.store.backup import restore

Make = Callable[..., Batch]
START = datetime(2026, 5, 1, 9, tzinfo=UTC)
DAY = date(2026, 5, 1)


def keep(store: Store, found: Batch, key: str) -> int:
    recording = store.home.recordings / f"{key}.sqlite"
    connection = sqlite3.connect(recording)
    connection.execute("CREATE TABLE packets (payload BLOB)")
    connection.execute("INSERT INTO packets VALUES (?)", (key.encode(),))
    connection.commit()
    connection.close()
    new = NewSession(START, Leg.LEFT, recording=recording, content_key=key)
    return store.add(new, found, ended_at=START + timedelta(seconds=600)).session_id


@pytest.fixture
def archive(home: Home, batch: Make, tmp_path: Path) -> Path:
    """A backup of one recording with one step, made while the store is open."""
    home.settings.write_text("zone = 'Europe/Berlin'\n")
    with Store(home, clock=lambda: START) as store:
        keep(store, batch((10.0,)), "first")
        return store.backup(tmp_path / "calf.zip")


def test_round_trip(home: Home, archive: Path, batch: Make) -> None:
    """Restoring gives the days, recordings and settings of the backup; what was there since is kept aside."""
    with Store(home, clock=lambda: START) as store:
        keep(store, batch((10.0, 20.0, 30.0)), "second")
        later = store.day(DAY, UTC)
    aside = restore(home, archive, START)
    with Store(home, clock=lambda: START) as store:
        assert [session.recording for session in store.sessions()] == ["recordings/first.sqlite"]
        assert store.day(DAY, UTC).headline.total == 1
        assert store.check(full=True) == []
    assert home.settings.read_text() == "zone = 'Europe/Berlin'\n"
    assert [file.name for file in home.recordings.iterdir()] == ["first.sqlite"]
    with Store(Home(aside), clock=lambda: START) as store:
        assert store.day(DAY, UTC) == later
    assert archive.stat().st_mode & 0o777 == 0o600
    shutil.rmtree(aside)
    assert {path.stat().st_mode & 0o077 for path in [home.root, *home.root.rglob("*")]} == {0}


def test_restore_into_a_fresh_home(archive: Path, tmp_path: Path) -> None:
    """A backup moves to another machine."""
    home = Home(tmp_path / "other")
    restore(home, archive, START)
    with Store(home, clock=lambda: START, read_only=True) as store:
        assert store.day(DAY, UTC).headline.total == 1


@pytest.mark.parametrize("cut_after", range(6))
def test_restore_cut_off_is_finished_by_the_next_command(
    home: Home, archive: Path, cut_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever move is the last one done, opening the store finishes the rest."""
    moves = 0
    move = Path.replace

    def falter(source: Path, target: Path) -> Path:
        nonlocal moves
        if source.name in ("soleus.db", "recordings", "trash", "settings.toml"):
            moves += 1
            if moves > cut_after:
                raise KeyboardInterrupt
        return move(source, target)

    with Store(home, clock=lambda: START) as store:
        store.undo()
    monkeypatch.setattr(Path, "replace", falter)
    with pytest.raises(KeyboardInterrupt):
        restore(home, archive, START)
    monkeypatch.undo()
    with Store(home, clock=lambda: START) as store:
        assert store.day(DAY, UTC).headline.total == 1
    assert (home.recordings / "first.sqlite").exists()
    assert not list(home.root.glob("incoming-*"))


def test_restore_waits_for_nobody(home: Home, archive: Path) -> None:
    """While another process (here: another open store) uses the data, restore refuses."""
    with Store(home, clock=lambda: START), pytest.raises(StoreError, match="in use by another soleus process"):
        restore(home, archive, START)


@pytest.mark.parametrize("harm", ["text", "truncated", "changed", "newer", "escape", "database"])
def test_unsound_backup_changes_nothing(home: Home, archive: Path, harm: str, tmp_path: Path) -> None:
    """A file that is no backup, is damaged, is newer, or leads out of the folder, is refused in a sentence."""
    bad = tmp_path / "bad.zip"
    _harm(archive, bad, harm)
    before = {path: path.stat().st_size for path in home.root.rglob("*")}
    with pytest.raises(StoreError, match=r"bad\.zip"):
        restore(home, bad, START)
    assert {path: path.stat().st_size for path in home.root.rglob("*")} == before
    assert not (tmp_path / "escaped").exists()


def _harm(archive: Path, bad: Path, harm: str) -> None:
    whole = archive.read_bytes()
    if harm in ("text", "truncated"):
        bad.write_bytes(b"no zip" if harm == "text" else whole[: len(whole) // 2])
        return
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "manifest.json" and harm == "newer":
                content = content.replace(b'"schema": ', b'"schema": 99')
            if name == "manifest.json" and harm == "escape":
                content = content.replace(b'"files": {', b'"files": {"../escaped": "0",')
            if name == "manifest.json" and harm == "database":
                content = b'{"format": 1, "schema": 1, "files": {}}'
            if name == "soleus.db" and harm == "changed":
                content = content[:-1] + bytes([content[-1] ^ 1])
            target.writestr(name, content)


def test_nothing_to_back_up(tmp_path: Path) -> None:
    """An empty home has nothing to back up, and says so."""
    home = Home(tmp_path / "none")
    with (
        Store(home, clock=lambda: START, read_only=True) as store,
        pytest.raises(StoreError, match="nothing to back up"),
    ):
        store.backup(tmp_path / "calf.zip")
    assert not home.root.exists()


def test_backup_leaves_the_demo_out(home: Home, tmp_path: Path) -> None:
    """Demo data never mixes with the wearer's, in a backup neither."""
    shutil.copytree(home.root, home.demo.root)
    with Store(home, clock=lambda: START) as store, zipfile.ZipFile(store.backup(tmp_path / "x.zip")) as made:
        assert sorted(made.namelist()) == ["manifest.json", "soleus.db"]
