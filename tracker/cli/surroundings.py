"""What a command needs of its surroundings: the home, its store, the settings, the zone, the present."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

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
    """The wearer's store; a context manager."""
    from tracker.store import Store

    return Store(home(), clock=now, read_only=read_only)


def somebody_answers() -> bool:
    """Whether a question would reach a person."""
    return sys.stdin.isatty() and sys.stderr.isatty()
