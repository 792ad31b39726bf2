"""The truth format: what is read, and that each mistake is one sentence naming the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.events import Kind
from drivers.errors import RecordingError
from tracker.evaluation.labelled import labelled_in, read_truth
from tracker.evaluation.truth import Interval, Source, TrueEvent, Truth
from tracker.samplefile import AccUnit, ReadOptions

EVENT = {"kind": "soleus_pushup", "peak_s": 12.4}


def told(folder: Path, document: Any, name: str = "a.truth.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


FULL = Truth(
    events=(
        TrueEvent(Kind.SOLEUS_PUSHUP, 12.4, 11.9, 13.0, 0.5),
        TrueEvent(Kind.HEEL_RAISE, 20.0, ignore=True),
    ),
    intervals=(Interval("bounce", 30.0, 50.0),),
    counts={Kind.STEP: 44},
    condition="slow",
    person="p07",
    source=Source.SIMULATED,
    options=ReadOptions(prefix="lshank_", acc_unit=AccUnit.G),
    recording="b.csv",
)


def test_everything_a_truth_can_say(tmp_path: Path) -> None:
    """All keys of the JSON form; events come out in order of time."""
    document = {
        "events": [
            {"kind": "heel_raise", "peak_s": 20, "ignore": True},
            {"kind": "soleus_pushup", "peak_s": 12.4, "onset_s": 11.9, "end_s": 13.0, "hold_s": 0.5},
        ],
        "intervals": [{"label": "bounce", "start_s": 30, "end_s": 50}],
        "counts": {"step": 44},
        "condition": "slow",
        "person": "p07",
        "source": "simulated",
        "options": {"prefix": "lshank_", "acc_unit": "g"},
        "recording": "b.csv",
    }
    assert read_truth(told(tmp_path, document)) == FULL


def test_the_csv_form_says_the_same(tmp_path: Path) -> None:
    """Headings, event rows and interval rows, with remarks and empty lines between."""
    text = """# a remark
# condition: slow
# person: p07
# source: simulated
# counts.step: 44
# prefix: lshank_
# acc_unit: g
# recording: b.csv

kind,peak_s,onset_s,end_s,hold_s,ignore,label,start_s
soleus_pushup,12.4,11.9,13.0,0.5,,,
heel_raise,20,,,,true,,

