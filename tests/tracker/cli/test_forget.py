"""`soleus forget`, `undo` and `correct`: what goes, what comes back, what is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from drivers.recording import open_recording
from tracker.cli.main import cli
from tracker.home import Home
from tracker.store import Store


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person sits at the terminal."""
    monkeypatch.setattr("tracker.cli.surroundings.somebody_answers", lambda: True)


@pytest.fixture
def two(keep: Any, noon: datetime) -> None:
    """Session 1 on Monday from 8 to 9 with a recording, session 2 on Tuesday."""
    keep("2026-03-02T08:00:00+01:00", [60, 1800, 3000], recording=b"x" * 2000)
    keep("2026-03-03T08:00:00+01:00", [60])


LOSS = "session 1 (left leg, 2026-03-02 08:00): 1:00 h, 3 contractions and 2.0 kB of recording"


@pytest.mark.usefixtures("two")
def test_a_session_and_back(home: Path, run: Any, run_json: Any) -> None:
    """A session goes with its recording; undo brings both back to the last count."""
    before = run_json("day", "monday")
    text = run("forget", "--session", 1, "--yes").stdout
    assert text == f"Forgotten: {LOSS}.\n`soleus undo` brings it back until Wednesday 11 March 2026.\n"
    assert run_json("day", "monday", expect=1)["counts"] is None
    assert [session["id"] for session in run_json("sessions")] == [2]
    assert not list((home / "recordings").iterdir())
    assert run("undo").stdout.startswith("Taken back: forgot session 1 (done 2026-03-04 12:00).\nThe next undo")
    assert run_json("day", "monday") == before
    assert len(list((home / "recordings").iterdir())) == 1


@pytest.mark.usefixtures("two")
def test_a_stretch_in_json(run_json: Any) -> None:
    """What lies wholly inside goes whole, another session loses exactly the stretch."""
    range_ = ("--from", "2026-03-02T08:30", "--to", "2026-03-04T00:00")
    told = run_json("forget", *range_, "--yes")
    assert told["forgotten"] == {
        "sessions": [2],
        "parts": [{"session": 1, "start": "2026-03-02T08:30:00+01:00", "end": "2026-03-02T09:00:00+01:00"}],
        "duration_s": 5400.0,
        "events": 3,
        "recording_bytes": 1000,
    }
    assert (run_json("day", "monday")["total"], run_json("day", "monday")["recorded_s"]) == (1, 1800.0)
    assert run_json("undo")["undone"]["kind"] == "deletion"
    assert run_json("day", "monday")["total"] == 3


def test_a_stretch_over_a_change_of_the_clocks(keep: Any, run_json: Any, at: Any) -> None:
    """From two (summer) to two (winter) is an hour, though the clock shows the same."""
    at(datetime(2026, 11, 1, tzinfo=UTC))
    keep("2026-10-25T00:00:00+02:00", [7200 + 60, 7200 + 3660], length_s=6 * 3600)
    range_ = ("--from", "2026-10-25T02:00+02:00", "--to", "2026-10-25T02:00+01:00")
    told = run_json("forget", *range_, "--yes")["forgotten"]
    assert (told["duration_s"], told["events"]) == (3600.0, 1)
    assert (run_json("day", "2026-10-25")["total"], run_json("day", "2026-10-25")["recorded_s"]) == (1, 5 * 3600.0)


@pytest.mark.usefixtures("two")
def test_nobody_to_ask(run: Any, run_json: Any) -> None:
    """Without a person and without --yes nothing is done, and what would go is said."""
    assert run("forget", "--session", 1, expect=2).stderr == f"this would forget {LOSS}: add --yes to do it.\n"
    assert len(run_json("sessions")) == 2


@pytest.mark.usefixtures("two", "somebody")
def test_a_person_is_asked(run: Any, run_json: Any) -> None:
    """No is no, and yes is yes."""
    refused = run("forget", "--session", 1, input="n\n", expect=1)
    assert refused.stderr.startswith(f"Forget {LOSS}? [y/N]:")
    assert refused.stdout.endswith("Nothing was forgotten.\n")
    assert len(run_json("sessions")) == 2
    run("forget", "--session", 1, input="y\n")
    assert len(run_json("sessions")) == 1


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "say what to forget: --session ID, or --from TIME with --to TIME."),
        (["--from", "2026-03-02T08:00"], 2, "say what to forget: --session ID, or --from TIME with --to TIME."),
        (["--session", "1", "--to", "2026-03-02T08:00"], 2, "say what to forget: "),
        (["--session", "9"], 1, "there is no session 9: `soleus sessions` lists those that exist."),
        (["--from", "2026-03-02", "--to", "2026-03-03"], 2, "'2026-03-02' is a date without a time: "),
        (
            ["--from", "2026-03-02T09:00", "--to", "2026-03-02T08:00"],
            2,
            "--to (2026-03-02T08:00:00+01:00) is not after ",
        ),
        (["--from", "2020-03-02T09:00", "--to", "2020-03-02T10:00"], 1, "nothing was recorded between 2020-03-02T09:"),
    ],
)
def test_refusals(arguments: list[str], code: int, sentence: str, run: Any) -> None:
    """One sentence each, and the right exit code."""
    result = run("forget", *arguments, "--yes", expect=code)
    assert result.stderr.startswith(sentence)
    assert (result.stdout, result.stderr.count("\n")) == ("", 1)


