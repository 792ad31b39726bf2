"""`soleus replay`: the live path gives what the batch gives, at the pace that was asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.samples import SampleBlock
from tracker.cli.replay import Arrival, Pace, Refused, arrivals_of, play
from tracker.intake import open_input


class Clock:
    """A clock that moves only while somebody sleeps."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds

    def pace(self, speed: float) -> Pace:
        return Pace(speed, lambda: self.now_s, self.sleep)


def test_the_same_as_analyze(walk_file: Path, run_json: Any) -> None:
    """Half-second pieces give the events and states of the whole file."""
    live, batch = (run_json(command, walk_file) for command in ("replay", "analyze"))
    assert live["counts"] == batch["counts"]
    assert live["events"] == batch["events"]
    assert live["states"] == batch["states"]


def test_a_recording_packet_by_packet(packets_file: Path, run_json: Any) -> None:
    """Packets go through the decoder one by one."""
    live, batch = (run_json(command, packets_file) for command in ("replay", "analyze"))
    assert live["quality"]["packets"] == 120
    assert {key: live[key] for key in ("counts", "events", "states")} == {
        key: batch[key] for key in ("counts", "events", "states")
    }
    assert live["recording"] == batch["recording"]


def test_a_line_an_event(walk_file: Path, run: Any, run_json: Any) -> None:
    """Each event is a line, and a summary ends it."""
    lines = run("replay", walk_file, "--speed", 0).stdout.splitlines()
    events = run_json("analyze", walk_file)["events"]
    assert sum(" s  step " in line for line in lines) == sum(event["kind"] == "step" for event in events)
    assert any(line.startswith("walk.csv: 1:") for line in lines)


@pytest.mark.parametrize(("speed", "took_s"), [(1.0, 119.0), (10.0, 11.9), (0.0, 0.0)])
def test_pace(speed: float, took_s: float, packets_file: Path) -> None:
    """Speed 1 takes as long as the recording did, 10 a tenth of it, and 0 does not wait."""
    clock = Clock()
    with open_input(packets_file) as recording:  # type: ignore[union-attr]
        play(arrivals_of(recording, Refused()), clock.pace(speed), lambda event: None)
    assert clock.now_s - 100.0 == pytest.approx(took_s)


def test_no_wait_for_what_is_late() -> None:
    """A replay that has fallen behind catches up instead of waiting."""
    clock = Clock()
    blocks: tuple[SampleBlock, ...] = ()
    arrivals = [Arrival(due_s, blocks) for due_s in (0.0, 1.0, 1.0, 0.5, 2.0)]
    play(iter(arrivals), clock.pace(1.0), lambda event: None)
    assert clock.slept == [1.0, 1.0]


def test_refused_packets_cost_nothing_else(tmp_path: Path, run_json: Any) -> None:
    """Broken packets in between are counted and passed over."""
    path = tmp_path / "capture.jsonl"
    path.write_text(
        '{"recording": {"driver": "polar-pmd"}, "settings": {"rate_hz": 50}}\n'
        + "".join(
            f'{{"arrival_ns": {second * 10**9}, "characteristic": "fb005c82-02e7-f387-1cad-8acd2d8df0c8", '
            f'"hex": "{_payload(second)}"}}\n'
            for second in range(60)
        )
    )
    told = run_json("replay", path)
    assert told["quality"] == {"packets": 60, "refused_or_double": 6}


def _payload(second: int) -> str:
    if second % 10 == 5:
        return "02ff"
    stamp = (780 * 10**15 + second * 10**9).to_bytes(8, "little").hex()
    return f"02{stamp}80000000" + "000100" + "0031"


def test_bad_input(bad_file: Path, run: Any) -> None:
    """A fault in the file is one sentence after what could be played."""
    assert run("replay", bad_file, expect=2).stderr.count("\n") == 1
