"""`soleus pair`: remember a sensor under a nickname, with its leg and strap place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from analysis.events import Leg
from drivers.errors import LinkError
from tracker.cli.output import console, table
from tracker.cli.scan import signal_bar
from tracker.cli.surroundings import now, open_store, somebody_answers
from tracker.errors import ConfigError, NothingFound

if TYPE_CHECKING:
    from drivers.ble import Radio
    from tracker.sensors import Found

SEARCH_S = 10.0
TWINS_S = 2.0
"""Long enough to hear another sensor of the same name."""


@click.command("pair")
@click.argument("wanted", metavar="ADDRESS_OR_NAME", required=False)
@click.option("--as", "nick", metavar="NICK", help="Name to call it by.")
@click.option("--leg", type=click.Choice([leg.value for leg in Leg]), help="The leg it is strapped to.")
@click.option("--place", help="Where on the shank, such as 'above the ankle, inside'.")
@click.option("--yes", is_flag=True, help="Do not ask anything.")
def command(*, wanted: str | None, nick: str | None, leg: str | None, place: str | None, yes: bool) -> None:
    """Connect once to a sensor in range and remember it."""
    from tracker.cli.radio import radio, run

    asked = somebody_answers() and not yes
    if not asked and not (wanted and nick and leg):
        raise ConfigError("name the sensor, --as NICK and --leg left or right, since nobody can be asked here")
    air = radio()
    found = run(_meet(air, wanted, asked=asked))
    nick = nick or click.prompt("Nickname", default=found[0].name.split()[-1].lower(), err=True)
    leg = leg or click.prompt("Leg", type=click.Choice([side.value for side in Leg]), err=True)
    if place is None and asked:
        place = click.prompt("Place on the shank", default="above the ankle", err=True)
    _keep(found, nick, Leg(leg), place)


async def _meet(air: Radio, wanted: str | None, *, asked: bool) -> tuple[Found, float | None, str | None]:
    """The sensor, its battery and its firmware, all in one event loop."""
    from tracker.sensors import identify, look_around

    if wanted:
        found = await _named(air, wanted, asked=asked)
    else:
        found = await _choose(air, [f for f in await look_around(air, SEARCH_S) if f.driver])
    if found.driver is None:
        raise LinkError(f"no driver knows {found.name}: `soleus drivers` lists the supported sensors")
    identity = await identify(air, found)
    return found, identity.battery_percent, identity.firmware


async def _named(air: Radio, wanted: str, *, asked: bool) -> Found:
    """The one with this address, or this name; many makers give all their sensors the same name."""
    from tracker.sensors import find, look_around

    found = await find(air, wanted, SEARCH_S)
    if found.sighting.address.lower() == wanted.lower():
        return found
    twins = [f for f in await look_around(air, TWINS_S) if f.name == found.name]
    if len(twins) < 2:
        return found
    if not asked:
        raise ConfigError(f"{len(twins)} sensors are called {found.name}: give the address of yours")
    return await _choose(air, twins)


async def _choose(air: Radio, there: list[Found]) -> Found:
    """The only one, or the one that the wearer names by its number or shakes."""
    if not there:
        raise NothingFound("no known sensor is in range: switch it on, and wear it if it sleeps off the skin")
    if len(there) == 1:
        return there[0]
    drawn = table("", "name", "address", "driver", "signal", numbers=("signal",))
    for number, f in enumerate(there, 1):
        name = f.driver.name if f.driver else "-"
        drawn.add_row(str(number), f.name, f.sighting.address, name, signal_bar(f.sighting.rssi_dbm))
    console().print(drawn)
    answer = click.prompt("Which one (0: the one that I shake)", type=click.IntRange(0, len(there)), err=True)
    return there[answer - 1] if answer else await _shaken(air, there)


async def _shaken(air: Radio, there: list[Found]) -> Found:
    from tracker.shaking import SHAKE_S, motions, picked

    def ready() -> None:
        click.echo(f"Shake it now, for {SHAKE_S:.0f} seconds; let the others lie.", err=True)

    click.echo("Connecting to each of them.", err=True)
    moved = await motions(air, there, ready)
    found = picked(moved)
    if found is None:
        raise NothingFound("it is not clear which one was shaken: try again, or give its address")
    click.echo(f"It is {found.name} ({found.sighting.address}).", err=True)
    return found


def _keep(met: tuple[Found, float | None, str | None], nick: str, leg: Leg, place: str | None) -> None:
    from tracker.store import Sensor

    found, battery, firmware = met
    if found.driver is None:
        raise ConfigError(f"no driver knows {found.name}")
    sensor = Sensor(nick, found.name, found.sighting.address, found.driver.name, leg, place, battery, firmware)
    with open_store() as store:
        store.keep_sensor(replace(sensor, last_seen_at=now()))
    level = "battery unknown" if battery is None else f"battery {battery:.0f} %"
    where = f"{leg} leg, {place}" if place else f"{leg} leg"
    click.echo(f"{nick}: {found.name} ({found.driver.title}), {where}, {level}, firmware {firmware or 'unknown'}.")
    if found.driver.facts.caution:
        click.echo(found.driver.facts.caution)
