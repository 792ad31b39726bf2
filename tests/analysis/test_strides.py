"""What a stride climbs and how far it goes, against the way of the simulated ankle."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.features import traces
from analysis.frames import Framer
from analysis.grid import Grid
from analysis.leg.gait import Gait
from analysis.leg.other_gaits import Stairs
from analysis.leg.story import Teller, Wearer
from analysis.swings import SwingCandidates, swing_candidates


def measured(teller: Teller, *, gyroscope: bool = True) -> SwingCandidates:
    """Swings of at least 1 rad/s of the whole story."""
    pieces, _ = (grid := Grid()).feed(teller.record(gyroscope=gyroscope).blocks)
    framer = Framer()
    frames = [f for piece in [*pieces, *grid.finish()] if (f := framer.feed(piece)) is not None]
    found = [
        swing_candidates(traces(np.ascontiguousarray(f.acc_mps2), np.ascontiguousarray(f.gyr_rad_s), f.has_gyr))
        for f in frames
    ]
    names = SwingCandidates.__dataclass_fields__
    fast = [c.rate_rad_s > 1.0 for c in found]
    picked = {name: [getattr(c, name)[at] for c, at in zip(found, fast, strict=True)] for name in names}
    return SwingCandidates(**{name: np.concatenate(values) for name, values in picked.items()})


def somebody(seed: int) -> Teller:
    rng = np.random.default_rng(seed)
    return Teller(Wearer.anybody(rng, mirrored=seed % 2 == 1), 52.0, rng).stand(8.0)


@pytest.mark.parametrize("seed", range(42_000, 42_006))
@pytest.mark.parametrize("up", [True, False])
def test_stairs_climb_two_risers_a_stride(seed: int, *, up: bool) -> None:
    """Risers of 17 cm gain or lose 34 cm a stride; in the middle at least 20 cm of them are seen, in any axes."""
    found = measured(somebody(seed).stairs(Stairs(0.17, 0.28, 1.3), 12, up=up).stand(8.0))
    assert 0.2 < np.median(found.climb_m) * (1.0 if up else -1.0) < 0.4


@pytest.mark.parametrize("seed", range(42_010, 42_016))
def test_level_walking_climbs_nothing_and_goes_its_way(seed: int) -> None:
    """1.2 m/s for 1.1 s: within 7 cm of level, and 1.32 m within a fifth; the ankle rises by less than 20 cm."""
    found = measured(somebody(seed).walk(Gait(1.2, 1.1), 14).stand(8.0))
    assert np.nanmax(np.abs(found.climb_m)) < 0.07
    assert np.median(found.way_m) == pytest.approx(1.32, rel=0.2)
    assert 0.0 < np.median(found.clearance_m) < 0.2


def test_what_was_not_turned_is_not_measured() -> None:
    """Without a gyroscope climb, way and clearance are not known; the roughness is."""
    found = measured(somebody(42_020).walk(Gait(1.2, 1.1), 14).stand(8.0), gyroscope=False)
    assert np.isnan(found.climb_m).all()
    assert np.isnan(found.way_m).all()
    assert (found.rough_mps2 > 0.0).all()
