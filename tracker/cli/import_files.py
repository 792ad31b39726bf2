"""`soleus import`: sample files and recordings become stored sessions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from analysis.events import Kind, Leg
from drivers.errors import RecordingError
from tracker.cli import surroundings
from tracker.cli.faults import USAGE, say, sentence_of
from tracker.cli.keeping import keep_house
from tracker.cli.options import FILE, file_options, json_option, leg_option, read_options
from tracker.cli.output import KIND_NAMES, duration, print_json
from tracker.cli.progress import Bar
from tracker.errors import ConfigError
from tracker.intake import Imported, Intake, Told, is_sample_file, open_input
from tracker.samplefile import ReadOptions
from tracker.settings import instant_of

_LEG_IN_PREFIX = re.compile(r"(l|left|r|right)(_?(shank|ankle|calf|shin|tibia|leg|foot))?_?")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file: a session, or the sentence that says why not."""

    file: Path
    imported: Imported | None
    refused: str | None = None


@click.command("import")
@click.argument("files", type=FILE, nargs=-1, required=True)
@click.option("--start", metavar="ISO8601", help="When t_s = 0 was: 2026-05-01T14:30 in your zone, or with +02:00.")
@leg_option
@file_options
@json_option
def command(files: tuple[Path, ...], start: str | None, leg: str | None, as_json: bool, **units: Any) -> int:
    """Bring sample files and recordings into the store, each as a session.

    The same content, prefix, leg and start again changes nothing. A file with a fault in it is not stored.
    """
    options = read_options(**units)
    rows = [file for file in files if _is_understood(file, options)]  # nobody is asked about others
    began = _start(rows, start)
    of_leg = _leg(rows, leg, options.prefix)
    settings = surroundings.settings()
    with surroundings.open_store() as store:
        with Intake(store) as intake:
            taken = [_take(intake, file, Told(began, of_leg, options)) for file in files]
        keep_house(store, settings)
    if as_json:
        print_json({"files": [_json(one) for one in taken]})
    for one in taken:
        if one.imported is not None and not as_json:
            click.echo(_sentence(one.file, one.imported))
        if one.refused is not None:
            say(one.refused)
    if of_leg is None and any(one.file in rows and one.imported is not None for one in taken):
        say("stored without a leg, because none was named: --leg left or --leg right names it")
    return USAGE if any(one.refused for one in taken) else 0


def _is_understood(file: Path, options: ReadOptions) -> bool:
    """Whether it is a sample file whose header can be read; what is wrong with others is said when they are taken."""
    if not is_sample_file(file):
        return False
    try:
        open_input(file, options)
    except RecordingError:
        return False
    return True


def _start(rows: Sequence[Path], start: str | None) -> datetime | None:
    """When the sample files began; asked for, since they cannot know it, where somebody answers."""
    if start is None and rows:
        if not surroundings.somebody_answers():
            raise ConfigError(
                "a sample file does not say when it began: add --start with the time of its t_s = 0, "
                "such as --start 2026-05-01T14:30:00."
            )
        start = click.prompt("When was t_s = 0 (such as 2026-05-01T14:30)", err=True)
    return None if start is None else instant_of(start, surroundings.zone())


def _leg(rows: Sequence[Path], leg: str | None, prefix: str) -> Leg | None:
    """The leg named, else that of the prefix, else of the settings, else asked for; None where unknown."""
    if leg is not None:
        return Leg(leg)
    if not rows:
        return None
    if named := _LEG_IN_PREFIX.fullmatch(prefix.strip().lower()):
        found = Leg.LEFT if named[1].startswith("l") else Leg.RIGHT
        say(f"taken for the {found} leg, by the prefix {prefix}: --leg says otherwise")
        return found
    if usual := surroundings.settings().leg:
        return usual
    if surroundings.somebody_answers():
        return Leg(click.prompt("Which leg was the sensor on", type=click.Choice(["left", "right"]), err=True))
    return None


def _take(intake: Intake, file: Path, said: Told) -> Taken:
    try:
        with Bar(file.name) as bar:
            return Taken(file, intake.take(file, said, bar))
    except (RecordingError, ConfigError) as error:
        return Taken(file, None, sentence_of(str(error)))


def _sentence(file: Path, imported: Imported) -> str:
    if not imported.created:
        return f"{file.name} is stored already, as session {imported.session_id}: nothing was changed."
    leg = f" of the {imported.leg} leg" if imported.leg else ""
    began = imported.started_at.isoformat(sep=" ", timespec="seconds")
    text = f"Session {imported.session_id}: {file.name}, {duration(imported.duration_s)}{leg} from {began}, "
    if imported.why_uncountable:
        return f"{text}nothing counted, because {imported.why_uncountable}."
    counts = imported.counts or {}
    seen = [f"{counts[kind]:,} {KIND_NAMES[kind]}" for kind in Kind if counts.get(kind)]
    return f"{text}{', '.join(seen) or 'no contraction'}."


def _json(one: Taken) -> dict[str, Any]:
    imported = one.imported
    if imported is None:
        return {"file": str(one.file), "status": "refused", "session": None, "error": one.refused}
    counts = imported.counts
    return {
        "file": str(one.file),
        "status": "stored" if imported.created else "already_stored",
        "session": imported.session_id,
        "leg": imported.leg,
        "started_at": imported.started_at.isoformat(),
        "duration_s": imported.duration_s,
        "counts": {str(kind): None if counts is None else counts[kind] for kind in Kind},
        "error": None,
    }
