"""A private home, a runner of commands, and small files to give them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import tracker.cli.calibrate
import tracker.cli.pair
import tracker.cli.radio
import tracker.live.clock
from analysis.events import Algorithm, Contraction, Findings, Gap, Kind, Leg, State, StateSpan
from analysis.leg.gait import Gait
from analysis.leg.story import Teller, Wearer
from drivers.ble import Radio
from drivers.packets import RawPacket
from drivers.recording import Anchor, RecordingHeader, RecordingWriter
from drivers.virtual.carriers import Kind as Air
from drivers.virtual.carriers import on_the_air
from drivers.virtual.clock import VirtualTimeLoop
from drivers.virtual.sensor import VirtualSensor
from drivers.virtual.wire import Wire
from tracker.cli.main import cli
from tracker.home import Home
from tracker.samplefile import write_samples
from tracker.store import Batch, NewSession, Store

START = "2026-03-01T08:00:00"
POLAR = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"

Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own, in the zone of Berlin."""
    monkeypatch.setenv("SOLEUS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("SOLEUS_DEBUG", raising=False)
    return tmp_path / "home"


@pytest.fixture
def run() -> Run:
    """Runs a command in this process."""

    def command(*arguments: object, expect: int = 0, input: str | None = None) -> Result:
        result = CliRunner().invoke(cli, [str(argument) for argument in arguments], input=input)
        assert result.exit_code == expect, (result.stdout, result.stderr, result.exception)
        return result

    return command


@pytest.fixture
def run_json(run: Run) -> Callable[..., Any]:
    """Runs a command with --json and reads its document."""

    def command(*arguments: object, expect: int = 0) -> Any:
        return json.loads(run(*arguments, "--json", expect=expect).stdout, parse_constant=_no_nan)

    return command


def _no_nan(name: str) -> float:
    raise AssertionError(f"{name} is not JSON")


@pytest.fixture(scope="session")
def walk_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person who sits, stands up, walks 40 strides and sits again, at 50 Hz."""
    rng = np.random.default_rng(7)
    story = Teller(Wearer.anybody(rng), 50.0, rng).sit(30.0).stand_up().stand(4.0)
    recorded = story.walk(Gait(), 40).stand(4.0).sit_down().sit(30.0).record()
    path = tmp_path_factory.mktemp("files") / "walk.csv"
    write_samples(path, [recorded.blocks])
    return path


@pytest.fixture(scope="session")
def emg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of an electrode without contact at 200 Hz, nothing else."""
    rows = "".join(f"{number / 200},0\n" for number in range(2000))
    path = tmp_path_factory.mktemp("files") / "muscle.csv"
    path.write_text("t_s,emg_soleus_uv\n" + rows)
    return path


@pytest.fixture(scope="session")
def bad_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with text in a number on its last line."""
    rows = "".join(f"{number / 50},0,0,9.8\n" for number in range(2000))
    path = tmp_path_factory.mktemp("files") / "bad.csv"
    path.write_text("t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2\n" + rows + "40.0,0,zero,9.8\n")
    return path


@pytest.fixture(scope="session")
def packets_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of a resting Polar sensor on the right leg, begun at noon of 2026-04-01 in Berlin."""
    path = tmp_path_factory.mktemp("files") / "rest.sqlite"
    header = RecordingHeader("polar-pmd", settings={"rate_hz": 50}, leg="right")
    with RecordingWriter(path, header) as writer:
        writer.anchor(Anchor(10**9, 1_775_037_600 * 10**9, "Europe/Berlin", 7200))
        for second in range(120):
            writer.append(polar_second(second))
    return path


def polar_second(second: int) -> RawPacket:
    """A second of 50 Hz acceleration, compressed: a reference sample and 49 that do not differ from it."""
    stamp_ns = 780 * 10**15 + second * 10**9
    reference = (0).to_bytes(2, "little") * 2 + (1).to_bytes(2, "little")
    payload = b"\x02" + stamp_ns.to_bytes(8, "little") + b"\x80" + reference + bytes((0, 49))
    return RawPacket((second + 1) * 10**9, POLAR, payload)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """Sets the clock that commands read."""
    return lambda moment: monkeypatch.setattr("tracker.cli.surroundings.now", lambda: moment)


@pytest.fixture
def noon(at: Callable[[datetime], None]) -> datetime:
    """The clock stands at noon of Wednesday 2026-03-04 in Berlin."""
    moment = datetime(2026, 3, 4, 11, tzinfo=UTC)
    at(moment)
    return moment


@pytest.fixture
def keep(home: Path) -> Callable[..., int]:
    """Stores a session that is seated and worn throughout and holds contractions at these session seconds.

    Gives its id. Keywords: `leg`, `kind`, `length_s`, `gaps`, `recording` (bytes that stand for one).
    """

    def stored(
        start: str,
        peaks: Sequence[float] = (),
        *,
        leg: str | None = "left",
        kind: Kind = Kind.HEEL_RAISE,
        length_s: float = 3600.0,
        gaps: Sequence[tuple[float, float]] = (),
        bounce_s: float = 0.0,
        recording: bytes | None = None,
    ) -> int:
        began = datetime.fromisoformat(start)
        key = f"{start} {leg} {kind}"
        kept = None
        events = tuple(Contraction(kind, peak - 0.5, peak, peak + 0.5, 0.9, "lift_and_return") for peak in peaks)
        spans = (StateSpan(State.SEATED, 0.0, length_s),)
        findings = Findings(events, spans, (), tuple(Gap(*gap) for gap in gaps), bounce_s)
        with Store(Home(home), clock=lambda: began) as store:
            if recording is not None:
                kept = store.home.recordings / f"{abs(hash(key))}.sqlite"
                kept.write_bytes(recording)
            new = NewSession(began, Leg(leg) if leg else None, source="a.csv", content_key=key, recording=kept)
            batch = Batch(findings, 0.0, length_s, Algorithm("heel", "1.0", "0" * 64))
            return store.add(new, batch, ended_at=began + timedelta(seconds=length_s)).session_id

    return stored


@pytest.fixture
def tree(home: Path) -> Callable[[], list[str]]:
    """Names of everything in the home, none where it is not there."""
    return lambda: sorted(path.relative_to(home).as_posix() for path in home.rglob("*"))


class LoopClock:
    """The running loop's clock, as the host's two."""

    def steady_ns(self) -> int:
        return round(asyncio.get_running_loop().time() * 1e9)

    def now(self) -> datetime:
        return datetime(2026, 3, 1, 8, tzinfo=UTC) + timedelta(microseconds=self.steady_ns() / 1000)


@pytest.fixture
def on_a_wire(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Commands reach these sensors, in virtual time; `asked`: somebody answers their questions.

    `bluez`: by Bleak's own backend and the fake bluetoothd.
    """

    def plug_in(*sensors: VirtualSensor, asked: bool = False, bluez: bool = False) -> None:
        wire = Wire(sensors)

        async def within(work: Coroutine[Any, Any, Any]) -> Any:
            async with on_the_air(sensors, Air.BLUEZ) if bluez else wire:
                return await work

        def run(work: Coroutine[Any, Any, Any]) -> Any:
            with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
                return runner.run(within(work))

        monkeypatch.setattr(tracker.cli.radio, "radio", lambda: Radio() if bluez else wire.radio)
        monkeypatch.setattr(tracker.cli.radio, "run", run)
        monkeypatch.setenv("PATH", "")  # no bluetoothctl: what version it is must not matter
        monkeypatch.setattr(tracker.live.clock, "HostClock", LoopClock)
        for asking in (tracker.cli.pair, tracker.cli.calibrate):
            monkeypatch.setattr(asking, "somebody_answers", lambda: asked)

    return plug_in
