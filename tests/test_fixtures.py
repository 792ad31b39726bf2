"""The recorded streams of `fixtures/` count as their truth says, by every way that reads them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from analysis.events import Kind
from analysis.samples import XYZ, Modality, SampleBlock
from drivers.recording import open_recording
from fixtures.make import Plan, make, plans
from tracker.cli.main import cli
from tracker.counting import Counting, count
from tracker.facts import LOWEST_RATE_HZ

ROOT = Path(__file__).parents[1]
PLANS = plans()
NAMES = [plan.driver for plan in PLANS]
LARGEST_BYTES = 400_000
NEAR_S = 0.5
"""Mid-swing is found within half a stride, the top of a raise within its hold."""


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Each driver in turn."""
    return str(request.param)


def stream(name: str) -> Path:
    return ROOT / "fixtures" / f"{name}.jsonl.gz"


def truth(name: str) -> Any:
    return json.loads((ROOT / "fixtures" / f"{name}.json").read_text())


def tellable(name: str) -> dict[str, int | None]:
    """The true counts, as far as a sensor of that rate can know them."""
    counts = truth(name)["counts"]
    return dict.fromkeys(counts) if plan_of(name).rate_hz < LOWEST_RATE_HZ else counts


def plan_of(name: str) -> Plan:
    return next(plan for plan in PLANS if plan.driver == name)


def told(counts: Mapping[Kind, int | None]) -> dict[str, int | None]:
    return {str(kind): counts[kind] for kind in Kind}


def soleus(*arguments: object) -> str:
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert done.exit_code == 0, (done.stderr, done.exception)
    return done.stdout


def test_the_recording_counts_as_the_leg_did(name: str) -> None:
    """Batch: decoded at once, counts equal truth, nothing is missing. A sensor that is too slow tells nothing."""
    with open_recording(stream(name)) as recording:
        facts = count(recording.blocks())
        assert recording.quality.duplicates == recording.quality.packet_errors == 0
    assert told(facts.known_counts) == tellable(name)
    assert facts.gap_s == 0.0


def test_replay_counts_the_same_and_peaks_are_where_they_were(name: str) -> None:
    """Live, packet by packet: the same counts, each peak near the true one."""
    said = json.loads(soleus("replay", stream(name), "--json"))
    assert (said["counts"] or dict.fromkeys(map(str, Kind))) == tellable(name)
    for kind, peaks_s in truth(name)["peaks_s"].items():
        if tellable(name)[kind] is None:
            continue
        found_s = sorted(event["peak_s"] for event in said["events"] if event["kind"] == kind)
        np.testing.assert_allclose(found_s, peaks_s, atol=NEAR_S)


def test_decoded_lines_count_the_same(name: str) -> None:
    """What `soleus drivers decode` prints, put together again, counts the same."""
    streams: dict[str, list[Any]] = {}
    for line in soleus("drivers", "decode", "--driver", name, stream(name)).splitlines():
        block = json.loads(line)
        if block.get("modality") in ("acc", "gyr", "emg"):
            streams.setdefault(block["modality"], []).append(block)
    counting = Counting()
    counting.feed(*(joined(Modality(modality), parts) for modality, parts in streams.items()))
    counting.finish()
    assert told(counting.facts.known_counts) == tellable(name)


def joined(modality: Modality, parts: list[Any]) -> SampleBlock:
    t_s = np.concatenate([part["t_s"] for part in parts])
    values = np.concatenate([part["values"] for part in parts])
    names = tuple(str(i + 1) for i in range(values.shape[1])) if modality is Modality.EMG else XYZ
    return SampleBlock(modality, t_s, values, names)


def test_a_band_brings_muscle_and_motion() -> None:
    """The Myo's file holds EMG at 200 and motion at 50 samples a second, for more than a minute."""
    with open_recording(stream("myo")) as recording:
        facts = count(recording.blocks())
    rates = {found.modality: found.rate_hz for found in facts.streams}
    assert rates[Modality.EMG] == pytest.approx(200.0, rel=0.01)
    assert rates[Modality.ACC] == pytest.approx(50.0, rel=0.01)
    assert facts.duration_s > 60


def test_they_are_small_and_of_nobody(name: str) -> None:
    """Small enough for git, no real address, times of a made-up day, arrivals in order."""
    assert stream(name).stat().st_size < LARGEST_BYTES
    with open_recording(stream(name)) as recording:
        assert recording.header.device_address == "C0:00:00:00:00:01"
        assert [anchor.zone for anchor in recording.anchors] == ["UTC"]
        arrivals = [packet.arrival_ns for packet in recording.packets()]
    assert all(before <= after for before, after in pairwise(arrivals))


@pytest.mark.skipif(sys.platform != "linux", reason="they are made over the fake bluetoothd, which is Linux's")
def test_they_can_be_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made twice they are the same bytes, and the leg does and counts what it does in the one that is kept.

    The kept lines are history: a recorder that connects a little sooner makes others.
    """
    monkeypatch.setenv("PATH", "")
    plan = plan_of("witmotion")
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        folder.mkdir()
        make(plan, folder)
    one, two = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert one == two
    made = json.loads(one["witmotion.json"])
    assert made["counts"] == truth("witmotion")["counts"]
    with open_recording(folders[0] / "witmotion.jsonl.gz") as recording:
        facts = count(recording.blocks())
    assert told(facts.known_counts) == made["counts"]
