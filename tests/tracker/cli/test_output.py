"""What is printed: JSON without NaN, durations and numbers for people, a bar only where somebody watches."""

from __future__ import annotations

import io
import json
import sys

import pytest

from tracker.cli.output import counted, duration, print_json
from tracker.cli.progress import Bar


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    """Numbers that JSON cannot say become null; the order of keys stays."""
    print_json({"b": float("nan"), "a": [1.5, float("inf"), (2,)], "c": {"d": None}})
    text = capsys.readouterr().out
    assert json.loads(text) == {"b": None, "a": [1.5, None, [2]], "c": {"d": None}}
    assert text.index('"b"') < text.index('"a"')


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1:00"), (60.0, "1:00"), (3599.6, "1:00:00"), (86399.0, "23:59:59")],
)
def test_duration(seconds: float, text: str) -> None:
    """Times are told in the units people use."""
    assert duration(seconds) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 gaps"), (1, "1 gap"), (1234, "1,234 gaps")])
def test_counted(number: int, text: str) -> None:
    """One is one, the rest are many."""
    assert counted(number, "gap") == text


class Screen(io.StringIO):
    """A stderr that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_a_bar_only_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done at once shows no bar."""
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    times = iter([0.0, 1.0, 1.9, 2.5])
    with Bar("day.csv", lambda: next(times)) as bar:
        bar(0.1)
        bar(0.2)
        assert screen.getvalue() == ""
        bar(0.3)
    assert "day.csv" in screen.getvalue()


def test_no_bar_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log file gets no bar."""
    screen = io.StringIO()
    monkeypatch.setattr(sys, "stderr", screen)
    times = iter([0.0, 100.0, 200.0])
    with Bar("day.csv", lambda: next(times)) as bar:
        bar(0.1)
    assert screen.getvalue() == ""
