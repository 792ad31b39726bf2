"""The program itself against a radio in another process: exit codes, signals, kills, and what is left behind."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Bleak's BlueZ backend runs on Linux only")

KILLS = int(os.environ.get("SOLEUS_TEST_RECORD_KILLS", "2"))
"""Random instants in a run; more by the environment, for a long run."""

PACKETS_A_S = 10
"""Ten samples of 100 a second go into a packet of the largest MTU."""

ROOT = Path(__file__).parents[3]


@dataclass
class Place:
    """A radio with sensors on the air, and a home."""

    radio: subprocess.Popen[str]
    environ: dict[str, str]
    home: Path

    def ask(self, line: str) -> str:
        assert self.radio.stdin is not None
        assert self.radio.stdout is not None
        self.radio.stdin.write(line + "\n")
        self.radio.stdin.flush()
        return self.radio.stdout.readline().strip()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tracker", *arguments]
        return subprocess.Popen(
            command, cwd=ROOT, env=self.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, *arguments: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        child = self.start(*arguments)
        out, err = child.communicate(timeout=60)
        assert child.returncode == expect, (out, err)
        return subprocess.CompletedProcess(arguments, child.returncode, out, err)

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json").stdout)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Two sensors on the air."""
    with tempfile.TemporaryDirectory(prefix="soleus") as folder:
        options = ["--socket", f"{folder}/bus", "--sensor", "left=soleus-nus", "--sensor", "right=witmotion"]
        command = [sys.executable, "-m", "drivers.virtual.process", *options]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=ROOT
        ) as radio:
            assert radio.stdout is not None
            address = radio.stdout.readline().strip()
            assert radio.stdout.readline() == "ready\n"
            home = tmp_path / "home"
            environ = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": address, "SOLEUS_HOME": str(home), "TZ": "UTC"}
            try:
                yield Place(radio, environ, home)
            finally:
                radio.kill()


def pair(place: Place, nick: str = "left") -> None:
    name = next(sensor["name"] for sensor in json.loads(place.ask("sensors")) if sensor["nick"] == nick)
    place.run("pair", name, "--as", nick, "--leg", "left", "--yes")


def stream(place: Place, *arguments: str) -> subprocess.Popen[str]:
    """A recorder that has data."""
    child = place.start("record", "--sensor", "left", "--plain", *arguments)
    assert child.stdout is not None
    for line in child.stdout:
        if "packets" in line:
            break
    return child


def packets_sent(place: Place) -> int:
    return int(json.loads(place.ask("ledger left"))["made"])


def is_sound(file: Path) -> bool:
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_scan_pair_record_sessions(place: Place) -> None:
    """The walk of a first day: found, paired, recorded for a few seconds, listed; then switched off at the radio."""
    found = place.json("scan", "--seconds", "2")
    assert {sensor["driver"] for sensor in found} == {"soleus-nus", "witmotion"}
    pair(place)
    done = place.run("record", "--sensor", "left", "--minutes", "0.05", "--plain")
    assert done.stderr == ""
    (session,) = place.json("sessions")
    assert session["duration_s"] == pytest.approx(3, abs=0.8)
    assert (session["packet_errors"], session["reconnects"], session["sensor"]) == (0, 0, "left")
    assert json.loads(place.ask("ledger left"))["linked"] is False
    assert place.json("sensors")[0]["last_seen"] is not None
    place.ask("power off")
    for arguments in (("scan", "--seconds", "2"), ("record", "--sensor", "left", "--plain")):
        failed = place.run(*arguments, expect=3)
        assert failed.stderr.count("\n") == 1
        assert "switch" in failed.stderr


def test_absent(place: Place) -> None:
    """Exit 3 within 15 s, one line on stderr."""
    pair(place)
    place.ask("vanish left")
    began_s = time.monotonic()
    done = place.run("record", "--sensor", "left", "--plain", expect=3)
    assert time.monotonic() - began_s < 15
    assert done.stderr.count("\n") == 1
    assert "not in range" in done.stderr
    assert done.stdout.count("looking for the sensor") >= 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(place: Place, number: signal.Signals) -> None:
    """Within 3 s, exit 0, the session closed, the sensor stopped and let go."""
    pair(place)
    child = stream(place)
    began_s = time.monotonic()
    child.send_signal(number)
    _, err = child.communicate(timeout=10)
    assert time.monotonic() - began_s < 3
    assert (child.returncode, err) == (0, "")
    assert json.loads(place.ask("ledger left"))["linked"] is False
    (session,) = place.json("sessions")
    assert session["ended_at"] is not None


def test_killed_at_random_instants_and_taken_over(place: Place) -> None:
    """All but the last 2 s is kept, the next command closes the session, the next recorder takes the link over."""
    pair(place)
    dice, worst = random.Random(KILLS), 0
    for kill in range(KILLS):
        before = packets_sent(place)
        child = stream(place)
        time.sleep(dice.uniform(0.0, 3.0))
        child.kill()
        child.communicate()
        sent = packets_sent(place) - before
        sessions = place.json("sessions")
        assert len(sessions) == kill + 1
        assert all(session["ended_at"] is not None for session in sessions)
        assert sent - sessions[0]["packets"] <= 2.5 * PACKETS_A_S
        worst = max(worst, sent - sessions[0]["packets"])
        assert all(is_sound(file) for file in [*place.home.rglob("*.sqlite"), *place.home.rglob("*.db")])
    print(f"{KILLS} kills, at most {worst / PACKETS_A_S:.1f} s of packets missing")  # noqa: T201
    assert json.loads(place.ask("ledger left"))["linked"] is True
    place.run("record", "--sensor", "left", "--minutes", "0.03", "--plain")
    latest, *_ = place.json("sessions")
    assert latest["duration_s"] > 1.5
    assert place.run("doctor").returncode == 0
