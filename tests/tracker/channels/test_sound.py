"""The chime: a file that is sound, a player that is found, and the sentences where there is none."""

from __future__ import annotations

import math
import shutil
import stat
import wave
from array import array
from pathlib import Path

import pytest

from tracker.channels.message import Delivery, Message
from tracker.channels.sound import NOTE_S, NOTES_HZ, RATE_HZ, SoundChannel, write_chime
from tracker.home import Home


def nothing(_key: str) -> None:
    raise AssertionError


def test_chime_is_two_notes(tmp_path: Path) -> None:
    """Each half of the file has its note: its part of the energy is 20 times that of the other's pitch."""
    path = tmp_path / "chime.wav"
    write_chime(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
        assert file.getnframes() / RATE_HZ == pytest.approx(2 * NOTE_S, abs=0.001)
        samples = array("h", file.readframes(file.getnframes()))
    half = len(samples) // 2
    for notes, (own_hz, other_hz) in ((samples[:half], NOTES_HZ), (samples[half:], NOTES_HZ[::-1])):
        assert strength(notes, own_hz) > 20 * strength(notes, other_hz)


def strength(samples: array[int], pitch_hz: float) -> float:
    turns = [2 * math.pi * pitch_hz * number / RATE_HZ for number in range(len(samples))]
    return sum(s * math.sin(t) for s, t in zip(samples, turns, strict=True)) ** 2


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


def player(tmp_path: Path, name: str, code: int) -> Path:
    """A program that notes what it was given to play."""
    path = tmp_path / name
    path.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/played\nexit {code}\n')
    path.chmod(0o755)
    return path


@pytest.mark.skipif(shutil.which("sh") is None, reason="no shell: sh")
@pytest.mark.parametrize(("name", "code"), [("paplay", 0), ("aplay", 1)])
async def test_the_player_that_is_there(tmp_path: Path, home: Home, name: str, code: int) -> None:
    """The first of the known players that is installed gets the file; where it fails, it is named."""
    path = player(tmp_path, name, code)
    channel = SoundChannel(home, "linux", lambda asked: str(path) if asked == name else None)
    told = await channel.tell(Message("a", "b"), nothing)
    assert (tmp_path / "played").read_text().split()[-1] == str(home.root / "chime.wav")
    assert told.done is (code == 0)
    assert ("exit code 1" in told.why) is (code == 1)


async def test_no_player(home: Home) -> None:
    """Where nothing plays sounds, one sentence names what to install; a message that is not to be heard needs none."""
    channel = SoundChannel(home, "linux", lambda _name: None)
    assert await channel.tell(Message("a", "b"), nothing) == Delivery(
        "sound", False, "nothing here plays sounds: install one of pw-play, paplay, aplay, ffplay."
    )
    for unheard in (Message("a", "b", quiet=True), Message("a", "b", sound=False)):
        assert (await channel.tell(unheard, nothing)).done
