"""`soleus export`: files that only the wearer reads, complete, and never over another."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tracker.home import Home
from tracker.store import Store

START = datetime(2026, 3, 1, 7, tzinfo=UTC)


@pytest.fixture
def stored(walk_file: Path, run: Any) -> None:
    """The walk of 2026-03-01, 8:00 in Berlin, of the left leg."""
    run("import", walk_file, "--start", "2026-03-01T08:00", "--leg", "left")


@pytest.mark.usefixtures("stored")
def test_events(tmp_path: Path, walk_file: Path, run: Any, run_json: Any) -> None:
    """CSV and JSON hold each event with its instants."""
    for name in ("events.csv", "events.json"):
        assert " events." in run("export", "--events", tmp_path / name).stdout
    with (tmp_path / "events.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    counts = run_json("analyze", walk_file)["counts"]
    assert len(rows) == sum(counts.values()) == len(json.loads((tmp_path / "events.json").read_text()))
    first = rows[0]
    assert (first["session"], first["leg"], first["kind"]) == ("1", "left", "step")
    peak = datetime.fromisoformat(first["peak"])
    assert abs((peak - START).total_seconds() - float(first["peak_s"])) < 0.001
    assert json.loads(first["attributes"])["gait"] == "walk"
    assert (tmp_path / "events.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("stored")
def test_days(tmp_path: Path, run: Any) -> None:
    """One row a day and leg."""
    run("export", "--days", tmp_path / "days.json", "--from", "2026-02-01", "--to", "2026-03-31")
    (row,) = json.loads((tmp_path / "days.json").read_text())
    assert (row["day"], row["zone"], row["leg"]) == ("2026-03-01", "Europe/Berlin", "left")
    assert row["step"] == row["total"] > 30
    run("export", "--days", tmp_path / "days.csv")
    header = (tmp_path / "days.csv").read_text().splitlines()[0]
    assert header.startswith("day,zone,leg,soleus_pushup,heel_raise,ankle_pump,step,pedal,total,deliberate,")


@pytest.mark.usefixtures("stored")
def test_forgotten_samples_stay_out(tmp_path: Path, home: Path, run: Any) -> None:
    """A forgotten stretch is not in the samples either."""
    with Store(Home(home), clock=lambda: START) as store:
        store.forget_range(START + timedelta(seconds=10), START + timedelta(seconds=20))
    run("export", "--session", 1, "--samples", tmp_path / "samples.csv")
    with (tmp_path / "samples.csv").open() as lines:
        times = [float(row["t_s"]) for row in csv.DictReader(lines)]
    assert not [t_s for t_s in times if 10.0 <= t_s < 20.0]
    assert 9.98 in times
    assert 20.0 in times


@pytest.mark.usefixtures("stored")
def test_nothing_is_overwritten(tmp_path: Path, run: Any) -> None:
    """A file that is there stays, unless --force is given."""
    path = tmp_path / "days.csv"
    path.write_text("mine")
    stderr = run("export", "--days", path, expect=2).stderr
    assert stderr == f"{path} is there already: choose another name, or add --force to replace it.\n"
    assert path.read_text() == "mine"
    run("export", "--days", path, "--force")
    assert path.read_text().startswith("day,")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "choose one of --samples FILE, --events FILE and --days FILE."),
        (["--events", "a.csv", "--days", "b.csv"], 2, "choose one of --samples FILE, --events FILE and --days FILE."),
        (["--samples", "a.csv"], 2, "--samples and --session go together: give both, or another export."),
        (
            ["--samples", "a.csv", "--session", "9"],
            1,
            "there is no session 9: `soleus sessions` lists those that exist.",
        ),
        (["--days", "a.txt"], 2, "a.txt: the name must end in .csv or .json."),
        (["--samples", "a.txt", "--session", "1"], 2, "a.txt: the name must end in .csv, .csv.gz, .parquet."),
        (["--days", "a.csv", "--from", "2026-04-01", "--to", "2026-03-01"], 2, "--to is before --from: exchange them."),
        (
            ["--days", "a.csv", "--from", "2026-04-01", "--to", "2026-04-02"],
            1,
            "nothing was recorded in that time: choose other days with --from and --to.",
        ),
        (["--days", "no/a.csv"], 2, "no/a.csv cannot be written (No such file or directory): choose another place."),
    ],
)  # fmt: skip
def test_refusals(
    arguments: list[str], code: int, sentence: str, tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every refusal is a sentence, and leaves no file."""
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    assert run("export", *arguments, expect=code).stderr == sentence + "\n"
    assert set(tmp_path.iterdir()) == before


def test_nothing_stored(tmp_path: Path, home: Path, run: Any) -> None:
    """An empty home stays empty and is said to be."""
    stderr = run("export", "--days", tmp_path / "a.csv", expect=1).stderr
    assert stderr.startswith("nothing is stored yet")
    assert not home.exists()


@pytest.mark.usefixtures("stored")
def test_a_recording_that_is_gone(home: Path, tmp_path: Path, run: Any) -> None:
    """Samples need the recording; without it only counts are kept."""
    for path in (home / "recordings").iterdir():
        path.unlink()
    stderr = run("export", "--session", 1, "--samples", tmp_path / "a.csv", expect=1).stderr
    assert stderr == "the recording of session 1 is not kept any more, only its counts are.\n"
