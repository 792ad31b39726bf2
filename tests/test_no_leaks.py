"""What is committed tells nothing of the machine it was written on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

LEAKS = {
    "a home folder": re.compile(r"/(?:home|Users)/[a-z][\w.-]*/|/root/|C:\\\\Users\\\\"),
    "a working folder": re.compile(r"(?<![\w.])/(?:work|workspace|workdir|mnt|srv)/[\w.]"),
    "a temporary folder": re.compile(r"/tmp/(?:tmp|pytest|pip|bash|build|venv)[\w.-]|/var/folders/\w"),
    "a package index": re.compile(r"(?:--index-url|--extra-index-url|PIP_INDEX_URL|index-url\s*=)|https?://[\w.:-]+/simple\b"),
    "a machine on a private network": re.compile(
        r"https?://(?:localhost|127\.|10\.\d|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|[\w-]+\.(?:internal|local|lan)\b)"
    ),
    "a secret": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bgh[pousr]_\w{30,}|\bAKIA[0-9A-Z]{16}\b"),
}  # fmt: skip

MAY = {what: {"tests/test_no_leaks.py"} for what in LEAKS}
"""This file names what it looks for."""


def committed() -> list[Path]:
    try:
        done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("what", LEAKS)
def test_nothing_committed_names_the_machine(what: str) -> None:
    """No committed text holds a path, host or secret of somebody's machine."""
    found = []
    for path in committed():
        name = path.relative_to(ROOT).as_posix()
        if name in MAY.get(what, set()):
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{name}: {match.group()}" for match in LEAKS[what].finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a home folder", "see /home/ann/notes"),
        ("a working folder", "cd /work/x"),
        ("a temporary folder", "'/tmp/tmpk3x9_a/out.csv'"),
        ("a package index", "https://mirror.example/simple"),
        ("a machine on a private network", "http://10.0.0.5:8080"),
    ],
)
def test_leaks_are_recognised(what: str, text: str) -> None:
    """What is looked for is found."""
    assert LEAKS[what].search(text)
