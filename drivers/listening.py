"""A device that is heard and not connected to: its data comes in its advertisements."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.ble import CLOSE_S, Radio, Sighting, hear
from drivers.driver import Advert
from drivers.errors import LinkError
from drivers.packets import ADVERTISEMENT, RawPacket
from drivers.script import DeviceRefusedError, Outcome, Script


class Listening:
    """What a `Link` is to a connection: opened once, closed once. Any number share one search."""

    mtu: int | None = None
    """There is no connection to have one."""

    def __init__(
        self,
        radio: Radio,
        sighting: Sighting,
        advertised: Callable[[Advert], bytes | None],
        *,
        arrival_ns: Callable[[], int],
        on_packet: Callable[[RawPacket], None],
    ) -> None:
        """Nobody listens yet.

        Args:
            radio: the search and its turn.
            sighting: of the device.
            advertised: the data in an advertisement, None where it holds none.
            arrival_ns: the host's clock for packets; must run through suspend.
            on_packet: gets every packet at once; must return at once.
        """
        self.sighting = sighting
        self.lost = asyncio.Event()
        self._radio, self._advertised = radio, advertised
        self._arrival_ns, self._on_packet = arrival_ns, on_packet
        self._searching: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to listen."""
        self._radio.hearers[self.sighting.address] = self._heard
        self._searching = asyncio.create_task(self._search())

    async def close(self, within_s: float = CLOSE_S) -> None:
        """Stop listening."""
        self._radio.hearers.pop(self.sighting.address, None)
        if self._searching is not None:
            self._searching.cancel()
            await asyncio.wait({self._searching}, timeout=within_s)

    async def run(self, script: Script[Outcome]) -> Outcome:
        """Nothing can be asked of it.

        Raises:
            DeviceRefusedError: always.
        """
        script.close()
        raise DeviceRefusedError(f"{self.sighting.advert.name or self.sighting.address} is only listened to")

    async def _search(self) -> None:
        """One of all who listen searches for all of them; it gives way to whoever else needs the radio."""
        try:
            async with self._radio.duty:
                while True:
                    await hear(self._radio)
        except LinkError:
            self.lost.set()

    def _heard(self, advert: Advert) -> None:
        payload = self._advertised(advert)
        if payload is not None:
            self._on_packet(RawPacket(self._arrival_ns(), ADVERTISEMENT, payload))
