"""The floors and the one-room rules of the house, read from the imports and calls of every module.

    tracker/   may import drivers and analysis
    drivers/   may import analysis.samples only
    analysis/  imports neither

What is bound to one room stands in `ROOMS`, with the reason for each door.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("analysis", "drivers", "tracker")
LONGEST_LINES = 500

CLOCKS = frozenset({
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.process_time", "time.process_time_ns", "time.clock_gettime", "time.clock_gettime_ns", "time.localtime",
    "time.gmtime", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now",
    "datetime.date.today",
})  # fmt: skip
FILES = frozenset({
    "open", "io.open", "os.open", "gzip.open", ".open", ".read_text", ".read_bytes", ".write_text", ".write_bytes",
})  # fmt: skip


@dataclass(frozen=True)
class Use:
    """One import, call or reading in one module."""

    module: str  # path from the root, as tracker/store/schema.py
    line: int
    name: str
    lazy: bool = False  # inside a function, or for the type checker only

    def __str__(self) -> str:
        return f"{self.module}:{self.line} {self.name}"


@dataclass(frozen=True)
class Room:
    """What may be used in some modules only, and why there."""

    name: str
    used: Callable[[str], Iterator[Use]]
    doors: dict[str, str]


def sources() -> list[str]:
    return sorted(str(p.relative_to(ROOT).as_posix()) for package in PACKAGES for p in (ROOT / package).rglob("*.py"))


TREES = {module: ast.parse((ROOT / module).read_text(encoding="utf-8")) for module in sources()}


def is_type_checking(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def walk(node: ast.AST, *, lazy: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it runs later than the import of its module (or never)."""
    for child in ast.iter_child_nodes(node):
        later = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or is_type_checking(node)
        yield child, later
        yield from walk(child, lazy=later)


def imports(module: str) -> Iterator[Use]:
    """Everything imported, by full name: `from a import b` gives a.b where that is a module, else a."""
    for node, lazy in walk(TREES[module]):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Use(module, node.lineno, alias.name, lazy)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno} imports relatively; the import is the path"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield Use(module, node.lineno, full if file_of(full) else str(node.module), lazy)


def ties(module: str) -> Iterator[Use]:
    """Imports that run, sooner or later."""
    typing = [node for node, _ in walk(TREES[module]) if is_type_checking(node)]
    lines = {line for node in typing for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    return (use for use in imports(module) if use.line not in lines)


def imports_of(*libraries: str) -> Callable[[str], Iterator[Use]]:
    def used(module: str) -> Iterator[Use]:
        return (use for use in imports(module) if use.name.split(".")[0] in libraries)

    return used


def clock_readings(module: str) -> Iterator[Use]:
    for node, _ in walk(TREES[module]):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCKS:
            yield Use(module, node.lineno, ast.unparse(node))
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (Use(module, node.lineno, f"time.{a.name}") for a in node.names if f"time.{a.name}" in CLOCKS)


def file_openings(module: str) -> Iterator[Use]:
    for node, _ in walk(TREES[module]):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in FILES or (isinstance(node.func, ast.Attribute) and f".{node.func.attr}" in FILES):
                yield Use(module, node.lineno, name)


def prints(module: str) -> Iterator[Use]:
    for node, _ in walk(TREES[module]):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "sys.stdout.write", "sys.stderr.write"):
            yield Use(module, node.lineno, "print")


ROOMS = [
    Room("bleak", imports_of("bleak"), {
        "drivers/ble.py": "the radio",
        "drivers/virtual/*": "the virtual radio stands in its place",
    }),
    Room("bumble", imports_of("bumble"), {"drivers/virtual/*": "the virtual sensors' own radio"}),
    Room("sqlite", imports_of("sqlite3", "sqlite_utils"), {
        "tracker/store/*": "the store and its migrations",
        "drivers/recording/reader.py": "the recording file",
        "drivers/recording/writer.py": "the recording file",
        "tracker/bench.py": "measures the store against plain SQLite",
        "tracker/doctor.py": "says which SQLite this machine has",
    }),
    Room("pandas", imports_of("pandas"), {
        "tracker/samplefile/csv_numbers.py": "tables at the edge: numbers of a text file",
        "tracker/bench.py": "a peer that is measured",
    }),
    Room("pyarrow", imports_of("pyarrow"), {"tracker/samplefile/*": "Parquet, where it is installed"}),
    Room("scipy", imports_of("scipy"), {
        "analysis/leg/*": "splines of the simulated leg",
        "analysis/emg/*": "filters of muscle signals, hundreds of samples a second",
        "tracker/bench.py": "the unit R is a pass of scipy's filter",
    }),
    Room("desktop", imports_of("desktop_notifier", "apprise"), {"tracker/channels/*": "ways to the wearer"}),
    Room("D-Bus", imports_of("dbus_fast"), {"tracker/channels/session_bus.py": "the desktop's bus"}),
    Room("terminal", imports_of("click", "rich"), {"tracker/cli/*": "commands and tables"}),
    Room("clock", clock_readings, {
        "tracker/live/clock.py": "arrival stamp and session start",
        "tracker/cli/surroundings.py": "the day that a command is given on",
        "tracker/cli/progress.py": "how long something has taken",
        "tracker/cli/replay.py": "the pace of a replay",
        "tracker/bench.py": "measures",
    }),
    Room("files", file_openings, {
        "tracker/*": "the application",
        "drivers/recording*.py": "the recording file",
        "drivers/capture*.py": "packet captures",
    }),
    Room("print", prints, {}),  # commands speak through click and rich
    Room("logging", imports_of("logging"), {
        "drivers/ble.py": "keeps the library's warnings away from the wearer",
        "drivers/virtual/*": "likewise",
        "tracker/channels/*": "likewise; and what push services complain of holds addresses",
        "tracker/service/*": "nobody watches a service: it writes down what happened",
    }),
]  # fmt: skip

