"""Why something was counted or not, for people and as JSON: what `soleus events --explain` and `--at` show."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from tracker.cli import surroundings
from tracker.cli.dates import Calendar
from tracker.cli.output import console, print_json, table
from tracker.errors import ConfigError, NothingFound
from tracker.settings import instant_of
from tracker.store import SessionRecord, Store
from tracker.store.civil import day_of, later

if TYPE_CHECKING:
    from analysis.explain import Check, Explanation
    from analysis.samples import FloatArray
    from tracker.store.records import CountedEvent

BLOCKS, PLAIN = "▁▂▃▄▅▆▇█", "_.,-~=+#"
"""Heights of a sparkline, and the same for terminals that cannot show them."""

_ID = re.compile(r"(\d+)-[a-z_]+-(\d+)")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be explained: an instant of a session, and the stored event there if it is one."""

    session: SessionRecord
    at_s: float
    event: CountedEvent | None = None


def explain_event(event_id: str, days: Calendar, as_json: bool) -> int:
    """Shows why a stored event was counted.

    Raises:
        NothingFound: there is no such event, or its recording is gone.
    """
    with surroundings.open_store(read_only=True) as store:
        return _show(store, _event(store, event_id, days), as_json)


def explain_instant(text: str, day: date, days: Calendar, leg: str | None, as_json: bool) -> int:
    """Shows what was decided nearest to an instant: TIME, or a clock's time of the day."""
    clock = text.strip()
    if _CLOCK.fullmatch(clock):
        clock = f"{day.isoformat()}T{clock.zfill(len(clock) + (clock[1] == ':'))}"
    instant = instant_of(clock, days.zone)
    with surroundings.open_store(read_only=True) as store:
        return _show(store, _covering(store, instant, leg), as_json)


def _event(store: Store, event_id: str, days: Calendar) -> Asked:
    parts = _ID.fullmatch(event_id.strip())
    if parts is None:
        raise ConfigError(f"{event_id!r} is no event: `soleus events DATE --json` shows the id of each.")
    session, at_s = store.session(int(parts[1])), int(parts[2]) / 1000.0
    day = day_of(later(session.started_at, at_s), days.zone, days.start_hour)
    for event in store.events(day, days.zone, days.start_hour):
        if event.id == event_id.strip():
            return Asked(session, event.peak_s, event)
    raise NothingFound(f"there is no event {event_id}: `soleus events DATE --json` shows the id of each.")


def _covering(store: Store, instant: datetime, leg: str | None) -> Asked:
    """The session that was recorded at an instant; the preferred one first where there are several."""
    for session in store.sessions(since=instant.astimezone(UTC) - timedelta(seconds=1)):
        at_s = (instant - session.started_at).total_seconds()
        if session.first_s <= at_s <= session.last_s and leg in (None, session.leg):
            return Asked(session, at_s)
    raise NothingFound(
        f"nothing was recorded at {instant:%Y-%m-%d %H:%M:%S}: `soleus sessions` shows when something was."
    )


def _show(store: Store, asked: Asked, as_json: bool) -> int:
    told = _explanation(store, asked)
    if as_json:
        print_json(document(told, asked))
    else:
        print_explanation(told, asked)
    return 0 if told.rule else 1


def _explanation(store: Store, asked: Asked) -> Explanation:
    from analysis.explain import explain
    from drivers.recording import open_recording
    from tracker.cli.export import without

    session = asked.session
    path = None if session.recording is None else store.home.root / session.recording
    if path is None or not path.exists():
        raise NothingFound(f"the recording of session {session.id} is not kept any more: nothing is left to explain.")
    with open_recording(path) as recording:
        told = explain(without(recording.blocks(), session.forgotten), asked.at_s)
    if told is None:
        raise NothingFound(f"session {session.id} has no samples to count with at second {asked.at_s:.1f}.")
    return told


