"""How figures are written for people: a dash for what is not known, units beside numbers, bars of blocks."""

from __future__ import annotations

import sys

UNKNOWN = "—"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_PREFIXES = ("bytes", "kB", "MB", "GB", "TB")


def number(value: int | None) -> str:
    """`1,234`, or a dash."""
    return UNKNOWN if value is None else f"{value:,}"


def clock_time(seconds: float | None) -> str:
    """Hours and minutes, `13:05`; rounded to the minute, or a dash."""
    if seconds is None:
        return UNKNOWN
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,}:{minutes:02}"


def span(seconds: float | None) -> str:
    """A length of time with its unit: `13:05 h`, `12 min`, `9 s`, or a dash."""
    if seconds is None:
        return UNKNOWN
    if seconds >= 3599.5:
        return f"{clock_time(seconds)} h"
    if seconds >= 59.5:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds)} s"


def share(part: float, whole: float) -> str:
    """`58 %`, or a dash where there is no whole; a part that is not all is never written as 100 %."""
    if whole <= 0:
        return UNKNOWN
    percent = round(100 * part / whole)
    if percent == 100 and part < whole * 0.9999:
        return "99 %"
    if percent == 0 and part > 0:
        return "<1 %"
    return f"{percent} %"


def change(now: float | None, before: float | None) -> str:
    """`+8 %` or `-15 %` against before; a dash where either is not known or before was nothing."""
    if now is None or not before:
        return UNKNOWN
    percent = round(100 * (now - before) / before)
    return f"{'+' if percent > 0 else '-' if percent < 0 else '±'}{abs(percent):,} %"


def size(amount: float | None) -> str:
    """Bytes in decimal units: `106 MB`, `1.5 GB`, `300 bytes`, or a dash."""
    if amount is None:
        return UNKNOWN
    step = 0
    while amount >= 999.5 and step < len(_PREFIXES) - 1:
        amount /= 1000
        step += 1
    digits = 1 if step and amount < 9.95 else 0
    return f"{amount:.{digits}f} {_PREFIXES[step]}"


def _blocks_print() -> bool:
    """Whether stdout takes blocks; a Windows pipe or an ASCII terminal does not."""
    try:
        "█▏".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def bar(value: float, top: float, width: int) -> str:
    """A bar to an eighth of a character (# where there are no blocks); something is never drawn as nothing.

    Args:
        value: 0..top.
        top: value of a full bar.
        width: characters of a full bar.
    """
    if value <= 0 or top <= 0 or width <= 0:
        return ""
    filled = width * min(value / top, 1.0)
    if not _blocks_print():
        return "#" * max(1, round(filled))
    eighths = max(1, round(8 * filled))
    whole, rest = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")
