"""A recorder that is killed at any instant: its session is listed and closed at its last stored packet."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from analysis.events import Kind, Leg
from analysis.leg.gait import Gait
from analysis.leg.story import Teller, Wearer
from drivers import registry
from drivers.packets import RawPacket
from drivers.recording import open_recording
from drivers.virtual.polar_frames import FrameFormat, header, raw_content
from tracker.cli.main import cli
from tracker.counting import count
from tracker.home import Home
from tracker.live import recovery
from tracker.live.session import LIVE, LiveSession, lock_path
from tracker.store import Sensor, SessionRecord, Store
from tracker.store.connection import Presence

KILLS = int(os.environ.get("SOLEUS_TEST_KILLS", "4"))
"""Random instants in a run; more by the environment, for a long run."""

POLAR = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
SENSOR = Sensor("ankle", "Polar Sense 1", "00:11", "polar-pmd", Leg.RIGHT, "above the ankle")
RATE_HZ, SAMPLES = 50, 25
ROOT = Path(__file__).parents[3]

RECORDER = """
import sys
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[3])))
from test_recovery import NOON, packets_in, recorder
from tracker.home import Home
from tracker.store import Store

print("starting", flush=True)
with Store(Home(Path(sys.argv[1])), clock=lambda: NOON) as store:
    for taken, session in recorder(store, packets_in(Path(sys.argv[2]))):
        print(taken, flush=True)
    session.finish()
