"""Which commands there are: name, the module that is imported when one is used, and its line in the help."""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """A command's place: its module has it under the name `command`."""

    module: str
    summary: str


COMMANDS: dict[str, Entry] = {
    "demo": Entry("tracker.cli.demo", "Show everything, without a sensor, in half a minute."),
    "analyze": Entry("tracker.cli.analyze", "Count what one file holds, and store nothing."),
    "import": Entry("tracker.cli.import_files", "Bring sample files and recordings into the store."),
    "replay": Entry("tracker.cli.replay", "Play a file through the live path."),
    "export": Entry("tracker.cli.export", "Write samples, events or days to a file."),
    "recount": Entry("tracker.cli.recount", "Count kept recordings again and show what differs."),
    "day": Entry("tracker.cli.day", "Show a day: counts, hours, and how much was seen."),
    "week": Entry("tracker.cli.week", "Show a week, beside the week before."),
    "month": Entry("tracker.cli.month", "Show a month, beside the month before."),
    "sessions": Entry("tracker.cli.sessions", "List the recordings that are stored."),
    "events": Entry("tracker.cli.events", "List the contractions of a day, or what was refused."),
    "forget": Entry("tracker.cli.forget", "Delete sessions or a stretch of time."),
    "correct": Entry("tracker.cli.correct", "Give a session its right leg or start."),
    "undo": Entry("tracker.cli.undo", "Take back the last import, correction or deletion."),
    "backup": Entry("tracker.cli.backup", "Write the whole data folder into one file."),
    "restore": Entry("tracker.cli.restore", "Bring a backup back."),
    "where": Entry("tracker.cli.where", "Show where everything is and how much room it takes."),
    "settings": Entry("tracker.cli.settings", "Show or change zone, start of the day, leg, keeping."),
    "doctor": Entry("tracker.cli.doctor", "Check database, disk, clock and radio, with the fix."),
    "drivers": Entry("tracker.cli.drivers", "List supported sensors, decode a capture, check a driver."),
    "scan": Entry("tracker.cli.scan", "Find sensors in range."),
    "pair": Entry("tracker.cli.pair", "Remember a sensor under a nickname, with its leg."),
    "sensors": Entry("tracker.cli.sensors", "List, rename, move or forget the remembered sensors."),
    "record": Entry("tracker.cli.record", "Record a sensor and count, until Ctrl-C."),
    "remind": Entry("tracker.cli.remind", "Reminders to move: status, why, snooze, settings, stats, test."),
    "service": Entry("tracker.cli.service", "Record and remind in the background, always."),
    "status": Entry("tracker.cli.status", "Show what the service is doing just now."),
    "calibrate": Entry("tracker.cli.calibrate", "Check in a minute that a sensor counts right on its leg."),
    "bench": Entry("tracker.cli.bench", "Measure the speed on this machine, as ratios."),
    "evaluate": Entry("tracker.cli.evaluate", "Score the pipeline against labelled recordings."),
    "completion": Entry("tracker.cli.completion", "Print the completion script of a shell."),
}
"""In the order of the help."""
