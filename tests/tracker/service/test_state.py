"""The state file: comes back as it was, is private, and never half written."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tracker.home import Home
from tracker.service.state import Phase, SensorState, ServiceState, read_state, write_state

NOON = datetime(2026, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))
SENSOR = SensorState(
    "left", "left", "streaming", NOON, -60, "", 63.0, NOON + timedelta(hours=5), 7, 1234.5, NOON, 2, 80.5, ""
)
STATE = ServiceState(
    4711, "1.2", NOON, NOON, Phase.RECORDING, (SENSOR, SensorState("right", None, "looking")), NOON, "badge",
    ("notice",), {"sound": "no player."}, {"locked": "nobody knows"},
)  # fmt: skip


def test_it_comes_back(home: Home) -> None:
    """What is read is what was written, all fields, with mode 0600; nothing else is left in the folder."""
    before = set(home.root.iterdir())
    write_state(home, STATE)
    assert read_state(home) == STATE
    assert stat.S_IMODE(home.service_state.stat().st_mode) == 0o600
    assert set(home.root.iterdir()) - before == {home.service_state}
    json.dumps(STATE.to_json(), allow_nan=False)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"sensors": [{"smell": 1}], "phase": "recording"}',
                                  '{"sensors": [], "phase": "dancing"}'])  # fmt: skip
def test_what_cannot_be_read_is_nothing(text: str, home: Home) -> None:
    """A file of another version, or that somebody else wrote, is as good as none."""
    assert read_state(home) is None
    home.service_state.write_text(text)
    assert read_state(home) is None


def test_stopped(home: Home) -> None:
    """A service that has ended has stopped sensors and no next reminder."""
    later = datetime(2026, 5, 1, 13, tzinfo=UTC)
    ended = STATE.stopped(later)
    assert (ended.phase, ended.at, ended.next_reminder) == (Phase.STOPPED, later, None)
    assert {sensor.link for sensor in ended.sensors} == {"stopped"}
