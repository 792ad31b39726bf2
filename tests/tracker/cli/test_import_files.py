"""`soleus import`: whole or not at all, once or not again, at the right instant."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analysis.events import Leg
from drivers.recording import open_recording
from tracker.cli import surroundings
from tracker.home import Home
from tracker.store import SessionRecord, Store

ROOT = Path(__file__).parents[3]
START = "2026-03-01T08:00:00"
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def sessions(home: Path) -> list[SessionRecord]:
    """What is stored, the latest first."""
    with Store(Home(home), clock=lambda: NOW) as store:
        return store.sessions()


def recordings(home: Path) -> list[Path]:
    """Everything in the recordings folder."""
    return sorted((home / "recordings").iterdir())


def test_a_file_becomes_a_session(walk_file: Path, home: Path, run: Any, run_json: Any) -> None:
    """Counts, times, leg and recording of the session are those of the file."""
    text = run("import", walk_file, "--start", START, "--leg", "left").stdout
    assert text.startswith("Session 1: walk.csv, 1:")
    assert "left leg from 2026-03-01 08:00:00+01:00" in text
    (session,) = sessions(home)
    told = run_json("analyze", walk_file)
    assert {str(kind): count for kind, count in session.counts.items()} == told["counts"]
    assert (session.leg, session.zone, session.source) == (Leg.LEFT, "Europe/Berlin", "walk.csv")
    assert session.started_at == datetime(2026, 3, 1, 7, tzinfo=UTC)
    assert session.duration_s == pytest.approx(told["recording"]["duration_s"])
    assert [home / str(session.recording)] == recordings(home)


def test_rows_are_kept_losslessly(walk_file: Path, home: Path, tmp_path: Path, run: Any) -> None:
    """What was imported comes out again, to the bit."""
    run("import", walk_file, "--start", START, "--leg", "left")
    run("export", "--session", 1, "--samples", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == walk_file.read_text()
    with open_recording(recordings(home)[0]) as recording:
        assert (recording.header.leg, recording.header.source) == ("left", "import")
        assert recording.anchors[0].wall_ns == 1_772_348_400 * 10**9


def test_twice_changes_nothing(walk_file: Path, home: Path, run: Any, run_json: Any) -> None:
    """The same content, prefix, leg and start again is said to be there already."""
    run("import", walk_file, "--start", START, "--leg", "left")
    text = run("import", walk_file, "--start", "2026-03-01T07:00Z", "--leg", "left").stdout
    assert text == "walk.csv is stored already, as session 1: nothing was changed.\n"
    told = run_json("import", walk_file, "--start", START, "--leg", "left")
    assert (told["files"][0]["status"], told["files"][0]["session"]) == ("already_stored", 1)
    assert (len(sessions(home)), len(recordings(home))) == (1, 1)


@pytest.mark.parametrize(("leg", "start"), [("right", START), ("left", "2026-03-01T09:00")])
def test_another_leg_or_start_is_another_session(leg: str, start: str, walk_file: Path, home: Path, run: Any) -> None:
    """Content alone does not make a session the same."""
    run("import", walk_file, "--start", START, "--leg", "left")
    run("import", walk_file, "--start", start, "--leg", leg)
    assert len(sessions(home)) == 2


def test_the_document(walk_file: Path, emg_file: Path, run_json: Any) -> None:
    """`--json` says of each file what became of it."""
    told = run_json("import", walk_file, emg_file, "--start", START, "--leg", "left")
    first, second = told["files"]
    assert (first["status"], first["session"], first["leg"], first["error"]) == ("stored", 1, "left", None)
    assert first["started_at"] == "2026-03-01T08:00:00+01:00"
    assert first["counts"]["step"] > 30
    assert second["counts"]["step"] is None


def test_bad_files_beside_good_ones(walk_file: Path, bad_file: Path, home: Path, run: Any) -> None:
    """Good files are stored, bad ones named with line and column, and the exit code is 2."""
    missing = bad_file.with_name("missing.csv")
    result = run("import", bad_file, walk_file, missing, "--start", START, "--leg", "left", expect=2)
    first, second = result.stderr.splitlines()
    assert first.startswith(f"{bad_file}, line 2002: column acc_y_mps2")
    assert second == f"{missing}: there is no such file."
    assert [session.source for session in sessions(home)] == ["walk.csv"]
    assert len(recordings(home)) == 1


def test_a_bad_file_leaves_nothing(bad_file: Path, home: Path, run: Any) -> None:
    """A fault in the last line stores nothing at all."""
    run("import", bad_file, "--start", START, "--leg", "left", expect=2)
    assert (sessions(home), recordings(home)) == ([], [])


def test_without_a_start(walk_file: Path, home: Path, run: Any) -> None:
    """A script that names no start is refused with a sentence, before anything is made."""
    stderr = run("import", walk_file, expect=2).stderr
    assert stderr == (
        "a sample file does not say when it began: add --start with the time of its t_s = 0, "
        "such as --start 2026-05-01T14:30:00.\n"
    )
    assert not home.exists()


def test_nothing_is_asked_about_a_file_that_is_not(home: Path, tmp_path: Path, run: Any) -> None:
    """Neither when it began nor whose leg it was: that it is missing is what the wearer must hear."""
    missing = tmp_path / "walk.csv"
    assert run("import", missing, expect=2).stderr == f"{missing}: there is no such file.\n"


def test_nothing_is_asked_about_a_header_that_is_wrong(tmp_path: Path, run: Any) -> None:
    """What is wrong with the file comes first; a start would not help it. And what is not stored has no leg to name."""
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    for start in ((), ("--start", START)):
        stderr = run("import", wrong, *start, expect=2).stderr
        assert stderr == f"{wrong}, line 1: column t_s (seconds from the start) is missing from the header.\n"


def test_questions(walk_file: Path, home: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody at a terminal is asked for the start and the leg."""
    monkeypatch.setattr(surroundings, "somebody_answers", lambda: True)
    run("import", walk_file, input="2026-03-01 08:00\nright\n")
    (session,) = sessions(home)
    assert (session.leg, session.started_at) == (Leg.RIGHT, datetime(2026, 3, 1, 7, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "sentence"),
    [
        ("yesterday", "'yesterday' is not an ISO 8601 time: write it as 2026-05-01T14:30:00."),
        ("2026-03-01", "'2026-03-01' is a date without a time: write it as 2026-03-01T14:30:00."),
        ("0026-03-01T08:00", "'0026-03-01T08:00' is not between 1970 and 2199: check the year."),
        (
            "2026-03-29T02:30",
            "2026-03-29T02:30 does not exist in Europe/Berlin, because the clocks go forward over it: "
            "give a time that does, or one with its offset.",
        ),
        (
            "2026-10-25T02:30",
            "2026-10-25T02:30 happens twice in Europe/Berlin, because the clocks go back: write "
            "2026-10-25T02:30+02:00 for the first time or 2026-10-25T02:30+01:00 for the second.",
        ),
    ],
)
def test_starts_that_cannot_be(start: str, sentence: str, walk_file: Path, run: Any) -> None:
    """A start that is no instant is explained."""
    assert run("import", walk_file, "--leg", "left", "--start", start, expect=2).stderr == sentence + "\n"


