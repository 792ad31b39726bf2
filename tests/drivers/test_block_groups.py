"""Blocks handed over together end at the same instant, and nothing is lost on the way."""

from __future__ import annotations

import numpy as np

from analysis.samples import Modality, SampleBlock
from drivers.recording.block_groups import BlockGroups


def block(modality: Modality, first_s: int, last_s: int) -> SampleBlock:
    """One sample a second."""
    t_s = np.arange(first_s, last_s, dtype=np.float64)
    channels = ("x", "y", "z") if modality is not Modality.BATTERY else ("battery",)
    return SampleBlock(modality, t_s, np.repeat(t_s[:, None], len(channels), axis=1), channels)


def ends(group: tuple[SampleBlock, ...]) -> dict[str, tuple[float, float]]:
    return {str(b.modality): (float(b.t_s[0]), float(b.t_s[-1])) for b in group}


def test_the_faster_stream_waits_for_the_slower() -> None:
    groups = BlockGroups()
    first = groups.add([block(Modality.ACC, 0, 100), block(Modality.GYR, 0, 95)])
    assert ends(first) == {"acc": (0, 94), "gyr": (0, 94)}
    second = groups.add([block(Modality.ACC, 100, 200), block(Modality.GYR, 95, 205)])
    assert ends(second) == {"acc": (95, 199), "gyr": (95, 199)}
    assert ends(groups.rest()) == {"gyr": (200, 204)}
    assert groups.rest() == ()


def test_nobody_waits_for_a_stream_that_has_stopped() -> None:
    groups = BlockGroups()
    found = groups.add([block(Modality.ACC, 0, 600), block(Modality.GYR, 0, 100)])
    assert ends(found) == {"acc": (0, 599), "gyr": (0, 99)}


def test_nobody_waits_for_the_battery() -> None:
    groups = BlockGroups()
    assert ends(groups.add([block(Modality.BATTERY, 3, 4)])) == {"battery": (3, 3)}
    found = groups.add([block(Modality.ACC, 0, 600), block(Modality.BATTERY, 590, 591)])
    assert ends(found) == {"acc": (0, 599), "battery": (590, 590)}


def test_nothing_gives_nothing() -> None:
    assert BlockGroups().add([]) == ()
