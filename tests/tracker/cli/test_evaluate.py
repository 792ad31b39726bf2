"""`soleus evaluate`: figures of a folder, as a table and as JSON, and what is said where there are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.leg.movements import Raises
from analysis.leg.story import Teller, Wearer
from tracker.samplefile import write_samples


def seated(seed: int) -> Teller:
    rng = np.random.default_rng(seed)
    return Teller(Wearer.anybody(rng), 50.0, rng)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people who do push-ups and one who sits, with their truths."""
    folder = tmp_path_factory.mktemp("labelled")
    for name, seed in (("usual/a", 30_900), ("usual/b", 30_901), ("still/c", 30_902)):
        story = seated(seed).sit(15.0)
        if name.startswith("usual"):
            story.pushups(Raises(8, 40.0, np.radians(30.0)))
        told = story.sit(15.0).record()
        (folder / name).parent.mkdir(exist_ok=True)
        write_samples(folder / f"{name}.csv", [told.blocks])
        truth: dict[str, Any] = {
            "events": [{"kind": str(e.kind), "peak_s": e.peak_s} for e in told.truth],
            "source": "simulated",
            "person": name,
        }
        if not told.truth:
            truth["intervals"] = [{"label": "sitting_still", "start_s": 0.0, "end_s": 30.0}]
        (folder / f"{name}.truth.json").write_text(json.dumps(truth))
    return folder


def test_the_document(labelled: Path, run_json: Any) -> None:
    """Scores by source, condition and kind; false alarms with the recall beside them; ten bins."""
    told = run_json("evaluate", labelled)
    assert list(told) == ["algorithm", "tolerance_s", "bootstrap", "sources", "uncountable"]
    assert list(told["sources"]) == ["simulated"]
    part = told["sources"]["simulated"]
    assert (part["recordings"], part["people"]) == (3, 3)
    assert list(part["conditions"]) == ["still", "usual"]
    pushups = part["conditions"]["usual"]["soleus_pushup"]
    assert pushups["true"] == 16
    assert pushups["f1"]["value"] >= 0.9
    assert pushups["f1"]["low"] <= pushups["f1"]["value"] <= pushups["f1"]["high"]
    assert pushups["timing_error_s"] <= 0.1
    alarms = part["false_alarms"]["sitting_still"]
    assert (alarms["hours"], alarms["false"]) == (pytest.approx(30 / 3600, abs=1e-4), 0)
    assert alarms["recall"]["value"] is None
    assert alarms["recall_all"]["value"] == part["recall"]["value"] >= 0.9
    assert len(part["calibration"]["bins"]) == 10
    assert sum(b["events"] for b in part["calibration"]["bins"]) == part["overall"]["any"]["found"]


def test_the_table(labelled: Path, run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """For people: conditions, false alarms, and the diagram of confidence, in 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    said = run("evaluate", labelled).stdout
    for part in ("simulated: 3 recordings of 3 people", "push-ups", "sitting still", "0.9 to 1.0", "recall of all"):
        assert part in said
    assert [line for line in said.splitlines() if len(line) > 80] == []


def test_seed_and_processes_do_not_change_the_figures(labelled: Path, tmp_path: Path, run_json: Any) -> None:
    """The same seed gives the same document; so do two processes, where there is enough to do."""
    once = run_json("evaluate", labelled, "--seed", 3)
    assert once == run_json("evaluate", labelled, "--seed", 3)
    for n in range(32):
        truth = json.loads((labelled / "usual" / "a.truth.json").read_text())
        truth["recording"] = str(labelled / "usual" / "a.csv")
        (tmp_path / f"{n}.truth.json").write_text(json.dumps(truth))
    assert run_json("evaluate", tmp_path, "--jobs", 2) == run_json("evaluate", tmp_path, "--jobs", 1)


def test_a_damaged_recording_is_named_from_another_process(labelled: Path, tmp_path: Path, run: Any) -> None:
    """One sentence with the file, and exit code 2, however many processes there are."""
    (tmp_path / "bad.csv").write_text("t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2\n0,1,2,x\n")
    for n in range(32):
        (tmp_path / f"{n}.truth.json").write_text(json.dumps({"events": [], "recording": "bad.csv"}))
    for jobs in (1, 2):
        said = run("evaluate", tmp_path, "--jobs", jobs, expect=2)
        assert "bad.csv, line 2" in said.stderr
        assert said.stderr.count("\n") == 1


def test_what_cannot_be_scored_is_one_sentence(tmp_path: Path, emg_file: Path, run: Any) -> None:
    """No labels or nothing countable: exit 1. A wrong truth, folder, seed or picture: exit 2."""
    assert "no labelled recording" in run("evaluate", tmp_path, expect=1).stderr
    assert "no such folder" in run("evaluate", tmp_path / "none", expect=2).stderr
    truth = tmp_path / "a.truth.json"
    truth.write_text(json.dumps({"events": [], "recording": str(emg_file)}))
    assert "can be counted" in run("evaluate", tmp_path, expect=1).stderr
    assert "ends in .png or .svg" in run("evaluate", tmp_path, "--plot", "a.pdf", expect=2).stderr
    assert "0 or more" in run("evaluate", tmp_path, "--seed", "-1", expect=2).stderr
    truth.write_text("{")
    said = run("evaluate", tmp_path, expect=2).stderr
    assert "a.truth.json, line 1" in said
    assert said.count("\n") == 1


def test_what_cannot_be_counted_is_left_out_and_said(labelled: Path, tmp_path: Path, emg_file: Path, run: Any) -> None:
    """An unknown count is no zero: the recording enters no figure."""
    truth = {"events": [{"kind": "step", "peak_s": 1.0}], "recording": str(emg_file)}
    (tmp_path / "muscle.truth.json").write_text(json.dumps(truth))
    usual = json.loads((labelled / "usual" / "a.truth.json").read_text())
    (tmp_path / "a.truth.json").write_text(json.dumps(usual | {"recording": str(labelled / "usual" / "a.csv")}))
    done = run("evaluate", tmp_path, "--json")
    told = json.loads(done.stdout)
    assert [one["recording"] for one in told["uncountable"]] == ["muscle"]
    assert told["sources"]["simulated"]["recordings"] == 1
    assert "muscle is left out" in done.stderr


def test_a_picture(labelled: Path, tmp_path: Path, run: Any) -> None:
    """The reliability diagram as SVG, where matplotlib is installed."""
    pytest.importorskip("matplotlib")
    run("evaluate", labelled, "--plot", tmp_path / "diagram.svg", "--json")
    assert "<svg" in (tmp_path / "diagram.svg").read_text()


def test_a_picture_without_matplotlib(labelled: Path, tmp_path: Path, run: Any, monkeypatch: Any) -> None:
    """Says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    assert "pip install matplotlib" in run("evaluate", labelled, "--plot", tmp_path / "d.png", expect=2).stderr
