"""A home, a clock that stands still, and recordings small enough to count by hand."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from analysis.events import Algorithm, Contraction, Findings, Gap, Kind, State, StateSpan
from tracker.home import Home
from tracker.store import Batch, Store

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ALGORITHM = Algorithm("heel", "1.0", "0" * 64)


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with an empty database, to be copied, never to be written."""
    home = Home(tmp_path_factory.mktemp("template") / "home")
    Store(home, clock=lambda: NOW).close()
    return home


@pytest.fixture
def home(empty_home: Home, tmp_path: Path) -> Home:
    """A home with an empty database."""
    shutil.copytree(empty_home.root, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    """The store of that home, at noon of 2026-05-01 UTC."""
    with Store(home, clock=lambda: NOW) as opened:
        yield opened


@pytest.fixture
def batch() -> Callable[..., Batch]:
    """Findings of a whole recording: peaks (s), length (s), not-worn stretches and gaps ((s, s), ...)."""
    return make_batch


def make_batch(
    peaks: tuple[float, ...] = (),
    length_s: float = 600.0,
    *,
    kind: Kind = Kind.STEP,
    off: tuple[tuple[float, float], ...] = (),
    gaps: tuple[tuple[float, float], ...] = (),
    half_s: float = 0.5,
    bounce_s: float = 0.0,
    version: str = "1.0",
) -> Batch:
    """Seated and worn but for `off`; each contraction lasts `half_s` before and after its peak."""
    edges = [0.0, *(edge for stretch in off for edge in stretch), length_s]
    spans = tuple(
        StateSpan(State.NOT_WORN if number % 2 else State.SEATED, start, end)
        for number, (start, end) in enumerate(pairwise(edges))
        if start < end
    )
    contractions = tuple(Contraction(kind, peak - half_s, peak, peak + half_s, 0.9, "rise") for peak in peaks)
    findings = Findings(contractions, spans, (), tuple(Gap(*gap) for gap in gaps), bounce_s)
    return Batch(findings, 0.0, length_s, Algorithm(ALGORITHM.name, version, ALGORITHM.params_sha256))
