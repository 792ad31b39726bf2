"""Whether everything that soleus needs is in order; each finding says its exact fix."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from shutil import disk_usage

from tracker.errors import ConfigError, StoreError
from tracker.home import Home
from tracker.settings import Settings, read_settings, wearer_zone
from tracker.store import SessionRecord, Store
from tracker.store.days import zone_name

PYTHON_NEEDED = (3, 11)
SQLITE_NEEDED = (3, 37)
"""First with STRICT tables. Source: sqlite.org/stricttables.html."""

PACKAGES = ("bleak", "click", "desktop-notifier", "numpy", "pandas", "rich", "scipy", "sqlite-utils")
LEAST_FREE_BYTES = 200_000_000
"""Two raw days at 100 Hz x 6 channels, about 100 MB each, must fit."""

OLDEST_CLOCK = datetime(2026, 1, 1, tzinfo=UTC)
"""A clock that shows an earlier time was never set: this program is younger."""


class Verdict(StrEnum):
    """How serious a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor.

    Attributes:
        check: what was looked at.
        verdict: ok; warn: something is missing that soleus can do without; fail: it cannot do its main job.
        text: what was seen.
        fix: what to do, a command where one does it; None where nothing is to be done.
    """

    check: str
    verdict: Verdict
    text: str
    fix: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """The fields under their names."""
        return {"check": self.check, "verdict": self.verdict, "text": self.text, "fix": self.fix}


@dataclass(frozen=True, slots=True)
class Machine:
    """What the checks look at.

    Attributes:
        home: the data folder.
        now: the present, aware.
        root: top of the file system.
        environ: environment of the process.
        platform: as `sys.platform`.
        python: version of Python.
    """

    home: Home
    now: datetime
    root: Path = Path("/")
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    platform: str = sys.platform
    python: tuple[int, ...] = sys.version_info[:3]


Check = Callable[[Machine], Iterator[Finding]]


def examine(machine: Machine, checks: Sequence[Check]) -> list[Finding]:
    """All findings, in the order of the checks; a check that itself fails is a finding, not an end."""
    found: list[Finding] = []
    for check in checks:
        try:
            found += check(machine)
        except OSError as error:
            name = check.__name__.removeprefix("check_")
            where = f"{error.filename}: " if error.filename else ""
            found.append(
                Finding(name, Verdict.FAIL, f"{where}{error.strerror or error}", f"chmod -R u+rwX {machine.home.root}")
            )
    return found


def check_python(machine: Machine) -> Iterator[Finding]:
    """Python, SQLite and the packages."""
    named = ".".join(map(str, machine.python))
    if machine.python < PYTHON_NEEDED:
        yield Finding("python", Verdict.FAIL, f"Python {named}", "install Python 3.11 or later")
    else:
        yield Finding("python", Verdict.OK, f"Python {named}")
    if sqlite3.sqlite_version_info < SQLITE_NEEDED:
        yield Finding("sqlite", Verdict.FAIL, f"SQLite {sqlite3.sqlite_version}", "install a Python with SQLite 3.37")
    else:
        yield Finding("sqlite", Verdict.OK, f"SQLite {sqlite3.sqlite_version}")
    there = {name: _version(name) for name in PACKAGES}
    lacking = [name for name, found in there.items() if found is None]
    if lacking:
        fix = f"{Path(sys.executable).name} -m pip install {' '.join(lacking)}"
        yield Finding("packages", Verdict.FAIL, f"missing: {', '.join(lacking)}", fix)
    else:
        yield Finding("packages", Verdict.OK, ", ".join(f"{name} {found}" for name, found in there.items()))
    pyarrow = _version("pyarrow")
    if pyarrow:
        yield Finding("parquet", Verdict.OK, f"pyarrow {pyarrow}")
    else:
        fix = "pip install 'soleus-tracker[parquet]'"
        yield Finding("parquet", Verdict.WARN, "Parquet files cannot be read, because pyarrow is missing", fix)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def check_settings(machine: Machine) -> Iterator[Finding]:
    """The settings file."""
    try:
        read_settings(machine.home)
    except ConfigError as error:
        yield Finding("settings", Verdict.FAIL, str(error), f"edit {machine.home.settings}, or move it away")
    else:
        there = machine.home.settings.exists()
        yield Finding("settings", Verdict.OK, str(machine.home.settings) if there else "none, so defaults")


def check_home(machine: Machine) -> Iterator[Finding]:
    """The data folder: there, writable, and nobody else's."""
    root = machine.home.root
    if not root.exists():
        near = next(parent for parent in root.parents if parent.exists())
        if os.access(near, os.W_OK):
            yield Finding("home", Verdict.OK, f"{root} is not there yet and will be made")
        else:
            fix = f"chmod u+w {near}, or set SOLEUS_HOME to another folder"
            yield Finding("home", Verdict.FAIL, f"{root} cannot be made", fix)
        return
    if not root.is_dir():
        yield Finding("home", Verdict.FAIL, f"{root} is not a folder", "move it away, or set SOLEUS_HOME elsewhere")
    elif not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        fix = f"chmod u+rwx {root}, or set SOLEUS_HOME to another folder"
        yield Finding("home", Verdict.FAIL, f"{root} may not be written", fix)
    else:
        yield Finding("home", Verdict.OK, f"{root} can be written")
    if machine.platform != "win32":
        yield _privacy(root)