print("finished", flush=True)
"""


class PacketClock:
    """Stands at the arrival of the last packet."""

    ns = 10**9

    def steady_ns(self) -> int:
        return self.ns

    def now(self) -> datetime:
        return NOON + timedelta(microseconds=self.ns / 1000)


def packets_in(path: Path) -> list[RawPacket]:
    """One line a packet: arrival and payload."""
    lines = (line.split() for line in path.read_text().splitlines())
    return [RawPacket(int(arrival), POLAR, bytes.fromhex(payload)) for arrival, payload in lines]


def recorder(store: Store, packets: list[RawPacket]) -> Iterator[tuple[int, LiveSession]]:
    """Records a second a beat; gives the packets that are durable after each."""
    clock = PacketClock()
    session = LiveSession(store, SENSOR, registry.driver("polar-pmd"), {"rate_hz": RATE_HZ}, clock)
    for number, packet in enumerate(packets, 1):
        clock.ns = packet.arrival_ns
        session.take(packet)
        if number % 2 == 0:
            session.beat()
            yield number, session


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of standing and walking, as the packets of a Polar sensor."""
    rng = np.random.default_rng(3)
    story = Teller(Wearer.anybody(rng), float(RATE_HZ), rng).stand(5.0).walk(Gait(), 30).stand(20.0).walk(Gait(), 30)
    (acc,) = [block for block in story.stand(10.0).record().blocks if block.modality == "acc"]
    milli_g = np.round(acc.values / 9.80665e-3).astype(np.int64)
    lines = []
    for first in range(0, len(milli_g) - SAMPLES, SAMPLES):
        arrival_ns = 10**9 + (first + SAMPLES) * 10**9 // RATE_HZ
        frame = header(FrameFormat(2, 0x01), 780 * 10**15 + arrival_ns) + raw_content(milli_g[first : first + SAMPLES])
        lines.append(f"{arrival_ns} {frame.hex()}\n")
    path = tmp_path_factory.mktemp("packets") / "walk.txt"
    path.write_text("".join(lines))
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("SOLEUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "UTC")
    return Home(tmp_path / "home")


def command(*arguments: str) -> str:
    """A command in this process; what it says on stderr."""
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code in (0, 1), (result.stderr, result.exception)
    return result.stderr


def start(home: Home, walk: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RECORDER, str(home.root), str(walk), str(Path(__file__).parent)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def listed(home: Home) -> list[SessionRecord]:
    with Store(home, clock=lambda: NOON) as store:
        assert store.check(full=True) == []
        return store.sessions()


def assert_closed(home: Home, durable: int) -> None:
    """One session holds exactly what its recording holds, and everything that was durable is in that."""
    sessions = listed(home)
    if not sessions:
        assert durable == 0
        return
    (session,) = sessions
    with open_recording(home.root / str(session.recording)) as recording:
        facts = count(recording.blocks())
        assert durable <= recording.quality.packets == session.totals.packets
    assert (session.sensor, session.leg, session.totals.samples) == ("ankle", Leg.RIGHT, facts.samples)
    assert (session.first_s, session.last_s, session.counts) == (facts.first_s, facts.last_s, facts.counts)
    assert session.ended_at == session.started_at + timedelta(seconds=session.last_s)
    assert abs(session.started_at - NOON) < timedelta(seconds=3)
    assert not list(home.recordings.glob("*.lock"))


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_a_random_instant(home: Home, walk: Path, seed: int) -> None:
    """The next command, here one that only reads, finds and closes it; another changes nothing."""
    dice = random.Random(seed)
    durable = 0
    with start(home, walk) as process:
        assert process.stdout is not None
        for line in itertools.islice(
            process.stdout, dice.choice([1, 2, dice.randrange(3, 12), dice.randrange(3, 100)])
        ):
            durable = int(line) if line.strip().isdecimal() else durable
        process.kill()
    if not home.database.exists():
        return
    assert command(dice.choice(["day", "sessions", "events", "undo"])) in (
        "", "there is nothing to undo.\n",
    )  # fmt: skip
    assert_closed(home, durable)
    before = listed(home)
    command("sessions")
    assert listed(home) == before


@pytest.fixture
def cut_off(home: Home, walk: Path, tmp_path: Path) -> Home:
    """A home as a recorder leaves it that is killed after 80 packets."""
    with Store(Home(tmp_path / "first"), clock=lambda: NOON) as store:
        recording = recorder(store, packets_in(walk))
        session = next(session for taken, session in recording if taken == 80)
        shutil.copytree(tmp_path / "first", home.root)
        session.finish()
    return home


def test_what_was_counted(cut_off: Home) -> None:
    """Steps that were not stored yet are, after the next command."""
    assert [session.ended_at for session in listed(cut_off)] == [None]
    assert command("day", "2026-05-01") == ""
    (session,) = listed(cut_off)
    assert session.counts is not None
    assert session.counts[Kind.STEP] > 15
    assert_closed(cut_off, 80)


def test_two_commands_at_once(cut_off: Home) -> None:
    """One of them closes it, neither fails, and it is there once."""
    code = "from tracker.cli.main import run; import sys; sys.argv = ['soleus', 'sessions']; run()"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    def sessions(_: int) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor() as pool:
        results = list(pool.map(sessions, range(3)))
    assert [(done.returncode, done.stderr) for done in results] == [(0, "")] * 3
    assert_closed(cut_off, 80)


def test_killed_before_its_session_was_stored(cut_off: Home) -> None:
    """The recording becomes a session of the sensor that its header names."""
    with Store(cut_off, clock=lambda: NOON) as store:
        store._connection.execute("DELETE FROM sessions")
    assert command("sessions") == ""
    assert_closed(cut_off, 80)


def test_killed_before_its_first_sample(home: Home) -> None:
    """There is nothing to keep, and nothing is kept."""
    with Store(home, clock=lambda: NOON) as store:
        session = LiveSession(store, SENSOR, registry.driver("polar-pmd"), {}, PacketClock())
        session._lock.close()
        assert command("sessions") == ""
        assert listed(home) == []
        assert list(home.recordings.iterdir()) == []
        session.finish()


def test_one_that_is_being_recorded_is_left_alone(home: Home, walk: Path) -> None:
    """While the lock is held the session goes on, whatever commands are run."""
    with Store(home, clock=lambda: NOON) as store:
        steps = list(itertools.islice(recorder(store, packets_in(walk)), 40))
        assert recovery.killed(store) == []
        assert command("sessions") == ""
        assert [one.ended_at for one in store.sessions()] == [None]
        steps[-1][1].finish()
    assert_closed(home, 0)


def test_a_recorder_that_is_just_starting_is_left_alone(home: Home) -> None:
    """A lock without its recording is no sign of death."""
    with Store(home, clock=lambda: NOON) as store:
        lock = lock_path(home.recordings / f"{LIVE}1.sqlite")
        Presence(lock).close()
        assert recovery.killed(store) == []
        assert lock.exists()


def test_a_recording_that_cannot_be_read(cut_off: Home) -> None:
    """Its session is closed with what was stored, one sentence says so, once, and the file stays."""
    (path,) = cut_off.recordings.glob("*.sqlite")
    path.write_bytes(b"no recording")
    stderr = command("sessions")
    assert stderr.startswith("a recording that was cut off cannot be read and stays as it is (")
    assert stderr.count("\n") == 1
    assert [session.ended_at is None for session in listed(cut_off)] == [False]
    assert path.exists()
    assert command("sessions") == ""


def test_a_disk_that_refuses_hides_no_day(cut_off: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be closed now is told, and closed the next time."""
    from tracker.errors import StoreError

    def full(*_: object) -> None:
        raise StoreError("the disk is full.")

    with monkeypatch.context() as refusing:
        refusing.setattr(Store, "recount", full)
        assert command("sessions") == "a recording that was cut off is not closed yet (the disk is full.).\n"
    assert command("sessions") == ""
    assert_closed(cut_off, 80)


def test_names_agree() -> None:
    """Recovery looks for what a live session writes, without importing it."""
    path = Path(f"{LIVE}1.sqlite")
    assert (LIVE, path.suffix, lock_path(path).suffix) == (recovery._PREFIX, recovery._RECORDING, recovery._LOCK)


def test_looking_for_it_imports_no_numbers() -> None:
    """Every command looks, so it must not wait for numpy."""
    code = "import tracker.live.recovery, sys; print('numpy' in sys.modules)"
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
