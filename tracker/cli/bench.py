"""`soleus bench`: speed on this machine, as ratios."""

from __future__ import annotations

import click

from tracker.cli.output import print_json


@click.command("bench")
@click.option("--quick", is_flag=True, help="A fifth of the work, for a first impression.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def command(*, quick: bool, as_json: bool) -> None:
    """Measure how fast this machine counts, as multiples of one filter pass (R) taken in the same run."""
    from tracker.bench import run_bench

    figures = run_bench(quick=quick, report=lambda what: click.echo(f"{what} ...", err=True))
    if as_json:
        print_json([{"what": f.what, "value": f.value, "unit": f.unit, "goal": f.goal, "met": f.met} for f in figures])
        return
    for figure in figures:
        verdict = "" if figure.met is None else ("  met" if figure.met else "  NOT met")
        goal = f"  goal {figure.goal}" if figure.goal else ""
        click.echo(f"{figure.what:<58} {figure.value:>9.3g} {figure.unit:<5}{goal}{verdict}")
