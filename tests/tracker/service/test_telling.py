"""What the reminders decide is carried out in order; what a channel cannot do is kept for `soleus status`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from tracker.channels.message import Answered, Delivery, Message
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
from tracker.service.telling import REMINDER, TITLES, Telling

SHOW = Show(7, Rung.GENTLE, "Still for 30 minutes", "Twenty push-ups.", ((Button.DONE, "Done"),), sound=True)
LOW = Notice("battery_low:calf", NoticeKind.BATTERY_LOW, "calf has 12 % left.", "Charge it.")


class Spoken:
    """A channel that keeps what it was asked; it works or it does not."""

    name = "spoken"

    def __init__(self) -> None:
        self.asked: list[Message | str] = []
        self.why = ""
        self.answered: Answered | None = None

    async def tell(self, message: Message, answered: Answered) -> Delivery:
        self.asked.append(message)
        self.answered = answered
        return Delivery(self.name, not self.why, self.why)

    async def withdraw(self, slot: str) -> None:
        self.asked.append(slot)


@asynccontextmanager
async def telling(
    channel: Spoken, answering: Callable[[Answer], Iterable[Decision]] = lambda _answer: ()
) -> AsyncIterator[Telling]:
    """At work."""
    made = Telling(lambda: [channel], answering, logging.getLogger("test"))
    work = asyncio.create_task(made.run())
    yield made
    await made.done()
    work.cancel()


async def test_a_reminder_and_its_end() -> None:
    """Shown with title, text, buttons and sound; withdrawn when its own id is, not when another's is."""
    channel = Spoken()
    async with telling(channel) as teller:
        teller.carry_out([SHOW, Withdraw(6), Withdraw(7)])
    shown, withdrawn = channel.asked
    assert shown == Message(
        SHOW.title, SHOW.text, (("done", "Done"),), quiet=False, sound=True, expires_s=None, slot=REMINDER
    )
    assert withdrawn == REMINDER


async def test_a_pre_notice_is_quiet() -> None:
    """The silent word before is seen only, and goes by itself."""
    channel = Spoken()
    async with telling(channel) as teller:
        teller.carry_out([Show(1, Rung.SOON, "Soon", "In five minutes.", expires_s=60.0)])
    (message,) = channel.asked
    assert isinstance(message, Message)
    assert (message.quiet, message.sound, message.buttons, message.expires_s) == (True, False, (), 60.0)


async def test_an_answer_goes_to_the_reminders() -> None:
    """The button and the reminder it belongs to; what follows from it is carried out."""
    answers: list[Answer] = []

    def answering(answer: Answer) -> list[Decision]:
        answers.append(answer)
        return [Withdraw(7)]

    channel = Spoken()
    async with telling(channel, answering) as teller:
        teller.carry_out([SHOW])
        await teller.done()
        assert channel.answered is not None
        channel.answered("done")
    assert answers == [Answer(Button.DONE, 7)]
    assert channel.asked[1:] == [REMINDER]


async def test_badge_and_notices_are_in_the_state() -> None:
    """The silent mark is no message; a notice is one, with its fix, in a slot of its own; both end."""
    channel = Spoken()
    async with telling(channel) as teller:
        teller.carry_out([Badge(7, on=True, text="Still since 12:00."), LOW])
        assert (teller.badge, teller.notices) == ("Still since 12:00.", {LOW.id: "calf has 12 % left. Charge it."})
        teller.carry_out([Badge(7, on=False), WithdrawNotice(LOW.id)])
        assert (teller.badge, teller.notices) == ("", {})
    message, withdrawn = channel.asked
    assert message == Message("Battery low", "calf has 12 % left. Charge it.", sound=False, slot=LOW.id)
    assert withdrawn == LOW.id


async def test_trouble_of_a_channel() -> None:
    """What is in a channel's way is kept until it works again."""
    channel = Spoken()
    channel.why = "there is no desktop."
    async with telling(channel) as teller:
        teller.carry_out([SHOW])
        await teller.done()
        assert teller.troubles == {"spoken": "there is no desktop."}
        channel.why = ""
        teller.carry_out([SHOW])
        await teller.done()
        assert teller.troubles == {}


def test_every_notice_has_a_title() -> None:
    """A kind that is added needs one."""
    assert set(TITLES) == set(NoticeKind)
