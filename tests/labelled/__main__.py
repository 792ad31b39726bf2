"""Write sets of labelled recordings for `soleus evaluate`.

    python -m tests.labelled DIR --seeds 30000..30019 --set pushups-usual --set walking
    python -m tests.labelled DIR --set real

Tuning uses seeds below 10 000; judge on seeds from 30 000. The set `real` writes truth files alone, which point to
the recordings below SOLEUS_TEST_DATA. `all` is every set of the simulated leg.
"""

from __future__ import annotations

import argparse
import os
import sys
from itertools import product
from pathlib import Path

from tests.labelled import emg_sets, sets
from tests.labelled.writing import write_real, written

SETS = [*sets.SETS, *emg_sets.SETS]


def seeds(text: str) -> range:
    """`30000..30019`, both included, or one seed."""
    first, _, last = text.partition("..")
    return range(int(first), int(last or first) + 1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.labelled", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=seeds, default=range(30_000, 30_020), metavar="A..B")
    parser.add_argument("--set", action="append", choices=["all", "real", *SETS], required=True, dest="sets")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    names = dict.fromkeys(name for one in asked.sets for name in (SETS if one == "all" else [one]))
    if "real" in names and not write_real(asked.folder, os.environ.get("SOLEUS_TEST_DATA", "")):
        sys.exit("SOLEUS_TEST_DATA names no folder with recordings: set it, or leave out --set real")
    written(asked.folder, product([name for name in names if name in SETS], asked.seeds), asked.jobs)
    return 0


if __name__ == "__main__":
    sys.exit(main())
