"""`soleus drivers`: what there is, and packets as the contract's JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from drivers.conformance import Check

CAPTURE = (
    '{"settings": {"rate_hz": 50}}\n'
    '{"arrival_ns": 5, "characteristic": "fb005c82-02e7-f387-1cad-8acd2d8df0c8", "hex": '
    f'"02{(780 * 10**15).to_bytes(8, "little").hex()}800000000001000031"}}\n'
    '{"arrival_ns": 6, "characteristic": "fb005c82-02e7-f387-1cad-8acd2d8df0c8", "hex": "0201"}\n'
)


def test_list(run: Any, run_json: Any) -> None:
    """The table and the document name every driver."""
    known = run_json("drivers")
    assert {"polar-pmd"} <= {driver["name"] for driver in known}
    assert all(set(driver) == {"name", "title"} for driver in known)
    assert run_json("drivers", "list") == known
    assert all(driver["name"] in run("drivers").stdout for driver in known)


def test_decode(tmp_path: Path, run: Any) -> None:
    """One object a block, one a refused packet, nothing else."""
    path = tmp_path / "capture.jsonl"
    path.write_text(CAPTURE)
    lines = [json.loads(line) for line in run("drivers", "decode", "--driver", "polar-pmd", path).stdout.splitlines()]
    errors = [line for line in lines if "error" in line]
    assert [line["error"]["hex"] for line in errors] == ["0201"]
    (block,) = [line for line in lines if "error" not in line]
    assert (block["modality"], block["unit"], block["stream"], len(block["t_s"])) == ("acc", "m/s2", None, 50)
    assert block["values"][0] == [0.0, 0.0, 9.80665]


def test_decode_stdin(run: Any) -> None:
    """A capture may come through a pipe."""
    text = run("drivers", "decode", "--driver", "polar-pmd", "-", input=CAPTURE).stdout
    assert text.count("\n") == 2


def test_decode_a_recording(packets_file: Path, run: Any) -> None:
    """A recording is a capture too."""
    text = run("drivers", "decode", "--driver", "polar-pmd", packets_file).stdout
    assert sum(len(json.loads(line)["t_s"]) for line in text.splitlines()) == 6000


def test_bad_lines(tmp_path: Path, run: Any) -> None:
    """A line that is no packet is exit code 2 with its number."""
    path = tmp_path / "capture.jsonl"
    path.write_text(CAPTURE + "hello\n")
    stderr = run("drivers", "decode", "--driver", "polar-pmd", path, expect=2).stderr
    assert stderr.startswith(f"{path}, line 4: ")
    assert stderr.count("\n") == 1


def test_check(run: Any, run_json: Any) -> None:
    """Each check is a line with its sentence, or an entry; all passed is exit code 0."""
    told = run_json("drivers", "check", "battery")
    assert all(set(one) == {"name", "passed", "sentence"} and one["passed"] for one in told)
    lines = run("drivers", "check", "battery").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["passed"] * len(told)


def test_check_with_more_packets(run: Any, run_json: Any) -> None:
    """The last check counts the nonsense, as much of each kind as was asked for; none is no check."""
    told = run_json("drivers", "check", "heart-rate", "--packets", 30)[-1]
    assert (told["name"], told["passed"]) == ("survives nonsense", True)
    assert told["sentence"].startswith("60 random and damaged packets")
    assert "--packets" in run("drivers", "check", "heart-rate", "--packets", 0, expect=2).stderr


def test_check_that_fails(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One check that fails is exit code 1."""
    results = [Check("starts", True, "it does"), Check("survives nonsense", False, "raised IndexError")]
    monkeypatch.setattr("drivers.conformance.check", lambda name, packets: results)
    text = run("drivers", "check", "battery", expect=1).stdout
    assert text == "passed  starts             it does\nFAILED  survives nonsense  raised IndexError\n"


def test_unknown_driver(tmp_path: Path, run: Any) -> None:
    """An unknown name lists those there are."""
    for arguments in (["decode", "--driver", "toaster", tmp_path / "x"], ["check", "toaster"]):
        stderr = run("drivers", *arguments, expect=2).stderr
        assert stderr.startswith("no driver is called 'toaster'; there are: ")
        assert "polar-pmd" in stderr
