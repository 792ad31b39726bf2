"""What makes two files the same session: their content, or more quickly their very bytes."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analysis.events import Leg
from tracker.samplefile import ReadOptions


def content_key(digest: str, prefix: str, leg: Leg | None, start: datetime) -> str:
    """What makes a session the same: content, prefix, leg and start, in 64 hexadecimal digits."""
    parts = [digest, _same_prefix(prefix), leg, unix_us(start)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def file_key(path: Path, options: ReadOptions, leg: Leg | None, start: datetime | None) -> str | None:
    """What makes a file the same without reading it as samples: its bytes and all that is said about it.

    A hundred times cheaper than the content key, and blind to the same content in another form.

    Args:
        path: of the file.
        options: prefix and units.
        leg: as the wearer named it, None where the file or nobody says.
        start: likewise.

    Returns:
        64 hexadecimal digits; None where there is no such file, or a log beside it holds a part of it.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        if not path.is_file() or (log.exists() and log.stat().st_size):
            return None
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        return None  # reading it as samples will say what is wrong
    units = [None if unit is None else str(unit) for unit in (options.acc_unit, options.gyr_unit, options.emg_unit)]
    start_us = None if start is None else unix_us(start)
    parts = [digest, _same_prefix(options.prefix), units, leg, start_us]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _same_prefix(prefix: str) -> str:
    return prefix.strip().lower().rstrip("_")


def unix_us(moment: datetime) -> int:
    """An aware datetime as UTC microseconds since 1970, exactly."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
