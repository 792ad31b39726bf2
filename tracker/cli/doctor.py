"""`soleus doctor`: one line a check, with the fix."""

from __future__ import annotations

from collections.abc import Sequence

import click

from tracker.cli import surroundings
from tracker.cli.options import json_option
from tracker.cli.output import console, counted, print_json
from tracker.doctor import (
    Finding,
    Machine,
    Verdict,
    check_clock,
    check_database,
    check_home,
    check_python,
    check_settings,
    examine,
)
from tracker.doctor_radio import check_notifications, check_radio

CHECKS = (
    check_python,
    check_home,
    check_settings,
    check_database,
    check_clock,
    check_radio,
    check_notifications,
)
_STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


@click.command("doctor")
@json_option
def command(as_json: bool) -> int:
    """Check database, permissions, disk, clock, packages, radio and notifications; each line says its fix.

    Exit code 1 where something keeps soleus from its work. A missing radio does not: files can be imported.
    """
    found = examine(Machine(surroundings.home(), surroundings.now()), CHECKS)
    if as_json:
        print_json([finding.to_json() for finding in found])
    else:
        _show(found)
    return int(any(finding.verdict is Verdict.FAIL for finding in found))


def _show(found: Sequence[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    rows = Table.grid(padding=(0, 2))
    for _ in ("verdict", "check"):
        rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for finding in found:
        told = Text(finding.text)
        if finding.fix:
            told.append(f"\nfix: {finding.fix}", style="bold")
        rows.add_row(Text(finding.verdict, style=_STYLES[finding.verdict]), finding.check, told)
    out = console()
    out.print(rows)
    failed, warned = (sum(finding.verdict is verdict for finding in found) for verdict in (Verdict.FAIL, Verdict.WARN))
    if failed or warned:
        out.print(f"\n{counted(failed, 'failure')}, {counted(warned, 'warning')}.")
    else:
        out.print("\nAll is in order.")