def document(told: Explanation, asked: Asked) -> dict[str, Any]:
    """The same for programs; times are session seconds, beside the instant with its offset."""
    counted = told.contraction
    return {
        "session": asked.session.id,
        "event": asked.event.id if asked.event else None,
        "at": later(asked.session.started_at, told.at_s).isoformat(),
        "at_s": round(told.at_s, 3),
        "rule": told.rule,
        "counted_as": str(counted.kind) if counted else None,
        "confidence": counted.confidence if counted else None,
        "looked_at": told.looked_at,
        "signal": {
            "t_s": [round(t, 3) for t in told.t_s.tolist()],
            "tilt_rad": [round(x, 5) for x in told.tilt_rad.tolist()],
            "lift_m": [round(x, 5) for x in told.lift_m.tolist()],
            "swing_rad_s": [round(x, 4) for x in told.swing_rad_s.tolist()],
        },
        "features": {name: float(f"{value:.5g}") for name, value in told.features.items()},
        "checks": [_check_json(check) for check in told.checks],
    }


def _check_json(check: Check) -> dict[str, Any]:
    return {
        "rule": check.rule,
        "feature": check.feature,
        "value": float(f"{check.value:.5g}"),
        "at_least" if check.at_least else "at_most": check.limit,
        "threshold": check.threshold,
        "met": check.met,
    }


def print_explanation(told: Explanation, asked: Asked) -> None:
    """For people: what was decided, two seconds of signal, features against limits."""
    at = later(asked.session.started_at, told.at_s)
    click.echo(f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 100_000}, session {asked.session.id}: {verdict(told)}")
    if asked.event and (told.contraction is None or told.contraction.kind is not asked.event.kind):
        stored = asked.event.kind.replace("_", " ")
        click.echo(f"Stored as {stored} by an earlier algorithm: `soleus recount` counts again.")
    click.echo()
    for name, course, unit in (
        ("tilt", told.tilt_rad * 57.29578, "deg"),
        ("lift", told.lift_m * 100.0, "cm"),
        ("swing", told.swing_rad_s, "rad/s"),
    ):
        click.echo(f"{name:>5}  {sparkline(course, BLOCKS if _shows(BLOCKS) else PLAIN)}  "
                   f"{course.min():.2f} to {course.max():.2f} {unit}")  # fmt: skip
    click.echo(f"{'':5}  {'-1 s':<{told.t_s.size // 2}}^{'+1 s':>{told.t_s.size - told.t_s.size // 2 - 1}}\n")
    _print_measures(told)


def verdict(told: Explanation) -> str:
    """What was decided, in a sentence."""
    if told.contraction is not None:
        sure = round(100 * told.contraction.confidence)
        return f"counted as {told.contraction.kind.replace('_', ' ')} by the rule {told.rule}, {sure} % sure."
    if told.rule is not None:
        return f"refused by the rule {told.rule}."
    if not told.looked_at:
        return "the leg was too still for a contraction, so none was looked for."
    return "nothing rose, fell or swung enough to be a candidate."


def _print_measures(told: Explanation) -> None:
    if not told.features:
        return
    rows = table("measure", "value", "limit", "rule", "", numbers=("value",))
    for check in told.checks:
        limit = f"{'at least' if check.at_least else 'at most'} {check.limit:g}"
        mark = "" if check.met else "refused" if check.rule == told.rule else "beyond"
        rows.add_row(check.feature, f"{check.value:.3g}", limit, check.rule, mark)
    shown = {check.feature for check in told.checks}
    for name, value in told.features.items():
        if name not in shown:
            rows.add_row(name, f"{value:.3g}", "", "", "")
    console().print(rows)
    if told.contraction is None and not any(check.rule == told.rule and not check.met for check in told.checks):
        click.echo(f"{told.rule} goes by several measures together, or by what was counted just before.")


def sparkline(course: FloatArray, heights: str) -> str:
    """One character a sample, from the lowest to the highest."""
    span = float(course.max() - course.min())
    share = (course - course.min()) / span if span > 0.0 else course * 0.0
    return "".join(heights[min(int(x * len(heights)), len(heights) - 1)] for x in share)


def _shows(text: str) -> bool:
    """Whether the terminal's encoding has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
