"""`soleus pair`: remember a sensor under a nickname, with its leg and strap place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from analysis.events import Leg
from tracker.cli.output import console, table
from tracker.cli.scan import signal_bar
from tracker.cli.surroundings import now, open_store, somebody_answers
from tracker.errors import ConfigError, NothingFound

if TYPE_CHECKING:
    from drivers.ble import Radio
    from tracker.sensors import Found

SEARCH_S = 10.0


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
    from tracker.sensors import find, identify, look_around

    if wanted:
        found = await find(air, wanted, SEARCH_S)
    else:
        found = _choose([f for f in await look_around(air, SEARCH_S) if f.driver])
    if found.driver is None:
        raise ConfigError(f"no driver knows {found.name}: `soleus drivers` lists the supported sensors")
    identity = await identify(air, found)
    return found, identity.battery_percent, identity.firmware


def _choose(there: list[Found]) -> Found:
    if not there:
        raise NothingFound("no known sensor is in range: switch it on, and wear it if it sleeps off the skin")
    if len(there) == 1:
        return there[0]
    drawn = table("", "name", "driver", "signal", numbers=("signal",))
    for number, f in enumerate(there, 1):
        drawn.add_row(str(number), f.name, f.driver.name if f.driver else "-", signal_bar(f.sighting.rssi_dbm))
    console().print(drawn)
    return there[click.prompt("Which one", type=click.IntRange(1, len(there)), err=True) - 1]


def _keep(met: tuple[Found, float | None, str | None], nick: str, leg: Leg, place: str | None) -> None:
    from tracker.store import Sensor

    found, battery, firmware = met
    if found.driver is None:
        raise ConfigError(f"no driver knows {found.name}")
    sensor = Sensor(nick, found.name, found.sighting.address, found.driver.name, leg, place, battery, firmware)
    with open_store() as store:
        store.keep_sensor(replace(sensor, last_seen_at=now()))
    level = "battery unknown" if battery is None else f"battery {battery:.0f} %"
    click.echo(f"{nick}: {found.name} ({found.driver.title}), {leg} leg, {level}, firmware {firmware or 'unknown'}.")
    if found.driver.facts.caution:
        click.echo(found.driver.facts.caution)
