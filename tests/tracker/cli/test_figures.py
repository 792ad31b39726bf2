"""Figures for people."""

from __future__ import annotations

import io

import pytest

from tracker.cli import figures
from tracker.cli.tables import Rows, shortened


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "—"),
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3540, "59 min"),
        (3600, "1:00 h"),
        (360_000, "100:00 h"),
    ],
)
def test_span(seconds: float | None, text: str) -> None:
    """Seconds, minutes or hours with their unit; not known is a dash."""
    assert figures.span(seconds) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [(1, 2, "50 %"), (0, 2, "0 %"), (1, 1000, "<1 %"), (999, 1000, "99 %"), (5, 5, "100 %"), (1, 0, "—")],
)
def test_share(part: float, whole: float, text: str) -> None:
    """Something is never nothing, and a part is never all."""
    assert figures.share(part, whole) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [(110, 100, "+10 %"), (85, 100, "-15 %"), (100, 100, "±0 %"), (5, 0, "—"), (None, 5, "—"), (5, None, "—")],
)
def test_change(now: float | None, before: float | None, text: str) -> None:
    """Nothing can be said against nothing."""
    assert figures.change(now, before) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "—"), (0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (106e6, "106 MB"), (1.54e9, "1.5 GB")],
)
def test_size(amount: float | None, text: str) -> None:
    """Decimal units."""
    assert figures.size(amount) == text


@pytest.mark.parametrize(
    ("value", "top", "width", "bar"),
    [
        (10, 10, 4, "████"),
        (5, 10, 4, "██"),
        (1, 1000, 4, "▏"),
        (0, 10, 4, ""),
        (9, 16, 2, "█▏"),
        (3, 0, 4, ""),
        (3, 3, 0, ""),
    ],
)
def test_bar(value: float, top: float, width: int, bar: str) -> None:
    """To an eighth of a character; something is never drawn as nothing."""
    assert figures.bar(value, top, width) == bar


def test_bars_without_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stdout that cannot say blocks gets number signs."""
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="cp1252"))
    assert (figures.bar(5, 10, 4), figures.bar(1, 1000, 4)) == ("##", "#")


def test_a_long_text_keeps_both_ends() -> None:
    """Only as much is left out as must be."""
    rows = Rows(("n", "file"))
    rows.add("1", "recording-of-monday.csv")
    rows.shorten(14, 1)
    assert rows.cells == [["1", "recor…ay.csv"[:5] + "…" + "ay.csv"[-5:]]]
    assert (shortened("abc", 3), len(shortened("abcdefgh", 5))) == ("abc", 5)
