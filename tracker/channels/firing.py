"""The channels of a home, made and tried."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tracker.channels.desktop import DesktopChannel
from tracker.channels.message import Channel, Delivery, Message, tell_all
from tracker.channels.push import PushChannel
from tracker.channels.settings import NAMES, ChannelSettings, read_channel_settings
from tracker.channels.sound import SoundChannel
from tracker.channels.terminal import TerminalChannel
from tracker.channels.vibration import Buzz, VibrationChannel
from tracker.home import Home

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


def fire(home: Home, message: Message, buzzes: Buzzes = tuple) -> list[Delivery]:
    """Tell a message in every channel there is; those that are not set are named, and not used.

    Raises:
        ConfigError: the settings cannot be read.
    """
    settings = read_channel_settings(home)
    home.create()
    done = asyncio.run(tell_all(channels_of(home, settings, buzzes), message, lambda _key: None))
    off = [Delivery(name, False, "it is not set in `channels.on`.") for name in NAMES if name not in settings.on]
    return [*done, *off]
