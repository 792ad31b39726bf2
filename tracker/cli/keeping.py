"""What every writing command does last: recordings beyond their time go, and what was forgotten is destroyed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from drivers.errors import RecordingError
from tracker.cli import surroundings
from tracker.cli.faults import say
from tracker.errors import NothingFound, StoreError
from tracker.home import Home
from tracker.settings import Settings
from tracker.store import Store
from tracker.store.exchange import unfinished

LONGEST_KEEP_DAYS = 36_500.0
"""A hundred years: beyond it the calendar ends, not the disk."""


def open_history() -> Store:
    """The store, to change what is in it; a context manager.

    Raises:
        NothingFound: nothing was ever stored; nothing is created then.
        StoreError: the database cannot be used, or the data folder cannot be written.
    """
    home = surroundings.home()
    if not home.database.exists() and not unfinished(home):
        raise NothingFound(f"nothing is stored yet in {home.root}.")
    with writable(home):
        return surroundings.open_store()


@contextmanager
def writable(home: Home) -> Iterator[None]:
    """Tells a data folder that may not be written in one sentence."""
    try:
        yield
    except PermissionError as error:
        raise StoreError(
            f"{home.root} cannot be written: mend its permissions (chmod -R u+rwX) or set SOLEUS_HOME elsewhere."
        ) from error


def keep_house(store: Store, settings: Settings) -> None:
    """Prune recordings older than the settings keep them; purge what can no longer be taken back.

    A recording that cannot be trimmed is told and waits for the next time.
    """
    try:
        store.purge(trim=_trim)
    except RecordingError as error:
        say(f"a forgotten stretch is still in its recording ({error})")
        store.purge()
    store.prune(min(settings.keep_days, LONGEST_KEEP_DAYS))


def _trim(path: Path, stretches: Sequence[tuple[float, float]]) -> None:
    from tracker.trimming import trim  # brings numpy, which most days of housekeeping do not need

    trim(path, stretches)
