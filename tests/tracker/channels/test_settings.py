"""The table `[channels]`: what is used by itself, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracker.channels.firing import channels_of, fire
from tracker.channels.message import Delivery, Message
from tracker.channels.settings import NAMES, USUAL, ChannelSettings, read_channel_settings
from tracker.errors import ConfigError
from tracker.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


def test_nothing_leaves_the_machine_by_itself(home: Home) -> None:
    """Without a file, and in a file that says nothing of channels, push is off and has no address."""
    assert read_channel_settings(home) == ChannelSettings(USUAL, ())
    home.settings.write_text('leg = "left"\n')
    assert read_channel_settings(home) == ChannelSettings()
    assert "push" not in USUAL


def test_what_is_set_is_used(home: Home) -> None:
    """Names in their order, each once; the channels are made in that order."""
    home.settings.write_text('[channels]\non = ["sound", "push", "sound"]\npush = ["ntfy://a"]\n')
    settings = read_channel_settings(home)
    assert settings == ChannelSettings(("sound", "push"), ("ntfy://a",))
    assert [channel.name for channel in channels_of(home, settings)] == ["sound", "push"]
    assert [channel.name for channel in channels_of(home, ChannelSettings(NAMES))] == list(NAMES)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("channels = 3", "channels must be a table"),
        ('[channels]\non = "sound"', "channels.on must be a list of texts"),
        ('[channels]\non = ["smell"]', "channels.on has no channel 'smell'; there are desktop, sound"),
        ("[channels]\npush = [1]", "channels.push must be a list of texts"),
        ("[channels", "cannot be read"),
    ],
)
def test_what_cannot_be_is_refused(home: Home, text: str, sentence: str) -> None:
    """One sentence with the file and the key."""
    home.settings.write_text(text)
    with pytest.raises(ConfigError, match=r"settings\.toml") as refused:
        read_channel_settings(home)
    assert sentence in str(refused.value)


def test_firing_names_every_channel(home: Home) -> None:
    """What is set is tried and says what is in its way; what is not set is named and not used."""
    home.settings.write_text('[channels]\non = ["vibration", "push"]\n')
    assert fire(home, Message("a", "b")) == [
        Delivery(
            "vibration", False, "the sensors: the service does not run, so no sensor is linked: `soleus service start`."
        ),
        Delivery("push", False, "no address is set, so nothing is sent: set `push` in the settings."),
        Delivery("desktop", False, "it is not set in `channels.on`."),
        Delivery("sound", False, "it is not set in `channels.on`."),
        Delivery("terminal", False, "it is not set in `channels.on`."),
    ]