,,,50,,,bounce,30
"""
    assert read_truth(told(tmp_path, text, "a.truth.csv")) == FULL


def test_the_examples_of_the_text_are_in_the_format(tmp_path: Path) -> None:
    """What the page about the format shows can be read, and both forms say the same."""
    page = (Path(__file__).parents[3] / "tracker" / "evaluation" / "README.md").read_text(encoding="utf-8")
    as_json, as_csv = (page.split(f"```{form}\n")[1].split("```")[0] for form in ("json", "csv"))
    shown = read_truth(told(tmp_path, as_json))
    assert shown == read_truth(told(tmp_path, as_csv, "a.truth.csv"))
    assert shown.events
    assert shown.intervals


def test_a_csv_of_counts_alone(tmp_path: Path) -> None:
    """Without a table nobody listed events; with an empty one there were none."""
    assert read_truth(told(tmp_path, "# counts.step: 3\n", "a.truth.csv")).events is None
    assert read_truth(told(tmp_path, "kind,peak_s\n", "b.truth.csv")).events == ()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ([], "must be a JSON object"),
        ({}, "events, intervals or counts"),
        ({"evnts": []}, "'evnts' is not known"),
        ({"events": {}}, "events must be a list"),
        ({"events": [{"kind": "jump", "peak_s": 1}]}, "event 1: kind must be one of soleus_pushup"),
        ({"events": [{"kind": ["step"], "peak_s": 1}]}, "event 1: kind must be one of"),
        ({"events": [EVENT, {"kind": "step"}]}, "event 2: peak_s is missing"),
        ({"events": [EVENT | {"peak_s": "1"}]}, "event 1: peak_s must be a number"),
        ({"events": [EVENT | {"peak_s": float("nan")}]}, "event 1: peak_s must be a number"),
        ({"events": [EVENT | {"onset_s": 13}]}, "must follow each other"),
        ({"events": [EVENT | {"hold_s": -1}]}, "hold_s must not be negative"),
        ({"events": [EVENT | {"ignore": 1}]}, "ignore must be true or false"),
        ({"events": [EVENT | {"peak": 1}]}, "'peak' is not known"),
        ({"events": [EVENT | {"gait": "limp"}]}, "event 1: gait must be one of walk, run, stairs_up"),
        ({"intervals": [{"start_s": 1, "end_s": 2}]}, "interval 1: label is missing"),
        ({"intervals": [{"label": "x", "start_s": 2, "end_s": 2}]}, "start_s must be before end_s"),
        ({"counts": {"step": 1.5}}, "step must be a whole number"),
        ({"counts": {"jump": 1}}, "'jump' is not known"),
        ({"counts": {}, "source": "dreamt"}, "source must be one of real, simulated"),
        ({"counts": {}, "options": {"acc_unit": "ft"}}, "acc_unit must be one of mps2, g, mg"),
        ({"counts": {}, "person": 7}, "person must be text"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, document: Any, said: str) -> None:
    """One sentence with the file and what is wrong with it."""
    path = told(tmp_path, document)
    with pytest.raises(RecordingError, match=r"a\.truth\.json") as error:
        read_truth(path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind,peak\nstep,1\n", "line 1: column 'peak' is not known"),
        ("# condition: x\nkind,peak_s\nstep,soon\n", "line 3: peak_s is no number (soon)"),
        ("kind,peak_s\nstep,1,2\n", "line 2: the row has more cells"),
        ("# counts.step: some\n", "line 1: the heading 'counts.step'"),
        ("# colour: red\nkind,peak_s\n", "line 1: the heading 'colour'"),
        ("kind,peak_s,ignore\nstep,1,maybe\n", "ignore must be true or false"),
    ],
)
def test_a_mistake_in_the_csv_form_is_named(tmp_path: Path, text: str, said: str) -> None:
    """With its line, where there is one."""
    path = told(tmp_path, text, "a.truth.csv")
    with pytest.raises(RecordingError) as error:
        read_truth(path)
    assert str(path) in str(error.value)
    assert said in str(error.value)


def test_recordings_are_found_below_the_folder(tmp_path: Path) -> None:
    """By name, in folders that give their condition; the recording is beside the truth or where it says."""
    (tmp_path / "slow").mkdir()
    for name in ("a.csv", "slow/b.csv.gz", "slow/without.csv"):
        (tmp_path / name).touch()
    told(tmp_path, {"events": []})
    told(tmp_path / "slow", {"events": []}, "b.truth.json")
    told(tmp_path / "slow", {"events": [], "condition": "held", "recording": "../a.csv"}, "c.truth.json")
    found = labelled_in(tmp_path)
    assert [(one.name, one.truth.condition) for one in found] == [("a", "all"), ("slow/b", "slow"), ("slow/c", "held")]
    assert found[2].recording.samefile(tmp_path / "a.csv")


def test_a_truth_needs_its_one_recording(tmp_path: Path) -> None:
    """None, two, or a second truth is a mistake."""
    told(tmp_path, {"events": []})
    with pytest.raises(RecordingError, match="no recording named a"):
        labelled_in(tmp_path)
    (tmp_path / "a.csv").touch()
    (tmp_path / "a.parquet").touch()
    with pytest.raises(RecordingError, match="more than one recording"):
        labelled_in(tmp_path)
    (tmp_path / "a.parquet").unlink()
    told(tmp_path, "# counts.step: 1\n", "a.truth.csv")
    with pytest.raises(RecordingError, match="second truth"):
        labelled_in(tmp_path)
    told(tmp_path, {"events": [], "recording": "gone.csv"}, "c.truth.json")
    (tmp_path / "a.truth.csv").unlink()
    with pytest.raises(RecordingError, match=r"gone\.csv is not there"):
        labelled_in(tmp_path)
    with pytest.raises(RecordingError, match="no such folder"):
        labelled_in(tmp_path / "none")
