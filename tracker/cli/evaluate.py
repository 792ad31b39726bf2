"""`soleus evaluate`: the pipeline against labelled recordings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracker.cli.faults import say
from tracker.cli.options import FILE, json_option
from tracker.cli.output import SHORT_NAMES, console, counted, print_json, table
from tracker.cli.progress import Bar
from tracker.errors import ConfigError, NothingFound
from tracker.evaluation.diagram import PLOT_ENDINGS, plot, text_diagram
from tracker.evaluation.judging import ANY, is_gait
from tracker.evaluation.labelled import labelled_in
from tracker.evaluation.report import Part, Report, report
from tracker.evaluation.running import found_in_all

if TYPE_CHECKING:
    from rich.table import Table

    from analysis.scoring import Figure, Score

NAMES = SHORT_NAMES | {ANY: "any kind"}
_SHARES = ("precision", "recall", "F1 (95 %)", "count error", "false per hour (95 %)", "timing")
_NARROW = ("recall", "F1 (95 %)", "timing")
"""What fits beside the counts into 80 columns; the rest is for wide terminals and for `--json`."""
WIDE = 132
_ALARM = ("hours", "false", "per hour (95 %)", "recall here", "recall of all")


@click.command("evaluate")
@click.argument("folder", metavar="DIR", type=FILE)
@click.option("--seed", default=0, show_default=True, help="Of the bootstrap; the same seed gives the same intervals.")
@click.option(
    "--jobs", type=click.IntRange(1), default=None, help="Processes at once; as many as there are processors."
)
@click.option("--plot", "picture", type=FILE, help="Draw the reliability diagram (.png, .svg); needs matplotlib.")
@json_option
def command(folder: Path, seed: int, jobs: int | None, picture: Path | None, as_json: bool) -> None:
    """Score the pipeline against the labelled recordings below a folder.

    Beside NAME.csv lies its truth, NAME.truth.json: {"events": [{"kind": "soleus_pushup", "peak_s": 12.4}]}.
    An event is right if its kind is and its peak lies within 0.3 s of a true one, widened by half of its hold_s;
    pairs are one to one.
    """
    if seed < 0:
        raise ConfigError("--seed must be 0 or more.")
    if picture is not None and picture.suffix.lower() not in PLOT_ENDINGS:
        raise ConfigError(f"{picture}: a diagram ends in {' or '.join(PLOT_ENDINGS)}.")
    made = evaluate(folder, seed, jobs or os.cpu_count() or 1)
    if picture is not None:
        plot(picture, {str(source): part.calibration for source, part in made.parts.items()})
    if as_json:
        print_json(made.to_json())
    else:
        for source, part in made.parts.items():
            print_part(source, part)
    for name, why in made.uncountable.items():
        say(f"{name} is left out: {why}")


def evaluate(folder: Path, seed: int, jobs: int) -> Report:
    """Runs the pipeline over every labelled recording of a folder and scores it.

    Raises:
        NothingFound: there is none that can be counted.
        RecordingError: a truth file or a recording is wrong.
    """
    recordings = labelled_in(folder)
    if not recordings:
        raise NothingFound(f"{folder} has no labelled recording: put NAME.truth.json beside NAME.csv.")
    found = []
    with Bar("evaluate") as bar:
        for one in found_in_all(recordings, jobs):
            found.append(one)
            bar(len(found) / len(recordings))
    made = report(recordings, found, seed)
    if not made.parts:
        raise NothingFound(
            f"none of the recordings of {folder} can be counted: {next(iter(made.uncountable.values()))}."
        )
    return made


def print_part(source: str, part: Part) -> None:
    """For people: scores, false alarms, calibration."""
    out = console()
    people = f" of {counted(part.people, 'person').replace('persons', 'people')}" if part.people else ""
    out.print(f"{source}: {counted(part.recordings, 'recording')}{people}, {part.hours:.1f} hours", markup=False)
    out.print(_scores(part, out.width))
    if part.false_alarms:
        out.print("Contractions found where there was none:")
        out.print(_alarms(part))
    if part.gaits:
        out.print("The gait of the steps found:")
        out.print(_gait_table(part))
    if sum(b.events for b in part.calibration.bins):
        click.echo(text_diagram(part.calibration))
        worst = part.calibration.worst_error
        said = "no bin has 100 events" if worst is None else f"{100 * worst:.1f} points"
        click.echo(f"| is the mean confidence; worst bin of 100 events: {said}.\n")


def _scores(part: Part, width: int) -> Table:
    """By condition and kind; any kind has a row of its own where it says more than the one kind there is."""
    shares = _SHARES if width >= WIDE else _NARROW
    heads = ("condition", "contraction", "true", "found", *shares)
    rows = table(*heads, numbers=heads[2:])
    for condition, scores in (*part.conditions.items(), ("together", part.overall)):
        shown = {kind: made for kind, made in scores.items() if kind != ANY or len(scores) != 2}
        for n, (kind, made) in enumerate(shown.items()):
            cells = dict(zip(heads[2:4] + _SHARES, _cells(made, part.recall), strict=True))
            rows.add_row(condition if n == 0 else "", NAMES[kind], *(cells[head] for head in heads[2:]))
    return rows


def _cells(made: Score, of_all: Figure) -> tuple[str, ...]:
    """One row. Where nothing was true the recall of all recordings stands beside the false alarms, in brackets."""
    true, found = (f"{n:,}" for n in (made.true, made.found))
    recall = _plain(made.recall)
    if not recall and made.hours:
        recall = f"({_plain(of_all)} of all)"
    if not made.hours:
        true, found = "by count", "by count"
    timing = "" if made.timing_error_s is None else f"{1000 * made.timing_error_s:.0f} ms"
    return (
        true, found, _plain(made.precision), recall, _with_interval(made.f1, 3),
        _plain(made.count_error, percent=True), _with_interval(made.false_per_hour, 1), timing,
    )  # fmt: skip


def _alarms(part: Part) -> Table:
    rows = table("during", *_ALARM, numbers=_ALARM)
    for label, made in part.false_alarms.items():
        rows.add_row(
            label.replace("_", " "), f"{made.hours:.2f}", f"{made.false:,}", _with_interval(made.per_hour, 1),
            _plain(made.recall), _plain(made.recall_all),
        )  # fmt: skip
    return rows


def _gait_table(part: Part) -> Table:
    rows = table("gait", "steps", "right (95 %)", "otherwise", numbers=("steps", "right (95 %)"))
    for gait, made in part.gaits.items():
        others = ", ".join(
            f"{seen or 'none'} {number:,}" for seen, number in made.told.items() if not is_gait(gait, seen)
        )
        rows.add_row(gait.replace("_", " "), f"{made.steps:,}", _with_interval(made.right, 3), others.replace("_", " "))
    return rows


def _plain(figure: Figure, *, percent: bool = False) -> str:
    if figure.value is None:
        return ""
    return f"{100 * figure.value:.1f} %" if percent else f"{figure.value:.3f}"


def _with_interval(figure: Figure, digits: int) -> str:
    if figure.value is None:
        return ""
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f}-{figure.high:.{digits}f})"