def _privacy(root: Path) -> Finding:
    seen = [path for path in (root, *root.rglob("*")) if stat.S_IMODE(path.lstat().st_mode) & 0o077]
    exposed = [path for path in seen if not path.is_symlink()]
    if not exposed:
        return Finding("privacy", Verdict.OK, "only you can read your data")
    text = f"others on this machine may read {exposed[0]}"
    if len(exposed) > 1:
        text += f" and {len(exposed) - 1} more"
    return Finding("privacy", Verdict.WARN, text, f"chmod -R go-rwx {root}")


def check_database(machine: Machine) -> Iterator[Finding]:
    """Structure, references, and the roll-up counted again; recordings that are missing; disk; newest record."""
    home = machine.home
    if not home.database.exists():
        yield Finding("database", Verdict.OK, "none yet: the first import or recording makes it")
        yield _disk(machine, None)
        return
    try:
        with Store(home, clock=lambda: machine.now) as store:
            faults = store.check(full=True)
            sessions = store.sessions()
            settings = _settings(home)
            expected = store.forecast(settings.keep_days).expected_bytes
    except StoreError as error:
        text, _, fix = str(error).rstrip(".").partition(": ")
        yield Finding("database", Verdict.FAIL, text, fix or "soleus restore FILE")
        yield _disk(machine, None)
        return
    if faults:
        yield Finding("database", Verdict.FAIL, f"{home.database}: {faults[0]}", "soleus restore FILE")
    else:
        held = f"{len(sessions)} session{'' if len(sessions) == 1 else 's'}"
        yield Finding("database", Verdict.OK, f"{home.database} passes the full check, {held}")
    yield _recordings(home, sessions)
    yield _disk(machine, expected)
    yield _newest(machine, sessions)


def _settings(home: Home) -> Settings:
    try:
        return read_settings(home)
    except ConfigError:
        return Settings()


def _recordings(home: Home, sessions: Sequence[SessionRecord]) -> Finding:
    lost = [session.id for session in sessions if session.recording and not (home.root / session.recording).exists()]
    if not lost:
        kept = sum(session.recording is not None for session in sessions)
        return Finding("recordings", Verdict.OK, f"{kept} kept")
    text = f"the recording of session {lost[0]} is missing"
    if len(lost) > 1:
        text = f"the recordings of {len(lost)} sessions are missing, the first of session {lost[0]}"
    return Finding("recordings", Verdict.WARN, f"{text}; the counts stay", "soleus restore FILE, from a backup")


def _disk(machine: Machine, expected: float | None) -> Finding:
    path = machine.home.root
    while not path.exists():
        path = path.parent
    free = disk_usage(path).free
    text = f"{free / 1e9:.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", Verdict.FAIL, text, "free some space, or set SOLEUS_HOME to another disk")
    if expected is None:
        return Finding("disk", Verdict.OK, text)
    held = sum(file.stat().st_size for file in machine.home.recordings.rglob("*") if file.is_file())
    text += f"; recordings take {held / 1e6:,.0f} MB, at this rate {expected / 1e6:,.0f} MB"
    if expected - held > free - LEAST_FREE_BYTES:
        return Finding("disk", Verdict.WARN, text, "soleus settings keep_days 30")
    return Finding("disk", Verdict.OK, text)


def _newest(machine: Machine, sessions: Sequence[SessionRecord]) -> Finding:
    ends = [(session.started_at.timestamp() + session.last_s, session.id) for session in sessions]
    if not ends or max(ends)[0] <= machine.now.timestamp() + 60:
        return Finding("records", Verdict.OK, "none is later than the clock")
    end_s, session_id = max(ends)
    when = datetime.fromtimestamp(end_s, UTC)
    return Finding(
        "records",
        Verdict.WARN,
        f"session {session_id} ends at {when:%Y-%m-%d %H:%M} UTC, which is later than the clock shows",
        f"set the clock, or soleus correct --session {session_id} --start TIME",
    )


def check_clock(machine: Machine) -> Iterator[Finding]:
    """A clock that was set, and a zone that is known by name."""
    shown = f"{machine.now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    if machine.now < OLDEST_CLOCK:
        yield Finding("clock", Verdict.FAIL, f"shows {shown}", "set it, e.g. sudo timedatectl set-ntp true")
    else:
        yield Finding("clock", Verdict.OK, f"shows {shown}")
    try:
        zone = wearer_zone(_settings(machine.home), machine.environ)
    except ConfigError as error:
        yield Finding("zone", Verdict.FAIL, str(error), "soleus settings zone Europe/Berlin")
        return
    if getattr(zone, "key", None):
        yield Finding("zone", Verdict.OK, zone_name(zone))
    else:
        text = f"only an offset is known ({zone_name(zone)}), so changes of the clocks are missed"
        yield Finding("zone", Verdict.WARN, text, "soleus settings zone Europe/Berlin")
