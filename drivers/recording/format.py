"""What a recording holds besides packets and rows, and the tables it is kept in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

APPLICATION_ID = 0x534F4C52
FORMAT_VERSION = 1
SQLITE_MAGIC = b"SQLite format 3\0"
ROWS_A_CHUNK = 60_000
"""Ten minutes at 100 Hz."""

SCHEMA = """
CREATE TABLE header(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE anchors(id INTEGER PRIMARY KEY, clock_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL,
    zone TEXT NOT NULL, utc_offset_s INTEGER NOT NULL);
CREATE TABLE wrote(id INTEGER PRIMARY KEY, clock_ns INTEGER NOT NULL, characteristic TEXT NOT NULL,
    payload BLOB NOT NULL);
CREATE TABLE characteristics(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE packets(id INTEGER PRIMARY KEY, count INTEGER NOT NULL, arrival_ns BLOB NOT NULL,
    characteristic BLOB NOT NULL, size BLOB NOT NULL, payload BLOB NOT NULL);
CREATE TABLE row_columns(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE rows(id INTEGER PRIMARY KEY, count INTEGER NOT NULL, rate_hz REAL, data BLOB NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class RecordingHeader:
    """What is known about a session when it starts.

    Attributes:
        driver: name of the driver that decodes its packets; "" where it holds rows.
        source: where it came from: sensor, demo, import, ...
        device_name: the name the sensor advertises.
        device_address: its address, or the host's handle for it.
        model: what it says it is.
        firmware: its revision.
        settings: what the start request asked for, keys of `drivers decode`.
        leg: left or right, None where not told.
        place: where on the leg the strap sits.
        notes: anything else worth keeping, by name (file name, prefix, units of an import ...).
    """

    driver: str
    source: str = "sensor"
    device_name: str | None = None
    device_address: str | None = None
    model: str | None = None
    firmware: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    leg: str | None = None
    place: str | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Field by field, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, known: Mapping[str, Any]) -> RecordingHeader:
        """A header of what is known; keys of later versions are passed over.

        Raises:
            ValueError: no driver is named, or something has the wrong type.
        """
        taken = {f.name: known[f.name] for f in fields(cls) if f.name in known}
        if not isinstance(taken.get("driver"), str):
            raise ValueError("the header names no driver")
        for name in ("settings", "notes"):
            if not isinstance(taken.get(name, {}), Mapping):
                raise ValueError(f"{name} in the header is not an object")
        texts = set(taken) - {"settings", "notes"}
        if any(not isinstance(taken[name], str | None) for name in texts):
            raise ValueError("the header holds something that is not text")
        return cls(**taken)


@dataclass(frozen=True, slots=True)
class Anchor:
    """One instant on two clocks.

    Attributes:
        clock_ns: the clock that stamps arrivals; it runs through suspend.
        wall_ns: nanoseconds since 1970-01-01T00:00:00Z.
        zone: IANA name of the wearer's time zone.
        utc_offset_s: that zone's offset at this instant.
    """

    clock_ns: int
    wall_ns: int
    zone: str
    utc_offset_s: int


@dataclass(frozen=True, slots=True)
class Write:
    """Something written to the device, at that instant of the arrivals' clock."""

    clock_ns: int
    characteristic: str
    payload: bytes
