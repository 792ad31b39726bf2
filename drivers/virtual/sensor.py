"""A virtual sensor that lives: takes samples in its own time, sends packets, and meets with its faults.

It knows nothing of any transport. A carrier (fake BlueZ, virtual air) tells it of links and requests, and is told
what to notify. All time is the running loop's, so that it lives in virtual time as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, inf
from typing import Protocol

import numpy as np

from analysis.samples import Modality, SampleBlock
from drivers.driver import Advert
from drivers.packets import ADVERTISEMENT
from drivers.virtual.faults import Copy, Dice, Fate, Faults, Mishap
from drivers.virtual.ledger import Entry, Ledger
from drivers.virtual.peripheral import Notification, Peripheral
from drivers.virtual.sources import Source

BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"

SMALLEST_MTU = 23

BOOT_S = 1.5
"""A sensor that restarts is not on the air for so long. Chosen; real ones take 0.5 to 3 s."""


class Carrier(Protocol):
    """The host's end of the air, as one sensor sees it."""

    def notify(self, characteristic: str, payload: bytes) -> bool:
        """Bring a notification to the host; False where nobody is linked and subscribed."""
        ...

    def advertise(self, payload: bytes) -> bool:
        """Bring an advertisement with this data in a company's place to the host; False where nobody listens."""
        ...

    def lose(self) -> None:
        """The link breaks without a word: both ends see a supervision timeout."""
        ...

    def befall(self, mishap: Mishap, lasts_s: float) -> None:
        """Something happens to the host."""
        ...


@dataclass(slots=True)
class _Cursor:
    """Where a running stream stands: sample i is taken at start_s + (i + 1) / pace_hz of the sensor's own seconds."""

    rate_hz: float
    pace_hz: float
    start_s: float
    taken: int = 0


