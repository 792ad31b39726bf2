"""A home of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Made, and empty."""
    return Home(tmp_path / "home").create()
