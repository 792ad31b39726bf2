"""Find the labelled recordings of a folder, and read their truth files."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from drivers.errors import RecordingError
from tracker.evaluation.truth import Truth, truth_of

TRUTH_ENDINGS = (".truth.json", ".truth.csv")
RECORDING_ENDINGS = (".csv", ".csv.gz", ".parquet", ".sqlite")

_OPTIONS = ("prefix", "acc_unit", "gyr_unit", "emg_unit")
_HEADINGS = ("condition", "person", "source", "recording")
_COLUMNS = ("kind", "peak_s", "onset_s", "end_s", "hold_s", "gait", "ignore", "label", "start_s")
_YES_NO = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A recording and its truth.

    Attributes:
        name: path of the truth file below the folder, without its ending.
        recording: the samples.
        truth: what happened in it; its condition is never empty.
    """

    name: str
    recording: Path
    truth: Truth


def labelled_in(folder: Path) -> list[Labelled]:
    """Every labelled recording below a folder, by name.

    Raises:
        RecordingError: the folder is none, a truth file is wrong, or its recording is not there.
    """
    if not folder.is_dir():
        raise RecordingError("there is no such folder", folder)
    found: dict[str, Labelled] = {}
    for path in sorted(path for ending in TRUTH_ENDINGS for path in folder.rglob(f"*{ending}")):
        one = _labelled(path, folder)
        if one.name in found:
            raise RecordingError("the recording has a second truth file: leave one of them", path)
        found[one.name] = one
    return [found[name] for name in sorted(found)]


def _labelled(path: Path, folder: Path) -> Labelled:
    truth = read_truth(path)
    stem = next(path.name.removesuffix(ending) for ending in TRUTH_ENDINGS if path.name.endswith(ending))
    place = path.parent.relative_to(folder)
    condition = truth.condition or (place.as_posix() if place.parts else "all")
    recording = path.parent / truth.recording if truth.recording else _beside(path, stem)
    if not recording.is_file():
        raise RecordingError(f"its recording {truth.recording} is not there", path)
    return Labelled((place / stem).as_posix(), recording, replace(truth, condition=condition))


def _beside(path: Path, stem: str) -> Path:
    there = [near for ending in RECORDING_ENDINGS if (near := path.parent / f"{stem}{ending}").is_file()]
    if len(there) != 1:
        what = "more than one recording" if there else "no recording"
        raise RecordingError(f"there is {what} named {stem} ({', '.join(RECORDING_ENDINGS)}) beside it", path)
    return there[0]


def read_truth(path: Path) -> Truth:
    """The truth in one file, JSON or CSV by its name.

    Raises:
        RecordingError: it cannot be read or is not in the format.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeError) as fault:
        raise RecordingError("the file cannot be read as text", path) from fault
    if path.name.endswith(".csv"):
        return truth_of(_document(text, path), path)
    try:
        return truth_of(json.loads(text), path)
    except json.JSONDecodeError as fault:
        raise RecordingError(f"this is not JSON ({fault.msg})", path, fault.lineno) from fault
    except RecursionError as fault:
        raise RecordingError("the JSON is nested too deeply", path) from fault


def _document(text: str, path: Path) -> dict[str, Any]:
    """What the CSV form says, as the JSON form would."""
    lines = text.splitlines()
    head = 0
    while head < len(lines) and (not lines[head].strip() or lines[head].startswith("#")):
        head += 1
    document: dict[str, Any] = {}
    for number, line in enumerate(lines[:head], 1):
        _heading(line, number, path, document)
    if head < len(lines):
        document |= {"events": [], "intervals": []}
        for number, cells in _rows(lines, head, path):
            document["events" if "kind" in cells else "intervals"].append(_typed(cells, number, path))
    return document


def _heading(line: str, number: int, path: Path, document: dict[str, Any]) -> None:
    key, colon, value = (part.strip() for part in line.lstrip("#").partition(":"))
    if not colon:
        return  # a remark
    if key in _HEADINGS:
        document[key] = value
    elif key in _OPTIONS:
        document.setdefault("options", {})[key] = value
    elif key.startswith("counts.") and value.isdecimal():
        document.setdefault("counts", {})[key.removeprefix("counts.")] = int(value)
    else:
        raise RecordingError(f"the heading {key!r} is not known or its value is not usable", path, number)


def _rows(lines: list[str], head: int, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line number and filled cells of each row."""
    reader = csv.reader(lines[head:], strict=True)
    try:
        names = [name.strip() for name in next(reader)]
        unknown = [name for name in names if name not in _COLUMNS]
        if unknown:
            raise RecordingError(f"column {unknown[0]!r} is not known (known: {', '.join(_COLUMNS)})", path, head + 1)
        for row in reader:
            cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if cell.strip()}
            if len(row) > len(names):
                raise RecordingError("the row has more cells than the header", path, head + reader.line_num)
            if cells:
                yield head + reader.line_num, cells
    except csv.Error as fault:
        raise RecordingError(f"this is not CSV ({fault})", path, head + reader.line_num) from fault


def _typed(cells: dict[str, str], number: int, path: Path) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, cell in cells.items():
        if name in ("kind", "label", "gait"):
            made[name] = cell
        elif name == "ignore":
            made[name] = _YES_NO.get(cell.lower(), cell)
        else:
            try:
                made[name] = float(cell)
            except ValueError:
                raise RecordingError(f"{name} is no number ({cell})", path, number) from None
    return made
