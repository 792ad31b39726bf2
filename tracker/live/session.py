"""One live session: packets in; recorded within a second, counted, and stored as they come."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analysis.events import Findings, Kind
from analysis.rules import algorithm
from analysis.samples import Modality, SampleBlock
from drivers.clocks.device import DUPLICATE
from drivers.decoder import HostZero, Settings
from drivers.driver import Driver
from drivers.errors import PacketError
from drivers.packets import RawPacket
from drivers.recording import Anchor, RecordingHeader, RecordingWriter
from tracker.counting import Counting
from tracker.errors import StoreError
from tracker.home import Home, private_file
from tracker.live.clock import Clock
from tracker.store import Batch, NewSession, Sensor, Store, Totals
from tracker.store.connection import Presence
from tracker.store.faults import told

FLUSH_EVERY_S = 0.8
"""Packets are made durable this often."""

STORE_EVERY_S = 5.0
"""Findings go to the database this often; they can be made again from the recording."""

HOLD_S = 600.0
"""How long packets are held in memory while the disk cannot take them; then the session ends with what it has."""

ANCHOR_EVERY_S = 3600.0

LIVE = "live-"


class StorageLostError(StoreError):
    """The disk has refused for longer than packets can be held."""


@dataclass(slots=True)
class Tally:
    """What a live screen shows of a session.

    Attributes:
        counts: final contractions by kind.
        likely: over, but not final yet.
        packets, samples, packet_errors, duplicates: totals so far.
        last_s: session second of the last final contraction.
        session_s: session second of the last sample.
        battery_percent: the last level heard.
        trouble: what the disk refuses just now, as a sentence; empty when all is well.
    """

    counts: Counter[Kind] = field(default_factory=Counter)
    likely: Counter[Kind] = field(default_factory=Counter)
    packets: int = 0
    samples: int = 0
    packet_errors: int = 0
    duplicates: int = 0
    last_s: float | None = None
    session_s: float = 0.0
    battery_percent: float | None = None
    trouble: str = ""

    def shown(self, kind: Kind) -> int:
        """Final and likely together: what a person has done so far."""
        return self.counts[kind] + self.likely[kind]


class LiveSession:
    """Takes the packets of one sensor from its first link to the end, over however many links there are.

    `take` only remembers; `beat`, called a few times a second, does the work.
    """

    def __init__(self, store: Store, sensor: Sensor, driver: Driver, settings: Settings, clock: Clock) -> None:
        """Opens the recording; the session appears in the store with its first samples.

        Raises:
            StoreError: the disk does not take it.
        """
        self.tally = Tally()
        self.session_id: int | None = None
        self.reconnects = 0
        self._store, self._sensor, self._clock = store, sensor, clock
        self._home: Home = store.home
        self._decoder = driver.decoder(settings)
        self._counting = Counting()
        self._pending: list[RawPacket] = []
        self._unstored = Findings()
        self._stored_until_s: float | None = None
        self._started_at: datetime | None = None
        self._first_packet_ns: int | None = None
        self._refused_since_ns: int | None = None
        self._anchored_ns = clock.steady_ns()
        self._stored_ns = self._flushed_ns = self._anchored_ns - 10**12  # long ago: the first data is kept at once
        uid = uuid.uuid4().hex
        self.path = self._home.recordings / f"{LIVE}{uid}.sqlite"
        self._uid = uid
        self._lock = Presence(private_file(lock_path(self.path)))
        self._lock.alone()
        with told(self.path):
            self._writer = RecordingWriter(self.path, _header(sensor, driver, settings))
        self._anchor()

    @property
    def has_data(self) -> bool:
        """Whether a sample was ever decoded."""
        return self._stored_until_s is not None

    def take(self, packet: RawPacket) -> None:
        """The next packet; returns at once."""
        if self._first_packet_ns is None:
            self._first_packet_ns = packet.arrival_ns
        self._pending.append(packet)

    def wrote(self, characteristic: str, payload: bytes) -> None:
        """What was written to the device."""
        self._writer.wrote(self._clock.steady_ns(), characteristic, payload)

    def beat(self) -> Findings:
        """Record, decode and count what came since the last beat.

        Returns:
            What became final.

        Raises:
            StorageLostError: the disk has refused for longer than packets can be held.
        """
        packets, self._pending = self._pending, []
        now_ns = self._clock.steady_ns()
        if now_ns - self._anchored_ns > ANCHOR_EVERY_S * 1e9:
            self._anchor()
        if packets:
            self._writer.append_many(packets)
        if now_ns - self._flushed_ns > FLUSH_EVERY_S * 1e9:
            self._record(now_ns)
        found = self._count(packets)
        if now_ns - self._stored_ns > STORE_EVERY_S * 1e9:
            self._save(now_ns)
        self.tally.likely = Counter(event.kind for event in self._counting.preview())
        return found

    def finish(self) -> None:
        """Close the recording and the session with everything there is."""
        self._flushed_ns -= 10**12
        self.beat()
        blocks = self._decoder.finish()
        self._note(blocks)
        self._keep(self._counting.feed(*blocks))
        self._keep(self._counting.finish())
        self._save(self._clock.steady_ns())
        if self.session_id is not None and self._started_at is not None:
            self._store.finish(self.session_id, _later(self._started_at, self.tally.session_s), self._totals())
        with told(self.path):
            self._writer.close()
        self._lock.close()
        lock_path(self.path).unlink(missing_ok=True)
        if self.session_id is None:
            self.path.unlink(missing_ok=True)  # not one sample came: nothing to keep

    def _anchor(self) -> None:
        now = self._clock.now()
        steady_ns = self._anchored_ns = self._clock.steady_ns()
        offset = now.utcoffset() or timedelta()
        zone = getattr(now.tzinfo, "key", None) or str(now.tzinfo)
        self._writer.anchor(Anchor(steady_ns, round(now.timestamp() * 1e9), zone, round(offset.total_seconds())))

    def _record(self, now_ns: int) -> None:
        """Make everything that came durable; hold it in memory while the disk refuses."""
        self._flushed_ns = now_ns
        try:
            with told(self.path):
                self._writer.flush()
        except StoreError as error:
            self._refused(now_ns, str(error))
            return
        self._refused_since_ns = None
        self.tally.trouble = ""

    def _refused(self, now_ns: int, why: str) -> None:
        self._refused_since_ns = self._refused_since_ns or now_ns
        held_s = (now_ns - self._refused_since_ns) / 1e9
        left_min = max(0.0, HOLD_S - held_s) / 60
        self.tally.trouble = f"{why} Recording goes on in memory for {left_min:.0f} more minutes."
        if held_s > HOLD_S:
            raise StorageLostError(why)

    def _count(self, packets: list[RawPacket]) -> Findings:
        if not packets:
            return Findings()
        blocks, errors = self._decoder.feed_many(packets)
        self.tally.packets += len(packets)
        self._blame(errors)
        self._note(blocks)
        found = self._counting.feed(*blocks)
        self._keep(found)
        return found

    def _blame(self, errors: list[PacketError]) -> None:
        twice = sum(error.reason == DUPLICATE for error in errors)
        self.tally.duplicates += twice
        self.tally.packet_errors += len(errors) - twice

    def _note(self, blocks: list[SampleBlock]) -> None:
        for block in blocks:
            if block.modality is Modality.BATTERY and len(block):
                self.tally.battery_percent = float(block.values[-1, 0])
            self.tally.samples += len(block)
            self.tally.session_s = max(self.tally.session_s, float(block.t_s[-1]))
            if self._stored_until_s is None:
                self._stored_until_s = float(block.t_s[0])

    def _keep(self, found: Findings) -> None:
        self._unstored = self._unstored + found
        self.tally.counts.update(event.kind for event in found.contractions)
        if found.contractions:
            self.tally.last_s = max(event.peak_s for event in found.contractions)

    def _save(self, now_ns: int) -> None:
        """Findings into the database; where it refuses, they wait for the next time."""
        self._stored_ns = now_ns
        if self._stored_until_s is None:
            return
        try:
            if self.session_id is None:
                self._begin()
            until_s = max(self.tally.session_s, self._stored_until_s)
            batch = Batch(self._unstored, self._stored_until_s, until_s, algorithm())
            self._store.append(int(self.session_id or 0), batch, self._totals())
        except StoreError as error:
            self.tally.trouble = f"{error} The recording itself goes on."
            return
        self._unstored, self._stored_until_s = Findings(), until_s

    def _begin(self) -> None:
        self._started_at = self._zero_wall()
        new = NewSession(
            started_at=self._started_at,
            leg=self._sensor.leg,
            sensor=self._sensor.nick,
            recording=self.path,
            first_s=self._stored_until_s or 0.0,
            uid=self._uid,
        )
        self.session_id = self._store.begin(new)

    def _zero_wall(self) -> datetime:
        """Wall time of session second 0."""
        zero_ns = self._decoder.zero_arrival_ns if isinstance(self._decoder, HostZero) else None
        if zero_ns is None:
            zero_ns = self._first_packet_ns or self._clock.steady_ns()
        ago = timedelta(microseconds=(self._clock.steady_ns() - zero_ns) / 1000)
        return _minus(self._clock.now(), ago)

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


def _later(start: datetime, by_s: float) -> datetime:
    return _minus(start, timedelta(seconds=-by_s))


def _minus(instant: datetime, by: timedelta) -> datetime:
    """True time subtracted, whatever the zone does in between."""
    return (instant.astimezone(UTC) - by).astimezone(instant.tzinfo)
