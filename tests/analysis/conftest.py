"""Runs of the pipeline and simulated stories that several rooms of the science are tested with."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analysis.events import Findings
from analysis.leg.movements import Raises
from analysis.leg.story import Recorded, Teller, Wearer
from analysis.pipeline import Pipeline
from analysis.samples import SampleBlock

Counting = Callable[..., Findings]


@pytest.fixture(scope="session")
def count() -> Counting:
    """The whole pipeline over blocks that belong together."""

    def counted(*blocks: SampleBlock) -> Findings:
        pipeline = Pipeline()
        return pipeline.feed(*blocks) + pipeline.finish()

    return counted


@pytest.fixture(scope="session")
def teller() -> Callable[..., Teller]:
    """A story of somebody, from a seed that was never used for tuning (10,000 and above)."""

    def told(seed: int, rate_hz: float = 50.0, *, mirrored: bool = False) -> Teller:
        assert seed >= 10_000, "seeds below belong to tuning"
        rng = np.random.default_rng(seed)
        return Teller(Wearer.anybody(rng, mirrored=mirrored), rate_hz, rng)

    return told


@pytest.fixture(scope="session")
def outing(teller: Callable[..., Teller]) -> Recorded:
    """Push-ups seated, standing raises: three minutes with pauses, at 50 Hz."""
    story = teller(10_400).sit(20.0).pushups(Raises(8, 40.0, np.radians(30.0))).sit(12.0)
    return story.stand_up().stand(8.0).raises(Raises(6, 30.0, np.radians(35.0))).stand(15.0).record()
