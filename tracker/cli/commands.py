"""Which commands there are: name, the module that is imported when one is used, and its line in the help."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A command's place: its module has it under the name `command`."""

    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "analyze": Entry("tracker.cli.analyze", "Count what one file holds, and store nothing."),
    "import": Entry("tracker.cli.import_files", "Bring sample files and recordings into the store."),
    "replay": Entry("tracker.cli.replay", "Play a file through the live path."),
    "export": Entry("tracker.cli.export", "Write samples, events or days to a file."),
    "recount": Entry("tracker.cli.recount", "Count kept recordings again and show what differs."),
    "drivers": Entry("tracker.cli.drivers", "List the supported sensors; decode a packet capture."),
    "bench": Entry("tracker.cli.bench", "Measure the speed on this machine, as ratios."),
    "completion": Entry("tracker.cli.completion", "Print the completion script of a shell."),
}
"""In the order of the help."""
