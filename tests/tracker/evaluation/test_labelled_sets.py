"""The maker of labelled sets: what it writes can be evaluated, and says what was done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracker.evaluation.judging import judge
from tracker.evaluation.labelled import labelled_in
from tracker.evaluation.running import found_in
from tracker.evaluation.truth import Source

ROOT = Path(__file__).parents[3]


def make(folder: Path, *arguments: str, data: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.labelled", str(folder), "--jobs", "1", *arguments]
    environment = os.environ | {"SOLEUS_TEST_DATA": data}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_sets_of_the_simulated_leg(tmp_path: Path) -> None:
    """A person of a seed does the same twice; peaks are where the movement is; bounce is a stretch of its own."""
    asked = ("--seeds", "30700", "--set", "pushups-usual", "--set", "bounce-fast")
    for folder in ("once", "again"):
        assert make(tmp_path / folder, *asked).returncode == 0
    pushups, bounce = (tmp_path / "once" / f"{name}/30700.truth.json" for name in ("pushups-usual", "bounce-fast"))
    assert pushups.read_text() == (tmp_path / "again" / "pushups-usual" / "30700.truth.json").read_text()
    found = labelled_in(tmp_path / "once")
    assert [(one.name, one.truth.condition, one.truth.source) for one in found] == [
        ("bounce-fast/30700", "bounce-fast", Source.SIMULATED),
        ("pushups-usual/30700", "pushups-usual", Source.SIMULATED),
    ]
    (stretch,) = json.loads(bounce.read_text())["intervals"]
    assert stretch["label"] == "bounce"
    assert stretch["end_s"] - stretch["start_s"] == pytest.approx(120.0, abs=0.05)
    judged = judge(found[1].truth, found_in(found[1]))
    assert judged.true == 12
    assert judged.hits >= 11


def test_real_recordings_are_linked_not_copied(tmp_path: Path) -> None:
    """Truth files point to the recordings by a path relative to themselves; steps by the force plates' count."""
    data = tmp_path / "data" / "pearl_treadmill"
    data.mkdir(parents=True)
    (data / "Sub01_CSBaseline.csv.gz").touch()
    (data / "counts.csv").write_text(
        "file,l_steps_grf,l_peaks_inside_force_swing,r_steps_grf,r_peaks_inside_force_swing\nSub01_CSBaseline,2,1.0,3,0.5\n"
    )
    (data / "contacts.csv").write_text(
        "file,foot,toe_off_s,contact_s\nSub01_CSBaseline,l,1.0,1.5\nSub01_CSBaseline,l,,3.0\n"
    )
    out = tmp_path / "out"
    assert make(out, "--set", "real", data=str(tmp_path / "data")).returncode == 0
    left, right = labelled_in(out)
    assert left.recording.samefile(data / "Sub01_CSBaseline.csv.gz")
    assert not Path(left.truth.recording).is_absolute()
    assert [event.peak_s for event in left.truth.events or ()] == [1.25, 2.775]
    assert (left.truth.counts["step"], left.truth.options.prefix, left.truth.condition) == (
        2, "lshank_", "walking-normal (tuning)",
    )  # fmt: skip
    assert (right.truth.counts["step"], right.truth.events) == (3, None)


def test_real_recordings_must_be_somewhere(tmp_path: Path) -> None:
    """Without SOLEUS_TEST_DATA it says what to set."""
    done = make(tmp_path, "--set", "real")
    assert done.returncode == 1
    assert "SOLEUS_TEST_DATA" in done.stderr
    assert "Traceback" not in done.stderr
