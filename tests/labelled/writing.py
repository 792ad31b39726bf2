"""Write recordings of the simulated leg, and truth files, into a folder."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tests.labelled import emg_sets
from tests.labelled.real import truths
from tests.labelled.sets import recorded
from tracker.samplefile import write_samples


def write(folder: Path, name_and_seed: tuple[str, int]) -> None:
    """One recording of the simulated leg and its truth, in a folder named like the set."""
    name, seed = name_and_seed
    story, truth = (emg_sets.recorded if name in emg_sets.SETS else recorded)(name, seed)
    place = folder / name
    place.mkdir(parents=True, exist_ok=True)
    write_samples(place / f"{seed}.csv", [story.blocks])
    _write_truth(place / f"{seed}.truth.json", truth)


def write_real(folder: Path, data: str) -> int:
    """Truth files of the recordings by others; gives how many."""
    place = folder / "real"
    place.mkdir(parents=True, exist_ok=True)
    made = list(truths(Path(data), place)) if data else []
    for name, truth in made:
        _write_truth(place / f"{name}.truth.json", truth)
    return len(made)


def _write_truth(path: Path, truth: dict[str, object]) -> None:
    path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")


def written(folder: Path, wanted: Iterable[tuple[str, int]], jobs: int) -> None:
    """Every recording asked for, on several processors where there are many."""
    wanted = list(wanted)
    if jobs < 2 or len(wanted) < 8:
        for one in wanted:
            write(folder, one)
        return
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        for _ in pool.map(partial(write, folder), wanted, chunksize=4):
            pass
