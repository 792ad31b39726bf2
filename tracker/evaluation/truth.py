"""The truth about a recording, and the format of the file that holds it.

Beside a recording `NAME.csv` (or `.csv.gz`, `.parquet`, `.sqlite`) lies `NAME.truth.json`, one JSON object:

    {"events": [{"kind": "soleus_pushup", "peak_s": 12.4, "onset_s": 11.9, "end_s": 13.0, "hold_s": 0.2}],
     "intervals": [{"label": "bounce", "start_s": 30.0, "end_s": 50.0}],
     "counts": {"step": 44},
     "condition": "slow", "person": "p07", "source": "real",
     "options": {"prefix": "lshank_", "acc_unit": "mps2", "gyr_unit": "rad_s"},
     "recording": "../walks/NAME.csv.gz"}

Every key is optional, but a truth says something: events, intervals or counts.

`events`
:   What truly happened, on the recording's own `t_s` axis. `kind` and `peak_s` (greatest plantar flexion; for
    steps and pedal strokes the mid-swing or the bottom of the stroke) are needed. `hold_s`, the time held at
    the top, widens the reach of the match by its half. `"ignore": true` makes an event don't-care: found or not,
    it changes no figure. `gait` of a step (`walk`, `run`, `stairs_up`, `stairs_down`, `shuffle`; `stairs` for
    either way) is held against that of the step found for it. With `events` (an empty list as well) the whole
    recording is judged: what is found and is not in the list is false.
`intervals`
:   Stretches in which no contraction happened; `label` names the movement (`bounce`, `still`, `table`).
    Contractions found in one are false, and are reported per hour of its label. The label `ignore` makes the
    stretch don't-care.
`counts`
:   How many of a kind, where nobody knows when: a count error is given, and no precision. A kind whose count is
    0 is judged over the whole recording.
`condition`, `person`, `source`
:   For grouping. `condition` is the folder below DIR where nothing is said. `source` is `real` (as without it) or
    `simulated`; the two are never added up.
`options`
:   What `soleus analyze` would be told: `prefix`, `acc_unit`, `gyr_unit`, `emg_unit`.
`recording`
:   Where the recording is, if it is not beside the truth; relative to the truth file.

`NAME.truth.csv` says the same: `# key: value` lines first (`# condition: slow`, `# counts.step: 44`,
`# prefix: lshank_`), then a header with any of `kind peak_s onset_s end_s hold_s gait ignore label start_s`; a row
with a kind is an event, a row with a label is an interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from analysis.events import Kind
from analysis.gait import Gait
from drivers.errors import RecordingError
from tracker.samplefile import AccUnit, EmgUnit, GyrUnit, ReadOptions

Member = TypeVar("Member", bound=StrEnum)

IGNORE = "ignore"
"""Label of a don't-care stretch."""


class Source(StrEnum):
    """Where a recording comes from; figures of the two are kept apart."""

    REAL = "real"
    SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """One contraction that happened; onset and end are None where nobody said, the gait of a step likewise empty."""

    kind: Kind
    peak_s: float
    onset_s: float | None = None
    end_s: float | None = None
    hold_s: float = 0.0
    ignore: bool = False
    gait: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch without any contraction, or a don't-care one."""

    label: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Truth:
    """What is known about one recording; `events` is None where nobody listed them."""

    events: tuple[TrueEvent, ...] | None = None
    intervals: tuple[Interval, ...] = ()
    counts: Mapping[Kind, int] = field(default_factory=dict)
    condition: str = ""
    person: str = ""
    source: Source = Source.REAL
    options: ReadOptions = field(default_factory=ReadOptions)
    recording: str = ""


class _Wrong(Exception):  # noqa: N818 - becomes a RecordingError once the file is known
    """A value that the format does not allow; the text says which and why."""


_KEYS = ("events", "intervals", "counts", "condition", "person", "source", "options", "recording")
_EVENT_KEYS = ("kind", "peak_s", "onset_s", "end_s", "hold_s", "ignore", "gait")

STAIRS = "stairs"
"""Of a step on stairs of which nobody said whether they went up or down."""

_GAITS = (*(str(gait) for gait in Gait if gait is not Gait.UNKNOWN), STAIRS)
_INTERVAL_KEYS = ("label", "start_s", "end_s")
_OPTION_KEYS = ("prefix", "acc_unit", "gyr_unit", "emg_unit")


