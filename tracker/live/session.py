"""One live session: packets in; recorded within a second, counted, and stored as they come."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from analysis.events import Findings, StateSpan
from analysis.rules import algorithm
from analysis.samples import Modality, SampleBlock
from drivers.clocks.device import DUPLICATE
from drivers.decoder import Decoder, HostZero, Settings
from drivers.driver import Driver
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.recording import Anchor, RecordingHeader, RecordingWriter
from tracker.counting import Counting
from tracker.errors import StoreError
from tracker.home import private_file
from tracker.live.clock import Clock
from tracker.live.tally import Tally
from tracker.live.timebase import TimeBase
from tracker.store import Batch, NewSession, Sensor, Store, Totals
from tracker.store.civil import later
from tracker.store.connection import Presence
from tracker.store.faults import told, usable

FLUSH_EVERY_S = 0.8
"""Packets are made durable this often."""

STORE_EVERY_S = 5.0
"""Findings go to the database this often; they can be made again from the recording."""

BUSY_S, LAST_BUSY_S = 0.2, 1.0
"""How long packets wait while another process holds the database, and how long the end does."""

SETTLE_S = 3.0
"""The session's start is taken from the least late packet of so long."""

HOLD_S, HOLD_BYTES = 600.0, 64_000_000
"""So long, and so much of each sensor, is held in memory while the disk refuses; then the session ends."""

ANCHOR_EVERY_S = 3600.0
STEP_S = 1.0
"""A wall clock that moves by more against the steady one was set; that is written down."""

LIVE = "live-"

_ASIDE = (Modality.BATTERY, Modality.TEMP)
"""What a sensor says of itself; it is no sign that it measures."""


class StorageLostError(StoreError):
    """The disk has refused for longer than packets can be held."""


