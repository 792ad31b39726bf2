"""What the recorder sees, as the reminders want to be told it and as `soleus status` shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from analysis.events import Findings
from tracker.live.session import LiveSession
from tracker.live.supervisor import LinkState, Supervisor
from tracker.remind.decisions import Doing, LegSeen, SensorSeen
from tracker.remind.movement import LegWatch
from tracker.service.state import SensorState

_LINKED = (LinkState.STREAMING, LinkState.SILENT)
_BEST = (Doing.WALKING, Doing.STILL, Doing.NOT_WORN, Doing.UNKNOWN, Doing.GAP)
"""Of two sensors on one leg, the one that tells more is believed."""


@dataclass(slots=True)
class _Watch:
    """One sensor, as long as the service runs."""

    leg: LegWatch
    waiting: Findings = field(default_factory=Findings)
    linked: bool = False
    since: datetime | None = None
    gaps: int = 0
    gap_s: float = 0.0
    had_data: bool = False

    def look(self, linked: bool, has_data: bool, now: datetime) -> None:
        """Note when data came and broke off."""
        if self.since is None or linked != self.linked:
            if self.had_data and self.linked:
                self.gaps += 1
            if self.had_data and not self.linked and self.since is not None:
                self.gap_s += (now - self.since).total_seconds()
            self.linked, self.since = linked, now
        self.had_data = self.had_data or (linked and has_data)

    def gap_until(self, now: datetime) -> float:
        """Seconds without data so far, a gap that goes on included."""
        open_s = (now - self.since).total_seconds() if self.had_data and not self.linked and self.since else 0.0
        return self.gap_s + max(0.0, open_s)


class Watching:
    """All sensors of the service."""

    def __init__(self) -> None:
        self._watches: dict[str, _Watch] = {}

    def take(self, nick: str, session: LiveSession, found: Findings) -> None:
        """What became final in a sensor's session; kept until it is known when the session began."""
        watch = self._watches.get(nick)
        if watch is None:
            return
        watch.waiting = watch.waiting + found
        if session.started_at is not None:
            watch.leg.take(watch.waiting, session.started_at)
            watch.waiting = Findings()

    def look(self, supervisors: Iterable[Supervisor], now: datetime) -> None:
        """Bring everything up to date; call it every second or so."""
        for supervisor in supervisors:
            watch = self._watch(supervisor)
            watch.look(supervisor.view.state in _LINKED, supervisor.has_data, now)

    def legs(self, supervisors: Iterable[Supervisor], now: datetime) -> tuple[LegSeen, ...]:
        """Each leg that has a sensor, by the one that tells most of it."""
        seen: dict[object, LegSeen] = {}
        for supervisor in supervisors:
            leg = self._leg(supervisor, now)
            known = seen.get(leg.leg)
            if known is None or _BEST.index(leg.doing) < _BEST.index(known.doing):
                seen[leg.leg] = leg
        return tuple(seen.values())

    def _leg(self, supervisor: Supervisor, now: datetime) -> LegSeen:
        session = supervisor.session
        watch = self._watch(supervisor).leg
        if session is None or not session.has_data:
            return watch.seen(now, silent_s=None, started_at=None, present=None)
        session.look()
        return watch.seen(
            now,
            silent_s=supervisor.silent_s,
            started_at=session.started_at,
            present=session.present(),
            active=bool(session.tally.likely),
        )

    def _watch(self, supervisor: Supervisor) -> _Watch:
        nick, leg = supervisor.sensor.nick, supervisor.sensor.leg
        watch = self._watches.get(nick)
        if watch is None or watch.leg.leg != leg:
            watch = self._watches[nick] = _Watch(LegWatch(leg))
        return watch

    def state(self, supervisor: Supervisor, now: datetime) -> SensorState:
        """A sensor as the state file has it."""
        watch, view, session = self._watch(supervisor), supervisor.view, supervisor.session
        percent, hours_left = charge(session)
        tally = session.tally if session is not None and session.has_data else None
        last_s = watch.leg.seen(now, silent_s=None, started_at=None, present=None).last_contraction_s
        return SensorState(
            nick=supervisor.sensor.nick,
            leg=supervisor.sensor.leg,
            link=str(view.state),
            since=watch.since,
            rssi_dbm=view.rssi_dbm,
            why=view.why,
            battery_percent=percent if percent is not None else supervisor.sensor.battery_percent,
            battery_until=None if hours_left is None else now + timedelta(hours=hours_left),
            session_id=None if session is None else session.session_id,
            recorded_s=None if tally is None else round(tally.session_s, 1),
            last_contraction=None if last_s is None else datetime.fromtimestamp(last_s, now.tzinfo),
            gaps=watch.gaps,
            gap_s=round(watch.gap_until(now), 1),
            trouble="" if tally is None else tally.trouble,
        )


def sensor_seen(supervisor: Supervisor) -> SensorSeen:
    """A sensor as the notices want to be told it."""
    percent, hours_left = charge(supervisor.session)
    return SensorSeen(supervisor.sensor.nick, supervisor.sensor.leg, supervisor.silent_s, percent, hours_left)


def charge(session: LiveSession | None) -> tuple[float | None, float | None]:
    """Level in percent and hours until it is empty, each None where it is not known."""
    battery = None if session is None else session.tally.battery
    return (None, None) if battery is None else (battery.percent, battery.hours_left)