LAZY = ("pandas", "scipy", "pyarrow", "sqlite_utils", "bumble", "desktop_notifier", "apprise", "dbus_fast")
"""Slow to import (PERFORMANCE: scipy.signal 0.86 s, pandas 0.42 s): inside functions, or for the type checker only."""

LAZY_EXCEPT = {"drivers/virtual/*": "what a virtual radio is made of; nothing imports it at the door"}


def file_of(dotted: str) -> str | None:
    """The file of a module of ours, None where it is not one."""
    base = dotted.replace(".", "/")
    return next((name for name in (f"{base}.py", f"{base}/__init__.py") if name in TREES), None)


def allowed(module: str, doors: dict[str, str]) -> bool:
    return any(fnmatch(module, door) for door in doors)


def test_analysis_imports_neither_floor_above() -> None:
    """The science knows nothing of devices or of the application."""
    strays = [
        str(use) for module in TREES if module.startswith("analysis/")
        for use in imports(module) if use.name.split(".")[0] in ("drivers", "tracker")
    ]  # fmt: skip
    assert strays == []


def test_drivers_import_what_a_sample_is_and_no_more() -> None:
    """Of analysis a driver knows only `analysis.samples`, of the application nothing."""
    strays = [
        str(use) for module in TREES if module.startswith("drivers/") for use in imports(module)
        if use.name.split(".")[0] in ("analysis", "tracker") and use.name != "analysis.samples"
    ]  # fmt: skip
    assert strays == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_each_thing_keeps_to_its_room(room: Room) -> None:
    """A library, a clock or a file is used only where the table says so."""
    strays = [str(use) for module in TREES if not allowed(module, room.doors) for use in room.used(module)]
    assert strays == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_no_door_stands_open_for_nothing(room: Room) -> None:
    """Every line of the table is used by some module; a door that nobody needs is closed."""
    idle = [
        door for door in room.doors
        if not any(fnmatch(module, door) and any(True for _ in room.used(module)) for module in TREES)
    ]  # fmt: skip
    assert idle == []


def test_slow_libraries_are_imported_late() -> None:
    """`soleus --help` and `soleus day` never wait for pandas, scipy, pyarrow or sqlite_utils."""
    early = [
        str(use) for module in TREES if not allowed(module, LAZY_EXCEPT)
        for use in imports_of(*LAZY)(module) if not use.lazy
    ]  # fmt: skip
    assert early == []


def cycle(edges: dict[str, set[str]]) -> list[str]:
    """One cycle of a graph, or nothing."""
    done: set[str] = set()
    for start in edges:
        stack, path = [(start, iter(sorted(edges[start])))], [start]
        while stack:
            node, rest = stack[-1]
            for target in rest:
                if target in path:
                    return [*path[path.index(target) :], target]
                if target not in done:
                    stack.append((target, iter(sorted(edges.get(target, set())))))
                    path.append(target)
                    break
            else:
                done.add(node)
                stack.pop()
                path.pop()
    return []


def test_cycles_are_found() -> None:
    """A ring of three is a cycle, a diamond is none."""
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert cycle({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) == []


def test_no_module_imports_itself_in_a_ring() -> None:
    """No cycle, not even one that an import inside a function hides; names for the type checker alone do not tie."""
    edges = {
        module: {target for use in ties(module) if (target := file_of(use.name)) and target != module}
        for module in TREES
    }
    assert cycle(edges) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_typed(package: str) -> None:
    """Each of the three ships its types."""
    assert (ROOT / package / "py.typed").is_file()


def test_every_module_says_what_it_owns() -> None:
    """The docstring's first line is one whole sentence of at most 120 characters, then a blank line or the end."""
    silent = []
    for module, tree in TREES.items():
        lines = (ast.get_docstring(tree) or "").splitlines()
        if not lines or not 10 <= len(lines[0]) <= 120 or lines[1:2] not in ([], [""]):
            silent.append(module)
    assert silent == []


def test_no_file_is_too_long_to_say_what_it_owns() -> None:
    """Beyond 500 lines a file owns more than one thing, tests included."""
    everything = [ROOT / module for module in TREES] + sorted((ROOT / "tests").rglob("*.py"))
    lengths = {p.relative_to(ROOT).as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in everything}
    assert {name: n for name, n in lengths.items() if n > LONGEST_LINES} == {}
