"""`soleus record`: connect, stream, record and count until told to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tracker.cli.live_screen import DRAW_EVERY_S, Screen
from tracker.cli.live_text import line, summary
from tracker.cli.surroundings import open_store
from tracker.errors import ConfigError, NothingFound

if TYPE_CHECKING:
    from tracker.home import Home
    from tracker.live.supervisor import Supervisor
    from tracker.store import Sensor, Store


LINE_EVERY_S = 1.0
"""One line a second (contract)."""


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
        leave_to_service(store.home, sensors)
        tell, every_s = (_plain, LINE_EVERY_S) if plain or not sys.stdout.isatty() else (Screen(), DRAW_EVERY_S)
        work = record(radio(), store, sensors, HostClock(), minutes=minutes, tell=tell, tell_every_s=every_s)
        done = run(work)
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


def leave_to_service(home: Home, sensors: Sequence[Sensor]) -> None:
    """A sensor has one link: what the service records already is left to it.

    Raises:
        ConfigError: it records one of these.
    """
    from tracker.service.instance import is_running
    from tracker.service.state import read_state

    state = read_state(home) if is_running(home) else None
    taken = {sensor.nick for sensor in state.sensors} if state else set()
    for sensor in sensors:
        if sensor.nick in taken:
            raise ConfigError(
                f"the service records {sensor.nick} already: see `soleus status`, or stop it with `soleus service stop`"
            )


def _plain(supervisors: Sequence[Supervisor]) -> None:
    for supervisor in supervisors:
        click.echo(line(supervisor))
