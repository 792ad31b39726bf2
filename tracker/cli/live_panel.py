"""The panel of one sensor on the live screen of `soleus record`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.events import Kind
from tracker.cli.output import duration
from tracker.cli.scan import signal_bar

if TYPE_CHECKING:
    from rich.panel import Panel

    from tracker.live.supervisor import Supervisor

NAMES = {
    Kind.SOLEUS_PUSHUP: "soleus push-ups",
    Kind.HEEL_RAISE: "heel raises",
    Kind.ANKLE_PUMP: "ankle pumps",
    Kind.STEP: "steps",
    Kind.PEDAL: "pedal strokes",
}


def panel(supervisor: Supervisor) -> Panel:
    """Counts ticking, link, battery, last contraction, trouble."""
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    from tracker.cli.record import battery

    view, session = supervisor.view, supervisor.session
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(justify="right")
    if session is not None and session.has_data:
        tally = session.tally
        for kind in (Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE, Kind.STEP):
            grid.add_row(NAMES[kind], Text(str(tally.shown(kind)), style="bold"))
        ago = "none yet" if tally.last_s is None else f"{duration(tally.session_s - tally.last_s)} ago"
        grid.add_row("last contraction", ago)
        grid.add_row("recorded", duration(tally.session_s))
        grid.add_row("battery", battery(tally.battery).removeprefix("battery "))
    grid.add_row("signal", "-" if view.rssi_dbm is None else signal_bar(view.rssi_dbm))
    grid.add_row("link", str(view.state))
    if view.why:
        grid.add_row("", Text(view.why, style="yellow"))
    if session is not None and session.tally.trouble:
        grid.add_row("", Text(session.tally.trouble, style="bold red"))
    return Panel(grid, title=f"{supervisor.sensor.nick} ({supervisor.sensor.leg or 'leg unknown'})", width=52)
