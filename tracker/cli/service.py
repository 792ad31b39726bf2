"""`soleus service`: the recorder and the reminders in the background, as a service of this system."""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from tracker.cli import surroundings
from tracker.cli.options import json_option
from tracker.errors import ConfigError, NothingFound
from tracker.service.instance import Instance, is_running
from tracker.service.manager import this_service
from tracker.service.managers import manager_here
from tracker.service.state import read_state
from tracker.service.wish import Wish, leave_wish

if TYPE_CHECKING:
    from tracker.home import Home
    from tracker.service.manager import Manager

LOOK_EVERY_S = 0.1
GIVE_WAY_S = 3.0
STOP_WITHIN_S = 10.0
START_WITHIN_S = 30.0
NOT_INSTALLED = "the service is not installed: `soleus service install` does it"


@click.group("service")
def command() -> None:
    """Record and remind in the background: install, uninstall, start, stop, status, logs."""


@command.command("install")
def install() -> None:
    """Make it a service of this system that begins at login, and start it.

    Installed again, as after an upgrade, it is stopped, the database is brought up to date with a backup of it,
    and it is started.
    """
    from tracker.service.loop import installed_version

    home = surroundings.home()
    manager = manager_here(home)
    if manager.file.exists():
        _stopped(manager, home)
    home.create()
    with surroundings.open_store():
        pass  # opening it brings its tables up to date, after a backup
    since = surroundings.now()
    manager.install(this_service(version=installed_version()))
    _await_start(home, since)
    click.echo(f"The service runs, and begins at login. It is written down in {manager.file}.")
    click.echo("`soleus status` shows what it does. To keep it running after you log out: loginctl enable-linger"
               if manager.file.suffix == ".service" else "`soleus status` shows what it does.")  # fmt: skip


@command.command("uninstall")
def uninstall() -> None:
    """Stop it, and take it out of this system. Your data stays."""
    home = surroundings.home()
    manager = manager_here(home)
    if not manager.file.exists():
        raise NothingFound(NOT_INSTALLED)
    manager.uninstall()
    _await_end(home)
    click.echo("The service is gone. Your data stays.")


@command.command("start")
def start() -> None:
    """Start it."""
    home = surroundings.home()
    manager = _installed(home)
    if is_running(home):
        click.echo("It runs already.")
        return
    since = surroundings.now()
    manager.start()
    _await_start(home, since)
    click.echo("It runs.")


@command.command("stop")
def stop() -> None:
    """Stop it; it begins again at the next login."""
    home = surroundings.home()
    _stopped(_installed(home), home)
    click.echo("It is stopped.")


@command.command("status")
@json_option
def status(as_json: bool) -> None:
    """Show what it is doing, as `soleus status` does."""
    from tracker.cli.status import show

    show(as_json)


@command.command("logs")
@click.option("--lines", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many.")
def logs(lines: int) -> None:
    """Show the newest lines of its log."""
    from tracker.service.log import last_lines

    found = last_lines(surroundings.home(), lines)
    if not found:
        raise NothingFound("the service has written no log yet")
    click.echo("\n".join(found))


@command.command("run")
@click.pass_context
def run(context: click.Context) -> None:
    """Be the service, until SIGTERM or Ctrl-C: what the system starts."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the loop listens: nothing is being recorded yet
    from tracker.channels.probing import probes_here
    from tracker.cli.radio import radio
    from tracker.live.clock import HostClock
    from tracker.service.log import close_log, open_log
    from tracker.service.loop import Loop, Outside, interruption
    from tracker.store import Store

    home = surroundings.home().create()
    instance = Instance(home)
    if not instance.alone():
        instance.close()
        raise ConfigError("the service runs already: `soleus status` shows what it does")
    log = open_log(home)
    try:
        with Store(home, clock=surroundings.now) as store:
            loop = Loop(home, store, Outside(radio(), HostClock(), probes_here()), log)

            async def serve() -> int:
                news = interruption(read_state(home), surroundings.now(), surroundings.zone())
                if news is not None:
                    loop.tell_of(news)
                return await loop.run()

            code = asyncio.run(serve())
    except Exception as error:
        log.error("ended by %s: %s", type(error).__name__, error)
        raise
    finally:
        close_log()
        instance.close()
    context.exit(code)


def _installed(home: Home) -> Manager:
    manager = manager_here(home)
    if not manager.file.exists():
        raise NothingFound(NOT_INSTALLED)
    return manager


def _stopped(manager: Manager, home: Home) -> None:
    if not is_running(home):
        return
    manager.stop()
    if not _within(GIVE_WAY_S, lambda: not is_running(home)):
        leave_wish(home, Wish.STOP)  # it was started by hand, so its manager cannot stop it
    _await_end(home)


def _await_start(home: Home, since: datetime) -> None:
    """Until a service that began after an instant has said its first word."""

    def has_begun() -> bool:
        state = read_state(home)
        return state is not None and state.started_at >= since and is_running(home)

    if not _within(START_WITHIN_S, has_begun):
        raise ConfigError("the service was started and is not there: `soleus service logs` says why")


def _await_end(home: Home) -> None:
    if not _within(STOP_WITHIN_S, lambda: not is_running(home)):
        raise ConfigError(f"the service did not end within {STOP_WITHIN_S:.0f} s: `soleus service logs` says why")


def _within(seconds: float, is_so: Callable[[], bool]) -> bool:
    """Whether something becomes so in time, looked at a few times a second."""
    for _ in range(round(seconds / LOOK_EVERY_S)):
        if is_so():
            return True
        time.sleep(LOOK_EVERY_S)
    return is_so()
