"""What every test may ask for: the recordings of others, where this machine has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

RecordingOf = Callable[[str], Path]


@pytest.fixture(scope="session")
def test_data() -> RecordingOf:
    """Path of a recording below SOLEUS_TEST_DATA; the test is skipped, by the recording's name, where it is missing."""
    root = os.environ.get("SOLEUS_TEST_DATA", "")

    def recording(name: str) -> Path:
        path = Path(root) / name
        if not root:
            pytest.skip(f"SOLEUS_TEST_DATA is not set: no {name}")
        if not path.exists():
            pytest.skip(f"SOLEUS_TEST_DATA has no {name}")
        return path

    return recording
