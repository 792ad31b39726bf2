"""Carries out what the reminders decide: messages and notices to the channels, answers back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from logging import Logger

from tracker.channels.message import Channel, Delivery, Message, tell_all, withdraw_all
from tracker.remind.decisions import (
    Answer,
    Badge,
    Button,
    Decision,
    Notice,
    NoticeKind,
    Rung,
    Show,
    Withdraw,
    WithdrawNotice,
)

REMINDER = "reminder"
"""The slot of reminders; each notice has one of its own."""

TITLES = {
    NoticeKind.SENSOR_SILENT: "Sensor silent",
    NoticeKind.BATTERY_LOW: "Battery low",
    NoticeKind.DISK_FILLING: "Disk filling",
    NoticeKind.RECORDER_STOPPED: "Recording stopped",
    NoticeKind.CALENDAR_UNREADABLE: "Calendar unreadable",
    NoticeKind.SETTINGS_UNUSABLE: "Settings unusable",
}

Answering = Callable[[Answer], Iterable[Decision]]


class Telling:
    """One message after the other, beside the recording: a channel that hangs holds nothing up but the next message."""

    def __init__(self, channels: Callable[[], Sequence[Channel]], answering: Answering, log: Logger) -> None:
        """A teller that has not begun; `run` does the work.

        Args:
            channels: those that are set just now.
            answering: takes the wearer's answer; what is to be done then.
            log: of the service.
        """
        self.badge = ""
        self.notices: dict[str, str] = {}
        self.troubles: dict[str, str] = {}
        self._channels, self._answering, self._log = channels, answering, log
        self._todo: asyncio.Queue[Decision] = asyncio.Queue()
        self._shown: int | None = None

    def carry_out(self, decisions: Iterable[Decision]) -> None:
        """What was decided, in order; returns at once."""
        for decision in decisions:
            self._note(decision)
            self._todo.put_nowait(decision)

    async def run(self) -> None:
        """Tell what there is to tell, until cancelled."""
        while True:
            decision = await self._todo.get()
            try:
                await self._tell(decision)
            finally:
                self._todo.task_done()

    async def done(self) -> None:
        """Wait until everything has been told."""
        await self._todo.join()

    def _note(self, decision: Decision) -> None:
        """What the state file shows, whether or not a channel can tell it."""
        match decision:
            case Badge(_, on, text):
                self.badge = (text or "The calf has not moved since the last message.") if on else ""
            case Notice(name, _, text, fix):
                self.notices[name] = f"{text} {fix}"
                self._log.warning("%s %s", text, fix)
            case WithdrawNotice(name):
                self.notices.pop(name, None)

    async def _tell(self, decision: Decision) -> None:
        match decision:
            case Show():
                self._shown = decision.id
                await self._send(_reminder(decision), lambda key: self._answer(decision.id, key))
            case Withdraw(number) if number == self._shown:
                self._shown = None
                await withdraw_all(self._channels(), REMINDER)
            case Notice(name, kind, text, fix):
                message = Message(TITLES[kind], f"{text} {fix}", sound=False, slot=name)
                await self._send(message, lambda _key: None)
            case WithdrawNotice(name):
                await withdraw_all(self._channels(), name)

    def _answer(self, number: int, key: str) -> None:
        self._log.info("reminder %d: answered with %s", number, key)
        self.carry_out(self._answering(Answer(Button(key), number)))

    async def _send(self, message: Message, answered: Callable[[str], None]) -> None:
        for delivery in await tell_all(self._channels(), message, answered):
            self._judge(delivery)

    def _judge(self, delivery: Delivery) -> None:
        if delivery.done:
            self.troubles.pop(delivery.channel, None)
        elif self.troubles.get(delivery.channel) != delivery.why:
            self._log.warning("%s: %s", delivery.channel, delivery.why)
            self.troubles[delivery.channel] = delivery.why


def _reminder(show: Show) -> Message:
    return Message(
        show.title,
        show.text,
        tuple((str(button), label) for button, label in show.buttons),
        quiet=show.rung is Rung.SOON,
        sound=show.sound,
        expires_s=show.expires_s,
        slot=REMINDER,
    )
