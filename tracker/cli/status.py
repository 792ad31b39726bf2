"""`soleus status`: what the service is doing just now; reads one small file and asks nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from tracker.cli import surroundings
from tracker.cli.options import json_option
from tracker.cli.output import counted, duration, print_json
from tracker.service.instance import is_running
from tracker.service.state import STALE_S, Phase, read_state

if TYPE_CHECKING:
    from tracker.service.state import SensorState, ServiceState


@click.command("status")
@json_option
def command(as_json: bool) -> None:
    """Show what the service is doing: since when, link, battery, last contraction, next reminder.

    Exit code 1 where it does not run.
    """
    show(as_json)


def show(as_json: bool) -> None:
    """Print it; exit code 1 where no service runs, or it does not answer."""
    home = surroundings.home()
    running, state, now = is_running(home), read_state(home), surroundings.now()
    answers = running and state is not None and now - state.at < timedelta(seconds=STALE_S)
    if as_json:
        print_json(_document(running, answers, state))
    else:
        click.echo("\n".join(_lines(running, answers, state, now)))
    if not answers:
        raise click.exceptions.Exit(1)


def _document(running: bool, answers: bool, state: ServiceState | None) -> dict[str, Any]:
    """What is known; the state of a service that was killed is the last it wrote."""
    known: dict[str, Any] = {"state": None} if state is None else {"state": state.to_json()}
    return {"running": running, "answers": answers, **known}


def _lines(running: bool, answers: bool, state: ServiceState | None, now: datetime) -> list[str]:
    if state is None:
        return ["The service runs and has not said anything yet." if running else
                "The service does not run: `soleus service install` makes it one of this system."]  # fmt: skip
    if not running:
        if state.phase is Phase.STOPPED:
            return [f"The service was stopped {_when(state.at, now)}: `soleus service start` starts it."]
        return [f"The service was ended from outside {_when(state.at, now)}: `soleus service start` starts it, "
                "`soleus service logs` may say why."]  # fmt: skip
    if not answers:
        return [f"The service has not answered since {_when(state.at, now)}: `soleus service stop`, then start it."]
    lines = [f"The service is {state.phase}, since {_when(state.started_at, now)}."]
    for sensor in state.sensors:
        lines += [_sensor(sensor, now)]
    if state.next_reminder is not None:
        lines.append(f"next reminder: {_clock(state.next_reminder, now)}, if the leg stays still")
    else:
        lines.append("next reminder: none is to be expected")
    lines += [text for text in (state.badge, *state.notices) if text]
    lines += [f"{name}: {why}" for name, why in state.channels.items()]
    return lines


def _sensor(sensor: SensorState, now: datetime) -> str:
    parts = [f"{sensor.nick}: {sensor.link}"]
    if sensor.since is not None:
        parts[0] += f" since {_when(sensor.since, now)}"
    parts.append(_battery(sensor, now))
    last = sensor.last_contraction
    ago = "none yet" if last is None else f"{duration((now - last).total_seconds())} ago"
    parts.append(f"last contraction {ago}")
    if sensor.gaps:
        parts.append(f"{counted(sensor.gaps, 'gap')}, {duration(sensor.gap_s)} in all")
    parts += [text for text in (sensor.why, sensor.trouble) if text]
    return " | ".join(parts)


def _battery(sensor: SensorState, now: datetime) -> str:
    if sensor.battery_percent is None:
        return "battery unknown"
    until = "" if sensor.battery_until is None else f", until about {_clock(sensor.battery_until, now)}"
    return f"battery {sensor.battery_percent:.0f} %{until}"


def _clock(moment: datetime, now: datetime) -> str:
    """A time of the wearer's clock; with its day where that is another."""
    zone = surroundings.zone()
    local, today = moment.astimezone(zone), now.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%A %H:%M}"


def _when(moment: datetime, now: datetime) -> str:
    """The time, and how long ago it was."""
    return f"{_clock(moment, now)} ({duration((now - moment).total_seconds())} ago)"
