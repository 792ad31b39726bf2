"""Closes what a killed recorder left open, at its last stored packet.

Whoever records holds the lock beside the recording, and the system frees it however the process ends. So a
lock that is free beside a recording means that nobody will close that session any more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.store.connection import Presence
from tracker.store.faults import usable

if TYPE_CHECKING:
    from drivers.recording import Recording
    from tracker.facts import Facts
    from tracker.store import SessionRecord, Store, Totals

_PREFIX = "live-"
_RECORDING, _LOCK = ".sqlite", ".lock"
"""As tracker.live.session names them, which imports numbers; looking whether there is anything to do must not."""


def killed(store: Store) -> list[Path]:
    """Recordings that a killed recorder left; empty where all is closed or being recorded. Imports no numbers."""
    folder = store.home.recordings
    with usable(folder):
        left = [lock.with_suffix(_RECORDING) for lock in folder.glob(f"{_PREFIX}*{_LOCK}")]
        # Without its recording a lock belongs to a recorder that is just starting.
        left = [path for path in left if path.exists()]
    left += [store.home.root / session.recording for session in store.open_sessions() if session.recording]
    return [path for path in dict.fromkeys(left) if not _is_held(path)]


def _is_held(path: Path) -> bool:
    if not path.with_suffix(_LOCK).exists():
        return False
    with _lock_of(path) as mine:
        return not mine


@contextmanager
def _lock_of(path: Path) -> Iterator[bool]:
    """The recorder's lock, for as long as the block lasts; False where somebody else has it."""
    lock = path.with_suffix(_LOCK)
    if sys.platform == "win32":  # where there is no `flock`; but a file that somebody has open cannot be removed
        try:
            lock.unlink(missing_ok=True)
        except PermissionError:
            yield False
            return
    presence = Presence(lock)
    try:
        yield presence.alone()
    finally:
        presence.close()


def recover(store: Store, paths: Iterable[Path]) -> list[str]:
    """Count what each killed recorder left, and close its session; one that never appeared is made.

    Safe to be killed in, to run again, and to run in two processes at once: all is decided under the lock.

    Args:
        store: open for writing.
        paths: what `killed` found.

    Returns:
        A sentence for each recording that cannot be read; its session is closed with what was stored.

    Raises:
        StoreError: the database or the disk refuses; what is not closed yet waits for the next time.
    """
    sentences = []
    for path in paths:
        with _lock_of(path) as mine, usable(path):
            if mine:
                sentences += _close(store, path)
                path.with_suffix(_LOCK).unlink(missing_ok=True)
    return sentences


def _close(store: Store, path: Path) -> list[str]:
    from drivers.errors import NothingRecordedError, RecordingError
    from drivers.recording import open_recording
    from tracker.counting import count
    from tracker.errors import ConfigError
    from tracker.intake import batch_of

    name = store.home.relative(path)
    session = next((one for one in store.open_sessions() if one.recording == name), None)
    if session is None and (name in store.named_recordings() or not path.exists()):
        return []  # closed already, or never a sample
    try:
        with open_recording(path) as recording:
            facts = count(recording.blocks())
            if session is None and facts.streams:
                session = _adopted(store, recording, facts)
            if session is not None and facts.streams:
                # In the place of what was stored so far: labels that were not final then are in the whole count.
                store.recount(session.id, batch_of(facts), UTC)
                _finish(store, session, _totals(recording, facts, session))
    except NothingRecordedError:
        if session is None:
            _remove(path)
            return []
        raise
    except (RecordingError, ConfigError) as error:
        if session is not None:
            _finish(store, session, session.totals)
        return [f"a recording that was cut off cannot be read and stays as it is ({error})"]
    if session is None:
        _remove(path)
    return []


def _adopted(store: Store, recording: Recording, facts: Facts) -> SessionRecord:
    """The session of a recorder that was killed before it stored one."""
    from tracker.intake import leg_of, own_start
    from tracker.store import NewSession

    new = NewSession(
        started_at=own_start(recording),
        leg=leg_of(recording.header),
        sensor=recording.header.notes.get("sensor"),
        recording=recording.path,
        first_s=facts.first_s,
        uid=recording.path.stem.removeprefix(_PREFIX),
    )
    return store.session(store.begin(new))


def _totals(recording: Recording, facts: Facts, session: SessionRecord) -> Totals:
    """What the recording holds; how often the link was made again is known to the session only."""
    quality = recording.quality
    return replace(
        session.totals,
        samples=facts.samples,
        packets=quality.packets,
        packet_errors=quality.packet_errors,
        duplicates=quality.duplicates,
    )


def _finish(store: Store, session: SessionRecord, totals: Totals) -> None:
    from tracker.store.civil import later

    last_s = store.session(session.id).last_s
    store.finish(session.id, later(session.started_at, last_s), totals)


def _remove(path: Path) -> None:
    """A recording in which not one sample came holds nothing to keep."""
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()
