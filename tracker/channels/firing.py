"""The channels of a home, made and tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from drivers.errors import LinkError
from tracker.channels.desktop import DesktopChannel
from tracker.channels.message import Channel, Delivery, Message, tell_all
from tracker.channels.push import PushChannel
from tracker.channels.settings import NAMES, ChannelSettings, read_channel_settings
from tracker.channels.sound import SoundChannel
from tracker.channels.terminal import TerminalChannel
from tracker.channels.vibration import Buzz, VibrationChannel
from tracker.home import Home
from tracker.service.instance import is_running
from tracker.service.wish import Wish, leave_wish

Buzzes = Callable[[], Sequence[tuple[str, Buzz]]]


def channels_of(home: Home, settings: ChannelSettings, buzzes: Buzzes = tuple) -> list[Channel]:
    """The channels that the settings name.

    Args:
        home: the data folder; its files are read and written by some channels.
        settings: which.
        buzzes: how the sensors that are recorded just now are made to vibrate.
    """
    makers: dict[str, Callable[[], Channel]] = {
        "desktop": DesktopChannel,
        "sound": lambda: SoundChannel(home),
        "terminal": TerminalChannel,
        "vibration": lambda: VibrationChannel(buzzes),
        "push": lambda: PushChannel(settings.push),
    }
    return [makers[name]() for name in settings.on]


def fire(home: Home, message: Message) -> list[Delivery]:
    """Tell a message in every channel there is; those that are not set are named, and not used.

    The sensors' links are the service's: it is asked to make them vibrate.

    Raises:
        ConfigError: the settings cannot be read.
    """
    settings = read_channel_settings(home)
    home.create()
    channels = channels_of(home, settings, lambda: [("the sensors", lambda: _through_service(home))])
    done = asyncio.run(tell_all(channels, message, lambda _key: None))
    off = [Delivery(name, False, "it is not set in `channels.on`.") for name in NAMES if name not in settings.on]
    return [*done, *off]


async def _through_service(home: Home) -> bool:
    """Ask the service to make its sensors vibrate; what became of that stands in its log.

    Raises:
        LinkError: no service runs.
    """
    if not is_running(home):
        raise LinkError("the service does not run, so no sensor is linked: `soleus service start`")
    leave_wish(home, Wish.BUZZ)
    return True
