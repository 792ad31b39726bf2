"""`soleus scan`: which sensors are in range."""

from __future__ import annotations

import click

from tracker.cli.output import console, print_json, table


@click.command("scan")
@click.option("--seconds", type=click.FloatRange(0.5, 300), default=8.0, show_default=True, help="How long to look.")
@click.option("--all", "everything", is_flag=True, help="Also devices that no driver knows.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_context
def command(context: click.Context, *, seconds: float, everything: bool, as_json: bool) -> None:
    """Look for sensors in range."""
    from tracker.cli.radio import radio, run
    from tracker.sensors import look_around

    found = [f for f in run(look_around(radio(), seconds)) if everything or f.driver]
    if as_json:
        print_json([f.to_json() for f in found])
    elif not found:
        click.echo("No known sensor is in range: switch it on, and wear it if it sleeps off the skin.", err=True)
    else:
        drawn = table("name", "address", "driver", "signal", numbers=("signal",))
        for f in found:
            drawn.add_row(
                f.name, f.sighting.address, f.driver.name if f.driver else "-", signal_bar(f.sighting.rssi_dbm)
            )
        console().print(drawn)
    if not found:
        context.exit(1)


def signal_bar(rssi_dbm: int | None) -> str:
    """Signal strength as five steps, with the figure."""
    if rssi_dbm is None:
        return "connected"
    steps = max(0, min(5, round((rssi_dbm + 100) / 10)))
    return f"{'▮' * steps}{'▯' * (5 - steps)} {rssi_dbm} dBm"
