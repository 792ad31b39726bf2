"""Tables whose columns never wrap: one column, if any, takes the room that the others leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

_BETWEEN = 2


@dataclass(slots=True)
class Rows:
    """Cells of a table before it is drawn.

    Attributes:
        heads: the columns' names.
        numbers: columns that are set flush right.
        cells: a row of texts each.
        styles: one a row, rich's words; "" for none.
        breaks: numbers of rows after which a blank line comes.
    """

    heads: Sequence[str]
    numbers: Sequence[str] = ()
    cells: list[list[str]] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    breaks: set[int] = field(default_factory=set)

    def add(self, *cells: str, style: str = "") -> None:
        """A row."""
        self.cells.append(list(cells))
        self.styles.append(style)

    def room(self, width: int, column: int) -> int:
        """Characters that the other columns leave for one, 0 or more."""
        taken = sum(
            max(len(row[place]) for row in (self.heads, *self.cells))
            for place in range(len(self.heads))
            if place != column
        )
        return max(0, width - taken - _BETWEEN * (len(self.heads) - 1))

    def shorten(self, width: int, column: int) -> None:
        """Cut one column so that all fit, keeping its beginnings and ends."""
        room = max(self.room(width, column), len(self.heads[column]), 5)
        for row in self.cells:
            row[column] = shortened(row[column], room)

    def drawn(self) -> Table:
        """As rich prints it."""
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, _BETWEEN - 1, 0, 0))
        for name in self.heads:
            table.add_column(name, justify="right" if name in self.numbers else "left", no_wrap=True)
        for place, (row, style) in enumerate(zip(self.cells, self.styles, strict=True)):
            table.add_row(*row, style=style, end_section=place in self.breaks)
        return table


def shortened(text: str, room: int) -> str:
    """A text with its middle left out where it is longer than the room."""
    if len(text) <= room:
        return text
    head = (room - 1) // 2
    return f"{text[:head]}…{text[len(text) - (room - 1 - head) :]}"
