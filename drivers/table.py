"""The table of supported sensors, as Markdown, from what the drivers say about themselves."""

from __future__ import annotations

from collections.abc import Sequence

from drivers import registry
from drivers.driver import Driver

COLUMNS = (
    "driver", "sensors", "measures", "best rate", "clock", "loss seen by", "range", "battery", "vibrates",
    "seen on", "mind",
)  # fmt: skip
NOT_WORN = frozenset({"battery", "heart-rate"})
"""Standard characteristics that only `soleus drivers decode` reads by themselves."""


def markdown() -> str:
    """The table: one row a driver that a wearer can use, ends with a line feed."""
    drivers = [registry.driver(name) for name in registry.names() if name not in NOT_WORN]
    lines = [COLUMNS, ["---"] * len(COLUMNS), *map(_row, drivers)]
    return "".join(_line(cells) for cells in lines)


def _row(driver: Driver) -> list[str]:
    facts = driver.facts
    return [
        f"`{driver.name}`",
        driver.title,
        facts.measures,
        f"{facts.best_rate_hz:g} Hz",
        facts.clock or "none",
        facts.loss or "arrival only",
        facts.ranges,
        "yes" if driver.battery else "no",
        "yes" if driver.buzz else "no",
        facts.seen,
        facts.caution or "",
    ]


def _line(cells: Sequence[str]) -> str:
    escaped = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return f"| {' | '.join(escaped)} |\n"
