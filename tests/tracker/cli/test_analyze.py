"""`soleus analyze`: the contract's document, for files, recordings, and what cannot be counted."""

from __future__ import annotations

import csv
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.events import Kind

UNITS = ("--acc-unit", "mps2", "--gyr-unit", "rad_s")


def real(name: str) -> Path:
    """A recording by others."""
    root = os.environ.get("SOLEUS_TEST_DATA")
    if not root or not (Path(root) / name).exists():
        pytest.skip(f"SOLEUS_TEST_DATA has no {name}")
    return Path(root) / name


def tiles(document: dict[str, Any]) -> bool:
    """Whether the states lie end to end from the first sample to the last."""
    states, recording = document["states"], document["recording"]
    edges = (states[0]["start_s"], states[-1]["end_s"])
    return edges == (recording["first_s"], recording["last_s"]) and all(
        before["end_s"] == after["start_s"] for before, after in pairwise(states)
    )


def test_the_document(walk_file: Path, run_json: Any) -> None:
    """Keys, kinds, ids and tiling states are those of the contract."""
    told = run_json("analyze", walk_file, "--leg", "left")
    assert list(told)[:6] == ["recording", "counts", "events", "states", "bounce_s", "algorithm"]
    assert list(told["counts"]) == ["soleus_pushup", "heel_raise", "ankle_pump", "step", "pedal"]
    assert set(told["algorithm"]) == {"name", "version", "params_sha256"}
    assert told["recording"].items() >= {"rate_hz": 50.0, "modalities": ["imu"], "gaps": [], "leg": "left"}.items()
    assert told["recording"]["worn_s"] == pytest.approx(told["recording"]["duration_s"])
    assert [event["id"] for event in told["events"]] == list(range(1, len(told["events"]) + 1))
    assert told["counts"]["step"] == sum(event["kind"] == "step" for event in told["events"]) >= 36
    for event in told["events"]:
        assert event["onset_s"] < event["peak_s"] < event["end_s"]
        assert 0.0 <= event["confidence"] <= 1.0
    assert {event["gait"] for event in told["events"] if event["kind"] == "step"} == {"walk"}
    assert tiles(told)


def test_a_gap(walk_file: Path, tmp_path: Path, run_json: Any) -> None:
    """Missing samples are a gap from the sample before to the one after, unknown and not worn."""
    lines = walk_file.read_text().splitlines()
    kept = [line for line in lines[1:] if not 50.0 < float(line.split(",")[0]) < 60.0]
    path = tmp_path / "gap.csv"
    path.write_text("\n".join([lines[0], *kept]))
    told = run_json("analyze", path)
    (gap,) = told["recording"]["gaps"]
    assert told["recording"]["gap_s"] == pytest.approx(gap["end_s"] - gap["start_s"]) == pytest.approx(10, abs=0.1)
    assert told["recording"]["worn_s"] == pytest.approx(told["recording"]["duration_s"] - gap["end_s"] + gap["start_s"])
    assert any(
        state["state"] == "unknown" and state["start_s"] <= gap["start_s"] and state["end_s"] >= gap["end_s"]
        for state in told["states"]
    )
    assert tiles(told)


def test_a_table_for_people(walk_file: Path, run: Any) -> None:
    """People get the duration, the counts with their confidence and the states, without escape codes."""
    text = run("analyze", walk_file).stdout
    assert "walk.csv: 1:" in text
    assert "steps of this leg" in text
    assert "walking" in text
    assert "\x1b" not in text


def test_csv(walk_file: Path, run: Any, run_json: Any) -> None:
    """`--csv` is a line an event."""
    rows = list(csv.reader(run("analyze", walk_file, "--csv").stdout.splitlines()))
    assert rows[0] == ["kind", "onset_s", "peak_s", "end_s", "confidence"]
    assert len(rows) - 1 == len(run_json("analyze", walk_file)["events"])


def test_json_and_csv_exclude_each_other(walk_file: Path, run: Any) -> None:
    """Two formats at once are refused."""
    stderr = run("analyze", walk_file, "--csv", "--json", expect=2).stderr
    assert stderr == "--json and --csv exclude each other: give one of them.\n"


def test_muscle_alone(emg_file: Path, run: Any, run_json: Any) -> None:
    """Without an accelerometer kinds are not zero but null, states unknown, and people are told why."""
    told = run_json("analyze", emg_file)
    assert told["counts"] == dict.fromkeys(map(str, Kind))
    assert told["events"] == []
    assert [state["state"] for state in told["states"]] == ["unknown"]
    assert told["recording"].items() >= {"modalities": ["emg"], "rate_hz": 200.0, "gap_s": 0.0}.items()
    assert told["bounce_s"] is None
    assert tiles(told)
    assert run("analyze", emg_file).stderr == (
        "nothing can be counted in muscle.csv: no electrode on the calf had contact, "
        "and there is no accelerometer in it to count with.\n"
    )


def test_too_slow(tmp_path: Path, run: Any, run_json: Any) -> None:
    """Ten samples a second do not show a contraction: unknown, not zero."""
    path = tmp_path / "slow.csv"
    rows = "".join(f"{number / 10},0,0,9.8\n" for number in range(600) if not 200 < number < 300)
    path.write_text("t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2\n" + rows)
    told = run_json("analyze", path)
    assert told["counts"]["step"] is None
    assert told["recording"]["gaps"] == [{"start_s": 20.0, "end_s": 30.0}]
    assert "10 samples a second, and counting needs 20 or more" in run("analyze", path).stderr