class LiveSession:
    """Takes the packets of one sensor from its first link to the end, over however many links there are.

    `take` only remembers; `beat`, called a few times a second, does the work.
    """

    def __init__(self, store: Store, sensor: Sensor, driver: Driver, settings: Settings | None, clock: Clock) -> None:
        """Opens the recording; the session appears in the store with its first samples.

        Args:
            store: where findings go.
            sensor: who is recorded.
            driver: of the sensor.
            settings: that it runs with; None where `granted` will tell: until then nothing is decoded.
            clock: the host's clocks.

        Raises:
            StoreError: the disk does not take it.
        """
        self.tally = Tally()
        self.session_id: int | None = None
        self.reconnects = 0
        self.timebase = TimeBase()
        self._store, self._sensor, self._driver, self._clock = store, sensor, driver, clock
        store.wait_at_most(BUSY_S)
        self._decoder: Decoder | None = None if settings is None else driver.decoder(settings)
        self._counting = Counting(remember=False)
        self._pending: list[RawPacket] = []
        self._undecoded: list[RawPacket] = []
        self._unstored = Findings()
        self._stored_until_s: float | None = None
        self._started_at: datetime | None = None
        self._first_packet_ns: int | None = None
        self._refused_since_ns: int | None = None
        self._held_bytes = 0
        self._uid = uuid.uuid4().hex
        self.path = store.home.recordings / f"{LIVE}{self._uid}.sqlite"
        self._lock = Presence(private_file(lock_path(self.path)))
        self._lock.alone()
        self._header = _header(sensor, driver, driver.defaults if settings is None else settings)
        with usable(self.path), told(self.path):
            self._writer = RecordingWriter(self.path, self._header)
        self._anchor(clock.steady_ns(), clock.now())
        self._flushed_ns = self._anchored_ns
        self._is_kept = False
        self._is_looked_at = True
        self._stored_ns = self._anchored_ns

    @property
    def has_data(self) -> bool:
        """Whether a sample was ever decoded."""
        return self._stored_until_s is not None

    @property
    def elapsed_s(self) -> float:
        """Seconds of the host's steady clock since the first sample; 0 before it."""
        zero_ns = self._zero_ns() if self.has_data else None
        return 0.0 if zero_ns is None else (self._clock.steady_ns() - zero_ns) / 1e9

    @property
    def started_at(self) -> datetime | None:
        """Instant of session second 0; None until it is known well enough to be stored."""
        return self._started_at

    def present(self) -> StateSpan | None:
        """What the wearer does now, in session seconds and not final yet; None where it cannot be told."""
        return self._counting.present()

    def granted(self, settings: Settings) -> None:
        """The device streams with these settings; decoding begins with the first that are told."""
        if self._decoder is None:
            self._decoder = self._driver.decoder(settings)
            firmware = settings.get("firmware") or self._header.firmware
            self._header = replace(self._header, settings=dict(settings), firmware=firmware)
            self._writer.describe(self._header)

    def take(self, packet: RawPacket) -> None:
        """The next packet; returns at once."""
        if self._first_packet_ns is None:
            self._first_packet_ns = packet.arrival_ns
        self._pending.append(packet)

    def wrote(self, characteristic: str, payload: bytes) -> None:
        """What was written to the device."""
        self._writer.wrote(self._clock.steady_ns(), characteristic, payload)

    def hear_battery(self, percent: float) -> None:
        """A level that was asked for; the sensor's entry in the store learns of it."""
        self.tally.battery.hear(percent, self._clock.steady_ns() / 1e9)
        self._quietly(self._know_sensor)

    def beat(self) -> Findings:
        """Record, decode and count what came since the last beat.

        Returns:
            What became final.

        Raises:
            StorageLostError: the disk has refused for longer than packets can be held.
        """
        packets, now_ns = self._gather(), self._clock.steady_ns()
        self._watch_wall(now_ns)
        if now_ns - self._flushed_ns > FLUSH_EVERY_S * 1e9:
            self._record(now_ns)
        found = self._count(packets)
        if self.has_data and not self._is_kept:  # the first samples at once: a session that was seen is listed
            self._is_kept = True
            self._record(now_ns)
        if now_ns - self._stored_ns > STORE_EVERY_S * 1e9 or self._is_settled():
            self._stored_ns = now_ns
            self.tally.database = self._quietly(self._save)
        self._is_looked_at &= not packets
        return found

    def look(self) -> None:
        """Bring what is likely, `tally.likely`, up to the last packet: for whoever is about to show or use it.

        It costs more than all counting of a leg that moves, so it is done when somebody looks.
        """
        if not self._is_looked_at:
            self._is_looked_at = True
            self.tally.expect(self._counting.preview())

    def finish(self) -> None:
        """Close the recording and the session with everything there is.

        Raises:
            StoreError: something is refused to the last; all the rest is closed, and what the recording
                holds is counted by the next command.
        """
        self._count(self._gather())
        self._count_rest()
        lost = self._quietly(self._close_recording)
        unstored = self._quietly(self._close_session)
        self._lock.close()
        if not unstored:
            lock_path(self.path).unlink(missing_ok=True)  # else the next command closes the session
            if self.session_id is None:
                self.path.unlink(missing_ok=True)  # not one sample came: nothing to keep
        if lost or unstored:
            raise StoreError(lost or f"{unstored} The recording is kept, and the next command closes the session.")

    def _gather(self) -> list[RawPacket]:
        packets, self._pending = self._pending, []
        for packet in packets:
            self._writer.append(packet)
        return packets

    def _watch_wall(self, now_ns: int) -> None:
        """An anchor an hour, and one whenever the wall clock was set or its zone changed."""
        now = self._clock.now()
        moved_s = now.timestamp() - self._anchored_wall.timestamp() - (now_ns - self._anchored_ns) / 1e9
        is_other = abs(moved_s) > STEP_S or now.utcoffset() != self._anchored_wall.utcoffset()
        if is_other or now_ns - self._anchored_ns > ANCHOR_EVERY_S * 1e9:
            self._anchor(now_ns, now)

    def _anchor(self, steady_ns: int, now: datetime) -> None:
        self._anchored_ns, self._anchored_wall = steady_ns, now
        offset = now.utcoffset() or timedelta()
        zone = getattr(now.tzinfo, "key", None) or str(now.tzinfo)
        self._writer.anchor(Anchor(steady_ns, round(now.timestamp() * 1e9), zone, round(offset.total_seconds())))

    def _record(self, now_ns: int) -> None:
        """Make everything that came durable; hold it in memory while the disk refuses."""
        self._flushed_ns = now_ns
        why = self._quietly(self._writer.flush)
        if not why:
            self._refused_since_ns, self._held_bytes, self.tally.disk = None, 0, ""
            return
        self._refused_since_ns = self._refused_since_ns or now_ns
        held_s = (now_ns - self._refused_since_ns) / 1e9
        if held_s > HOLD_S or self._held_bytes > HOLD_BYTES:
            raise StorageLostError(why)
        left_min = (HOLD_S - held_s) / 60
        self.tally.disk = f"{why} Recording goes on in memory for {left_min:.0f} more minutes, then it ends."

    def _quietly(self, step: Callable[[], object]) -> str:
        """Why the disk or the database refuses a step, as a sentence; empty where it does not."""
        try:
            with usable(self.path), told(self.path):
                step()
        except StoreError as error:
            return str(error)
        return ""

    def _count(self, packets: Sequence[RawPacket]) -> Findings:
        self.tally.packets += len(packets)
        if self._refused_since_ns is not None:
            self._held_bytes += sum(len(packet.payload) + 16 for packet in packets)
        self._undecoded += packets
        if self._decoder is None or not self._undecoded:
            return Findings()
        packets, self._undecoded = self._undecoded, []
        blocks, errors = self._decoder.feed_many(packets)
        self._blame(errors)
        self._note(blocks, packets[-1].arrival_ns)
        return self._keep(self._counting.feed(*blocks))

    def _count_rest(self) -> None:
        """What decoder and counting hold back until the end."""
        if self._decoder is None:
            self.granted(self._driver.defaults)
            self._count(())
        blocks = self._decoder.finish() if self._decoder else []
        self._note(blocks)
        self._keep(self._counting.feed(*blocks))
        self._keep(self._counting.finish())

    def _blame(self, errors: Sequence[PacketError]) -> None:
        twice = sum(error.reason == DUPLICATE for error in errors)
        self.tally.duplicates += twice
        self.tally.packet_errors += len(errors) - twice

    def _note(self, blocks: Sequence[SampleBlock], arrival_ns: int | None = None) -> None:
        for block in blocks:
            if not len(block):
                continue
            last_s = float(block.t_s[-1])
            self.tally.samples += len(block)
            self.tally.session_s = max(self.tally.session_s, last_s)
            if self._stored_until_s is None:
                self._stored_until_s = float(block.t_s[0])
            if block.modality is Modality.BATTERY:
                self.tally.battery.hear(float(block.values[-1, 0]), self._clock.steady_ns() / 1e9)
            if block.modality not in _ASIDE or self._driver.facts.measures == "battery":
                self.tally.measured += len(block)
                if arrival_ns is not None:
                    self.timebase.add(last_s, arrival_ns)

    def _keep(self, found: Findings) -> Findings:
        self._unstored = self._unstored + found
        self.tally.keep(found)
        return found

    def _is_settled(self) -> bool:
        """Whether the session may appear in the store: its start is as well known as it will be."""
        return self.session_id is None and not self.tally.database and self.tally.session_s >= SETTLE_S

    def _save(self) -> None:
        """Findings into the database; where it refuses, they wait for the next time."""
        if self._stored_until_s is None:
            return
        if self.session_id is None:
            self._begin()
        until_s = max(self.tally.session_s, self._stored_until_s)
        batch = Batch(self._unstored, self._stored_until_s, until_s, algorithm(), self._counting.is_summed)
        self._store.append(int(self.session_id or 0), batch, self._totals())
        self._unstored, self._stored_until_s = Findings(), until_s

    def _begin(self) -> None:
        zero_ns = self._zero_ns() or self._clock.steady_ns()
        self._started_at = later(self._clock.now(), (zero_ns - self._clock.steady_ns()) / 1e9)
        new = NewSession(
            started_at=self._started_at,
            leg=self._sensor.leg,
            sensor=self._sensor.nick,
            recording=self.path,
            first_s=self._stored_until_s or 0.0,
            uid=self._uid,
        )
        self.session_id = self._store.begin(new)

    def _zero_ns(self) -> int | None:
        """Host clock at session second 0: by the least late packets, or as the decoder has it."""
        known = self._decoder.zero_arrival_ns if isinstance(self._decoder, HostZero) else None
        if known is None:
            known = self._first_packet_ns
        least_late = self.timebase.zero_ns if self._driver.facts.clock else None
        return known if least_late is None or known is None else min(known, least_late)

    def _close_recording(self) -> None:
        fit = self.timebase.fit() if self._driver.facts.clock else None
        clock = {"device_clock": fit.to_json()} if fit else {}
        self._writer.describe(replace(self._header, notes={**self._header.notes, **clock}))
        self._writer.close()

    def _close_session(self) -> None:
        self._store.wait_at_most(LAST_BUSY_S)
        self._save()
        if self.session_id is None or self._started_at is None:
            return
        self._store.finish(self.session_id, later(self._started_at, self.tally.session_s), self._totals())
        self._know_sensor()

    def _know_sensor(self) -> None:
        """Battery, firmware and when it was last seen, for the list of sensors; not for one that was forgotten."""
        for known in self._store.sensors():
            if known.nick == self._sensor.nick:
                level = known.battery_percent if self.tally.battery_percent is None else self.tally.battery_percent
                firmware = self._header.firmware or known.firmware
                seen = replace(known, battery_percent=level, firmware=firmware, last_seen_at=self._clock.now())
                self._store.keep_sensor(seen)

    def _totals(self) -> Totals:
        tally = self.tally
        return Totals(tally.samples, tally.packets, tally.packet_errors, tally.duplicates, self.reconnects)


def lock_path(recording: Path) -> Path:
    """The file that is locked for as long as somebody records into a recording."""
    return recording.with_suffix(".lock")


def _header(sensor: Sensor, driver: Driver, settings: Settings) -> RecordingHeader:
    return RecordingHeader(
        driver=driver.name,
        source="live",
        device_name=sensor.name,
        device_address=sensor.address,
        firmware=sensor.firmware,
        settings=dict(settings),
        leg=sensor.leg,
        place=sensor.place,
        notes={"sensor": sensor.nick},
    )
