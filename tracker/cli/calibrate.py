"""`soleus calibrate`: a few movements, counted aloud, to see that a sensor on this leg counts right."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from analysis.events import Kind, Leg
from tracker.calibration import GOALS, Calibration, News, Seen, Step, What
from tracker.cli.options import json_option, leg_option
from tracker.cli.output import print_json
from tracker.cli.surroundings import now, open_store, somebody_answers
from tracker.errors import ConfigError

if TYPE_CHECKING:
    from tracker.live.supervisor import Supervisor
    from tracker.store import Sensor, Store

LOOK_EVERY_S = 0.2

ASKED = {
    Step.STILL: "Sit still, the foot flat on the floor.",
    Step.SIT: "Sit down, the foot flat on the floor.",
    Step.PUSHUPS: "Five push-ups, seated: heel up and down, one in about two seconds.",
    Step.STAND: "Stand up, and stand quietly.",
    Step.RAISES: "Five heel raises, standing, one in about two seconds.",
    Step.STEPS: "Walk: ten steps of the leg that wears the sensor, twenty in all. Then stand.",
    Step.REST: "Stand quietly until the last steps are final.",
}


@click.command("calibrate")
@click.option("--sensor", "nick", metavar="NICK", help="Which sensor.")
@leg_option
@click.option("--plain", is_flag=True, help="A line for each count, no screen control, no questions.")
@json_option
@click.pass_context
def command(context: click.Context, *, nick: str | None, leg: str | None, plain: bool, as_json: bool) -> None:
    """Sit, five push-ups, stand, five raises, ten steps: about a minute. Only what is counted wrong is done again."""
    from tracker.calibrated import keep, note_of
    from tracker.cli.radio import radio, run
    from tracker.cli.record import chosen_sensors
    from tracker.live.clock import HostClock
    from tracker.live.recording_run import record

    asked = somebody_answers() and not plain and not as_json
    with open_store() as store:
        sensor = _on_its_leg(store, chosen_sensors(store, (nick,) if nick else ())[0], leg, asked=asked)
        coach = Coach(quiet=as_json, over=asked and sys.stdout.isatty())
        clock = HostClock()
        done = run(record(radio(), store, [sensor], clock, minutes=None, tell=coach, tell_every_s=LOOK_EVERY_S))
        session = done[0].session
        note = note_of(sensor, session.session_id if session else None, coach.calibration, now())
        keep(store.home, note)
    if as_json:
        print_json(note)
    else:
        click.echo(verdict(sensor, coach.calibration))
    if not coach.calibration.passed:
        context.exit(1)


def _on_its_leg(store: Store, sensor: Sensor, leg: str | None, *, asked: bool) -> Sensor:
    """The leg is told or asked: no single sensor can tell left from right."""
    from tracker.moving import move

    if leg is None and asked:
        leg = click.prompt(
            "Leg", type=click.Choice([side.value for side in Leg]), default=sensor.leg and str(sensor.leg), err=True
        )
    if leg is None and sensor.leg is None:
        raise ConfigError(f"say which leg {sensor.nick} is on: --leg left or --leg right")
    if leg is None or leg == sensor.leg:
        return sensor
    move(store, sensor.nick, Leg(leg))
    return next(known for known in store.sensors() if known.nick == sensor.nick)


class Coach:
    """Sees what the session shows, tells the wearer what to do, and ends the recording when all is done."""

    def __init__(self, *, quiet: bool = False, over: bool = False) -> None:
        """A coach at the beginning.

        Args:
            quiet: say nothing.
            over: write ticks over each other, for a terminal.
        """
        self.calibration = Calibration()
        self._quiet, self._over = quiet, over

    def __call__(self, supervisors: Sequence[Supervisor]) -> None:
        """Look at the one sensor's session."""
        (supervisor,) = supervisors
        session = supervisor.session
        if session is not None and session.has_data:
            tally = session.tally
            shown = {kind: tally.shown(kind) for kind in Kind}
            for news in self.calibration.see(Seen(tally.session_s, shown, tally.likely.total())):
                self._tell(news)
        if self.calibration.finished:
            supervisor.stop()

    def _tell(self, news: News) -> None:
        if not self._quiet:
            ticks = self._over and news.what is What.TICKED
            click.echo(("\r" if self._over and news.what is not What.BEGAN else "") + sentence(news), nl=not ticks)


def sentence(news: News) -> str:
    """What the wearer is told."""
    if news.what is What.BEGAN:
        return ASKED[news.step]
    if news.step is Step.STILL:
        return "  still" if news.what is What.PASSED else "  something moved: sit still for a moment"
    count = f"{news.counted} of {GOALS[news.step].wanted}"
    if news.what is What.TICKED:
        return f"  {news.step} {count}"
    more = ": once more" if news.what is What.AGAIN else ""
    return f"  {news.step}: counted {count}{more}"


def verdict(sensor: Sensor, calibration: Calibration) -> str:
    """The end of it, in a sentence."""
    if calibration.passed:
        return f"{sensor.nick} counts right on the {sensor.leg} leg."
    if not calibration.finished:
        return f"{sensor.nick}: the calibration was not finished."
    wrong = ", ".join(str(step) for step, result in calibration.results.items() if not result.passed)
    return f"{sensor.nick}: {wrong} not counted right; strap it tighter, above the ankle, and try again."
