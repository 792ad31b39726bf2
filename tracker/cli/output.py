"""What commands print: one JSON document for programs, tables and sentences for people."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

KIND_NAMES = {
    "soleus_pushup": "soleus push-ups (seated)",
    "heel_raise": "heel raises (standing)",
    "ankle_pump": "ankle pumps",
    "step": "steps of this leg",
    "pedal": "pedal strokes",
}
"""Kinds of contraction for people."""

PLAIN_NAMES = {kind: name.split(" (")[0] for kind, name in KIND_NAMES.items()}
"""The same without the posture."""

SHORT_NAMES = {
    "soleus_pushup": "push-ups",
    "heel_raise": "raises",
    "ankle_pump": "pumps",
    "step": "steps",
    "pedal": "strokes",
}
"""The same where there is little room."""


def print_json(document: Any) -> None:
    """One document on stdout; keys in their own order, no NaN or infinity (they become null)."""
    click.echo(json.dumps(without_nan(document), allow_nan=False, indent=2))


def without_nan(value: Any) -> Any:
    """The same document with null for numbers that JSON cannot say."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(item) for item in value]
    return value


def console() -> Console:
    """Stdout for tables; without colour where NO_COLOR says so or nobody watches."""
    from rich.console import Console

    return Console(highlight=False)


def table(*columns: str, numbers: tuple[str, ...] = ()) -> Table:
    """An empty table; the columns in `numbers` are set flush right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        made.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    return made


def duration(seconds: float) -> str:
    """1:02:03, 2:03, or 12.5 s below a minute."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def counted(number: int, noun: str) -> str:
    """`1 gap`, `2 gaps`, `1,234 gaps`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
