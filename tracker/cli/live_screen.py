"""The live screen of `soleus record`: one panel a sensor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.events import Kind
from tracker.cli.live_text import battery
from tracker.cli.output import PLAIN_NAMES, duration
from tracker.cli.scan import signal_bar

if TYPE_CHECKING:
    from rich.panel import Panel

    from tracker.live.supervisor import Supervisor
    from tracker.live.tally import Tally


DRAW_EVERY_S = 0.2
"""With a beat of 0.25 s: a movement whose last packet has come is on the screen within 0.5 s."""

ALWAYS_SHOWN = (Kind.SOLEUS_PUSHUP, Kind.HEEL_RAISE, Kind.STEP)
"""The others are shown once there are some."""


def panel(supervisor: Supervisor) -> Panel:
    """Counts ticking, link, battery, last contraction, trouble."""
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    view, session = supervisor.view, supervisor.session
    grid = Table.grid(padding=(0, 2))
    grid.add_column()
    grid.add_column(justify="right")
    if session is not None and session.has_data:
        tally = session.tally
        for kind in Kind:
            if kind not in ALWAYS_SHOWN and not tally.shown(kind):
                continue
            grid.add_row(PLAIN_NAMES[kind], Text(str(tally.shown(kind)), style="bold"))
        ago = "none yet" if tally.last_s is None else f"{duration(tally.session_s - tally.last_s)} ago"
        grid.add_row("last contraction", ago)
        grid.add_row("recorded", duration(tally.session_s))
        grid.add_row("gaps", gaps(tally))
        grid.add_row("battery", battery(tally.battery).removeprefix("battery "))
    grid.add_row("signal", "-" if view.rssi_dbm is None else signal_bar(view.rssi_dbm))
    grid.add_row("link", str(view.state))
    if view.why:
        grid.add_row("", Text(view.why, style="yellow"))
    if session is not None and session.tally.trouble:
        grid.add_row("", Text(session.tally.trouble, style="bold red"))
    return Panel(grid, title=f"{supervisor.sensor.nick} ({supervisor.sensor.leg or 'leg unknown'})", width=52)


def gaps(tally: Tally) -> str:
    """How often samples were missing, and how much of the time there are some."""
    if not tally.gaps or tally.received_percent is None:
        return "none"
    return f"{tally.gaps}, received {tally.received_percent:.1f} %"


class Screen:
    """The live screen: one panel a sensor, drawn when something ticks, and once a second for the times."""

    def __init__(self) -> None:
        from rich.live import Live

        self._drawn: object = None

        self._live = Live(auto_refresh=False, transient=True)
        self._live.start()

    def __call__(self, supervisors: Sequence[Supervisor]) -> None:
        """Draw what is going on."""
        from rich.columns import Columns

        now = [_ticking(supervisor) for supervisor in supervisors]
        if now == self._drawn:
            return
        self._drawn = now
        self._live.update(Columns([panel(supervisor) for supervisor in supervisors]), refresh=True)


def _ticking(supervisor: Supervisor) -> object:
    """What a wearer waits for: changes of it are drawn at once."""
    view, session = supervisor.view, supervisor.session
    if session is None:
        return view.state, view.why
    tally = session.tally
    counts = [tally.shown(kind) for kind in Kind]
    return view.state, view.why, counts, int(session.elapsed_s), tally.battery_percent, tally.trouble