@pytest.mark.parametrize(
    "arguments", [["forget", "--session", "1", "--yes"], ["undo"], ["correct", "--session", "1", "--leg", "left"]]
)
def test_no_home_yet(arguments: list[str], run: Any, tree: Any) -> None:
    """There is nothing to change, and nothing is created."""
    assert re.fullmatch(r"nothing is stored yet in .*\.\n", run(*arguments, expect=1).stderr)
    assert tree() == []


@pytest.mark.usefixtures("two")
def test_undo_until_nothing_is_left(run: Any) -> None:
    """The last first; then one sentence and exit code 1."""
    assert "imported a.csv as session 2" in run("undo").stdout
    assert run("undo").stdout == "Taken back: imported a.csv as session 1 (done 2026-03-02 08:00).\n"
    assert run("undo", expect=1).stderr == "there is nothing to undo.\n"


@pytest.mark.usefixtures("two")
def test_the_leg_is_corrected(run: Any, run_json: Any) -> None:
    """The other leg has the day, until undo."""
    assert run("correct", "--session", 1, "--leg", "right").stdout == "Session 1 corrected: leg right (was left).\n"
    assert run_json("day", "monday")["leg"] == "right"
    run("undo")
    assert run_json("day", "monday")["leg"] == "left"
    assert run("correct", "--session", 1, "--leg", "left").stdout == "Session 1 corrected: it was so already.\n"


@pytest.mark.usefixtures("two")
def test_the_start_is_corrected(run_json: Any) -> None:
    """Its contractions belong to the other day."""
    told = run_json("correct", "--session", 1, "--start", "2026-03-01T23:30")
    assert (told["before"]["started_at"], told["after"]["started_at"]) == (
        "2026-03-02T08:00:00+01:00",
        "2026-03-01T23:30:00+01:00",
    )
    assert (run_json("day", "2026-03-01")["total"], run_json("day", "2026-03-02")["total"]) == (1, 2)


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--session", "1"], 2, "say what is right: --leg left, --leg right, or --start TIME."),
        (["--session", "9", "--leg", "left"], 1, "there is no session 9: "),
        (["--session", "1", "--start", "then"], 2, "'then' is not an ISO 8601 time: "),
        (["--session", "1", "--start", "2026-03-29T02:30"], 2, "2026-03-29T02:30 does not exist in Europe/Berlin"),
        (["--leg", "left"], 2, "Missing option '--session'"),
    ],
)
def test_wrong_corrections(arguments: list[str], code: int, sentence: str, run: Any) -> None:
    """One sentence each, and the right exit code."""
    assert run("correct", *arguments, expect=code).stderr.startswith(sentence)


@pytest.mark.usefixtures("noon")
def test_the_recording_is_trimmed_when_undo_is_over(
    walk_file: Path, home: Path, run: Any, at: Any, noon: datetime
) -> None:
    """A week later the forgotten stretch is in no file any more; what is outside keeps its seconds."""
    run("import", walk_file, "--start", "2026-03-03T08:00", "--leg", "left")
    run("forget", "--from", "2026-03-03T08:00:10", "--to", "2026-03-03T08:00:20", "--yes")
    (recording,) = (home / "recordings").glob("*.sqlite")
    before = _seconds(recording)
    at(noon + timedelta(days=8))
    run("import", walk_file, "--start", "2026-03-05T08:00", "--leg", "left")
    run("forget", "--session", 2, "--yes")
    assert _seconds(recording) == [t_s for t_s in before if not 10 <= t_s < 20]
    with Store(Home(home), clock=lambda: datetime(2026, 4, 1, tzinfo=UTC)) as store:
        assert store.check(full=True) == []


def _seconds(recording: Path) -> list[float]:
    with open_recording(recording) as opened:
        return [float(t_s) for chunk in opened.rows() for t_s in chunk.t_s]


def test_old_recordings_go_with_the_settings(keep: Any, home: Path, run: Any, run_json: Any, noon: datetime) -> None:
    """A writing command deletes recordings beyond their time, never a count."""
    keep("2026-01-02T08:00:00+01:00", [60], recording=b"x")
    keep("2026-03-03T08:00:00+01:00", [60], recording=b"y")
    run("settings", "keep_days", 30)
    assert len(list((home / "recordings").iterdir())) == 2
    run("correct", "--session", 2, "--leg", "right")
    assert [path.read_bytes() for path in (home / "recordings").iterdir()] == [b"y"]
    assert run_json("day", "2026-01-02")["total"] == 1


def test_a_folder_that_may_not_be_written(keep: Any, run: Any, noon: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the fix, and exit code 4."""
    keep("2026-03-03T08:00:00+01:00", [60])

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "soleus.lock")

    monkeypatch.setattr("tracker.cli.surroundings.open_store", refuse)
    for arguments in (["undo"], ["forget", "--session", "1", "--yes"]):
        assert "cannot be written: mend its permissions" in run(*arguments, expect=4).stderr


def test_commands_are_lazy() -> None:
    """The group knows them without importing them."""
    assert {"forget", "undo", "correct"} <= set(cli.list_commands(None))  # type: ignore[arg-type]
