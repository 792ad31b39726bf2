"""Full scales that a start request names, held against those a device has."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite


def nearest(offered: Sequence[float], asked: object, usual: float) -> float:
    """The offered value nearest to what was asked for.

    Args:
        offered: what the device can be set to.
        asked: out of settings, perhaps no number at all.
        usual: where it is none.
    """
    if isinstance(asked, bool) or not isinstance(asked, int | float) or not isfinite(asked):
        return usual
    return min(offered, key=lambda value: abs(value - asked))
