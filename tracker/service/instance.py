"""One service a home: a lock that the system frees however the process ends."""

from __future__ import annotations

import os
import sys

from tracker.home import Home, private_file
from tracker.store.connection import Presence


class Instance:
    """The right to be the service of a home, for as long as this process lives or `close` is called."""

    def __init__(self, home: Home) -> None:
        """Opens the lock's file.

        Raises:
            StoreError: it may not be written.
        """
        private_file(home.service_lock)
        self._presence = Presence(home.service_lock)
        self._file = os.open(home.service_lock, os.O_RDWR) if sys.platform == "win32" else -1

    def alone(self) -> bool:
        """Take the right; False where another process has it."""
        if sys.platform == "win32":
            import msvcrt

            try:
                msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)
            except OSError:
                return False
            return True
        return self._presence.alone()

    def close(self) -> None:
        """Give it back."""
        self._presence.close()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def is_running(home: Home) -> bool:
    """Whether a service of this home runs; never waits."""
    if not home.service_lock.exists():
        return False
    instance = Instance(home)
    try:
        return not instance.alone()
    finally:
        instance.close()