class VirtualSensor:
    """One sensor on somebody's leg.

    The seconds of its life count from when it was switched on and run by the loop's clock. Its own seconds, which
    the peripheral is given, run by its own; they go on through a restart, after which the peripheral counts anew.
    """

    def __init__(
        self,
        peripheral: Peripheral,
        source: Source,
        faults: Faults | None = None,
        *,
        name: str | None = None,
        address: str = "C0:00:00:00:00:01",
        seed: int = 0,
        ledger: Ledger | None = None,
    ) -> None:
        """A sensor that is still switched off.

        Args:
            peripheral: what it is.
            source: what it feels.
            faults: what is wrong with it.
            name: local name, the peripheral's own by default.
            address: random static Bluetooth address, upper case.
            seed: of its chance.
            ledger: where the truth is written; its own by default.
        """
        self.peripheral = peripheral
        self.source = source
        self.faults = faults or Faults()
        self.name = name or peripheral.local_name
        self.address = address.upper()
        self.ledger = ledger or Ledger()
        self.boot = 0
        self.linked = False
        self._dice = Dice(f"{seed} {address}")
        self._best_mtu = peripheral.mtu
        self._carrier: Carrier | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._born_s = 0.0
        self._absent_until_s = self._stalled_until_s = -inf
        self._subscribed: set[str] = set()
        self._cursors: dict[Modality, _Cursor] = {}
        self._held: list[tuple[Notification, Copy, int]] = []
        self._link_number = 0
        self._ticking = False

    @property
    def mtu(self) -> int:
        """The largest ATT MTU it agrees to."""
        return min(self._best_mtu, self.faults.mtu)

    @property
    def life_s(self) -> float:
        """Seconds since it was switched on."""
        return asyncio.get_running_loop().time() - self._born_s

    @property
    def own_s(self) -> float:
        """Seconds since it was switched on, by its own clock."""
        return self.life_s * (1 + self.faults.drift_ppm * 1e-6)

    @property
    def present(self) -> bool:
        """It is on, and in range."""
        return self._carrier is not None and self.life_s >= self._absent_until_s

    @property
    def advertising(self) -> bool:
        """It can be seen and connected to."""
        return self.present and not self.linked

    @property
    def announcing(self) -> bool:
        """It advertises by the carrier's own clock: all do but those whose advertisements are data, sent one by one."""
        return self.advertising and not getattr(self.peripheral, "broadcasts", False)

    def advert(self) -> Advert:
        """What it advertises."""
        peripheral = self.peripheral
        return Advert(
            self.name,
            tuple(peripheral.advertised_services),
            dict(peripheral.manufacturer_data),
            dict(getattr(peripheral, "service_data", {})),
        )

    def rssi_dbm(self) -> int:
        """Strength of its next advertisement."""
        return self._dice.rssi_dbm()

    def battery_percent(self) -> int | None:
        """Charge left; None where the peripheral answers for it."""
        if self.faults.battery_percent is None:
            return None
        left = self.faults.battery_percent - 100 * self.life_s / 3600 / self.faults.battery_h
        return max(0, ceil(left - 1e-6))

    def switch_on(self, carrier: Carrier) -> None:
        """Its life begins: second 0 of the plan of faults."""
        self._carrier = carrier
        self._born_s = asyncio.get_running_loop().time()
        for planned in self.faults.plan:
            self._later(planned.at_s, self.befall, planned.mishap, planned.lasts_s)
        if self.faults.battery_percent is not None:
            self._watch_battery()
        self._tick_on()  # one that speaks by its advertisements does so from the first second

    def switch_off(self) -> None:
        """Its life ends; the carrier must not be told any more."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._carrier = None
        self._ticking = False

    def befall(self, mishap: Mishap, lasts_s: float = inf) -> None:
        """Something happens to it or to its host, right now."""
        if self._carrier is None:
            return
        match mishap:
            case Mishap.STALL:
                self._stalled_until_s = self.life_s + lasts_s
            case Mishap.LINK_LOSS:
                self._break_off()
            case Mishap.VANISH | Mishap.FLAT:
                self._absent_until_s = inf if mishap is Mishap.FLAT else self.life_s + lasts_s
                self._break_off()
            case Mishap.REBOOT:
                self._restart()
            case _:
                self._carrier.befall(mishap, lasts_s)

    def link_up(self) -> None:
        """A host has connected."""
        self.linked = True
        self._link_number += 1
        self.agree(SMALLEST_MTU)
        self.ledger.linked(self.life_s)
        self._tick_on()

    def agree(self, mtu: int) -> None:
        """The host asks for so large an ATT MTU."""
        self.peripheral.mtu = min(mtu, self.mtu)

    def link_down(self) -> None:
        """The link is gone, whoever ended it."""
        if not self.linked:
            return
        self._take()
        self.linked = False
        self._stalled_until_s = -inf
        self._subscribed.clear()
        self._held.clear()
        self.peripheral.disconnect()
        self.ledger.unlinked(self.life_s)

    def read(self, characteristic: str) -> bytes:
        """Value of a characteristic. Raises AttError."""
        level = self.battery_percent()
        if characteristic == BATTERY_LEVEL and level is not None:
            return bytes((level,))
        return self.peripheral.read(characteristic)

    def subscribe(self, characteristic: str, *, on: bool = True) -> None:
        """The host switches notifications on or off. Raises AttError."""
        self._take()
        answers = self.peripheral.subscribe(characteristic, on=on)
        if on:
            self._subscribed.add(characteristic)
        else:
            self._subscribed.discard(characteristic)
        self._answer(answers)

    def write(self, characteristic: str, payload: bytes) -> None:
        """The host writes. Raises AttError."""
        self._take()
        self._answer(self.peripheral.write(characteristic, payload, self.own_s))

    def _later(self, delay_s: float, call: object, *args: object) -> None:
        """Call later, unless it is switched off by then."""

        def fire() -> None:
            self._timers.discard(timer)
            call(*args)  # type: ignore[operator]

        timer = asyncio.get_running_loop().call_later(delay_s, fire)
        self._timers.add(timer)

    def _break_off(self) -> None:
        """Nothing passes any more; the host is told when its supervision timeout is over."""
        if not self.faults.supervision_s:
            self._lose(self._link_number)
            return
        self._stalled_until_s = inf
        self._later(self.faults.supervision_s, self._lose, self._link_number)

    def _lose(self, link_number: int) -> None:
        if self._carrier is not None and link_number == self._link_number:
            self._carrier.lose()

    def _restart(self) -> None:
        self._absent_until_s = self.life_s + BOOT_S
        if self._carrier is not None:
            self._carrier.lose()
        self.peripheral.reboot()
        self.boot += 1
        self._cursors.clear()

    def _watch_battery(self) -> None:
        """Says when a percent is gone; off at the last."""
        level = self.battery_percent()
        if level == 0:
            self.befall(Mishap.FLAT)
            return
        if level is not None and BATTERY_LEVEL in self._subscribed:
            self._send(Notification(self.own_s, BATTERY_LEVEL, bytes((level,))), answer=True)
        self._later(self.faults.battery_h * 36, self._watch_battery)

    def _answer(self, answers: Sequence[Notification]) -> None:
        self._take()
        if answers:
            self._later(self.faults.answer_s, self._send_answers, answers, self._link_number)

    def _send_answers(self, answers: Sequence[Notification], link_number: int) -> None:
        """All at once: timers of one moment fire in any order."""
        for answer in answers:
            self._send(answer, answer=True, link_number=link_number)

    def _tick_on(self) -> None:
        if not self._ticking and self._carrier is not None:
            self._ticking = True
            self._later(self.faults.interval_s, self._tick)

    def _tick(self) -> None:
        """One connection event: take what is due, send what is full."""
        self._take()
        self._ticking = False
        if self.linked or self._cursors:
            self._tick_on()

    def _take(self) -> None:
        """Take the samples that are due, and send the packets they fill."""
        own_s, linked = self.own_s, self.linked
        blocks: list[SampleBlock] = []
        for modality in Modality:
            if (cursor := self._cursor(modality, own_s)) is not None:
                blocks += self._due(modality, cursor, own_s)
        if not blocks:
            return
        for notification in self.peripheral.sample(blocks):
            if self.advertising if notification.characteristic == ADVERTISEMENT else linked:
                self._send(notification)

    def _cursor(self, modality: Modality, own_s: float) -> _Cursor | None:
        """Where the modality's stream stands; a stream that has just begun, begins here."""
        rate_hz = self.peripheral.rate_hz(modality)
        if rate_hz is None:
            self._cursors.pop(modality, None)
            return None
        cursor = self._cursors.get(modality)
        if cursor is None or cursor.rate_hz != rate_hz:
            cursor = self._cursors[modality] = _Cursor(rate_hz, rate_hz * (1 + self.faults.rate_error), own_s)
        return cursor

    def _due(self, modality: Modality, cursor: _Cursor, own_s: float) -> list[SampleBlock]:
        """Samples of one modality up to now, on the sensor's own seconds."""
        # Instants fall on ticks; the addend keeps rounding from putting one off to the next tick.
        due = floor((own_s - cursor.start_s) * cursor.pace_hz + 1e-6)
        if due <= cursor.taken:
            return []
        t_s = cursor.start_s + (np.arange(cursor.taken, due) + 1) / cursor.pace_hz
        cursor.taken = due
        life_s = t_s / (1 + self.faults.drift_ppm * 1e-6)
        felt = self.source.measure(modality, life_s, cursor.rate_hz)
        for block in felt:
            self.ledger.sampled(block, life_s, linked=self.linked)
        return [
            SampleBlock(modality, t_s, block.values, block.channels, cursor.rate_hz, block.stream, block.unit)
            for block in felt
        ]

    def _send(self, notification: Notification, answer: bool = False, link_number: int | None = None) -> None:
        """A packet leaves, or meets its fate."""
        number, link_number = self.ledger.made, self._link_number if link_number is None else link_number
        self.ledger.made += 1
        if answer:
            self._deliver(number, notification, Copy(Fate.SENT, notification.payload), link_number, answer=True)
            return
        if self.life_s < self._stalled_until_s:
            self._deliver(number, notification, Copy(Fate.STALLED, notification.payload), link_number)
            return
        copies = self._dice.throw(notification.payload, self.faults)
        if copies[0].fate is Fate.SWAPPED:
            self._held += [(notification, copy, number) for copy in copies]
            return
        for copy in copies:
            if copy.delay_s:
                self._later(copy.delay_s, self._deliver, number, notification, copy, link_number)
            else:
                self._deliver(number, notification, copy, link_number)
        held, self._held = self._held, []
        for earlier, copy, its_number in held:
            self._deliver(its_number, earlier, copy, link_number)

    def _deliver(
        self, number: int, notification: Notification, copy: Copy, link_number: int, *, answer: bool = False
    ) -> None:
        """One copy reaches the host, if it is to; the ledger knows."""
        fate, payload = self._bring(notification.characteristic, copy, link_number)
        self.ledger.note(
            Entry(
                number, self.life_s, notification.t_s, notification.characteristic, payload, fate, self.boot, answer
            )
        )  # fmt: skip

    def _bring(self, characteristic: str, copy: Copy, link_number: int) -> tuple[Fate, bytes]:
        """What becomes of a copy on its way to the host, and the bytes that travel."""
        is_advert = characteristic == ADVERTISEMENT
        fate, payload = copy.fate, copy.payload if is_advert else copy.payload[: self.peripheral.mtu - 3]
        if fate in (Fate.LOST, Fate.STALLED):
            return fate, payload
        if fate.whole and len(payload) < len(copy.payload):
            fate = Fate.TRUNCATED
        if is_advert:
            there = self._carrier if self.advertising else None
            return (fate if there and there.advertise(payload) else Fate.UNLINKED), payload
        carrier = self._carrier if self.linked and link_number == self._link_number else None
        return (fate if carrier and carrier.notify(characteristic, payload) else Fate.UNLINKED), payload