def truth_of(document: Any, path: Path) -> Truth:
    """The truth that a parsed document tells.

    Args:
        document: what the JSON says.
        path: the file, for the error.

    Raises:
        RecordingError: the document is not in the format.
    """
    try:
        return _truth(document)
    except _Wrong as wrong:
        raise RecordingError(str(wrong), path) from None


def _truth(document: Any) -> Truth:
    told = _object(document, "the truth", _KEYS)
    if not any(key in told for key in ("events", "intervals", "counts")):
        raise _Wrong("it needs events, intervals or counts")
    return Truth(
        events=_events(told["events"]) if "events" in told else None,
        intervals=tuple(_interval(one, f"interval {n}") for n, one in _numbered(told, "intervals")),
        counts=_counts(told.get("counts", {})),
        condition=_text(told, "condition"),
        person=_text(told, "person"),
        source=_member(Source, told.get("source", "real"), "source"),
        options=_options(told.get("options", {})),
        recording=_text(told, "recording"),
    )


def _events(listed: Any) -> tuple[TrueEvent, ...]:
    events = [_event(one, f"event {n}") for n, one in _numbered({"events": listed}, "events")]
    return tuple(sorted(events, key=lambda event: event.peak_s))


def _event(document: Any, where: str) -> TrueEvent:
    told = _object(document, where, _EVENT_KEYS)
    peak_s, hold_s = _number(told, "peak_s", where), _number(told, "hold_s", where, 0.0)
    onset_s, end_s = (_number(told, key, where) if key in told else None for key in ("onset_s", "end_s"))
    if (onset_s is not None and onset_s > peak_s) or (end_s is not None and end_s < peak_s):
        raise _Wrong(f"{where}: onset_s, peak_s and end_s must follow each other")
    if hold_s < 0.0:
        raise _Wrong(f"{where}: hold_s must not be negative")
    ignore = told.get("ignore", False)
    if not isinstance(ignore, bool):
        raise _Wrong(f"{where}: ignore must be true or false")
    gait = _text(told, "gait")
    if gait and gait not in _GAITS:
        raise _Wrong(f"{where}: gait must be one of {', '.join(_GAITS)}")
    return TrueEvent(_member(Kind, told.get("kind"), f"{where}: kind"), peak_s, onset_s, end_s, hold_s, ignore, gait)


def _interval(document: Any, where: str) -> Interval:
    told = _object(document, where, _INTERVAL_KEYS)
    label, start_s, end_s = _text(told, "label"), _number(told, "start_s", where), _number(told, "end_s", where)
    if not label:
        raise _Wrong(f"{where}: label is missing")
    if start_s >= end_s:
        raise _Wrong(f"{where}: start_s must be before end_s")
    return Interval(label, start_s, end_s)


def _counts(document: Any) -> dict[Kind, int]:
    told = _object(document, "counts", tuple(Kind))
    for kind, number in told.items():
        if not isinstance(number, int) or isinstance(number, bool) or number < 0:
            raise _Wrong(f"counts: {kind} must be a whole number, 0 or more")
    return {Kind(kind): number for kind, number in told.items()}


def _options(document: Any) -> ReadOptions:
    told = _object(document, "options", _OPTION_KEYS)
    units = {"acc_unit": AccUnit, "gyr_unit": GyrUnit, "emg_unit": EmgUnit}
    known: dict[str, Any] = {key: _member(units[key], told[key], f"options: {key}") for key in units if key in told}
    return ReadOptions(prefix=_text(told, "prefix"), **known)


def _object(document: Any, where: str, keys: Iterable[str]) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _Wrong(f"{where} must be a JSON object")
    unknown = [str(key) for key in document if key not in tuple(keys)]
    if unknown:
        raise _Wrong(f"{where}: {unknown[0]!r} is not known (known: {', '.join(keys)})")
    return document


def _numbered(told: Mapping[str, Any], key: str) -> Iterable[tuple[int, Any]]:
    listed = told.get(key, [])
    if not isinstance(listed, list):
        raise _Wrong(f"{key} must be a list")
    return enumerate(listed, 1)


def _number(told: Mapping[str, Any], key: str, where: str, default: float | None = None) -> float:
    value = told.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise _Wrong(f"{where}: {key} must be a number" if key in told else f"{where}: {key} is missing")
    return float(value)


def _text(told: Mapping[str, Any], key: str) -> str:
    value = told.get(key, "")
    if not isinstance(value, str):
        raise _Wrong(f"{key} must be text")
    return value


def _member(of: type[Member], value: Any, where: str) -> Member:
    if value not in tuple(of):
        raise _Wrong(f"{where} must be one of {', '.join(of)}")
    return of(value)
