"""Intake: keys of content, starts of recordings, what is swept and what is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from analysis.events import Leg
from drivers.errors import RecordingError
from drivers.recording import Anchor, RecordingHeader, RecordingWriter, open_recording
from drivers.rows import ACC_COLUMNS, RowChunk
from tracker.content import content_key, file_key
from tracker.errors import ConfigError, StoreError
from tracker.home import Home
from tracker.intake import Intake, Told, open_input, own_start, sweep
from tracker.samplefile import AccUnit, ReadOptions, SampleFile
from tracker.store import Store
from tracker.store.connection import Presence

NOW = datetime(2026, 6, 1, tzinfo=UTC)
START = datetime(2026, 3, 1, 7, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Ten seconds of a resting leg."""
    path = tmp_path / "rest.csv"
    path.write_text("t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2\n" + "".join(f"{n / 50},0,0,9.8\n" for n in range(500)))
    return path


def rows_recording(path: Path, *anchors: Anchor) -> Path:
    with RecordingWriter(path, RecordingHeader("", "import", leg="left")) as writer:
        for anchor in anchors:
            writer.anchor(anchor)
        writer.append_rows(RowChunk(np.arange(100) / 50, ACC_COLUMNS, np.ones((100, 3)), 50.0))
    return path


def test_key_of_content() -> None:
    """Prefix spelling and the zone of the start do not matter; everything else does."""
    key = content_key("d", "lshank_", Leg.LEFT, START)
    assert len(key) == 64
    assert key == content_key("d", "LShank", Leg.LEFT, START.astimezone(ZoneInfo("Asia/Tokyo")))
    others = {
        content_key("e", "lshank_", Leg.LEFT, START),
        content_key("d", "", Leg.LEFT, START),
        content_key("d", "lshank_", None, START),
        content_key("d", "lshank_", Leg.LEFT, START + timedelta(microseconds=1)),
    }
    assert len(others - {key}) == 4


def test_the_form_of_a_file_does_not_matter(file: Path, home: Home, tmp_path: Path) -> None:
    """The same rows as CSV, as gzip and as a recording are the same content."""
    import gzip

    squeezed = tmp_path / "again.csv.gz"
    squeezed.write_bytes(gzip.compress(file.read_bytes()))
    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        first = intake.take(file, Told(START, Leg.LEFT))
        again = intake.take(squeezed, Told(START, Leg.LEFT))
        kept = home.root / str(store.session(first.session_id).recording)
        third = intake.take(kept, Told())
        assert [first.created, again.created, third.created] == [True, False, False]
        assert len(store.sessions()) == 1