def test_no_leg_named(walk_file: Path, home: Path, run: Any) -> None:
    """Nobody said which leg: it is stored as not known, and that is said."""
    stderr = run("import", walk_file, "--start", START).stderr
    assert stderr == "stored without a leg, because none was named: --leg left or --leg right names it.\n"
    assert sessions(home)[0].leg is None


def test_leg_of_the_settings(walk_file: Path, home: Path, run: Any) -> None:
    """The settings may name the usual leg."""
    home.mkdir()
    (home / "settings.toml").write_text('leg = "right"\nzone = "Asia/Tokyo"\n')
    run("import", walk_file, "--start", START)
    (session,) = sessions(home)
    assert (session.leg, session.zone) == (Leg.RIGHT, "Asia/Tokyo")


@pytest.mark.parametrize(("prefix", "leg"), [("lshank_", Leg.LEFT), ("right_ankle", Leg.RIGHT), ("lower_", None)])
def test_leg_of_the_prefix(prefix: str, leg: Leg | None, walk_file: Path, home: Path, tmp_path: Path, run: Any) -> None:
    """A prefix that names a leg is taken for it, and that is said."""
    named = prefix.rstrip("_") + "_"
    header, rows = walk_file.read_text().split("\n", 1)
    path = tmp_path / "two.csv"
    path.write_text(header.replace("acc", f"{named}acc").replace("gyr", f"{named}gyr") + "\n" + rows)
    result = run("import", path, "--start", START, "--prefix", prefix)
    assert sessions(home)[0].leg is leg
    assert ("by the prefix" in result.stderr) is (leg is not None)


