"""Exchanging the contents of the data folder in steps that can be cut off anywhere and gone on with.

What is there moves into a folder that is kept, what comes moves in. A marker written first says what moves where; the
next process that opens the store finishes the exchange.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracker.home import Home, private_file

MARKER = "restore.json"


def begin_exchange(home: Home, incoming: Path, aside: Path, old: Sequence[str]) -> None:
    """Write the marker: from here on the exchange will be finished, by this process or another.

    Args:
        home: the data folder, its lock held for this process only.
        incoming: folder inside it with what is to come.
        aside: empty folder inside it for what was there.
        old: names of what is there and moves aside.
    """
    plan = {
        "incoming": incoming.name,
        "aside": aside.name,
        "old": list(old),
        "new": [top.name for top in incoming.iterdir()],
    }
    part = private_file(home.root / f"{MARKER}.part")
    with part.open("w", encoding="utf-8") as opened:
        opened.write(json.dumps(plan))
        opened.flush()
        os.fsync(opened.fileno())
    part.replace(home.root / MARKER)


def unfinished(home: Home) -> bool:
    """Whether an exchange was cut off between its marker and its end."""
    return (home.root / MARKER).exists()


def finish_exchange(home: Home) -> None:
    """Move what the marker says and is not moved yet. Call with the home's lock held for this process only."""
    if not unfinished(home):
        return
    plan: dict[str, Any] = json.loads((home.root / MARKER).read_text(encoding="utf-8"))
    incoming, aside = home.root / plan["incoming"], home.root / plan["aside"]
    for name in plan["old"]:
        if (home.root / name).exists() and not (aside / name).exists():
            (home.root / name).replace(aside / name)
    for name in plan["new"]:
        if (incoming / name).exists():
            (incoming / name).replace(home.root / name)
    if incoming.exists():
        incoming.rmdir()
    (home.root / MARKER).unlink()
