"""Where data lives, and who may read it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tracker.errors import StoreError
from tracker.home import Home, find_home, private_file
from tracker.store import Store


@pytest.mark.parametrize(
    ("environ", "platform", "expected"),
    [
        ({"SOLEUS_HOME": "/data/calf"}, "linux", Path("/data/calf")),
        ({"XDG_DATA_HOME": "/data"}, "linux", Path("/data/soleus")),
        ({}, "linux", Path.home() / ".local/share/soleus"),
        ({}, "darwin", Path.home() / "Library/Application Support/soleus"),
        ({"LOCALAPPDATA": "/c/local"}, "win32", Path("/c/local/soleus")),
    ],
)
def test_home_is_named_or_the_platforms(environ: dict[str, str], platform: str, expected: Path) -> None:
    """SOLEUS_HOME goes before the platform's folder for application data."""
    assert find_home(environ, platform).root == expected


def test_demo_has_a_home_of_its_own() -> None:
    """No path of the demo is a path of the wearer's."""
    home = Home(Path("/data"))
    assert home.demo.database != home.database
    assert home.demo.recordings != home.recordings


def test_only_the_owner_may_read(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600, whatever the umask; what is wider is narrowed."""
    home = Home(tmp_path / "home")
    home.root.mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        with Store(home, clock=lambda: datetime(2026, 1, 1, tzinfo=UTC)):
            paths = [home.root, *home.root.rglob("*")]
            modes = {(path.is_file(), path.stat().st_mode & 0o777) for path in paths}
    finally:
        os.umask(before)
    assert modes == {(True, 0o600), (False, 0o700)}


def test_unusable_home_is_one_sentence(tmp_path: Path) -> None:
    """A file in the place of the folder is refused with the path and the fix."""
    (tmp_path / "home").write_text("")
    with pytest.raises(StoreError, match=r"home cannot be used as a data folder .*SOLEUS_HOME"):
        Home(tmp_path / "home").create()
    with pytest.raises(StoreError, match=r"x cannot be written"):
        private_file(tmp_path / "home" / "x")


def test_recordings_are_kept_relative(tmp_path: Path) -> None:
    """A home can be moved: paths inside it are stored without it."""
    home = Home(tmp_path)
    assert home.relative(home.recordings / "a.sqlite") == "recordings/a.sqlite"
    assert home.relative(Path("recordings/a.sqlite")) == "recordings/a.sqlite"
    assert home.relative(Path("/elsewhere/a.sqlite")) == "/elsewhere/a.sqlite"
