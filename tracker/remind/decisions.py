"""What the engine of reminders is told, what it decides, and what the wearer answers.

Everything here is frozen, made of plain values, and knows no clock, no desktop and no database. `None` in a field of
an `Observation` means that it cannot be known here: it forbids nothing, and `soleus remind why` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import NamedTuple

from analysis.events import Leg


class Doing(StrEnum):
    """What is known of a leg at this instant."""

    STILL = "still"  # worn, seen, labelled, not walking: the only one that builds debt
    WALKING = "walking"  # or running, or cycling
    NOT_WORN = "not_worn"
    GAP = "gap"  # no samples: sensor absent, silent, recorder stopped
    UNKNOWN = "unknown"  # samples, but no label


class LegSeen(NamedTuple):
    """One leg as the live session, or the store, has it.

    Attributes:
        leg: None where nobody said which.
        doing: its state now.
        contractions: peaks of the final push-ups, raises, ankle pumps and pedal strokes of the last ten minutes,
            seconds of UTC since 1970, ascending; the same peak in several observations is counted once.
        walking_s: seconds of walking, running or cycling within the last five minutes.
        active: a contraction or step is over but not final yet; None where only final ones are seen.
        last_contraction_s: peak of the last one of any kind, however long ago; None where none is known.
    """

    leg: Leg | None
    doing: Doing
    contractions: tuple[float, ...] = ()
    walking_s: float = 0.0
    active: bool | None = None
    last_contraction_s: float | None = None


@dataclass(frozen=True, slots=True)
class SensorSeen:
    """One sensor as the recorder has it.

    Attributes:
        nick: its nickname.
        leg: that it is on.
        silent_s: seconds since its last sample while it is to be recorded; None where nothing is expected of it.
        battery_percent: last level heard.
        battery_hours_left: until it is empty as it has fallen so far; None while that cannot be told.
    """

    nick: str
    leg: Leg | None
    silent_s: float | None = None
    battery_percent: float | None = None
    battery_hours_left: float | None = None


@dataclass(frozen=True, slots=True)
class RecorderSeen:
    """The recorder and the disk.

    Attributes:
        running: whether somebody records, or tries to; None where it cannot be known.
        why: why it does not, as a sentence; empty where all is well.
        disk_trouble: why the disk or the database refuses just now, as a sentence; empty where all is well.
        disk_free_bytes: free where the data is.
        disk_bytes_per_day: what a day of recording takes; None before the first.
    """

    running: bool | None = None
    why: str = ""
    disk_trouble: str = ""
    disk_free_bytes: int | None = None
    disk_bytes_per_day: float | None = None


NOTHING_KNOWN = RecorderSeen()
"""Where nobody looked."""


class Observation(NamedTuple):
    """What is known at one instant; the service makes one every few seconds, at least every minute.

    Attributes:
        now: aware.
        zone: whose clock the schedule is read on.
        legs: those with a sensor; a leg that is missing is in a gap.
        locked: the screen is locked: nobody would see a message.
        do_not_disturb: the desktop is asked to keep quiet.
        microphone: some program listens.
        camera: some program looks.
        busy: a busy time of the wearer's calendar runs; `Reminders` fills it in.
        sensors: for notices about missing data.
        recorder: likewise.
    """

    now: datetime
    zone: tzinfo
    legs: tuple[LegSeen, ...] = ()
    locked: bool | None = None
    do_not_disturb: bool | None = None
    microphone: bool | None = None
    camera: bool | None = None
    busy: bool | None = None
    sensors: tuple[SensorSeen, ...] = ()
    recorder: RecorderSeen = NOTHING_KNOWN


class Rung(StrEnum):
    """How insistent a message is."""

    SOON = "soon"  # the pre-notice: silent, gone by itself, no buttons
    GENTLE = "gentle"
    AGAIN = "again"
    BADGE = "badge"  # a mark at the icon, nothing that pops up


class Button(StrEnum):
    """What the wearer can answer."""

    DONE = "done"
    SNOOZE = "snooze"
    NOT_TODAY = "not_today"


@dataclass(frozen=True, slots=True)
class Show:
    """Put a message before the wearer; one that is shown under an older id is replaced.

    Attributes:
        id: of the reminder, the key of its row in the store; answers name it.
        rung: soon, gentle or again.
        title: a few words.
        text: one sentence.
        buttons: with their labels, in order.
        sound: whether it may be heard.
        expires_s: seconds after which it goes by itself; None: it stays until withdrawn or answered.
    """

    id: int
    rung: Rung
    title: str
    text: str
    buttons: tuple[tuple[Button, str], ...] = ()
    sound: bool = False
    expires_s: float | None = None


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Take the message of this id back: the leg has moved, or it was answered elsewhere."""

    id: int


@dataclass(frozen=True, slots=True)
class Badge:
    """Set or clear the silent mark.

    Attributes:
        id: of the reminder.
        on: whether it is to be seen.
        text: one sentence, for a tooltip.
    """

    id: int
    on: bool
    text: str = ""


class NoticeKind(StrEnum):
    """What is wrong with the data."""

    SENSOR_SILENT = "sensor_silent"
    BATTERY_LOW = "battery_low"
    DISK_FILLING = "disk_filling"
    RECORDER_STOPPED = "recorder_stopped"
    CALENDAR_UNREADABLE = "calendar_unreadable"
    SETTINGS_UNUSABLE = "settings_unusable"


@dataclass(frozen=True, slots=True)
class Notice:
    """No data is news: told once for each time it happens.

    Attributes:
        id: the same for one condition, such as `sensor_silent:calf`.
        kind: what is wrong.
        text: one sentence.
        fix: what to do, one sentence.
    """

    id: str
    kind: NoticeKind
    text: str
    fix: str


@dataclass(frozen=True, slots=True)
class WithdrawNotice:
    """Take the notice of this id back: what it was about has ended."""

    id: str


Decision = Show | Withdraw | Badge | Notice | WithdrawNotice


@dataclass(frozen=True, slots=True)
class Answer:
    """What the wearer answered, by a button or a command.

    Attributes:
        button: done, snooze or not today.
        reminder_id: which message; None for a command that answers none in particular.
        minutes: how long to snooze; None for what the settings say.
    """

    button: Button
    reminder_id: int | None = None
    minutes: float | None = None
