"""What a command needs of its surroundings: the home, its store, the settings, the zone, the present."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from tracker.cli.faults import say
from tracker.errors import StoreError
from tracker.home import Home, find_home
from tracker.settings import Settings, read_settings, wearer_zone

if TYPE_CHECKING:
    from tracker.store import Store


def now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


def home() -> Home:
    """The wearer's data folder."""
    return find_home()


def settings() -> Settings:
    """The wearer's settings."""
    return read_settings(home())


def zone() -> tzinfo:
    """The zone in which the wearer's days are told."""
    return wearer_zone(settings())


def open_store(*, read_only: bool = False) -> Store:
    """The wearer's store; a context manager. What a killed recorder left open is closed first."""
    from tracker.store import Store

    store = Store(home(), clock=now, read_only=read_only)
    try:
        _close_killed(store, read_only)
    except BaseException:
        store.close()
        raise
    return store


def _close_killed(store: Store, read_only: bool) -> None:
    """A recording that cannot be closed now is told, and keeps nobody from seeing a day."""
    from tracker.live.recovery import killed, recover
    from tracker.store import Store

    if not os.access(store.home.recordings, os.W_OK):
        return
    try:
        if not (paths := killed(store)):
            return
        if read_only:
            with Store(store.home, clock=now) as writing:
                troubles = recover(writing, paths)
        else:
            troubles = recover(store, paths)
    except StoreError as error:
        troubles = [f"a recording that was cut off is not closed yet ({error})"]
    for trouble in troubles:
        say(trouble)


def somebody_answers() -> bool:
    """Whether a question would reach a person."""
    return sys.stdin.isatty() and sys.stderr.isatty()
