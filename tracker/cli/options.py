"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from tracker.samplefile import ReadOptions

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
leg_option = click.option("--leg", type=click.Choice(["left", "right"]), help="The leg the sensor was on.")
force_option = click.option("--force", is_flag=True, help="Replace a file that is there.")
yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")

_FILE_OPTIONS = (
    click.option("--prefix", default="", help="Pick one sensor of a many-sensor file, e.g. lshank_."),
    click.option("--acc-unit", type=click.Choice(["mps2", "g", "mg"]), help="Unit where acc columns name none."),
    click.option("--gyr-unit", type=click.Choice(["rad_s", "deg_s", "dps"]), help="Unit where gyr columns name none."),
    click.option("--emg-unit", type=click.Choice(["uv", "mv", "v"]), help="Unit where emg columns name none."),
)


def file_options(command: Command) -> Command:
    """What the user may say about a sample file."""
    for option in reversed(_FILE_OPTIONS):
        command = option(command)
    return command


def read_options(prefix: str, acc_unit: str | None, gyr_unit: str | None, emg_unit: str | None) -> ReadOptions:
    """The same as the reader takes it."""
    from tracker.samplefile import AccUnit, EmgUnit, GyrUnit, ReadOptions

    return ReadOptions(
        prefix=prefix,
        acc_unit=AccUnit(acc_unit) if acc_unit else None,
        gyr_unit=GyrUnit(gyr_unit) if gyr_unit else None,
        emg_unit=EmgUnit(emg_unit) if emg_unit else None,
    )