def test_a_recording(packets_file: Path, run_json: Any) -> None:
    """A recording of packets is read as well, with its leg and its quality."""
    told = run_json("analyze", packets_file)
    assert told["recording"].items() >= {"leg": "right", "modalities": ["imu"], "rate_hz": 50.0}.items()
    assert told["recording"]["duration_s"] == pytest.approx(119.98)
    assert told["quality"] == {"packets": 120, "packet_errors": 0, "duplicates": 0, "refused": {}}


def test_nothing_is_stored(walk_file: Path, home: Path, run: Any) -> None:
    """Analysing leaves no trace."""
    run("analyze", walk_file)
    assert not home.exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.csv", None, "there is no such file."),
        ("none.sqlite", None, "there is no such file."),
        ("a.txt", "hello", "is not a recording, and a sample file ends in .csv, .csv.gz or .parquet."),
        ("a.csv", "", "the file is empty."),
        ("a.sqlite", "", "is empty, not a recording."),
        ("b.csv", "t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2\n0,1,2,x\n", "line 2"),
        ("c.csv", "acc_x_mps2,acc_y_mps2,acc_z_mps2\n1,2,3\n", "column t_s"),
    ],
)
def test_bad_files(name: str, content: str | None, sentence: str, tmp_path: Path, run: Any) -> None:
    """A file that cannot be used is one sentence with its name, and exit code 2."""
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    result = run("analyze", path, expect=2)
    assert result.stdout == ""
    assert result.stderr.startswith(str(path))
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


TRIALS = [f"Sub0{person}_{trial}Baseline" for person in range(1, 6) for trial in ("CS", "EMG")]


@pytest.mark.parametrize("trial", [trial for trial in TRIALS if trial != "Sub05_EMGBaseline"])
def test_real_walking(trial: str, run_json: Any) -> None:
    """Steps of either leg are those of the force plates within one, or 2 %."""
    with real("pearl_treadmill/counts.csv").open() as lines:
        truth = next(row for row in csv.DictReader(lines) if row["file"] == trial)
    for prefix, column in (("lshank_", "l_steps_grf"), ("rshank_", "r_steps_grf")):
        told = run_json("analyze", real(f"pearl_treadmill/{trial}.csv.gz"), "--prefix", prefix, *UNITS)
        steps = int(truth[column])
        assert abs(told["counts"]["step"] - steps) <= max(1, 0.02 * steps)
        assert sum(told["counts"].values()) == told["counts"]["step"]


@pytest.mark.parametrize(
    ("trial", "prefix"),
    [(f"s{person}_{file}", prefix) for person in (1, 2) for file, prefix in (
        ("e1_test", "lankle_"), ("e2_test", "lankle_"), ("e2_test", "rankle_"),
        ("e1_template", "lankle_"), ("e2_template", "lankle_"), ("e2_template", "rankle_"),
    )],
)  # fmt: skip
def test_real_resting_legs(trial: str, prefix: str, run_json: Any) -> None:
    """Resting legs make no contraction."""
    told = run_json("analyze", real(f"pt_seated/{trial}.csv.gz"), "--prefix", prefix, *UNITS)
    assert told["events"] == []
    assert told["recording"]["worn_s"] == pytest.approx(told["recording"]["duration_s"])


def test_a_real_board_that_lies_still(run_json: Any) -> None:
    """A board on a table is not worn, and counts nothing."""
    told = run_json("analyze", real("ble_ankle/09_02_2023_15_20.csv.gz"), "--prefix", "lankle_", *UNITS)
    assert told["events"] == []
    assert {state["state"] for state in told["states"]} == {"not_worn"}
    assert told["recording"]["worn_s"] == 0.0


def test_a_muscle_that_tires(tmp_path: Path, run: Any, run_json: Any) -> None:
    """Twenty bursts whose spectrum falls from 110 to 70 Hz within a minute; of a motion sensor nothing is told."""
    rng = np.random.default_rng(10_610)
    t_s = np.arange(60_000) / 1000.0
    centre_hz = 110.0 - 40.0 * t_s / 60.0
    turn = 2.0 * np.pi * np.cumsum(centre_hz) / 1000.0
    beside_hz, phase = rng.uniform(-35.0, 35.0, (40, 1)), rng.uniform(0.0, 2.0 * np.pi, (40, 1))
    noise = np.sin(turn + 2.0 * np.pi * beside_hz * t_s + phase).sum(axis=0)
    on = np.clip(np.sin(2.0 * np.pi * t_s / 3.0), 0.0, None)
    path = tmp_path / "tiring.csv"
    rows = np.column_stack([t_s, 40.0 * on * noise + rng.normal(0.0, 2.0, t_s.size)])
    np.savetxt(path, rows, fmt="%.3f", delimiter=",", header="t_s,emg_soleus_uv", comments="")
    (course,) = run_json("analyze", path)["fatigue"]
    assert (course["channel"], course["tiring"]) == ("soleus", True)
    assert course["contractions"] >= 15
    assert course["first_median_hz"] == pytest.approx(108.0, abs=8.0)
    assert course["slope_hz_per_min"] == pytest.approx(-40.0, abs=10.0)
    assert "a muscle that tires" in " ".join(run("analyze", path).stdout.split())


def test_motion_tells_no_fatigue(walk_file: Path, run_json: Any) -> None:
    """Without EMG there is no spectrum to tell it by."""
    assert run_json("analyze", walk_file)["fatigue"] == []
