"""What a service tells systemd: that it is ready, that it lives, that it stops.

Source: sd_notify(3), "Standalone Implementations"; systemd.service(5), WatchdogSec=.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Systemd:
    """The one who started this service; nobody, where it was not systemd."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")

    def tell(self, *words: str) -> bool:
        """Say something, such as READY=1; whether somebody could be told."""
        if not self._address.startswith(("/", "@")):
            return False
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.sendto("\n".join(words).encode(), address)
        except OSError:
            return False
        return True
