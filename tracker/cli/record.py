"""`soleus record`: connect, stream, record and count until told to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from analysis.events import Kind
from tracker.cli.output import duration
from tracker.cli.surroundings import open_store
from tracker.errors import ConfigError, NothingFound

if TYPE_CHECKING:
    from tracker.live.supervisor import Supervisor
    from tracker.live.tally import Battery
    from tracker.store import Sensor, Store

SHORT = {
    Kind.SOLEUS_PUSHUP: "push-ups",
    Kind.HEEL_RAISE: "raises",
    Kind.ANKLE_PUMP: "pumps",
    Kind.STEP: "steps",
    Kind.PEDAL: "strokes",
}


@click.command("record")
@click.option("--sensor", "nicks", multiple=True, metavar="NICK", help="Which sensor; give it twice for two.")
@click.option("--minutes", type=click.FloatRange(0.01), help="Stop after so many minutes of data.")
@click.option("--plain", is_flag=True, help="One line a second, no screen control.")
def command(*, nicks: tuple[str, ...], minutes: float | None, plain: bool) -> None:
    """Record a sensor; it reconnects by itself. Ctrl-C ends it cleanly."""
    import sys

    from tracker.cli.radio import radio, run
    from tracker.live.clock import HostClock
    from tracker.live.recording_run import record

    with open_store() as store:
        sensors = chosen_sensors(store, nicks)
        tell = _plain if plain or not sys.stdout.isatty() else Screen()
        done = run(record(radio(), store, sensors, HostClock(), minutes=minutes, tell=tell))
    for supervisor in done:
        click.echo(summary(supervisor))


def chosen_sensors(store: Store, nicks: tuple[str, ...]) -> list[Sensor]:
    """The sensors of these nicknames; the only one where none is named.

    Raises:
        NothingFound: no sensor is remembered.
        ConfigError: one must be named, or is not known.
    """
    known = {sensor.nick: sensor for sensor in store.sensors()}
    if not known:
        raise NothingFound("no sensor is remembered yet: pair one with `soleus pair`")
    if not nicks and len(known) > 1:
        raise ConfigError(f"say which sensor to record with --sensor; there are: {', '.join(known)}")
    for nick in nicks:
        if nick not in known:
            raise ConfigError(f"no sensor is called {nick}; there are: {', '.join(known)}")
    return [known[nick] for nick in dict.fromkeys(nicks)] or list(known.values())


def _plain(supervisors: Sequence[Supervisor]) -> None:
    for supervisor in supervisors:
        click.echo(line(supervisor))


def line(supervisor: Supervisor) -> str:
    """One sensor's state in one line."""
    view, session = supervisor.view, supervisor.session
    parts = [supervisor.sensor.nick, str(view.state)]
    if session is not None and session.has_data:
        tally = session.tally
        parts.append(duration(tally.session_s))
        parts += [f"{SHORT[kind]} {tally.shown(kind)}" for kind in Kind if tally.shown(kind)]
        parts.append(f"{tally.packets} packets")
        if tally.packet_errors:
            parts.append(f"{tally.packet_errors} refused")
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
    counts = ", ".join(f"{tally.counts[kind]} {SHORT[kind]}" for kind in Kind if tally.counts[kind]) or "no contraction"
    return f"{supervisor.sensor.nick}: {duration(tally.session_s)} recorded, {counts} (session {session.session_id})."


class Screen:
    """The live screen: one panel a sensor."""

    def __init__(self) -> None:
        from rich.live import Live

        self._live = Live(auto_refresh=False, transient=True)
        self._live.start()

    def __call__(self, supervisors: Sequence[Supervisor]) -> None:
        """Draw what is going on."""
        from rich.columns import Columns

        from tracker.cli.live_panel import panel

        self._live.update(Columns([panel(supervisor) for supervisor in supervisors]), refresh=True)
