"""What `soleus record` says of a sensor in one line, and at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.events import Kind
from tracker.cli.output import SHORT_NAMES, duration

if TYPE_CHECKING:
    from tracker.live.supervisor import Supervisor
    from tracker.live.tally import Battery


def line(supervisor: Supervisor) -> str:
    """One sensor's state in one line."""
    view, session = supervisor.view, supervisor.session
    parts = [supervisor.sensor.nick, str(view.state)]
    if session is not None and session.has_data:
        tally = session.tally
        parts.append(duration(tally.session_s))
        parts += [f"{SHORT_NAMES[kind]} {tally.shown(kind)}" for kind in Kind if tally.shown(kind)]
        parts.append(f"{tally.packets} packets")
        if tally.packet_errors:
            parts.append(f"{tally.packet_errors} refused")
        if tally.gaps:
            parts.append(f"{tally.gaps} gaps, {duration(tally.gap_s)}")
        if session.reconnects:
            parts.append(f"{session.reconnects} reconnects")
        if tally.battery_percent is not None:
            parts.append(battery(tally.battery))
        if tally.trouble:
            parts.append(f"WARNING {tally.trouble}")
    if view.why:
        parts.append(view.why)
    return " | ".join(parts)


def battery(level: Battery) -> str:
    """Charge, how long it lasts where that can be told, and a word when it is low."""
    if level.percent is None:
        return "battery unknown"
    left = "" if level.hours_left is None else f", about {level.hours_left:.0f} h left"
    return f"battery {'low, ' if level.is_low else ''}{level.percent:.0f} %{left}"


def summary(supervisor: Supervisor) -> str:
    """What was recorded, at the end."""
    session = supervisor.session
    if session is None or not session.has_data:
        return f"{supervisor.sensor.nick}: nothing was recorded."
    tally = session.tally
    counts = (
        ", ".join(f"{tally.counts[kind]} {SHORT_NAMES[kind]}" for kind in Kind if tally.counts[kind])
        or "no contraction"
    )
    return f"{supervisor.sensor.nick}: {duration(tally.session_s)} recorded, {counts} (session {session.session_id})."