def test_a_recording_brings_its_own_start_and_leg(packets_file: Path, home: Path, run: Any) -> None:
    """A recording of packets needs neither --start nor --leg; its packets are kept."""
    run("import", packets_file)
    (session,) = sessions(home)
    assert (session.leg, session.zone) == (Leg.RIGHT, "Europe/Berlin")
    assert abs((session.started_at - datetime(2026, 4, 1, 10, tzinfo=UTC)).total_seconds()) < 1.0
    assert (session.totals.packets, session.totals.samples) == (120, 6000)
    with open_recording(recordings(home)[0]) as kept, open_recording(packets_file) as given:
        assert kept.digest() == given.digest()
        assert (kept.header, kept.anchors) == (given.header, given.anchors)
    assert "stored already" in run("import", packets_file).stdout


def test_what_is_said_goes_before_what_a_recording_says(packets_file: Path, home: Path, run: Any) -> None:
    """--start and --leg correct a recording."""
    run("import", packets_file, "--start", START, "--leg", "left")
    (session,) = sessions(home)
    assert (session.leg, session.started_at) == (Leg.LEFT, datetime(2026, 3, 1, 7, tzinfo=UTC))


def test_leftovers_are_swept(walk_file: Path, home: Path, run: Any) -> None:
    """What a killed import left is gone after the next one; nothing else is touched."""
    folder = home / "recordings"
    folder.mkdir(parents=True)
    for name in (".import-1.sqlite", ".import-1.sqlite-wal", f"import-{'0' * 64}.sqlite", "live.sqlite"):
        (folder / name).write_text("x")
    run("import", walk_file, "--start", START, "--leg", "left")
    kept = {path.name for path in recordings(home)}
    assert kept == {"live.sqlite", Path(str(sessions(home)[0].recording)).name}


def test_killed_at_any_instant(walk_file: Path, home: Path) -> None:
    """After kill -9 the session is there whole or not at all, and running again completes it."""
    command = [sys.executable, "-m", "tracker", "import", str(walk_file), "--start", START, "--leg", "left"]
    begun = time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    took_s = time.monotonic() - begun
    counts = sessions(home)[0].counts
    for number in range(5):
        started = subprocess.Popen(
            [*command[:-3], f"2026-04-0{number + 1}T08:00", *command[-2:]], cwd=ROOT, stdout=subprocess.DEVNULL
        )
        with_pause(started, took_s * (0.5 + 0.12 * number))
        assert all(session.counts == counts and session.ended_at for session in sessions(home))
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    assert {Path(str(session.recording)).name for session in sessions(home)} == {path.name for path in recordings(home)}


def with_pause(started: subprocess.Popen[bytes], pause_s: float) -> None:
    """Kills a process that has run for so long."""
    try:
        started.wait(pause_s)
    except subprocess.TimeoutExpired:
        os.kill(started.pid, signal.SIGKILL)
        started.wait()


def test_two_processes_import_at_once(walk_file: Path, home: Path) -> None:
    """Nothing is lost where two imports run at the same time, also of the same content."""
    command = [sys.executable, "-m", "tracker", "import", str(walk_file), "--leg", "left", "--start"]
    starts = ["2026-03-01T08:00", "2026-03-02T08:00", "2026-03-02T08:00"]
    running = [subprocess.Popen([*command, start], cwd=ROOT, stdout=subprocess.DEVNULL) for start in starts]
    assert [process.wait() for process in running] == [0, 0, 0]
    stored = sessions(home)
    assert len(stored) == 2
    assert sorted(str(home / str(session.recording)) for session in stored) == [str(p) for p in recordings(home)]


def test_private_files(walk_file: Path, home: Path, run: Any) -> None:
    """Only the wearer can read what is stored."""
    run("import", walk_file, "--start", START, "--leg", "left")
    assert {path.stat().st_mode & 0o077 for path in [home, *home.rglob("*")]} == {0}


def test_a_home_that_cannot_be(walk_file: Path, run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder that cannot be used is exit code 4 and one sentence."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SOLEUS_HOME", str(tmp_path / "file" / "home"))
    stderr = run("import", walk_file, "--start", START, "--leg", "left", expect=4).stderr
    assert "cannot be used as a data folder" in stderr
    assert stderr.count("\n") == 1


def test_it_keeps_house(keep: Any, walk_file: Path, home: Path, run: Any, noon: datetime) -> None:
    """Import and recount delete recordings beyond their time; one that just came in stays, however old its walk."""
    keep("2025-01-02T08:00:00+01:00", [60], recording=b"x")
    run("import", walk_file, "--start", "2025-01-03T08:00", "--leg", "left")
    assert [session.recording is None for session in sessions(home)] == [False, True]
    keep("2025-01-04T08:00:00+01:00", [60], recording=b"y")
    assert "session 3 keeps its old counts" in run("recount", expect=2).stderr
    assert [session.recording is None for session in sessions(home)] == [True, False, True]
    assert len(recordings(home)) == 1
