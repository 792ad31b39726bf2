"""Recordings by others, found through SOLEUS_TEST_DATA: what was truly walked, and what was not contracted."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.events import Findings, Kind, State
from analysis.leg.sensor import random_rotation
from analysis.samples import Modality, SampleBlock

Counting = Callable[..., Findings]
RecordingOf = Callable[[str], Path]

WALKS = [
    f"Sub{person:02d}_{sensor}Baseline" for person in range(1, 6) for sensor in ("CS", "EMG")
    if (person, sensor) != (5, "EMG")
]  # fmt: skip
PERMUTATION = np.array([[0.0, 0.0, -1.0], [1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def recorded(path: Path, prefix: str) -> tuple[SampleBlock, SampleBlock]:
    """Force and rate of one sensor of a many-sensor file, in the file's own axes."""
    import pandas as pd

    table = pd.read_csv(path)
    blocks = [
        SampleBlock(m, table["t_s"].to_numpy().copy(), table[[f"{prefix}{m}_{a}" for a in "xyz"]].to_numpy().copy())
        for m in (Modality.ACC, Modality.GYR)
    ]
    return blocks[0], blocks[1]


def turned(block: SampleBlock, rotation: np.ndarray, mirror: float = 1.0) -> SampleBlock:
    return SampleBlock(block.modality, block.t_s, block.values @ rotation.T * np.array([1.0, 1.0, mirror]))


def steps_by_the_plates(path: Path, trial: str, leg: str) -> int:
    with path.open(newline="") as lines:
        (row,) = (row for row in csv.DictReader(lines) if row["file"] == trial)
    return int(row[f"{leg}_steps_grf"])


@pytest.mark.parametrize("leg", ["l", "r"])
@pytest.mark.parametrize("trial", WALKS)
def test_steps_of_real_walking(test_data: RecordingOf, count: Counting, trial: str, leg: str) -> None:
    """Steps of a leg are within one or 2 %, the larger, of the force plates; nothing else is counted.

    So they are in permuted axes, in any axes, and with the gyroscope mirrored.
    """
    acc, gyr = recorded(test_data(f"pearl_treadmill/{trial}.csv.gz"), f"{leg}shank_")
    true = steps_by_the_plates(test_data("pearl_treadmill/counts.csv"), trial, leg)
    oblique = random_rotation(np.random.default_rng(10_900 + WALKS.index(trial)))
    found = {
        "as it is": count(acc, gyr),
        "permuted": count(turned(acc, PERMUTATION), turned(gyr, PERMUTATION)),
        "rotated and mirrored": count(turned(acc, oblique), turned(gyr, oblique, -1.0)),
    }
    steps = {how: sum(e.kind is Kind.STEP for e in f.contractions) for how, f in found.items()}
    others = {how: [e.kind for e in f.contractions if e.kind is not Kind.STEP] for how, f in found.items()}
    allowed = max(1.0, 0.02 * true)
    assert all(abs(n - true) <= allowed for n in steps.values()), (steps, true)
    assert not any(others.values()), others


@pytest.mark.parametrize("session", ["test", "template"])
@pytest.mark.parametrize(
    ("exercise", "prefix"),
    [
        pytest.param(f"s{person}_{exercise}", prefix, id=f"s{person}-{exercise}-{prefix[:-1]}")
        for person in (1, 2)
        for exercise, prefix in (("e1", "lankle_"), ("e2", "lankle_"), ("e2", "rankle_"))
    ],
)
def test_a_resting_leg_contracts_nothing(
    test_data: RecordingOf, count: Counting, exercise: str, prefix: str, session: str
) -> None:
    """A seated leg that rests while the other leg or the trunk moves has no contraction, and is worn."""
    found = count(*recorded(test_data(f"pt_seated/{exercise}_{session}.csv.gz"), prefix))
    assert found.contractions == ()
    assert State.NOT_WORN not in {s.state for s in found.spans}


def test_a_board_that_lies_still_is_not_worn(test_data: RecordingOf, count: Counting) -> None:
    """A device at rest for 85 s: no contraction, and not worn all the while."""
    found = count(*recorded(test_data("ble_ankle/09_02_2023_15_20.csv.gz"), "lankle_"))
    assert found.contractions == ()
    assert [s.state for s in found.spans] == [State.NOT_WORN]


@pytest.mark.parametrize("name", ["Camminata_rotazione_sx_1", "Camminata_rotazione_dx_1"])
def test_real_walking_with_lost_packets_is_walking(test_data: RecordingOf, count: Counting, name: str) -> None:
    """A board with radio gaps, worn while walking for over a minute: mostly walking, 35 to 75 strides a minute.

    Source: 0.8 to 1.7 s a stride covers slow to fast walking; the recording has no step truth.
    """
    found = count(*recorded(test_data(f"ble_ankle/{name}.csv.gz"), "lankle_"))
    walked_s = sum(s.end_s - s.start_s for s in found.spans if s.state is State.WALKING)
    steps = sum(e.kind is Kind.STEP for e in found.contractions)
    assert walked_s > 0.5 * (found.spans[-1].end_s - found.spans[0].start_s)
    assert 35.0 < 60.0 * steps / walked_s < 75.0
    assert len(found.gaps) > 0
