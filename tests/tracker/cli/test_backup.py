"""`soleus backup` and `restore`: out, in, and what is refused."""

from __future__ import annotations

import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def backup(keep: Any, run: Any, noon: datetime, tmp_path: Path) -> Path:
    """A backup of one session, its recording and the settings."""
    keep("2026-03-03T08:00:00+01:00", [60], recording=b"raw")
    run("settings", "leg", "left")
    run("backup", tmp_path / "b.zip")
    return tmp_path / "b.zip"


def test_out_and_in(backup: Path, home: Path, run: Any, run_json: Any) -> None:
    """A restored folder tells the same days; what was there before is kept beside it."""
    assert backup.stat().st_mode & 0o777 == 0o600
    day = run_json("day", "yesterday")
    run("forget", "--session", 1, "--yes")
    text = run("restore", backup, "--yes").stdout
    assert text.startswith(
        f"{backup} is restored to {home}: 1 session.\nWhat was there before is in {home}/before-restore-"
    )
    assert run_json("day", "yesterday") == day
    assert [path.read_bytes() for path in (home / "recordings").iterdir()] == [b"raw"]
    assert 'leg = "left"' in (home / "settings.toml").read_text()


def test_on_a_new_machine(backup: Path, run_json: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing is there yet, nobody is asked."""
    monkeypatch.setenv("SOLEUS_HOME", str(tmp_path / "new"))
    assert run_json("restore", backup)["sessions"] == 1
    assert run_json("day", "yesterday")["total"] == 1


def test_a_name_of_its_own(backup: Path, run_json: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a name, or in a folder, it is named by the clock."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "safe").mkdir()
    for arguments in ([], [tmp_path / "safe"]):
        told = run_json("backup", *arguments)
        assert Path(told["file"]).name == "soleus-backup-20260304-120000.zip"
        assert told["bytes"] == Path(told["file"]).stat().st_size


def test_nobody_to_ask(backup: Path, home: Path, run: Any) -> None:
    """Data is replaced by --yes only."""
    assert run("restore", backup, expect=2).stderr == (
        f"this would put {backup} in the place of {home} (1 session): add --yes to do it.\n"
    )


def test_a_person_says_no(backup: Path, run: Any, run_json: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is restored."""
    monkeypatch.setattr("tracker.cli.surroundings.somebody_answers", lambda: True)
    assert run("restore", backup, input="n\n", expect=1).stdout.endswith("Nothing was restored.\n")


def test_a_damaged_database_is_replaced(backup: Path, home: Path, run: Any, run_json: Any) -> None:
    """A restore is the way out, so it must not need what is broken."""
    (home / "soleus.db").write_bytes(b"not a database at all" * 100)
    assert "(a database that cannot be used)" in run("restore", backup, expect=2).stderr
    run("restore", backup, "--yes")
    assert run_json("day", "yesterday")["total"] == 1


def test_what_is_no_backup(backup: Path, run: Any, run_json: Any, tmp_path: Path) -> None:
    """A bad file is exit code 2, one sentence, and nothing changes."""
    text, other, cut = (tmp_path / name for name in ("a.csv", "other.zip", "cut.zip"))
    text.write_text("t_s\n")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a.txt", "a")
    cut.write_bytes(backup.read_bytes()[:-100])
    for file in (text, other, cut):
        error = run("restore", file, "--yes", expect=2).stderr
        assert error == f"{file} is not a sound soleus backup: choose another file.\n"
    missing = tmp_path / "none.zip"
    assert run("restore", missing, "--yes", expect=2).stderr.startswith(f"{missing} is not a file: ")
    assert run_json("day", "yesterday")["total"] == 1


def test_refusals(backup: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is overwritten, a missing folder is named, and an empty home has nothing to back up."""
    assert run("backup", backup, expect=2).stderr.startswith(f"{backup} is there already: ")
    run("backup", backup, "--force")
    assert run("backup", tmp_path / "no" / "b.zip", expect=2).stderr.startswith(f"{tmp_path / 'no'} is not a folder: ")
    assert "is inside the data folder" in run("backup", tmp_path / "home", expect=2).stderr
    monkeypatch.setenv("SOLEUS_HOME", str(tmp_path / "empty"))
    assert run("backup", expect=1).stderr.endswith("empty holds no data yet: there is nothing to back up.\n")
    assert not (tmp_path / "empty").exists()
