"""What the service is doing, in a small file that `soleus status` reads without asking anybody."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from tracker.home import FILE_MODE, Home

STALE_S = 30.0
"""A service that holds its lock and has not written for so long does not answer. It writes every few seconds."""


class Phase(StrEnum):
    """What the service as a whole does."""

    STARTING = "starting"
    RECORDING = "recording"
    LOOKING = "looking for its sensors"
    IDLE = "waiting for a sensor to be paired"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SensorState:
    """One sensor as the service has it; what is not known is None.

    Attributes:
        nick: its nickname.
        leg: that it is on.
        link: what is done about it, in words.
        since: since when it is linked, or away; aware.
        rssi_dbm: its signal when it was last found.
        why: what is in the way, as a phrase; empty where all is well.
        battery_percent: last level heard.
        battery_until: when it will be empty, if it goes on falling as it has.
        session_id: of the session that is being recorded.
        recorded_s: seconds of that session.
        last_contraction: peak of the last final one.
        gaps: how often data broke off since the service began.
        gap_s: for how long in all, the present silence included.
        trouble: what disk or database refuse just now, as a sentence.
    """

    nick: str
    leg: str | None
    link: str
    since: datetime | None = None
    rssi_dbm: int | None = None
    why: str = ""
    battery_percent: float | None = None
    battery_until: datetime | None = None
    session_id: int | None = None
    recorded_s: float | None = None
    last_contraction: datetime | None = None
    gaps: int = 0
    gap_s: float = 0.0
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """The service at one instant.

    Attributes:
        pid: of its process.
        version: of the program that runs.
        started_at: when it began, aware.
        at: when this was written, aware.
        phase: what it does.
        sensors: each sensor that it records.
        next_reminder: when the next one comes if the leg stays still; None where none is to be expected.
        badge: the silent mark of a reminder that was not answered; empty where there is none.
        notices: what is wrong with the data, a sentence each.
        channels: by name, why a message could not be told there; channels that work are missing.
        unknown: by name, why something of the desktop cannot be known.
    """

    pid: int
    version: str
    started_at: datetime
    at: datetime
    phase: Phase = Phase.STARTING
    sensors: tuple[SensorState, ...] = ()
    next_reminder: datetime | None = None
    badge: str = ""
    notices: tuple[str, ...] = ()
    channels: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The fields under their names, times as ISO 8601."""
        document = asdict(self)
        document["sensors"] = [_plain(sensor) for sensor in document["sensors"]]
        return _plain(document)

    def stopped(self, at: datetime) -> ServiceState:
        """The same service, ended."""
        away = tuple(replace(sensor, link="stopped", since=at) for sensor in self.sensors)
        return replace(self, phase=Phase.STOPPED, at=at, sensors=away, next_reminder=None)


_TIMES = ("started_at", "at", "next_reminder")
_SENSOR_TIMES = ("since", "battery_until", "last_contraction")


def _plain(document: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in document.items()}


def write_state(home: Home, state: ServiceState) -> None:
    """Put the state in the place of the one before, whole or not at all, readable by its owner only.

    Raises:
        OSError: the disk refuses.
    """
    handle, name = tempfile.mkstemp(prefix=".service", dir=home.root)  # with mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(state.to_json(), file, indent=1)
        Path(name).chmod(FILE_MODE)
        Path(name).replace(home.service_state)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_state(home: Home) -> ServiceState | None:
    """What the service wrote last; None where none has, or where it cannot be read."""
    try:
        found = json.loads(home.service_state.read_text(encoding="utf-8"))
        sensors = tuple(SensorState(**_timed(sensor, _SENSOR_TIMES)) for sensor in found.pop("sensors"))
        phase, notices = Phase(found.pop("phase")), tuple(found.pop("notices"))
        return ServiceState(**_timed(found, _TIMES), phase=phase, sensors=sensors, notices=notices)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _timed(document: Mapping[str, Any], times: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: datetime.fromisoformat(value) if key in times and value is not None else value
        for key, value in document.items()
    }
