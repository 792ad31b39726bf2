"""A home of the test's own, and virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from drivers.virtual.clock import VirtualTimeLoop
from tracker.home import Home


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test of this folder lives in virtual time."""
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Made, and empty."""
    return Home(tmp_path / "home").create()
