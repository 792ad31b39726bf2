"""`soleus analyze`: what one file holds, counted and not stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from analysis.events import Kind, State
from drivers.errors import RecordingError
from tracker.cli.faults import say
from tracker.cli.figures import number
from tracker.cli.options import FILE, file_options, json_option, leg_option, read_options
from tracker.cli.output import KIND_NAMES, console, counted, duration, print_json, table
from tracker.cli.progress import Bar
from tracker.counting import count
from tracker.errors import ConfigError
from tracker.facts import Facts, why_uncountable
from tracker.intake import Input, input_groups, leg_of, open_input
from tracker.samplefile import SampleFile


@click.command("analyze")
@click.argument("file", type=FILE)
@file_options
@leg_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print one line an event.")
def command(file: Path, leg: str | None, as_json: bool, as_csv: bool, **units: Any) -> None:
    """Count what one sample file or recording holds, and store nothing."""
    if as_json and as_csv:
        raise ConfigError("--json and --csv exclude each other: give one of them.")
    with Bar(file.name) as bar:
        source = open_input(file, read_options(**units), bar)
        with input_groups(source) as groups:
            facts = count(groups)
    if not facts.streams:
        raise RecordingError("no samples could be decoded from it", file)
    if as_json:
        print_json(document(source, facts, leg))
    elif as_csv:
        print_csv(facts)
    else:
        print_table(file.name, facts)
    if not as_json and (why := why_uncountable(facts)):
        say(f"nothing can be counted in {file.name}: {why}")


def document(source: Input, facts: Facts, leg: str | None) -> dict[str, Any]:
    """The contract's document, with the leg and the quality of the file beside it."""
    told = facts.to_json()
    known = None if isinstance(source, SampleFile) else leg_of(source.header)
    told["recording"]["leg"] = leg or known
    told["quality"] = quality(source)
    return told


def quality(source: Input) -> dict[str, Any]:
    """What was put right or refused while the file was read."""
    if isinstance(source, SampleFile):
        report = source.report
        return {
            "rows": report.rows,
            "repeats_dropped": report.repeats_dropped,
            "late_rows": report.late_rows,
            "joined_rows": report.joined_rows,
            "empty_rows": report.empty_rows,
            "torn_triples": report.torn_triples,
            "ignored_columns": list(report.ignored_columns),
        }
    seen = source.quality
    return {
        "packets": seen.packets,
        "packet_errors": seen.packet_errors,
        "duplicates": seen.duplicates,
        "refused": dict(seen.refused),
    }


def print_csv(facts: Facts) -> None:
    """One line an event."""
    click.echo("kind,onset_s,peak_s,end_s,confidence")
    for event in facts.findings.contractions:
        click.echo(f"{event.kind},{event.onset_s:.3f},{event.peak_s:.3f},{event.end_s:.3f},{event.confidence:.3f}")


def print_table(name: str, facts: Facts) -> None:
    """For people: the recording, the counts, the states."""
    out = console()
    rate = f", {facts.rate_hz:.4g} Hz" if facts.rate_hz else ""
    gaps = f", {counted(len(facts.findings.gaps), 'gap')} ({duration(facts.gap_s)})"
    sensors = " and ".join(facts.modalities) or "data"
    out.print(f"{name}: {duration(facts.duration_s)} of {sensors}{rate}{gaps}", markup=False, soft_wrap=True)
    if facts.uncountable is None:
        out.print(
            f"worn {duration(facts.worn_s)}, of which it is unknown what the leg did for {duration(facts.unknown_s)}"
        )
        rows = table("contractions", "number", "mean confidence", numbers=("number", "mean confidence"))
        for kind in Kind:
            sure = facts.mean_confidence(kind)
            told = number(facts.known_counts[kind])
            rows.add_row(KIND_NAMES[kind], told, "" if sure is None else f"{sure:.2f}")
        out.print(rows)
    out.print(states_table(facts))
    for channel, course in facts.fatigue.items():
        tires = ", and falls as in a muscle that tires" if course.is_tiring else ""
        out.print(
            f"{channel}: median frequency {course.first_hz:.0f} Hz at first, {course.slope_hz_per_min:+.1f} Hz a "
            f"minute (standard error {course.slope_se_hz_per_min:.1f}, {course.contractions} contractions){tires}",
            markup=False,
            soft_wrap=True,
        )


def states_table(facts: Facts) -> Any:
    """How long the wearer was doing what."""
    rows = table("state", "time", "share", numbers=("time", "share"))
    recorded_s = facts.duration_s - facts.gap_s
    for state in State:
        seconds = facts.time_in(state)
        if seconds > 0.0:
            rows.add_row(state.replace("_", " "), duration(seconds), f"{100 * seconds / recorded_s:.0f} %")
    return rows
