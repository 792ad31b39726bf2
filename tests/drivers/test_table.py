"""The table of sensors says what the drivers say."""

from __future__ import annotations

from drivers import registry
from drivers.table import COLUMNS, NOT_WORN, markdown


def test_one_row_a_sensor_and_one_cell_a_column() -> None:
    lines = markdown().splitlines()
    assert len(lines) == 2 + len(set(registry.names()) - NOT_WORN)
    assert {line.replace("\\|", "").count("|") for line in lines} == {len(COLUMNS) + 1}


def test_a_row_says_clock_loss_battery_and_caution() -> None:
    (row,) = [line for line in markdown().splitlines() if line.startswith("| `witmotion` |")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[3:9] == ["100 Hz", "none", "arrival only", "16 g, 2000 deg/s", "yes", "no"]
    assert "late packet" in cells[10]
