"""Truth files that point to recordings by others; the recordings themselves stay where they are."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

UNITS = {"acc_unit": "mps2", "gyr_unit": "rad_s"}
LEGS = {"l": "lshank_", "r": "rshank_"}
NOTHING_ELSE = {"soleus_pushup": 0, "heel_raise": 0, "ankle_pump": 0, "pedal": 0}

RESTING = {("e1", "lankle"): "resting_leg", ("e2", "lankle"): "resting_leg", ("e2", "rankle"): "resting_leg"}
EXERCISES = {
    "e1": "knee_extension",
    "e2": "trunk_lean",
    "e3": "straight_leg_raise",
    "e4": "leg_abduction",
    "e5": "hip_extension",
}
STILL_BOARD = "09_02_2023_15_20"
TUNED = {"Sub01", "Sub02", "Sub03", "s1"}
"""People that rules were looked at, tuned and chosen on; the others are for reporting."""

ALIGNED = 0.95
"""Share of swings inside the plates' own from which on the plates' times are used."""

SWING_S = 0.45
"""From toe-off to contact, usually."""

Found = Iterator[tuple[str, dict[str, object]]]


def truths(data: Path, out: Path) -> Found:
    """Name and truth document of each recording that is there, pointing to it by its path from `out`."""
    yield from _walks(data, out)
    yield from _exercises(data, out)
    yield from _board(data, out)


def _walks(data: Path, out: Path) -> Found:
    """Treadmill walking: steps of each leg as counted by the force plates, nothing else contracted on purpose.

    The plates' clock is only roughly that of the sensors. Where nearly all swings of the shank fall between
    toe-off and contact, the middle of the two is given as the time of the step.
    """
    folder = data / "pearl_treadmill"
    if not (folder / "counts.csv").is_file():
        return
    with (folder / "counts.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    swings = _swings(folder / "contacts.csv")
    for row in rows:
        person, trial = row["file"].split("_")
        gait = "stiff-knee" if "Stiff" in trial else "normal"
        for leg, prefix in LEGS.items():
            aligned = float(row[f"{leg}_peaks_inside_force_swing"]) >= ALIGNED
            truth = _about(folder / f"{row['file']}.csv.gz", out, prefix, person, f"walking-{gait}")
            truth["counts"] = {"step": int(row[f"{leg}_steps_grf"]), **NOTHING_ELSE}
            yield f"{row['file']}_{leg}", truth | (_steps(swings[row["file"], leg]) if aligned else {})


def _swings(path: Path) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Toe-off and contact of each trial and foot; where the trial cuts the toe-off off, a usual swing earlier."""
    made: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with path.open(newline="") as lines:
        for row in csv.DictReader(lines):
            contact_s = float(row["contact_s"])
            made[row["file"], row["foot"]].append((float(row["toe_off_s"] or contact_s - SWING_S), contact_s))
    return made


def _steps(swings: list[tuple[float, float]]) -> dict[str, object]:
    steps = [{"kind": "step", "onset_s": off, "peak_s": round((off + on) / 2.0, 3), "end_s": on} for off, on in swings]
    return {"events": steps}


def _exercises(data: Path, out: Path) -> Found:
    """Seated and lying exercises in which no foot pushes: every contraction found is false."""
    folder = data / "pt_seated"
    if not (folder / "manifest.csv").is_file():
        return
    with (folder / "manifest.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    for row in rows:
        exercise, stem = f"e{row['exercise']}", f"s{row['subject']}_e{row['exercise']}_{row['session']}"
        for ankle in ("lankle", "rankle"):
            label = RESTING.get((exercise, ankle), EXERCISES[exercise])
            truth = _about(folder / f"{stem}.csv.gz", out, f"{ankle}_", f"s{row['subject']}", label.replace("_", "-"))
            truth["intervals"] = [{"label": label, "start_s": 0.0, "end_s": float(row["seconds"])}]
            yield f"{stem}_{ankle[0]}", truth | {"events": []}


def _board(data: Path, out: Path) -> Found:
    """A board that lies still."""
    path = data / "ble_ankle" / f"{STILL_BOARD}.csv.gz"
    if path.is_file():
        yield (
            STILL_BOARD,
            {
                **_about(path, out, "lankle_", "", "still-board"),
                "events": [],
                "intervals": [{"label": "still_board", "start_s": 0.0, "end_s": 85.26}],
            },
        )


def _about(path: Path, out: Path, prefix: str, person: str, condition: str) -> dict[str, object]:
    seen = "tuning" if person in TUNED or not person else "unseen"
    return {
        "recording": Path(_way(path, out)).as_posix(),
        "options": {"prefix": prefix, **UNITS},
        "person": person,
        "condition": f"{condition} ({seen})",
        "source": "real",
    }


def _way(path: Path, out: Path) -> str:
    from os.path import relpath

    return relpath(path.resolve(), out.resolve())
