"""`soleus demo`: everything without a sensor, in half a minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from analysis.events import Kind
from tracker.cli.output import KIND_NAMES, console, print_json, table
from tracker.cli.surroundings import home, now

if TYPE_CHECKING:
    from tracker.demo import Outcome
    from tracker.home import Home
    from tracker.live.supervisor import Supervisor


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def command(*, as_json: bool) -> None:
    """A simulated leg wears a virtual sensor; the radio client, the recorder, the counting and the store are real."""
    from drivers.ble import quiet_library
    from tracker.demo import has_air, run_demo
    from tracker.live.clock import HostClock

    quiet_library()
    place = home().demo
    if not as_json:
        click.echo("A simulated leg moves for six minutes, told thirty times as fast, and wears a virtual sensor.")
        if not has_air():
            click.echo("No virtual radio can be made here without the extra `sim`: its packets come over a wire.")
    outcome = run_demo(place, _nothing if as_json else _Ticker(), HostClock())
    if as_json:
        print_json(
            {
                "home": str(place.root),
                "session": outcome.session_id,
                "truth": {str(kind): outcome.truth[kind] for kind in Kind},
                "counted": {str(kind): outcome.counted[kind] for kind in Kind},
            }
        )
        return
    _show(outcome)
    _show_day(place)
    click.echo(f"\nTwo weeks of earlier days are there, too: SOLEUS_HOME={place.root} soleus week")


def _show_day(place: Home) -> None:
    from tracker.cli.dates import calendar
    from tracker.cli.day import show
    from tracker.store import Store

    days = calendar(None)
    with Store(place, clock=now, read_only=True) as store:
        show(store.day(days.today, days.zone, days.start_hour), days)


def _nothing(_supervisors: Sequence[Supervisor]) -> None:
    return


class _Ticker:
    """One line that is written over while the leg moves, or a line now and then where nobody watches."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, supervisors: Sequence[Supervisor]) -> None:
        from tracker.cli.live_text import line

        text = line(supervisors[0])
        if text != self._last:
            click.echo(f"  {text}")
        self._last = text


def _show(outcome: Outcome) -> None:
    drawn = table("", "the leg did", "counted", numbers=("the leg did", "counted"))
    for kind in Kind:
        if outcome.truth[kind] or outcome.counted[kind]:
            drawn.add_row(KIND_NAMES[kind], str(outcome.truth[kind]), str(outcome.counted[kind]))
    console().print(drawn)
