"""What a command wants of the service, left in a file that the service looks at: to stop, or to vibrate."""

from __future__ import annotations

from enum import StrEnum

from tracker.home import Home, private_file

LOOK_EVERY_S = 0.5


class Wish(StrEnum):
    """Something to do."""

    STOP = "stop"
    BUZZ = "buzz"


def leave_wish(home: Home, wish: Wish) -> None:
    """Leave a wish for the service; a later one takes its place.

    Raises:
        StoreError: the folder cannot be written.
    """
    private_file(home.service_wish).write_text(wish, encoding="utf-8")


def take_wish(home: Home) -> Wish | None:
    """The wish that was left; it is gone afterwards. What nobody knows is no wish."""
    try:
        text = home.service_wish.read_text(encoding="utf-8")
        home.service_wish.unlink()
    except OSError:
        return None
    return Wish(text) if text in tuple(Wish) else None
