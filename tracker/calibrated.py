"""What became of each calibration: one line a time beside the database, with the sensor and its session."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from tracker.calibration import GOALS, Calibration
from tracker.errors import StoreError
from tracker.home import Home, private_file
from tracker.store import Sensor


def path_of(home: Home) -> Path:
    """JSON lines, the oldest first; a backup takes them along."""
    return home.root / "calibrations.jsonl"


def note_of(sensor: Sensor, session_id: int | None, calibration: Calibration, at: datetime) -> dict[str, Any]:
    """One calibration: sensor, session, leg, and each set as it was counted last."""
    return {
        "sensor": sensor.nick,
        "session": session_id,
        "leg": sensor.leg,
        "place": sensor.place,
        "at": at.isoformat(),
        "passed": calibration.passed,
        "sets": [
            {
                "set": str(step),
                "counted": result.counted,
                "wanted": GOALS[step].wanted if step in GOALS else 0,
                "tries": result.tries,
                "passed": result.passed,
            }
            for step, result in calibration.results.items()
        ],
    }


def keep(home: Home, note: dict[str, Any]) -> None:
    """Add a calibration to those that are kept.

    Raises:
        StoreError: the disk does not take it.
    """
    path = private_file(path_of(home))
    try:
        with path.open("a", encoding="utf-8") as notes:
            notes.write(json.dumps(note) + "\n")
    except OSError as error:
        raise StoreError(f"{path} cannot be written ({error.strerror}): make room or mend its permissions.") from error


def kept(home: Home, nick: str) -> list[dict[str, Any]]:
    """Calibrations of a sensor, the oldest first."""
    try:
        lines = path_of(home).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [note for line in lines if (note := json.loads(line))["sensor"] == nick]