def test_the_same_bytes_are_not_read_twice(file: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that comes again is known by its bytes; with another start or leg, or forgotten, it is read."""
    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        first = intake.take(file, Told(START, Leg.LEFT))
        with monkeypatch.context() as unread:
            unread.setattr("tracker.intake.open_input", lambda *_: pytest.fail("the file was read again"))
            again = intake.take(file, Told(START, Leg.LEFT))
        assert (again.session_id, again.created) == (first.session_id, False)
        assert (again.duration_s, again.counts) == (first.duration_s, first.counts)
        assert intake.take(file, Told(START + timedelta(days=1), Leg.LEFT)).created
        assert intake.take(file, Told(START, Leg.RIGHT)).created
        store.forget([first.session_id])
        assert intake.take(file, Told(START, Leg.LEFT)).created


def test_key_of_bytes(file: Path, tmp_path: Path) -> None:
    """Bytes, prefix, units, leg and start make it; a log beside the file holds a part of it, so there is none."""
    plain = ReadOptions()
    key = file_key(file, plain, Leg.LEFT, START)
    assert key == file_key(file.rename(tmp_path / "renamed.csv"), plain, Leg.LEFT, START)
    file = tmp_path / "renamed.csv"
    others = {
        file_key(file, ReadOptions(prefix="lshank_"), Leg.LEFT, START),
        file_key(file, ReadOptions(acc_unit=AccUnit.G), Leg.LEFT, START),
        file_key(file, plain, None, START),
        file_key(file, plain, Leg.LEFT, None),
    }
    assert len(others - {key, None}) == 4
    file.with_name("renamed.csv-wal").write_bytes(b"more")
    assert file_key(file, plain, Leg.LEFT, START) is None
    assert file_key(tmp_path / "none.csv", plain, Leg.LEFT, START) is None


def test_what_is_stored(file: Path, home: Home) -> None:
    """First sample, end, samples and an operation that can be undone."""
    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        done = intake.take(file, Told(START, None))
        session = store.session(done.session_id)
        assert (session.first_s, session.last_s, session.leg) == (0.0, 9.98, None)
        assert session.ended_at == START + timedelta(seconds=9.98)
        assert session.totals.samples == 500
        assert store.check(full=True) == []
        store.undo()
        assert store.sessions() == []
        assert list(home.recordings.iterdir()) == []


def test_what_cannot_be_counted_is_no_zero(home: Home, tmp_path: Path) -> None:
    """Too slow an accelerometer: stored, its counts not known."""
    slow = tmp_path / "slow.csv"
    slow.write_text("t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2\n" + "".join(f"{n / 4},0,0,9.8\n" for n in range(400)))
    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        done = intake.take(slow, Told(START, Leg.LEFT))
        day = store.day(START.date(), UTC).headline
        assert (done.counts, store.session(done.session_id).counts, day.counts) == (None, None, None)
        assert day.recorded_s == day.unknown_s == 99.75
        assert "samples a second" in str(done.why_uncountable)


def test_an_end_after_a_clock_change(file: Path, home: Home) -> None:
    """Seconds are true seconds, also where the wall clock jumps between start and end."""
    start = datetime(2026, 3, 29, 1, 59, 55, tzinfo=ZoneInfo("Europe/Berlin"))
    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        session = store.session(intake.take(file, Told(start, Leg.LEFT)).session_id)
    assert session.ended_at is not None
    assert session.ended_at.astimezone(UTC) - start.astimezone(UTC) == timedelta(seconds=9.98)
    assert session.ended_at.utcoffset() == timedelta(hours=2)


def test_own_start_of_rows(tmp_path: Path) -> None:
    """Second 0 of rows is instant 0 of their anchor's clock, in its zone."""
    anchor = Anchor(0, 1_772_348_400 * 10**9, "Europe/Berlin", 3600)
    with open_recording(rows_recording(tmp_path / "a.sqlite", anchor)) as recording:
        list(recording.blocks())
        assert own_start(recording) == START
        assert str(own_start(recording).tzinfo) == "Europe/Berlin"


def test_own_start_without_a_zone(tmp_path: Path) -> None:
    """An anchor without the name of a zone still has its offset."""
    anchor = Anchor(10**9, 1_772_348_401 * 10**9, "", -3600)
    with open_recording(rows_recording(tmp_path / "a.sqlite", anchor)) as recording:
        assert own_start(recording) == START
        assert own_start(recording).utcoffset() == timedelta(hours=-1)


def test_a_recording_without_a_start(tmp_path: Path, home: Home) -> None:
    """A recording without an anchor needs --start, and leaves nothing."""
    path = rows_recording(tmp_path / "a.sqlite")
    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        with pytest.raises(ConfigError, match="does not say when it began: add --start"):
            intake.take(path, Told())
        assert list(home.recordings.iterdir()) == []
        assert intake.take(path, Told(START)).leg is Leg.LEFT


def test_sweep_spares_what_is_in_use(file: Path, home: Home) -> None:
    """While another import is under way nothing is swept; after it, only what no session needs."""
    with Store(home, clock=lambda: NOW) as store:
        with Intake(store) as intake:
            intake.take(file, Told(START, Leg.LEFT))
        left = home.recordings / ".import-1.sqlite"
        left.write_text("x")
        other = Presence(home.root / "import.lock")
        other.share()
        with Intake(store):
            assert left.exists()
        other.close()
        with Intake(store):
            assert not left.exists()
        assert len(list(home.recordings.iterdir())) == 1
        assert sweep(home, store) == []


def test_sweep_spares_what_undo_needs(file: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between forgetting and the move to the trash, a recording survives the next import, and undo has it."""
    with Store(home, clock=lambda: NOW) as store:
        with Intake(store) as intake:
            kept = home.root / str(store.session(intake.take(file, Told(START, Leg.LEFT)).session_id).recording)
        with monkeypatch.context() as killed:
            killed.setattr("tracker.store.retention.settle", lambda *_: None)
            store.forget([1])
        assert kept.exists()
        with Intake(store):
            assert kept.exists()
        store.undo()
        assert kept.exists()
        assert store.session(1).recording == home.relative(kept)


def test_a_full_disk_is_told(file: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQLite says while the recording is written is one sentence, and leaves nothing."""
    import sqlite3

    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        monkeypatch.setattr(RecordingWriter, "append_rows", full)
        with pytest.raises(StoreError, match="the disk is full"):
            intake.take(file, Told(START, Leg.LEFT))
        assert (store.sessions(), list(home.recordings.iterdir())) == ([], [])


def test_a_folder_that_may_not_be_written_is_told(file: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording that cannot be made is a fault of the store, not of the file."""

    def refuse(writer: RecordingWriter, path: Path, header: RecordingHeader) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        monkeypatch.setattr(RecordingWriter, "__init__", refuse)
        with pytest.raises(StoreError, match=r"recordings.* \(Permission denied\): mend its permissions"):
            intake.take(file, Told(START, Leg.LEFT))


@pytest.mark.parametrize("zero", ["1.7e9", "1.7e18", "-2e8"])
def test_times_that_are_no_seconds_from_the_start(zero: str, home: Home, tmp_path: Path) -> None:
    """Seconds since 1970 as t_s would put the session into another century."""
    path = tmp_path / "epoch.csv"
    rows = f"{zero},0,0,9.8\n"
    path.write_text("t_s,acc_x_mps2,acc_y_mps2,acc_z_mps2\n" + rows)
    with Store(home, clock=lambda: NOW) as store, Intake(store) as intake:
        with pytest.raises(RecordingError, match="it must be seconds from the start"):
            intake.take(path, Told(START, Leg.LEFT))
        assert (store.sessions(), list(home.recordings.iterdir())) == ([], [])


def test_what_is_opened(file: Path, tmp_path: Path) -> None:
    """The name tells a sample file; everything else must be a recording."""
    assert isinstance(open_input(file, ReadOptions()), SampleFile)
    with pytest.raises(RecordingError, match="this is a folder"):
        open_input(tmp_path)
